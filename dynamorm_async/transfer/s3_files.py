"""The files of an export to S3: in a local folder, or wherever a function opens them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol, TypeAlias, final

from anyio import to_thread

from dynamorm_async.errors import FileError, UsageError
from dynamorm_async.transfer.lines import LineReader
from dynamorm_async.transfer.manifest import DataFile, ExportSummary, check_checksum, parse_file, parse_summary
from dynamorm_async.transfer.sources import ByteSource, Origin

OpenFile: TypeAlias = Callable[[str], Origin | Awaitable[Origin]]
"""Opens the file of an S3 key: gives a path, a binary file object, an async reader or an async iterable of bytes."""

ExportSource: TypeAlias = str | os.PathLike[str] | OpenFile
"""Where the files of an export are."""

SUMMARY: Final = "manifest-summary.json"
FILES: Final = "manifest-files.json"
_LARGEST_SUMMARY: Final = 1024 * 1024


class ExportFiles(Protocol):
    """The files of one export."""

    async def summary(self) -> ExportSummary:
        """What the export is."""
        ...

    async def data_files(self) -> list[DataFile]:
        """Its files of items, in order; once its summary was read."""
        ...

    async def open(self, key: str) -> Origin:
        """Where the bytes of a file of items come from."""
        ...


def export_files(source: ExportSource, manifest: str | None) -> ExportFiles:
    """The files of an export.

    Args:
        source: the folder of its manifests, or what opens a file by its S3 key.
        manifest: of such a function, the S3 key of ``manifest-summary.json``.

    Raises:
        UsageError: a function without a key, or a folder with one.
    """
    if isinstance(source, str | os.PathLike):
        if manifest is not None:
            raise UsageError(
                f"manifest= is for a function that opens files; {os.fspath(source)!r} has its manifest in it"
            )
        path = Path(os.fspath(source))
        return _Folder(path.parent if path.name == SUMMARY else path)
    if not callable(source):  # pyright: ignore[reportUnnecessaryComparison]  # not checked by a caller without types
        raise UsageError(f"an export is read from a folder, or by a function that opens its files, got {source!r}")
    if manifest is None:
        raise UsageError(
            "a function that opens files needs manifest=: the S3 key of manifest-summary.json, such as job.description().manifest"
        )
    return _Opened(source, manifest)


@final
class _Folder:
    """An export that was copied from S3, with its manifests or only with what they name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def summary(self) -> ExportSummary:
        content = await to_thread.run_sync(self._checked, SUMMARY)
        return parse_summary(content, str(self._folder / SUMMARY))

    async def data_files(self) -> list[DataFile]:
        await to_thread.run_sync(self._checked, FILES)
        return await _listed(self._folder / FILES, str(self._folder / FILES))

    async def open(self, key: str) -> Path:
        # Only the last part of the key counts: what a manifest says must not lead out of the folder.
        name = key.rpartition("/")[2]
        # Those of an incremental export are in a folder that all exports share.
        places = [self._folder / "data" / name, self._folder.parent / "data" / name, self._folder / name]
        for place in places:
            if name not in ("", ".", "..") and await to_thread.run_sync(place.is_file):
                return place
        shown = ", ".join(str(place.parent) for place in places)
        raise FileError(f"is named by the manifest, and in none of {shown}: copy it from S3", file=key)

    def _checked(self, name: str) -> bytes:
        """A manifest, once it is the one of its checksum, where that was copied as well."""
        path = self._folder / name
        if not path.is_file():
            raise FileError(
                "is missing: name the folder of an export, AWSDynamoDB/<id> in its bucket, with its manifests",
                file=str(path),
            )
        content = path.read_bytes()
        checksum = path.with_suffix(".checksum")
        if checksum.is_file():
            check_checksum(content, checksum.read_bytes(), str(path))
        return content


@final
class _Opened:
    """An export whose files a function opens."""

    def __init__(self, open_file: OpenFile, manifest: str) -> None:
        self._open_file = open_file
        self._manifest = manifest
        self._files = ""  # named by the summary

    async def summary(self) -> ExportSummary:
        content = b""
        async with ByteSource(await self.open(self._manifest), name=self._manifest) as source:
            while piece := await source.read():
                content += piece
                if len(content) > _LARGEST_SUMMARY:
                    raise FileError("is too large to be the summary of an export", file=self._manifest)
        found = parse_summary(content, self._manifest)
        self._files = found.manifest
        return found

    async def data_files(self) -> list[DataFile]:
        return await _listed(await self.open(self._files), self._files)

    async def open(self, key: str) -> Origin:
        opened = self._open_file(key)
        return await opened if isinstance(opened, Awaitable) else opened


async def _listed(origin: Origin, name: str) -> list[DataFile]:
    found: list[DataFile] = []
    async with ByteSource(origin, name=name) as source:
        lines = LineReader(source)
        while some := await lines.some():
            found += [parse_file(text, name, number) for number, text in some]
    return found
