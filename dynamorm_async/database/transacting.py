"""Sending planned writes as one transaction, and what its failure means."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence

import anyio
import msgspec

from dynamorm_async.codec.answers import bytes_in, parse_answer
from dynamorm_async.database.access import Send
from dynamorm_async.database.cancellation import cancellation, changed_meanwhile, misjudged
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.settling import read_item
from dynamorm_async.errors import (
    CallError,
    IdempotentParameterMismatch,
    ItemNotFound,
    OutcomeUnknown,
    TransactionCancelled,
)
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.sealed import parts_of
from dynamorm_async.plan.transactions import TransactionPlan, plan_transaction
from dynamorm_async.plan.unique import Before, MarkerId, known_before, values_in
from dynamorm_async.plan.write import Write, item_text
from dynamorm_async.transport.retry import full_jitter
from dynamorm_async.types import Request, Response, Unset

_ITEM = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROUNDS = 10
_BASE = 0.04  # seconds
_CAP = 0.5
_DEPENDS = "Of writes that touch unique values the request depends on the values that are there"
_SEALED = "Encrypted values are encrypted anew each time a transaction is made"
_APPLIED_BEFORE = "so this very transaction may have been applied before: read its items consistently to find out"


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
        token: the caller's token, the same in every round, so that nothing is applied twice under it; by default one
            of our own for each round.
        sites: where the caller wrote each operation, for errors.
        timeout: seconds for the whole call; by default each request has the database's own.

    Raises:
        TransactionCancelled: nothing was written; its failures say why.
        IdempotentParameterMismatch: the caller's token was used for another request; where unique values are touched, it may
            have been for the same writes.
        OutcomeUnknown: the answer was lost, again and again.
        UsageError: too many actions, too large, or one unique value for two items.
        CallError: as ``send`` raises it.

    Costs one TransactWriteItems; and for writes that touch unique values, a GetItem where the item's present values are
    not known, and another TransactWriteItems, after a GetItem from the second on, for each time that they were changed
    meanwhile.
    """
    deadline = Deadline(timeout)
    befores = {
        index: await _before(send, write, deadline) for index, write in enumerate(writes) if write.unique is not None
    }
    foreign: set[MarkerId] = set()
    for turn in range(_ROUNDS):
        plan = plan_transaction(writes, befores, token or str(uuid.uuid4()), foreign=foreign)
        try:
            return await send_under_token(send, plan.request, deadline.left(plan.request), _way_out(plan, token, sites))
        except IdempotentParameterMismatch as error:
            if token is not None:
                error.message += _may_differ(plan)
            raise
        except TransactionCancelled as error:
            fresh = changed_meanwhile(error, writes, plan, befores)
            wrong = misjudged(error, plan)
            if not (fresh or wrong) or turn == _ROUNDS - 1:
                raise cancellation(error, writes, plan, sites, busy={*fresh, *wrong.values()}) from None
        if turn:  # the first time it was just a stale guess; now others are writing at the same time
            await anyio.sleep(full_jitter(turn, random.random, base=_BASE, cap=_CAP))
            fresh = {index: await _read(send, writes[index], deadline) for index in fresh}
        befores = {**befores, **fresh}
        # Whose a marker is was judged for the values that the items were thought to have.
        foreign = set() if fresh else foreign ^ wrong.keys()
    raise AssertionError("the last round returns or raises")  # pragma: no cover


async def send_alone(send: Send, write: Write, timeout: float | None) -> Response:
    """Make one write by a transaction of its own. Its error is that of the write alone.

    Returns:
        The answer; for an update that returns the new item, with its ``Attributes``, read consistently afterwards.

    Raises:
        NotUnique: another item has the value.
        ConditionFailed: of the exact kind, with the item that was there.
        ItemNotFound: also where the update was made, and the item deleted before it could be read.
        OutcomeUnknown: also where the update was made, and the item could not be read.
        CallError: as ``send`` raises it.
    """
    deadline = Deadline(timeout)
    try:
        response = await transact(send, [write], timeout=timeout)
    except TransactionCancelled as error:
        if not error.failures:
            raise
        raise error.failures[0].error from None
    if write.request.body.get("ReturnValues") != "ALL_NEW":
        return response
    request = get_item(write.table, write.key, consistent=True, sealed=write.request.sealed)
    try:
        found = await send(request, deadline.left(request))
        item = parse_answer(found.body, _ITEM).get("Item")
    except Exception as error:
        # Whoever catches Throttled, or what a provider of keys raises, takes it that nothing was written.
        raise _unread(request, error) from error
    # The answer of an update, which the codec reads as such; the item itself stays as it was sent.
    if item is None:
        message = f"the update was made, but {item_text(write.spec, write.key)} was deleted before it could be read"
        raise ItemNotFound(message, operation="GetItem", table=write.table, attempts=found.attempts)
    return msgspec.structs.replace(response, body=msgspec.json.encode({"Attributes": item}))


def _unread(request: Request, error: Exception) -> OutcomeUnknown:
    why = error.message if isinstance(error, CallError) else error
    return OutcomeUnknown(
        f"the update was made, but its item could not be read afterwards: {why}. Do not make it again: read the item",
        operation=request.operation,
        table=request.table,
        attempts=error.attempts if isinstance(error, CallError) else 1,
    )


async def send_under_token(send: Send, request: Request, timeout: float | None, way_out: str) -> Response:
    """Send a transaction of writes, which its token makes safe to repeat.

    Args:
        send: sends a request.
        request: the transaction, with its token.
        timeout: seconds for it.
        way_out: what the caller can do where it is not known whether it was applied.

    Raises:
        OutcomeUnknown: its answer was lost, again and again.
        CallError: as ``send`` raises it.
    """
    try:
        return await send(request, timeout)
    except OutcomeUnknown as error:
        cause = error.__cause__
        unknown = OutcomeUnknown(
            f"{cause.message if isinstance(cause, CallError) else cause}; the transaction may or may not have been applied. {way_out}",
            operation=request.operation,
            table=request.table,
            attempts=error.attempts,
        )
        raise unknown from cause


def _may_differ(plan: TransactionPlan) -> str:
    """Why the same operations can make another request, to be added to the error of a token that was used; empty if they cannot."""
    if any(action.marker is not None for action in plan.actions):
        return f". {_DEPENDS}, {_APPLIED_BEFORE}"
    return f". {_SEALED}, {_APPLIED_BEFORE}" if parts_of(plan.request) else ""


def _way_out(plan: TransactionPlan, token: str | None, sites: Sequence[str]) -> str:
    if token is not None:
        return (
            f"Send the same operations again with token={token!r} and the same at=: within ten minutes that is harmless"
        )
    if not sites:
        return "Read the item consistently to find out"
    own = plan.request.body["ClientRequestToken"]
    return (
        f"Read the items consistently to find out; its token was {own!r}. A token= and at= of your own make it harmless to "
        "send a transaction again"
    )


async def _before(send: Send, write: Write, deadline: Deadline) -> Before:
    known = known_before(write)
    return await _read(send, write, deadline) if isinstance(known, Unset) else known


async def _read(send: Send, write: Write, deadline: Deadline) -> Before:
    item = await read_item(send, write, deadline)
    return values_in(write, None if item is None else bytes_in(item))
