"""Whether a condition holds of an item, worked out here: for what depends on an item before it is sent.

Means what DynamoDB means; where an attribute is not known, the answer may be not known either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.expressions.conditions import (
    Between,
    Comparator,
    Comparison,
    Condition,
    Either,
    Every,
    Function,
    Literally,
    Negation,
    OneOf,
    Operand,
    Path,
    Segments,
)
from dynamorm_async.types import AttributeValue

Value = AttributeValue | None
_ORDERED = ("S", "N", "B")


def holds(condition: Condition, item: Mapping[str, AttributeValue], *, unknown: Collection[str] = ()) -> bool | None:
    """Whether a condition holds of an item.

    Args:
        condition: the condition.
        item: AttributeValues by name, with binary content as ``bytes``.
        unknown: attributes of which nothing is known.

    Returns:
        ``None`` where that depends on what is not known.
    """
    if isinstance(condition, Negation):
        inside = holds(condition.condition, item, unknown=unknown)
        return None if inside is None else not inside
    if isinstance(condition, Every):
        return _all(holds(part, item, unknown=unknown) for part in condition.conditions)
    if isinstance(condition, Either):
        none = _all(_opposite(holds(part, item, unknown=unknown)) for part in condition.conditions)
        return _opposite(none)
    if any(root in unknown for root in condition.roots()):
        return None
    return _holds(condition, item)


def _all(parts: Iterable[bool | None]) -> bool | None:
    found = list(parts)
    if False in found:
        return False
    return None if None in found else True


def _opposite(value: bool | None) -> bool | None:  # noqa: FBT001 - a truth value is what it is about
    return None if value is None else not value


def _holds(condition: Condition, item: Mapping[str, AttributeValue]) -> bool:
    if isinstance(condition, Comparison):
        return _compare(_value(condition.left, item), condition.comparator, _value(condition.right, item))
    if isinstance(condition, Between):
        value = _value(condition.path, item)
        above = _compare(value, ">=", _value(condition.low, item))
        return above and _compare(value, "<=", _value(condition.high, item))
    if isinstance(condition, OneOf):
        value = _value(condition.path, item)
        return any(_compare(value, "=", _value(choice, item)) for choice in condition.values)
    assert isinstance(condition, Function), f"every kind of condition is here: {condition!r}"  # noqa: S101 - an invariant
    argument = None if condition.argument is None else _value(condition.argument, item)
    return _call(condition.name, _value(condition.path, item), argument)


def _value(operand: Operand, item: Mapping[str, AttributeValue]) -> Value:
    if isinstance(operand, Literally):
        return operand.value
    assert isinstance(operand, Path), "an operand is a value or a path"  # noqa: S101 - an invariant
    found = _at(item, operand.segments)
    return _size(found) if operand.size else found


def _at(item: Mapping[str, AttributeValue], path: Segments) -> Value:
    found: AttributeValue = {"M": item}
    for segment in path:
        content: Any = found.get("L" if isinstance(segment, int) else "M")
        if content is None:
            return None
        if isinstance(segment, int):
            if segment >= len(content):
                return None
        elif segment not in content:
            return None
        found = content[segment]
    return found


def _size(value: Value) -> Value:
    ((tag, content),) = (value or {"NULL": True}).items()
    if tag in ("N", "BOOL", "NULL"):
        return None
    # DynamoDB Local counts UTF-16 code units, as Java does.
    size = len(content.encode("utf-16-le")) // 2 if tag == "S" else len(content)
    return {"N": str(size)}


def _compare(left: Value, comparator: Comparator, right: Value) -> bool:
    if left is None or right is None:
        return comparator == "<>"  # what is not there differs from everything
    if comparator in ("=", "<>"):
        return same_value(left, right) == (comparator == "=")
    ((tag, a),), ((other, b),) = left.items(), right.items()
    if tag != other or tag not in _ORDERED:
        return False
    one, two = _ordered(tag, a), _ordered(tag, b)
    return bool({"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[comparator])


def _ordered(tag: str, content: Any) -> Any:  # what compares as DynamoDB does
    return Decimal(content) if tag == "N" else content.encode() if tag == "S" else content


def _call(name: str, value: Value, argument: Value) -> bool:
    if name == "attribute_exists":
        return value is not None
    if name == "attribute_not_exists":
        return value is None
    if value is None or argument is None:
        return False
    ((tag, content),), ((other, wanted),) = value.items(), argument.items()
    if name == "attribute_type":
        return bool(tag == wanted)
    if name == "begins_with":
        return bool(tag == other and tag in ("S", "B") and content.startswith(wanted))
    return _contains(tag, content, other, argument)


def _contains(tag: str, content: Any, other: str, argument: AttributeValue) -> bool:
    if tag in ("S", "B"):
        return tag == other and argument[tag] in content
    if tag in ("SS", "NS", "BS"):
        return other == tag[0] and any(same_value({other: element}, argument) for element in content)
    return tag == "L" and any(same_value(element, argument) for element in content)
