"""Equality of AttributeValues as DynamoDB sees it: numbers by value, sets without order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from dynamorm_async.types import AttributeValue


def same_value(one: AttributeValue | None, other: AttributeValue | None) -> bool:
    """Whether two AttributeValues (or absent attributes) are the same value."""
    if one is None or other is None or one == other:
        return one == other
    (tag, a), (other_tag, b) = next(iter(one.items())), next(iter(other.items()))
    return bool(tag == other_tag and _same_content(tag, a, b))


def _same_content(tag: str, a: Any, b: Any) -> bool:  # contents of one tag
    if tag == "N":
        return Decimal(a) == Decimal(b)
    if tag == "NS":
        return _numbers(a) == _numbers(b)
    if tag in ("SS", "BS"):
        return set(a) == set(b)
    if tag == "L":
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if tag == "M":
        return _same_map(a, b)
    return bool(a == b)


def _numbers(texts: Iterable[str]) -> list[Decimal]:
    # Sorted, not hashed: numbers can be chosen so that their hashes collide.
    return [number for number, _ in groupby(sorted(map(Decimal, texts)))]


def _same_map(a: Mapping[str, AttributeValue], b: Mapping[str, AttributeValue]) -> bool:
    return a.keys() == b.keys() and all(same_value(value, b[name]) for name, value in a.items())
