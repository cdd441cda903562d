"""Where the bytes of an import come from: a file, a file object, an async reader, or an async iterable; gzipped or not."""

from __future__ import annotations

# What callers pass is looked at here, so its type is unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import inspect
import os
import zlib
from collections.abc import AsyncIterable, Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol, Self, TypeAlias, final

from anyio import to_thread

from dynamorm_async.errors import FileError, UsageError

CHUNK: Final = 256 * 1024
_GZIP: Final = 31  # zlib's window bits for a gzip frame
_MAGIC: Final = b"\x1f\x8b"


class BinaryReader(Protocol):
    """A file object, opened for binary reading."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


class AsyncReader(Protocol):
    """What gives bytes asynchronously, such as ``anyio.open_file(..., "rb")``."""

    async def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


Origin: TypeAlias = str | os.PathLike[str] | BinaryReader | AsyncReader | AsyncIterable[bytes]
"""Where an import comes from."""

Observe: TypeAlias = Callable[[bytes], object]


@final
class ByteSource:
    """The bytes of a file, unzipped, piece by piece; to be used with ``async with``. Objects are the caller's to close.

    Args:
        origin: where they come from.
        name: the file's name, for errors; by default what the origin tells.
        observe: is given each piece as it is in the file, before it is unzipped.
        may_be_empty: whether a file that is called .gz may have no bytes at all.

    Raises:
        UsageError: the origin is none of these.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        name: str | None = None,
        observe: Observe | None = None,
        may_be_empty: bool = False,
    ) -> None:
        self._path = Path(origin) if isinstance(origin, str | os.PathLike) else None
        self._file: IO[bytes] | None = None
        self.name = name or _name_of(origin)
        self._observe = observe
        self._may_be_empty = may_be_empty
        self._read = self._from_path if self._path is not None else _reader(origin)
        self._gunzip: _Gunzip | None = None
        self._begun = False

    async def __aenter__(self) -> Self:
        if self._path is not None:
            path = self._path
            self._file = await to_thread.run_sync(lambda: path.open("rb", buffering=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()  # of a file that was only read: nothing is flushed

    async def read(self) -> bytes:
        """The next bytes; none at the end.

        Raises:
            FileError: it is no gzip file, though it is called one, or it is damaged or cut.
            OSError: the file cannot be read.
        """
        while True:
            if self._gunzip is not None and (pending := await self._gunzip.pending()):
                return pending
            piece = await self._next_piece()
            if not self._begun:
                piece = await self._begin(piece)
            if self._gunzip is None:
                return piece
            if not piece:
                self._gunzip.finish()
                return b""
            self._gunzip.feed(piece)

    async def _next_piece(self) -> bytes:
        piece = await self._read()
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise UsageError(
                f"{self.name or 'the file'} is read as bytes, and gave {type(piece).__name__}: open it as binary"
            )
        data = bytes(piece)
        if self._observe is not None and data:
            self._observe(data)
        return data

    async def _begin(self, piece: bytes) -> bytes:
        """Look at how the file begins: that it is gzipped says its first bytes, whatever its name."""
        self._begun = True
        while 0 < len(piece) < len(_MAGIC):
            more = await self._next_piece()
            if not more:
                break
            piece += more
        if piece.startswith(_MAGIC):
            self._gunzip = _Gunzip(self.name)
        elif self.name is not None and self.name.endswith(".gz") and not (self._may_be_empty and not piece):
            what = "is empty, not even an empty gzip file" if not piece else "is called .gz, but is not a gzip file"
            raise FileError(what, file=self.name)
        return piece

    async def _from_path(self) -> bytes:
        file = self._file
        assert file is not None, "the block was entered"  # noqa: S101 - an invariant of this class
        return await to_thread.run_sync(file.read, CHUNK)


@final
class _Gunzip:
    """Unzips piece by piece, and never more than a piece at once: a small file can hold gigabytes of zeros."""

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._member = zlib.decompressobj(wbits=_GZIP)
        self._fed = b""
        self._in_member = False

    def feed(self, piece: bytes) -> None:
        """Take a piece of the file."""
        self._fed += piece

    async def pending(self) -> bytes:
        """The next unzipped bytes of what was fed; none where more has to be fed."""
        if self._member.eof:
            self._fed = self._fed.lstrip(b"\0")  # the rest of what some writers pad with
        while self._fed:
            found = await to_thread.run_sync(self._step)
            if found:
                return found
        return b""

    def finish(self) -> None:
        """The file is at its end.

        Raises:
            FileError: in the middle of it.
        """
        if self._in_member:
            raise FileError("is cut: its gzip data has no end", file=self._name)

    def _step(self) -> bytes:
        if self._member.eof:  # files that were joined have several
            self._member = zlib.decompressobj(wbits=_GZIP)
        self._in_member = True
        try:
            found = self._member.decompress(self._fed, CHUNK)
        except zlib.error as error:
            raise FileError(f"has damaged gzip data ({error})", file=self._name) from None
        if self._member.eof:
            self._in_member = False
            self._fed = self._member.unused_data.lstrip(b"\0")  # some writers pad
        else:
            self._fed = self._member.unconsumed_tail
        return found


def _name_of(origin: object) -> str | None:
    name: object = os.fspath(origin) if isinstance(origin, str | os.PathLike) else getattr(origin, "name", None)
    return name if isinstance(name, str) else None


def _reader(origin: object) -> Callable[[], Any]:  # a coroutine function that gives bytes
    """How the next bytes come from an object."""
    read = getattr(origin, "read", None)
    if callable(read):
        if inspect.iscoroutinefunction(read):
            return lambda: read(CHUNK)
        return lambda: to_thread.run_sync(read, CHUNK)
    if isinstance(origin, AsyncIterable):
        pieces = aiter(origin)

        async def following() -> object:
            async for piece in pieces:
                if piece:
                    return piece
            return b""

        return following
    raise UsageError(
        f"an import comes from a path, a binary file object, an async reader or an async iterable, got {origin!r}"
    )
