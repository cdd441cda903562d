"""Runs migrations, one after the other, under the ledger's lease."""

from __future__ import annotations

from typing import NoReturn, final

from dynamorm_async import Database, DynamormError, LeaseLost, MigrationFailed
from dynamorm_async.migrations.context import Context
from dynamorm_async.migrations.files import MigrationFile
from dynamorm_async.migrations.history import Entry
from dynamorm_async.migrations.ledger import LedgerWriter
from dynamorm_async.migrations.loading import Change, Script
from dynamorm_async.migrations.record import LONGEST_ERROR, Direction, LedgerRecord
from dynamorm_async.migrations.status import OnProgress
from dynamorm_async.migrations.stepping import Steps


@final
class Runner:
    """Applies and reverts migrations.

    Args:
        db: the database that they work on.
        writer: writes the ledger.
        on_progress: is told of every event.
        total: how many are to be run.
    """

    def __init__(self, db: Database, writer: LedgerWriter, *, on_progress: OnProgress | None, total: int) -> None:
        self._db = db
        self._writer = writer
        self._on_progress = on_progress
        self._total = total
        self._position = 0

    async def apply(self, entry: Entry, script: Script) -> Entry:
        """Apply one, or go on with it where it was begun.

        Raises:
            MigrationFailed: it raised; that is in the ledger.
            LeaseLost: another process has the ledger's lease by now.
            CallError: the ledger could not be written.
        """
        steps = await self._begin(entry, script.file, "up")
        await self._run(script.upgrade, steps)
        record = steps.record
        record.state, record.finished = "applied", steps.now()
        await self._writer.put(record)
        await steps.report("applied")
        return Entry(number=entry.number, file=script.file, record=record)

    async def revert(self, entry: Entry, script: Script) -> Entry:
        """Revert one, or go on with that; one that was not finished is reverted as well.

        Raises:
            MigrationFailed: it raised; that is in the ledger.
            LeaseLost: another process has the ledger's lease by now.
            CallError: the ledger could not be written.
        """
        steps = await self._begin(entry, script.file, "down")
        assert script.downgrade is not None, "what has none was refused"  # noqa: S101 - the history's promise
        await self._run(script.downgrade, steps)
        await self._writer.delete(steps.record)
        await steps.report("reverted")
        return Entry(number=entry.number, file=script.file)

    async def _begin(self, entry: Entry, file: MigrationFile, direction: Direction) -> Steps:
        self._position += 1
        writer, record = self._writer, entry.record
        now, resumed = writer.lease.timing.wall(), record is not None and not record.is_applied
        if record is None:
            record = writer.ledger.record(file, token=writer.lease.token, at=now, direction=direction)
        if record.direction != direction:  # it begins anew, in the other direction
            record.direction, record.steps, record.started, resumed = direction, [], now, False
            record.run = writer.lease.token  # what was done of it before, and stamped over, is done again
        record.state, record.finished, record.error, record.stamped = "running", None, None, False
        record.name, record.checksum = file.name, file.checksum
        await writer.put(record)
        steps = Steps(writer, record, on_progress=self._on_progress, position=self._position, total=self._total)
        await steps.report("resumed" if resumed else "began")
        return steps

    async def _run(self, change: Change, steps: Steps) -> None:
        try:
            await change(Context(self._db, steps, ledger=self._writer.ledger.name))
        except LeaseLost as error:
            if error.name != self._writer.lease.name:  # one of the migration's own
                await self._fail(steps, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it raises is told, and is the cause of what is raised here
            await self._fail(steps, error)

    async def _fail(self, steps: Steps, error: Exception) -> NoReturn:
        """Write down that a migration raised, and say so.

        Raises:
            MigrationFailed: always.
        """
        record, step = steps.record, steps.step_of(error)
        done = [one.name for one in record.steps]
        failed = MigrationFailed(
            _sentence(record, error, step, done),
            number=record.number,
            name=record.name,
            direction=record.direction,
            step=step,
            steps=done,
        )
        try:
            await self._note(record, f"{type(error).__name__}: {error}"[:LONGEST_ERROR])
        except DynamormError as trouble:
            failed.add_note(f"The ledger does not say so, for it could not be written: {trouble}")
        await steps.report("failed", step=step, detail=error)
        raise failed from error

    async def _note(self, record: LedgerRecord, error: str) -> None:
        # As it is now: of a write whose answer was lost, nobody here knows.
        found = await self._writer.ledger.find(record.number) or record
        found.state, found.finished, found.error = "failed", self._writer.lease.timing.wall(), error
        await self._writer.put(found)


def _sentence(record: LedgerRecord, error: Exception, step: str | None, done: list[str]) -> str:
    where = "" if step is None else f" in step {step!r}"
    what = "reverting migration" if record.direction == "down" else "migration"
    passed = f"; done, and passed over then, is {', '.join(map(repr, done))}" if done else ""
    return (
        f"{what} {record.name} failed{where}: {type(error).__name__}: {error}. What it has done stays done: mend the cause and "
        f"call {record.direction}() again, which goes on with it{passed}"
    )
