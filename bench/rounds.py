"""Contestants in turn, round after round, so that a noisy moment of the machine falls on all of them alike."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from contestant import Contestant
from workloads import Workload


@dataclass(frozen=True)
class Sample:
    """The mean of one round.

    Attributes:
        cpu: seconds of this process's CPU (user and system) a call.
        wall: seconds of wall time a call.
        calls: how many calls the round made.
    """

    cpu: float
    wall: float
    calls: int = 1


async def compete(
    contestants: Mapping[str, Contestant], workload: Workload, *, rounds: int, seconds: float
) -> dict[str, list[Sample]]:
    """Time a workload.

    Args:
        contestants: who is there, by name; those that do not have the workload are left out.
        workload: what to call.
        rounds: how often every contestant has its turn; the first in turn changes from round to round.
        seconds: about how long a turn takes.

    Returns:
        One sample for each round, by contestant; the samples of one index belong to the same round.
    """
    found = {name: workload.call_of(contestant) for name, contestant in contestants.items()}
    calls = {name: _at_once(call, workload.width) for name, call in found.items() if call is not None}
    loops = {name: await _loops(call, seconds) for name, call in calls.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in calls}
    order = list(calls)
    with own_garbage_only():
        for _ in range(rounds):
            for name in order:
                gc.collect()
                samples[name].append(await _turn(calls[name], loops[name], workload.width))
            order.append(order.pop(0))
    return samples


@contextmanager
def own_garbage_only() -> Generator[None]:
    """In the block, the garbage collector does not look at what imports and warm-ups of all contestants left."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _at_once(call: Callable[[], Awaitable[object]], width: int) -> Callable[[], Awaitable[object]]:
    if width == 1:
        return call

    async def crowd() -> None:
        await asyncio.gather(*(call() for _ in range(width)))

    return crowd


async def _loops(call: Callable[[], Awaitable[object]], seconds: float) -> int:
    """How many calls fill ``seconds``; warms the contestant up on the way."""
    loops = 1
    while True:
        sample = await _turn(call, loops, 1)
        if sample.wall * loops >= seconds / 4:
            return max(1, round(seconds / sample.wall))
        loops *= 2


async def _turn(call: Callable[[], Awaitable[object]], loops: int, width: int) -> Sample:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(loops):
        await call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    calls = loops * width
    return Sample(cpu / calls, wall / calls, calls)
