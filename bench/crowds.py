"""1,000 tasks at once, each with several calls one after the other: percentiles of a call's time, and throughput."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contestant import Contestant
from report import Crowd, median_ratio
from roster import OURS
from rounds import own_garbage_only

TASKS = 1_000


@dataclass(frozen=True, kw_only=True)
class _Round:
    p50: float
    p90: float
    p99: float
    throughput: float


async def crowds(contestants: Mapping[str, Contestant], *, rounds: int, calls: int) -> dict[str, Crowd]:
    """Measure every contestant in turn, round after round.

    Args:
        contestants: who takes part, by name.
        rounds: how often each has its turn.
        calls: how many calls each of the tasks makes.
    """
    found: dict[str, list[_Round]] = {name: [] for name in contestants if hasattr(contestants[name], "get_in_crowd")}
    order = list(found)
    for name in order:
        await _one_round(contestants[name], calls=1)  # opens the connections
    with own_garbage_only():
        for _ in range(rounds):
            for name in order:
                gc.collect()
                found[name].append(await _one_round(contestants[name], calls=calls))
            order.append(order.pop(0))
    return {name: _summary(each, found.get(OURS, ())) for name, each in found.items()}


async def _one_round(contestant: Contestant, *, calls: int) -> _Round:
    latencies: list[float] = []

    async def task() -> None:
        for _ in range(calls):
            began = time.perf_counter()
            await contestant.get_in_crowd()
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(task() for _ in range(TASKS)))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(latencies, n=100)
    return _Round(p50=cuts[49], p90=cuts[89], p99=cuts[98], throughput=TASKS * calls / took)


def _summary(rounds: Sequence[_Round], ours: Sequence[_Round]) -> Crowd:
    throughput = median_ratio([each.throughput for each in ours], [each.throughput for each in rounds])
    p99 = median_ratio([each.p99 for each in ours], [each.p50 for each in rounds])
    return Crowd(
        p50=statistics.median(each.p50 for each in rounds),
        p90=statistics.median(each.p90 for each in rounds),
        p99=statistics.median(each.p99 for each in rounds),
        throughput=statistics.median(each.throughput for each in rounds),
        throughput_of_ours=throughput,
        our_p99_to_p50=p99,
    )
