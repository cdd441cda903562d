"""A lease by hand, between processes whose clocks, networks and pauses are driven."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from functools import wraps

import pytest

from dynamorm_async import (
    ConnectionLost,
    Database,
    LeaseHeld,
    LeaseLost,
    ModelError,
    OutcomeUnknown,
    Throttled,
    UsageError,
)
from dynamorm_async.leases import Bookkeeping, Hold, Lease, hold, look
from dynamorm_async.types import Request
from tests.faults.virtual import run, running
from tests.unit.leases.world import Travel, World

HOUR = 3600.0


def virtual(test: Callable[[], Coroutine[object, object, None]]) -> Callable[[], None]:
    """Run a test on a loop whose time is virtual."""

    @wraps(test)
    def sync() -> None:
        run(test(), random=lambda: 0.5)

    return sync


def losing(*lost: int, operation: str = "PutItem", after: bool = True) -> Callable[[Request], Travel]:
    """The answers of the so-many-th requests are lost, or the requests before they arrive."""
    count = 0

    def travel(request: Request) -> Travel:
        nonlocal count
        if request.operation != operation:
            return Travel()
        count += 1
        return Travel(lost=after, out=0.001 if after else HOUR) if count in lost else Travel()

    return travel


@virtual
async def test_one_holds_and_the_others_are_told_who() -> None:
    """The error names owner, token and times; after the release the next has it, with a larger token."""
    world = World()
    async with world.process() as (_, mine), world.process(ahead=HOUR) as (_, theirs):
        first = Lease(mine, "report", duration=30.0, owner="worker-1")
        second = Lease(theirs, "report", duration=30.0)
        await first.acquire()
        assert (first.token, first.owner.split("/")[0], first.is_acquired) == (1, "worker-1", True)
        assert 29.9 < first.remaining <= 30.0
        with pytest.raises(
            LeaseHeld, match=r"'report' is held by worker-1/.* since 2026-01-01 .* with token 1"
        ) as caught:
            await second.acquire()
        held = caught.value
        assert (held.name, held.owner, held.token, held.watched) == ("report", first.owner, 1, 0.0)
        assert held.acquired is not None
        assert held.renewed >= held.acquired
        await first.release()
        await second.acquire()
        assert second.token == 2
        found = await look(mine.db, "report", bookkeeping=mine)
        assert found is not None
        assert (found.owner, found.token) == (second.owner, 2)
    assert world.shelf.tokens == [1, 2]


@virtual
async def test_waiting_ends_with_the_release() -> None:
    """Who waits has it about a second after it was set free, and not before."""
    world = World()
    async with world.process() as (process, mine), world.process() as (_, theirs):
        first, second = Lease(mine, "x"), Lease(theirs, "x")
        await first.acquire()

        async def release_later() -> None:
            for _ in range(5):
                await process.sleep(8.0)
                await first.renew()
            await first.release()

        start = running().now
        task = running().create_task(release_later())
        await second.acquire(wait=math.inf)
        assert 40.0 < running().now - start < 42.0
        await task


@virtual
async def test_a_wait_is_over_in_time() -> None:
    """With about one look a second, and no request after the end."""
    world = World()
    async with world.process() as (_, mine), world.process() as (process, theirs):
        await Lease(mine, "x", duration=30.0).acquire()
        start = running().now
        with pytest.raises(LeaseHeld) as caught:
            await Lease(theirs, "x").acquire(wait=10.0)
        assert 10.0 <= running().now - start < 10.1
        assert 9.9 < caught.value.watched < 10.1
        assert len(process.requests) == 11


@pytest.mark.parametrize(("ahead", "rate"), [(0.0, 1.0), (HOUR, 1.0), (-HOUR, 1.0), (0.0, 1.004), (0.0, 0.996)])
def test_what_is_left_behind_is_taken_after_its_duration(ahead: float, rate: float) -> None:
    """Whatever the clocks of the two say: no earlier than the holder's own time is over, and soon after."""

    async def scene() -> None:
        world = World()
        async with world.process() as (_, gone), world.process(ahead=ahead, rate=rate) as (_, mine):
            first, second = Lease(gone, "x", duration=30.0), Lease(mine, "x", duration=5.0)
            await first.acquire()
            start = running().now
            await second.acquire(wait=60.0)
            assert 30.0 <= running().now - start < 31.0
            assert first.remaining == 0.0
            assert (second.token, world.shelf.tokens) == (2, [1, 2])

    run(scene(), random=lambda: 0.5)


