"""How long the event loop stands still while pages as large as DynamoDB sends them are read."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from contestant import Contestant
from items import FULL_PAGE_ORG
from report import Stall
from roster import ROSTER
from rounds import own_garbage_only

BEAT = 0.001
PAGES = 4
TASKS = 10


@dataclass(frozen=True)
class Gaps:
    """What one reading did to the beat, in seconds.

    Attributes:
        longest: the longest that the beat was late, less what the garbage collector took of that.
        collected: the longest that it was late in all.
        freed: how long it takes to let go of what was read, for each page.
    """

    longest: float
    collected: float
    freed: float


async def stalls(contestants: Mapping[str, Contestant], *, rounds: int) -> dict[str, Stall]:
    """The longest gap of the beat while 4 full pages are read one after the other, and while 10 tasks read one each.

    What is read is kept until the beat has ended: when a list is let go of, and how many at once, is the caller's to say. Those
    whose calls are not async are left out: each of their calls stands in the loop's way from beginning to end.
    """
    found: dict[str, Stall] = {}
    for entry in ROSTER:
        contestant = contestants.get(entry.name)
        if contestant is None or entry.kind == "sync":
            continue
        read = contestant.query
        await read(FULL_PAGE_ORG)
        with own_garbage_only():
            one = [await _gaps(partial(_in_a_row, read), PAGES) for _ in range(rounds)]
            ten = [await _gaps(partial(_at_once, read), TASKS) for _ in range(rounds)]
        found[entry.name] = Stall(
            one=statistics.median(each.longest for each in one),
            ten=statistics.median(each.longest for each in ten),
            one_collected=statistics.median(each.collected for each in one),
            ten_collected=statistics.median(each.collected for each in ten),
            freed=statistics.median(each.freed for each in one + ten),
        )
    return found


async def _in_a_row(read: Callable[[str], Awaitable[object]]) -> list[object]:
    return [await read(FULL_PAGE_ORG) for _ in range(PAGES)]


async def _at_once(read: Callable[[str], Awaitable[object]]) -> list[object]:
    return await asyncio.gather(*(read(FULL_PAGE_ORG) for _ in range(TASKS)))


async def _gaps(work: Callable[[], Awaitable[list[object]]], pages: int) -> Gaps:
    longest = longest_in_all = last = before = 0.0
    beating = True

    def beat() -> None:
        nonlocal longest, longest_in_all, last, before
        now, after = time.perf_counter(), collector[0]
        late = now - last - BEAT
        longest_in_all = max(longest_in_all, late)
        longest = max(longest, late - (after - before))
        last, before = now, after
        if beating:
            loop.call_later(BEAT, beat)

    loop = asyncio.get_running_loop()
    gc.collect()
    with _collector_time() as collector:
        last = time.perf_counter()
        loop.call_later(BEAT, beat)
        try:
            kept = await work()
            await asyncio.sleep(2 * BEAT)  # the beat after the last page is a gap, too
        finally:
            beating = False
    began = time.perf_counter()
    kept.clear()
    return Gaps(longest, longest_in_all, (time.perf_counter() - began) / pages)


@contextmanager
def _collector_time() -> Generator[list[float]]:
    """How many seconds the garbage collector has taken in the block so far."""
    spent, began = [0.0], 0.0

    def note(phase: str, _info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            spent[0] += time.perf_counter() - began

    gc.callbacks.append(note)
    try:
        yield spent
    finally:
        gc.callbacks.remove(note)
