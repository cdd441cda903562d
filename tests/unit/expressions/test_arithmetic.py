"""Values that DynamoDB computes: sums, differences and ``if_not_exists``, as operands of SET."""

# ruff: noqa: RUF005, SIM300 - expressions on attributes, not lists and comparisons of values

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Arithmetic,
    Attr,
    InvalidExpression,
    InvalidValue,
    Update,
    attr,
    embedded,
    model,
    partition_key,
    ttl,
)
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import render


@embedded
class Stock:
    left: Attr[int] = attr(default=0)
    sold: Attr[int] = attr(default=0, name="gone")


@model(table="wares")
class Ware:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    other: Attr[int] = attr(default=0)
    maybe: Attr[int | None] = attr(default=None)
    price: Attr[Decimal] = attr(default=Decimal(0))
    ratio: Attr[float] = attr(default=0.0)
    name: Attr[str] = attr(default="")
    active: Attr[bool] = attr(default=True)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    stock: Attr[Stock | None] = attr(default=None)
    free: Attr[dict[str, Any]] = attr(factory=dict)
    until: Attr[datetime | None] = ttl(default=None)


# As callers without a type checker have them.
COUNT: Any = Ware.count
MAYBE: Any = Ware.maybe
NAME: Any = Ware.name
ACTIVE: Any = Ware.active
TAGS: Any = Ware.tags
UNTIL: Any = Ware.until
SCORES: Any = Ware.scores
STOCK: Any = Ware.stock


def shown(update: Update) -> str:
    """An update with its names and values put in."""
    placeholders, body = Placeholders(), dict[str, Any]()
    text = render([update], placeholders)
    placeholders.into(body, UpdateExpression=text)
    for alias, name in body["ExpressionAttributeNames"].items():
        text = text.replace(alias, name)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = text.replace(alias, str(next(iter(value.values()))))
    return text


