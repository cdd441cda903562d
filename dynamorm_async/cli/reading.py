"""``get``, ``query``, ``scan`` and ``explain``: a look at data."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import click

from dynamorm_async import Database, ItemStream, Key, Query, Scan
from dynamorm_async.cli.command import Command, run
from dynamorm_async.cli.conditions import conditions_of, key_of
from dynamorm_async.cli.connecting import Settings, database_options, opened
from dynamorm_async.cli.failures import FAILED
from dynamorm_async.cli.finding import Model
from dynamorm_async.cli.reading_options import ReadOptions, read_options
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.showing import (
    attributes_of,
    json_option,
    show_item,
    show_json,
    show_json_line,
    show_table,
)

Reader = Query[Any] | Scan[Any]

_AT_ONCE: Final = 200
"""How many rows of all items stand under one heading."""
_UNIT_BYTES: Final = 4096
"""Bytes that a read unit is good for."""


@click.command(
    cls=Command,
    short_help="One item by its key.",
    examples=["get shop:User acme ada@example.com", "get shop:User acme ada@example.com --json"],
)
@click.argument("model", type=Model())
@click.argument("key", nargs=-1)
@click.option("--consistent", is_flag=True, help="A strongly consistent read.")
@click.option("--hidden", is_flag=True, help="Also where it is soft-deleted or has expired.")
@json_option
@database_options
def get(
    model: type[Any], key: Sequence[str], *, consistent: bool, hidden: bool, as_json: bool, settings: Settings
) -> None:
    """Show one item by the values of its key: the partition key's, then the sort key's.

    Of a model with key templates, the attributes that its key is made of. Before a value that begins with a dash, write --.
    Exits with 1 where there is no such item.
    """
    values = key_of(model, key)

    async def read() -> object:
        async with opened(settings) as db:
            return await db.get(Key(model, *values), consistent=consistent, hidden=hidden)

    item = run(read)
    shown = None if item is None else attributes_of(item)
    if as_json:
        show_json(shown)
    elif shown is not None:
        show_item(shown)
    if shown is None:
        say(f"There is no {Key(model, *values)!r}.", err=True)
        raise click.exceptions.Exit(FAILED)


@click.command(
    cls=Command,
    short_help="Items by conditions, through a key or an index.",
    examples=[
        "query shop:User --where org=acme",
        "query shop:User --where org=acme --where 'age>=18' --limit 5 --json",
        "query shop:User --where email^=ada --allow-scan",
    ],
)
@click.argument("model", type=Model())
@read_options
@click.option("--descending", is_flag=True, help="The highest sort key first.")
@click.option("--allow-scan", is_flag=True, help="Read the whole table where no key or index answers.")
@json_option
@database_options
def query(
    model: type[Any], *, options: ReadOptions, descending: bool, allow_scan: bool, as_json: bool, settings: Settings
) -> None:
    """Show the items that conditions describe, through the table's key or an index.

    Refused where only a scan could answer.
    """
    conditions = conditions_of(model, options.where)

    async def read(db: Database) -> None:
        await _show(
            db, options.narrowed(_query(db, model, descending, allow_scan).where(*conditions)), options, as_json
        )

    _run(settings, read)


@click.command(
    cls=Command,
    short_help="Items of a table in no order.",
    examples=["scan shop:User", "scan shop:User --where 'age>=18' --limit 5", "scan shop:User --all --json"],
)
@click.argument("model", type=Model())
@read_options
@json_option
@database_options
def scan(model: type[Any], *, options: ReadOptions, as_json: bool, settings: Settings) -> None:
    """Show items of a table in no order.

    A scan reads, and costs, everything up to the last item that is shown: of --all, and of conditions that few items fulfil,
    that is the whole table.
    """
    conditions = conditions_of(model, options.where)

    async def read(db: Database) -> None:
        if options.all_items or conditions:
            await _warn(db, model, consistent=options.consistent)
        await _show(db, options.narrowed(db.scan(model).where(*conditions)), options, as_json)

    _run(settings, read)


@click.command(
    cls=Command,
    short_help="What a query would send and cost.",
    examples=["explain shop:User --where org=acme", "explain shop:User --where 'age>=18' --scan"],
)
@click.argument("model", type=Model())
@read_options
@click.option("--descending", is_flag=True, help="As of query.")
@click.option("--allow-scan", is_flag=True, help="As of query.")
@click.option("--scan", "as_scan", is_flag=True, help="Explain the scan with these conditions, not the query.")
@json_option
@database_options
def explain(
    model: type[Any],
    *,
    options: ReadOptions,
    descending: bool,
    allow_scan: bool,
    as_scan: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Show what a query would send, through which index and why, and what a page of it can cost. Nothing is sent."""
    conditions = conditions_of(model, options.where)

    async def read(db: Database) -> None:
        if as_scan:
            found = options.narrowed(db.scan(model).where(*conditions)).explain()
        else:
            found = options.narrowed(_query(db, model, descending, allow_scan).where(*conditions)).explain()
        if as_json:
            show_json(found)
        else:
            say(str(found))

    _run(settings, read)


def _run(settings: Settings, read: Callable[[Database], Awaitable[None]]) -> None:
    async def opening() -> None:
        async with opened(settings) as db:
            await read(db)

    run(opening)


def _query(db: Database, model: type[Any], descending: bool, allow_scan: bool) -> Query[Any]:  # noqa: FBT001 - both are options
    made = db.query(model)
    made = made.descending() if descending else made
    return made.allow_scan() if allow_scan else made


async def _show(db: Database, reader: Reader, options: ReadOptions, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Print what is read, as it arrives, and at the end what it came to."""
    count, more = 0, False
    rows: list[dict[str, Any]] = []  # JSON by Python name
    with db.measure(capacity="total") as meter:
        reader = reader if options.all_items else reader.limit(options.limit + 1)
        stream: ItemStream[Any]
        async with reader.stream() as stream:
            async for item in stream:
                more = not options.all_items and count == options.limit
                if more:
                    break
                count += 1
                if as_json:
                    show_json_line(attributes_of(item))
                    continue
                rows.append(attributes_of(item))
                if len(rows) == _AT_ONCE:
                    show_table(rows)
                    rows.clear()
    if rows:
        show_table(rows)
    rest = ", and there are more: --limit or --all" if more else ""
    say(f"{count} item{'' if count == 1 else 's'}{rest}; {meter.statistics.capacity.read:g} read units", err=True)


async def _warn(db: Database, model: type, *, consistent: bool) -> None:
    """Say what a scan of everything costs, by DynamoDB's own count, which is some hours old."""
    table = await db.tables.describe(model)
    units = max(1, math.ceil(table.size_bytes / _UNIT_BYTES)) * (1.0 if consistent else 0.5)
    say(
        f"The whole table {table.name} has about {table.item_count:,} items and {table.size_bytes:,} bytes: to read it costs "
        f"about {units:,g} read units.",
        err=True,
    )
