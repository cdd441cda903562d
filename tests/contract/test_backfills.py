"""Backfills: every item is changed, other writers win, and what fails is told."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import attrs
import pytest

from dynamorm_async import BackfillFailed, BackfillMismatch, Database, Key, LeaseLost, UsageError
from dynamorm_async.backfills import Backfill, Progress
from dynamorm_async.leases import Bookkeeping, hold
from tests.contract.backfill_models import (
    Account,
    Customer,
    FormerCustomer,
    Locker,
    Person,
    everybody,
    full_name,
    people,
)

pytestmark = pytest.mark.anyio

# The two engines that count, each through one lane; what stands without this is tried on all.
TRUSTED = pytest.mark.parametrize(
    "target", [("dynoxide", "direct"), ("dynamodb-local", "sdk")], ids="-".join, indirect=True
)


async def test_every_item_is_changed_and_counted(db: Database) -> None:
    """All items are changed once; the result, the progress and the status agree; another run finds it done."""
    await people(db, 30)
    told: list[Progress] = []
    job = Backfill(
        db, Person, full_name, name="names", where=Person.name.not_exists(), segments=3, workers=2, page_size=7
    )
    result = await job.run(on_progress=told.append)
    assert (result.scanned, result.changed, result.skipped, result.failed) == (30, 30, 0, 0)
    assert result.capacity > 0
    assert all(person.name == f"{person.first} Lovelace" for person in (await everybody(db)).values())
    status = await job.status()
    assert (status.finished, status.done_segments, status.changed, status.fraction) == (True, 3, 30, 1.0)
    assert [progress.scanned for progress in told] == sorted(progress.scanned for progress in told)
    assert told[-1].scanned == 30
    again = await job.run()
    assert (again.changed, {person.changes for person in (await everybody(db)).values()}) == (30, {1})


async def test_a_write_of_another_is_not_undone(db: Database) -> None:
    """An item that somebody changes, or deletes, after it was read is read and changed again, or left alone."""
    await people(db, 3)
    calls: list[str] = []

    async def change(person: Person) -> Person:
        calls.append(person.person_id)
        if person.person_id == "p0" and calls.count("p0") == 1:
            await db.update(Key(Person, "p0"), Person.by_others.add(1), Person.first.set("Grace"))
        if person.person_id == "p1":
            await db.delete(Key(Person, "p1"))
        return full_name(person)

    result = await Backfill(db, Person, change, name="names", segments=1).run()
    found = await everybody(db)
    assert (found["p0"].name, found["p0"].by_others, found["p0"].changes) == ("Grace Lovelace", 1, 1)
    assert set(found) == {"p0", "p2"}
    assert (result.changed, result.skipped, result.conflicts) == (2, 1, 1)


@TRUSTED
async def test_under_a_version(db: Database) -> None:
    """Of a model with a version, soft-deleted items are changed as well, and a conflict is noticed by it."""
    await db.tables.ensure(Account)
    for number in range(3):
        await db.create(Account(org="acme", number=number, cents=150, notes="long " * 50))
    await db.delete(Key(Account, "acme", 2))
    calls: list[int] = []

    async def change(account: Account) -> Account:
        calls.append(account.number)
        if calls == [1] or calls.count(1) == 1 == account.number:
            await db.update(Key(Account, "acme", 1), Account.cents.set(300))
        return attrs.evolve(account, euros=account.cents / 100)  # type: ignore[misc]  # mypy knows attrs by its decorators

    job = Backfill(db, Account, change, name="euros", where=Account.euros.not_exists(), segments=1, concurrency=1)
    result = await job.run()
    found = {account.number: account async for account in db.scan(Account).with_hidden()}
    assert {number: account.euros for number, account in found.items()} == {0: 1.5, 1: 3.0, 2: 1.5}
    assert found[2].deleted is not None
    assert (result.changed, result.conflicts) == (3, 1)


@TRUSTED
async def test_where_is_a_condition_of_the_write(db: Database) -> None:
    """An item of which ``where`` does not hold any more, by another writer's doing, is left alone."""
    await people(db, 1)

    async def change(person: Person) -> Person:
        await db.update(Key(Person, person.person_id), Person.name.set("Theirs"))
        return full_name(person)

    job = Backfill(db, Person, change, name="names", where=Person.name.not_exists(), segments=1)
    result = await job.run()
    assert (await everybody(db))["p0"].name == "Theirs"
    assert (result.changed, result.skipped) == (0, 1)


