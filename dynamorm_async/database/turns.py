"""Turns of the event loop: how much of what large answers bring is decoded in each, and who is next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final, TypeVar, final

from dynamorm_async.codec.slices import Slices
from dynamorm_async.transport.line import Room

T = TypeVar("T")

LARGE: Final = 256 * 1024
"""Answers of more bytes than this are decoded in slices, which take a twentieth longer. Smaller ones take 2 to 4 ms at once."""

SLOW: Final = 16 * 1024
"""The same of answers whose items no compiled decoder reads, which takes some thirty times as long."""

_TURN: Final = 0.001
_FIRST: Final = 4 * 1024
_GROWTH: Final = 4


@final
class Turns:
    """Shares out the turns of the loop among the answers of one :class:`Database`.

    A turn has room for one slice of large work, of about 1 ms, or for answers that are decoded at once and take as long
    together. What comes when there is no room waits in a line, first come, first served. Of large works, one is under way at
    a time: what waits for the first answer goes on while the others are decoded.

    Args:
        clock: seconds, monotonic.

    Attributes:
        room: what the turns have room for; work that is done at once takes its share first.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._one = asyncio.Lock()
        self.room = Room()

    async def run(self, work: Slices[T]) -> T:
        """What the work comes to. How long a byte takes differs a hundredfold by model: each slice is measured for the next.

        Cancelling it between two slices leaves nothing behind.

        Raises:
            Exception: as the work raises it.
        """
        async with self._one:
            with closing(work):
                try:
                    await self.room.turn()  # as every slice: the answer has just been received and checked
                    next(work)
                    size = _FIRST
                    while True:
                        await self.room.turn()
                        began = self._clock()
                        work.send(size)
                        size = _next_size(size, self._clock() - began)
                except StopIteration as done:
                    result: T = done.value
                    return result


def _next_size(size: int, seconds: float) -> int:
    """How many bytes a slice may have after one of ``size`` that took so long; growing step by step, for items differ."""
    most = size * _GROWTH
    return most if seconds <= 0 else max(1, min(most, int(size * _TURN / seconds)))
