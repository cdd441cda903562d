"""What save() writes: the entries of maps that differ, and whole values of everything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from tests.differential.plain import Item, Value, copied

Names: TypeAlias = tuple[str, ...]
Entry: TypeAlias = tuple[Names, Value | None]  # a path, and its new value: None removes it


def differing(path: Names, new: Value | None, seen: Value | None, held: Value | None) -> list[Entry]:
    """What is to be written where ``seen`` became ``new``, and the table had ``held``."""
    if new == seen:
        return []
    maps = [None if value is None else value.get("M") for value in (new, seen, held)]
    after, before, there = maps
    if after is None or before is None or there is None:
        return [(path, new)]
    names = dict.fromkeys((*before, *after))
    if "" in names:
        return [(path, new)]
    return [
        entry
        for name in names
        for entry in differing((*path, name), after.get(name), before.get(name), there.get(name))
    ]


def put_entries(item: Item, entries: Iterable[Entry]) -> bool:
    """Write them into an item; whether all the maps that they go into are there."""
    for path, value in entries:
        holder: dict[str, Any] = item
        for name in path[:-1]:
            inner = holder.get(name, {}).get("M")
            if inner is None:
                return False
            holder = inner
        if value is None:
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = copied(value)
    return True
