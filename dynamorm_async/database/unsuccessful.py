"""A write that did not succeed: settled, forgiven, or raised as the exact error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dynamorm_async.codec.encrypted import revealed
from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.failures import refined
from dynamorm_async.database.settling import identified, look, read_item, settle_failed
from dynamorm_async.database.succeeded import settle
from dynamorm_async.errors import ConditionFailed, OutcomeUnknown
from dynamorm_async.plan.marking import is_done, is_forgiven
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Response


async def after_lost_answer(
    send: Send, write: Write, unknown: OutcomeUnknown, deadline: Deadline, *, transacted: bool
) -> Response:
    """The answer of a write whose own was lost, where the item tells it.

    Args:
        send: sends a request.
        write: what was sent.
        unknown: why its answer is not known.
        deadline: of the whole call.
        transacted: whether it was sent as a transaction.

    Raises:
        OutcomeUnknown: it may or may not have been applied, and the item does not tell.
    """
    if transacted or not await _is_gone(send, write, deadline):
        raise identified(unknown, write) from unknown.__cause__
    settle(write)
    return Response(body=b"{}", attempts=unknown.attempts)


async def after_failed_condition(
    send: Send, write: Write, error: ConditionFailed, deadline: Deadline, *, transacted: bool
) -> Response:
    """The answer of a write whose condition failed: of its own doing, or because there was nothing to do.

    Args:
        send: sends a request.
        write: what was sent.
        error: the failed condition.
        deadline: of the whole call.
        transacted: whether it was sent as a transaction.

    Raises:
        ConditionFailed: of the exact kind, with the item that was there.
        OutcomeUnknown: an answer was lost before, and the item does not tell whose doing it is.
    """
    lost = error.maybe_applied and not transacted
    if lost and write.request.at_most_once and await settle_failed(send, write, error, deadline):
        settle(write)
        return Response(body=b"{}", attempts=error.attempts)
    if lost and write.marks is not None:
        await look(send, write, error, deadline)  # what is marked, or not, as it should be is no failure
    if not is_forgiven(write, error.raw_item):
        raise (error if transacted else refined(error, write)) from None
    return _forgiven(write, error.raw_item, error.attempts)


async def _is_gone(send: Send, write: Write, deadline: Deadline) -> bool:
    """Whether the item of a versioned delete, whose answer was lost, is not there: then all is as it promises.

    It is not sent again: between, somebody may have made another item with the same key and version.
    """
    body = write.request.body
    versioned = write.request.operation == "DeleteItem" and write.expected is not None
    if not versioned or write.missing_fails_where or "ReturnValues" in body:
        return False
    try:
        return await read_item(send, write, deadline) is None
    except Exception:  # noqa: BLE001 - whatever it was, also of a provider of keys, it is not a word on the delete
        return False


def _forgiven(write: Write, raw: Mapping[str, Any] | None, attempts: int) -> Response:
    if is_done(write, raw):
        settle(write)
    answer = {"Attributes": raw} if write.marks is False else {}
    return Response(body=msgspec.json.encode(answer, enc_hook=revealed), attempts=attempts)
