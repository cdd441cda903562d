"""Where the lines of an export go: a file, written whole or not at all, a file object, or an async writer."""

from __future__ import annotations

import inspect
import os
import secrets
import threading
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self, TypeAlias, final, runtime_checkable

import anyio
from anyio import to_thread

from dynamorm_async.errors import UsageError

CHUNK: Final = 256 * 1024
"""Bytes that are collected before they are handed to a thread: the way there costs more than a small write."""

_GZIP: Final = 31  # zlib's window bits for a gzip frame


class BinaryWriter(Protocol):
    """A file object, opened for binary writing."""

    def write(self, data: bytes, /) -> int | None:
        """Write bytes, all of them or as many as it says."""
        ...


@runtime_checkable
class AsyncWriter(Protocol):
    """What takes bytes asynchronously, such as ``anyio.open_file(..., "wb")``."""

    async def write(self, data: bytes, /) -> object:
        """Write all the bytes."""
        ...


Target: TypeAlias = str | os.PathLike[str] | BinaryWriter | AsyncWriter
"""Where an export goes."""


def open_sink(target: Target, *, gzip: bool | None, overwrite: bool) -> Sink:
    """What takes the lines. Opens nothing yet.

    Args:
        target: a path, a binary file object, or an async writer. Objects are the caller's to close.
        gzip: whether to compress; ``None`` goes by the suffix of a path, ``.gz``.
        overwrite: whether a file that is there may be replaced.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(target, str | os.PathLike):
        path = Path(target)
        return Sink(_File(path, overwrite=overwrite), gzip=path.suffix == ".gz" if gzip is None else gzip)
    write = getattr(target, "write", None)
    if not callable(write):
        raise UsageError(f"an export goes to a path, a binary file object or an async writer, got {target!r}")
    return Sink(_Object(write), gzip=bool(gzip))


class _Out(Protocol):
    async def open(self) -> None: ...

    async def write(self, make: Callable[[], bytes]) -> None: ...

    async def close(self, *, whole: bool) -> None: ...


@final
class Sink:
    """Collects lines, and writes them in large pieces in a thread. Its block leaves a whole file, or none.

    Attributes:
        size: bytes so far, before compression.
    """

    def __init__(self, out: _Out, *, gzip: bool) -> None:
        self._out = out
        self._buffer = bytearray()
        self._compressor = zlib.compressobj(wbits=_GZIP) if gzip else None
        self.size = 0

    async def add(self, data: bytes) -> None:
        """Take some whole lines; waits while they are written."""
        self.size += len(data)
        self._buffer += data
        if len(self._buffer) >= CHUNK:
            await self._flush(last=False)

    async def __aenter__(self) -> Self:
        try:
            await self._out.open()
        except BaseException:
            await self._out.close(whole=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        whole = False
        try:
            if error is None:
                await self._flush(last=True)
                whole = True
        finally:
            await self._out.close(whole=whole)

    async def _flush(self, *, last: bool) -> None:
        data, self._buffer = bytes(self._buffer), bytearray()
        await self._out.write(partial(_compressed, self._compressor, data, last=last))


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def _compressed(compressor: _Compressor | None, data: bytes, *, last: bool) -> bytes:
    if compressor is None:
        return data
    return compressor.compress(data) + (compressor.flush() if last else b"")


@final
class _Object:
    """A file object or async writer of the caller's."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._is_async = inspect.iscoroutinefunction(write)

    async def open(self) -> None:
        """Nothing: the caller has."""

    async def write(self, make: Callable[[], bytes]) -> None:
        if not self._is_async:
            await to_thread.run_sync(lambda: _write_all(self._write, make()))
            return
        done = self._write(await to_thread.run_sync(make))
        if isinstance(done, Awaitable):
            await done

    async def close(self, *, whole: bool) -> None:
        """Nothing: the caller does."""


@final
class _File:
    """A file that has its name only once it is whole: until then it is another one beside it."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
        self._overwrite = overwrite
        self._file: IO[bytes] | None = None
        self._closed = False
        # A task that asyncio itself cancels does not wait for its thread, which may be at work when another one closes.
        self._turn = threading.Lock()

    async def open(self) -> None:
        await to_thread.run_sync(self._open)

    async def write(self, make: Callable[[], bytes]) -> None:
        await to_thread.run_sync(self._write, make)

    async def close(self, *, whole: bool) -> None:
        with anyio.CancelScope(shield=True):  # a cancelled export leaves no part of a file either
            await to_thread.run_sync(partial(self._close, whole=whole))

    def _open(self) -> None:
        if not self._overwrite and self._path.exists():
            raise _is_there(self._path)
        with self._turn:
            if not self._closed:
                self._file = self._part.open("xb", buffering=0)

    def _write(self, make: Callable[[], bytes]) -> None:
        with self._turn:
            if self._file is not None:
                _write_all(self._file.write, make())

    def _close(self, *, whole: bool) -> None:
        with self._turn:
            self._closed = True
            file, self._file = self._file, None
            if file is None:
                return
            try:
                with file:
                    if whole:
                        os.fsync(file.fileno())  # before the name: a crash must not leave an empty file under it
                if whole:
                    self._give_name()
            finally:
                self._part.unlink(missing_ok=True)

    def _give_name(self) -> None:
        """Name the whole file; one that came up under that name meanwhile stays, unless it may be replaced."""
        if self._overwrite:
            self._part.replace(self._path)
            return
        try:
            os.link(self._part, self._path)  # as one step, which a rename that replaces nothing is not everywhere
        except FileExistsError:
            raise _is_there(self._path) from None
        except OSError:  # a file system without links
            if self._path.exists():
                raise _is_there(self._path) from None
            self._part.replace(self._path)


def _is_there(path: Path) -> UsageError:
    return UsageError(f"{path} is there already: name another file, or replace it with overwrite=True")


def _write_all(write: Callable[[bytes], object], data: bytes) -> None:
    """Write everything, also to an object that takes only a part at a time."""
    while data:
        taken = write(data)
        if not isinstance(taken, int) or taken >= len(data):
            return
        data = data[taken:]
