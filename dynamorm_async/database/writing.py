"""Sending a planned write, and what that does to the instance."""

from __future__ import annotations

from collections.abc import Awaitable

from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.succeeded import settle
from dynamorm_async.database.unsuccessful import after_failed_condition, after_lost_answer
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
        return await after_lost_answer(send, write, unknown, deadline, transacted=transacted)
    except ConditionFailed as error:
        return await after_failed_condition(send, write, error, deadline, transacted=transacted)
    settle(write)
    return response


def _send_alone(send: Send, write: Write, timeout: float | None) -> Awaitable[Response]:
    from dynamorm_async.database.transacting import send_alone  # noqa: PLC0415 - loaded when first used

    return send_alone(send, write, timeout)
