"""Migrations for the contract tests, and processes that are killed while they run them."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from pathlib import Path

import anyio
import anyio.lowlevel

from dynamorm_async import Attr, Database, attr, model, partition_key
from dynamorm_async.leases import Bookkeeping, Timing
from dynamorm_async.leases.timing import seconds
from dynamorm_async.migrations import Migrations, Progress
from tests.contract.backfill_models import Person, everybody, full_name

PEOPLE = 12
STEPS = ("greeting", "bonus", "note")


@model(table="counters")
class Counter:
    """Tells what was done twice."""

    name: Attr[str] = partition_key()
    total: Attr[int] = attr(default=0)


FIRST = '''
    """Make the counters."""

    from dynamorm_async import Key, Table
    from tests.contract.migrating import Counter

    counters = Table("counters", partition_key="name")


    async def upgrade(context):
        await context.apply(counters)
        await context.step("greeting", context.db.put, Counter(name="greeting", total=1))
        await context.transact("bonus", lambda tx: tx.update(Key(Counter, "bonus"), Counter.total.add(10), upsert=True))


    async def downgrade(context):
        await context.transact("no bonus", lambda tx: tx.update(Key(Counter, "bonus"), Counter.total.add(-10)))
'''
SECOND = '''
    """Give everybody a full name."""

    from dynamorm_async import Key
    from tests.contract.backfill_models import Person, full_name
    from tests.contract.migrating import Counter


    async def upgrade(context):
        done = await context.backfill(
            Person, full_name, marker=Person.done_by, segments=2, workers=1, page_size=4, duration=10
        )
        # In the counter as it is, so that a second time would be seen.
        await context.transact("note", lambda tx: tx.update(
            Key(Counter, "bonus"), Counter.total.add(done.changed), where=Counter.total == 10
        ))
'''


def write_files(folder: Path) -> None:
    """A folder with the two migrations."""
    for name, text in (("0001_counters", FIRST), ("0002_full_names", SECOND)):
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


async def check_once(db: Database) -> None:
    """Everything that the two migrations do was done, and once."""
    found = {counter.name: counter.total async for counter in db.scan(Counter).consistent()}
    assert found == {"greeting": 1, "bonus": 10 + PEOPLE}
    persons = await everybody(db)
    assert len(persons) == PEOPLE
    assert all(person.name == full_name(Person(person_id="", first=person.first)).name for person in persons.values())
    assert {person.changes for person in persons.values()} == {1}


class Skipping:
    """A clock that does not wait for the leases of others: short pauses pass at once, and its seconds jump over them.

    A renewal in the background waits for longer than that, and so really waits.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self.timing = Timing(seconds=lambda: seconds() + self._ahead, sleep=self._sleep, random=lambda: 0.5)

    async def _sleep(self, pause: float) -> None:
        if pause > 2:
            await anyio.sleep(pause)
        self._ahead += pause
        await anyio.lowlevel.checkpoint()


def migrations(db: Database, folder: Path, *, timing: Timing | None = None) -> Migrations:
    """The folder's, under a lease that a slow machine does not lose, nor another process for long where time is skipped."""
    bookkeeping = Bookkeeping(db) if timing is None else Bookkeeping(db, timing=timing)
    return Migrations(db, folder, bookkeeping=bookkeeping, duration=100, wait=1000)


async def main(endpoint: str, counters: str, folder: str, kill_at: int) -> None:
    """Migrate, and die by SIGKILL at an event. The full name of the table of counters tells the prefix of all."""
    seen, prefix = 0, counters.removesuffix("counters")

    def told(progress: Progress) -> None:
        nonlocal seen
        seen += 1
        sys.stdout.write(f"{progress}\n")
        sys.stdout.flush()
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async with Database(endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), table_prefix=prefix) as db:
        await migrations(db, Path(folder)).up(on_progress=told)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
