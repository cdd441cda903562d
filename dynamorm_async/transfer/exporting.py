"""``export_items``: a table, a model, a query or a scan into a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, final

import anyio
import anyio.lowlevel
import msgspec

from dynamorm_async import Database, Query, Scan, Table, UsageError
from dynamorm_async.codec.envelopes import last_key
from dynamorm_async.errors import BadResponse
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.plan.positions import next_page
from dynamorm_async.transfer.header import header_of, trailer_of
from dynamorm_async.transfer.items import portable_item
from dynamorm_async.transfer.results import ExportResult, Format, OnExport
from dynamorm_async.transfer.running import run_all, tell
from dynamorm_async.transfer.scope import Scope, scope_of
from dynamorm_async.transfer.sinks import Sink, Target, open_sink
from dynamorm_async.transfer.typed_json import encode_item
from dynamorm_async.types import Request, Response

Source: TypeAlias = type | Table | Query[Any] | Scan[Any]
"""What can be exported."""

_AT_ONCE: Final = 50
"""How many items are encoded before the other tasks have a turn."""


async def export_items(
    db: Database,
    source: Source,
    file: Target,
    *,
    format: Format = "dynamodb",  # noqa: A002 - what it is called everywhere
    gzip: bool | None = None,
    overwrite: bool = False,
    decrypt: bool = False,
    consistent: bool = False,
    segments: int = 4,
    on_progress: OnExport | None = None,
) -> ExportResult:
    """Write items to a file, as they are read: memory does not grow with them.

    Args:
        db: reads the items; of a query or scan, the database that it was made by.
        source: a model, whose items are all exported, hidden ones too; a :class:`Table`, with the items of all its models;
            or a query or scan, for those that it finds.
        file: a path (compressed where it ends in ``.gz``), which exists only once it is whole; a binary file object, written
            in a thread; or an object with an async ``write``. Objects are not closed.
        format: ``dynamodb``, DynamoDB's own JSON as in its exports to S3: items as they are stored, with every attribute, and
            encrypted ones as ciphertexts. ``json``: plain JSON by the types of the models, upcast to their schema versions.
        gzip: compress, whatever the file is called; ``None`` goes by its suffix.
        overwrite: replace a file that is there.
        decrypt: with ``json``, write encrypted attributes in the clear. Models with such attributes need it.
        consistent: of a model or table, strongly consistent reads: twice the capacity.
        segments: of a model or table, how many segments are read at the same time.
        on_progress: an async function that is told how far it is, after each page. What it raises ends the export.

    Returns:
        How many items and bytes were written.

    Raises:
        UsageError: it is none of these, the file is there already, a query selects attributes or reads an index that does not
            hold whole items (``json``), or a model has encrypted attributes and ``decrypt`` is not set (``json``).
        DecodeError: an item does not fit its model, or is of none that is known (``json``).
        OSError: the file cannot be written.
        CallError: a request failed.

    Costs the requests of the scan or query. An export that fails or is cancelled leaves no file.
    """
    check_positive(segments, f"segments={segments!r}")
    scope = scope_of(source.model if isinstance(source, Query | Scan) else source, db)
    if isinstance(source, Query | Scan):
        source.stored().explain()  # refuses what cannot be read, or gives no whole items, before a file is opened
    _check_format(scope, format, decrypt=decrypt)
    sink = open_sink(file, gzip=gzip, overwrite=overwrite)
    async with sink:
        export = _Export(scope, sink, format, on_progress)
        if format == "json":
            await sink.add(header_of(scope))
        if isinstance(source, Table):
            await _scan_table(db, scope, export, consistent=consistent, segments=segments)
        else:
            await export.read(_reading(db, source, consistent=consistent, segments=segments))
        if format == "json":
            await sink.add(trailer_of(export.items))
    return ExportResult(items=export.items, size=sink.size)


def _check_format(scope: Scope, format: str, *, decrypt: bool) -> None:  # noqa: A002 - as in export_items
    if format not in ("dynamodb", "json"):
        raise UsageError(f'format={format!r}: it is "dynamodb" or "json"')
    if format == "dynamodb":
        if decrypt:
            raise UsageError(
                'decrypt=True is for format="json": with "dynamodb", items are exported as they are stored'
            )
        return
    if not scope.models:
        raise UsageError(
            f"no model lives in {scope.title}: import the modules that declare them, or export it as it is stored, with "
            'format="dynamodb"'
        )
    if scope.encrypted and not decrypt:
        raise UsageError(
            f"{', '.join(scope.encrypted)}: encrypted attributes would stand in the file in the clear. Say decrypt=True where "
            'that is meant, or export ciphertexts with format="dynamodb"'
        )


Reader: TypeAlias = Query[Any] | Scan[Any]


def _reading(db: Database, source: type | Reader, *, consistent: bool, segments: int) -> Reader:
    if isinstance(source, Query | Scan):
        return source
    model: type[Any] = source
    scan = db.scan(model).with_hidden().segments(segments)
    return scan.consistent() if consistent else scan


@final
class _Export:
    """Makes lines of items.

    Attributes:
        items: how many so far.
        decodes: whether items are read as their models; else they are exported as they are stored.
    """

    def __init__(self, scope: Scope, sink: Sink, format: Format, on_progress: OnExport | None) -> None:  # noqa: A002 - as in export_items
        self._scope = scope
        self._sink = sink
        self.decodes = format == "json"
        self._on_progress = on_progress
        self._turn = anyio.Lock()
        self.items = 0

    async def read(self, reader: Reader) -> None:
        """Export what a query or scan finds."""
        line: Callable[[Any], bytes] = _typed_line if self.decodes else _stored_line
        async with (reader.hydrate() if self.decodes else reader.stored()).pages() as pages:
            async for page in pages:
                await self._add(page.items, line)

    async def add_raw(self, items: Sequence[msgspec.Raw]) -> None:
        """Export items as they stand in an answer."""
        await self._add(items, self._typed_raw_line if self.decodes else _raw_line)

    def _typed_raw_line(self, raw: msgspec.Raw) -> bytes:
        return _typed_line(self._scope.read(raw))

    async def _add(self, items: Sequence[Any], line: Callable[[Any], bytes]) -> None:
        async with self._turn:  # segments of a table arrive at the same time
            for start in range(0, len(items), _AT_ONCE):
                some = items[start : start + _AT_ONCE]
                await self._sink.add(b"".join(map(line, some)))
                self.items += len(some)
                await anyio.lowlevel.checkpoint()
            await tell(self._on_progress, ExportResult(items=self.items, size=self._sink.size))


def _stored_line(item: object) -> bytes:
    return b'{"Item":' + msgspec.json.encode(item) + b"}\n"


def _raw_line(raw: msgspec.Raw) -> bytes:
    text = bytes(raw)
    if b"\n" in text:  # not from DynamoDB; an engine might write JSON that is laid out
        text = msgspec.json.encode(msgspec.json.decode(text))
    return b'{"Item":' + text + b"}\n"


def _typed_line(instance: object) -> bytes:
    return encode_item(portable_item(instance)[1]) + b"\n"


# --- a table of any models -------------------------------------------------------------------------


class _Page(msgspec.Struct):
    Items: list[msgspec.Raw]
    LastEvaluatedKey: dict[str, Any] | None = None


_PAGE: Final = msgspec.json.Decoder(_Page)


async def _scan_table(db: Database, scope: Scope, export: _Export, *, consistent: bool, segments: int) -> None:
    """Export all items of a table, its segments at the same time."""

    async def read(segment: int) -> None:
        body: dict[str, Any] = {"TableName": scope.name, "Segment": segment, "TotalSegments": segments}
        if consistent:
            body["ConsistentRead"] = True
        sealed = scope.sealed if export.decodes else ()
        request = Request(operation="Scan", body=body, table=scope.name, sealed=sealed)
        while True:
            page = _page(await db.send(request), scope.name)
            await export.add_raw(page.Items)
            key = last_key(page.LastEvaluatedKey)
            if not key:
                return
            request = next_page(request, key)

    await run_all(partial(read, segment) for segment in range(segments))


def _page(response: Response, table: str) -> _Page:
    try:
        return _PAGE.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadResponse(f"the answer is no page of items: {error}", operation="Scan", table=table) from None
