"""``hold``: renewals in the background, the end of the block, and cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import pytest

from dynamorm_async import DatabaseClosed, LeaseHeld, LeaseLost
from dynamorm_async.leases import Lease, hold
from dynamorm_async.types import Request
from tests.faults.virtual import run, running
from tests.unit.database.cancel_steps import HOWS, cancelled_at
from tests.unit.leases.test_lease import losing, virtual
from tests.unit.leases.world import Travel, World


def always(travel: Travel) -> Callable[[Request], Travel]:
    return lambda _: travel


@virtual
async def test_it_is_renewed_until_the_block_ends() -> None:
    """A block of any length is within the lease; with the end of the block it is free, and no task is left."""
    world, tasks = World(), asyncio.all_tasks()
    async with world.process() as (process, mine), world.process() as (_, theirs):
        async with hold(mine.db, "x", duration=30.0, bookkeeping=mine) as lease:
            for _ in range(20):
                await process.sleep(30.0)
                lease.check()
                with pytest.raises(LeaseHeld):
                    await Lease(theirs, "x").acquire()
        assert 60 <= process.requests.count("PutItem") <= 64
        assert (world.record("x").owner, lease.is_acquired) == (None, False)
        assert asyncio.all_tasks() == tasks
        async with hold(theirs.db, "x", wait=0, bookkeeping=theirs) as next_one:
            assert next_one.token == 2


@virtual
async def test_renewals_that_fail_are_made_again() -> None:
    """Refused, lost before or after they arrive: as long as one in time comes through, the block notices nothing."""
    world = World()
    async with world.process() as (process, mine):
        async with hold(mine.db, "x", duration=30.0, bookkeeping=mine) as lease:
            start = running().now
            process.travel = lambda _: Travel(refused=(running().now - start) % 35 < 15)
            await process.sleep(300.0)
            lease.check()
            process.travel = losing(*range(1, 10))
            await process.sleep(60.0)
            lease.check()
            process.travel = losing(1, 2, 5, 6, after=False)
            await process.sleep(60.0)
            lease.check()
            process.travel = lambda _: Travel()
        assert world.record("x").owner is None
        assert world.shelf.tokens == [1]


@virtual
async def test_a_block_that_lost_its_lease_is_cancelled() -> None:
    """When its time is over by the process's own clock, and no later; the last failure is the cause."""
    world, reached = World(), False
    async with world.process() as (process, mine), world.process() as (_, theirs):

        async def block() -> None:
            nonlocal reached
            async with hold(mine.db, "x", duration=30.0, bookkeeping=mine) as lease:
                leases.append(lease)
                process.travel = lambda _: Travel(refused=True)
                await process.sleep(3600.0)
                reached = True

        start, leases = running().now, list[Lease]()
        with pytest.raises(LeaseLost, match="not renewed within its 30 s") as caught:
            await block()
        assert not reached
        assert 30.0 <= running().now - start < 30.1
        assert type(caught.value.__cause__).__name__ == "Throttled"
        assert leases[0].lost.is_set()
        async with hold(theirs.db, "x", bookkeeping=theirs) as other:
            assert other.token == 2
        process.travel = lambda _: Travel()
        async with hold(mine.db, "x", bookkeeping=mine) as again:
            assert again.token == 3


@virtual
async def test_a_pause_of_the_process_ends_the_block() -> None:
    """Once it goes on, though nobody has told it; what it does not await in, ``check`` stops."""
    world = World()
    async with world.process() as (process, mine), world.process() as (_, theirs):

        async def block() -> None:
            async with hold(mine.db, "x", duration=30.0, bookkeeping=mine):
                process.pause(100.0)
                await process.awake()
                await process.sleep(3600.0)

        start = running().now
        task = running().create_task(block())
        await asyncio.sleep(1.0)
        async with hold(theirs.db, "x", bookkeeping=theirs) as other:
            assert 30.0 <= running().now - start < 33.0
            with pytest.raises(LeaseLost):
                await task
            assert 100.0 <= running().now - start < 100.1
            other.check()
        assert world.shelf.tokens == [1, 2]


