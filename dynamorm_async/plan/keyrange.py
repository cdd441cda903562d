"""What the conditions of a query say about key attributes, whatever their order.

DynamoDB reads items of one partition key value and one range of the sort key, and takes no filter on the key
attributes of the index that it reads. So every condition on a key attribute has to become part of the key condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from dynamorm_async.codec.compare import same_value
from dynamorm_async.expressions.conditions import (
    Between,
    Comparison,
    Condition,
    Function,
    Literally,
    OneOf,
    Operand,
    Path,
)
from dynamorm_async.expressions.identity import identity
from dynamorm_async.model.evaluate import holds
from dynamorm_async.model.table import KeyPart
from dynamorm_async.types import AttributeValue


class Values(msgspec.Struct, frozen=True):
    """An attribute is one of these values, in the order that they were given; none where nothing can match."""

    values: tuple[AttributeValue, ...]


class Range(msgspec.Struct, frozen=True):
    """An attribute lies in a range: the condition as DynamoDB takes it on a sort key."""

    condition: Condition


class Impossible(msgspec.Struct, frozen=True):
    """The conditions on an attribute cannot become a key condition; why."""

    reason: str


Restriction = Values | Range | Impossible | None
"""What the conditions say of one attribute; ``None`` where they say nothing."""


def restriction(part: KeyPart, label: str, conditions: Sequence[Condition]) -> Restriction:
    """What all the conditions on one key attribute say together.

    Args:
        part: the attribute.
        label: what people call it.
        conditions: the conditions that mention it, each to hold.
    """
    if not conditions:
        return None
    name = part.name
    values: list[tuple[AttributeValue, ...]] = []
    ranges: list[Condition] = []
    for condition in conditions:
        given = _values(name, condition)
        if given is not None:
            values.append(given)
        elif _is_range(name, condition):
            ranges.append(condition)
        else:
            return Impossible(
                f"a condition on {label} is not one that DynamoDB takes on a key (==, <, <=, >, >=, between, begins_with, is_in)"
            )
    if not all(can_be_key(part, value) for condition in conditions for value in compared_with(condition)):
        return Impossible(
            f"{label} is compared with what it can never be as a key: None, an empty text, or another type"
        )
    if values:
        if ranges:
            return Impossible(f"{label} has both given values and a range; DynamoDB takes one condition on a key")
        return Values(_common(values))
    return _one_range(label, ranges)


class Said(msgspec.Struct, frozen=True):
    """What the conditions say of one attribute by comparing it with values, whatever becomes of them.

    Attributes:
        values: the values that it can have; ``None`` where no condition gives any.
        ranges: the conditions that bound it.
        conditions: all of these conditions.
    """

    values: tuple[AttributeValue, ...] | None = None
    ranges: tuple[Condition, ...] = ()
    conditions: tuple[Condition, ...] = ()


def said_of(name: str, conditions: Sequence[Condition]) -> Said:
    """What all the conditions that mention an attribute say of its value.

    Args:
        name: the attribute's name in DynamoDB.
        conditions: the conditions that mention it, each to hold.
    """
    given: list[tuple[AttributeValue, ...]] = []
    ranges: list[Condition] = []
    used: list[Condition] = []
    for condition in conditions:
        values = _values(name, condition)
        if values is not None:
            given.append(values)
        elif _is_range(name, condition) and all(_has_order(value) for value in compared_with(condition)):
            ranges.append(condition)
        else:
            continue
        used.append(condition)
    if not given:
        return Said(None, tuple(ranges), tuple(used))
    values = tuple(value for value in _common(given) if all(holds(each, {name: value}) for each in ranges))
    return Said(values, tuple(ranges), tuple(used))


def ordered(value: AttributeValue) -> Any:  # what compares as DynamoDB does
    """A key value in DynamoDB's order: numbers by value, text by its UTF-8 bytes."""
    ((tag, content),) = value.items()
    if tag == "N":
        return Decimal(content)
    return content.encode() if tag == "S" else content


def _values(name: str, condition: Condition) -> tuple[AttributeValue, ...] | None:
    """The values that an ``=`` or ``IN`` of literal values allows."""
    if isinstance(condition, Comparison) and condition.comparator == "=" and _is_plain(name, condition.left):
        return _literals((condition.right,))
    if isinstance(condition, OneOf) and _is_plain(name, condition.path):
        return _literals(condition.values)
    return None


def _literals(operands: Iterable[Operand]) -> tuple[AttributeValue, ...] | None:
    unique: list[AttributeValue] = []
    for operand in operands:
        if not isinstance(operand, Literally):
            return None
        if not any(same_value(operand.value, value) for value in unique):  # 1 and 1.0 would be read twice
            unique.append(operand.value)
    return tuple(unique)


def compared_with(condition: Condition) -> list[AttributeValue]:
    """The values that a comparison, BETWEEN, IN or begins_with is with."""
    operands: tuple[Operand | None, ...] = ()
    if isinstance(condition, Comparison):
        operands = (condition.right,)
    elif isinstance(condition, OneOf):
        operands = condition.values
    elif isinstance(condition, Between):
        operands = (condition.low, condition.high)
    elif isinstance(condition, Function):
        operands = (condition.argument,)
    return [operand.value for operand in operands if isinstance(operand, Literally)]


def can_be_key(part: KeyPart, value: AttributeValue) -> bool:
    """Whether a key attribute can have a value: it has its type and is not empty."""
    ((tag, content),) = value.items()
    return bool(tag == part.tag and content)


def _has_order(value: AttributeValue) -> bool:
    return not value.keys().isdisjoint(("S", "N", "B"))


def _is_range(name: str, condition: Condition) -> bool:
    if isinstance(condition, Comparison):
        return (
            condition.comparator != "<>" and _is_plain(name, condition.left) and isinstance(condition.right, Literally)
        )
    if isinstance(condition, Between):
        ends = isinstance(condition.low, Literally) and isinstance(condition.high, Literally)
        return ends and _is_plain(name, condition.path)
    return isinstance(condition, Function) and condition.name == "begins_with" and _is_plain(name, condition.path)


def _is_plain(name: str, path: Path) -> bool:
    return not path.size and path.segments == (name,)


def _common(values: Sequence[tuple[AttributeValue, ...]]) -> tuple[AttributeValue, ...]:
    first, *others = values
    return tuple(value for value in first if all(any(same_value(value, o) for o in other) for other in others))


def _one_range(label: str, ranges: Sequence[Condition]) -> Restriction:
    """One condition that says what the ranges say: the only pair that can be joined is ``>=`` with ``<=``."""
    distinct = list({identity(condition): condition for condition in ranges}.values())
    if len(distinct) == 1:
        return _possible(distinct[0])
    bounds = {condition.comparator: condition for condition in distinct if isinstance(condition, Comparison)}
    low, high = bounds.get(">="), bounds.get("<=")
    if len(distinct) == len(bounds) == 2 and low is not None and high is not None:  # noqa: PLR2004 - the two ends
        return _possible(Between(low.left, low.right, high.right))
    return Impossible(
        f"{label} has several conditions; DynamoDB takes one range with both ends included: use between(low, high), or >= with <="
    )


def _possible(condition: Condition) -> Restriction:
    """A range; no value where its ends are the wrong way round, which DynamoDB refuses."""
    if isinstance(condition, Between):
        low, high = compared_with(condition)
        if ordered(low) > ordered(high):
            return Values(())
    return Range(condition)
