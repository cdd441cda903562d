"""What to tell of a write whose answer was lost: that it was applied, that it was not, or what to look for."""

from __future__ import annotations

from typing import Any

from dynamorm_async.codec.answers import answer_json, bytes_in
from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.errors import ConditionFailed, OutcomeUnknown
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.settling import was_applied
from dynamorm_async.plan.write import Write


async def settle_failed(send: Send, write: Write, error: ConditionFailed, deadline: Deadline) -> bool:
    """Whether a write was applied whose answer was lost, and whose condition failed when it was sent again.

    Args:
        send: sends a request.
        write: is applied at most once.
        error: the failed condition; it gets the item that is there, where DynamoDB sent none.
        deadline: of the whole call.

    Returns:
        ``True`` where it was applied; ``False`` where it was not, so that the error tells the truth.

    Raises:
        OutcomeUnknown: the item does not tell, or could not be read.

    Costs nothing where the failed condition came with the item, as from DynamoDB itself; else one GetItem.
    """
    await look(send, write, error, deadline)
    applied = was_applied(write, None if error.raw_item is None else bytes_in(error.raw_item))
    if applied is None:
        raise _undecided(write, error, "the item that is there does not tell whose write it was") from error
    return applied


async def look(send: Send, write: Write, error: ConditionFailed, deadline: Deadline) -> None:
    """Let a failed condition have the item that is there, where it came without. Takes what :func:`settle_failed` takes.

    Raises:
        OutcomeUnknown: it could not be read.

    Costs one GetItem, or nothing where the item came with the failure.
    """
    try:
        if error.raw_item is None:
            error.raw_item = await read_item(send, write, deadline)
    # Also no keys, whatever their provider raises, a closed database, an answer that is none: not a word on the write.
    except Exception as failure:  # noqa: BLE001 - as said above
        raise _undecided(write, error, f"reading the item to find out failed as well: {failure}") from error


async def read_item(send: Send, write: Write, deadline: Deadline) -> dict[str, Any] | None:
    """The item of a write as DynamoDB sends it, read consistently; ``None`` where there is none.

    Raises:
        DecodeError: the answer is not readable.
        CallError, CredentialsError, DatabaseClosed: as ``send`` raises them.
    """
    request = get_item(write.table, write.key, consistent=True, sealed=write.request.sealed)
    response = await send(request, deadline.left(request))
    item: dict[str, Any] | None = answer_json(response.body).get("Item")
    return item


def identified(unknown: OutcomeUnknown, write: Write) -> OutcomeUnknown:
    """The error with what is needed to find out."""
    unknown.key, unknown.written = write.key_of, dict(write.changes)
    return unknown


def _undecided(write: Write, error: ConditionFailed, why: str) -> OutcomeUnknown:
    unknown = OutcomeUnknown(
        f"an answer was lost, and when the request was sent again its condition failed, perhaps because it had been applied: {why}",
        operation=error.operation,
        table=error.table,
        attempts=error.attempts,
    )
    return identified(unknown, write)
