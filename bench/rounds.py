"""Contestants in turn, round after round, so that a noisy moment of the machine falls on all of them alike."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from floor import Floor
from items import Values, put_item_body, values


class Contestant(Protocol):
    """One client under test."""

    async def get(self) -> object:
        """Read item 1."""
        ...

    async def put(self) -> object:
        """Write item 2."""
        ...

    async def query_100(self) -> object:
        """Read a page of 100 items."""
        ...

    async def scan_1000(self) -> object:
        """Read a page of 1,000 items."""
        ...

    def values(self, answer: Any) -> list[Values]:  # each contestant has a type of answer of its own
        """An answer of ``get``, ``query_100`` or ``scan_1000`` as plain values."""
        ...


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A call to measure.

    Attributes:
        name: its name in the table.
        method: the contestant's method.
        width: how many calls are under way at once.
    """

    name: str
    method: str
    width: int = 1


WORKLOADS = (
    Workload(name="get 1", method="get"),
    Workload(name="get x32", method="get", width=32),
    Workload(name="put 1", method="put"),
    Workload(name="query 100", method="query_100"),
    Workload(name="scan 1,000", method="scan_1000"),
)


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


async def check(name: str, contestant: Contestant, floor: Floor) -> None:
    """Compare everything a contestant reads and writes with the items themselves.

    Raises:
        ValueError: a value differs, so that its timing would mean nothing.
    """
    _same(name, "get", contestant.values(await contestant.get()), [values(1)])
    _same(name, "query 100", contestant.values(await contestant.query_100()), [values(n) for n in range(100)])
    _same(name, "scan 1,000", contestant.values(await contestant.scan_1000()), [values(n) for n in range(1_000)])
    await floor.put_body(put_item_body(3))
    await contestant.put()
    _same(name, "put", [await floor.last_put()], [values(2)])


async def compete(
    contestants: Mapping[str, Contestant], workload: Workload, *, rounds: int, seconds: float
) -> dict[str, list[Sample]]:
    """Time a workload.

    Args:
        contestants: who takes part, by name.
        workload: what to call.
        rounds: how often every contestant has its turn; the first in turn changes from round to round.
        seconds: about how long a turn takes.

    Returns:
        One sample for each round, by contestant; the samples of one index belong to the same round.
    """
    calls = {name: _call(contestant, workload) for name, contestant in contestants.items()}
    loops = {name: await _loops(call, seconds) for name, call in calls.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in calls}
    order = list(calls)
    # What the imports and the warm-up left behind is no contestant's garbage.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name in order:
            gc.collect()
            samples[name].append(await _turn(calls[name], loops[name], workload.width))
        order.append(order.pop(0))
    gc.unfreeze()
    return samples


def _call(contestant: Contestant, workload: Workload) -> Callable[[], Awaitable[object]]:
    method: Callable[[], Awaitable[object]] = getattr(contestant, workload.method)
    if workload.width == 1:
        return method

    async def at_once() -> None:
        await asyncio.gather(*(method() for _ in range(workload.width)))

    return at_once


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


def _same(name: str, workload: str, found: list[Values], expected: list[Values]) -> None:
    if found == expected:
        return
    pairs = zip(found, expected, strict=False)
    odd = next(((one, other) for one, other in pairs if one != other), (len(found), len(expected)))
    raise ValueError(f"{name}, {workload}: the values are not the item's. Found {odd[0]!r}; expected {odd[1]!r}.")
