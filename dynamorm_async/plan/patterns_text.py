"""Access patterns as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from dynamorm_async.plan.pattern import AccessPattern
from dynamorm_async.plan.sharing import ItemCollection

if TYPE_CHECKING:
    from dynamorm_async.plan.patterns import UniqueValues

_COLUMNS = ("Model", "Read", "Needs", "May follow", "Sorted by", "From", "Key", "Notes", "Example")


def markdown(
    patterns: Sequence[AccessPattern], collections: Sequence[ItemCollection], unique: Sequence[UniqueValues]
) -> str:
    """A heading a table, a row a pattern, then collections and unique values.

    Args:
        patterns: the patterns, those of a table beside each other.
        collections: the collections of their models.
        unique: the unique values of their models.
    """
    lines: list[str] = []
    for table, of_table in groupby(patterns, key=attrgetter("table")):
        rows = "\n".join(f"| {' | '.join(row)} |" for row in _rows(of_table))
        lines += [f"## Table {_code(table)}", rows]
        shared = [_collection(one) for one in collections if one.table == table]
        if shared:
            lines += ["### Collections", "\n".join(shared)]
        kept = [_unique(one) for one in unique if one.table == table]
        if kept:
            lines += ["### Unique values", "\n".join(kept)]
    return "\n\n".join(lines) + "\n"


def _rows(patterns: Iterable[AccessPattern]) -> Iterator[Sequence[str]]:
    yield _COLUMNS
    yield ["---"] * len(_COLUMNS)
    for one in patterns:
        yield (
            _code(one.model.__name__),
            one.operation,
            _codes(one.needs) or "nothing",
            _following(one),
            _codes(one.order),
            _source(one.index),
            "<br>".join(map(_code, one.key)),
            "<br>".join(_notes(one)),
            _code(one.example),
        )


def _following(pattern: AccessPattern) -> str:
    """What may follow, in order; what takes no range says so."""
    return ", then ".join(_code(name) + ("" if name in pattern.ranges else " (a value)") for name in pattern.then)


def _notes(pattern: AccessPattern) -> Iterator[str]:
    if not pattern.consistent:
        yield "eventually consistent"
    if pattern.sparse:
        yield f"only items where {' and '.join(map(_code, pattern.sparse))}"
    if pattern.projection != "all":
        yield f"holds {_codes(pattern.projection)}"


def _collection(one: ItemCollection) -> str:
    key = " and ".join(map(_code, one.key))
    return f"- {key} in {_source(one.index)}: {_codes(cls.__name__ for cls in one.models)}"


def _unique(one: UniqueValues) -> str:
    attributes = " with ".join(_code(f"{one.model.__name__}.{name}") for name in one.attributes)
    return f"- {attributes}: no two items have the same; which values are taken is in {_code(one.marker_table)}"


def _source(index: str | None) -> str:
    return "the table" if index is None else f"index {_code(index)}"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(_code, texts))


def _code(text: str) -> str:
    """A code span inside a table: GitHub takes ``|`` as the end of a cell even there, unless it is escaped."""
    shown = text.replace("\n", "\\n").replace("\r", "\\r").replace("|", "\\|")
    if "`" not in shown:
        return f"`{shown}`"
    fence = "`" * (max(map(len, _runs(shown))) + 1)
    return f"{fence} {shown} {fence}"


def _runs(text: str) -> Iterator[str]:
    """The runs of backticks in a text."""
    return ("".join(run) for char, run in groupby(text) if char == "`")
