"""How many calls of functions an operation takes, and how many objects it leaves: the same in every run, on any machine."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from types import CodeType, FrameType
from typing import Any, Final

WARMING: Final = 3
RUNS: Final = 5
"""The lowest count of these is taken: the first call in a second signs anew, and costs more."""

Calls = Counter[str]
"""How often each function was called, by its name: those of Python as ``module:name``, those of C as ``C:name``."""


async def calls_of(operation: Callable[[], Awaitable[object]]) -> Calls:
    """The calls of an operation that never waits, once everything is warm; without those of the collector of garbage."""
    for _ in range(WARMING):
        await operation()
    counts: list[Calls] = []
    for _ in range(RUNS):
        calls = Calls()
        gc.collect()
        gc.disable()
        sys.setprofile(_hook(calls))
        try:
            await operation()
        finally:
            sys.setprofile(None)
            gc.enable()
        del calls["C:setprofile"]  # which ends the counting, and is counted
        counts.append(calls)
    return min(counts, key=Counter[str].total)


def kept_by(make: Callable[[int], object], size: int) -> int:
    """How many blocks of memory one more of the things that are made holds, when there are from ``size`` to twice as many."""
    for warming in (size, 2 * size):
        make(warming)
    return round((_blocks(make, 2 * size) - _blocks(make, size)) / size)


def _blocks(make: Callable[[int], object], size: int) -> int:
    gc.collect()
    before = sys.getallocatedblocks()
    made = make(size)
    blocks = sys.getallocatedblocks() - before
    del made
    return blocks


def _hook(calls: Calls) -> Callable[[FrameType, str, object], None]:
    names: dict[CodeType, str] = {}

    def hook(frame: FrameType, event: str, argument: Any) -> None:  # a function of C, or what is returned
        if event == "call":
            code = frame.f_code
            name = names.get(code)
            if name is None:
                name = names[code] = f"{frame.f_globals.get('__name__', '?')}:{code.co_qualname}"
            calls[name] += 1
        elif event == "c_call":
            calls[f"C:{argument.__qualname__}"] += 1

    return hook