@virtual
async def test_looks_are_remembered_from_one_try_to_the_next() -> None:
    """Who only looks now and then takes over, too, once it has seen the same for the whole duration."""
    world = World()
    async with world.process() as (_, gone), world.process() as (process, mine):
        await Lease(gone, "x", duration=30.0).acquire()
        lease, tries = Lease(mine, "x"), 0
        while not lease.is_acquired:
            tries += 1
            try:
                await lease.acquire()
            except LeaseHeld:
                await process.sleep(10.0)
        assert (tries, lease.token) == (5, 2)


@virtual
async def test_a_paused_holder_finds_out_before_it_writes() -> None:
    """After a pause that was longer than the lease, ``check`` refuses, though the process has heard of nothing."""
    world = World()
    async with world.process() as (paused, mine), world.process() as (_, theirs):
        first, second = Lease(mine, "x", duration=30.0), Lease(theirs, "x")
        await first.acquire()
        first.check()
        paused.pause(45.0)
        await second.acquire(wait=60.0)
        await paused.awake()
        with pytest.raises(LeaseLost, match="'x' with token 1 is lost: it was not renewed within its 30 s") as caught:
            first.check()
        assert (caught.value.name, caught.value.token, first.lost.is_set()) == ("x", 1, True)
        with pytest.raises(LeaseLost):
            await first.renew()
        await first.release()  # leaves the other's alone
        second.check()
        await second.renew()
        assert world.record("x").owner == second.owner


@virtual
async def test_its_time_counts_from_before_the_request() -> None:
    """An answer that was long under way, to an acquisition or a renewal, gives no more time than others grant."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x", duration=30.0)
        process.travel = lambda _: Travel(out=1.0, back=2.0)
        await lease.acquire()
        assert 26.9 < lease.remaining <= 27.0
        await lease.renew()
        assert 26.9 < lease.remaining <= 27.0


@virtual
async def test_lost_answers_of_an_acquisition_are_settled() -> None:
    """Sent again by the transport, or found by a look: the lease is held once, and the token moves once."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x")
        process.travel = losing(1)
        await lease.acquire()
        assert (lease.token, world.shelf.tokens) == (1, [1])
        await lease.release()
        process.travel = losing(1, 2, 3, 4)  # all that the transport tries
        await lease.acquire()
        lease.check()
        assert (lease.token, world.shelf.tokens) == (2, [1, 2])


@virtual
async def test_a_lost_answer_of_a_renewal_is_settled() -> None:
    """By a look where every answer was lost; its time counts from before the first of them."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x", duration=30.0)
        await lease.acquire()
        process.travel = losing(1, 2, 3, 4)
        start = running().now
        await lease.renew()
        assert lease.remaining == pytest.approx(30.0 - (running().now - start))
        await lease.renew()
        await lease.renew()
        assert (lease.token, world.record("x").token, world.shelf.tokens) == (1, 1, [1])


@virtual
async def test_a_renewal_that_arrives_late_is_no_conflict() -> None:
    """It was given up, and looked for in vain; the next finds it in its way, and goes on with the time of the first."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x", duration=30.0)
        await lease.acquire()
        late = iter([Travel(out=7.0)])
        process.travel = lambda request: next(late, Travel()) if request.operation == "PutItem" else Travel()
        start = running().now
        with pytest.raises(OutcomeUnknown):
            await lease.renew()
        await process.sleep(5.0)
        await lease.renew()
        assert lease.remaining == pytest.approx(30.0 - (running().now - start))
        assert world.record("x").owner == lease.owner
        await lease.renew()
        assert lease.remaining > 29.9


