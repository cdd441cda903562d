"""A bound on the capacity that a process consumes, on average."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import final

import anyio


@final
class TokenBucket:
    """Capacity units that may be consumed: they come at a rate, and up to one second's worth is kept.

    What a request consumes is known only afterwards, so what is spent may make a debt; whoever comes then waits until it is
    paid. On average no more than the rate is spent.

    Args:
        rate: units a second; ``None`` for no bound.
        clock: seconds, monotonic.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._units = rate or 0.0
        self._at: float | None = None

    async def ready(self) -> None:
        """Wait until nothing is owed."""
        if self._rate is None:
            return
        while (owed := -self._balance(self._rate)) > 0:
            await self._sleep(owed / self._rate)

    def spend(self, units: float) -> None:
        """Note what was consumed."""
        if self._rate is not None:
            self._units = self._balance(self._rate) - units

    def _balance(self, rate: float) -> float:
        now = self._clock()
        if self._at is not None:
            self._units = min(rate, self._units + rate * (now - self._at))
        self._at = now
        return self._units
