"""The next file of a folder, from what differs between models and DynamoDB."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dynamorm_async import PlanRefused, UsageError
from dynamorm_async.migrations.declaring import declaration
from dynamorm_async.migrations.files import LONGEST_NAME
from dynamorm_async.migrations.source import WIDTH, Group, call, literal, rendered
from dynamorm_async.schema import Plan, TablePlan

_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_TAKEN: Final = frozenset({"context", "upgrade", "downgrade"})

_EMPTY: Final = '''"""{title}."""

from dynamorm_async.migrations import Context


async def upgrade(context: Context) -> None:
    """What is interrupted is run again: context.step, backfill, copy and apply go on where they were."""
'''

_CHANGE: Final = '''"""{title}.

How the tables differed from their declarations:

{differences}
"""

{imports}
from dynamorm_async.migrations import Context

{declarations}


async def upgrade(context: Context) -> None:
    """Make the tables as they are declared above; what is so already is left as it is."""
    {application}
'''


def write_next(folder: Path, number: int, name: str, plan: Plan | None) -> Path:
    """Write a file; the folder is made where it is not there.

    Args:
        folder: where to.
        number: the file's number.
        name: what it does, in words.
        plan: what is to be done to tables; ``None`` where nothing was compared.

    Raises:
        UsageError: the name has no letters or digits, or is too long.
        PlanRefused: the plan holds what DynamoDB cannot do.
        FileExistsError: there is such a file by now.
    """
    path = folder / f"{number:04}_{slug(name)}.py"
    if len(path.stem) > LONGEST_NAME:
        raise UsageError(f"the name of the migration is too long, {LONGEST_NAME} characters at most: {path.stem}")
    text = source_of(name, plan)
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path


def slug(name: str) -> str:
    """A name in words as part of a file's name.

    Raises:
        UsageError: nothing is left of it.
    """
    plain = _NOT_PLAIN.sub("_", name.lower()).strip("_")
    if not plain:
        raise UsageError(f"{name!r} is no name for a migration: it has no letters of a-z or digits. Say what it does")
    return plain


def source_of(name: str, plan: Plan | None) -> str:
    """The text of a file.

    Raises:
        PlanRefused: the plan holds what DynamoDB cannot do.
    """
    title = _safe(name.strip().removesuffix("."))
    title = title[:1].upper() + title[1:]
    if plan is not None and plan.refused:
        error = PlanRefused([str(one) for one in plan.refused])
        error.add_note("To replace the table in a migration of your own: new(name, models=()) writes an empty one")
        raise error
    if plan is None or plan.is_empty:
        return _EMPTY.format(title=title)
    tables = [table for table in plan.tables if table.steps]
    names: set[str] = set()
    sources = [declaration(table.table, names) for table in tables]
    variables = _variables([table.table.name for table in tables], names)
    allowed = tuple(sorted({step.permission for step in plan.steps if step.permission is not None}))
    permissions = {"allow": literal(allowed, set())} if allowed else {}
    return _CHANGE.format(
        title=title,
        differences="\n".join(line for table in tables for line in _differences(table)),
        imports=_imports(names),
        declarations="\n\n".join(
            f"{variable} = {rendered(source, taken=len(variable) + 3)}"
            for variable, source in zip(variables, sources, strict=True)
        ),
        application=rendered(call("await context.apply", *variables, **permissions), indent=4, taken=4),
    )


def _differences(plan: TablePlan) -> Iterator[str]:
    """What a plan does to a table and what it leaves alone, by the table's name without the database's prefix."""
    lines = [(f"{number}. ", step.summary) for number, step in enumerate(plan.steps, 1)]
    lines += [("- ", f"left alone: {one.reason}") for one in plan.left_alone]
    yield f"table {plan.table.name}"
    for mark, text in lines:
        said = _safe(text.replace(plan.name, plan.table.name))
        yield from textwrap.wrap(
            said,
            WIDTH,
            initial_indent=f"  {mark}",
            subsequent_indent=" " * (2 + len(mark)),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _imports(names: set[str]) -> str:
    ordered = sorted(names, key=lambda name: (not name.isupper(), name))
    line = f"from dynamorm_async import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return rendered(Group("from dynamorm_async import (", tuple(("", name) for name in ordered), ")"), taken=WIDTH)


def _variables(tables: list[str], imported: set[str]) -> list[str]:
    """A name in the file for each table, no two the same."""
    found: list[str] = []
    for table in tables:
        plain = re.sub(r"\W", "_", table, flags=re.ASCII).lower()
        name = f"table_{plain}" if plain[0].isdigit() or keyword.iskeyword(plain) or plain in _TAKEN else plain
        base, number = name, 2
        while name in found or name in imported:
            name, number = f"{base}_{number}", number + 1
        found.append(name)
    return found


def _safe(text: str) -> str:
    """Text that a docstring can hold."""
    return text.replace("\\", "/").replace('"""', "'''")
