"""What exports and imports tell: how far they are, and what came of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, final

import msgspec

Format: TypeAlias = Literal["dynamodb", "json"]
"""``dynamodb``: DynamoDB's own JSON, as stored. ``json``: plain JSON by the types of models."""


@final
class ExportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an export has written so far; final where it is returned.

    Attributes:
        items: how many items.
        size: bytes of the file, before compression.
    """

    items: int = 0
    size: int = 0


@final
class LineFailure(msgspec.Struct, frozen=True):
    """One line that was not imported.

    Attributes:
        line: which one, from 1.
        error: why: ``FileError`` of a line that is no item, ``DecodeError`` of one that does not fit its model,
            ``ItemTooLarge``, ``NotUnique``, or what DynamoDB refused it with.
    """

    line: int
    error: Exception

    def __str__(self) -> str:
        return f"line {self.line}: {self.error}"


@final
class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has done so far; final where it is returned.

    Every item of the lines before ``next_line`` is counted in exactly one of the others.

    Attributes:
        written: how many items DynamoDB has confirmed.
        existing: how many were left out, because an item with their key was there (``mode="new"``).
        replaced: how many were not sent, because a later line has the same key.
        failures: the lines that could not be imported.
        next_line: the first line that is not settled: where a repeated import begins.
    """

    written: int = 0
    existing: int = 0
    replaced: int = 0
    failures: tuple[LineFailure, ...] = ()
    next_line: int = 1

    def __repr__(self) -> str:
        counts = f"written={self.written}, existing={self.existing}, replaced={self.replaced}"
        return f"ImportResult({counts}, failures={len(self.failures)}, next_line={self.next_line})"


OnExport: TypeAlias = Callable[[ExportResult], Awaitable[object]]
"""What is told how far an export is."""

OnImport: TypeAlias = Callable[[ImportResult], Awaitable[object]]
"""What is told how far an import is."""
