"""Plain values: parameters of statements, and rows without a model."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

import attrs
import pytest

from dynamorm_async import Attr, DecodeError, InvalidValue, attr, model, partition_key
from dynamorm_async.codec.plain import decode_row, encode_parameter
from dynamorm_async.model.spec import spec_of


class Colour(StrEnum):
    RED = "red"


class Level(Enum):
    HIGH = 2


@model(table="typed")
class Typed:
    pk: Attr[str] = partition_key()
    at: Attr[datetime] = attr()
    day: Attr[date] = attr()
    span: Attr[timedelta] = attr()
    ident: Attr[UUID] = attr()
    colour: Attr[Colour] = attr()
    level: Attr[Level] = attr()
    days: Attr[list[date]] = attr()
    idents: Attr[set[UUID]] = attr()
    sizes: Attr[dict[str, Decimal]] = attr()
    ratio: Attr[float] = attr()
    flag: Attr[bool] = attr()
    blob: Attr[bytes] = attr()


def test_a_parameter_is_what_a_model_stores() -> None:
    """The same Python value gives the same AttributeValue as in an attribute of its type."""
    item = Typed(
        pk="p",
        at=datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
        day=date(2026, 1, 2),
        span=timedelta(days=1, microseconds=5),
        ident=UUID(int=7),
        colour=Colour.RED,
        level=Level.HIGH,
        days=[date(2026, 1, 2), date(2025, 1, 2)],
        idents={UUID(int=7), UUID(int=8)},
        sizes={"a": Decimal("1.50")},
        ratio=0.1,
        flag=True,
        blob=b"\x00",
    )
    stored = spec_of(Typed).codec.encode(item)
    assert {name: encode_parameter(getattr(item, name)) for name in stored} == stored


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, {"NULL": True}),
        (7, {"N": "7"}),
        (bytearray(b"a"), {"B": b"a"}),
        (memoryview(b"a"), {"B": b"a"}),
        ((1, "a", None), {"L": [{"N": "1"}, {"S": "a"}, {"NULL": True}]}),
        ({"at": {"day": date(2026, 1, 2)}}, {"M": {"at": {"M": {"day": {"S": "2026-01-02"}}}}}),
        (frozenset({2, 10}), {"NS": ["10", "2"]}),
    ],
)
def test_other_parameters(value: object, encoded: object) -> None:
    """What has no attribute type of its own is stored as everywhere without a declared type."""
    assert encode_parameter(value) == encoded


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@attrs.frozen
class Point:
    x: int = 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "not a number that DynamoDB can store"),
        (Decimal("Infinity"), "not a number"),
        (10**39 - 1, "38 significant digits"),
        (datetime(2026, 1, 2), "time zone"),  # noqa: DTZ001 - what is refused
        (Point(), "a Point cannot be a parameter"),
        ([1, {"a": Point()}], "a Point cannot be a parameter"),
        ({1, "a"}, "all str"),
        ({1: "a"}, "key"),
        (nested(40), "deeper than 32"),
        (nested(5_000), "deeper than 32"),
    ],
)
def test_what_cannot_be_a_parameter(value: object, words: str) -> None:
    """Values that DynamoDB cannot hold, and types that have no meaning to it, are refused by name."""
    with pytest.raises(InvalidValue, match=words):
        encode_parameter(value)


def test_a_row_has_plain_values() -> None:
    """Every type tag has its plain Python value."""
    row = decode_row(
        {
            "s": {"S": "x"},
            "whole": {"N": "12.00"},
            "part": {"N": "0.10"},
            "b": {"B": "AAE="},
            "flag": {"BOOL": False},
            "nothing": {"NULL": True},
            "list": {"L": [{"N": "1"}, {"M": {"a": {"S": "y"}}}]},
            "words": {"SS": ["a", "b"]},
            "numbers": {"NS": ["1", "2.5"]},
            "blobs": {"BS": ["AAE="]},
        }
    )
    assert row == {
        "s": "x",
        "whole": 12,
        "part": Decimal("0.10"),
        "b": b"\x00\x01",
        "flag": False,
        "nothing": None,
        "list": [1, {"a": "y"}],
        "words": frozenset({"a", "b"}),
        "numbers": frozenset({1, Decimal("2.5")}),
        "blobs": frozenset({b"\x00\x01"}),
    }
    assert isinstance(row["whole"], int)


def test_a_row_that_is_none_tells_where() -> None:
    """Every wrong attribute is reported by its path."""
    with pytest.raises(DecodeError) as caught:
        decode_row({"a": {"S": 1}, "b": {"L": [{"Z": 1}]}, "c": {"S": "fine"}})
    assert [problem.path for problem in caught.value.problems] == ["a", "b[0]"]
