"""Sending planned writes as one transaction, and what its failure means."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import msgspec

from dynamorm_async.codec.item import bytes_in
from dynamorm_async.database.access import Send
from dynamorm_async.database.failures import refined
from dynamorm_async.errors import (
    CallError,
    ConditionFailed,
    NotUnique,
    OutcomeUnknown,
    ServiceError,
    TransactionCancelled,
    TransactionFailure,
)
from dynamorm_async.model.key import Key
from dynamorm_async.model.unique import OWNER
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.transactions import Action, TransactionPlan, plan_transaction
from dynamorm_async.plan.unique import Before, known_before, same_before, values_in
from dynamorm_async.plan.write import Write, item_text
from dynamorm_async.transport.answers import service_error
from dynamorm_async.transport.retry import may_have_been_applied
from dynamorm_async.types import Response, Unset

_ROUNDS = 10
_BASE = 0.02
_CAP = 1.0


async def transact(
    send: Send,
    writes: Sequence[Write],
    *,
    token: str | None = None,
    sites: Sequence[str] = (),
    timeout: float | None = None,
) -> Response:
    """Make all of the writes, or none.

    Args:
        send: sends a request.
        writes: the writes; no two on one item.
        token: the caller's token; one of our own by default.
        sites: where the caller wrote each operation, for errors.
        timeout: seconds for each request.

    Raises:
        TransactionCancelled: nothing was written; its failures say why.
        OutcomeUnknown: the answer was lost, again and again.
        UsageError: too many actions, or too large.
        CallError: as ``send`` raises it.

    Costs one TransactWriteItems; and for writes that touch unique values, a GetItem where the item's present values are
    not known, and another TransactWriteItems for each time that they were changed meanwhile.
    """
    befores = {
        index: await _before(send, write, timeout) for index, write in enumerate(writes) if write.unique is not None
    }
    for turn in range(_ROUNDS):
        plan = plan_transaction(writes, befores, token or str(uuid.uuid4()))
        try:
            return await _once(send, plan, timeout)
        except TransactionCancelled as error:
            fresh = _changed_meanwhile(error, writes, plan, befores)
            if not fresh or turn == _ROUNDS - 1:
                raise explained(error, writes, plan, sites) from None
        befores = {**befores, **fresh}
        await anyio.sleep(random.random() * min(_CAP, _BASE * 2**turn))  # noqa: S311 - jitter
    raise AssertionError("the last round returns or raises")  # pragma: no cover


async def send_unique(send: Send, write: Write, timeout: float | None) -> Response:
    """Make one write that touches unique values. Its error is that of the write alone.

    Returns:
        The answer; for an update that returns the new item, with its ``Attributes``, read consistently afterwards.

    Raises:
        NotUnique: another item has the value.
        ConditionFailed: of the exact kind, with the item that was there.
        CallError: as ``send`` raises it.
    """
    try:
        response = await transact(send, [write], timeout=timeout)
    except TransactionCancelled as error:
        if not error.failures:
            raise
        raise error.failures[0].error from None
    if write.request.body.get("ReturnValues") != "ALL_NEW":
        return response
    found = await send(get_item(write.table, write.key, consistent=True), timeout)
    # The answer of an update, which the codec reads as such; the item itself stays as it was sent.
    item = msgspec.json.decode(found.body, type=dict[str, msgspec.Raw]).get("Item")
    body = b"{}" if item is None else msgspec.json.encode({"Attributes": item})
    return msgspec.structs.replace(response, body=body)


def explained(
    error: TransactionCancelled, writes: Sequence[Write], plan: TransactionPlan, sites: Sequence[str]
) -> TransactionCancelled:
    """The error with a failure for each operation that failed, as the error that it would have had by itself."""
    failures: dict[int, TransactionFailure] = {}
    for action, reason in zip(plan.actions, error.reasons, strict=False):
        if _is_none(reason) or action.index in failures:
            continue
        write = writes[action.index]
        site = f" at {sites[action.index]}" if sites else ""
        operation = f"{write.action} of {item_text(write.spec, write.key)}{site}"
        failures[action.index] = TransactionFailure(action.index, operation, _reason(error, write, action, reason))
    if not failures:
        return error
    error.failures = tuple(failures.values())
    lines = "".join(f"\n  {failure}" for failure in error.failures)
    error.message = f"the transaction of {len(writes)} operations was cancelled, nothing was written:{lines}"
    return error


async def _once(send: Send, plan: TransactionPlan, timeout: float | None) -> Response:
    try:
        return await send(plan.request, timeout)
    except TransactionCancelled:
        raise
    except CallError as error:
        if not may_have_been_applied(error):
            raise
        token = plan.request.body["ClientRequestToken"]
        unknown = OutcomeUnknown(
            f"{error.message}; the transaction may or may not have been applied. Made again with the same operations and "
            f"token={token!r} within ten minutes, it is applied at most once",
            operation=error.operation,
            table=error.table,
            attempts=error.attempts,
        )
        raise unknown from error


async def _before(send: Send, write: Write, timeout: float | None) -> Before:
    known = known_before(write)
    if not isinstance(known, Unset):
        return known
    response = await send(get_item(write.table, write.key, consistent=True), timeout)
    item: dict[str, Any] | None = msgspec.json.decode(response.body, type=dict[str, Any]).get("Item")
    return values_in(write, None if item is None else bytes_in(item))


def _changed_meanwhile(
    error: TransactionCancelled, writes: Sequence[Write], plan: TransactionPlan, befores: Mapping[int, Before]
) -> dict[int, Before]:
    """The present values of the items whose values are not what they were thought to be; none where that is not why."""
    fresh: dict[int, Before] = {}
    for action, reason in zip(plan.actions, error.reasons, strict=False):
        if action.marker is not None or action.index not in befores or reason.get("Code") != "ConditionalCheckFailed":
            continue
        write = writes[action.index]
        if type(_reason(error, write, action, reason)) is not ConditionFailed:
            continue  # a taken key, a stale version or a missing item: the values do not matter
        item = reason.get("Item")
        present = values_in(write, bytes_in(item) if item else None)
        if not same_before(present, befores[action.index]):
            fresh[action.index] = present
    return fresh


def _reason(error: TransactionCancelled, write: Write, action: Action, reason: Mapping[str, Any]) -> ServiceError:
    """The error that a cancellation reason stands for."""
    alone = service_error(
        write.request,
        status=error.status,
        code=str(reason.get("Code")),
        message=str(reason.get("Message") or ""),
        request_id=error.request_id,
        body=reason,
    )
    alone.attempts = error.attempts
    if not isinstance(alone, ConditionFailed):
        return alone
    return refined(alone, write) if action.marker is None else _not_unique(alone, write, action)


def _not_unique(error: ConditionFailed, write: Write, action: Action) -> NotUnique:
    marker = action.marker
    assert marker is not None, "only markers are unique"  # noqa: S101 - the caller looked
    spec, names = write.spec, [member.name for member in marker.constraint.members]
    raw = bytes_in(error.raw_item or {}).get(OWNER)
    owner = Key(spec.cls, *spec.codec.decode_key(raw["M"])) if raw else None
    result = NotUnique(
        f"another {spec.name} has this {' and '.join(names)}" + (f": {owner!r}" if owner else ""),
        operation=error.operation,
        table=error.table,
        attempts=error.attempts,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    result.attributes, result.owner = tuple(names), owner
    return result


def _is_none(reason: Mapping[str, Any]) -> bool:
    return str(reason.get("Code") or "None").lower() == "none"
