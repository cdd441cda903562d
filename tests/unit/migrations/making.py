"""Folders, files and records of migrations for tests."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dynamorm_async.migrations.files import MigrationFile, checksum_of
from dynamorm_async.migrations.record import LedgerRecord

AT = datetime(2026, 1, 1, tzinfo=UTC)
UPGRADE = "async def upgrade(context):\n    pass\n"


def write(folder: Path, name: str, text: str = UPGRADE) -> Path:
    """A file with a text, dedented."""
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    return path


def file(number: int, *, name: str = "change", text: str = UPGRADE, downgrade: bool = True) -> MigrationFile:
    """A file that was read."""
    stem = f"{number:04}_{name}"
    return MigrationFile(
        number=number,
        name=stem,
        path=Path(f"{stem}.py"),
        text=text,
        checksum=checksum_of(text),
        description="",
        has_downgrade=downgrade,
    )


def record(number: int, *, name: str = "change", text: str = UPGRADE, **values: Any) -> LedgerRecord:
    """A record of the ledger: of one that is applied, unless said otherwise."""
    given: dict[str, Any] = {"state": "applied", "run": 1, "token": 1} | values
    stem = f"{number:04}_{name}"
    return LedgerRecord(pk="migrations#main", sk=f"{number:04}", name=stem, checksum=checksum_of(text), **given)
