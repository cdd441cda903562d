"""Many generated programs on engines that are running, in several processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import attrs

from dynamorm_async.transport.lanes import LaneName
from tests.differential.program import drawn
from tests.differential.running import Engine, compare, minimised, opened
from tests.property.round_trips import RoundTrips, round_trips

TABLES = 50  # programs that share tables: more cost more, since scans read them whole
_CHUNK = 1000  # programs that share clients
_SDK_CHUNKS = 10  # each tenth takes the sdk lane
_VALUES = 20_000  # that go through the codec at a time
_SHOWN = 2  # programs of some tables that are cut down: those after them mostly have the same cause


@attrs.frozen
class Report:
    """What a run, or a part of it, came to.

    Attributes:
        tally: programs, steps, comparisons, and what was left out for known differences.
        differing: how many programs differ for a reason that is not known.
        scripts: the smallest programs that differ, as scripts.
    """

    tally: Counter[str]
    differing: int = 0
    scripts: tuple[str, ...] = ()

    def __add__(self, other: Report) -> Report:
        return Report(self.tally + other.tally, self.differing + other.differing, self.scripts + other.scripts)


def run(
    endpoints: Mapping[str, str],
    *,
    seed: int,
    programs: int,
    processes: int = 1,
    progress: Callable[[Report], object] = lambda _: None,
) -> Report:
    """Run the programs 0, 1, 2 … of a seed.

    Args:
        endpoints: engines that are running, by their names.
        seed: what the programs are drawn from.
        programs: how many.
        processes: how many at the same time.
        progress: is told the report so far, after each thousand.
    """
    chunks = [range(first, min(first + _CHUNK, programs)) for first in range(0, programs, _CHUNK)]
    report = Report(Counter())
    if processes == 1:
        for numbers in chunks:
            report += play(endpoints, seed, numbers)
            progress(report)
        return report
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play, dict(endpoints), seed, numbers) for numbers in chunks]):
            report += done.result()
            progress(report)
    return report


def send_values(values: int, *, seed: int, processes: int = 1) -> RoundTrips:
    """Send so many values through the codec and back, in several processes."""
    if processes == 1:
        return round_trips(values, seed=seed)
    parts = range(0, values, _VALUES)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = [pool.submit(round_trips, min(_VALUES, values - part), seed=seed + part) for part in parts]
        results = [future.result() for future in done]
    return RoundTrips(sum(each.values for each in results), sum(each.losses for each in results))


def play(endpoints: Mapping[str, str], seed: int, numbers: range) -> Report:
    """Run some programs of a seed."""
    return asyncio.run(_play(endpoints, seed, numbers))


async def _play(endpoints: Mapping[str, str], seed: int, numbers: range) -> Report:
    lane: LaneName = "sdk" if numbers.start // _CHUNK % _SDK_CHUNKS == _SDK_CHUNKS - 1 else "direct"
    report = Report(Counter())
    async with opened(endpoints, lane) as engines:
        for first in range(numbers.start, numbers.stop, TABLES):
            if first > numbers.start:
                for engine in engines:
                    await engine.renew()
            report += await _share(engines, seed, range(first, min(first + TABLES, numbers.stop)))
    return report


async def _share(engines: Sequence[Engine], seed: int, numbers: range) -> Report:
    tally = Counter[str]()
    programs = {number: drawn(seed, number) for number in numbers}
    found = await compare(list(programs.values()), engines, tally)
    scripts: list[str] = []
    for number in sorted(found)[:_SHOWN]:
        smallest, differences = await minimised(programs[number], engines)
        # Where it does not differ again by itself, what was seen at first is all there is.
        seen = "\n".join(map(str, differences or found[number]))
        scripts.append(smallest.script(f"program {number} of seed {seed}\n{seen}"))
    return Report(tally, len(found), tuple(scripts))
