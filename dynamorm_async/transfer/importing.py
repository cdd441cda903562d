"""``import_items``: a file into a table, line by line, with a place to go on from at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, final

import anyio.lowlevel

from dynamorm_async import Database, Table, UsageError
from dynamorm_async.errors import DynamormError, FileError, ImportFailed
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.transfer.decoding import Decoder, Row, StoredDecoder, TypedDecoder
from dynamorm_async.transfer.header import check_header, is_header
from dynamorm_async.transfer.lines import Line, LineReader
from dynamorm_async.transfer.results import Format, ImportResult, LineFailure, OnImport
from dynamorm_async.transfer.running import run_all, tell
from dynamorm_async.transfer.scope import Scope, scope_of
from dynamorm_async.transfer.sources import ByteSource, Origin
from dynamorm_async.transfer.windows import Windows
from dynamorm_async.transfer.writing import Mode, Outcome, Writer

OnError: TypeAlias = Literal["raise", "collect"]
"""What becomes of an import when a line cannot be imported."""

_AT_ONCE: Final = 16 * 1024
"""Bytes of lines that are decoded before the other tasks have a turn."""


async def import_items(
    db: Database,
    target: type | Table,
    file: Origin,
    *,
    format: Format | None = None,  # noqa: A002 - what it is called everywhere
    mode: Mode = "overwrite",
    start_at: int = 1,
    on_error: OnError = "raise",
    max_failures: int = 100,
    concurrency: int = 8,
    on_progress: OnImport | None = None,
) -> ImportResult:
    """Write the items of a file that :func:`export_items`, or an export of DynamoDB's, has made.

    Items are written as they were: versions and times of the file, not of the import. Each line is judged by its model before
    anything of it is sent. Memory does not grow with the file: lines are read, and no more of them than are being written.

    Args:
        db: writes the items.
        target: a model, or a :class:`Table` for items of all its models.
        file: a path, a binary file object, an async reader, or an async iterable of bytes; gzipped or not.
        format: of the file; ``None`` goes by its first line.
        mode: ``overwrite`` replaces items that are there, 25 in a request. ``new`` leaves them as they are, by a condition: one
            request for each line. Models with ``unique()`` values need ``new``, which claims the values, too.
        start_at: the first line to import, from 1: the ``next_line`` of an import that stopped.
        on_error: ``raise`` stops at the first line that cannot be imported; ``collect`` goes on, and returns them all.
        max_failures: with ``collect``, stop where there are more than these.
        concurrency: requests under way at the same time.
        on_progress: an async function that is told how far it is, after each thousand lines or so. What it raises ends the
            import.

    Returns:
        What became of the lines.

    Raises:
        ImportFailed: a line cannot be imported (its cause is a ``FileError``, ``DecodeError``, ``ItemTooLarge``, ``NotUnique``
            or what DynamoDB refused it with), the file is cut or damaged (``FileError``), or a request failed (``CallError``).
            Its ``result`` says what was written, and where to go on.
        FileError: the file is not one of these items; nothing was written.
        UsageError: the arguments do not fit; nothing was written.
        OSError: the file cannot be read.

    Costs one BatchWriteItem for 25 items, with ``new`` one PutItem each, or one TransactWriteItems of a model with unique
    values.
    """
    check_positive(start_at, f"start_at={start_at!r}")
    check_positive(concurrency, f"concurrency={concurrency!r}")
    check_positive(max_failures, f"max_failures={max_failures!r}")
    scope = scope_of(target, db)
    _check_mode(scope, mode, on_error, format)
    async with ByteSource(file) as source:
        lines = Windows(LineReader(source), start_at, source.name)
        first = await lines.first()
        decoder: Decoder
        if format == "json" or (format is None and first is not None and is_header(first[1])):
            if first is None:
                raise FileError('is empty, and an export with format="json" is not', file=source.name)
            check_header(first, scope, source.name)
            lines.ends_with_count()
            decoder = TypedDecoder(scope, source.name)
        else:
            decoder = StoredDecoder(scope, source.name)
        writer = Writer(db, scope, mode, concurrency=concurrency)
        most = 0 if on_error == "raise" else max_failures
        return await _Import(lines, decoder, writer, most=most, on_progress=on_progress, start_at=start_at).run()


def _check_mode(scope: Scope, mode: str, on_error: str, format: str | None) -> None:  # noqa: A002 - as in import_items
    if mode not in ("overwrite", "new"):
        raise UsageError(f'mode={mode!r}: it is "overwrite" or "new"')
    if on_error not in ("raise", "collect"):
        raise UsageError(f'on_error={on_error!r}: it is "raise" or "collect"')
    if format not in (None, "dynamodb", "json"):
        raise UsageError(f'format={format!r}: it is "dynamodb" or "json"')
    unique = [spec.name for spec in scope.models if spec.unique]
    if unique and mode == "overwrite":
        raise UsageError(
            f"{', '.join(unique)} has unique() values, whose markers would not be moved by overwriting items: import with "
            'mode="new", into a table that does not have the items yet'
        )


@final
class _Import:
    """One import under way.

    Args:
        windows: the lines.
        decoder: makes rows of them.
        writer: writes the rows.
        most: how many lines may fail.
        on_progress: is told how far it is.
        start_at: the first line.
    """

    def __init__(
        self,
        windows: Windows,
        decoder: Decoder,
        writer: Writer,
        *,
        most: int,
        on_progress: OnImport | None,
        start_at: int,
    ) -> None:
        self._windows = windows
        self._decoder = decoder
        self._writer = writer
        self._most = most
        self._on_progress = on_progress
        self._result = ImportResult(next_line=start_at)
        self._ahead: list[Line] | FileError | OSError = []

    async def run(self) -> ImportResult:
        """Import everything; the next window is read while one is written.

        Raises:
            ImportFailed: it has stopped before the end.
        """
        await self._read_ahead()
        while self._ahead:
            if isinstance(self._ahead, Exception):
                raise self._failed(self._ahead)
            window = self._ahead
            rows, failures = await self._decoded(window)
            outcome = await self._written(rows)
            failures += [LineFailure(row.line, error) for row, error in outcome.failed]
            self._note(outcome, failures, window[-1][0])
            if outcome.cause is not None:
                raise self._failed(outcome.cause)
            if len(self._result.failures) > self._most:
                raise self._failed(self._result.failures[-1 if self._most else 0].error)
            await tell(self._on_progress, self._result)
        return self._result

    async def _read_ahead(self) -> None:
        try:
            self._ahead = await self._windows.next()
        except (FileError, OSError) as error:  # raised once what stands before it is written
            self._ahead = error

    async def _written(self, rows: Sequence[Row]) -> Outcome:
        outcomes: list[Outcome] = []

        async def write() -> None:
            outcomes.append(await self._writer.write(rows))

        await run_all((write, self._read_ahead))
        return outcomes[0]

    async def _decoded(self, window: Sequence[Line]) -> tuple[list[Row], list[LineFailure]]:
        """The rows of a window, and the lines of it that are none; no more of these than it takes to stop."""
        rows: list[Row] = []
        failures: list[LineFailure] = []
        decoded = 0
        for line in window:
            try:
                rows.append(self._decoder.row(line))
            except DynamormError as error:
                failures.append(LineFailure(line[0], error))
                if len(self._result.failures) + len(failures) > self._most:
                    break
            decoded += len(line[1])
            if decoded > _AT_ONCE:
                decoded = 0
                await anyio.lowlevel.checkpoint()
        return rows, failures

    def _note(self, outcome: Outcome, failures: Sequence[LineFailure], last: int) -> None:
        before = self._result
        every = (*before.failures, *sorted(failures, key=lambda failure: failure.line))
        # What stops the import is the first line of the next one.
        stops = [every[self._most].line] if len(every) > self._most else []
        self._result = ImportResult(
            written=before.written + outcome.written,
            existing=before.existing + outcome.existing,
            replaced=before.replaced + outcome.replaced,
            failures=every[: self._most + 1],
            next_line=min([*stops, *outcome.unsettled, last + 1]),
        )

    def _failed(self, cause: Exception) -> ImportFailed:
        result = self._result
        failed = f", {len(result.failures)} lines failed" if result.failures else ""
        error = ImportFailed(
            f"the import has stopped before line {result.next_line}, with {result.written} items written{failed}: "
            f"{type(cause).__name__}: {cause}",
            result=result,
        )
        error.__cause__ = cause
        return error