@pytest.mark.parametrize(
    ("update", "expected", "repeatable"),
    [
        (Ware.count.set(Ware.count + 1), "SET count = count + 1", False),
        (Ware.count.set(Ware.count - 1), "SET count = count - 1", False),
        (Ware.count.set(1 + Ware.count), "SET count = 1 + count", False),
        (Ware.count.set(10 - Ware.count), "SET count = 10 - count", False),
        (Ware.count.set(Ware.count - Ware.other), "SET count = count - other", False),
        (Ware.count.set(Ware.other + 1), "SET count = other + 1", False),
        (Ware.maybe.set(Ware.count + Ware.maybe), "SET maybe = count + maybe", False),
        (Ware.price.set(Ware.price - Decimal("0.5")), "SET price = price - 0.5", False),
        (Ware.price.set(Ware.price + 1), "SET price = price + 1", False),
        (Ware.price.set(Ware.price + Ware.count), "SET price = price + count", False),
        (Ware.ratio.set(0.5 - Ware.ratio), "SET ratio = 0.5 - ratio", False),
        (Ware.ratio.set(Ware.count - Ware.ratio), "SET ratio = count - ratio", False),
        (Ware.count.set(Ware.count.if_not_exists(0) + 1), "SET count = if_not_exists(count, 0) + 1", False),
        (Ware.count.set(5 - Ware.other.if_not_exists(2)), "SET count = 5 - if_not_exists(other, 2)", False),
        (Ware.count.set(1 + Ware.other.if_not_exists(2)), "SET count = 1 + if_not_exists(other, 2)", False),
        (
            Ware.count.set(Ware.count.if_not_exists(0) - Ware.other.if_not_exists(0)),
            "SET count = if_not_exists(count, 0) - if_not_exists(other, 0)",
            False,
        ),
        (Ware.count.set(Ware.count.if_not_exists(0)), "SET count = if_not_exists(count, 0)", True),
        (Ware.count.set(Ware.other.if_not_exists(0)), "SET count = if_not_exists(other, 0)", False),
        (Ware.count.set(Ware.count.if_not_exists(Ware.other)), "SET count = if_not_exists(count, other)", False),
        (Ware.count.set_default(Ware.other), "SET count = if_not_exists(count, other)", False),
        (Ware.name.set(Ware.name.if_not_exists("x")), "SET name = if_not_exists(name, x)", True),
        (Ware.tags.set(Ware.tags.if_not_exists({"x"})), "SET tags = if_not_exists(tags, ['x'])", True),
        (Ware.maybe.set(Ware.count), "SET maybe = count", False),
        (Ware.scores[0].set(Ware.scores[1] + 1), "SET scores[0] = scores[1] + 1", False),
        (Ware.counts["a"].set(Ware.counts["b"] - 1), "SET counts.a = counts.b - 1", False),
        (Ware.free["n"].set(Ware.free["n"] + 1), "SET free.n = free.n + 1", False),
        ((Ware.stock / Stock.left).set(Ware.stock / Stock.sold + 1), "SET stock.left = stock.gone + 1", False),
    ],
)
def test_each_value(update: Update, expected: str, repeatable: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    """Every form in DynamoDB's words. What reads an attribute is not repeatable, but for a default of its own."""
    assert shown(update) == expected
    assert update.repeatable is repeatable


def test_operands_move_with_a_change() -> None:
    """A change below a nested path takes the paths of its operands along, whichever form they have."""
    for change, expected in (
        (Stock.left.set(Stock.left - Stock.sold), "SET stock.left = stock.left - stock.gone"),
        (
            Stock.left.set(Stock.left.if_not_exists(Stock.sold) + 1),
            "SET stock.left = if_not_exists(stock.left, stock.gone) + 1",
        ),
        (Stock.left.set(1 - Stock.sold.if_not_exists(2)), "SET stock.left = 1 - if_not_exists(stock.gone, 2)"),
        (Stock.left.set_default(Stock.sold), "SET stock.left = if_not_exists(stock.left, stock.gone)"),
    ):
        moved = Ware.stock / change
        assert shown(moved) == expected
        assert set(moved.reads()) == {"stock"}
    assert (Ware.stock / Stock.left.set(Stock.left.if_not_exists(0))).repeatable


@pytest.mark.parametrize(
    "chain",
    [
        lambda: COUNT + COUNT + 1, lambda: COUNT - 1 - 1, lambda: 1 + (COUNT + 1), lambda: 1 - (COUNT - 1), lambda: COUNT + (COUNT + 1),
        lambda: COUNT.if_not_exists(0) + 1 + 1, lambda: COUNT.if_not_exists(0) - (COUNT + 1), lambda: (COUNT + 1) + (COUNT + 1),
    ],
)  # fmt: skip
def test_chains_are_refused(chain: Any) -> None:
    """DynamoDB has one + or - in a SET: the second is refused, and the error says so."""
    with pytest.raises(InvalidExpression, match=r"allows one .*in a SET|has its one \+ or -"):
        chain()


@pytest.mark.parametrize(
    "write",
    [
        lambda: NAME + "x", lambda: NAME + 1, lambda: "x" + NAME, lambda: ACTIVE + 1, lambda: 1 - ACTIVE, lambda: COUNT + NAME, lambda: COUNT - TAGS,
        lambda: SCORES + [1], lambda: STOCK + 1, lambda: NAME.if_not_exists("x") + "y", lambda: UNTIL + NAME, lambda: Ware.free["n"] + "x",
        lambda: NAME.set(COUNT + 1), lambda: TAGS.set(COUNT - 1),
    ],
)  # fmt: skip
def test_only_numbers_are_added(write: Any) -> None:
    """Text, booleans, sets, lists and maps are refused on either side, and so is a sum as the value of one of them."""
    with pytest.raises(InvalidExpression, match=r"numbers? only|is a number, but"):
        write()


@pytest.mark.parametrize(
    "write",
    [
        lambda: COUNT + "x", lambda: COUNT + 0.5, lambda: "x" - COUNT, lambda: COUNT + None, lambda: COUNT.if_not_exists("x"), lambda: COUNT.if_not_exists(0) + "x",
        lambda: UNTIL + 60, lambda: Ware.price + 0.5,  # type: ignore[operator]  # what is refused
    ],
)  # fmt: skip
def test_values_beside_an_attribute_are_of_its_type(write: Any) -> None:
    """A plain value is checked as one of the attribute beside it."""
    with pytest.raises(InvalidValue):
        write()


def test_none_is_no_addend() -> None:
    """An optional number is added to as a number."""
    with pytest.raises(InvalidExpression, match="numbers only"):
        _ = MAYBE + None


@pytest.mark.parametrize(
    "write",
    [
        lambda: COUNT == COUNT + 1, lambda: COUNT != COUNT - 1, lambda: COUNT < COUNT + 1, lambda: COUNT.between(COUNT + 1, 5), lambda: COUNT.is_in([COUNT + 1]),
        lambda: COUNT >= COUNT.if_not_exists(0), lambda: COUNT + 1 == 5, lambda: COUNT + 1 != COUNT, lambda: COUNT + 1 < 5, lambda: 5 <= COUNT + 1,
        lambda: COUNT.if_not_exists(0) > 5, lambda: COUNT.if_not_exists(0) == 5, lambda: COUNT.add(COUNT + 1), lambda: Ware.counts.set({"a": COUNT + 1}),
    ],
)  # fmt: skip
def test_only_set_takes_computed_values(write: Any) -> None:
    """Conditions and the other actions take no arithmetic, and say so on either side of a comparison."""
    with pytest.raises((InvalidExpression, InvalidValue), match=r"only in set\(\)|Arithmetic"):
        write()


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda: COUNT.if_not_exists(None), "without a default"),
        (lambda: COUNT.if_not_exists(COUNT + 1), r"only in set\(\)"),
        (lambda: COUNT.if_not_exists(COUNT.if_not_exists(0)), "a default is a value or an attribute"),
        (lambda: COUNT.set_default(COUNT.if_not_exists(0)), "a default is a value or an attribute"),
        (lambda: COUNT.set_default(COUNT + 1), r"only in set\(\)"),
        (lambda: COUNT.set_default(NAME), "stored as S, but .* as N"),
        (lambda: COUNT.if_not_exists(NAME), "stored as S, but .* as N"),
        (lambda: COUNT.set(NAME), "stored as S, but .* as N"),
        (lambda: NAME.set(COUNT.if_not_exists(0)), "stored as N, but .* as S"),
        (lambda: STOCK / (COUNT + 1), "what is inside is"),
    ],
)
def test_defaults_and_copies_that_cannot_be(write: Any, why: str) -> None:
    """A default is plain, and what is copied has the type tag of what it replaces."""
    with pytest.raises(InvalidExpression, match=why):
        write()


def test_a_copy_between_types_of_one_tag_is_taken() -> None:
    """Attributes of any type, and those of different types with one tag, can be copied."""
    assert shown(Ware.free.set(Ware.counts)) == "SET free = counts"
    assert shown(Ware.name.set(Ware.free["n"])) == "SET name = free.n"
    assert shown(Ware.free["n"].set(Ware.count + 1)) == "SET free.n = count + 1"
    assert shown(Ware.ratio.set(Ware.count)) == "SET ratio = count"


def test_what_it_looks_like() -> None:
    """Expressions are read by people in errors; they are hashable, as attributes are."""
    total: Arithmetic[int] = Ware.count + 1
    assert repr(total) == "<Arithmetic <Attr Ware.count> + 1>"
    assert repr(2 - Ware.count.if_not_exists(0)) == "<Arithmetic 2 - <IfNotExists <Attr Ware.count>>>"
    assert len({total, total, Ware.count.if_not_exists(0)}) == 2
