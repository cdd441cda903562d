"""Migrations are applied once and in order, on every engine and lane."""

from __future__ import annotations

import textwrap
from pathlib import Path

import anyio
import pytest

from dynamorm_async import (
    Attr,
    Database,
    Key,
    LeaseHeld,
    LeaseLost,
    MigrationFailed,
    MigrationRefused,
    TableNotFound,
    UsageError,
    index,
    model,
    partition_key,
)
from dynamorm_async.leases import Bookkeeping, Lease, Timing, hold
from dynamorm_async.migrations import Migrations, Progress
from tests.contract.backfill_models import PersonCopy, everybody, people
from tests.contract.migrating import PEOPLE, Counter, Skipping, check_once, write_files
from tests.engines import ENGINES

pytestmark = pytest.mark.anyio

# What is the library's own, not the engine's, on one lane of each.
DIRECT = pytest.mark.parametrize("target", [(engine, "direct") for engine in ENGINES], ids="-".join, indirect=True)

COUNT = '''
    """Count."""

    from dynamorm_async import Key
    from tests.contract.migrating import Counter


    def adding(number):
        return lambda tx: tx.update(Key(Counter, "{name}"), Counter.total.add(number), upsert=True)


    async def upgrade(context):
        await context.transact("add", adding(1))


    async def downgrade(context):
        await context.transact("subtract", adding(-1))
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(text))


def write_counts(folder: Path, *names: str) -> None:
    for number, name in enumerate(names, 1):
        write(folder, f"{number:04}_{name}", COUNT.replace("{name}", name))


async def counts(db: Database) -> dict[str, int]:
    return {counter.name: counter.total async for counter in db.scan(Counter).consistent()}


async def states(migrations: Migrations) -> list[str]:
    return [str(status) for status in await migrations.status()]


async def test_up_down_and_status(db: Database, folder: Path) -> None:
    """What is pending is applied in order and told; applied again nothing happens; the last ones are reverted first."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one", "two", "three")
    migrations = Migrations(db, folder)
    assert await states(migrations) == ["0001_one: pending", "0002_two: pending", "0003_three: pending"]
    assert [status.number for status in await migrations.up(dry_run=True)] == [1, 2, 3]
    with pytest.raises(TableNotFound):  # nothing was written so far, not even a table
        await db.tables.describe(Bookkeeping(db).table)
    told: list[str] = []
    done = await migrations.up(2, on_progress=lambda progress: told.append(str(progress)))
    assert [(status.name, status.state, status.steps) for status in done] == [
        ("0001_one", "applied", ("add",)),
        ("0002_two", "applied", ("add",)),
    ]
    assert told == [
        "[1/2] 0001_one: began",
        "[1/2] 0001_one, step 'add': done",
        "[1/2] 0001_one: applied",
        "[2/2] 0002_two: began",
        "[2/2] 0002_two, step 'add': done",
        "[2/2] 0002_two: applied",
    ]
    assert [status.number for status in await migrations.up()] == [3]
    assert await migrations.up() == []
    assert await counts(db) == {"one": 1, "two": 1, "three": 1}
    applied = await migrations.status()
    assert all(one.started and one.finished and one.started <= one.finished and one.by for one in applied)
    assert [status.name for status in await migrations.down(dry_run=True)] == ["0003_three"]
    assert [status.state for status in await migrations.down(to="0001_one")] == ["pending", "pending"]
    assert await states(migrations) == ["0001_one: applied", "0002_two: pending", "0003_three: pending"]
    await migrations.up()  # what was reverted is done again
    assert await counts(db) == {"one": 1, "two": 1, "three": 1}


async def test_stamp(db: Database, folder: Path) -> None:
    """The ledger is written without running anything, in both directions."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one", "two", "three")
    migrations = Migrations(db, folder)
    assert [str(status) for status in await migrations.stamp("0002_two")] == [
        "0001_one: applied (stamped)",
        "0002_two: applied (stamped)",
        "0003_three: pending",
    ]
    await migrations.up()
    assert await counts(db) == {"three": 1}
    await migrations.stamp(0)
    assert await states(migrations) == ["0001_one: pending", "0002_two: pending", "0003_three: pending"]
    assert await counts(db) == {"three": 1}
    with pytest.raises(UsageError, match="there is no such migration"):
        await migrations.stamp(4)


@DIRECT
async def test_one_that_raises_goes_on_where_it_was(db: Database, folder: Path) -> None:
    """The error is told and kept; those before stay applied; once the file is mended, finished steps are passed over."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one")
    broken = """
        from dynamorm_async import Key
        from tests.contract.migrating import Counter

        async def fail():
            raise ValueError("no such thing")

        async def fine():
            pass

        async def upgrade(context):
            await context.transact(
                "add", lambda tx: tx.update(Key(Counter, "two"), Counter.total.add(1), upsert=True)
            )
            await context.step("broken", fail)
    """
    write(folder, "0002_two", broken)
    migrations = Migrations(db, folder)
    with pytest.raises(MigrationFailed, match="0002_two failed in step 'broken': ValueError: no such thing") as caught:
        await migrations.up()
    error = caught.value
    assert (error.number, error.name, error.direction, error.step, error.steps) == (
        2,
        "0002_two",
        "up",
        "broken",
        ("add",),
    )
    assert isinstance(error.__cause__, ValueError)
    assert await states(migrations) == [
        "0001_one: applied",
        "0002_two: failed (1 step done): ValueError: no such thing",
    ]
    write(folder, "0002_two", broken.replace('"broken", fail', '"broken", fine'))
    told: list[Progress] = []
    await migrations.up(on_progress=told.append)
    assert [(progress.event, progress.step) for progress in told] == [
        ("resumed", None),
        ("skipped", "add"),
        ("step", "broken"),
        ("applied", None),
    ]
    assert await counts(db) == {"one": 1, "two": 1}
    assert await states(migrations) == ["0001_one: applied", "0002_two: applied"]


@DIRECT
async def test_a_half_reverted_one_is_reverted_first(db: Database, folder: Path) -> None:
    """A downgrade that raised leaves a migration that only ``down`` goes on with, at the step where it was."""
    await db.tables.ensure(Counter)
    text = COUNT.replace("{name}", "one")
    write(folder, "0001_one", text + "        raise ValueError('not yet')\n")
    migrations = Migrations(db, folder)
    await migrations.up()
    with pytest.raises(MigrationFailed, match="reverting migration 0001_one failed: ValueError: not yet"):
        await migrations.down()
    assert await states(migrations) == ["0001_one: failed (down, 1 step done): ValueError: not yet"]
    with pytest.raises(MigrationRefused, match="begun to be reverted"):
        await migrations.up()
    write(folder, "0001_one", text)
    assert [str(status) for status in await migrations.down(accept_changed=True)] == ["0001_one: pending"]
    assert await counts(db) == {"one": 0}


@DIRECT
async def test_a_changed_file_is_refused_until_accepted(db: Database, folder: Path) -> None:
    """An applied file that was changed stops everything; accepted, it is written down as it is now."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one")
    migrations = Migrations(db, folder)
    await migrations.up()
    write_counts(folder, "one", "two")
    write(folder, "0001_one", COUNT.replace("{name}", "another"))
    assert await states(migrations) == ["0001_one: applied (changed since)", "0002_two: pending"]
    with pytest.raises(MigrationRefused, match="0001_one was changed since it was applied"):
        await migrations.up()
    await migrations.up(accept_changed=True)
    assert await states(migrations) == ["0001_one: applied", "0002_two: applied"]
    (folder / "0002_two.py").unlink()
    assert await states(migrations) == ["0001_one: applied", "0002_two: applied (its file is missing)"]
    assert await migrations.up() == []


async def test_two_at_once(db: Database, folder: Path) -> None:
    """One of them migrates; the other waits and finds nothing to do."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one", "two")
    # Who waits looks again soon; the lease stays as long.
    bookkeeping = Bookkeeping(db, timing=Timing(sleep=lambda pause: anyio.sleep(min(pause, 0.02))))
    done: list[int] = []

    async def migrate() -> None:
        done.append(len(await Migrations(db, folder, bookkeeping=bookkeeping).up()))

    async with anyio.create_task_group() as group:
        group.start_soon(migrate)
        group.start_soon(migrate)
    assert sorted(done) == [0, 2]
    assert await counts(db) == {"one": 1, "two": 1}


@DIRECT
async def test_two_reverts_at_once_revert_one(db: Database, folder: Path) -> None:
    """What somebody else has reverted meanwhile leaves its turn to none before it; what was agreed to bounds a revert."""
    await db.tables.ensure(Counter)
    write_counts(folder, "one", "two", "three")
    bookkeeping = Bookkeeping(db, timing=Timing(sleep=lambda pause: anyio.sleep(min(pause, 0.02))))
    await Migrations(db, folder, bookkeeping=bookkeeping).up()
    done: list[list[int]] = []

    async def revert() -> None:
        reverted = await Migrations(db, folder, bookkeeping=bookkeeping).down()
        done.append([one.number for one in reverted])

    async with anyio.create_task_group() as group:
        group.start_soon(revert)
        group.start_soon(revert)
    assert sorted(done) == [[], [3]]
    assert await Migrations(db, folder, bookkeeping=bookkeeping).down(names=["0003_three"]) == []


@DIRECT
async def test_who_does_not_want_to_wait_is_refused(db: Database, folder: Path) -> None:
    """While another process has the lease, ``up`` and ``stamp`` end with who it is; a dry run and a look are free."""
    write_counts(folder, "one")
    migrations = Migrations(db, folder, wait=0)
    await Bookkeeping(db).ensure()
    async with hold(db, "migrations/main", owner="somebody"):
        for call in (migrations.up(), migrations.stamp(1)):
            with pytest.raises(LeaseHeld, match="is held by somebody"):
                await call
        assert len(await migrations.up(dry_run=True)) == len(await migrations.status()) == 1
    other = Migrations(db, folder, wait=0, ledger="other")
    async with hold(db, "migrations/main"):  # another set of migrations goes on
        assert len(await other.stamp(1)) == 1


@DIRECT
async def test_who_lost_the_lease_writes_nothing(db: Database, folder: Path) -> None:
    """A process whose lease was taken ends with ``LeaseLost``, and neither its steps nor its end stand in the ledger."""
    await db.tables.ensure(Counter)
    skipping = Skipping()
    taken = """
        from dynamorm_async import Key
        from tests.contract.migrating import Counter

        async def upgrade(context):
            await taken()
            await context.transact(
                "add", lambda tx: tx.update(Key(Counter, "one"), Counter.total.add(1), upsert=True)
            )
    """
    write(
        folder,
        "0001_one",
        taken + "\n        from tests.contract.test_migrations import TAKEN\n\n        taken = TAKEN[0]\n",
    )
    other = Lease(Bookkeeping(db, timing=skipping.timing), "migrations/main", owner="other")
    migrations = Migrations(db, folder)
    TAKEN[:] = [lambda: other.acquire(wait=1000)]
    with pytest.raises(LeaseLost, match="somebody else has it, so nothing was written"):
        await migrations.up()
    assert await counts(db) == {}
    assert [(status.state, status.steps) for status in await migrations.status()] == [("interrupted", ())]
    await other.release()
    write_counts(folder, "one")
    assert [status.state for status in await migrations.up()] == ["applied"]
    assert await counts(db) == {"one": 1}


TAKEN: list[object] = []


async def test_tables_backfills_and_steps_together(db: Database, folder: Path) -> None:
    """A table is made, steps are done and every item is changed, and all of it is told."""
    await people(db, PEOPLE)
    write_files(folder)
    migrations = Migrations(db, folder)
    told: list[Progress] = []

    async def tell(progress: Progress) -> None:
        told.append(progress)

    assert len(await migrations.up(on_progress=tell)) == 2
    await check_once(db)
    details = {type(progress.detail).__module__.split(".")[1] for progress in told if progress.event == "working"}
    assert details == {"schema", "backfills"}
    with pytest.raises(MigrationRefused, match="0002_full_names cannot be reverted"):
        await migrations.down(to=0)


@DIRECT
async def test_a_backfill_begins_anew_after_a_downgrade(db: Database, folder: Path) -> None:
    """What was reverted and is applied again changes every item again, as does each direction; a copy has its own name."""
    await people(db, 3)
    write(
        folder,
        "0001_names",
        """
        from dynamorm_async import Table
        from tests.contract.backfill_models import Person, PersonCopy, full_name


        def nameless(person):
            person.name, person.changes = None, person.changes + 1
            return person


        async def upgrade(context):
            await context.backfill(Person, full_name, segments=1)
            await context.apply(PersonCopy)
            copied = await context.copy(Person, PersonCopy, segments=1)
            assert copied.target_items == 3


        async def downgrade(context):
            await context.backfill(Person, nameless, segments=1)
            await context.db.tables.delete(PersonCopy)
        """,
    )
    migrations = Migrations(db, folder)
    named: list[int] = []
    for call in (migrations.up, migrations.down, migrations.up):
        assert len(await call()) == 1
        named.append(sum(person.name is not None for person in (await everybody(db)).values()))
    assert named == [3, 0, 3]
    assert {person.changes for person in (await everybody(db)).values()} == {3}
    assert {copied.changes async for copied in db.scan(PersonCopy).consistent()} == {3}


@DIRECT
async def test_a_lease_of_the_migrations_own(db: Database, folder: Path) -> None:
    """A migration that loses another lease than the ledger's has failed, which can be written down."""
    write(
        folder,
        "0001_leased",
        """
        from dynamorm_async import LeaseLost

        async def upgrade(context):
            raise LeaseLost("gone", name="another", token=1)
        """,
    )
    migrations = Migrations(db, folder)
    with pytest.raises(MigrationFailed, match="LeaseLost: gone"):
        await migrations.up()
    assert [status.state for status in await migrations.status()] == ["failed"]


@DIRECT
async def test_a_failure_that_cannot_be_written_down(db: Database, folder: Path) -> None:
    """The error of the migration is raised all the same, and says that the ledger does not know of it."""
    write(
        folder,
        "0001_vandal",
        """
        from dynamorm_async import Table

        async def upgrade(context):
            await context.db.tables.delete(Table("dynamorm", partition_key="pk", sort_key="sk"))
            raise ValueError("no")
        """,
    )
    with pytest.raises(MigrationFailed, match="ValueError: no") as caught:
        await Migrations(db, folder).up()
    assert caught.value.__notes__[0].startswith("The ledger does not say so, for it could not be written: ")


async def test_new_writes_what_differs(db: Database, folder: Path) -> None:
    """The file that is written makes the difference go away, is refused while others are pending, and can be done again."""

    @model(table="profiles")
    class Former:
        profile_id: Attr[str] = partition_key()

    @model(table="profiles")
    class Profile:
        profile_id: Attr[str] = partition_key()
        email: Attr[str]
        by_email = index(partition="email")

    place = folder / "migrations"
    first = Migrations(db, place, models=[Former])
    assert (await first.new("First tables")).name == "0001_first_tables.py"
    with pytest.raises(MigrationRefused, match=r"0001_first_tables pending: call up\(\) before new\(\)"):
        await first.new("again")
    await first.up()
    second = Migrations(db, place, models=[Profile])
    path = await second.new("Add an index of emails")
    assert path.name == "0002_add_an_index_of_emails.py"
    assert 'indexes=[GSI("by_email", "email")]' in path.read_text()
    assert [status.state for status in await second.up()] == ["applied"]
    assert [one.index.name for one in (await db.tables.describe(Profile)).indexes] == ["by_email"]
    await second.stamp(0)
    assert len(await second.up()) == 2  # both find what is there
    empty = await second.new("fill emails")
    assert "await context.apply" not in empty.read_text()


@DIRECT
async def test_the_ledger_is_a_table_of_ones_own(db: Database, folder: Path) -> None:
    """Steps with one name, backfills with one name, and a bookkeeping table of another name."""
    await db.tables.ensure(Counter)
    write(
        folder,
        "0001_twice",
        """
        async def nothing():
            pass

        async def upgrade(context):
            await context.step("same", nothing)
            await context.step("same", nothing)
        """,
    )
    bookkeeping = Bookkeeping(db, table="books")
    migrations = Migrations(db, folder, bookkeeping=bookkeeping)
    with pytest.raises(MigrationFailed, match="has two steps named 'same'"):
        await migrations.up()
    assert [(status.state, status.steps) for status in await migrations.status()] == [("failed", ("same",))]
    found = await db.get(Key(bookkeeping.record, "lease#migrations/main", "lease"))
    assert found is not None
    assert found.owner is None  # released, also by one that raised


@DIRECT
async def test_a_revert_that_failed_and_was_stamped_over_begins_anew(db: Database, folder: Path) -> None:
    """What it had done counts no more, the checkpoints of its backfills included."""
    await people(db, 3)
    write(
        folder,
        "0001_names",
        """
        from tests.contract.backfill_models import Person, full_name


        async def upgrade(context):
            pass


        async def downgrade(context):
            await context.backfill(Person, full_name, segments=1)
            raise ValueError("boom")
        """,
    )
    migrations = Migrations(db, folder)
    await migrations.up()
    for _ in range(2):  # resumed, the backfill is done
        with pytest.raises(MigrationFailed):
            await migrations.down()
    assert {person.changes for person in (await everybody(db)).values()} == {1}
    await migrations.stamp(1)
    with pytest.raises(MigrationFailed):
        await migrations.down()
    assert {person.changes for person in (await everybody(db)).values()} == {2}