@virtual
async def test_a_block_that_ends_too_late_says_so() -> None:
    """A block that held up the loop for too long ends with LeaseLost, though it knows of nothing itself."""
    world = World()
    async with world.process() as (_, mine):
        with pytest.raises(LeaseLost):
            async with hold(mine.db, "x", duration=30.0, bookkeeping=mine):
                running().now += 31.0  # no await: nothing could be renewed
        assert world.record("x").owner is not None  # whoever watches takes it


@virtual
async def test_an_error_of_the_block_is_raised_as_it_is() -> None:
    """Not in a group, and before LeaseLost; the lease is released, and so where the block was cancelled."""
    world, tasks = World(), asyncio.all_tasks()
    async with world.process() as (process, mine):
        with pytest.raises(LookupError, match="mine"):
            async with hold(mine.db, "x", bookkeeping=mine):
                raise LookupError("mine")
        assert world.record("x").owner is None

        async def too_late() -> None:
            async with hold(mine.db, "x", duration=30.0, bookkeeping=mine):
                running().now += 31.0
                raise LookupError("late")

        with pytest.raises(LookupError, match="late"):
            await too_late()
        with anyio.move_on_after(5.0) as scope:
            async with hold(mine.db, "y", bookkeeping=mine):
                await process.sleep(60.0)
        assert scope.cancelled_caught
        assert world.record("y").owner is None
        assert asyncio.all_tasks() == tasks


@virtual
async def test_a_release_that_fails_spoils_nothing() -> None:
    """What the block did is done: it ends well within seconds, and the lease ends by itself."""
    world = World()
    async with world.process() as (process, mine), world.process() as (_, theirs):
        start = running().now
        for number, travel in enumerate((Travel(refused=True), Travel(lost=True), Travel(out=3600.0))):
            async with hold(mine.db, f"x{number}", duration=10.0, bookkeeping=mine):
                process.travel = always(travel)
            process.travel = lambda _: Travel()
        assert running().now - start < 10.0
        for number in range(3):
            async with hold(theirs.db, f"x{number}", bookkeeping=theirs) as lease:
                assert lease.token == 2
        db, hung = mine.db, hold(mine.db, "z", bookkeeping=mine)
        async with hung:
            await db.aclose()
        with pytest.raises(DatabaseClosed):
            await hung.__aenter__()


@virtual
async def test_a_release_by_hand_ends_the_renewals() -> None:
    """The block goes on without the lease; it can be entered again."""
    world = World()
    async with world.process() as (process, mine):
        held = hold(mine.db, "x", bookkeeping=mine)
        for token in (1, 2):
            async with held as lease:
                assert lease.token == token
                await lease.release()
                process.requests.clear()
                await process.sleep(100.0)
                assert process.requests == []
        with pytest.raises(LookupError):
            async with held:
                raise LookupError
        assert world.record("x").token == 3


@pytest.mark.parametrize("how", HOWS)
def test_a_cancellation_anywhere_leaves_nothing_behind(how: str) -> None:
    """At every await, of every kind: no task is left, and the next has the lease after its duration at the latest."""

    async def walk() -> None:
        world, tasks, step, reached = World(), asyncio.all_tasks(), 0, True
        async with world.process() as (process, mine), world.process() as (_, theirs):

            async def whole() -> None:
                async with hold(mine.db, "x", duration=3.0, bookkeeping=mine) as lease:
                    await process.sleep(2.5)
                    lease.check()

            while reached:
                ending = await cancelled_at(step, how, whole)  # type: ignore[arg-type]  # one of HOWS
                reached, step = ending.reached, step + 1
                assert ending.error is None
                assert reached or not ending.cancelled  # the release at the end is not interrupted by a scope
                for _ in range(5):
                    await asyncio.sleep(0)
                assert asyncio.all_tasks() == tasks
                async with hold(theirs.db, "x", duration=3.0, wait=4.0, bookkeeping=theirs):
                    assert world.shelf.tokens == list(range(1, len(world.shelf.tokens) + 1))
        assert step > 12

    run(walk(), random=lambda: 0.5)
