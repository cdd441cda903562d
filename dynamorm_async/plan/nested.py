"""What changed between two states of an item, as updates of paths that go into maps where they can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.stored import Nested
from dynamorm_async.expressions.conditions import Literally
from dynamorm_async.expressions.updates import Assignment, Nothing, Update
from dynamorm_async.types import AttributeValue, RawItem

Names = tuple[str, ...]


def replacement(path: Names, value: AttributeValue | None) -> Update:
    """SET of a value, or REMOVE where there is none."""
    if value is None:
        return Update("REMOVE", path, Nothing())
    return Update("SET", path, Assignment(Literally(value)))


def changes(
    nested: Nested,
    path: Names,
    new: AttributeValue | None,
    seen: AttributeValue | None,
    held: AttributeValue | None,
) -> list[Update]:
    """The updates that bring what is under a path up to its new value.

    Where it is a map before and after, and in the table, only the entries that differ are named, so that others keep
    what the model does not know and what others wrote. Everything else is replaced whole; so is a value of a family
    that became one of another class, so that nothing of the class before is left.

    Args:
        nested: what is known of the type.
        path: where it is.
        new: the value as it is to be; ``None`` for no attribute.
        seen: the value as it was when it was read.
        held: the value as the table has it: ``None`` where the table has nothing and ``seen`` is a default.
    """
    if same_value(new, seen):
        return []
    maps = [value.get("M") if value is not None else None for value in (new, seen, held)]
    before, after, there = maps[1], maps[0], maps[2]
    within = None if before is None or after is None else nested.of(before, after)
    if before is None or after is None or there is None or within is None:
        return [replacement(path, new)]
    names = dict.fromkeys((*before, *after))
    entries = {name: within.entry(name) for name in names}
    if "" in entries or None in entries.values():  # an empty name cannot stand in an expression
        return [replacement(path, new)]
    return [
        update
        for name, entry in entries.items()
        if entry is not None
        for update in changes(entry, (*path, name), after.get(name), before.get(name), there.get(name))
    ]


def maps_inside(updates: Iterable[Update]) -> tuple[Names, ...]:
    """The maps that updates change entries of: the innermost ones, which are there only where all others are."""
    parents = dict.fromkeys(tuple(map(str, update.path[:-1])) for update in updates if len(update.path) > 1)
    around = {path[:length] for path in parents for length in range(1, len(path))}
    return tuple(path for path in parents if path not in around)


def applied(item: RawItem, updates: Iterable[Update]) -> dict[str, AttributeValue]:
    """The item as these updates leave it; the one that is given stays as it is."""
    result = dict(item)
    for update in updates:
        _apply(result, update)
    return result


def _apply(item: dict[str, Any], update: Update) -> None:
    *outer, last = map(str, update.path)
    for name in outer:
        copied = dict[str, Any](item[name]["M"])
        item[name] = {"M": copied}
        item = copied
    change = update.change
    if isinstance(change, Assignment) and isinstance(change.operand, Literally):
        item[last] = change.operand.value
    else:
        item.pop(last, None)
