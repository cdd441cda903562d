"""``copy``: the items of one model as items of another, by any number of processes that may die."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar, final

import msgspec

from dynamorm_async import Condition, Database, UsageError
from dynamorm_async.backfills.copying import Copy, same_attributes
from dynamorm_async.backfills.guarding import check_guardable
from dynamorm_async.backfills.job import check_settings, jittered_pause
from dynamorm_async.backfills.rate import TokenBucket
from dynamorm_async.backfills.reading import SegmentReader
from dynamorm_async.backfills.records import Records
from dynamorm_async.backfills.runner import OnProgress, Runner, Settings
from dynamorm_async.backfills.store import Store
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.targets import check_condition

S = TypeVar("S")
T = TypeVar("T")

_ATTEMPTS = 10
_LONGEST = 200


@final
class CopyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy has done, in all processes and runs together.

    Attributes:
        scanned: items that were read from the source's table.
        copied: items that were written to the target.
        skipped: items that the target had already, that the transform left out, or that were deleted meanwhile.
        conflicts: items that were read again, since somebody had written them in between.
        seconds: how long this run took, in this process.
        capacity: read and write units that items consumed.
        source_items: the source's items, counted in the end; ``None`` where they were not.
        target_items: the target's items, counted in the end; ``None`` where they were not.
    """

    scanned: int
    copied: int
    skipped: int
    conflicts: int
    seconds: float
    capacity: float
    source_items: int | None = None
    target_items: int | None = None

    @property
    def missing(self) -> int | None:
        """How many items the target has less than the source; ``None`` where they were not counted.

        Those that the transform left out, and what others wrote and deleted since, are in it.
        """
        if self.source_items is None or self.target_items is None:
            return None
        return max(0, self.source_items - self.target_items)


async def copy(
    db: Database,
    source: type[S],
    target: type[T],
    transform: Callable[[S], T | Awaitable[T | None] | None] | None = None,
    *,
    name: str | None = None,
    where: Condition | None = None,
    guarded: bool = True,
    verify: bool = True,
    segments: int = 64,
    workers: int = 4,
    concurrency: int = 8,
    page_size: int = 100,
    rate: float | None = None,
    duration: float = 30.0,
    max_failures: int = 100,
    bookkeeping: Bookkeeping | None = None,
    on_progress: OnProgress | None = None,
) -> CopyResult:
    """Copy the items of a model into the table of another, where they are not there yet.

    Like a :class:`Backfill`, any number of processes may call it at the same time, and any may die; another call goes on at
    the checkpoints. An item that the target has is left as it is: what the target's own writers wrote wins.

    Args:
        db: the database.
        source: the model whose items are copied.
        target: the model that they become items of; another one, in another table or the same. Its table is there already.
        transform: makes an item of the target from one of the source, or ``None`` to leave it out; it may be an async
            function. By default the attributes of the same names are taken over.
        name: the copy's name, the same in every process; by default made of both models and tables.
        where: which items of the source.
        guarded: insist that the source's item is still as it was read in the moment that the target's is made, by a
            transaction, which costs four times the write capacity. Without it, an item that is deleted from both (by a
            :class:`DualWrite`) while it is copied may come back in the target: for a source that nobody writes.
        verify: count the items of both in the end, which reads both tables once more.
        segments: in how many parts the source is read.
        workers: how many segments this process works on at the same time.
        concurrency: how many items of a segment are written at the same time.
        page_size: how many items are read for one page, after which there is a checkpoint.
        rate: capacity units a second that this process consumes, on average; counting in the end is not bounded.
        duration: seconds that a lease of a segment is good for.
        max_failures: how many items may fail before the run ends.
        bookkeeping: where leases and checkpoints are kept; by default in the table ``dynamorm``.
        on_progress: a function, sync or async, that is told how far it is after each page of this process.

    Raises:
        UsageError: source and target are one model, a number is out of its range, there is no transform and the target's key is
            not among the source's attributes, or the transform returned something else than an item of the target.
        BackfillMismatch: a copy of this name was begun with other settings.
        BackfillFailed: items could not be copied; it names them.
        CallError: a request failed.

    Costs a Scan of the source, and a TransactWriteItems of two actions for each item (a PutItem, where it is not guarded); with
    ``verify``, a Scan of both tables.
    """
    spec, into = spec_of(source), spec_of(target)
    _check_apart(spec, into, db)
    name = check_settings(
        name or _name(f"{spec.name} in {db.tables.name(source)} to {into.name} in {db.tables.name(target)}"),
        segments=segments, workers=workers, concurrency=concurrency, page_size=page_size, rate=rate,
        duration=duration, max_failures=max_failures,
    )  # fmt: skip
    check_condition(spec, where)
    if guarded:
        check_guardable(spec, f"a guarded copy ({name!r})")
    making = _making(spec, into, transform)
    books = bookkeeping or Bookkeeping(db)
    conditions = [] if where is None else [where]
    reader = SegmentReader(db, source, conditions, segments=segments, page_size=page_size)
    records = Records(Store(db, books.table_name, f"backfill#{name}"), name)
    declared: dict[str, str | int] = {
        "source": f"{spec.name} in {reader.table}",
        "target": f"{into.name} in {db.tables.name(target)}",
        "segments": segments,
        "where": reader.where(where),
    }
    work = Copy(db, reader, into, making, guarded=guarded, attempts=_ATTEMPTS, pause=jittered_pause)
    settings = Settings(
        name=name, workers=workers, concurrency=concurrency, duration=duration, max_failures=max_failures
    )
    runner = Runner(db, books, reader=reader, work=work, records=records, settings=settings, bucket=TokenBucket(rate))
    done = await runner.run(declared, on_progress)
    result = CopyResult(
        scanned=done.scanned,
        copied=done.changed,
        skipped=done.skipped,
        conflicts=done.conflicts,
        seconds=done.seconds,
        capacity=done.capacity,
    )
    if not verify:
        return result
    counted = db.scan(source).with_hidden().consistent().segments(workers)
    there = db.scan(target).with_hidden().consistent().segments(workers)
    return msgspec.structs.replace(
        result,
        source_items=await (counted if where is None else counted.where(where)).count(),
        target_items=await there.count(),
    )


def _name(what: str) -> str:
    """The name of a copy that was given none; the names of both tables may be longer than one can be."""
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    return (
        f"copy of {what}" if len(what.encode()) <= _LONGEST else f"copy of {what.encode()[:_LONGEST].decode()} {digest}"
    )


def _making(
    source: ModelSpec[S], target: ModelSpec[T], transform: Callable[[S], object] | None
) -> Callable[[S], object]:
    """What makes the target's items; the caller's, or one of the attributes that both have.

    Raises:
        UsageError: there is none, and the target wants attributes that the source does not have.
    """
    if transform is not None:
        return transform
    same: Callable[[S], T] = same_attributes(source, target)
    return same


def _check_apart(source: ModelSpec[S], target: ModelSpec[T], db: Database) -> None:
    """Refuse to copy a model into itself, which would read what it writes.

    Raises:
        UsageError: they are one model, or two for the same items of a table.
    """
    same_table = db.tables.name(source.cls) == db.tables.name(target.cls)
    if same_table and (source is target or source.type == target.type):
        raise UsageError(
            f"copy of {source.name} to {target.name}: both are the same items of table {source.table.name}. Give a model of "
            "another table, or change the items with a Backfill"
        )
