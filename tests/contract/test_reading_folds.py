"""Counts, sums, averages, extremes and groups; and what reading costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from dynamorm_async import Capacity, Database, Prices, Query, Scan, UsageError
from tests.contract.differences import differs
from tests.contract.reading_models import DEPOTS, PARCELS, Parcel, connect, depots, where
from tests.engines import Lane

__all__ = ["depots"]

pytestmark = pytest.mark.anyio

EAST = where(lambda p: p.depot == "east")
UPS = where(lambda p: p.carrier == "ups" and p.town == "Leeds")
SCORES = [p.score for p in PARCELS if p.score is not None]


def readings(db: Database) -> list[tuple[Query[Parcel] | Scan[Parcel], list[Parcel]]]:
    """Readings in one page and in many, through an index, with a filter that empties pages, and in segments."""
    return [
        (db.query(Parcel).where(Parcel.depot == "east"), EAST),
        (db.query(Parcel).where(Parcel.carrier == "ups", Parcel.town == "Leeds").page_size(1), UPS),
        (db.scan(Parcel).page_size(4).segments(3), where(bool)),
    ]


async def test_counts(depots: Database) -> None:
    """DynamoDB counts, over all pages, filters applied, within the limit, and after a cursor."""
    for query, items in readings(depots):
        with depots.measure() as meter:
            assert await query.count() == len(items)
        assert set(meter.statistics.requests) <= {"Query", "Scan"}
        assert await query.limit(3).count() == 3
        assert await query.limit(1_000).count() == len(items)
        cursor = (await query.page(size=2)).cursor
        assert cursor is not None
        assert await query.after(cursor).count() == len(items) - 2
    heavy = depots.query(Parcel).where(Parcel.depot.is_in([*DEPOTS]), Parcel.price > Decimal(1)).page_size(2)
    assert await heavy.count() == len(where(lambda p: p.price > 1))
    assert await heavy.select(Parcel.town).count() == len(where(lambda p: p.price > 1))


async def test_sums_are_exact_and_of_the_attributes_type(depots: Database) -> None:
    """int, Decimal, float and timedelta add up as themselves, without rounding; zeros count, absences do not."""
    for query, items in readings(depots):
        assert await query.sum(Parcel.weight) == sum(p.weight for p in items)
        price = await query.sum(Parcel.price)
        assert price == sum(p.price for p in items)
        assert isinstance(price, Decimal)
        volume = await query.sum(Parcel.volume)
        assert volume == float(sum(Decimal(repr(p.volume)) for p in items))
        assert isinstance(volume, float)
        assert await query.sum(Parcel.delay) == sum((p.delay for p in items), timedelta())
        assert await query.sum(Parcel.score) == sum(p.score or 0 for p in items)
    with pytest.raises(UsageError, match="number"):
        await depots.scan(Parcel).sum(Parcel.town)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]  # the mistake


async def test_averages(depots: Database) -> None:
    """Averages are to 38 digits, over the items that have the attribute; a zero is a value."""
    for query, items in readings(depots):
        weights = [p.weight for p in items]
        average = await query.average(Parcel.weight)
        assert average is not None
        assert abs(average - Decimal(sum(weights)) / len(weights)) < Decimal("1e-26")
    assert len(SCORES) < len(PARCELS)
    assert 0 in SCORES
    scores = await depots.scan(Parcel).average(Parcel.score)
    assert scores is not None
    assert abs(scores - Decimal(sum(SCORES)) / len(SCORES)) < Decimal("1e-26")
    third = await depots.query(Parcel).where(Parcel.depot == "east", Parcel.number < 5).average(Parcel.weight)
    assert str(third) == f"6.{'3' * 37}"


async def test_lowest_and_highest(depots: Database) -> None:
    """min and max of numbers, text and durations; zeros are kept, absences passed over."""
    for query, items in readings(depots):
        assert await query.min(Parcel.weight) == min(p.weight for p in items)
        assert await query.max(Parcel.price) == max(p.price for p in items)
        assert await query.max(Parcel.delay) == max(p.delay for p in items)
        assert (await query.min(Parcel.town), await query.max(Parcel.town)) == (
            min(p.town for p in items),
            max(p.town for p in items),
        )
    assert (await depots.scan(Parcel).min(Parcel.score), await depots.scan(Parcel).max(Parcel.score)) == (
        0,
        max(SCORES),
    )
    claimed = depots.query(Parcel).where(Parcel.claimed == "ann")
    assert await claimed.max(Parcel.number) == max(p.number for p in PARCELS if p.claimed == "ann")


async def test_folds_of_nothing(depots: Database) -> None:
    """Of no items the sum is 0, the count 0, and the rest None."""
    nothing = depots.query(Parcel).where(Parcel.depot == "west")
    assert await nothing.count() == 0
    assert await nothing.sum(Parcel.weight) == 0
    assert await nothing.average(Parcel.weight) is None
    assert await nothing.min(Parcel.weight) is None
    assert await nothing.max(Parcel.weight) is None
    assert await nothing.group_by(Parcel.town).count() == {}


async def test_groups(depots: Database) -> None:
    """group_by folds each group apart; items without the attribute form the group None."""
    for query, items in readings(depots):
        assert await query.group_by(Parcel.town).count() == Counter(p.town for p in items)
        sums = await query.group_by(Parcel.status).sum(Parcel.price)
        assert sums == {s: sum(p.price for p in items if p.status == s) for s in {p.status for p in items}}
        assert await query.group_by(Parcel.claimed).count() == Counter(p.claimed for p in items)
        tops = await query.group_by(Parcel.carrier).max(Parcel.weight)
        assert tops == {c: max(p.weight for p in items if p.carrier == c) for c in {p.carrier for p in items}}
    lows = await depots.scan(Parcel).group_by(Parcel.depot).min(Parcel.score)
    assert lows == {d: min(p.score for p in PARCELS if p.depot == d and p.score is not None) for d in DEPOTS}
    averages = await depots.scan(Parcel).group_by(Parcel.depot).average(Parcel.number)
    assert averages == {d: Decimal(sum(p.number for p in PARCELS if p.depot == d)) / 10 for d in DEPOTS}


@pytest.fixture
async def metered(endpoint: str, lane: Lane, depots: Database) -> AsyncIterator[Database]:  # noqa: ARG001 - fills the tables
    """A database that has DynamoDB report what each index consumes."""
    async with connect(endpoint, lane, capacity="indexes") as db:
        yield db


async def test_capacity_is_reported_for_pages_and_in_total(metered: Database) -> None:
    """Each page tells what it consumed; the pages of a database add up to its statistics, and to each block's."""
    query = metered.query(Parcel).where(Parcel.carrier == "ups").page_size(4)
    with metered.measure() as meter:
        pages = [page async for page in query.pages()]
    assert len(pages) > 2
    assert all(page.capacity.read > 0 for page in pages)
    total = sum((page.capacity for page in pages), Capacity())
    assert meter.statistics.capacity == total
    assert metered.statistics().capacity == total
    assert meter.statistics.requests == {"Query": len(pages)}
    assert meter.statistics.retries == 0
    assert set(total.tables) == {"reading-parcels"}
    assert total.indexes == {"reading-parcels/by_carrier": total.read}
    assert (total.write, total.units) == (0, total.read)
    prices = Prices(read_per_million=Decimal("0.25"), write_per_million=Decimal("1.25"))
    assert total.cost(prices) == Decimal(str(total.read)) * Decimal("0.25") / 1_000_000


