"""Which CPU the client and the server run on.

A client that is woken from sleep on a CPU of its own pays about twice the CPU time a call of one that shares the
server's: the kernel's part of a wake-up. Left alone, the scheduler moves between the two at any moment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager


def choose(pin: str) -> tuple[int | None, int | None]:
    """The client's CPU and the server's; ``None`` leaves it to the scheduler.

    Args:
        pin: ``apart`` (the same one where there is only one), ``same`` or ``none``.
    """
    if pin == "none" or sys.platform != "linux":
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1 if pin == "apart" else 0], usable[0]


@contextmanager
def pinned(cpu: int | None) -> Generator[None]:
    """Keep this process, and those it starts, on one CPU for the block."""
    if cpu is None or sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
