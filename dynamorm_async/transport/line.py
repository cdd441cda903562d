"""A line of callers who wait for something that others give back: first come, first served."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar

T = TypeVar("T")

_GRAIN: Final = 0.02
"""Seconds at least between two looks at who has waited too long: one look is for all, however many they are."""


_Wait: TypeAlias = tuple[float, float, Callable[[float], Exception]]
"""When it is over, in the loop's time; how long it is, in seconds; what makes its error. Ten thousand of them are made at once:
a plain tuple costs a fifth of a named one."""


class WaitingLine(Generic[T]):
    """Hands what is granted to the caller that has waited longest. All bookkeeping is synchronous.

    Ten thousand may stand in it: each costs a future, and all together one timer.

    Args:
        give_back: takes what was granted to a caller that was cancelled in the same round of the loop.
    """

    def __init__(self, *, give_back: Callable[[T], None]) -> None:
        self._give_back = give_back
        self._waiters: OrderedDict[asyncio.Future[T], _Wait] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = math.inf

    def __len__(self) -> int:
        return len(self._waiters)

    async def wait(self, seconds: float, late: Callable[[float], Exception]) -> T:
        """Wait for a grant.

        Args:
            seconds: how long, at most.
            late: makes the error for a caller that had none in time, from the seconds that it waited.

        Raises:
            Exception: what ``late`` made, or what :meth:`refuse` was given.
        """
        waiter = self.join(seconds, late)
        try:
            return await waiter
        except asyncio.CancelledError:
            self.leave(waiter)
            raise

    def join(self, seconds: float, late: Callable[[float], Exception]) -> asyncio.Future[T]:
        """As :meth:`wait`, without a coroutine. Whoever is cancelled while awaiting the future says so with :meth:`leave`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        end = loop.time() + seconds
        self._waiters[waiter] = end, seconds, late
        if end < self._look_at:
            self._look_again(loop, end)
        return waiter

    def leave(self, waiter: asyncio.Future[T]) -> None:
        """A caller that was cancelled does not wait any more."""
        self._waiters.pop(waiter, None)
        self._look_no_more_for_nobody()
        # The grant may have come in the same round as the cancellation: it goes on to the next.
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            self._give_back(waiter.result())

    def grant(self, value: T) -> bool:
        """Hand something to the first in the line; ``False`` where nobody waits."""
        while self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            self._look_no_more_for_nobody()
            if not waiter.done():
                waiter.set_result(value)
                return True
        return False

    def refuse(self, error: Callable[[], Exception]) -> None:
        """End the wait of everybody.

        Args:
            error: makes an error, one for each.
        """
        while self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            if not waiter.done():
                waiter.set_exception(error())
        self._look_no_more_for_nobody()

    # --- inside -------------------------------------------------------------------------------

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the wait of those who are late, and come back for the others."""
        now = loop.time()
        self._timer, self._look_at = None, math.inf
        late = [waiter for waiter, (end, _, _) in self._waiters.items() if end <= now]
        for waiter in late:
            _, seconds, error = self._waiters.pop(waiter)
            if not waiter.done():
                waiter.set_exception(error(max(seconds, 0.0)))
        if self._waiters:
            first = min(end for end, _, _ in self._waiters.values())
            self._look_again(loop, max(first, now + _GRAIN))

    def _look_again(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        self._look_no_more()
        self._timer = loop.call_at(when, self._look, loop)
        self._look_at = when

    def _look_no_more_for_nobody(self) -> None:
        if not self._waiters:
            self._look_no_more()

    def _look_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._look_at = None, math.inf
