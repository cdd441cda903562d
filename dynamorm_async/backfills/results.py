"""What a backfill has done so far, and in the end."""

from __future__ import annotations

from typing import final

import msgspec


@final
class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to items, of a page, a segment or a whole backfill.

    Attributes:
        scanned: items that were read from the table, those that the filter drops included.
        changed: items that were written.
        skipped: items that the filter let through and that needed no write: nothing to change, or gone meanwhile.
        conflicts: writes that were made again, since somebody else had written the item in between.
        capacity: read and write units that DynamoDB reports.
    """

    scanned: int = 0
    changed: int = 0
    skipped: int = 0
    conflicts: int = 0
    capacity: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            scanned=self.scanned + other.scanned,
            changed=self.changed + other.changed,
            skipped=self.skipped + other.skipped,
            conflicts=self.conflicts + other.conflicts,
            capacity=self.capacity + other.capacity,
        )


@final
class BackfillResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a backfill has done, in all processes and runs together.

    Attributes:
        scanned: items that were read from the table, those of other models and those that ``where=`` drops included.
        changed: items that were written.
        skipped: items that matched and needed no write: nothing to change, or gone meanwhile. Of a copy, items that the
            target had already, and those that the transform left out.
        conflicts: writes that were made again, since somebody else had written the item in between.
        failed: items that could not be changed.
        seconds: how long this run took, in this process.
        capacity: read and write units that items consumed, by what DynamoDB reports.
    """

    scanned: int
    changed: int
    skipped: int
    conflicts: int
    failed: int
    seconds: float
    capacity: float


@final
class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill is, in all processes together.

    Attributes:
        name: the backfill's name.
        segments: how many segments it has; 0 where it was never begun.
        done_segments: how many of them are done.
        finished: whether all are, and the backfill with them.
        items: about how many items the table has, by DynamoDB's own count, which is hours old.
        scanned: items that were read.
        changed: items that were written.
        skipped: items that needed no write.
        conflicts: writes that were made again.
        failed: items that could not be changed.
        capacity: read and write units consumed.
        rate: items read a second: since this run began, or since the backfill was begun, pauses included, of ``status()``.
        seconds_left: about how many seconds are left at that rate; ``None`` where that is not known.
    """

    name: str
    segments: int
    done_segments: int
    finished: bool
    items: int
    scanned: int
    changed: int
    skipped: int
    conflicts: int
    failed: int
    capacity: float
    rate: float
    seconds_left: float | None

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1: by items where their number is known, else by segments."""
        if self.finished:
            return 1.0
        by_segments = self.done_segments / self.segments if self.segments else 0.0
        return max(by_segments, min(0.99, self.scanned / self.items)) if self.items else by_segments

    def __str__(self) -> str:
        left = "" if self.seconds_left is None or self.finished else f", about {self.seconds_left:,.0f} s left"
        return (
            f"{self.name}: {self.fraction:.0%}, {self.done_segments} of {self.segments} segments, {self.scanned:,} items read, "
            f"{self.changed:,} changed, {self.skipped:,} skipped, {self.failed:,} failed, {self.rate:,.0f} items/s{left}"
        )


def seconds_left(*, items: int, scanned: int, segments: int, done: int, rate: float) -> float | None:
    """About how long the rest takes; ``None`` where nothing tells.

    Args:
        items: how many items the table has, by DynamoDB's count, which may be old, or 0 of a new table.
        scanned: how many were read.
        segments: how many parts the table is read in.
        done: how many of them are done.
        rate: items read a second.
    """
    if done >= segments > 0:
        return 0.0
    by_segments = scanned * segments // done if done else 0
    # A count that is reached while segments are left was too low.
    expected = items if items > scanned else by_segments
    return (expected - scanned) / rate if rate > 0 and expected > scanned else None
