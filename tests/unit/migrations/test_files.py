"""Files of migrations are read in order, and what could not be run is refused before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamorm_async import MigrationInvalid
from dynamorm_async.migrations.files import checksum_of, read_folder
from tests.unit.migrations.making import write


def test_files_are_read_in_order(tmp_path: Path) -> None:
    """By their numbers, with the first line of their docstrings; what begins with _ and what is no Python is left alone."""
    write(
        tmp_path,
        "0002_second",
        '''
        """Add an index.

        And more.
        """

        async def upgrade(context, /): ...
        async def downgrade(context): ...
        ''',
    )
    write(tmp_path, "0001_first")
    write(tmp_path, "_helpers", "no Python")
    (tmp_path / "README.md").write_text("words")
    first, second = read_folder(tmp_path)
    assert (first.number, first.name, first.description, first.has_downgrade) == (1, "0001_first", "", False)
    assert (second.number, second.description, second.has_downgrade) == (2, "Add an index.", True)
    assert second.path == tmp_path / "0002_second.py"


def test_the_first_number_may_be_any(tmp_path: Path) -> None:
    """A folder of which the oldest files were taken away goes on from there."""
    write(tmp_path, "0041_a")
    write(tmp_path, "0042_b")
    assert [file.number for file in read_folder(tmp_path)] == [41, 42]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("1_short", "", "0001_add_email_index"),
        ("0000_zero", "", "0001_add_email_index"),
        ("0001-dash", "", "0001_add_email_index"),
        ("0001_Upper", "", "0001_add_email_index"),
        ("models", "", "0001_add_email_index"),
        ("0001_" + "long" * 30, "", "100 characters"),
        ("0001_a", "def upgrade(:", "0001_a.py is no Python"),
        ("0001_a", "x = 1", "0001_a.py has no upgrade"),
        ("0001_a", "def upgrade(context): ...", "0001_a.py, line 1: write `async def upgrade"),
        ("0001_a", "async def upgrade(): ...", "0001_a.py, line 1: write `async def upgrade"),
        ("0001_a", "async def upgrade(context, *, more): ...", "0001_a.py, line 1: write `async def upgrade"),
        (
            "0001_a",
            "async def upgrade(context): ...\ndef downgrade(context): ...",
            "line 2: write `async def downgrade",
        ),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    """Each wrong file is named, with what to write instead."""
    write(tmp_path, name, text)
    with pytest.raises(MigrationInvalid) as caught:
        read_folder(tmp_path)
    (reason,) = caught.value.reasons
    assert said in reason


def test_files_of_editors_are_passed_over(tmp_path: Path) -> None:
    """What begins with a dot or an underscore is no migration."""
    for name in ("0001_a", ".0002_b", "._0001_a", "_notes"):
        write(tmp_path, name, "async def upgrade(context): ...")
    assert [file.name for file in read_folder(tmp_path)] == ["0001_a"]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8 is named."""
    (tmp_path / "0001_a.py").write_bytes(b"# \xff\n")
    with pytest.raises(MigrationInvalid, match=r"0001_a\.py is no Python"):
        read_folder(tmp_path)


def test_gaps_and_repeated_numbers_are_refused(tmp_path: Path) -> None:
    """Everything that is wrong with a folder is told at once."""
    for name in ("0001_a", "0002_b", "0002_c", "0004_d", "x"):
        write(tmp_path, name)
    with pytest.raises(MigrationInvalid) as caught:
        read_folder(tmp_path)
    wrong_name, repeated, gap = caught.value.reasons
    assert wrong_name.startswith("x.py")
    assert repeated.startswith("0002_b and 0002_c have the same number")
    assert gap.startswith("0004_d comes after 0002_c, and 0003 is missing")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """A folder that is not there is no folder without migrations."""
    with pytest.raises(MigrationInvalid, match=r"there is no folder .*nowhere"):
        read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("same", ["a\r\nb\r\n", "a\nb", "a  \nb\t\n\n\n", "a\nb\n"])
def test_line_ends_do_not_change_a_checksum(same: str) -> None:
    """What editors and git do to line ends and blanks at the end is no change."""
    assert checksum_of(same) == checksum_of("a\nb\n")


@pytest.mark.parametrize("other", ["a\n b\n", "a\n\nb\n", "ab\n", "\na\nb\n"])
def test_everything_else_changes_a_checksum(other: str) -> None:
    """Indentation and lines count."""
    assert checksum_of(other) != checksum_of("a\nb\n")


def test_a_byte_order_mark_is_no_change(tmp_path: Path) -> None:
    """A file that an editor saved with a mark has the checksum of the same without."""
    (tmp_path / "0001_a.py").write_text("async def upgrade(context): ...\n", encoding="utf-8-sig")
    (file,) = read_folder(tmp_path)
    assert file.checksum == checksum_of("async def upgrade(context): ...\n")
