"""Finds what the command line names: models, functions and databases, as ``module:attribute``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast, final

import click

from dynamorm_async import Table
from dynamorm_async.cli.command import TRACEBACK
from dynamorm_async.model.spec import SPEC

_OWN: Final = "dynamorm_async"


def import_from_here() -> None:
    """Make the current folder importable: a console script has its own folder on the path instead."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


class Reference(click.ParamType):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]  # not generic in older clicks
    """Anything, as ``module:attribute``, or ``module`` alone. The current folder is importable."""

    name = "module:attribute"

    # Any: an object of the user's.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text names."""
        return find(value, ctx, param) if isinstance(value, str) else value


@final
class Function(Reference):
    """A function of the user's."""

    # Any: as above.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The function that the text names."""
        found = super().convert(value, param, ctx)
        if not callable(found):
            self.fail(f"{value} is no function but {_what(found)}", param, ctx)
        return found


@final
class Models(Reference):
    """Models and tables: one, several in a list or tuple, or all models of a module."""

    # Any: as above.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The models and tables that the text names, as a tuple."""
        if not isinstance(value, str):
            return value
        found = super().convert(value, param, ctx)
        models = tuple(_of_module(found) if isinstance(found, ModuleType) else _flat(found))
        if isinstance(found, ModuleType) and not models:
            self.fail(f"no model is declared in {value}: name one as {value}:User", param, ctx)
        for one in models:
            if not is_target(one):
                self.fail(f"{value} is {_what(one)}, which is no model, no Table and no list of them", param, ctx)
        return models


@final
class Model(Reference):
    """Exactly one model."""

    # Any: as above.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The model that the text names."""
        found = super().convert(value, param, ctx)
        if isinstance(found, ModuleType):
            models = list(_of_module(found))
            if len(models) == 1:
                return models[0]
            names = ", ".join(f"{value}:{one.__name__}" for one in models if isinstance(one, type))
            self.fail(f"one model is wanted, and the module {value} has {names or 'none'}", param, ctx)
        if not isinstance(found, type) or SPEC not in vars(found):
            self.fail(f"{value} is {_what(found)}, and a model is wanted", param, ctx)
        return found


def is_target(value: object) -> bool:
    """Whether something is a model or a table."""
    return isinstance(value, Table) or (isinstance(value, type) and SPEC in vars(value))


def find(reference: str, ctx: click.Context | None = None, param: click.Parameter | None = None) -> Any:  # anything
    """What ``module:attribute`` names; the module itself where no attribute is named.

    Args:
        reference: the text.
        ctx: the command that runs.
        param: the parameter that has it, for errors.

    Raises:
        click.BadParameter: there is no such module or attribute.
        click.ClickException: the module raised when it was imported.
    """
    name, _, path = reference.partition(":")
    if not all(part.isidentifier() for part in name.split(".")) or name.endswith(".py"):
        hint = f": write {name.removesuffix('.py').strip('./').replace('/', '.')}" if name.endswith(".py") else ""
        raise click.BadParameter(f"{name!r} is no name of a module{hint}", ctx, param)
    found: Any = _module(name, ctx, param)
    for part in path.split(".") if path else ():
        try:
            found = getattr(found, part)
        except AttributeError:
            raise click.BadParameter(f"{name} has no {path!r}{_offers(found)}", ctx, param) from None
    return found


def _module(name: str, ctx: click.Context | None, param: click.Parameter | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise click.BadParameter(
                f"there is no module {error.name!r}, neither in {Path.cwd()} nor installed", ctx, param
            ) from None
        if ctx is not None and ctx.meta.get(TRACEBACK):
            raise
        raise click.ClickException(
            f"{name} cannot be imported: {type(error).__name__}: {error} (--traceback shows where)"
        ) from error


def _of_module(module: ModuleType) -> Iterator[type | Table]:
    """What a module or package declares: its own, not what it imports from elsewhere; tables for all their models."""
    name = module.__name__
    found = [value for value in vars(module).values() if isinstance(value, type) and SPEC in vars(value)]
    models = [model for model in found if f"{model.__module__}.".startswith(f"{name}.")]
    yield from dict.fromkeys(models)
    lived_in = {vars(model)[SPEC].table for model in models}
    for value in vars(module).values():
        if isinstance(value, Table) and value not in lived_in and not value.models:
            yield value


def _flat(found: object) -> Iterator[Any]:
    if isinstance(found, list | tuple | set | frozenset):
        for one in cast("Iterable[object]", found):
            yield from _flat(one)
    else:
        yield found


def _offers(found: object) -> str:
    """The models among which the right one may be."""
    models = [name for name, value in vars(found).items() if is_target(value)] if isinstance(found, ModuleType) else []
    return f"; its models are {', '.join(models)}" if models else ""


def _what(found: object) -> str:
    kind = type(found).__name__
    return f"the {'class' if isinstance(found, type) else kind} {getattr(found, '__name__', '')}".rstrip()


def tables_and_models(given: Iterable[Iterable[type | Table]]) -> list[type | Table]:
    """All targets that several references name, each once."""
    return list(dict.fromkeys(one for some in given for one in some))


def only_target(given: Iterable[type[Any] | Table]) -> type[Any] | Table:
    """The one model or table that a reference names.

    Raises:
        click.UsageError: it names several.
    """
    one, *others = given
    if others:
        raise click.UsageError("one model or table is wanted: name it as module:attribute")
    return one
