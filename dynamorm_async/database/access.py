"""What the builders have of their database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from dynamorm_async.database.noting import Note, no_note
from dynamorm_async.database.turns import Turns
from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.types import Request, Response


def utc_now() -> datetime:
    """The time, where the caller has given no clock."""
    return datetime.now(UTC)


class Send(Protocol):
    """How a builder sends: the database's own way."""

    async def __call__(self, request: Request, timeout: float | None, /) -> Response:
        """Send a request."""
        ...


async def begin_at_once(_operation: str, timeout: float | None) -> float | None:
    """Let a call begin, where nobody counts them."""
    return timeout


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a builder has of its database.

    Attributes:
        send: sends a request.
        cursors: makes cursors and takes them back.
        clock: the time by which items have expired.
        sleep: waits for a number of seconds.
        note: takes what was read, to be counted.
        begin: waits until a call may begin, before it is planned; takes its operation and its time in seconds, and gives what
            is left of that.
        turns: decodes large answers in slices.
    """

    send: Send
    cursors: CursorCodec
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    note: Note = no_note
    begin: Callable[[str, float | None], Awaitable[float | None]] = begin_at_once
    turns: Turns = msgspec.field(default_factory=Turns)
