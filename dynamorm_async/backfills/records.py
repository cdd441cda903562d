"""The records of a backfill: what it is, how far each segment is, and which items failed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, final

import msgspec

from dynamorm_async import BackfillFailure, BackfillMismatch
from dynamorm_async.backfills.results import Counts
from dynamorm_async.backfills.store import Record, Store
from dynamorm_async.codec.native import from_attribute_value, to_attribute_value
from dynamorm_async.types import AttributeValue

_JOB: Final = "job"
_SEGMENT: Final = "segment#"
_FAILURE: Final = "failure#"
_COUNTS: Final = tuple(field for field in Counts.__struct_fields__)
_LONGEST_MESSAGE: Final = 2000

RawKey = dict[str, AttributeValue]
Place = tuple[int, int]


@final
class Job(msgspec.Struct, frozen=True):
    """A backfill that was begun.

    Attributes:
        run: tells it from earlier ones of its name, which were reset.
        segments: in how many parts the table is read.
        items: how many items the table had then, by DynamoDB's count.
        started: when it was begun, by the clock of the process that did.
        finished: when it was finished, if it was.
    """

    run: str
    segments: int
    items: int
    started: datetime
    finished: datetime | None


@final
class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """How far one part of the table is.

    Attributes:
        number: which part.
        token: the fencing token of the lease under which it was last written.
        pages: how many checkpoints were made.
        position: the key after which it goes on; ``None`` at its start.
        done: whether nothing is left.
        counts: what was done.
    """

    number: int
    token: int
    pages: int = 0
    position: RawKey | None = None
    done: bool = False
    counts: Counts = Counts()


@final
class FailedItem(msgspec.Struct, frozen=True):
    """An item that could not be changed.

    Attributes:
        sort: the sort key of its record.
        key: its key in the table.
        failure: why.
        place: the segment and the number of the page that it was read in.
    """

    sort: str
    key: RawKey
    failure: BackfillFailure
    place: Place


@final
class Snapshot(msgspec.Struct, frozen=True):
    """All records of a backfill at one time; ``job`` is ``None`` where it was never begun, or reset."""

    job: Job | None
    segments: Mapping[int, Segment]
    failures: Mapping[str, FailedItem]

    @property
    def counts(self) -> Counts:
        """What was done, in all segments together."""
        return sum((segment.counts for segment in self.segments.values()), Counts())

    def is_passed(self, place: Place) -> bool:
        """Whether there is a checkpoint behind a page; where there is none, the page will be read again."""
        number, page = place
        return number in self.segments and self.segments[number].pages > page

    @property
    def done(self) -> int:
        """How many segments are done."""
        return sum(segment.done for segment in self.segments.values())


@final
class Records:
    """Reads and writes the records of one backfill.

    Args:
        store: the partition that they are in.
        name: the backfill's name.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    async def begin(self, settings: Mapping[str, str | int], *, segments: int, items: int) -> Job:
        """Begin the backfill, or join it.

        Raises:
            BackfillMismatch: it was begun with other settings.
        """
        wanted: Record = {
            **{f"set_{name}": value for name, value in settings.items()},
            "run": secrets.token_hex(8),
            "segments": segments,
            "items": items,
            "started": datetime.now(UTC).isoformat(),
        }
        found = await self._store.get(_JOB) or await self._store.create(_JOB, wanted)
        differences = [
            f"{name} was {found.get(f'set_{name}')!r}, and is {value!r} now"
            for name, value in settings.items()
            if found.get(f"set_{name}") != value
        ]
        if differences:
            raise BackfillMismatch(self._name, differences)
        return _job(found)

    async def look(self) -> Snapshot:
        """All records as they are now."""
        found = await self._store.all()
        job = None if _JOB not in found else _job(found[_JOB])
        if job is None:
            return Snapshot(None, {}, {})
        of_run = _segment_sort(job, 0)[: -len("000000")]
        segments = [_segment(record) for sort, record in found.items() if sort.startswith(of_run)]
        failures = {sort: _failed(sort, record) for sort, record in found.items() if sort.startswith(_FAILURE)}
        return Snapshot(job, {segment.number: segment for segment in segments}, failures)

    async def claim(self, job: Job, number: int, token: int) -> Segment | None:
        """Take a segment over under a lease; ``None`` where somebody has a newer one.

        What an earlier holder still sends is refused from then on.
        """
        sort = _segment_sort(job, number)
        if not await self._store.change(
            sort, {"number": number, "token": token}, "attribute_not_exists(#token) OR #token < :token", token=token
        ):
            return None
        record = await self._store.get(sort)
        segment = None if record is None else _segment(record)
        return segment if segment is not None and segment.token == token else None

    async def checkpoint(self, job: Job, before: Segment, after: Segment) -> bool:
        """Write how far a segment is; ``False`` where somebody else has taken it over, or the backfill was reset."""
        return await self._store.change(
            _segment_sort(job, before.number),
            _segment_record(after),
            "#token = :token AND (attribute_not_exists(#pages) OR #pages = :pages)",
            token=before.token,
            pages=before.pages,
        )

    async def note_failure(self, key: RawKey, error: Exception, place: Place) -> str:
        """Record an item that could not be changed; the sort key of the record."""
        sort, (number, page) = failure_sort(key), place
        record: Record = {"key": _as_plain(key), "kind": type(error).__name__, "segment": number, "page": page}
        await self._store.put(sort, {**record, "message": str(error)[:_LONGEST_MESSAGE]})
        return sort

    async def drop_failure(self, sort: str) -> None:
        """Forget a failure: the item was changed, or needs no change any more."""
        await self._store.delete(sort)

    async def finish(self, job: Job) -> None:
        """Record that every segment is done."""
        finished = datetime.now(UTC).isoformat()
        await self._store.change(
            _JOB, {"finished": finished}, "#run = :run AND attribute_not_exists(#finished)", "finished", run=job.run
        )

    async def reset(self) -> None:
        """Delete every record, the backfill itself first: whoever is at it stops at the next page."""
        await self._store.delete(_JOB)
        for sort in await self._store.all():
            await self._store.delete(sort)


