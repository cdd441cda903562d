"""The clocks of leases. No two machines' clocks are ever compared: each counts seconds on its own."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, final

import anyio
import msgspec

# What counts the seconds in which the machine slept as well: a laptop that was closed holds nothing when it is opened again.
# On Linux that is CLOCK_BOOTTIME, on macOS CLOCK_MONOTONIC, and elsewhere Python's own.
_WITH_SLEEP: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def seconds() -> float:
    """Seconds that have passed since some moment; they never go back, and count while the machine sleeps."""
    return time.monotonic() if _WITH_SLEEP is None else time.clock_gettime(_WITH_SLEEP)


def wall() -> datetime:
    """The time of day, for people to read."""
    return datetime.now(UTC)


@final
class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The clocks and pauses that leases go by; tests drive their own.

    Attributes:
        seconds: seconds that have passed since some moment; they never go back.
        wall: the time of day, which is only written down for people.
        sleep: waits for a number of seconds.
        random: a number from 0 up to 1, each time another.
    """

    seconds: Callable[[], float] = seconds
    wall: Callable[[], datetime] = wall
    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    random: Callable[[], float] = random.random
