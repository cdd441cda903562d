"""``migrate``: versioned migrations, from a folder of files."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar, final

import click
import msgspec

from dynamorm_async import Table
from dynamorm_async.cli.asking import confirm, yes_option
from dynamorm_async.cli.command import Command, Group, resume_with, run
from dynamorm_async.cli.connecting import Settings, database_options, opened
from dynamorm_async.cli.finding import Models, tables_and_models
from dynamorm_async.cli.progress import Progress as Shown
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.showing import json_option, show_json
from dynamorm_async.cli.tables import allow_option
from dynamorm_async.leases import Bookkeeping
from dynamorm_async.migrations import Migrations, MigrationStatus, Progress
from dynamorm_async.schema import Permission

T = TypeVar("T")
_RESUME = "run the same command again, which goes on at the step where it was."


@final
class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Where migrations are, and where is written which of them were applied.

    Attributes:
        folder: of the files.
        ledger: its name.
        bookkeeping: the table that it is in.
    """

    folder: Path
    ledger: str
    bookkeeping: str


_OPTIONS = (
    click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("migrations"),
        show_default=True,
        envvar="DYNAMORM_MIGRATIONS",
        help="Where the files are. [DYNAMORM_MIGRATIONS]",
    ),
    click.option("--ledger", default="main", show_default=True, help="The ledger's name."),
    click.option("--bookkeeping", default="dynamorm", show_default=True, help="The table of the ledger and its lease."),
)


def ledger_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say which migrations are meant; the function gets them as ``where``."""

    @functools.wraps(function)
    def with_ledger(**given: Any) -> None:  # Any: as click parsed the options
        names = Ledger.__struct_fields__
        function(where=Ledger(**{name: given.pop(name) for name in names}), **given)

    for option in reversed(_OPTIONS):
        with_ledger = option(with_ledger)
    return with_ledger


dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would be run.")
accept_option = click.option("--accept-changed", is_flag=True, help="Take files that were changed since as they are.")


@click.group(cls=Group, short_help="Versioned migrations, from a folder of files.")
def migrate() -> None:
    """Versioned migrations: files 0001_name.py with upgrade and downgrade, applied once and in order."""


@migrate.command(
    cls=Command,
    short_help="Write the next file.",
    examples=["migrate new 'users by age' --models shop", "migrate new 'fill names' --folder migrations"],
)
@click.argument("name")
@click.option("--models", type=Models(), multiple=True, help="Models whose difference to DynamoDB it settles.")
@allow_option
@ledger_options
@database_options
def new(
    name: str,
    *,
    models: Sequence[Sequence[type | Table]],
    allow: Sequence[Permission],
    where: Ledger,
    settings: Settings,
) -> None:
    """Write the next file: from how the tables differ from --models, or an empty one."""
    targets = tables_and_models(models)
    path = run(lambda: _with(settings, where, lambda migrations: migrations.new(name, models=targets, allow=allow)))
    say(str(path))


@migrate.command(
    cls=Command, short_help="What became of each migration.", examples=["migrate status", "migrate status --json"]
)
@json_option
@ledger_options
@database_options
def status(*, as_json: bool, where: Ledger, settings: Settings) -> None:
    """Show every migration and what became of it."""
    _show(run(lambda: _with(settings, where, lambda migrations: migrations.status())), as_json=as_json)


@migrate.command(
    cls=Command,
    short_help="Apply what is pending.",
    examples=["migrate up --dry-run", "migrate up", "migrate up --to 1"],
)
@click.option("--to", metavar="NUMBER", help="The last one to apply.")
@click.option("--allow-out-of-order", is_flag=True, help="Apply also what stands before one that is applied.")
@accept_option
@dry_run_option
@json_option
@ledger_options
@database_options
def up(
    *,
    to: str | None,
    allow_out_of_order: bool,
    accept_changed: bool,
    dry_run: bool,
    as_json: bool,
    where: Ledger,
    settings: Settings,
) -> None:
    """Apply what is pending, in order, and finish what was begun."""
    resume_with(_RESUME)
    with Shown("migrate up") as shown:
        done = run(
            lambda: _with(
                settings,
                where,
                lambda migrations: migrations.up(
                    to,
                    dry_run=dry_run,
                    accept_changed=accept_changed,
                    allow_out_of_order=allow_out_of_order,
                    on_progress=lambda at: _tell(shown, at),
                ),
            )
        )
    _show_done(done, "would be applied" if dry_run else "applied", as_json=as_json)


@migrate.command(
    cls=Command,
    short_help="Revert the last ones.",
    examples=["migrate down --dry-run", "migrate down --yes", "migrate down --to 0 --yes"],
)
@click.option("--to", metavar="NUMBER", help="The last one that stays applied; 0 reverts all.")
@click.option("--steps", type=int, help="How many to revert; one by default.")
@accept_option
@dry_run_option
@yes_option
@json_option
@ledger_options
@database_options
def down(
    *,
    to: str | None,
    steps: int | None,
    accept_changed: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    where: Ledger,
    settings: Settings,
) -> None:
    """Revert the last migration, or the last few. Asks before."""
    resume_with(_RESUME)

    def revert(*, dry_run: bool, names: Collection[str] | None = None) -> list[MigrationStatus]:
        with Shown("migrate down") as shown:
            return run(
                lambda: _with(
                    settings,
                    where,
                    lambda migrations: migrations.down(
                        to,
                        steps=steps,
                        dry_run=dry_run,
                        accept_changed=accept_changed,
                        names=names,
                        on_progress=lambda at: _tell(shown, at),
                    ),
                )
            )

    done = revert(dry_run=True)
    if done and not dry_run:
        confirm(f"revert {', '.join(one.name for one in done)}", yes=yes)
        done = revert(dry_run=False, names=[one.name for one in done])  # nothing else, whatever others did meanwhile
    _show_done(done, "would be reverted" if dry_run else "reverted", as_json=as_json)


@migrate.command(
    cls=Command,
    short_help="Count migrations as applied without running them.",
    examples=["migrate stamp 1", "migrate stamp 0"],
)
@click.argument("to", metavar="NUMBER")
@json_option
@ledger_options
@database_options
def stamp(to: str, *, as_json: bool, where: Ledger, settings: Settings) -> None:
    """Write down that everything up to NUMBER is applied and nothing after it, without running anything. 0 is nothing."""
    _show(run(lambda: _with(settings, where, lambda migrations: migrations.stamp(to))), as_json=as_json)


async def _with(settings: Settings, where: Ledger, do: Callable[[Migrations], Awaitable[T]]) -> T:
    async with opened(settings) as db:
        bookkeeping = Bookkeeping(db, table=where.bookkeeping)
        return await do(Migrations(db, where.folder, ledger=where.ledger, bookkeeping=bookkeeping))


def _tell(shown: Shown, at: Progress) -> None:
    shown.show(str(at), fraction=(at.position - 1) / at.total, always=at.event != "working")


def _show(found: Sequence[MigrationStatus], *, as_json: bool) -> None:
    if as_json:
        show_json([one.as_dict() for one in found])
        return
    for one in found:
        say(str(one))
    if not found:
        say("there are no migrations")


def _show_done(done: Sequence[MigrationStatus], what: str, *, as_json: bool) -> None:
    if as_json:
        show_json([one.as_dict() for one in done])
        return
    for one in done:
        say(f"{one.name}: {what}")
    if not done:
        say("nothing to do")