@TRUSTED
async def test_a_marker_makes_it_once(db: Database) -> None:
    """Items that have the marker are not changed again, also by a backfill that begins anew; they count as changed."""
    await people(db, 10)
    job = Backfill(db, Person, full_name, name="names", marker=Person.done_by, segments=2)
    assert (await job.run()).changed == 10
    await job.reset()
    assert (await job.status()).segments == 0
    assert (await job.run()).changed == 10
    assert {(person.done_by, person.changes) for person in (await everybody(db)).values()} == {("names", 1)}
    other = Backfill(db, Person, full_name, name="others", marker="done_by", segments=2)
    assert (await other.run()).changed == 10
    assert {(person.done_by, person.changes) for person in (await everybody(db)).values()} == {("others", 2)}


@TRUSTED
async def test_old_schemas_are_migrated(db: Database) -> None:
    """Without a change, items of older schema versions are brought to the present one."""
    await db.tables.ensure(Customer)
    for number in range(5):
        await db.create(FormerCustomer(customer_id=f"c{number}", name="Ada Lovelace"))
    await db.create(Customer(customer_id="new", first="Grace", last="Hopper"))
    result = await Backfill(db, Customer, name="schema-2", segments=2).run()
    assert result.changed == 5
    with db.measure() as meter:
        found = [customer async for customer in db.scan(Customer)]
    assert meter.statistics.upcast == {}
    assert sorted({(customer.first, customer.last) for customer in found}) == [("Ada", "Lovelace"), ("Grace", "Hopper")]


@TRUSTED
async def test_items_that_fail_are_told_and_tried_again(db: Database) -> None:
    """What the change refuses, and what does not fit the model, is named with its key; a later run tries just these."""
    await people(db, 10)
    broken = True
    calls: list[str] = []

    def change(person: Person) -> Person:
        calls.append(person.person_id)
        if broken and person.person_id in ("p3", "p4"):
            raise ValueError(f"no name for {person.person_id}")
        return full_name(person)

    job = Backfill(db, Person, change, name="names", segments=2)
    with pytest.raises(BackfillFailed, match=r"2 items were left as they were(.|\n)*no name for p3") as raised:
        await job.run()
    assert sorted((str(failure.key["person_id"]), failure.kind) for failure in raised.value.failures) == [
        ("p3", "ValueError"),
        ("p4", "ValueError"),
    ]
    assert (raised.value.result.changed, (await job.status()).failed) == (8, 2)
    broken = False
    calls.clear()
    result = await job.run()
    assert (result.changed, result.failed, sorted(calls)) == (10, 0, ["p3", "p4"])
    assert {person.changes for person in (await everybody(db)).values()} == {1}


@TRUSTED
async def test_too_many_failures_end_it(db: Database) -> None:
    """More failures than allowed end the run at once; nothing behind them was done, and a checkpoint skips nothing."""
    await people(db, 20)

    def change(person: Person) -> Person:
        raise ValueError(f"never {person.person_id}")

    job = Backfill(db, Person, change, name="names", segments=1, page_size=5, max_failures=3, concurrency=1)
    with pytest.raises(BackfillFailed, match="more than max_failures=3") as raised:
        await job.run()
    assert len(raised.value.failures) == 4
    assert raised.value.result is None
    status = await job.status()
    assert (status.scanned, status.finished) == (0, False)
    mended = Backfill(db, Person, full_name, name="names", segments=1, page_size=5)
    assert (await mended.run()).changed == 20


@TRUSTED
async def test_another_job_of_the_name_is_refused(db: Database) -> None:
    """A backfill of the same name with other settings says which differ, and changes nothing."""
    await people(db, 2)
    await Backfill(db, Person, full_name, name="names", segments=1).run()
    other = Backfill(db, Person, full_name, name="names", segments=2, where=Person.changes == 1)
    with pytest.raises(BackfillMismatch, match="segments was 1, and is 2 now") as raised:
        await other.run()
    assert len(raised.value.differences) == 2
    assert {person.changes for person in (await everybody(db)).values()} == {1}


