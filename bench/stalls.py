"""How long the event loop stands still while pages as large as DynamoDB sends them are read."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from contestant import Contestant
from items import FULL_PAGE_ORG
from report import Stall
from roster import ROSTER
from rounds import own_garbage_only

BEAT = 0.001
PAGES = 4
TASKS = 10


async def stalls(contestants: Mapping[str, Contestant], *, rounds: int) -> dict[str, Stall]:
    """The longest gap of the beat while 4 full pages are read one after the other, and while 10 tasks read one each.

    Those whose calls are not async are left out: each of their calls stands in the loop's way from beginning to end.
    """
    found: dict[str, Stall] = {}
    for entry in ROSTER:
        contestant = contestants.get(entry.name)
        if contestant is None or entry.kind == "sync":
            continue
        read = contestant.query
        await read(FULL_PAGE_ORG)
        with own_garbage_only():
            one = [await _longest_gap(partial(_in_a_row, read)) for _ in range(rounds)]
            ten = [await _longest_gap(partial(_at_once, read)) for _ in range(rounds)]
        found[entry.name] = Stall(one=statistics.median(one), ten=statistics.median(ten))
    return found


async def _in_a_row(read: Callable[[str], Awaitable[object]]) -> None:
    for _ in range(PAGES):
        await read(FULL_PAGE_ORG)


async def _at_once(read: Callable[[str], Awaitable[object]]) -> None:
    await asyncio.gather(*(read(FULL_PAGE_ORG) for _ in range(TASKS)))


async def _longest_gap(work: Callable[[], Awaitable[None]]) -> float:
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(BEAT)
            now = time.perf_counter()
            longest = max(longest, now - last - BEAT)
            last = now

    gc.collect()
    beating = asyncio.create_task(beat())
    await asyncio.sleep(BEAT)
    try:
        await work()
        await asyncio.sleep(2 * BEAT)  # the beat after the last page is a gap, too
    finally:
        beating.cancel()
    return longest
