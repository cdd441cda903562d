"""The lines of a file, numbered, whatever ends them."""

from __future__ import annotations

import codecs
from typing import Final, Protocol, TypeAlias, final

from dynamorm_async.errors import FileError

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a line at most: an item of 400 KB has a few MB, however its JSON is escaped."""

Line: TypeAlias = tuple[int, bytes]
"""The number of a line, from 1, and its content without what ends it."""


class _Source(Protocol):
    name: str | None

    async def read(self) -> bytes: ...


@final
class LineReader:
    """Reads the lines of a file. Lines end with LF or CRLF; the last may lack it. A byte order mark is passed over.

    Args:
        source: gives the bytes.

    Attributes:
        number: the number of the last line that was read.
    """

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._rest: list[bytes] = []  # of a line whose end was not read yet
        self._rest_size = 0
        self._ended = False
        self.number = 0

    async def some(self) -> list[Line]:
        """The next lines that are not blank; none at the end.

        Raises:
            FileError: a line is too long to be an item, or the file is damaged.
        """
        while not self._ended:
            found = self._numbered(await self._more())
            if found:
                return found
        return []

    async def _more(self) -> list[bytes]:
        """The lines that end in the next piece of the file."""
        piece = await self._source.read()
        if not piece:
            self._ended = True
            last = b"".join(self._rest)
            return [last] if last else []
        first, *others = piece.split(b"\n")
        self._rest.append(first)
        self._rest_size += len(first)
        if self._rest_size > LONGEST:
            raise FileError(
                f"has more than {LONGEST:,} bytes, so it is no item: is the file one of JSON lines, an item each?",
                file=self._source.name,
                line=self.number + 1,
            )
        if not others:
            return []
        *whole, rest = others
        whole.insert(0, b"".join(self._rest))
        self._rest, self._rest_size = [rest], len(rest)
        return whole

    def _numbered(self, lines: list[bytes]) -> list[Line]:
        found: list[Line] = []
        for line in lines:
            if self.number == 0:
                line = line.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901 - the same line
            self.number += 1
            content = line.strip(b" \t\r")
            if content:
                found.append((self.number, content))
        return found
