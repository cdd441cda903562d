"""Aggregates: exact, over whatever numbers, with zeros kept and nothing made of absent values (flaw D25)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import pytest

from dynamorm_async import Attr, Query, UsageError, attr, model, partition_key, sort_key
from dynamorm_async.database.aggregates import Average, Highest, Lowest, Sum
from dynamorm_async.model.spec import spec_of
from tests.property.fake_table import FakeTable
from tests.property.reading_models import query_of, raw_items, scan_of

pytestmark = pytest.mark.anyio


class Colour(Enum):
    RED = "red"


@model(table="sales")
class Sale:
    shop: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    plan: Attr[str | None] = attr(default=None)
    pieces: Attr[int | None] = attr(default=None)
    price: Attr[Decimal] = attr(default=Decimal(0))
    share: Attr[float] = attr(default=0.0)
    took: Attr[timedelta] = attr(default=timedelta())
    on: Attr[datetime | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    extra: Attr[dict[str, int]] = attr(factory=dict)
    colour: Attr[Colour] = attr(default=Colour.RED)
    paid: Attr[bool] = attr(default=False)


def sales(*items: Sale) -> Query[Sale]:
    table = FakeTable(spec_of(Sale).table, raw_items(*items), natural=2)
    return query_of(Sale, table.send).where(Sale.shop == "s")


def sale(number: int, **values: Any) -> Sale:
    return Sale(shop="s", number=number, **values)


async def test_zeros_are_kept() -> None:
    """A zero is a value: it counts for averages and extremes."""
    query = sales(*(sale(n, pieces=p, price=Decimal(p)) for n, p in enumerate([0, 4, 0, 8])))
    assert await query.sum(Sale.pieces) == 12
    assert await query.average(Sale.pieces) == 3
    assert await query.min(Sale.pieces) == 0
    assert await query.max(Sale.price) == 8
    assert await query.count() == 4


async def test_absent_values_are_passed_over() -> None:
    """Items without the attribute take no part in sums, averages and extremes."""
    query = sales(sale(1, pieces=3), sale(2), sale(3, pieces=0))
    assert await query.sum(Sale.pieces) == 3
    assert await query.average(Sale.pieces) == Decimal("1.5")
    assert await query.min(Sale.pieces) == 0


async def test_of_no_items() -> None:
    """Sums are the attribute's own zero; there is no average, lowest or highest."""
    query = sales()
    zeros = [
        await query.sum(Sale.number),
        await query.sum(Sale.price),
        await query.sum(Sale.share),
        await query.sum(Sale.took),
    ]
    assert zeros == [0, Decimal(0), 0.0, timedelta()]
    assert [type(zero) for zero in zeros] == [int, Decimal, float, timedelta]
    assert await query.average(Sale.price) is None
    assert await query.min(Sale.price) is None
    assert await query.max(Sale.on) is None
    assert await query.group_by(Sale.plan).count() == {}
    assert await query.count() == 0


def test_decimals_are_exact() -> None:
    """Numbers of 38 digits and of all magnitudes: no digit is lost, in whatever order they come."""
    values = [
        *(
            Decimal("9." + "9" * 37 + "E+125"),
            Decimal("-1." + "1" * 37 + "E-130"),
            Decimal("0.1"),
            Decimal(-(10**37) - 1),
        ),
        *map(Decimal, range(100)),
    ] * 7
    for seed in range(5):
        random.Random(seed).shuffle(values)  # noqa: S311 - reproducible, not secret
        total, average = Sum(0), Average()
        for value in values:
            total.add(value)
            average.add(value)
        assert Fraction(total.result()) == sum(map(Fraction, values))
        assert average.result() == Context(prec=38).divide(total.result(), Decimal(len(values)))


async def test_sums_of_one_kind_are_of_that_kind() -> None:
    """Ints stay ints, of any size; Decimals keep their digits; floats add up as their shortest texts do."""
    query = sales(
        sale(1, pieces=10**37, price=Decimal("0.10"), share=0.1, took=timedelta(seconds=1.5)),
        sale(2, pieces=1, price=Decimal("0.20"), share=0.2, took=timedelta(days=1)),
        sale(3, pieces=-3, price=Decimal(10**30), share=1e100, took=timedelta(microseconds=1)),
    )
    assert await query.sum(Sale.pieces) == 10**37 - 2
    assert await query.sum(Sale.price) == Decimal("1" + "0" * 30 + ".3")
    assert await query.where(Sale.number < 3).sum(Sale.share) == 0.3  # and not 0.30000000000000004
    assert isinstance(await query.sum(Sale.share), float)
    assert await query.sum(Sale.took) == timedelta(days=1, seconds=1, microseconds=500_001)
    assert await query.average(Sale.took) == timedelta(seconds=28800, microseconds=500_000)
    assert await query.where(Sale.number < 3).average(Sale.share) == Decimal("0.15")
    assert await query.average(Sale.pieces) == Context(prec=38).divide(Decimal(10**37 - 2), Decimal(3))


