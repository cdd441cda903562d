"""Writes the ledger without running anything."""

from __future__ import annotations

from collections.abc import Sequence

from dynamorm_async.migrations.history import Entry
from dynamorm_async.migrations.ledger import LedgerWriter
from dynamorm_async.migrations.record import LedgerRecord


async def accept(writer: LedgerWriter, entries: Sequence[Entry]) -> None:
    """Write down the files of applied migrations as they are now, where they are others."""
    for entry in entries:
        record, file = entry.record, entry.file
        if entry.is_changed and record is not None and file is not None:
            record.name, record.checksum = file.name, file.checksum
            await writer.put(record)


async def stamp_all(writer: LedgerWriter, entries: Sequence[Entry], *, to: int) -> list[Entry]:
    """Make the ledger say that everything up to a migration is applied, and nothing after it.

    Those that are applied by these very files stay as they are. What goes is taken away first, the last one first, so that a
    ledger which is written in part never has a gap.

    Args:
        writer: writes the ledger.
        entries: all migrations.
        to: the number of the last one that counts as applied.

    Returns:
        The migrations as they are then; those that are in neither place any more are left out.
    """
    for entry in reversed(entries):
        if entry.number > to and entry.record is not None:
            await writer.delete(entry.record)
    now: list[Entry] = []
    for entry in entries:
        record = entry.record
        if entry.number > to:
            record = None
        elif not entry.is_applied or entry.is_changed:
            record = _stamped(writer, entry)
            await writer.put(record)
        if record is not None or entry.file is not None:
            now.append(Entry(number=entry.number, file=entry.file, record=record))
    return now


def _stamped(writer: LedgerWriter, entry: Entry) -> LedgerRecord:
    at = writer.lease.timing.wall()
    record, file = entry.record, entry.file
    if file is not None:
        record = record or writer.ledger.record(file, token=writer.lease.token, at=at)
        record.name, record.checksum = file.name, file.checksum
    assert record is not None, "an entry has a file or a record"  # noqa: S101 - what an entry is
    if not record.is_applied:
        record.started, record.stamped = None, True
    record.state, record.direction, record.finished, record.error, record.steps = "applied", "up", at, None, []
    return record
