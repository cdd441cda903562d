"""Lines of callers who wait for something that others give back, or for their turn: first come, first served."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar, final

T = TypeVar("T")

_GRAIN: Final = 0.02
"""Seconds at least between two looks at who has waited too long: one look is for all, however many they are."""

_WHOLE: Final = 1.0
_NOTHING: Final = 1 / 16
"""A share of a turn of the loop that is not counted."""

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


@final
class Room:
    """Shares out the turns of the loop among tasks whose work holds it: first come, first served.

    Costs nothing while nobody works. A task that is cancelled while it waits leaves nothing behind.
    """

    def __init__(self) -> None:
        self._line: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._taken = 0.0  # the share of the turn that is taken, or promised to those who go on with the next
        self._told_by: asyncio.AbstractEventLoop | None = None  # the loop that will tell when the turn is over

    async def take(self, size: int, at_once: int) -> None:
        """Wait until the turn has room for some work. Where it has, or the work is nothing beside a turn, go on.

        Args:
            size: how much work it is, in bytes. What is more than a turn has room for has a turn of its own.
            at_once: how much of such work fills a turn.
        """
        share = size / at_once
        if share <= _NOTHING:
            return
        if self._line or (self._taken and self._taken + share > _WHOLE):
            await self._in_line(share)
        else:
            self._taken += share
            self._have_it_told(asyncio.get_running_loop())

    async def turn(self) -> None:
        """Wait for a turn of one's own, another than the present one. No two tasks have the same."""
        await self._in_line(_WHOLE)

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
