"""What is run is decided by the files and the ledger alone."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import MigrationRefused, UsageError
from dynamorm_async.migrations.history import check_how_many, entries_of, number_of, to_apply, to_revert
from dynamorm_async.migrations.record import LedgerRecord
from tests.unit.migrations.making import file, record

FILES = [file(1), file(2), file(3)]


def applied(*records: LedgerRecord) -> dict[int, LedgerRecord]:
    return {one.number: one for one in records}


def up(
    records: dict[int, LedgerRecord], *, files: list[Any] = FILES, to: int | None = None, **allowed: bool
) -> list[int]:
    options = {"accept_changed": False, "allow_out_of_order": False} | allowed
    return [entry.number for entry in to_apply(entries_of(files, records), to=to, **options)]


def down(records: dict[int, LedgerRecord], *, files: list[Any] = FILES, **options: Any) -> list[int]:
    given: dict[str, Any] = {"to": None, "steps": None, "accept_changed": False} | options
    return [entry.number for entry in to_revert(entries_of(files, records), **given)]


def test_up_runs_what_is_left() -> None:
    """What is not applied, in order, up to the one that is named."""
    assert up({}) == [1, 2, 3]
    assert up(applied(record(1))) == [2, 3]
    assert up(applied(record(1)), to=2) == [2]
    assert up(applied(record(1), record(2)), to=1) == []
    assert up(applied(record(1), record(2), record(3))) == []


@pytest.mark.parametrize("state", ["running", "failed"])
def test_up_goes_on_with_what_was_begun(state: str) -> None:
    """One that is not finished comes first, also where its file was mended since."""
    assert up(applied(record(1), record(2, state=state, text="before it was mended"))) == [2, 3]


def test_up_refuses_an_applied_file_that_was_changed() -> None:
    """Wherever it stands and whether or not anything is pending, unless that is accepted."""
    records = applied(record(1, text="other"), record(2), record(3))
    with pytest.raises(MigrationRefused, match="0001_change was changed since it was applied"):
        up(records)
    assert up(records, accept_changed=True) == []


def test_up_refuses_a_number_that_is_taken() -> None:
    """Another migration of that number was applied, as after a merge."""
    with pytest.raises(MigrationRefused, match="0002_theirs is applied, and the file of that number is 0002_change"):
        up(applied(record(1), record(2, name="theirs")))


def test_up_refuses_to_go_back() -> None:
    """What stands before one that is applied is run only where that is allowed."""
    records = applied(record(1), record(3))
    with pytest.raises(MigrationRefused, match="0002_change was not applied, but 0003_change was"):
        up(records)
    assert up(records, allow_out_of_order=True) == [2]


def test_up_leaves_applied_ones_without_files_alone() -> None:
    """A program of before the last migration starts as well: it has nothing to do."""
    assert up(applied(record(1), record(2), record(3), record(4))) == []


def test_up_refuses_what_was_begun_and_has_no_file() -> None:
    """Nobody could finish it."""
    with pytest.raises(MigrationRefused, match="0004_change was begun and is not finished, and its file is missing"):
        up(applied(record(1), record(2), record(3), record(4, state="failed")))


def test_up_refuses_what_is_half_reverted() -> None:
    """What was begun to be reverted is reverted first."""
    records = applied(record(1), record(2, state="failed", direction="down"))
    with pytest.raises(MigrationRefused, match="0002_change was begun to be reverted"):
        up(records)
    assert up(records, to=1) == []
    assert down(records) == [2]


def test_all_reasons_are_told() -> None:
    """A refusal names everything that is in the way."""
    with pytest.raises(MigrationRefused) as caught:
        up(applied(record(1, text="other"), record(3)))
    assert len(caught.value.reasons) == 2
    assert str(caught.value).startswith("no migration was run:\n  0001_change")


def test_down_reverts_the_last() -> None:
    """One, some, or down to one; those that were begun count."""
    records = applied(record(1), record(2), record(3, state="failed"))
    assert down(records) == [3]
    assert down(records, steps=2) == [3, 2]
    assert down(records, steps=9) == [3, 2, 1]
    assert down(records, to=1) == [3, 2]
    assert down(records, to=0) == [3, 2, 1]
    assert down({}) == []


def test_down_refuses_before_anything_is_reverted() -> None:
    """No downgrade, a changed file, no file: each is a reason, also where the others could be reverted."""
    records = applied(record(1), record(2, text="other"), record(3), record(4))
    files = [file(1, downgrade=False), file(2), file(3)]
    with pytest.raises(MigrationRefused) as caught:
        down(records, files=files, to=0)
    missing, changed, forever = caught.value.reasons
    assert missing.startswith("0004_change is in the ledger, and its file is missing")
    assert changed.startswith("0002_change was changed since it was applied")
    assert forever.startswith("0001_change cannot be reverted: it has no `async def downgrade(context)`")
    assert down(applied(record(2, text="other")), accept_changed=True) == [2]


@pytest.mark.parametrize(("to", "steps"), [(1, 1), (None, 0), (None, -1)])
def test_down_refuses_what_makes_no_sense(to: int | None, steps: int) -> None:
    """Both ways to say how far, or a number below 1."""
    with pytest.raises(UsageError, match="down\\("):
        check_how_many(to, steps)


@pytest.mark.parametrize(
    ("target", "number"), [(2, 2), ("2", 2), ("0002", 2), ("0002_change", 2), ("0002_change.py", 2)]
)
def test_a_migration_is_named_in_several_ways(target: int | str, number: int) -> None:
    """By number, with or without zeros, and by file."""
    assert number_of(target, FILES) == number


def test_zero_is_before_the_first() -> None:
    """As a number and as text."""
    assert (number_of(0, FILES), number_of("0", FILES), number_of("0000", [])) == (0, 0, 0)


@pytest.mark.parametrize("target", [4, "4", "0002_other", "change", "", -1, "0000_change", "²"])
def test_a_wrong_name_is_refused(target: int | str) -> None:
    """With the names that there are."""
    with pytest.raises(UsageError, match="0001_change, 0002_change, 0003_change"):
        number_of(target, FILES)
