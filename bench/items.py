"""The 12-attribute item that every contestant reads and writes, as plain values and as DynamoDB sends it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

Values: TypeAlias = dict[str, object]
"""One item as plain Python values."""

# A wire value is as open as DynamoDB's own format: one type tag, and whatever content belongs to it.
Wire: TypeAlias = dict[str, Any]
"""One item as sent: attribute name to AttributeValue."""

TABLE = "users"
ORG = "acme"
LARGE_ORG = "acme-large"
FULL_PAGE_ORG = "acme-full-page"
SIZES = {ORG: 100, LARGE_ORG: 1_000, FULL_PAGE_ORG: 4_584}
"""How many items each partition has. The last fills one page: 1 MB as DynamoDB counts it, 1.95 MB of JSON."""

STREETS = ("Mill Lane", "Dock Road", "Rue Cler", "Kirchweg", "Via Roma")
CITIES = ("Leeds", "Porto", "Bonn", "Paris", "Utrecht")


def values(number: int, org: str = ORG) -> Values:
    """Item number ``number`` as plain values; the same number gives the same item."""
    return {
        "org": org,
        "user_id": user_id(number),
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


def partition(org: str) -> list[Values]:
    """Every item of a partition."""
    return [values(number, org) for number in range(SIZES[org])]


def user_id(number: int) -> str:
    """The sort key of item ``number``."""
    return f"u{number:06d}"


def wire(item: Mapping[str, object]) -> Wire:
    """Plain values as DynamoDB sends them."""
    return {name: _wire_value(value) for name, value in item.items()}


def plain(item: Mapping[str, Wire]) -> Values:
    """An item as DynamoDB sends it, as plain values; every number is a ``Decimal``."""
    return {name: plain_value(value) for name, value in item.items()}


def key(number: int) -> Wire:
    """The key of item ``number`` as DynamoDB takes it."""
    return {"org": {"S": ORG}, "user_id": {"S": user_id(number)}}


def get_item_body(number: int) -> Wire:
    """The parameters of GetItem for item ``number``."""
    return {"TableName": TABLE, "Key": key(number)}


def query_body(org: str = ORG) -> Wire:
    """The parameters of Query for every item of a partition."""
    return {
        "TableName": TABLE,
        "KeyConditionExpression": "#org = :org",
        "ExpressionAttributeNames": {"#org": "org"},
        "ExpressionAttributeValues": {":org": {"S": org}},
    }


def get_answer(number: int) -> bytes:
    """The body of a GetItem answer."""
    return compact({"Item": wire(values(number))})


def list_answer(items: Iterable[Values], **more: object) -> bytes:
    """The body of a Query or Scan answer of one page."""
    wires = [wire(item) for item in items]
    return compact({"Count": len(wires), "Items": wires, "ScannedCount": len(wires), **more})


def compact(body: Wire) -> bytes:
    """JSON as DynamoDB writes it, without spaces."""
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


def plain_value(tagged: Wire) -> object:
    """An AttributeValue as a plain value."""
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
            return [plain_value(each) for each in content]
        case _:
            raise ValueError(f"the benchmark's item has no attribute of DynamoDB type {tag}.")