async def test_extremes_of_anything_with_an_order() -> None:
    """Numbers, text, times and durations; of one value, that value."""
    query = sales(
        sale(1, plan="b", on=datetime(2024, 1, 2, tzinfo=UTC), took=timedelta(1)),
        sale(2, plan="a", on=datetime(2023, 1, 2, tzinfo=UTC)),
        sale(3, plan="é"),
    )
    assert (await query.min(Sale.plan), await query.max(Sale.plan)) == ("a", "é")
    assert await query.max(Sale.on) == datetime(2024, 1, 2, tzinfo=UTC)
    assert await query.min(Sale.took) == timedelta()
    assert await query.where(Sale.number == 2).max(Sale.plan) == "a"


@pytest.mark.parametrize("attribute", [Sale.plan, Sale.paid, Sale.tags, Sale.colour, Sale.extra], ids=repr)
async def test_what_is_no_number_is_not_added_up(attribute: Attr[Any]) -> None:
    """The error names the value."""
    query = sales(sale(1, plan="x", tags={"t"}, extra={"a": 1}))
    with pytest.raises(UsageError, match="is no number: it cannot be added up"):
        await query.sum(attribute)
    with pytest.raises(UsageError, match="is no number: it cannot be added up"):
        await query.average(attribute)


@pytest.mark.parametrize("attribute", [Sale.tags, Sale.colour, Sale.extra], ids=repr)
async def test_what_has_no_order_has_no_extremes(attribute: Attr[Any]) -> None:
    """Refused for one item as for several: sets, maps and enumerations."""
    query = sales(sale(1, tags={"t"}, extra={"a": 1}), sale(2, tags={"u"}, extra={"a": 1}))
    for reading in (query, query.limit(1)):
        for aggregate in (reading.min, reading.max):
            with pytest.raises(UsageError, match="has no order: there is no lowest or highest of such values"):
                await aggregate(attribute)


async def test_groups() -> None:
    """Each group on its own, items without the attribute as None, with zeros and with groups that have no value."""
    query = sales(
        sale(1, plan="free", pieces=0, price=Decimal("0.1")),
        sale(2, plan="paid", pieces=5),
        sale(3, plan="free", pieces=4, price=Decimal("0.2")),
        sale(4, pieces=7),
        sale(5, plan="trial"),
    )
    groups = query.group_by(Sale.plan)
    assert await groups.count() == {"free": 2, "paid": 1, None: 1, "trial": 1}
    assert await groups.sum(Sale.pieces) == {"free": 4, "paid": 5, None: 7, "trial": 0}
    assert await groups.average(Sale.pieces) == {"free": 2, "paid": 5, None: 7, "trial": None}
    assert await groups.min(Sale.pieces) == {"free": 0, "paid": 5, None: 7, "trial": None}
    assert await groups.max(Sale.price) == {"free": Decimal("0.2"), "paid": 0, None: 0, "trial": 0}
    assert type((await groups.sum(Sale.price))["trial"]) is Decimal
    with pytest.raises(UsageError, match=r"<Attr Sale\.extra> has the value \{\}, which cannot name a group"):
        await query.group_by(Sale.extra).count()


async def test_only_what_is_needed_is_asked_for() -> None:
    """An aggregate projects its attribute; a limit bounds the items that take part; a scan aggregates as well."""
    table = FakeTable(spec_of(Sale).table, raw_items(*(sale(n, pieces=n) for n in range(5))), natural=2)
    query = query_of(Sale, table.send).where(Sale.shop == "s")
    assert await query.sum(Sale.pieces) == 10
    assert set(table.requests[0].body["ExpressionAttributeNames"].values()) == {"shop", "number", "pieces"}
    assert await query.limit(3).sum(Sale.pieces) == 3
    assert await query.descending().limit(2).sum(Sale.pieces) == 7
    assert await scan_of(Sale, table.send).segments(3).average(Sale.pieces) == 2


def test_folds_alone() -> None:
    """The folds can be asked for their result at any time."""
    low, high = Lowest(), Highest()
    assert (low.result(), high.result()) == (None, None)
    for value in (3, 1, 2):
        low.add(value)
        high.add(value)
    assert (low.result(), high.result()) == (1, 3)
