"""What is stored of a migration."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypeAlias

from dynamorm_async import Attr, attr, embedded, model, partition_key, sort_key, version
from dynamorm_async.leases.record import TABLE

Direction: TypeAlias = Literal["up", "down"]
"""Whether a migration is applied or reverted."""

RecordState: TypeAlias = Literal["applied", "running", "failed"]

LONGEST_ERROR: Final = 2000
"""Characters that are kept of the text of an error."""


@embedded
class StepRecord:
    """A step of a migration that is done.

    Attributes:
        name: the step's name.
        finished: when, by the clock of the machine that did it.
    """

    name: Attr[str]
    finished: Attr[datetime]


@model(table=TABLE, unknown="keep")
class LedgerRecord:
    """A migration as it is stored in the ledger: one that was begun, applied, or stamped.

    Attributes:
        pk: ``migrations#`` and the ledger's name.
        sk: the migration's number, in four digits.
        name: the name of its file, without ``.py``.
        checksum: of the file as it was run last.
        state: ``applied``; ``running``, also where the process that ran it is gone; or ``failed``.
        direction: ``down`` while it is being reverted.
        run: tells this application from one that was reverted before: the fencing token it was begun with.
        token: the fencing token of the lease under which this was written.
        by: host and process that wrote it.
        started: when it was begun, by the clock of that machine; ``None`` where it was stamped.
        finished: when it was applied, stamped, or failed.
        steps: the steps that are done, in that order.
        error: what it raised last.
        stamped: whether it counts as applied without having been run.
        revision: moves with every write.
    """

    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    name: Attr[str]
    checksum: Attr[str]
    state: Attr[RecordState]
    direction: Attr[Direction] = attr(default="up")
    run: Attr[int]
    token: Attr[int]
    by: Attr[str] = attr(default="")
    started: Attr[datetime | None] = attr(default=None)
    finished: Attr[datetime | None] = attr(default=None)
    steps: Attr[list[StepRecord]] = attr(factory=list)
    error: Attr[str | None] = attr(default=None)
    stamped: Attr[bool] = attr(default=False)
    revision: Attr[int] = version()

    @property
    def number(self) -> int:
        """The migration's number."""
        return int(self.sk)

    @property
    def is_applied(self) -> bool:
        """Whether it is applied, and nobody is reverting it."""
        return self.state == "applied"


def partition_of(ledger: str) -> str:
    """The partition key of a ledger."""
    return f"migrations#{ledger}"


def sort_of(number: int) -> str:
    """The sort key of a migration."""
    return f"{number:04}"