@TRUSTED
async def test_a_cancelled_run_is_gone_on_with(db: Database) -> None:
    """A run that is cancelled leaves no lease behind: the next one goes on at once, at the checkpoint."""
    await people(db, 40)
    calls: list[str] = []

    async def slow(person: Person) -> Person:
        calls.append(person.person_id)
        if len(calls) == 25:
            scope.cancel()
        await anyio.lowlevel.checkpoint()
        return full_name(person)

    def job() -> Backfill[Person]:
        return Backfill(
            db, Person, slow, name="names", marker="done_by", segments=2, page_size=5, duration=600, concurrency=1
        )

    with anyio.CancelScope() as scope:
        await job().run()
    assert scope.cancelled_caught
    assert 0 < (await job().status()).changed < 40
    with anyio.fail_after(60):
        assert (await job().run()).changed == 40
    assert {person.changes for person in (await everybody(db)).values()} == {1}
    assert len(calls) < 60


@TRUSTED
async def test_a_change_has_to_return_the_item(db: Database) -> None:
    """A change that changes an item in place and returns nothing is told, rather than nothing being written."""
    await people(db, 1)

    def forgets(person: Person) -> None:
        person.changes += 1

    with pytest.raises(UsageError, match="changed a Person in place and returned None"):
        await Backfill(db, Person, forgets, name="names", segments=1).run()

    def other(person: Person) -> Customer:
        return Customer(customer_id="c", first="a", last=person.first)

    with pytest.raises(UsageError, match="it returned a Customer"):
        await Backfill(db, Person, other, name="names", segments=1).run()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as callers without a checker do

    async def read_itself(person: Person) -> Person:
        found = await db.get(Person, person.person_id)
        assert found is not None
        return found

    with pytest.raises(UsageError, match="a Person that it read itself"):
        await Backfill(db, Person, read_itself, name="names", segments=1).run()
    result = await Backfill(db, Person, lambda _: None, name="names", segments=1).run()
    assert (result.changed, result.skipped) == (0, 1)


@TRUSTED
async def test_secret_keys_are_not_shown(db: Database) -> None:
    """The error of an item whose key is secret does not show it."""
    await db.tables.ensure(Locker)
    await db.create(Locker(code="open sesame"))

    def change(locker: Locker) -> Locker:
        raise ValueError(f"a locker of {len(locker.code)} characters")

    with pytest.raises(BackfillFailed, match="a locker of 11 characters") as raised:
        await Backfill(db, Locker, change, name="lockers", segments=1).run()
    assert "sesame" not in str(raised.value)
    assert "sesame" not in repr(raised.value.failures)


@TRUSTED
async def test_a_reset_ends_those_that_are_at_it(db: Database) -> None:
    """A process that works on a backfill which is reset stops, and its checkpoints are not taken for those of the next."""
    await people(db, 20)

    async def change(person: Person) -> Person:
        if (await job.status()).scanned == 5:
            await job.reset()
        return full_name(person)

    job = Backfill(db, Person, change, name="names", marker="done_by", segments=1, page_size=5, concurrency=1)
    with pytest.raises(BackfillFailed, match="was reset while it ran"):
        await job.run()
    status = await job.status()
    assert (status.segments, status.scanned) == (0, 0)
    assert (await Backfill(db, Person, full_name, name="names", marker="done_by", segments=1).run()).changed == 20
    assert {person.changes for person in (await everybody(db)).values()} == {1}


@TRUSTED
async def test_a_lease_of_the_callers_that_is_lost_ends_the_run(db: Database) -> None:
    """Only the lease of a segment is the backfill's own; another one that ``on_progress`` checks is not passed over."""
    await people(db, 9)
    job = Backfill(db, Person, full_name, name="names", segments=1, page_size=3)

    def check(_progress: Progress) -> None:
        raise LeaseLost("the lease of the release is lost", name="release", token=1)

    with pytest.raises(LeaseLost, match="of the release"):
        await job.run(on_progress=check)
    assert (await job.status()).scanned == 3


@TRUSTED
async def test_a_reset_while_a_segment_is_waited_for(db: Database) -> None:
    """Who has waited for a segment looks again before it begins: nothing is changed for a backfill that is gone."""
    await people(db, 3)
    job = Backfill(db, Person, full_name, name="names", segments=1, workers=1, duration=2)
    other = Backfill(db, Person, full_name, name="names", segments=1, workers=1, duration=2)
    await Bookkeeping(db).ensure()
    failures: list[BackfillFailed] = []

    async def run() -> None:
        with pytest.raises(BackfillFailed, match="was reset") as raised:
            await job.run()
        failures.append(raised.value)

    async with anyio.create_task_group() as tasks, hold(db, "backfill/names/0", duration=2):
        tasks.start_soon(run)
        await anyio.sleep(0.7)  # it has found the segment taken, and waits for it
        await other.reset()
    assert failures
    assert {person.changes for person in (await everybody(db)).values()} == {0}
