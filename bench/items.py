"""The 12-attribute item that every contestant reads and writes, as plain values and as DynamoDB sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

Values: TypeAlias = dict[str, object]
"""One item as plain Python values."""

# A wire value is as open as DynamoDB's own format: one type tag, and whatever content belongs to it.
Wire: TypeAlias = dict[str, Any]
"""One item as sent: attribute name to AttributeValue."""

TABLE = "users"
ORG = "acme"
STREETS = ("Mill Lane", "Dock Road", "Rue Cler", "Kirchweg", "Via Roma")
CITIES = ("Leeds", "Porto", "Bonn", "Paris", "Utrecht")


def values(number: int) -> Values:
    """Item number ``number`` as plain values; the same number gives the same item."""
    return {
        "org": ORG,
        "user_id": f"u{number:06d}",
        "email": f"u{number}@example.com",
        "age": 18 + number % 80,
        "score": Decimal(number * 37 % 9_973) / 4 + Decimal("0.25"),
        "active": number % 3 != 0,
        "tags": {f"t{(number * 7 + step * 13) % 100:02d}" for step in range(3)},
        "created": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T03:04:05.{number * 6 + 6:06d}Z",
        "balance": number * 7_919 % 1_000_000 - 5_000,
        "note": f"note {number:06d} ".ljust(40, "abcdefghij"[number % 10]),
        "address": {"street": f"{number % 900 + 1} {STREETS[number % 5]}", "city": CITIES[number % 5]},
        "visits": [number % 7, number % 11 + 100, number % 13 + 1_000],
    }


def wire(item: Mapping[str, object]) -> Wire:
    """Plain values as DynamoDB sends them."""
    return {name: _wire_value(value) for name, value in item.items()}


def plain(item: Mapping[str, Wire]) -> Values:
    """An item as DynamoDB sends it, as plain values; every number is a ``Decimal``."""
    return {name: _plain_value(value) for name, value in item.items()}


def get_item_body(number: int, *, user_id: str | None = None) -> Wire:
    """The parameters of GetItem for item ``number``, or for another ``user_id``."""
    return {"TableName": TABLE, "Key": {"org": {"S": ORG}, "user_id": {"S": user_id or f"u{number:06d}"}}}


def put_item_body(number: int) -> Wire:
    """The parameters of PutItem for item ``number``."""
    return {"TableName": TABLE, "Item": wire(values(number))}


def query_body() -> Wire:
    """The parameters of Query for every item of the partition."""
    return {
        "TableName": TABLE,
        "KeyConditionExpression": "#org = :org",
        "ExpressionAttributeNames": {"#org": "org"},
        "ExpressionAttributeValues": {":org": {"S": ORG}},
    }


def get_answer(number: int) -> bytes:
    """The body of a GetItem answer."""
    return _compact({"Item": wire(values(number))})


def list_answer(count: int) -> bytes:
    """The body of a Query or Scan answer of one page."""
    return _compact({"Count": count, "Items": [wire(values(number)) for number in range(count)], "ScannedCount": count})


def _compact(body: Wire) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _wire_value(value: object) -> Wire:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": f"{Decimal(value).normalize():f}"}
        case str():
            return {"S": value}
        case set():
            return {"SS": sorted(cast("set[str]", value))}
        case dict():
            return {"M": wire(cast("Values", value))}
        case list():
            return {"L": [_wire_value(each) for each in cast("list[object]", value)]}
        case _:
            raise TypeError(f"the benchmark's item has no attribute of type {type(value).__name__}.")


def _plain_value(tagged: Wire) -> object:
    [(tag, content)] = tagged.items()
    match tag:
        case "S" | "BOOL":
            return content
        case "N":
            return Decimal(content)
        case "SS":
            return set(content)
        case "M":
            return plain(content)
        case "L":
            return [_plain_value(each) for each in content]
        case _:
            raise ValueError(f"the benchmark's item has no attribute of DynamoDB type {tag}.")
