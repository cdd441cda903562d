"""``backfill``: a change of every item of a model, from any number of shells at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click

from dynamorm_async import Database, TableNotFound, UsageError
from dynamorm_async.backfills import Backfill, BackfillResult, Progress
from dynamorm_async.cli.asking import confirm, yes_option
from dynamorm_async.cli.command import Command, resume_with, run
from dynamorm_async.cli.conditions import condition_of, where_option
from dynamorm_async.cli.connecting import Settings, database_options, opened
from dynamorm_async.cli.finding import Function, Model
from dynamorm_async.cli.progress import Progress as Shown
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.showing import json_option, show_json
from dynamorm_async.leases import Bookkeeping


@click.command(
    cls=Command,
    short_help="Change every item of a model.",
    examples=[
        "backfill shop:User shop:full_name --name full-names --where 'name not exists' --rate 200",
        "backfill shop:User --name full-names --status",
        "backfill shop:User --name full-names --reset --yes",
    ],
)
@click.argument("model", type=Model())
@click.argument("change", type=Function(), required=False)
@click.option("--name", required=True, help="The backfill's name, the same in every process that takes part.")
@where_option
@click.option("--segments", type=int, default=64, show_default=True, help="In how many parts the table is read.")
@click.option("--workers", type=int, default=4, show_default=True, help="Parts that this process works on at a time.")
@click.option(
    "--concurrency", type=int, default=8, show_default=True, help="Items of a part that are written at a time."
)
@click.option("--page-size", type=int, default=100, show_default=True, help="Items between two checkpoints.")
@click.option("--rate", type=float, help="Capacity units a second that this process consumes at most.")
@click.option(
    "--duration", type=float, default=30.0, show_default=True, help="Seconds until a dead process is replaced."
)
@click.option("--marker", help="A text attribute that says that an item was done, so that nothing is changed twice.")
@click.option("--max-failures", type=int, default=100, show_default=True, help="Items that may fail before it ends.")
@click.option("--bookkeeping", default="dynamorm", show_default=True, help="The table of leases and checkpoints.")
@click.option("--status", is_flag=True, help="Only show how far it is, in all processes together.")
@click.option("--reset", is_flag=True, help="Forget it, so that the next run begins at the start.")
@yes_option
@json_option
@database_options
def backfill(
    model: type,
    change: Callable[[Any], object] | None,
    *,
    name: str,
    where: Sequence[str],
    bookkeeping: str,
    status: bool,
    reset: bool,
    yes: bool,
    as_json: bool,
    settings: Settings,
    **how: Any,  # the options of Backfill that are numbers, and the marker
) -> None:
    """Change every item of MODEL by the function CHANGE, which gets an item and returns it changed, or None to leave it alone.

    Without CHANGE, items of older schema versions are migrated. Any number of processes with the same name share the work, and
    any of them may die. Run again, it goes on at the last checkpoint; of one that is done, it shows what it came to.
    """
    if status and reset:
        raise click.UsageError("--status and --reset exclude each other")
    condition = condition_of(model, where)

    def job(db: Database) -> Backfill[Any]:
        # What status and reset do not need, they are not asked for.
        changed = change if change is not None or not (status or reset) else _unchanged
        return Backfill(
            db, model, changed, name=name, where=condition, bookkeeping=Bookkeeping(db, table=bookkeeping), **how
        )

    if reset:
        confirm(f"forget the checkpoints of the backfill {name!r}", yes=yes)
        run(lambda: _reset(settings, job))
        say(f"{name}: forgotten; the next run begins at the start", err=as_json)
    elif status:
        _show_status(name, run(lambda: _status(settings, job)), as_json=as_json)
    else:
        again = (
            ""
            if how["marker"]
            else "; items of the pages that it was in are changed once more, unless there is a --marker"
        )
        resume_with(f"run the same command again, which goes on at the last checkpoint{again}.")
        _show_result(name, run(lambda: _run(settings, job)), as_json=as_json)


async def _run(settings: Settings, job: Callable[[Database], Backfill[Any]]) -> BackfillResult:
    with Shown("backfill") as shown:
        async with opened(settings) as db:
            return await job(db).run(on_progress=lambda at: shown.show(str(at), fraction=at.fraction))


async def _status(settings: Settings, job: Callable[[Database], Backfill[Any]]) -> Progress | None:
    """How far it is; ``None`` where there is no bookkeeping table yet."""
    try:
        async with opened(settings) as db:
            return await job(db).status()
    except TableNotFound:
        return None


async def _reset(settings: Settings, job: Callable[[Database], Backfill[Any]]) -> None:
    with suppress(TableNotFound):  # nothing was ever begun
        async with opened(settings) as db:
            await job(db).reset()


def _unchanged(_item: object) -> None:
    raise UsageError("nothing is changed by --status and --reset")


def _show_status(name: str, at: Progress | None, *, as_json: bool) -> None:
    begun = at if at is not None and at.segments else None
    if as_json:
        show_json(None if begun is None else {"fraction": begun.fraction, **_fields(begun)})
    elif begun is None:
        say(f"{name}: not begun")
    else:
        say(str(begun))


def _show_result(name: str, result: BackfillResult, *, as_json: bool) -> None:
    if as_json:
        show_json({"name": name, **_fields(result)})
        return
    say(
        f"{name}: {result.scanned:,} items read, {result.changed:,} changed, {result.skipped:,} skipped, "
        f"{result.conflicts:,} written again after others; {result.capacity:,.1f} capacity units"
    )


def _fields(record: Progress | BackfillResult) -> dict[str, Any]:  # numbers and texts
    return {field: getattr(record, field) for field in record.__struct_fields__}
