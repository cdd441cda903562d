"""What of the migrations was applied, and what is to be run. Pure: the files and the ledger's records in, a decision out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import msgspec

from dynamorm_async import MigrationRefused, UsageError
from dynamorm_async.migrations.files import MigrationFile
from dynamorm_async.migrations.record import LedgerRecord


@final
class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One migration: its file, its record in the ledger, or both.

    Attributes:
        number: its number.
        file: as it is in the folder; ``None`` where it is missing there.
        record: as it is in the ledger; ``None`` where it was never begun.
    """

    number: int
    file: MigrationFile | None = None
    record: LedgerRecord | None = None

    @property
    def name(self) -> str:
        """The name that people know it by: of the file, else of the record."""
        if self.file is not None:
            return self.file.name
        return "" if self.record is None else self.record.name

    @property
    def is_applied(self) -> bool:
        """Whether it is applied."""
        return self.record is not None and self.record.is_applied

    @property
    def is_changed(self) -> bool:
        """Whether it is applied and its file is another one since."""
        if self.file is None or self.record is None or not self.is_applied:
            return False
        return (self.file.name, self.file.checksum) != (self.record.name, self.record.checksum)

    @property
    def is_half_reverted(self) -> bool:
        """Whether it was begun to be reverted, and that is not finished."""
        return self.record is not None and not self.is_applied and self.record.direction == "down"


def entries_of(files: Sequence[MigrationFile], records: Mapping[int, LedgerRecord]) -> tuple[Entry, ...]:
    """Files and records together, by their numbers."""
    by_number = {file.number: file for file in files}
    numbers = sorted(by_number.keys() | records.keys())
    return tuple(Entry(number=number, file=by_number.get(number), record=records.get(number)) for number in numbers)


def number_of(target: int | str, files: Sequence[MigrationFile]) -> int:
    """The number of a migration that a caller names: ``3``, ``"0003"`` or ``"0003_name"``; 0 is before the first.

    Raises:
        UsageError: there is no such migration.
    """
    text = str(target).removesuffix(".py")
    digits = text.split("_", 1)[0]
    number = int(digits) if digits.isascii() and digits.isdigit() else -1
    found = next((file for file in files if file.number == number), None)
    if (number == 0 and text == digits) or (found is not None and text in (digits, found.name)):
        return number
    known = ", ".join(file.name for file in files) or "none"
    raise UsageError(
        f"to={target!r}: there is no such migration; there are: {known}. Name it by its number or its file"
    )


def to_apply(
    entries: Sequence[Entry], *, to: int | None, accept_changed: bool, allow_out_of_order: bool
) -> tuple[Entry, ...]:
    """The migrations that ``up`` is to run, in order: those that were not finished, and those that were not begun.

    Args:
        entries: all of them.
        to: the last one to run; ``None`` is all.
        accept_changed: whether applied ones may be others by now.
        allow_out_of_order: whether one may be run although a later one is applied.

    Raises:
        MigrationRefused: the files and the ledger do not fit.
    """
    reasons = [] if accept_changed else list(_changed(entries))
    todo = [entry for entry in entries if not entry.is_applied and (to is None or entry.number <= to)]
    last = max((entry.number for entry in entries if entry.is_applied), default=0)
    for entry in todo:
        if entry.file is None:
            reasons.append(_begun_without_file(entry))
        elif entry.is_half_reverted:
            reasons.append(f"{entry.name} was begun to be reverted, and that is not finished: down() finishes it")
        elif entry.record is None and entry.number < last and not allow_out_of_order:
            later = next(one.name for one in entries if one.number == last)
            reasons.append(
                f"{entry.name} was not applied, but {later} was: give its file the number after the last, or run it all the "
                "same with allow_out_of_order=True"
            )
    if reasons:
        raise MigrationRefused(reasons)
    return tuple(todo)


def to_revert(
    entries: Sequence[Entry], *, to: int | None, steps: int | None, accept_changed: bool
) -> tuple[Entry, ...]:
    """The migrations that ``down`` is to revert, the last one first.

    Args:
        entries: all of them.
        to: the last one that is to stay applied; 0 is none.
        steps: how many to revert, where ``to`` is not given; ``None`` is one.
        accept_changed: whether the files may be others than were applied.

    Raises:
        MigrationRefused: one of them cannot be reverted.
    """
    begun = [entry for entry in reversed(entries) if entry.record is not None]
    todo = begun[: steps or 1] if to is None else [entry for entry in begun if entry.number > to]
    reasons = [reason for entry in todo for reason in _irreversible(entry, accept_changed=accept_changed)]
    if reasons:
        raise MigrationRefused(reasons)
    return tuple(todo)


def check_how_many(to: int | str | None, steps: int | None) -> None:
    """What ``down`` is asked for makes sense.

    Raises:
        UsageError: both are given, or a number below 1.
    """
    if to is not None and steps is not None:
        raise UsageError(f"down(to={to!r}, steps={steps!r}): give one of them")
    if steps is not None and steps < 1:
        raise UsageError(f"down(steps={steps!r}): how many to revert is 1 or more")


def _changed(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        if not entry.is_changed or entry.file is None or entry.record is None:
            continue
        if entry.file.name != entry.record.name:
            yield (
                f"{entry.record.name} is applied, and the file of that number is {entry.file.name}: give the new one the "
                "number after the last, or, where it was renamed only, go on with accept_changed=True"
            )
        else:
            yield (
                f"{entry.name} was changed since it was applied: put back what was applied and write the change as a new "
                "migration or, where it makes no difference, go on with accept_changed=True"
            )


def _begun_without_file(entry: Entry) -> str:
    return f"{entry.name} was begun and is not finished, and its file is missing: restore it"


def _irreversible(entry: Entry, *, accept_changed: bool) -> Iterator[str]:
    if entry.file is None:
        yield f"{entry.name} is in the ledger, and its file is missing: restore it, or stamp() the ledger"
    elif not entry.file.has_downgrade:
        yield f"{entry.name} cannot be reverted: it has no `async def downgrade(context)`. Nothing was reverted"
    elif not accept_changed:
        yield from _changed([entry])
