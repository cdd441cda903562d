"""Sending a planned write, and what that does to the instance."""

from __future__ import annotations

from typing import Any

from dynamorm_async.database.access import Send
from dynamorm_async.database.failures import refined
from dynamorm_async.errors import ConditionFailed
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.items import Write
from dynamorm_async.types import Response


async def send_write(
    send: Send, spec: ModelSpec[Any], write: Write, *, instance: object | None, timeout: float | None
) -> Response:
    """Send a write. The instance takes its new version and times only once it succeeded.

    Raises:
        ConditionFailed: of the exact kind, with the item that was there.
        CallError, CredentialsError, DatabaseClosed: as ``send`` raises them.
    """
    try:
        response = await send(write.request, timeout)
    except ConditionFailed as error:
        raise refined(error, spec, write) from None
    if instance is not None:
        for name, value in write.changes.items():
            setattr(instance, name, value)
        if write.item is not None:
            spec.codec.remember(instance, write.item)
    return response
