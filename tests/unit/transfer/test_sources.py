"""The bytes of a file: unzipped, from whatever gives them, and never believed where it is damaged."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from dynamorm_async import FileError, UsageError
from dynamorm_async.transfer import sources
from dynamorm_async.transfer.lines import LONGEST, LineReader
from dynamorm_async.transfer.sources import ByteSource

pytestmark = pytest.mark.anyio

TEXT = b"".join(b"line %d\n" % n for n in range(100_000))


async def everything(origin: Any, name: str | None = None) -> bytes:
    found = b""
    async with ByteSource(origin, name=name) as source:
        while piece := await source.read():
            assert len(piece) <= sources.CHUNK
            found += piece
    return found


async def lines_of(content: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    async with ByteSource(io.BytesIO(content)) as source:
        reader = LineReader(source)
        while some := await reader.some():
            found += some
    return found


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield b""
        yield content[start : start + size]


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzipped"])
async def test_everything_that_can_be_read_is_read(tmp_path: Path, content: bytes) -> None:
    """A path, an open file, an object, an async file and an async iterable give the same; whether it is zipped, it says."""
    path = tmp_path / "items"
    path.write_bytes(content)
    assert await everything(path) == TEXT
    assert await everything(str(path)) == TEXT
    assert await everything(io.BytesIO(content)) == TEXT
    assert await everything(pieces(content, 7919)) == TEXT
    with path.open("rb") as file:
        assert await everything(file) == TEXT
        assert not file.closed
    async with await anyio.open_file(path, "rb") as opened:
        assert await everything(opened) == TEXT


async def test_the_first_byte_may_come_alone() -> None:
    """That a file is zipped is noticed however little comes at once."""
    assert await everything(pieces(gzip.compress(b"abc"), 1)) == b"abc"
    assert await everything(pieces(b"\x1f", 1)) == b"\x1f"


async def test_joined_and_padded_gzip_files_are_one() -> None:
    """As gunzip reads them."""
    assert (
        await everything(io.BytesIO(gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"c") + b"\0" * 9))
        == b"abc"
    )


async def test_padding_of_any_length_is_passed_over() -> None:
    """Also where it reaches over several pieces, or a piece begins with it."""
    zipped = gzip.compress(b"abc")
    assert await everything(io.BytesIO(zipped + bytes(3 * sources.CHUNK))) == b"abc"
    assert await everything(pieces(zipped + bytes(5) + zipped + bytes(5), 1)) == b"abcabc"


async def test_a_small_file_of_gigabytes_is_read_in_pieces() -> None:
    """What a piece of the file holds is not unzipped at once."""
    size = 0
    bomb = gzip.compress(bytes(50 * 1024 * 1024))
    async with ByteSource(io.BytesIO(bomb)) as source:
        while piece := await source.read():
            size += len(piece)
            assert len(piece) <= sources.CHUNK
    assert size == 50 * 1024 * 1024


async def test_a_cut_or_changed_gzip_file_is_noticed(tmp_path: Path) -> None:
    """At any place, its last bytes included; and what is called .gz and is not."""
    content = gzip.compress(TEXT)
    for cut in (*range(2, 24), len(content) // 2, *range(len(content) - 9, len(content))):
        with pytest.raises(FileError, match=r"is cut|damaged"):
            await everything(io.BytesIO(content[:cut]))
    changed = bytearray(content)
    changed[-5] ^= 1
    with pytest.raises(FileError, match="damaged gzip data"):
        await everything(io.BytesIO(bytes(changed)))
    with pytest.raises(FileError, match="damaged gzip data"):
        await everything(io.BytesIO(content + b"rubbish"))
    path = tmp_path / "items.json.gz"
    path.write_bytes(b'{"Item": {}}\n')
    with pytest.raises(FileError, match=r"items\.json\.gz: is called \.gz, but is not a gzip file"):
        await everything(path)
    path.write_bytes(b"")
    with pytest.raises(FileError, match="is empty"):
        await everything(path)


async def test_what_gives_no_bytes_is_refused(tmp_path: Path) -> None:
    """A file that was opened as text, and what is no file."""
    with pytest.raises(UsageError, match="open it as binary"):
        await everything(io.StringIO("abc"))
    with pytest.raises(UsageError, match="a path, a binary file object"):
        await everything(17)
    with pytest.raises(FileNotFoundError):
        await everything(tmp_path / "nothing")


async def test_lines_are_numbered_whatever_ends_them() -> None:
    """LF or CRLF, with or without a last one; blank lines are passed over and counted; a byte order mark is no content."""
    assert await lines_of(b"a\nb\n") == [(1, b"a"), (2, b"b")]
    assert await lines_of(b"\xef\xbb\xbfa\r\n\r\n \t\n b \r\nc") == [(1, b"a"), (4, b"b"), (5, b"c")]
    assert await lines_of(b"") == []
    assert await lines_of(b"\n\n") == []
    assert await lines_of(b"\xef\xbb\xbf") == []


async def test_long_lines_come_whole() -> None:
    """Also where they reach over many pieces; one that no item can have ends the reading."""
    long = b"x" * 1_500_000
    assert await lines_of(b"a\n" + long + b"\n" + long) == [(1, b"a"), (2, long), (3, long)]
    with pytest.raises(FileError, match=r"^line 2: has more than 16,777,216 bytes"):
        await lines_of(b"a\n" + b"x" * (LONGEST + 1))
