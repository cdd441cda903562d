"""Memory: the most that Python holds while 100,000 items go by in pages of 100, against 1,000 items."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from canned import STREAM
from contestant import Contestant
from report import Peaks
from roster import BASE, OURS

CONTESTANTS = (BASE, "aiodynamo", OURS)
SHORT = 1_000


async def streams(contestants: Mapping[str, Contestant], names: Sequence[str], *, long: int) -> dict[str, Peaks]:
    """The peaks of the contestants that can stream.

    Args:
        contestants: who takes part, by name.
        names: who of them is measured.
        long: how many items the long stream has.
    """
    peaks: dict[str, Peaks] = {}
    for name in names:
        stream: Callable[[str], AsyncIterator[object]] | None = getattr(contestants.get(name), "stream", None)
        if stream is not None:
            await _read(stream, SHORT)  # what is made once, such as connections and generated code, is not the stream's
            peaks[name] = Peaks(short=await _peak(stream, SHORT), long=await _peak(stream, long))
    return peaks


async def _peak(stream: Callable[[str], AsyncIterator[object]], items: int) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        await _read(stream, items)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _read(stream: Callable[[str], AsyncIterator[object]], items: int) -> None:
    count = 0
    async for _item in stream(f"{STREAM}{items}"):
        count += 1
    if count != items:
        raise ValueError(f"a stream of {items:,} items ended after {count:,}.")
