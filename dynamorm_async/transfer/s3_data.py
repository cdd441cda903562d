"""The files of items of an export to S3, and the lines in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import Annotated, Any, Final, Self, final

import msgspec

from dynamorm_async import Table
from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.errors import DecodeError, FileError
from dynamorm_async.transfer.decoding import held_in_the_clear
from dynamorm_async.transfer.lines import Line, LineReader
from dynamorm_async.transfer.manifest import DataFile
from dynamorm_async.transfer.scope import scope_of
from dynamorm_async.transfer.sources import ByteSource, Origin
from dynamorm_async.types import AttributeValue

ABSENT: Final = msgspec.Raw(b"")
"""Stands for an image that a change does not have."""


class FullLine(msgspec.Struct):
    """A line of a full export."""

    Item: msgspec.Raw


class Microseconds(msgspec.Struct):
    """A time in microseconds as DynamoDB writes it."""

    N: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]


class Metadata(msgspec.Struct):
    """What an incremental export says of a change."""

    WriteTimestampMicros: Microseconds


class ChangeLine(msgspec.Struct):
    """A line of an incremental export."""

    Metadata: Metadata
    Keys: dict[str, Any]  # AttributeValues in JSON form
    NewImage: msgspec.Raw = ABSENT
    OldImage: msgspec.Raw = ABSENT


FULL: Final = msgspec.json.Decoder(FullLine)
CHANGE: Final = msgspec.json.Decoder(ChangeLine)
_ITEM: Final = msgspec.json.Decoder(dict[str, Any])


def parsed(decoder: msgspec.json.Decoder[Any], line: Line) -> Any:  # what it decodes
    """A line, by its form.

    Raises:
        FileError: it has another one.
    """
    try:
        return decoder.decode(line[1])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(f"is none of an export: {error}", line=line[0]) from None


def item_reader(target: type | Table | None) -> Callable[[msgspec.Raw], Any]:  # an instance, or AttributeValues
    """What becomes of an item as it stands in a file.

    The function raises DecodeError for one that does not fit.

    Raises:
        UsageError: the target is neither a model nor a table.
    """
    if target is None:
        return _attribute_values
    scope = scope_of(target)
    if not scope.encrypted:
        return scope.read
    if scope.spec is not None:
        return scope.spec.reader.partial(held_in_the_clear(scope.spec)).decode_item

    def read(raw: msgspec.Raw) -> Any:  # an instance of a model of the table
        spec = scope.model_of(_ITEM.decode(raw))
        if spec is None or not spec.encrypted:
            return scope.read(raw)
        return spec.codec.partial(held_in_the_clear(spec)).decode_item(raw)

    return read


def _attribute_values(raw: msgspec.Raw) -> dict[str, AttributeValue]:
    try:
        return bytes_in(_ITEM.decode(raw))
    except Misfit as misfit:
        raise DecodeError("an item", {}, misfit.problems) from None


@final
class DataReader:
    """A file of items under way, with what the manifest is compared with."""

    def __init__(self, file: DataFile, origin: Origin) -> None:
        self._file = file
        self._digest = hashlib.md5(usedforsecurity=False)
        self._items = 0
        self._source = ByteSource(origin, name=file.key, observe=self._digest.update, may_be_empty=file.items == 0)
        self._reader = LineReader(self._source)

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close it."""
        await self._source.__aexit__(None, None, None)

    async def some(self) -> list[Line]:
        """The next lines; none at the end.

        Raises:
            FileError: the file is damaged, or at its end not as the manifest says.
        """
        found = await self._reader.some()
        self._items += len(found)
        if not found:
            self._file.check(self._digest.digest(), self._items)
        return found
