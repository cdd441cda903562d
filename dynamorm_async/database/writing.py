"""Sending a planned write, and what that does to the instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dynamorm_async.database.access import Send
from dynamorm_async.database.failures import refined
from dynamorm_async.database.transacting import send_unique
from dynamorm_async.errors import ConditionFailed
from dynamorm_async.plan.marking import is_done, is_forgiven
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Response


async def send_write(send: Send, write: Write, timeout: float | None) -> Response:
    """Send a write. The instance takes its new version and times only once it succeeded.

    Returns:
        The answer. Of a write that is forgiven what DynamoDB would have answered had there been something to do: the
        restored item, or nothing of what was deleted.

    Raises:
        ConditionFailed: of the exact kind, with the item that was there.
        NotUnique: another item has the value of a unique attribute.
        CallError, CredentialsError, DatabaseClosed: as ``send`` raises them.
    """
    try:
        response = await (send(write.request, timeout) if write.unique is None else send_unique(send, write, timeout))
    except ConditionFailed as error:
        if not is_forgiven(write, error.raw_item):
            raise (refined(error, write) if write.unique is None else error) from None
        return _forgiven(write, error.raw_item, error.attempts)
    settle(write)
    return response


def _forgiven(write: Write, raw: Mapping[str, Any] | None, attempts: int) -> Response:
    if is_done(write, raw):
        settle(write)
    answer = {"Attributes": raw} if write.marks is False else {}
    return Response(body=msgspec.json.encode(answer), attempts=attempts)


def settle(write: Write) -> None:
    """Let the instance know that its write succeeded."""
    if write.instance is None:
        return
    for name, value in write.changes.items():
        setattr(write.instance, name, value)
    if write.item is not None:
        write.spec.codec.remember(write.instance, write.item, write.held)