def failure_sort(key: RawKey) -> str:
    """The sort key of the record of a failed item."""
    return _FAILURE + hashlib.sha256(msgspec.json.encode(key, order="deterministic")).hexdigest()


def _segment_sort(job: Job, number: int) -> str:
    return f"{_SEGMENT}{job.run}#{number:06}"


def _job(record: Record) -> Job:
    finished = record.get("finished")
    return Job(
        record["run"],
        record["segments"],
        record["items"],
        datetime.fromisoformat(record["started"]),
        None if finished is None else datetime.fromisoformat(finished),
    )


def _segment(record: Record) -> Segment:
    position = record.get("position")
    return Segment(
        number=record["number"],
        token=record["token"],
        pages=record.get("pages", 0),
        position=None if position is None else _from_plain(position),
        done=record.get("done", False),
        counts=msgspec.convert({name: record[name] for name in _COUNTS if name in record}, Counts, strict=False),
    )


def _segment_record(segment: Segment) -> Record:
    return {
        "pages": segment.pages,
        "position": None if segment.position is None else _as_plain(segment.position),
        "done": segment.done,
        **{name: getattr(segment.counts, name) for name in _COUNTS},
    }


def _failed(sort: str, record: Record) -> FailedItem:
    failure = BackfillFailure(key=record["key"], kind=record["kind"], message=record["message"])
    return FailedItem(sort, _from_plain(record["key"]), failure, (record["segment"], record["page"]))


def _as_plain(key: RawKey) -> dict[str, Any]:
    return {name: from_attribute_value(value) for name, value in key.items()}


def _from_plain(key: Mapping[str, Any]) -> RawKey:
    return {name: to_attribute_value(value) for name, value in key.items()}
