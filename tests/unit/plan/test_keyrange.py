"""What conditions say of a key attribute: one condition that DynamoDB takes, or why there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dynamorm_async import Attr, attr, model, partition_key
from dynamorm_async.expressions.conditions import Between, Condition
from dynamorm_async.model.table import KeyPart
from dynamorm_async.plan.keyrange import Impossible, Range, Restriction, Values, ordered, restriction


@model(table="things")
class Thing:
    name: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    maybe: Attr[str | None] = attr(default=None)
    other: Attr[str] = attr(default="")
    data: Attr[bytes] = attr(default=b"")
    price: Attr[Decimal] = attr(default=Decimal(0))


TEXT, NUMBER, BYTES = KeyPart("name"), KeyPart("count", "N"), KeyPart("data", "B")


def said(part: KeyPart, *conditions: Condition) -> Restriction:
    return restriction(part, f"Thing.{part.name}", conditions)


def test_nothing_is_said() -> None:
    """No conditions, no restriction."""
    assert said(TEXT) is None


def test_values_are_kept_in_their_order_and_once() -> None:
    """``==`` and is_in give values; numbers of one value are one, however they are written."""
    assert said(TEXT, Thing.name == "a") == Values(({"S": "a"},))
    assert said(TEXT, Thing.name.is_in(["b", "a", "b"])) == Values(({"S": "b"}, {"S": "a"}))
    assert said(NUMBER, Thing.count.is_in([10, 2])) == Values(({"N": "10"}, {"N": "2"}))
    prices = said(KeyPart("price", "N"), Thing.price.is_in([Decimal("1.0"), Decimal(1), Decimal("1E+1"), Decimal(10)]))
    assert prices == Values(({"N": "1.0"}, {"N": "1E+1"}))
    assert said(BYTES, Thing.data == b"x") == Values(({"B": b"x"},))


def test_values_are_joined() -> None:
    """Several conditions leave the values that all of them allow, which may be none."""
    assert said(TEXT, Thing.name.is_in(["c", "a", "b"]), Thing.name.is_in(["b", "c"])) == Values(
        ({"S": "c"}, {"S": "b"})
    )
    assert said(TEXT, Thing.name == "a", Thing.name == "a") == Values(({"S": "a"},))
    assert said(TEXT, Thing.name == "a", Thing.name == "b") == Values(())


@pytest.mark.parametrize(
    "condition",
    [
        Thing.count < 3,
        Thing.count <= 3,
        Thing.count > 3,
        Thing.count >= 3,
        Thing.count.between(1, 3),
        Thing.count.between(3, 3),
    ],
    ids=str,
)
def test_a_range_stays_as_it_is(condition: Condition) -> None:
    """One condition that DynamoDB takes, also where it is given twice."""
    assert said(NUMBER, condition) == Range(condition)
    assert said(NUMBER, condition, condition) == Range(condition)


def test_a_prefix_is_a_range() -> None:
    """begins_with on text and on bytes."""
    assert said(TEXT, Thing.name.begins_with("a")) == Range(Thing.name.begins_with("a"))


def test_both_ends_are_joined() -> None:
    """``>=`` with ``<=`` is a BETWEEN, in either order; the wrong way round nothing can match."""
    both = Range(Thing.count.between(2, 9))
    assert said(NUMBER, Thing.count >= 2, Thing.count <= 9) == both
    assert said(NUMBER, Thing.count <= 9, Thing.count >= 2) == both
    assert isinstance(both.condition, Between)
    assert said(NUMBER, Thing.count >= 10, Thing.count <= 9) == Values(())
    assert said(NUMBER, Thing.count.between(10, 9)) == Values(())


@pytest.mark.parametrize(
    ("part", "conditions", "reason"),
    [
        (NUMBER, (Thing.count != 1,), "a condition on Thing.count is not one that DynamoDB takes on a key"),
        (NUMBER, ((Thing.count == 1) | (Thing.count == 2),), "is not one that DynamoDB takes"),
        (NUMBER, (~(Thing.count == 1),), "is not one that DynamoDB takes"),
        (TEXT, (Thing.name == Thing.other,), "is not one that DynamoDB takes"),
        (TEXT, (Thing.name.size() > 1,), "is not one that DynamoDB takes"),
        (TEXT, (Thing.name.contains("a"),), "is not one that DynamoDB takes"),
        (TEXT, (Thing.name.exists(),), "is not one that DynamoDB takes"),
        (NUMBER, (Thing.count == 1, Thing.count > 0), "Thing.count has both given values and a range"),
        (NUMBER, (Thing.count > 1, Thing.count < 3), "Thing.count has several conditions; DynamoDB takes one range"),
        (NUMBER, (Thing.count >= 1, Thing.count >= 3), "use between(low, high), or >= with <="),
        (NUMBER, (Thing.count >= 1, Thing.count <= 5, Thing.count <= 3), "has several conditions"),
        (TEXT, (Thing.name == "",), "what it can never be as a key: None, an empty text, or another type"),
        (TEXT, (Thing.name.begins_with(""),), "what it can never be as a key"),
        (TEXT, (Thing.name.between("", "x"),), "what it can never be as a key"),
        (TEXT, (Thing.maybe.is_in(["a", None]),), "is not one that DynamoDB takes"),
        (KeyPart("maybe"), (Thing.maybe.is_in(["a", None]),), "what it can never be as a key"),
        (KeyPart("name", "N"), (Thing.name == "a",), "what it can never be as a key"),
    ],
    ids=str,
)
def test_what_cannot_be_a_key_condition(part: KeyPart, conditions: tuple[Condition, ...], reason: str) -> None:
    """Each says which attribute and why."""
    found = said(part, *conditions)
    assert isinstance(found, Impossible)
    assert reason in found.reason


def test_values_are_ordered_as_dynamodb_does() -> None:
    """Numbers by value, text by its bytes in UTF-8."""
    assert sorted([{"N": "10"}, {"N": "9"}, {"N": "-1E2"}], key=ordered) == [{"N": "-1E2"}, {"N": "9"}, {"N": "10"}]
    assert sorted([{"S": "é"}, {"S": "z"}, {"S": "Z"}], key=ordered) == [{"S": "Z"}, {"S": "z"}, {"S": "é"}]
    assert ordered({"B": b"\x00"}) < ordered({"B": b"\xff"})
