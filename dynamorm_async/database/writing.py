"""Sending a planned write, and what that does to the instance."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec

from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.errors import ConditionFailed, OutcomeUnknown
from dynamorm_async.plan.write import Write, check_transactable
from dynamorm_async.types import Response


async def send_write(send: Send, write: Write, timeout: float | None, *, exactly_once: bool = False) -> Response:
    """Send a write. The instance takes its new version and times only once it succeeded.

    Where the answer is lost, a write that its own condition lets through only once is sent again, and settled by the item
    that is there.

    Args:
        send: sends a request.
        write: what to write.
        timeout: seconds for the whole call.
        exactly_once: whether it goes as a transaction of its own, whose token tells DynamoDB that it is the same write.

    Returns:
        The answer. Of a write that is forgiven what DynamoDB would have answered had there been something to do: the
        restored item, or nothing of what was deleted.

    Raises:
        ConditionFailed: of the exact kind, with the item that was there.
        NotUnique: another item has the value of a unique attribute.
        OutcomeUnknown: it may or may not have been applied, and the item does not tell.
        CallError, CredentialsError, DatabaseClosed: as ``send`` raises them.
    """
    if exactly_once:
        check_transactable(write, why="exactly_once=True makes")
    transacted = exactly_once or write.unique is not None
    deadline = Deadline(timeout)
    try:
        response = await (_send_alone(send, write, timeout) if transacted else send(write.request, timeout))
    except OutcomeUnknown as unknown:
        from dynamorm_async.database.settling import identified  # noqa: PLC0415 - loaded when first used

        if transacted or not await _is_gone(send, write, deadline):
            raise identified(unknown, write) from unknown.__cause__
        response = Response(body=b"{}", attempts=unknown.attempts)
    except ConditionFailed as error:
        from dynamorm_async.database.failures import refined  # noqa: PLC0415 - loaded when first used
        from dynamorm_async.database.settling import look, settle_failed  # noqa: PLC0415 - loaded when first used
        from dynamorm_async.plan.marking import is_forgiven  # noqa: PLC0415 - loaded when first used

        lost = error.maybe_applied and not transacted
        if lost and write.request.at_most_once and await settle_failed(send, write, error, deadline):
            settle(write)
            return Response(body=b"{}", attempts=error.attempts)
        if lost and write.marks is not None:
            await look(send, write, error, deadline)  # what is marked, or not, as it should be is no failure
        if not is_forgiven(write, error.raw_item):
            raise (error if transacted else refined(error, write)) from None
        return _forgiven(write, error.raw_item, error.attempts)
    settle(write)
    return response


def _send_alone(send: Send, write: Write, timeout: float | None) -> Awaitable[Response]:
    from dynamorm_async.database.transacting import send_alone  # noqa: PLC0415 - loaded when first used

    return send_alone(send, write, timeout)


async def _is_gone(send: Send, write: Write, deadline: Deadline) -> bool:
    """Whether the item of a versioned delete, whose answer was lost, is not there: then all is as it promises.

    It is not sent again: between, somebody may have made another item with the same key and version.
    """
    body = write.request.body
    versioned = write.request.operation == "DeleteItem" and write.expected is not None
    if not versioned or write.missing_fails_where or "ReturnValues" in body:
        return False
    from dynamorm_async.database.settling import read_item  # noqa: PLC0415 - loaded when first used

    try:
        return await read_item(send, write, deadline) is None
    except Exception:  # noqa: BLE001 - whatever it was, also of a provider of keys, it is not a word on the delete
        return False


def _forgiven(write: Write, raw: Mapping[str, Any] | None, attempts: int) -> Response:
    from dynamorm_async.codec.encrypted import revealed  # noqa: PLC0415 - loaded when first used
    from dynamorm_async.plan.marking import is_done  # noqa: PLC0415 - loaded when first used

    if is_done(write, raw):
        settle(write)
    answer = {"Attributes": raw} if write.marks is False else {}
    return Response(body=msgspec.json.encode(answer, enc_hook=revealed), attempts=attempts)


def settle(write: Write) -> None:
    """Let the instance know that its write succeeded."""
    if write.instance is None:
        return
    for name, value in write.changes.items():
        setattr(write.instance, name, value)
    if write.item is not None:
        write.spec.codec.remember(write.instance, write.item, write.held)
