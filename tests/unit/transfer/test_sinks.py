"""Where an export goes: a file that is whole or not there, and objects that are the caller's."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
from pathlib import Path

import anyio
import pytest

from dynamorm_async import UsageError
from dynamorm_async.transfer.sinks import CHUNK, open_sink

pytestmark = pytest.mark.anyio

LINES = [b"x" * 1000 + b"\n"] * (2 * CHUNK // 1000)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def write(target: object, *, overwrite: bool = False, zipped: bool | None = None) -> int:
    async with open_sink(target, gzip=zipped, overwrite=overwrite) as sink:  # type: ignore[arg-type]  # also what is none
        for line in LINES:
            await sink.add(line)
    return sink.size


async def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    """Until then nothing has that name, and what had it stays; afterwards nothing else is left."""
    path = tmp_path / "items.jsonl"
    path.write_bytes(b"old")
    async with open_sink(path, gzip=None, overwrite=True) as sink:
        for line in LINES:
            await sink.add(line)
        assert path.read_bytes() == b"old"
        assert len(files_in(tmp_path)) == 2
    assert path.read_bytes() == b"".join(LINES)
    assert files_in(tmp_path) == [path]


async def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    """An error or a cancellation in the block: no file, and no part of one."""
    path = tmp_path / "items.jsonl"
    with pytest.raises(ValueError, match="boom"):  # noqa: PT012 - the block is what fails
        async with open_sink(path, gzip=None, overwrite=False) as sink:
            await sink.add(LINES[0])
            raise ValueError("boom")
    assert files_in(tmp_path) == []
    with anyio.CancelScope() as scope:
        async with open_sink(path, gzip=None, overwrite=False) as sink:
            await sink.add(LINES[0])
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert files_in(tmp_path) == []


async def test_a_task_that_asyncio_cancels_leaves_nothing(tmp_path: Path) -> None:
    """Whatever its thread is at: opening, writing, or nothing."""

    async def export() -> None:
        async with open_sink(tmp_path / "items.jsonl", gzip=True, overwrite=False) as sink:
            while True:
                await sink.add(b"".join(LINES))

    for turns in range(12):
        task = asyncio.ensure_future(export())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert files_in(tmp_path) == []


async def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """An export that was made before is worth more than this one."""
    path = tmp_path / "items.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(UsageError, match="is there already"):
        await write(path)
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == [path]
    with pytest.raises(FileNotFoundError):
        await write(tmp_path / "no folder" / "items.jsonl")


@pytest.mark.parametrize("has_links", [True, False])
async def test_a_file_that_came_up_meanwhile_is_not_replaced_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """An export takes hours, and another may have ended first; on file systems without links as well."""

    def refuse(_part: Path, _path: Path) -> None:
        raise PermissionError("no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "items.jsonl"
    with pytest.raises(UsageError, match="is there already"):  # noqa: PT012 - the end of the block is what fails
        async with open_sink(path, gzip=None, overwrite=False) as sink:
            await sink.add(LINES[0])
            path.write_bytes(b"first")
    assert path.read_bytes() == b"first"
    assert files_in(tmp_path) == [path]
    path.unlink()
    await write(path)
    assert files_in(tmp_path) == [path]


async def test_compression_goes_by_the_suffix(tmp_path: Path) -> None:
    """And by what is asked for, where that is said. The size is that of the lines."""
    whole = b"".join(LINES)
    for name, zipped, is_zipped in (
        ("a.gz", None, True),
        ("b", None, False),
        ("c", True, True),
        ("d.gz", False, False),
    ):
        assert await write(tmp_path / name, zipped=zipped) == len(whole)
        content = (tmp_path / name).read_bytes()
        assert (gzip.decompress(content) if is_zipped else content) == whole


async def test_objects_get_everything_and_stay_open(tmp_path: Path) -> None:
    """A file object, one that takes a part at a time, and an async file."""

    class Sparing(io.RawIOBase):
        taken = b""

        def write(self, data: object) -> int:
            part = bytes(data)[:1000]  # type: ignore[call-overload]  # bytes, of which it takes some
            self.taken += part
            return len(part)

    whole = b"".join(LINES)
    memory, sparing = io.BytesIO(), Sparing()
    await write(memory)
    await write(sparing)
    assert memory.getvalue() == sparing.taken == whole
    async with await anyio.open_file(tmp_path / "items", "wb") as opened:
        await write(opened, zipped=True)
        await opened.flush()
        assert gzip.decompress((tmp_path / "items").read_bytes()) == whole
    with pytest.raises(UsageError, match="a path, a binary file object or an async writer"):
        await write(17)
