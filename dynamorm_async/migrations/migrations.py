"""``Migrations``: the files of a folder, and what of them was applied."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import final

import anyio.to_thread

from dynamorm_async import Database, MigrationRefused, TableNotFound
from dynamorm_async.leases import Bookkeeping, Hold, LeaseRecord, hold, look
from dynamorm_async.migrations.files import MigrationFile, read_folder
from dynamorm_async.migrations.generator import write_next
from dynamorm_async.migrations.history import (
    Entry,
    check_how_many,
    entries_of,
    number_of,
    to_apply,
    to_revert,
)
from dynamorm_async.migrations.ledger import Ledger, LedgerWriter
from dynamorm_async.migrations.loading import load_all
from dynamorm_async.migrations.running import Runner
from dynamorm_async.migrations.stamping import accept, stamp_all
from dynamorm_async.migrations.status import MigrationStatus, OnProgress, statuses
from dynamorm_async.model.table import Table
from dynamorm_async.schema import Permission, plan


@final
class Migrations:
    """The migrations of a folder: files ``0001_name.py``, each with ``async def upgrade(context)``, applied once and in order::

        migrations = Migrations(db, "migrations")
        for done in await migrations.up():
            print(done)

    What was applied is in a ledger in the bookkeeping table, which only the holder of its lease can write: of any number of
    processes that call ``up`` at once, one runs the migrations, and the others wait and find nothing to do. Of one that dies,
    the next ``up`` goes on at the step where it was.

    Args:
        db: the database.
        folder: where the files are.
        bookkeeping: where the ledger and leases are kept; by default in the table ``dynamorm``.
        models: models or tables, the difference of which to DynamoDB :meth:`new` writes down by default.
        ledger: the ledger's name, where several sets of migrations share a bookkeeping table.
        duration: seconds that the lease is good for without a renewal: how long a process that died is waited for.
        wait: seconds to wait for another process that migrates; ``math.inf`` for as long as it takes. Give it more than
            ``duration``, or a process that died just now is taken for one that is at it.

    Raises:
        UsageError: the name of the ledger is empty or too long, or ``duration`` is no number above 0.
    """

    def __init__(
        self,
        db: Database,
        folder: str | os.PathLike[str],
        *,
        bookkeeping: Bookkeeping | None = None,
        models: Sequence[type | Table] = (),
        ledger: str = "main",
        duration: float = 30.0,
        wait: float = 60.0,
    ) -> None:
        self.folder = Path(folder)
        self.models = tuple(models)
        self._db = db
        self._bookkeeping = bookkeeping or Bookkeeping(db)
        self._ledger = Ledger(self._bookkeeping, ledger)
        self._duration = duration
        self._wait = wait

    async def status(self) -> list[MigrationStatus]:
        """Every migration by its number: those of the folder, and those of the ledger whose files are missing.

        Raises:
            MigrationInvalid: the files cannot be run as they stand.
            CallError: a request failed.

        Costs a Query, and a GetItem for the lease where a migration is begun and not finished. Nothing of the files is executed.
        """
        entries = await self._entries(await self._files())
        is_open = any(entry.record is not None and entry.record.state == "running" for entry in entries)
        return statuses(entries, await self._lease() if is_open else None)

    async def up(
        self,
        to: int | str | None = None,
        *,
        dry_run: bool = False,
        accept_changed: bool = False,
        allow_out_of_order: bool = False,
        on_progress: OnProgress | None = None,
    ) -> list[MigrationStatus]:
        """Apply what is pending, in order, and finish what was begun.

        Args:
            to: the last one to apply: ``3``, ``"0003"`` or ``"0003_name"``; by default all.
            dry_run: only load the files and tell what would be applied. Nothing is written, and no lease is taken.
            accept_changed: take applied files that were changed since as they are now, and write that down.
            allow_out_of_order: apply also what stands before one that is applied.
            on_progress: a function, sync or async, that is told of every event.

        Returns:
            Those that were applied by this call; with ``dry_run``, those that would be. None where there is nothing to do.

        Raises:
            MigrationInvalid: the files cannot be run as they stand.
            UsageError: there is no migration ``to``.
            MigrationRefused: the files and the ledger do not fit, or a file cannot be loaded; nothing was run.
            MigrationFailed: one raised. Those before it are applied; call it again to go on.
            LeaseHeld: another process migrates, and still did after ``wait`` seconds.
            LeaseLost: this process could not renew the lease in time, and stopped.
            CallError: a request failed.

        Costs a Query where there is nothing to do. Else DescribeTable, a Query, the lease, two TransactWriteItems for each
        migration and one for each step, besides what they do.
        """
        files = await self._files()
        last = None if to is None else number_of(to, files)

        def decided(entries: Sequence[Entry]) -> tuple[Entry, ...]:
            return to_apply(entries, to=last, accept_changed=accept_changed, allow_out_of_order=allow_out_of_order)

        entries = await self._entries(files)
        todo = decided(entries)
        scripts = load_all(_files_of(todo))
        if dry_run:
            return statuses(todo, None)
        if not todo and not any(entry.is_changed for entry in entries):
            return []
        await self._bookkeeping.ensure()
        done: list[Entry] = []
        async with self._hold() as lease:
            writer = LedgerWriter(self._ledger, lease)
            entries = await self._entries(files)  # as they are now that nobody else writes them
            todo = decided(entries)
            scripts |= load_all([file for file in _files_of(todo) if file.number not in scripts])
            await accept(writer, entries)
            runner = Runner(self._db, writer, on_progress=on_progress, total=len(todo))
            done = [await runner.apply(entry, scripts[entry.number]) for entry in todo]
        return statuses(done, None)

    async def down(
        self,
        to: int | str | None = None,
        *,
        steps: int | None = None,
        dry_run: bool = False,
        accept_changed: bool = False,
        names: Collection[str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[MigrationStatus]:
        """Revert the last migration, or the last few, the last one first.

        One that was begun and is not finished counts: its ``downgrade`` has to cope with what was done of it.

        Args:
            to: the last one that stays applied; 0 reverts all.
            steps: how many to revert, where ``to`` is not given; by default one.
            dry_run: only load the files and tell what would be reverted.
            accept_changed: revert also by files that were changed since they were applied.
            names: revert none but these, for example what a dry run told and somebody agreed to.
            on_progress: a function, sync or async, that is told of every event.

        Returns:
            Those that were reverted by this call, in that order; with ``dry_run``, those that would be.

        Raises:
            MigrationInvalid: the files cannot be run as they stand.
            UsageError: there is no migration ``to``, or ``to`` and ``steps`` are both given.
            MigrationRefused: one of them has no ``downgrade``, no file, or a changed one; nothing was run.
            MigrationFailed: one raised. Those before it are reverted; call it again to go on.
            LeaseHeld, LeaseLost, CallError: as of :meth:`up`.

        Costs as :meth:`up`.
        """
        check_how_many(to, steps)
        files = await self._files()
        last = None if to is None else number_of(to, files)

        def decided(entries: Sequence[Entry]) -> tuple[Entry, ...]:
            return to_revert(entries, to=last, steps=steps, accept_changed=accept_changed)

        todo = decided(await self._entries(files))
        scripts = load_all(_files_of(todo))
        if dry_run or not todo:
            return statuses(todo, None)
        await self._bookkeeping.ensure()
        done: list[Entry] = []
        async with self._hold() as lease:
            writer = LedgerWriter(self._ledger, lease)
            # What somebody else has reverted meanwhile leaves its turn to none before it.
            meant = {entry.name for entry in todo} if names is None else names
            todo = tuple(entry for entry in decided(await self._entries(files)) if entry.name in meant)
            scripts |= load_all([file for file in _files_of(todo) if file.number not in scripts])
            runner = Runner(self._db, writer, on_progress=on_progress, total=len(todo))
            done = [await runner.revert(entry, scripts[entry.number]) for entry in todo]
        return statuses(done, None)

    async def stamp(self, to: int | str) -> list[MigrationStatus]:
        """Write the ledger without running anything: everything up to a migration is applied, nothing after it is.

        For tables that were made before there were migrations, or were changed by hand.

        Args:
            to: the last one that counts as applied; 0 is none.

        Returns:
            Every migration, as of :meth:`status`.

        Raises:
            MigrationInvalid: the files cannot be run as they stand.
            UsageError: there is no migration ``to``.
            LeaseHeld, LeaseLost, CallError: as of :meth:`up`.

        Costs DescribeTable, a Query, the lease, and a TransactWriteItems for each record that changes.
        """
        files = await self._files()
        last = number_of(to, files)
        await self._bookkeeping.ensure()
        done: list[Entry] = []
        async with self._hold() as lease:
            done = await stamp_all(LedgerWriter(self._ledger, lease), await self._entries(files), to=last)
        return statuses(done, None)

    async def new(
        self, name: str, *, models: Sequence[type | Table] | None = None, allow: Sequence[Permission] = ()
    ) -> Path:
        """Write the next file: from how models and tables differ, or an empty one where nothing does.

        The file declares the tables as they are declared now, so that it does the same when the models have moved on.

        Args:
            name: what it does, such as ``add email index``.
            models: models or tables; by default those of this object. With ``()`` nothing is compared.
            allow: what may be taken away, as of :func:`schema.plan`.

        Returns:
            The file's path. The folder is made where it is not there.

        Raises:
            UsageError: the name has no letters or digits, or is too long.
            MigrationInvalid: the files that are there cannot be run as they stand.
            MigrationRefused: others are pending, so the tables are not yet what they make of them.
            PlanRefused: what differs is what DynamoDB cannot change; ``models=()`` writes an empty file to replace the table in.
            CallError: a request failed.

        Costs a Query, and as :func:`schema.plan`; nothing without models.
        """
        targets = self.models if models is None else tuple(models)
        files = await self._files() if await anyio.Path(self.folder).is_dir() else ()
        found = None
        if targets:
            pending = [entry.name for entry in await self._entries(files) if not entry.is_applied]
            if pending:
                raise MigrationRefused(
                    [
                        f"{', '.join(pending)} pending: call up() before new(), which compares with the tables as they are"
                    ]
                )
            found = await plan(self._db, *targets, allow=allow)
        number = files[-1].number + 1 if files else 1
        return await anyio.to_thread.run_sync(lambda: write_next(self.folder, number, name, found))

    # --- inside ----------------------------------------------------------------------------------

    async def _files(self) -> tuple[MigrationFile, ...]:
        return await anyio.to_thread.run_sync(read_folder, self.folder)

    async def _entries(self, files: Sequence[MigrationFile]) -> tuple[Entry, ...]:
        return entries_of(files, await self._ledger.read())

    async def _lease(self) -> LeaseRecord | None:
        try:
            return await look(self._db, self._ledger.lease_name, bookkeeping=self._bookkeeping)
        except TableNotFound:
            return None

    def _hold(self) -> Hold:
        return hold(
            self._db,
            self._ledger.lease_name,
            duration=self._duration,
            wait=self._wait,
            bookkeeping=self._bookkeeping,
        )

    def __repr__(self) -> str:
        return f"<Migrations of {self.folder}, in ledger {self._ledger.name!r}>"


def _files_of(entries: Sequence[Entry]) -> list[MigrationFile]:
    return [entry.file for entry in entries if entry.file is not None]
