"""The operations of one batch: which of them wait, which are in flight, and what became of the others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

import msgspec

from dynamorm_async.errors import BatchFailure, BatchOperation, BatchReport
from dynamorm_async.model.key import Key
from dynamorm_async.plan.batch_write import MAX_BYTES, MAX_OPERATIONS, size_of
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.write import Write


@final
class BatchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is.

    Attributes:
        written: how many operations DynamoDB has confirmed.
        replaced: how many were not sent, because a later operation on the same key took their place.
        failed: how many were sent by themselves and failed.
        pending: how many were added and have no outcome yet.
    """

    written: int
    replaced: int
    failed: int
    pending: int


@final
class Entry(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):  # as a Write
    """One operation.

    Attributes:
        kind: ``put`` or ``delete``.
        item: the instance; ``None`` where it is about a Key.
        write: what was planned.
        place: which item it is about.
        size: its bytes in a BatchWriteItem; ``None`` where it cannot be part of one.
    """

    kind: Literal["put", "delete"]
    item: object | None
    write: Write
    place: PlaceId
    size: int | None

    @property
    def described(self) -> BatchOperation:
        """The operation, for the report."""
        return BatchOperation(self.kind, self.write.spec.cls, self.write.key_of, self.item)


def entry_of(kind: Literal["put", "delete"], target: object, write: Write) -> Entry:
    """The operation that a caller asked for."""
    return Entry(
        kind=kind,
        item=None if isinstance(target, Key) else target,
        write=write,
        place=write.place,
        size=size_of(write) if write.batchable else None,
    )


class Operations:
    """The operations of one batch.

    An item has at most one operation in flight and one that waits: a later one takes the place of one that waits, and
    waits itself while one is in flight. Operations that BatchWriteItem cannot carry are taken alone.
    """

    def __init__(self) -> None:
        self._queue: dict[PlaceId, Entry] = {}  # for the next chunks
        self._queued_bytes = 0
        self._alone: dict[PlaceId, Entry] = {}  # each for a request of its own
        self._in_flight: dict[PlaceId, Entry] = {}
        self._held: dict[PlaceId, Entry] = {}  # until the one in flight has landed
        self._order: dict[Entry, None] = {}  # all that have no outcome, in the order in which they were added
        self._failed: list[tuple[Entry, Exception]] = []
        self.written = 0
        self.replaced = 0
        self.added = 0

    # --- coming in --------------------------------------------------------------------------------

    def must_wait(self, entry: Entry) -> bool:
        """Whether the operation has to be planned again after an earlier one on its item is through.

        A conditional write insists on what the earlier one leaves behind. And the second put of one instance keeps the
        ``created_at`` that the first one gives it.
        """
        earlier = self._in_flight.get(entry.place)
        if entry.size is None:
            return earlier is not None or self._waiting(entry.place) is not None
        instance = entry.write.instance
        return earlier is not None and instance is not None and earlier.write.instance is instance

    def hurry(self, place: PlaceId) -> None:
        """Let the operation that waits on an item not wait for a chunk to fill up."""
        entry = self._queue.get(place)
        if entry is not None:
            self._unqueue(entry)
            self._alone[place] = entry

    def add(self, entry: Entry) -> None:
        """Take an operation in. One that waits on the same item is replaced."""
        self.added += 1
        earlier = self._waiting(entry.place)
        if earlier is not None:
            self._remove(earlier)
            del self._order[earlier]
            self.replaced += 1
        self._order[entry] = None
        if entry.place in self._in_flight:
            self._held[entry.place] = entry
        else:
            self._admit(entry)

    def add_unsent(self, entry: Entry) -> None:
        """Take in an operation that comes too late to be sent, so that the report has it."""
        self.added += 1
        self._order[entry] = None

    # --- going out --------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether there is a request to be sent now: a full chunk, or an operation that is sent alone."""
        return bool(self._alone) or len(self._queue) >= MAX_OPERATIONS or self._queued_bytes > MAX_BYTES

    def take(self, *, partial: bool) -> list[Entry]:
        """The operations of the next request, which are in flight then; none where there is no such request.

        Args:
            partial: whether a chunk may be less than full.
        """
        if self._alone:
            entry = next(iter(self._alone.values()))
            self._remove(entry)
            self._in_flight[entry.place] = entry
            return [entry]
        return self._chunk() if partial or self.ready else []

    def wrote(self, entries: Sequence[Entry]) -> None:
        """DynamoDB has confirmed operations."""
        self.written += len(entries)
        for entry in entries:
            self._land(entry)

    def fail(self, entry: Entry, error: Exception) -> None:
        """An operation that was sent alone failed."""
        self._failed.append((entry, error))
        self._land(entry)

    # --- what became of them ------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many have no outcome."""
        return len(self._order)

    @property
    def errors(self) -> list[Exception]:
        """The errors of those that failed."""
        return [error for _, error in self._failed]

    def progress(self) -> BatchProgress:
        """The numbers."""
        return BatchProgress(
            written=self.written, replaced=self.replaced, failed=len(self._failed), pending=self.pending
        )

    def report(self) -> BatchReport:
        """The whole account. What has no outcome counts as unprocessed."""
        return BatchReport(
            written=self.written,
            replaced=self.replaced,
            unprocessed=tuple(entry.described for entry in self._order),
            failed=tuple(BatchFailure(entry.described, error) for entry, error in self._failed),
        )

    # --- inside -------------------------------------------------------------------------------------

    def _waiting(self, place: PlaceId) -> Entry | None:
        return self._queue.get(place) or self._alone.get(place) or self._held.get(place)

    def _chunk(self) -> list[Entry]:
        """Take from the queue what fits into one request, one operation at least."""
        chunk: list[Entry] = []
        size = 0
        for entry in self._queue.values():
            if len(chunk) == MAX_OPERATIONS or (chunk and size + (entry.size or 0) > MAX_BYTES):
                break
            size += entry.size or 0
            chunk.append(entry)
        self._queued_bytes -= size
        for entry in chunk:
            del self._queue[entry.place]
            self._in_flight[entry.place] = entry
        return chunk

    def _admit(self, entry: Entry) -> None:
        if entry.size is None:
            self._alone[entry.place] = entry
        else:
            self._queue[entry.place] = entry
            self._queued_bytes += entry.size

    def _remove(self, entry: Entry) -> None:
        if entry.place in self._queue:
            self._unqueue(entry)
        elif entry.place in self._alone:
            del self._alone[entry.place]
        else:
            del self._held[entry.place]

    def _unqueue(self, entry: Entry) -> None:
        del self._queue[entry.place]
        self._queued_bytes -= entry.size or 0

    def _land(self, entry: Entry) -> None:
        del self._order[entry], self._in_flight[entry.place]
        if self._held:
            held = self._held.pop(entry.place, None)
            if held is not None:
                self._admit(held)
