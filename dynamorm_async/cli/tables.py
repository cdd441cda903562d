"""``diff``, ``plan`` and ``apply``: tables as models declare them."""

from __future__ import annotations

from collections.abc import Sequence

import click

from dynamorm_async import Table, schema
from dynamorm_async.cli.asking import confirm, yes_option
from dynamorm_async.cli.command import Command, resume_with, run
from dynamorm_async.cli.connecting import Settings, database_options, opened
from dynamorm_async.cli.failures import DRIFT
from dynamorm_async.cli.finding import Models, tables_and_models
from dynamorm_async.cli.progress import Progress
from dynamorm_async.cli.saying import say
from dynamorm_async.cli.showing import json_option, show_json
from dynamorm_async.cli.words import in_options
from dynamorm_async.schema import PERMISSIONS, Permission

models_argument = click.argument("models", type=Models(), nargs=-1, required=True)
allow_option = click.option(
    "--allow",
    type=click.Choice(PERMISSIONS),
    multiple=True,
    metavar="PERMISSION",
    help=f"What the plan may take away; may be given several times: {', '.join(PERMISSIONS)}.",
)


@click.command(
    cls=Command, short_help="What of the tables is not as declared.", examples=["diff shop:User", "diff shop --json"]
)
@models_argument
@json_option
@database_options
def diff(models: Sequence[Sequence[type | Table]], *, as_json: bool, settings: Settings) -> None:
    """Show what of the tables is not as declared. Exits with 3 where something is not."""

    async def look() -> list[schema.Difference]:
        async with opened(settings) as db:
            return await schema.diff(db, *tables_and_models(models))

    found = run(look)
    if as_json:
        show_json([one.as_dict() for one in found])
    else:
        for one in found:
            say(str(one))
        if not found:
            say("no drift: everything is as declared")
    if found:
        raise click.exceptions.Exit(DRIFT)


@click.command(
    cls=Command,
    short_help="What apply would do.",
    examples=["plan shop:User", "plan shop --check", "plan shop --allow delete_index --json"],
)
@models_argument
@allow_option
@click.option(
    "--check", is_flag=True, help="Exit with 3 where something is not as declared, for continuous integration."
)
@json_option
@database_options
def plan(
    models: Sequence[Sequence[type | Table]],
    *,
    allow: Sequence[Permission],
    check: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Show what apply would do, step by step. Nothing is changed."""
    made = run(lambda: _planned(models, allow, settings))
    if as_json:
        show_json(made.as_dict())
    else:
        say(in_options(str(made), click.get_current_context().command))
    if check and made.differences:
        raise click.exceptions.Exit(DRIFT)


@click.command(
    cls=Command,
    short_help="Make the tables as they are declared.",
    examples=["apply shop:User", "apply shop --allow delete_index --yes"],
)
@models_argument
@allow_option
@yes_option
@click.option(
    "--timeout", type=float, default=86_400.0, show_default=True, help="Seconds to wait for one step, such as an index."
)
@json_option
@database_options
def apply(
    models: Sequence[Sequence[type | Table]],
    *,
    allow: Sequence[Permission],
    yes: bool,
    timeout: float,
    as_json: bool,
    settings: Settings,
) -> None:
    """Make the tables as they are declared.

    Takes one step after the other and waits until each is done. What takes something away is done only where --allow names
    it, and is asked for before. Interrupted, it goes on where it was when it is run again.
    """
    resume_with("DynamoDB may be at the last step still; run the same command again, which goes on from there.")
    made = run(lambda: _planned(models, allow, settings))
    if not as_json:
        say(in_options(str(made), click.get_current_context().command))
    if made.destroys and not made.refused:
        confirm("; ".join(f"{step.summary} (table {step.table})" for step in made.destroys), yes=yes)

    async def take() -> schema.Applied:
        with Progress("apply") as progress:

            async def tell(at: schema.Progress) -> None:
                progress.show(str(at), fraction=(at.number - 1) / at.total, always=at.state != "waiting")

            async with opened(settings) as db:
                return await schema.apply(db, made, on_progress=tell, timeout=timeout)

    done = run(take)
    if as_json:
        show_json({"steps": [step.as_dict() for step in done.steps], "left": done.plan.as_dict()})
        return
    count, left = len(done.steps), len(done.plan.left_alone)
    if count:
        say(f"done: {count} step{'' if count == 1 else 's'} taken")
    if left:
        say(
            f"The tables are not all as declared: {left} difference{'' if left == 1 else 's'} left alone, as said above.",
            err=True,
        )


async def _planned(
    models: Sequence[Sequence[type | Table]], allow: Sequence[Permission], settings: Settings
) -> schema.Plan:
    async with opened(settings) as db:
        return await schema.plan(db, *tables_and_models(models), allow=allow)