async def test_capacity_of_every_way_to_read(metered: Database) -> None:
    """Counts, aggregates, hydration, batches and single reads are all in the statistics."""
    by_status = metered.query(Parcel).where(Parcel.status == "sent")
    spent: list[float] = []
    for read in (
        metered.get(Parcel, "east", -20),
        by_status.hydrate(),
        metered.scan(Parcel).count(),
        metered.scan(Parcel).sum(Parcel.weight),
        by_status.using(Parcel.by_status).page(size=2),
    ):
        with metered.measure() as meter:
            await read
        spent.append(meter.statistics.capacity.read)
    assert min(spent) > 0
    assert metered.statistics().capacity.read == sum(spent)
    assert set(metered.statistics().requests) == {"GetItem", "Query", "BatchGetItem", "Scan"}


async def test_a_consistent_read_costs_twice(metered: Database, engine: str) -> None:
    """Where the engine reckons as DynamoDB does, reading strongly consistently costs two halves."""
    query = metered.query(Parcel).where(Parcel.depot == "east")
    weak, strong = (await query.page(size=100)).capacity, (await query.consistent().page(size=100)).capacity
    assert weak.read > 0
    if differs(engine, "half-units"):
        assert strong.read == weak.read
    else:
        assert strong.read == 2 * weak.read


async def test_nothing_is_reported_unless_asked_for(depots: Database) -> None:
    """Without capacity=, pages and statistics tell requests, and no units."""
    page = await depots.query(Parcel).where(Parcel.depot == "east").page(size=100)
    assert page.capacity == Capacity()
    assert depots.statistics().capacity == Capacity()
    assert sum(depots.statistics().requests.values()) >= 1