@virtual
async def test_a_renewal_that_was_refused_costs_no_time() -> None:
    """What was certainly not applied is forgotten: the next counts from its own beginning."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x", duration=30.0)
        await lease.acquire()
        process.travel = lambda _: Travel(refused=True)
        with pytest.raises(Throttled):
            await lease.renew()
        process.travel = lambda _: Travel()
        await process.sleep(10.0)
        await lease.renew()
        assert lease.remaining > 29.9


@virtual
async def test_a_renewal_finds_out_who_has_taken_it() -> None:
    """Also where somebody has changed the record by hand before the time was over."""
    world = World()
    async with world.process() as (_, mine):
        lease = Lease(mine, "x")
        await lease.acquire()
        raw = world.shelf.items["lease#x"]
        raw |= {"owner": {"S": "thief"}, "token": {"N": "7"}, "revision": {"N": "9"}}
        with pytest.raises(LeaseLost, match="thief has taken it, with token 7"):
            await lease.renew()
        await lease.acquire(wait=60.0)
        assert lease.token == 8
        del world.shelf.items["lease#x"]
        with pytest.raises(LeaseLost, match="its record is gone"):
            await lease.renew()


@virtual
async def test_a_release_after_a_lost_renewal_sets_it_free() -> None:
    """The renewal that was applied all the same is not in the way."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x")
        await lease.acquire()
        process.travel = lambda r: Travel(out=7.0) if r.operation == "PutItem" else Travel()
        with pytest.raises(OutcomeUnknown):
            await lease.renew()
        process.travel = lambda _: Travel()
        await process.sleep(7.0)
        await lease.release()
        assert (world.record("x").owner, lease.is_acquired) == (None, False)


@virtual
async def test_who_waits_bears_failures() -> None:
    """What may be better a moment later is tried again while there is time; without any, it is raised."""
    world = World()
    async with world.process() as (process, mine):
        end = running().now + 20.0
        process.travel = lambda _: Travel(refused=running().now < end)
        lease = Lease(mine, "x")
        with pytest.raises(Throttled):
            await lease.acquire()
        await lease.acquire(wait=60.0)
        assert running().now < end + 2.0
        await lease.release()
        process.travel = lambda _: Travel(lost=True)
        with pytest.raises(ConnectionLost):  # not even the look is answered
            await lease.acquire(wait=5.0)
        process.travel = lambda request: Travel(refused=request.operation == "PutItem", out=1.0)
        task = running().create_task(lease.acquire(wait=5.0))
        await asyncio.sleep(0.5)
        with pytest.raises(UsageError, match="acquired already"):
            await lease.acquire()
        with pytest.raises(Throttled):
            await task


@virtual
async def test_what_cannot_work_is_refused() -> None:
    """By a sentence that says what to do, before anything is sent."""
    world = World()
    async with world.process() as (process, mine):
        for name in ("", "x" * 1001):
            with pytest.raises(UsageError, match="1 to 1000 characters"):
                Lease(mine, name)
        for duration in (0.0, -1.0, math.inf, math.nan):
            with pytest.raises(UsageError, match="a number of seconds above 0"):
                Lease(mine, "x", duration=duration)
        lease = Lease(mine, "x")
        for use in (lease.check, lambda: lease.token, lambda: lease.owner):
            with pytest.raises(UsageError, match="is not acquired"):
                use()
        for call in (lease.renew, lease.release):
            with pytest.raises(UsageError, match="is not acquired"):
                await call()
        assert process.requests == []
        await lease.acquire()
        with pytest.raises(UsageError, match="acquired already"):
            await lease.acquire()
        lease.check()


@virtual
async def test_two_renewals_at_once_are_made_one_after_the_other() -> None:
    """One by hand beside the one in the background finds no conflict, nor does a release."""
    world = World()
    async with world.process() as (process, mine):
        lease = Lease(mine, "x")
        await lease.acquire()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(lease.renew())
        assert world.record("x").revision == 4
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.renew())
            group.create_task(lease.release())
        assert world.record("x").owner is None
        assert process.requests.count("GetItem") == 1


def test_it_may_be_made_outside_of_a_loop() -> None:
    """At the top of a program, where nothing runs yet."""
    books = Bookkeeping(Database(region="eu-west-1"), table="other")
    assert repr(books) == "<Bookkeeping in other>"
    assert repr(Lease(books, "x")) == "Lease('x', not held)"
    assert isinstance(hold(books.db, "x"), Hold)
    with pytest.raises(ModelError):
        Bookkeeping(books.db, table="no such name")
