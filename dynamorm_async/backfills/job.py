"""``Backfill``: a change of every item of a model, by any number of processes that may die."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar, final

import anyio

from dynamorm_async import Attr, Condition, Database, UsageError, outdated
from dynamorm_async.backfills.board import progress_of
from dynamorm_async.backfills.changing import Change, marked
from dynamorm_async.backfills.guarding import check_guardable
from dynamorm_async.backfills.rate import TokenBucket
from dynamorm_async.backfills.reading import SegmentReader
from dynamorm_async.backfills.records import Records
from dynamorm_async.backfills.results import BackfillResult, Progress
from dynamorm_async.backfills.runner import OnProgress, Runner, Settings
from dynamorm_async.backfills.store import Store
from dynamorm_async.codec.layout import Member
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.targets import check_condition

M = TypeVar("M")

MOST_SEGMENTS = 10_000
_ATTEMPTS = 10
_LONGEST_PAUSE = 2.0


@final
class Backfill(Generic[M]):
    """A change of every item of a model, shared by any number of processes and machines, any of which may die::

        async def full_name(user: User) -> User | None:
            user.name = f"{user.first} {user.last}"
            return user

        job = Backfill(db, User, full_name, name="full-names", where=User.name.not_exists())
        print(await job.run())

    The table is read in segments. Each is worked on under a lease by one process at a time, page by page; how far it is stands
    in the bookkeeping table. Of a process that dies, others take the segments over where it wrote the last checkpoint, and
    change the items of at most one page for each of its workers again: a change has to be idempotent, or have a ``marker``.

    Items are written on the condition that nobody else has written them since they were read: under their version or, of a
    model without one, while every attribute is as it was. Otherwise they are read and changed again. Soft-deleted and
    expired items are changed as well.

    Args:
        db: the database.
        model: the model. Of one with variants, the items of these as well, each as its own class.
        change: gets an item and returns it changed, in place or as a copy, or ``None`` to leave it alone; it may be an async
            function. It may be called several times for an item, so it should do nothing else. By default items of older
            schema versions are migrated.
        name: the backfill's name, the same in every process that is to take part.
        where: which items need it: what is read is filtered by it, and no item is written for which it does not hold any more.
        segments: in how many parts the table is read, 1 to 10,000. At most so many workers take part at the same time.
        workers: how many segments this process works on at the same time.
        concurrency: how many items of a segment are changed and written at the same time.
        page_size: how many items are read for one page, after which there is a checkpoint.
        rate: read and write capacity units a second that this process consumes, on average; ``None`` for no bound.
        duration: seconds that a lease is good for: how long a segment of a process that died is left alone.
        marker: a text attribute of the model that each write sets to the backfill's name. An item that has it was done, which
            makes every change happen once, and ``changed`` exact, whatever dies.
        max_failures: how many items may fail, because ``change`` raises or DynamoDB refuses the item, before the run ends.
        bookkeeping: where leases and checkpoints are kept; by default in the table ``dynamorm``.

    Raises:
        UsageError: no model, a number out of its range, a condition on another model; no ``change`` of a model without older
            schemas; a marker that is no attribute for text; or a model without a version whose items cannot be compared.
    """

    def __init__(
        self,
        db: Database,
        model: type[M],
        change: Callable[[M], M | Awaitable[M | None] | None] | None = None,
        *,
        name: str,
        where: Condition | None = None,
        segments: int = 64,
        workers: int = 4,
        concurrency: int = 8,
        page_size: int = 100,
        rate: float | None = None,
        duration: float = 30.0,
        marker: Attr[str | None] | str | None = None,
        max_failures: int = 100,
        bookkeeping: Bookkeeping | None = None,
    ) -> None:
        spec = spec_of(model)
        self._name = check_settings(
            name, segments=segments, workers=workers, concurrency=concurrency, page_size=page_size, rate=rate,
            duration=duration, max_failures=max_failures,
        )  # fmt: skip
        check_condition(spec, where)
        check_guardable(spec, f"a backfill ({name!r})")
        self._where = outdated(model) if where is None and change is None else where
        self._marker = None if marker is None else _marker(spec, marker)
        self._db, self._model, self._change, self._segments = db, model, change, segments
        self._page_size, self._rate, self._duration = page_size, rate, duration
        self._settings = Settings(
            name=name, workers=workers, concurrency=concurrency, duration=duration, max_failures=max_failures
        )
        self._bookkeeping = bookkeeping or Bookkeeping(db)

    async def run(self, *, on_progress: OnProgress | None = None) -> BackfillResult:
        """Take part until it is done. Of one that is done already, return what it came to.

        Args:
            on_progress: a function, sync or async, that is told how far it is after each page of this process.

        Returns:
            What was done, in all processes and runs together.

        Raises:
            BackfillMismatch: it was begun with other settings (model, table, segments, ``where``, ``marker``).
            BackfillFailed: items could not be changed: all others are done, or there were more than ``max_failures``. It names
                them. Another run tries them again. Also where the backfill was reset meanwhile.
            UsageError: the change returned something that is no item of the model.
            CallError: a request failed. Another run goes on at the checkpoints.

        Costs a Scan of the table, and one UpdateItem for each item to change; where somebody else wrote an item in between, a
        GetItem and an UpdateItem more. Of the bookkeeping table: an UpdateItem for each page, a lease and a Query for each
        segment.
        """
        reader = self._reader()
        records = self._records()
        work = Change(
            self._db,
            reader,
            self._change,
            where=self._where,
            marker=self._marker,
            name=self._name,
            attempts=_ATTEMPTS,
            pause=jittered_pause,
        )
        runner = Runner(
            self._db,
            self._bookkeeping,
            reader=reader,
            work=work,
            records=records,
            settings=self._settings,
            bucket=TokenBucket(self._rate),
        )
        return await runner.run(self._declared(reader), on_progress)

    async def status(self) -> Progress:
        """How far it is, in all processes together. Costs one Query of the bookkeeping table."""
        return await status_of(self._records(), self._name)

    async def reset(self) -> None:
        """Forget the backfill: the next run begins at the start. Items keep their marker, so rename the backfill to do them again.

        Processes that are at it end with ``BackfillFailed``. Costs a Query and one DeleteItem for each record.
        """
        await self._records().reset()

    def _reader(self) -> SegmentReader[M]:
        conditions = [] if self._where is None else [self._where]
        if conditions and self._marker is not None:
            # What a page that is read again has done already is read as well, and counted: where= need not hold of it any more.
            conditions = [conditions[0] | marked(self._marker, self._name)]
        return SegmentReader(self._db, self._model, conditions, segments=self._segments, page_size=self._page_size)

    def _records(self) -> Records:
        return Records(Store(self._db, self._bookkeeping.table_name, f"backfill#{self._name}"), self._name)

    def _declared(self, reader: SegmentReader[M]) -> dict[str, str | int]:
        """What has to be the same in every process."""
        return {
            "model": reader.spec.name,
            "table": reader.table,
            "segments": self._segments,
            "where": reader.where(self._where),
            "marker": "none" if self._marker is None else self._marker.wire,
        }


async def status_of(records: Records, name: str) -> Progress:
    """How far a backfill is, with its average rate since it was begun, by the clock of this machine."""
    found = await records.look()
    rate = 0.0
    if found.job is not None:
        seconds = ((found.job.finished or datetime.now(UTC)) - found.job.started).total_seconds()
        rate = found.counts.scanned / seconds if seconds > 0 else 0.0
    return progress_of(name, found, rate=rate)


async def jittered_pause(attempt: int) -> None:
    """Wait a random time before an attempt: those who lose against each other come apart."""
    await anyio.sleep(random.random() * min(_LONGEST_PAUSE, 0.025 * 2**attempt))  # noqa: S311 - no secret


def check_settings(
    name: str,
    *,
    segments: int,
    workers: int,
    concurrency: int,
    page_size: int,
    rate: float | None,
    duration: float,
    max_failures: int,
) -> str:
    """The name of a backfill or copy.

    Raises:
        UsageError: it is empty or too long, or a number is out of its range.
    """
    if not name or len(name.encode()) > 255:  # noqa: PLR2004 - as the message says
        raise UsageError(f"a backfill's name has 1 to 255 bytes: {name!r}")
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("segments", segments, 1, MOST_SEGMENTS),
        ("workers", workers, 1, MOST_SEGMENTS),
        ("concurrency", concurrency, 1, 1000),
        ("page_size", page_size, 1, 1_000_000),
        ("max_failures", max_failures, 0, 10_000),
    )
    for what, value, least, most in bounds:
        if not least <= value <= most:
            raise UsageError(f"{what}={value!r} of the backfill {name!r}: from {least:,} to {most:,}")
    if rate is not None and not rate > 0:
        raise UsageError(f"rate={rate!r} of the backfill {name!r}: capacity units a second, above 0, or None")
    if not duration > 0:
        raise UsageError(f"duration={duration!r} of the backfill {name!r}: seconds, above 0")
    return name


def _marker(spec: ModelSpec[M], marker: Attr[str | None] | str) -> Member:
    """The attribute that says that an item was done.

    Raises:
        UsageError: the model has no such attribute, it is a key or has a role, or does not hold text.
    """
    given = marker if isinstance(marker, str) else str(marker.segments[0])
    member = spec.attributes.get(given) or next((m for m in spec.attributes.values() if m.wire == given), None)
    if member is None:
        raise UsageError(
            f"marker={given!r}: {spec.name} has no such attribute. Declare it, {given}: Attr[str | None] = attr(default=None), "
            "so that programs which put() whole items keep it"
        )
    roles = (*spec.key, spec.version, spec.created_at, spec.updated_at, spec.ttl, spec.deleted_at)
    encoded = None if member in roles or member.wire in spec.encrypted else _as_text(spec, member)
    if encoded != {"S": "name"}:
        raise UsageError(
            f"marker={given!r}: {spec.name}.{member.name} has to be a plain attribute for text, {member.name}: Attr[str | None] "
            "= attr(default=None)"
        )
    return member


def _as_text(spec: ModelSpec[M], member: Member) -> object:
    try:
        return spec.codec.encode_member(member, "name")
    except UsageError:
        return None
