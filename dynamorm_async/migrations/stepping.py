"""The steps of one migration, and what of them is in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import final

import anyio

from dynamorm_async import Transaction, UsageError
from dynamorm_async.leases import Lease
from dynamorm_async.migrations.ledger import LedgerWriter
from dynamorm_async.migrations.record import LedgerRecord, StepRecord
from dynamorm_async.migrations.status import Event, OnProgress, Progress, tell


@final
class Steps:
    """What a migration has done, as it runs.

    Args:
        writer: writes the ledger.
        record: of this migration, as it is in the ledger.
        on_progress: is told of every event.
        position: which migration of the run it is, from 1.
        total: how many the run has.

    Attributes:
        record: as it is in the ledger.
    """

    def __init__(
        self, writer: LedgerWriter, record: LedgerRecord, *, on_progress: OnProgress | None, position: int, total: int
    ) -> None:
        self.record = record
        self._writer = writer
        self._on_progress = on_progress
        self._position = position
        self._total = total
        self._names: set[str] = set()
        self._writing = anyio.Lock()
        self._raised: tuple[Exception, str] | None = None

    @property
    def lease(self) -> Lease:
        """The ledger's lease, which this process holds."""
        return self._writer.lease

    @property
    def writer(self) -> LedgerWriter:
        """What writes the ledger."""
        return self._writer

    def now(self) -> datetime:
        """The time of day, for people to read."""
        return self.lease.timing.wall()

    def take(self, what: str, name: str) -> None:
        """Use a name, which a migration can do once each time it runs: what has it already would be passed over.

        Raises:
            UsageError: it is empty, or used already.
        """
        key = f"{what} {name}"
        if not name:
            raise UsageError(f"migration {self.record.name}: a {what} has a name")
        if key in self._names:
            raise UsageError(
                f"migration {self.record.name} has two {what}s named {name!r}: the second would be passed over as done. "
                "Give each a name of its own"
            )
        self._names.add(key)

    def is_done(self, name: str) -> bool:
        """Whether a step was finished, in this run or before."""
        return any(step.name == name for step in self.record.steps)

    async def finish(self, name: str, fill: Callable[[Transaction], object] | None = None) -> None:
        """Write down that a step is done, together with what else is added to the transaction."""
        async with self._writing:
            before = self.record.steps
            self.record.steps = [*before, StepRecord(name=name, finished=self.now())]
            try:
                await self._writer.put(self.record, fill)
            except BaseException:
                self.record.steps = before
                raise

    def raised(self, error: Exception, step: str) -> None:
        """Note in which step an exception was raised; the innermost comes first."""
        if self._raised is None or self._raised[0] is not error:
            self._raised = (error, step)

    def step_of(self, error: Exception) -> str | None:
        """The step that an exception was raised in."""
        return self._raised[1] if self._raised is not None and self._raised[0] is error else None

    async def report(self, event: Event, *, step: str | None = None, detail: object = None) -> None:
        """Tell who wants to know."""
        record = self.record
        progress = Progress(
            number=record.number,
            name=record.name,
            direction=record.direction,
            event=event,
            step=step,
            detail=detail,
            position=self._position,
            total=self._total,
        )
        await tell(self._on_progress, progress)
