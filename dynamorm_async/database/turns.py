"""Turns of the event loop for others, while a large answer is decoded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final, TypeVar, final

from dynamorm_async.codec.slices import Slices

T = TypeVar("T")

LARGE: Final = 512 * 1024
"""Answers of more bytes than this are decoded in slices, which take a fifth longer. Smaller ones take 3 ms at once."""

SLOW: Final = 16 * 1024
"""The same of answers whose items no compiled decoder reads, which takes some thirty times as long."""

_TURN: Final = 0.002
_FIRST: Final = 4 * 1024
_GROWTH: Final = 4


@final
class Turns:
    """Does large work in slices of about 2 ms, with a turn of the loop after each.

    One work at a time: pages of several segments that arrive together would else all have their slice in the same turn.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._one = asyncio.Lock()

    async def run(self, work: Slices[T]) -> T:
        """What the work comes to. How long a byte takes differs a hundredfold by model: each slice is measured for the next.

        Cancelling it between two slices leaves nothing behind.

        Raises:
            Exception: as the work raises it.
        """
        async with self._one:
            with closing(work):
                try:
                    next(work)
                    size = _FIRST
                    while True:
                        await asyncio.sleep(0)
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
