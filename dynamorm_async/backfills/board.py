"""Which segments a process works on: free ones first, then those whose holders may be gone."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, MutableSequence
from contextlib import contextmanager
from typing import final

from dynamorm_async import BackfillFailed
from dynamorm_async.backfills.records import Job, Records, Segment, Snapshot
from dynamorm_async.backfills.results import Progress, seconds_left


@final
class Board:
    """What one process knows of a backfill.

    Args:
        name: the backfill's name.
        job: the backfill.
        records: its records.
        clock: seconds, monotonic.
        shuffle: puts segments in a random order, so that processes do not contend for the same.
    """

    def __init__(
        self,
        name: str,
        job: Job,
        records: Records,
        *,
        clock: Callable[[], float],
        shuffle: Callable[[MutableSequence[int]], object] = random.shuffle,
    ) -> None:
        self.job = job
        self._name = name
        self._records = records
        self._clock = clock
        self._shuffle = shuffle
        self._began = clock()
        self._scanned_before: int | None = None
        self._snapshot = Snapshot(job, {}, {})
        self._failed: set[str] = set()
        self._mine: set[int] = set()
        self._busy: set[int] = set()

    @property
    def failed(self) -> int:
        """How many items are known that could not be changed."""
        return len(self._failed)

    def is_failed(self, sort: str) -> bool:
        """Whether an item, by the sort key of its record, is one of those."""
        return sort in self._failed

    def note_failure(self, sort: str) -> None:
        """An item could not be changed."""
        self._failed.add(sort)

    def drop_failure(self, sort: str) -> None:
        """An item that could not be changed was, or needs no change any more."""
        self._failed.discard(sort)

    @property
    def snapshot(self) -> Snapshot:
        """The records, as they were last looked at or written."""
        return self._snapshot

    async def look(self) -> Snapshot:
        """The records as they are now.

        Raises:
            BackfillFailed: the backfill was reset meanwhile.
        """
        self._snapshot = found = await self._records.look()
        if found.job is None or found.job.run != self.job.run:
            raise BackfillFailed(f"the backfill {self._name!r} was reset while it ran", name=self._name)
        self._failed = {*found.failures}
        if self._scanned_before is None:
            self._scanned_before = found.counts.scanned
        return found

    async def choose(self) -> int | None:
        """A segment that is not done and that no task of this process has; ``None`` where there is none."""
        found = await self.look()
        left = [
            number
            for number in range(self.job.segments)
            if number not in self._mine and not (number in found.segments and found.segments[number].done)
        ]
        self._shuffle(left)
        free = [number for number in left if number not in self._busy]
        return next(iter(free or left), None)

    def is_busy(self, number: int) -> bool:
        """Whether another process had the segment when it was tried last."""
        return number in self._busy

    @contextmanager
    def taking(self, number: int) -> Generator[None, None, None]:
        """Keep the other tasks of this process off a segment."""
        self._mine.add(number)
        try:
            yield
        finally:
            self._mine.discard(number)

    def note_busy(self, number: int) -> None:
        """Another process has the segment: others are tried first."""
        self._busy.add(number)

    def note(self, segment: Segment) -> None:
        """A segment is so far by this process's doing."""
        self._busy.discard(segment.number)
        self._snapshot = Snapshot(
            self._snapshot.job, {**self._snapshot.segments, segment.number: segment}, self._snapshot.failures
        )

    def progress(self) -> Progress:
        """How far the backfill is, by what this process knows."""
        seconds = self._clock() - self._began
        here = self._snapshot.counts.scanned - (self._scanned_before or 0)
        return progress_of(self._name, self._snapshot, rate=here / seconds if seconds > 0 else 0.0)


def progress_of(name: str, found: Snapshot, *, rate: float) -> Progress:
    """How far a backfill is.

    Args:
        name: its name.
        found: its records.
        rate: items read a second.
    """
    job, counts = found.job, found.counts
    segments, items = (0, 0) if job is None else (job.segments, job.items)
    return Progress(
        name=name,
        segments=segments,
        done_segments=found.done,
        finished=job is not None and job.finished is not None,
        items=items,
        scanned=counts.scanned,
        changed=counts.changed,
        skipped=counts.skipped,
        conflicts=counts.conflicts,
        failed=len(found.failures),
        capacity=counts.capacity,
        rate=rate,
        seconds_left=seconds_left(items=items, scanned=counts.scanned, segments=segments, done=found.done, rate=rate),
    )
