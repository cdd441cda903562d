"""The lines of an import in windows, and whether the file is whole."""

from __future__ import annotations

from typing import Final, final

from dynamorm_async.errors import FileError
from dynamorm_async.transfer.header import is_mark, items_said_by
from dynamorm_async.transfer.lines import Line, LineReader
from dynamorm_async.transfer.typed_json import parse_line

MOST_LINES: Final = 1000
"""Lines of a window at most."""

_MOST_BYTES: Final = 8 * 1024 * 1024


@final
class Windows:
    """The lines of a file in windows of a thousand or so, from the one to start at.

    Args:
        reader: the lines.
        start_at: the first line that is wanted.
        file: the file's name, for errors.
    """

    def __init__(self, reader: LineReader, start_at: int, file: str | None) -> None:
        self._reader = reader
        self._start_at = start_at
        self._file = file
        self._ahead: list[Line] = []
        self._index = 0  # of the next line of those
        self._counted = False
        self._items = 0  # lines of items so far, those before the one to start at included
        self._said: int | None = None  # by the last line
        self._error: FileError | OSError | None = None

    async def first(self) -> Line | None:
        """The first line of the file, which stays to be read."""
        self._ahead = await self._reader.some()
        return self._ahead[0] if self._ahead else None

    def ends_with_count(self) -> None:
        """The first line was no item, and the last one says how many items there are."""
        self._counted = True
        self._index = 1

    async def next(self) -> list[Line]:
        """The next lines; none at the end.

        Raises:
            FileError: the file is cut or damaged.
            OSError: it cannot be read.
        """
        window: list[Line] = []
        size = 0
        try:
            while self._error is None and len(window) < MOST_LINES and size < _MOST_BYTES:
                line = await self._line()
                if line is None:
                    break
                if line[0] >= self._start_at:
                    window.append(line)
                    size += len(line[1])
        except (FileError, OSError) as error:
            self._error = error
        if self._error is not None and not window:  # what stands before it comes first
            raise self._error
        return window

    async def _line(self) -> Line | None:
        """The next line of an item; ``None`` at the end."""
        while True:
            if self._index == len(self._ahead):
                self._ahead, self._index = await self._reader.some(), 0
                if not self._ahead:
                    self._check_end()
                    return None
            line = self._ahead[self._index]
            self._index += 1
            if not self._counted:
                return line
            if not self._is_count(line):
                self._items += 1
                return line

    def _is_count(self, line: Line) -> bool:
        """Whether a line is the last one, which is no item.

        Raises:
            FileError: there is a line after it.
        """
        number, text = line
        if self._said is not None:
            raise FileError(
                "stands after the line that ends the export: are these two files joined? Import each by itself",
                file=self._file,
                line=number,
            )
        if is_mark(text):
            try:
                self._said = items_said_by(parse_line(text))
            except ValueError:
                return False
        return self._said is not None

    def _check_end(self) -> None:
        """Refuse a file that is cut between two lines, or that lacks some.

        Raises:
            FileError: it is, or does.
        """
        if not self._counted:
            return
        if self._said is None:
            raise FileError("is cut: its last line does not say how many items there are", file=self._file)
        if self._said != self._items:
            raise FileError(
                f"says at its end that it has {self._said} items, and has {self._items}: lines are missing, or were added. "
                "Where that is meant, change the number in its last line",
                file=self._file,
            )
