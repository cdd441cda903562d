"""The time of a whole call, over all of its requests and pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from dynamorm_async.errors import CallTimeout
from dynamorm_async.types import Request


@final
class Deadline:
    """Runs from when it is made.

    Args:
        timeout: seconds; ``None`` for no bound besides that of each request.
        clock: seconds, monotonic.
    """

    __slots__ = ("_clock", "_end", "_timeout")

    def __init__(self, timeout: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._timeout = timeout
        self._end = None if timeout is None else clock() + timeout

    def left(self, request: Request) -> float | None:
        """Seconds for a request; ``None`` where there is no bound.

        Raises:
            CallTimeout: none are left.
        """
        if self._end is None:
            return None
        left = self._end - self._clock()
        if not left > 0:  # not a number is no time either
            raise self.over(request)
        return left

    def fits(self, seconds: float) -> bool:
        """Whether a pause ends before it."""
        return self._end is None or self._clock() + seconds < self._end

    def over(self, request: Request) -> CallTimeout:
        """The error, not raised, of a call whose time does not hold this request and its answer."""
        message = f"the call's {self._timeout:g} s are over" if self._timeout is not None else "the call's time is over"
        return CallTimeout(
            f"{message} before this request was answered", operation=request.operation, table=request.table
        )
