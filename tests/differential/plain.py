"""Values as DynamoDB has them, said once more and apart from the library's codec.

An AttributeValue is a dict of one tag, as on the wire, but with its content as Python has it: numbers as ``Decimal``, bytes as
``bytes``, sets as ``frozenset``. So two are equal where DynamoDB holds them equal.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from tests.differential.models import Coin, Paper, Place, Ware

T = TypeVar("T")
Value: TypeAlias = dict[str, Any]  # one tag and its content
Item: TypeAlias = dict[str, Value]

KEYS: dict[type[Any], tuple[str, ...]] = {Ware: ("shelf", "name"), Paper: ("shelf", "number"), Coin: ("coin",)}
_EPOCH = ("expires",)


def stored(value: Any) -> Value | None:  # noqa: PLR0911 - one a type
    """What is stored of a value; ``None`` where nothing is."""
    if value is None or value == set():
        return None
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | Decimal):
        return {"N": Decimal(value)}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, datetime):
        return {"S": value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    if isinstance(value, set | frozenset):
        (tag,) = {next(iter(stored(element) or {})) for element in value}
        return {f"{tag}S": frozenset(next(iter((stored(element) or {}).values())) for element in value)}
    if isinstance(value, list):
        return {"L": [stored(element) or {"NULL": True} for element in value]}
    if isinstance(value, dict):
        return {"M": {name: stored(element) or {"NULL": True} for name, element in value.items()}}
    entries = {name: stored(getattr(value, name)) for name in ("city", "floor", "marks")}
    return {"M": {name: entry for name, entry in entries.items() if entry is not None}}


def stored_attribute(name: str, value: Any) -> Value | None:
    """What is stored of an attribute: the time to live is whole seconds since the epoch."""
    if name in _EPOCH and value is not None:
        return {"N": Decimal(int(value.timestamp()))}
    return stored(value)


def stored_fields(model: type[Any], fields: Mapping[str, Any]) -> Item:
    """The item of an instance that was made with these fields; the others have their defaults."""
    names = [field.name for field in attrs.fields(model)]
    instance = model(**fields)
    own = ("made", "changed", "revision")  # the library's; they are what the writes make of them
    values = {name: stored_attribute(name, getattr(instance, name)) for name in names if name not in own}
    return {name: value for name, value in values.items() if value is not None}


def lifted(value: Value | None) -> Any:
    """A value of which no type is declared."""
    if value is None:
        return None
    ((tag, content),) = value.items()
    if tag == "N":
        return int(content) if content == content.to_integral_value() else content
    if tag == "L":
        return [lifted(element) for element in content]
    if tag == "M":
        return {name: lifted(element) for name, element in content.items()}
    if tag == "NS":
        return frozenset(lifted({"N": element}) for element in content)
    return None if tag == "NULL" else content


def lifted_attribute(name: str, value: Value | None) -> Any:
    """A value of the attribute's type."""
    found = lifted(value)
    if found is None or name == "other":
        return found
    if name in ("price", "rank"):
        return Decimal(found)
    if name == "place":
        return Place(**found)
    if name in _EPOCH:
        return datetime.fromtimestamp(found, UTC)
    if name in ("made", "changed", "deleted"):
        return datetime.fromisoformat(found)
    return set(found) if isinstance(found, frozenset) else found


def instance_of(model: type[Any], item: Item) -> Any:
    """The instance that an item is read as."""
    return model(**{name: lifted_attribute(name, value) for name, value in item.items()})


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, and of the same types throughout: ``True`` is not 1, and ``Decimal(1)`` neither."""
    if type(one) is not type(other):
        return False
    if attrs.has(type(one)):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in attrs.fields(type(one)))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, set | frozenset):
        return {(type(element), element) for element in one} == {(type(element), element) for element in other}
    return bool(one == other)


def copied(value: T) -> T:
    """A copy down to what cannot change; ``copy.deepcopy`` takes ten times as long."""
    made: Any = value
    if isinstance(value, dict):
        made = {name: copied(entry) for name, entry in value.items()}
    elif isinstance(value, list):
        made = [copied(element) for element in value]
    return cast("T", made)


def read_raw(raw: Mapping[str, Any]) -> Item:
    """An item as an engine has it on the wire."""
    return {name: _raw(value) for name, value in raw.items()}


def _raw(value: Mapping[str, Any]) -> Value:
    ((tag, content),) = value.items()
    if tag == "N":
        return {tag: Decimal(content)}
    if tag == "B":
        return {tag: base64.b64decode(content)}
    if tag in ("SS", "NS", "BS"):
        elements = [_raw({tag[0]: element})[tag[0]] for element in content]
        if len(set(elements)) < len(elements):
            raise ValueError(f"a set with an element twice: {content}")
        return {tag: frozenset(elements)}
    if tag == "L":
        return {tag: [_raw(element) for element in content]}
    return {tag: read_raw(content)} if tag == "M" else {tag: content}
