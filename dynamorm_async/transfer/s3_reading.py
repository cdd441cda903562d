"""``read_export`` and ``read_changes``: what an export to S3 has, as models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar, final, overload

import msgspec

from dynamorm_async import Table, UsageError
from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.errors import FileError
from dynamorm_async.transfer.lines import Line
from dynamorm_async.transfer.manifest import DataFile, ExportSummary
from dynamorm_async.transfer.s3_data import ABSENT, CHANGE, FULL, ChangeLine, DataReader, item_reader, parsed
from dynamorm_async.transfer.s3_files import ExportFiles, ExportSource, export_files
from dynamorm_async.types import AttributeValue, RawItem

M = TypeVar("M")
R = TypeVar("R")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@final
class Change(msgspec.Struct, Generic[M], frozen=True, kw_only=True):
    """What became of one item in the time of an incremental export: only its last state is there.

    Attributes:
        key: the item's key, as AttributeValues.
        new: the item as it was in the end; ``None`` where it was deleted.
        old: the item as it was in the beginning; ``None`` where there was none, or the export has no old images.
        written: when it was last written, by DynamoDB's clock.
    """

    key: RawItem
    new: M | None
    old: M | None
    written: datetime

    @property
    def deleted(self) -> bool:
        """Whether the item was deleted."""
        return self.new is None


@overload
def read_export(source: ExportSource, target: type[M], *, manifest: str | None = ...) -> ExportReader[M]: ...
@overload
def read_export(source: ExportSource, target: Table, *, manifest: str | None = ...) -> ExportReader[Any]: ...
@overload
def read_export(
    source: ExportSource, target: None = ..., *, manifest: str | None = ...
) -> ExportReader[dict[str, AttributeValue]]: ...
def read_export(
    source: ExportSource, target: type | Table | None = None, *, manifest: str | None = None
) -> ExportReader[Any]:
    """The items of a full export to S3, one by one::

        async with read_export("AWSDynamoDB/01693685827463-2d8752fd", User) as export:
            print(export.summary.items)
            async for user in export:
                ...

    Each file is checked against the manifest, by its MD5, its etag and its number of items, when its end is reached; what came
    from a damaged file was given by then: :meth:`ExportReader.verify` looks at all files before.

    Args:
        source: the folder that has ``manifest-summary.json``, with the files beside it as in the bucket; or a function that
            opens a file by its S3 key: gives a path, a binary file object, an async reader or an async iterable of bytes.
        target: what the items are read as: a model, or a :class:`Table` for each as its own model. ``None`` gives AttributeValues.
            Encrypted attributes are bound to the table, and not decrypted: instances come without them, and cannot be written.
        manifest: where ``source`` is a function, the S3 key of ``manifest-summary.json``.

    Raises:
        FileError: on entering or iteration: a manifest or file is missing, damaged or of another format.
        DecodeError: on iteration: an item does not fit its model, or is of none that is known.
        UsageError: ``target`` is neither a model nor a table.

    Costs no request of DynamoDB.
    """
    read = item_reader(target)
    return ExportReader(export_files(source, manifest), "full", lambda line: read(parsed(FULL, line).Item))


@overload
def read_changes(source: ExportSource, target: type[M], *, manifest: str | None = ...) -> ExportReader[Change[M]]: ...
@overload
def read_changes(source: ExportSource, target: Table, *, manifest: str | None = ...) -> ExportReader[Change[Any]]: ...
@overload
def read_changes(
    source: ExportSource, target: None = ..., *, manifest: str | None = ...
) -> ExportReader[Change[dict[str, AttributeValue]]]: ...
def read_changes(
    source: ExportSource, target: type | Table | None = None, *, manifest: str | None = None
) -> ExportReader[Change[Any]]:
    """The changes of an incremental export to S3, one by one, as :class:`Change`. All else as of :func:`read_export`."""
    read = item_reader(target)

    def change(line: Line) -> Change[Any]:
        found: ChangeLine = parsed(CHANGE, line)
        new, old = (None if image is ABSENT else read(image) for image in (found.NewImage, found.OldImage))
        return Change(
            key=bytes_in(found.Keys),
            new=new,
            old=old,
            written=_EPOCH + timedelta(microseconds=int(found.Metadata.WriteTimestampMicros.N)),
        )

    return ExportReader(export_files(source, manifest), "incremental", change)


@final
class ExportReader(AsyncIterator[R], Generic[R]):
    """The items, or changes, of an export to S3; made by :func:`read_export` and :func:`read_changes`.

    To be used with ``async with``, which reads the manifests. One file is open at a time, and a piece of it in memory.

    Attributes:
        summary: what the export is, as soon as the block is entered.
        files: its files, as soon as the block is entered.
    """

    summary: ExportSummary
    files: tuple[DataFile, ...]

    def __init__(self, files: ExportFiles, kind: str, make: Callable[[Line], R]) -> None:
        self._export = files
        self._kind = kind
        self._make = make
        self._next = 0  # of the files
        self._open: DataReader | None = None
        self._lines: list[Line] = []
        self._index = 0
        self._entered = False

    async def __aenter__(self) -> Self:
        self.summary = await self._export.summary()
        if self.summary.kind != self._kind:
            other = "read_changes()" if self._kind == "full" else "read_export()"
            raise FileError(
                f"{self.summary.arn} is {'a full' if self.summary.kind == 'full' else 'an incremental'} export: read it with {other}"
            )
        self.files = tuple(await self._export.data_files())
        there = sum(file.items for file in self.files)
        if there != self.summary.items:
            raise FileError(
                f"{self.summary.arn}: its files have {there} items, and its summary says {self.summary.items}: is the list of "
                "files whole?"
            )
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while self._index == len(self._lines):
            self._lines, self._index = await self._some(), 0
        line = self._lines[self._index]
        self._index += 1
        return self._make(line)

    async def verify(self) -> None:
        """Read all files, and compare them with the manifest.

        Raises:
            FileError: one is missing, cut or damaged.
        """
        self._check_entered()
        for file in self.files:
            async with DataReader(file, await self._export.open(file.key)) as opened:
                while await opened.some():
                    pass

    async def aclose(self) -> None:
        """Close the file that is open."""
        opened, self._open = self._open, None
        if opened is not None:
            await opened.aclose()

    async def _some(self) -> list[Line]:
        """The next lines, of the next file where one is at its end."""
        self._check_entered()
        while True:
            if self._open is None:
                if self._next == len(self.files):
                    raise StopAsyncIteration
                file = self.files[self._next]
                self._open = await DataReader(file, await self._export.open(file.key)).__aenter__()
                self._next += 1
            if found := await self._open.some():
                return found
            await self.aclose()

    def _check_entered(self) -> None:
        if not self._entered:
            raise UsageError("this export was not entered: use `async with read_export(...) as export:`")
