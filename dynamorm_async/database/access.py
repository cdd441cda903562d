"""What the builders have of their database."""

from __future__ import annotations

from typing import Protocol

import attrs

from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.types import Request, Response


class Send(Protocol):
    """How a builder sends: the database's own way."""

    async def __call__(self, request: Request, timeout: float | None, /) -> Response:
        """Send a request."""
        ...


@attrs.frozen(kw_only=True)
class Access:
    """What a builder has of its database.

    Attributes:
        send: sends a request.
        cursors: makes cursors and takes them back.
    """

    send: Send
    cursors: CursorCodec
