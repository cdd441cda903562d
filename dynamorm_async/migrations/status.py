"""What is told of migrations: their states, and the progress of a run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, final

import msgspec

from dynamorm_async.leases import LeaseRecord
from dynamorm_async.migrations.history import Entry
from dynamorm_async.migrations.record import Direction, LedgerRecord

State: TypeAlias = Literal["pending", "running", "interrupted", "failed", "applied"]
"""What became of a migration. ``running``: somebody holds the ledger's lease for it, or did a moment ago; ``interrupted``: it
was begun, and whoever ran it does not hold the lease any more."""


@final
class MigrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One migration. ``str()`` is a line for people.

    Attributes:
        number: its number.
        name: the name of its file, without ``.py``.
        description: the first line of its docstring.
        state: what became of it.
        direction: ``down`` where it is being reverted, or was when that failed or was interrupted.
        is_changed: whether it is applied, and its file is another one since.
        is_missing: whether it is in the ledger and has no file.
        is_stamped: whether it counts as applied without having been run.
        steps: the steps that are done, in that order.
        started: when it was begun, by the clock of the machine that ran it.
        finished: when it was applied, stamped, or failed.
        by: who wrote the ledger then: host and process.
        error: what it raised last.
    """

    number: int
    name: str
    description: str
    state: State
    direction: Direction = "up"
    is_changed: bool = False
    is_missing: bool = False
    is_stamped: bool = False
    steps: tuple[str, ...] = ()
    started: datetime | None = None
    finished: datetime | None = None
    by: str = ""
    error: str | None = None

    def __str__(self) -> str:
        notes = [
            *(["stamped"] if self.is_stamped else []),
            *(["down"] if self.direction == "down" else []),
            *(["changed since"] if self.is_changed else []),
            *(["its file is missing"] if self.is_missing else []),
            *(
                [f"{len(self.steps)} step{'' if len(self.steps) == 1 else 's'} done"]
                if self.steps and self.state != "applied"
                else []
            ),
        ]
        told = f" ({', '.join(notes)})" if notes else ""
        return f"{self.name}: {self.state}{told}" + (f": {self.error}" if self.error else "")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **msgspec.structs.asdict(self),
            "steps": list(self.steps),
            "started": None if self.started is None else self.started.isoformat(),
            "finished": None if self.finished is None else self.finished.isoformat(),
        }


def statuses(entries: Sequence[Entry], lease: LeaseRecord | None) -> list[MigrationStatus]:
    """What is known of migrations.

    Args:
        entries: their files and records.
        lease: the ledger's lease, as it is stored.
    """
    return [_status(entry, lease) for entry in entries]


def _status(entry: Entry, lease: LeaseRecord | None) -> MigrationStatus:
    description = "" if entry.file is None else entry.file.description
    record = entry.record
    if record is None:
        return MigrationStatus(number=entry.number, name=entry.name, description=description, state="pending")
    return MigrationStatus(
        number=entry.number,
        name=entry.name,
        description=description,
        state=_state(record, lease),
        direction=record.direction,
        is_changed=entry.is_changed,
        is_missing=entry.file is None,
        is_stamped=record.stamped,
        steps=tuple(step.name for step in record.steps),
        started=record.started,
        finished=record.finished,
        by=record.by,
        error=record.error,
    )


def _state(record: LedgerRecord, lease: LeaseRecord | None) -> State:
    if record.state != "running":
        return record.state
    is_held = lease is not None and lease.owner is not None and lease.token == record.token
    return "running" if is_held else "interrupted"


Event: TypeAlias = Literal["began", "resumed", "step", "skipped", "working", "applied", "reverted", "failed"]
"""What happened: a migration was begun, or gone on with; a step is done, or was before; what it calls is at work; and how it
ended."""


@final
class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is. ``str()`` is a line for people.

    Attributes:
        number: the migration's number.
        name: the name of its file, without ``.py``.
        direction: whether it is applied or reverted.
        event: what happened.
        step: the step that it happened in, or to.
        detail: of ``working``, the progress of ``schema`` or ``backfills``; of ``failed``, the exception.
        position: which migration of the run it is, from 1.
        total: how many the run has.
    """

    number: int
    name: str
    direction: Direction
    event: Event
    step: str | None = None
    detail: object = None
    position: int
    total: int

    def __str__(self) -> str:
        words = {"step": "done", "skipped": "done before", "working": str(self.detail)}
        said = words.get(self.event, self.event)
        if self.event == "failed":
            said = f"failed: {type(self.detail).__name__}: {self.detail}"
        step = "" if self.step is None else f", step {self.step!r}"
        return f"[{self.position}/{self.total}] {self.name}{step}: {said}"


OnProgress: TypeAlias = Callable[[Progress], object]
"""A function, sync or async, that is told of every event."""


async def tell(on_progress: OnProgress | None, progress: Progress) -> None:
    """Tell a caller who wants to know."""
    if on_progress is not None:
        told = on_progress(progress)
        if inspect.isawaitable(told):
            await told
