"""Sending a planned write, and what that does to the instance."""

from __future__ import annotations

from dynamorm_async.database.access import Send
from dynamorm_async.database.failures import refined
from dynamorm_async.database.transacting import send_unique
from dynamorm_async.errors import ConditionFailed
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Response


async def send_write(send: Send, write: Write, timeout: float | None) -> Response:
    """Send a write. The instance takes its new version and times only once it succeeded.

    Raises:
        ConditionFailed: of the exact kind, with the item that was there.
        NotUnique: another item has the value of a unique attribute.
        CallError, CredentialsError, DatabaseClosed: as ``send`` raises them.
    """
    if write.unique is not None:
        response = await send_unique(send, write, timeout)
    else:
        try:
            response = await send(write.request, timeout)
        except ConditionFailed as error:
            raise refined(error, write) from None
    settle(write)
    return response


def settle(write: Write) -> None:
    """Let the instance know that its write succeeded."""
    if write.instance is None:
        return
    for name, value in write.changes.items():
        setattr(write.instance, name, value)
    if write.item is not None:
        write.spec.codec.remember(write.instance, write.item)
