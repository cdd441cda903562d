"""Reading that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NewType, assert_type

from dynamorm_async import (
    Attr,
    Candidate,
    Capacity,
    Database,
    Explanation,
    Groups,
    ItemStream,
    Meter,
    Page,
    PageStream,
    Prices,
    Query,
    Scan,
    Statistics,
    attr,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
)

Cents = NewType("Cents", int)


class Plan(Enum):
    FREE = "free"


@embedded
class Address:
    city: Attr[str] = attr(default="Paris")
    floor: Attr[int | None] = attr(default=None)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    age: Attr[int] = attr(default=0)
    score: Attr[int | None] = attr(default=None)
    height: Attr[float] = attr(default=1.5)
    weight: Attr[float | None] = attr(default=None)
    balance: Attr[Decimal] = attr(default=Decimal(0))
    debt: Attr[Decimal | None] = attr(default=None)
    worked: Attr[timedelta] = attr(default=timedelta())
    rested: Attr[timedelta | None] = attr(default=None)
    price: Attr[Cents] = attr(default=Cents(0))
    plan: Attr[Plan] = attr(default=Plan.FREE)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    notes: Attr[dict[str, str]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)
    seen: Attr[datetime | None] = attr(default=None)

    by_age = index(sort="age", local=True, projection="keys_only")
    by_plan = index(partition="plan")


def builders(db: Database) -> None:
    query, scan = db.query(User), db.scan(User)
    assert_type(query, Query[User])
    assert_type(query.where(User.org == "a", User.age > 3).where(), Query[User])
    assert_type(query.using(User.by_age).using("by_plan").hydrate(), Query[User])
    assert_type(query.descending().limit(3).page_size(10).consistent(), Query[User])
    assert_type(query.prefetch(False).prefetch().allow_scan().after("cursor"), Query[User])
    assert_type(scan, Scan[User])
    assert_type(scan.where(User.age > 3).using(User.by_plan).limit(3).page_size(10), Scan[User])
    assert_type(scan.segments(8).capacity(2.5).capacity(100).consistent().after("cursor"), Scan[User])


def selections(db: Database) -> None:
    query, scan = db.query(User), db.scan(User)
    assert_type(query.select(User.age), Query[tuple[int]])
    assert_type(query.select(User.age, User.org), Query[tuple[int, str]])
    assert_type(query.select(User.score, User.tags, User.plan), Query[tuple[int | None, set[str], Plan]])
    assert_type(
        query.select(User.age, User.balance, User.worked, User.seen),
        Query[tuple[int, Decimal, timedelta, datetime | None]],
    )
    assert_type(
        query.select(User.age, User.org, User.age, User.org, User.height), Query[tuple[int, str, int, str, float]]
    )
    assert_type(query.select(User.age, User.org, User.age, User.org, User.age, User.org), Query[tuple[Any, ...]])
    assert_type(query.select(User.address / Address.city, User.scores[0]), Query[tuple[str, int]])
    assert_type(query.select(User.notes["x"]).descending().limit(3), Query[tuple[str]])
    assert_type(scan.select(User.age), Scan[tuple[int]])
    assert_type(scan.select(User.age, User.price), Scan[tuple[int, Cents]])
    assert_type(scan.select(User.age, User.org, User.address), Scan[tuple[int, str, Address | None]])
    assert_type(scan.select(User.age, User.org, User.age, User.org), Scan[tuple[int, str, int, str]])
    assert_type(
        scan.select(User.age, User.org, User.age, User.org, User.tags), Scan[tuple[int, str, int, str, set[str]]]
    )


def plans(db: Database) -> None:
    explanation = db.query(User).where(User.org == "a").explain()
    assert_type(explanation, Explanation)
    assert_type(explanation.operation, str)
    assert_type(explanation.candidates, tuple[Candidate, ...])
    assert_type(explanation.units_per_page, tuple[float, float])
    assert_type(db.scan(User).explain(), Explanation)
    assert_type(db.query(User).group_by(User.plan), Groups[Plan])
    assert_type(db.query(User).where(User.org == "a").stream(), ItemStream[User])
    assert_type(db.query(User).where(User.org == "a").pages(), PageStream[User])
    assert_type(db.statistics(), Statistics)
    assert_type(db.statistics().capacity, Capacity)
    prices = Prices(read_per_million=Decimal("0.25"), write_per_million=Decimal("1.25"))
    assert_type(db.statistics().capacity.cost(prices), Decimal)
    Database(region="eu-west-1", cursor_secrets=["x" * 32, b"y" * 32], cursor_lifetime=60, capacity="indexes")
    Database(region="eu-west-1", clock=lambda: datetime.now(UTC), capacity="total")


def unsent() -> None:
    """What needs no DynamoDB."""
    db = Database(region="eu-west-1")
    builders(db)
    selections(db)
    plans(db)


async def results(db: Database) -> None:
    query = db.query(User).where(User.org == "acme")
    assert_type(await query, list[User])
    assert_type(await query.select(User.age, User.org), list[tuple[int, str]])
    assert_type(await query.first(), User | None)
    assert_type(await query.select(User.age).first(), tuple[int] | None)
    assert_type(await query.one(), User)
    assert_type(await query.select(User.age, User.seen).one(), tuple[int, datetime | None])
    assert_type(await query.count(), int)
    assert_type(await db.scan(User).segments(4).count(), int)
    assert_type(await db.scan(User).first(), User | None)
    for age, org in await query.select(User.age, User.org):
        assert_type(age, int)
        assert_type(org, str)


async def pages(db: Database, cursor: str | None) -> None:
    query = db.query(User).where(User.org == "acme")
    page = await query.page(size=20, cursor=cursor)
    assert_type(page, Page[User])
    assert_type(page.items, list[User])
    assert_type(page.cursor, str | None)
    assert_type(page.has_more, bool)
    assert_type(page.count, int)
    assert_type(page.scanned_count, int)
    assert_type(page.capacity, Capacity)
    assert_type(await query.select(User.age).page(), Page[tuple[int]])
    async for each in query.pages():
        assert_type(each, Page[User])
    async with db.scan(User).pages() as stream:
        assert_type(stream, PageStream[User])
        assert_type(await anext(stream), Page[User])


async def streams(db: Database) -> None:
    query = db.query(User).where(User.org == "acme")
    async for user in query:
        assert_type(user, User)
    async with query.stream() as stream:
        assert_type(stream, ItemStream[User])
        async for user in stream:
            assert_type(user, User)
        assert_type(stream.checkpoint(), str)
        assert_type(stream.has_more, bool)
    async for age, org in db.scan(User).select(User.age, User.org):
        assert_type(age, int)
        assert_type(org, str)
    with db.measure() as meter:
        assert_type(meter, Meter)
    assert_type(meter.statistics, Statistics)


async def aggregates(db: Database) -> None:
    query = db.query(User).where(User.org == "acme")
    assert_type(await query.sum(User.age), int)
    assert_type(await query.sum(User.score), int)
    assert_type(await query.sum(User.height), float)
    assert_type(await query.sum(User.weight), float)
    assert_type(await query.sum(User.balance), Decimal)
    assert_type(await query.sum(User.debt), Decimal)
    assert_type(await query.sum(User.worked), timedelta)
    assert_type(await query.sum(User.rested), timedelta)
    assert_type(await query.sum(User.scores[0]), int)
    assert_type(await query.sum(User.address / Address.floor), int)
    assert_type(await query.average(User.age), Decimal | None)
    assert_type(await query.min(User.age), int | None)
    assert_type(await query.max(User.seen), datetime | None)
    assert_type(await query.max(User.org), str | None)
    assert_type(await query.group_by(User.plan).count(), dict[Plan, int])
    assert_type(await query.group_by(User.plan).sum(User.balance), dict[Plan, Decimal])
    assert_type(await query.group_by(User.score).sum(User.age), dict[int | None, int])
    assert_type(await query.group_by(User.address / Address.city).max(User.age), dict[str, int | None])
    assert_type(await db.scan(User).group_by(User.org).min(User.height), dict[str, float | None])
    assert_type(await db.scan(User).group_by(User.org).average(User.age), dict[str, Decimal | None])
