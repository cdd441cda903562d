"""The database of a command: by its options, by the environment, or by a function of the user's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, final

import click
import msgspec

from dynamorm_async import Database
from dynamorm_async.cli.finding import Reference


@final
class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command's requests go.

    Attributes:
        region: of ``--region``.
        endpoint: of ``--endpoint``.
        profile: of ``--profile``.
        table_prefix: of ``--table-prefix``.
        lane: of ``--lane``.
        database: what ``--database`` names: a database, or a function that makes one.
    """

    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    table_prefix: str | None = None
    lane: Literal["auto", "direct", "sdk"] | None = None
    database: Any = None  # an object of the user's


_OPTIONS = (
    click.option("--region", metavar="REGION", help="The AWS region; by default that of the environment or profile."),
    click.option("--endpoint", metavar="URL", help="The endpoint, for local engines."),
    click.option("--profile", metavar="NAME", help="A profile of the shared AWS files."),
    click.option(
        "--table-prefix",
        metavar="TEXT",
        envvar="DYNAMORM_TABLE_PREFIX",
        help="Put before every table's name, such as staging-. [DYNAMORM_TABLE_PREFIX]",
    ),
    click.option(
        "--lane",
        type=click.Choice(["auto", "direct", "sdk"]),
        envvar="DYNAMORM_LANE",
        help="How requests are sent. [DYNAMORM_LANE]",
    ),
    click.option(
        "--database",
        type=Reference(),
        envvar="DYNAMORM_DATABASE",
        help="A Database, or a function that makes one, instead of the options above. [DYNAMORM_DATABASE]",
    ),
)


def database_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say where requests go; the function gets them as ``settings``."""

    @functools.wraps(function)
    def with_settings(**given: Any) -> None:  # Any: as click parsed the options
        names = Settings.__struct_fields__
        settings = Settings(**{name: given.pop(name) for name in names})
        _check(settings)
        function(settings=settings, **given)

    for option in reversed(_OPTIONS):
        with_settings = option(with_settings)
    return with_settings


def _check(settings: Settings) -> None:
    ctx = click.get_current_context()
    typed = [
        name
        for name in Settings.__struct_fields__
        if name != "database" and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if settings.database is not None and typed:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in typed)
        raise click.UsageError(f"--database brings its own settings: leave {options} out")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Database]:
    """The database of a command, closed at the end.

    Raises:
        click.UsageError: ``--database`` names something else, or its function made something else.
    """
    async with await _database(settings) as db:
        yield db


async def _database(settings: Settings) -> Database:
    made = settings.database
    if made is None:
        return Database(
            region=settings.region,
            endpoint=settings.endpoint,
            profile=settings.profile,
            table_prefix=settings.table_prefix or "",
            lane=settings.lane or "auto",
        )
    if callable(made):
        made = made()
    if inspect.isawaitable(made):
        made = await made
    if not isinstance(made, Database):
        raise click.UsageError(
            f"--database: a Database is wanted, or a function that makes one; got {type(made).__name__}"
        )
    return made
