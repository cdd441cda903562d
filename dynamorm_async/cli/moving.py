"""``export`` and ``import``: items into files and back."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import click

from dynamorm_async import Condition, Database, ImportFailed, Query, Table, transfer
from dynamorm_async.cli.asking import confirm, yes_option
from dynamorm_async.cli.command import Command, resume_with, run
from dynamorm_async.cli.conditions import conditions_of, where_option
from dynamorm_async.cli.connecting import Settings, database_options, opened
from dynamorm_async.cli.failures import FAILED
from dynamorm_async.cli.finding import Models, only_target
from dynamorm_async.cli.progress import Progress
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.showing import json_option, show_json
from dynamorm_async.transfer import ExportResult, ImportResult

_STREAM: Final = "-"
Mode: TypeAlias = Literal["new", "overwrite"]


@click.command(
    cls=Command,
    short_help="Items into a file.",
    examples=[
        "export shop:User users.jsonl",
        "export shop:User users.json.gz --format json --where org=acme --overwrite",
        "export shop:User -",
    ],
)
@click.argument("model", type=Models())
@click.argument("file")
@click.option(
    "--format",
    type=click.Choice(["dynamodb", "json"]),
    default="dynamodb",
    show_default=True,
    help="DynamoDB's own JSON, as stored; or plain JSON by the types of the model.",
)
@where_option
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--decrypt", is_flag=True, help="With --format json: write encrypted attributes in the clear.")
@click.option("--consistent", is_flag=True, help="Strongly consistent reads: twice the capacity.")
@click.option("--segments", type=int, default=4, show_default=True, help="Parts that are read at the same time.")
@json_option
@database_options
def export(
    model: Sequence[type[Any] | Table],
    file: str,
    *,
    where: Sequence[str],
    consistent: bool,
    as_json: bool,
    settings: Settings,
    **how: Any,  # the options of export_items that are passed on as they are
) -> None:
    """Write the items of a model or table to FILE, one a line; - is stdout. A name that ends in .gz is compressed.

    With --where, only the items that the conditions describe: through a key or index where one answers, else by a scan. The
    file is there only once it is whole.
    """
    target = only_target(model)
    if as_json and file == _STREAM:
        raise click.UsageError("--json prints the result on stdout, where the items go already: name a file")
    if where and isinstance(target, Table):
        raise click.UsageError("--where is about the attributes of a model: name one rather than a table")
    conditions = [] if isinstance(target, Table) else conditions_of(target, where)
    resume_with("nothing was written; run the command again.")

    async def write() -> ExportResult:
        async with opened(settings) as db:
            source = _source(db, target, conditions, consistent=consistent)
            return await _exported(db, source, file, consistent=consistent, how=how)

    done = run(write)
    if as_json:
        show_json({"items": done.items, "size": done.size, "file": file})
    else:
        say(_size(done), err=file == _STREAM)


def _source(
    db: Database, target: type[Any] | Table, conditions: Sequence[Condition], *, consistent: bool
) -> type[Any] | Table | Query[Any]:
    """What is exported: everything, or what the conditions describe."""
    if not conditions or isinstance(target, Table):
        return target
    query = db.query(target).where(*conditions).allow_scan().with_hidden()
    return query.consistent() if consistent else query


async def _exported(
    db: Database, source: type[Any] | Table | Query[Any], file: str, *, consistent: bool, how: Mapping[str, Any]
) -> ExportResult:
    target = sys.stdout.buffer if file == _STREAM else file
    with Progress("export") as progress:

        async def tell(at: ExportResult) -> None:
            progress.show(_size(at))

        return await transfer.export_items(db, source, target, consistent=consistent, on_progress=tell, **how)


@click.command(
    "import",
    cls=Command,
    short_help="A file into a table.",
    examples=[
        "import shop:User users.jsonl",
        "import shop:User users.json.gz --mode overwrite --yes",
        "import shop:User users.jsonl --on-error collect",
    ],
)
@click.argument("model", type=Models())
@click.argument("file")
@click.option("--format", type=click.Choice(["dynamodb", "json"]), help="Of the file; by default its first line tells.")
@click.option(
    "--mode",
    type=click.Choice(["new", "overwrite"]),
    default="new",
    show_default=True,
    help="Leave items that are there as they are, or replace them.",
)
@click.option("--start-at", type=click.IntRange(min=1), default=1, show_default=True, help="The first line to import.")
@click.option(
    "--on-error",
    type=click.Choice(["raise", "collect"]),
    default="raise",
    show_default=True,
    help="Stop at the first line that cannot be imported, or go on and show them all.",
)
@click.option(
    "--max-failures", type=int, default=100, show_default=True, help="With collect: stop after more than these."
)
@click.option("--concurrency", type=int, default=8, show_default=True, help="Requests at the same time.")
@yes_option
@json_option
@database_options
def import_(
    model: Sequence[type[Any] | Table],
    file: str,
    *,
    mode: Mode,
    start_at: int,
    yes: bool,
    as_json: bool,
    settings: Settings,
    **how: Any,  # the options of import_items that are passed on as they are
) -> None:
    """Write the items of FILE, that export or an export of DynamoDB's has made, into a table; - is stdin.

    Each line is judged by its model before anything of it is sent. One that stops says at which line to go on.
    """
    target = only_target(model)
    if mode == "overwrite":
        confirm(f"replace items of {_title(target)} that are there by those of {file}", yes=yes)
    resume_with(_go_on(start_at))

    async def write() -> ImportResult:
        async with opened(settings) as db:
            return await _imported(db, target, file, mode=mode, start_at=start_at, how=how)

    try:
        done = run(write)
    except ImportFailed as error:
        error.add_note(_go_on(error.result.next_line))
        raise
    _show_import(done, as_json=as_json)


async def _imported(
    db: Database, target: type[Any] | Table, file: str, *, mode: Mode, start_at: int, how: Mapping[str, Any]
) -> ImportResult:
    origin = sys.stdin.buffer if file == _STREAM else file
    with Progress("import") as progress:

        async def tell(at: ImportResult) -> None:
            resume_with(_go_on(at.next_line))
            progress.show(f"line {at.next_line - 1:,}: {at.written:,} written, {at.existing:,} left as they were")

        return await transfer.import_items(db, target, origin, mode=mode, start_at=start_at, on_progress=tell, **how)


def _show_import(done: ImportResult, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "written": done.written,
                "existing": done.existing,
                "replaced": done.replaced,
                "failures": [{"line": one.line, "error": str(one.error)} for one in done.failures],
                "next_line": done.next_line,
            }
        )
    else:
        failed = f", {_count(len(done.failures), 'line')} failed" if done.failures else ""
        say(f"{_count(done.written, 'item')} written, {done.existing:,} left as they were{failed}")
        for failure in done.failures:
            say(str(failure), err=True)
    if done.failures:
        raise click.exceptions.Exit(FAILED)


def _size(done: ExportResult) -> str:
    return f"{_count(done.items, 'item')}, {done.size:,} bytes"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _go_on(line: int) -> str:
    return f"what was written stays. Mend line {line} and run the same command with --start-at {line}; later lines begin at their own number."


def _title(target: type[Any] | Table) -> str:
    return f"the table {target.name}" if isinstance(target, Table) else target.__name__
