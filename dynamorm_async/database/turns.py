"""Turns of the event loop: how much of what large answers bring is decoded in each, and who is next."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Final, TypeVar, final

from dynamorm_async.codec.slices import Slices

T = TypeVar("T")

LARGE: Final = 256 * 1024
"""Answers of more bytes than this are decoded in slices, which take a tenth longer. Smaller ones take 4 ms at once."""

SLOW: Final = 16 * 1024
"""The same of answers whose items no compiled decoder reads, which takes some thirty times as long."""

_TURN: Final = 0.002
_FIRST: Final = 4 * 1024
_GROWTH: Final = 4
_WHOLE: Final = 1.0
_NOTHING: Final = 1 / 16  # a share of a turn that is not counted


@final
class Turns:
    """Shares out the turns of the loop among the answers of one :class:`Database`.

    A turn has room for one slice of large work, of about 2 ms, or for answers that are decoded at once and take as long
    together. What comes when there is no room waits in a line, first come, first served. Of large works, one is under way at
    a time: what waits for the first answer goes on while the others are decoded.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._one = asyncio.Lock()
        self._line: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._taken = 0.0  # the share of the turn that is taken, or promised to those who go on with the next
        self._told_by: asyncio.AbstractEventLoop | None = None  # the loop that will tell when the turn is over

    async def room(self, size: int, at_once: int = LARGE) -> None:
        """Wait until the turn of the loop has room for work. Where it has, or the work is nothing beside a turn, go on.

        Args:
            size: how many bytes the work has.
            at_once: how many bytes of such work fill a turn; no less than ``size``.
        """
        share = size / at_once
        if share <= _NOTHING:
            return
        if self._line or (self._taken and self._taken + share > _WHOLE):
            await self._in_line(share)
        else:
            self._taken += share
            self._have_it_told(asyncio.get_running_loop())

    async def run(self, work: Slices[T]) -> T:
        """What the work comes to. How long a byte takes differs a hundredfold by model: each slice is measured for the next.

        Cancelling it between two slices leaves nothing behind.

        Raises:
            Exception: as the work raises it.
        """
        async with self._one:
            with closing(work):
                try:
                    await self._in_line(_WHOLE)  # as every slice: the answer has just been received and checked
                    next(work)
                    size = _FIRST
                    while True:
                        await self._in_line(_WHOLE)
                        began = self._clock()
                        work.send(size)
                        size = _next_size(size, self._clock() - began)
                except StopIteration as done:
                    result: T = done.value
                    return result

    async def _in_line(self, share: float) -> None:
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        self._line.append((share, granted))
        self._have_it_told(loop)
        await granted

    def _have_it_told(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._told_by is not loop:
            self._told_by = loop
            loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        """Let those go on, in the next turn, that it has room for. Who was cancelled meanwhile is passed over."""
        self._told_by, self._taken = None, 0.0
        while self._line:
            share, granted = self._line[0]
            if not granted.done():
                if self._taken and self._taken + share > _WHOLE:
                    break
                self._taken += share
                granted.set_result(None)
            self._line.popleft()
        if self._line or self._taken:  # only now: they go on before it is told that their turn is over
            self._have_it_told(asyncio.get_running_loop())


def _next_size(size: int, seconds: float) -> int:
    """How many bytes a slice may have after one of ``size`` that took so long; growing step by step, for items differ."""
    most = size * _GROWTH
    return most if seconds <= 0 else max(1, min(most, int(size * _TURN / seconds)))
