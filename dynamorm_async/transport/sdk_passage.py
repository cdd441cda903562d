"""How far one request of the sdk lane has come: told by the HTTP session, asked by the client above aiobotocore."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final


class Passage:
    """One request on its way through aiobotocore.

    Attributes:
        sent: whether it may have reached the server: it got a connection.
    """

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False


# aiobotocore hands nothing of ours through to its HTTP session, but it stays in the caller's task.
PASSAGE: Final[ContextVar[Passage | None]] = ContextVar("dynamorm_async_passage", default=None)
"""The request of the running task."""
