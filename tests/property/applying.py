"""What an UpdateItem does to an item, by DynamoDB's rules, for SET of values and REMOVE: read from the request's text."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.property.evaluator import Parser, tokens

Path = tuple[str, ...]


class Refused(Exception):
    """DynamoDB would refuse the request."""


def apply(body: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The item after the update.

    Raises:
        Refused: the condition does not hold, or a path is invalid.
    """
    if "ConditionExpression" in body and not Parser(body["ConditionExpression"], body).condition()(item):
        raise Refused("the conditional request failed")
    result = copy.deepcopy(dict(item))
    taken: set[Path] = set()
    for clause, path, value in changes(body, item):
        if any(path[: len(other)] == other or other[: len(path)] == path for other in taken):
            raise Refused(f"two document paths overlap: {path}")
        taken.add(path)
        holder = _map_at(result, path[:-1])
        if clause == "SET":
            holder[path[-1]] = copy.deepcopy(value)
        else:
            holder.pop(path[-1], None)
    return result


def changes(body: Mapping[str, Any], item: Mapping[str, Any] | None = None) -> list[tuple[str, Path, Any]]:
    """Clause, path and value of each change: of if_not_exists, what the item gets."""
    names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    found: list[tuple[str, Path, Any]] = []
    clause, words = "", tokens(body["UpdateExpression"])
    while words:
        if words[0] in ("SET", "REMOVE"):
            clause = words.pop(0)
        path = [names[words.pop(0)]]
        while words and words[0] == ".":
            words.pop(0)
            path.append(names[words.pop(0)])
        value = None
        if clause == "SET":
            assert words.pop(0) == "="
            value = _value(words, names, values, item or {})
        found.append((clause, tuple(path), value))
        if words and words[0] == ",":
            words.pop(0)
    return found


def _value(words: list[str], names: Mapping[str, str], values: Mapping[str, Any], item: Mapping[str, Any]) -> Any:
    """The value of an assignment, which is a value or ``if_not_exists(#name, :value)``."""
    if words[0] != "if_not_exists":
        return values[words.pop(0)]
    _, _, name, _, value, _ = (words.pop(0) for _ in range(6))
    return item.get(names[name], values[value])


def _map_at(item: dict[str, Any], path: Path) -> dict[str, Any]:
    for name in path:
        value = item.get(name, {})
        if "M" not in value:
            raise Refused(f"the document path {path} is invalid for update")
        item = value["M"]
    return item
