"""What the reading suite reads: parcels in three depots, through every kind of index, filled once for each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dynamorm_async import Attr, Database, attr, embedded, index, model, partition_key, sort_key
from dynamorm_async.plan.capacity import Report
from tests.canaries import KEYS
from tests.engines import Lane

PREFIX = "reading-"
SECRETS = ("a secret of this test suite", "the secret before it, too")


@embedded
class Place:
    city: Attr[str]
    postcode: Attr[str | None] = attr(default=None, name="zip")


@model(table="parcels")
class Parcel:
    """A table, a local index, and global ones that hold everything, some, the keys only, or not every item."""

    depot: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    carrier: Attr[str] = attr(default="ups")
    weight: Attr[int] = attr(default=0)
    town: Attr[str] = attr(default="Bonn")
    status: Attr[str] = attr(default="new")
    claimed: Attr[str | None] = attr(default=None)
    price: Attr[Decimal] = attr(default=Decimal(0))
    volume: Attr[float] = attr(default=1.5)
    delay: Attr[timedelta] = attr(default=timedelta())
    score: Attr[int | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scans: Attr[list[int]] = attr(factory=list)
    names: Attr[dict[str, str]] = attr(factory=dict)
    place: Attr[Place | None] = attr(default=None)

    by_weight = index(sort="weight", local=True)
    by_carrier = index(partition="carrier", sort="number")
    by_town = index(partition="town", sort="weight", projection=["carrier"])
    by_status = index(partition="status", sort="number", projection="keys_only")
    by_claim = index(partition="claimed")


@model(table="badges")
class Badge:
    """A table without a sort key."""

    code: Attr[str] = partition_key()
    owner: Attr[str]
    level: Attr[int] = attr(default=3)
    note: Attr[str | None] = attr(default=None)


@model(table="cases")
class Case:
    """What conditions are tried on: every kind of value, there or absent or NULL."""

    name: Attr[str] = partition_key()
    text: Attr[str | None] = attr(default=None)
    other: Attr[str | None] = attr(default=None)
    size: Attr[int | None] = attr(default=None)  # also the name of a function
    exact: Attr[Decimal | None] = attr(default=None)
    low: Attr[Decimal | None] = attr(default=None)
    flag: Attr[bool | None] = attr(default=None)
    blob: Attr[bytes | None] = attr(default=None)
    words: Attr[set[str]] = attr(factory=set)
    numbers: Attr[list[int] | None] = attr(default=None)
    names: Attr[dict[str, str] | None] = attr(default=None)
    place: Attr[Place | None] = attr(default=None)
    places: Attr[list[Place] | None] = attr(default=None)
    maybe: Attr[str | None] = attr(default="set")  # its None is stored, as NULL


DEPOTS = ("east", "north", "south")


def parcel(number: int) -> Parcel:
    """One of the parcels; numbers cross the lengths at which text order would differ, and lie below zero too."""
    return Parcel(
        depot=DEPOTS[number % 3],
        number=number * 4 - 20,
        carrier=("dhl", "ups")[number // 3 % 2],
        weight=number * 7 % 11,
        town=("Bonn", "Leeds", "Porto")[number // 2 % 3],
        status=("new", "sent")[number % 4 == 0],
        claimed=("ann", "bob")[number // 5 % 2] if number % 5 == 0 else None,
        price=Decimal(number) / 8,
        volume=number / 10,
        delay=timedelta(minutes=number),
        score=number % 4 or None if number % 3 else 0,
        tags={f"t{number % 4}", "all"},
        scans=list(range(number % 4)),
        names={"a": f"n{number}"} if number % 2 else {},
        place=Place(city=f"city {number % 5}", postcode=f"{number}" if number % 3 else None) if number % 4 else None,
    )


PARCELS = tuple(parcel(number) for number in range(30))
BADGES = tuple(Badge(code=f"b{number}", owner=f"o{number % 2}") for number in range(6))


def where(holds: Callable[[Parcel], bool]) -> list[Parcel]:
    """The parcels for which something holds, by key: the truth that queries are compared with."""
    return sorted(filter(holds, PARCELS), key=key)


def key(item: Parcel) -> tuple[str, int]:
    return item.depot, item.number


def by_key(items: Sequence[Parcel]) -> list[Parcel]:
    """The same items in order of their keys, for readings whose order is free; each as often as it came."""
    return sorted(items, key=key)


def connect(
    endpoint: str,
    lane: Lane,
    *,
    secrets: Sequence[str] = (),
    lifetime: float = 86_400.0,
    capacity: Report = "none",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Database:
    """A database on the filled tables."""
    return Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=KEYS,
        lane=lane,
        table_prefix=PREFIX,
        cursor_secrets=secrets,
        cursor_lifetime=lifetime,
        capacity=capacity,
        clock=clock,
    )


async def put_all(db: Database, items: Sequence[object]) -> None:
    """Write items, some at the same time."""
    for start in range(0, len(items), 20):
        await asyncio.gather(*(db.put(item) for item in items[start : start + 20]))


@asynccontextmanager
async def filled(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncGenerator[Database]:
    """An open database on the filled tables, which are made and filled where this engine has none yet."""
    async with connect(endpoint, lane) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            await db.tables.ensure(Parcel, Badge)
            await put_all(db, [*PARCELS, *BADGES])
            prepared.add(mark)
        yield db


@pytest.fixture
async def depots(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database that has the parcels and the badges. Nothing writes to them."""
    async with filled(endpoint, lane, prepared) as db:
        yield db
