"""Leases under random schedules: processes that pause, clocks that are off, a network that delays, loses and repeats."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import CallError, LeaseHeld, LeaseLost
from dynamorm_async.leases import Bookkeeping, Lease, hold
from dynamorm_async.types import Request
from tests.faults.virtual import run, running
from tests.property.sizing import examples
from tests.unit.leases.world import Process, Travel, World

_SECONDS = 120.0
_DURATIONS = st.sampled_from([3.0, 10.0, 20.0])
_RATES = st.floats(0.996, 1.004)
_CLOCKS = st.tuples(st.floats(-1e6, 1e6), _RATES, _DURATIONS)


class Watchman:
    """Knows every lease, and is asked at every step whether more than one of them is believed to be held."""

    def __init__(self) -> None:
        self.leases: list[Lease] = []
        self.tokens: list[int] = []

    def acquired(self, lease: Lease) -> None:
        self.tokens.append(lease.token)
        self.leases.append(lease)
        self.look()

    def look(self) -> None:
        believers = [lease for lease in self.leases if lease.remaining > 0]
        assert len(believers) <= 1, believers


async def contend(
    process: Process, mine: Bookkeeping, duration: float, watchman: Watchman, dice: random.Random
) -> None:
    """Acquire, work for a while, be paused now and then, and again."""
    end = running().now + _SECONDS
    while running().now < end:
        try:
            async with hold(
                mine.db, "x", duration=duration, wait=dice.choice([0.0, 5.0, 60.0]), bookkeeping=mine
            ) as lease:
                watchman.acquired(lease)
                for _ in range(dice.randrange(6)):
                    await process.sleep(dice.uniform(0.0, duration))
                    watchman.look()
                    if dice.random() < 0.2:
                        process.pause(dice.uniform(0.0, 2.0 * duration))
        except (LeaseHeld, LeaseLost, CallError):
            await process.sleep(dice.uniform(0.0, 3.0))
        watchman.look()


def network(dice: random.Random, *, trouble: float) -> Travel:
    """What becomes of a request."""
    if dice.random() >= trouble:
        return Travel(out=dice.uniform(0.0, 0.2), back=dice.uniform(0.0, 0.2))
    kind = dice.randrange(3)
    if kind == 0:
        return Travel(refused=True)
    # Longer than the transport waits, so that it arrives after it was given up.
    return Travel(lost=kind == 1, out=dice.choice([0.1, 4.0, 12.0, 40.0]), back=dice.choice([0.1, 4.0, 20.0]))


@examples(6)
@given(
    clocks=st.lists(_CLOCKS, min_size=2, max_size=3),
    seed=st.integers(0, 2**32),
    trouble=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_never_two_believe_to_hold_it(clocks: list[tuple[float, float, float]], seed: int, trouble: float) -> None:
    """No two processes are within their own time at once, whatever clocks, pauses and network do; tokens strictly grow."""
    world, watchman = World(), Watchman()

    async def one(number: int, ahead: float, rate: float, duration: float) -> None:
        dice = random.Random(seed + number)  # noqa: S311 - a schedule
        async with world.process(ahead=ahead, rate=rate) as (process, mine):

            def travel(request: Request) -> Travel:
                watchman.look()
                del request
                return network(dice, trouble=trouble)

            process.travel = travel
            await contend(process, mine, duration, watchman, dice)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for number, (ahead, rate, duration) in enumerate(clocks):
                group.create_task(one(number, ahead, rate, duration))

    run(all_of_them(), random=random.Random(seed).random)  # noqa: S311 - of pauses
    assert watchman.tokens
    assert world.shelf.tokens == sorted(set(world.shelf.tokens))
    assert watchman.tokens == sorted(set(watchman.tokens))
