"""Queries of models with templated keys in a shared table, on every engine."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

import pytest

from dynamorm_async import GSI, LSI, Attr, Condition, Database, IndexKey, Table, attr, model
from tests.contract.reading_models import connect, put_all
from tests.engines import Lane

pytestmark = pytest.mark.anyio

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)

depot = Table(
    "template-queries",
    partition_key="pk",
    sort_key="sk",
    indexes=[
        GSI("by_status", "gsi1pk", "gsi1sk"),
        GSI("keys_by_day", "gsi2pk", "gsi2sk", projection="keys_only"),
        LSI("by_weight", "lsi1sk"),
    ],
)


@model(
    depot,
    type="load",
    pk="CUSTOMER#{customer}",
    sk="LOAD#{sent:%Y-%m-%d}#{load_id}",
    by_status=IndexKey("STATUS#{status}", "{weight:06}#{load_id}", when=lambda load: load.status != "gone"),
    keys_by_day=("DAY#{day}", "{town}#{load_id}"),
    by_weight="{weight:06}",
)
class Load:
    customer: Attr[str]
    load_id: Attr[str]
    sent: Attr[datetime]
    day: Attr[date]
    weight: Attr[int] = attr(default=1)
    town: Attr[str] = attr(default="Bonn")
    status: Attr[str] = attr(default="new")


@model(depot, type="customer", pk="CUSTOMER#{customer}", sk="PROFILE")
class Customer:
    customer: Attr[str]


@model(depot, type="note", pk="CUSTOMER#{customer}", sk="LOAD-NOTE#{at}", by_status=("STATUS#{about}", "{at}"))
class Note:
    customer: Attr[str]
    at: Attr[datetime]
    about: Attr[str] = attr(default="new")


TOWNS = ("Bonn", "Bonn#2", "Bonn$", "Bonner", "Leeds")
LOADS = tuple(
    Load(
        customer=("ann", "ann#b")[number % 2],
        load_id=f"l{number}",
        sent=MONDAY + timedelta(hours=7 * number),
        day=(MONDAY + timedelta(days=number // 10)).date(),
        weight=number * number,
        town=TOWNS[number % 5],
        status=("new", "sent", "gone")[number % 3],
    )
    for number in range(20)
)
OTHERS = (
    *(Customer(customer=name) for name in ("ann", "ann#b")),
    *(Note(customer="ann", at=MONDAY + timedelta(hours=number), about="sent") for number in range(5)),
)


@pytest.fixture
async def loads(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database that has the loads among items of other models. Nothing writes to them."""
    async with connect(endpoint, lane) as db:
        if (mark := f"{endpoint} {depot.name}") not in prepared:
            await db.tables.ensure(Load, Customer, Note)
            await put_all(db, [*LOADS, *OTHERS])
            prepared.add(mark)
        yield db


def where(
    holds: Callable[[Load], bool], key: Callable[[Load], object] = lambda load: (load.sent.date(), load.load_id)
) -> list[Load]:
    """The loads for which something holds, in the order of a key."""
    return sorted(filter(holds, LOADS), key=key)  # type: ignore[arg-type]  # what is compared has an order


async def test_a_partition_is_its_models_items(loads: Database) -> None:
    """A customer's loads, in the order of their keys: neither its profile nor its notes; backwards as well."""
    query = loads.query(Load).where(Load.customer == "ann")
    assert await query == where(lambda load: load.customer == "ann")
    assert await query.descending() == where(lambda load: load.customer == "ann")[::-1]
    assert await loads.query(Load).where(Load.customer == "ann#b") == where(lambda load: load.customer == "ann#b")
    assert await loads.query(Customer).where(Customer.customer == "ann") == [OTHERS[0]]
    assert await loads.query(Note).where(Note.customer == "ann", Note.at > MONDAY).count() == 4


async def test_ranges_of_what_the_key_keeps_less_of(loads: Database) -> None:
    """The day is in the key, the hour is not: the key narrows to days, and the filter tells the hours."""
    low, high = MONDAY + timedelta(hours=14), MONDAY + timedelta(hours=70)
    of_ann = loads.query(Load).where(Load.customer == "ann")
    body = of_ann.where(Load.sent.between(low, high)).explain().requests[0]
    assert " BETWEEN " in body["KeyConditionExpression"]
    assert await of_ann.where(Load.sent.between(low, high)) == where(
        lambda load: load.customer == "ann" and low <= load.sent <= high
    )
    assert await of_ann.where(Load.sent > low) == where(lambda load: load.customer == "ann" and load.sent > low)
    assert await of_ann.where(Load.sent < high) == where(lambda load: load.customer == "ann" and load.sent < high)
    assert await of_ann.where(Load.sent == low) == where(lambda load: load.customer == "ann" and load.sent == low)
    assert await of_ann.where(Load.sent == low + timedelta(minutes=1)) == []


async def test_ranges_of_padded_numbers(loads: Database) -> None:
    """Numbers of a fixed width, in a global and a local index, with every kind of end."""
    operators: list[Callable[[Any, Any], Any]] = [lt, le, gt, ge]
    for weight, compare in itertools.product((0, 9, 361, 1000), operators):
        condition = compare(Load.weight, weight)
        query = loads.query(Load).where(Load.status == "new", condition)
        plan = query.explain()
        assert plan.target == "index by_status"
        assert "weight" not in plan.requests[0]["ExpressionAttributeNames"].values()
        fits = [load for load in LOADS if compare(load.weight, weight)]
        assert await query == [load for load in fits if load.status == "new"]
        local = loads.query(Load).where(Load.customer == "ann", condition).using("by_weight")
        assert await local == [load for load in fits if load.customer == "ann"]


async def test_a_sparse_index_answers_where_the_conditions_imply_it(loads: Database) -> None:
    """What is gone is in no index by status: that index is taken for what is new, not for what is gone."""
    gone = loads.query(Load).where(Load.status == "gone", Load.customer == "ann")
    assert gone.explain().target == "the table"
    assert await gone == where(lambda load: load.customer == "ann" and load.status == "gone")
    assert await loads.query(Load).where(Load.status == "gone").using("by_status") == []


async def test_several_values_are_merged(loads: Database) -> None:
    """Values of components of both keys: a query for each, merged in the order of the sort key."""
    query = loads.query(Load).where(Load.status.is_in(["sent", "new"]))
    assert len(query.explain().requests) == 2
    assert await query == where(lambda load: load.status != "gone", lambda load: load.weight)
    days = [MONDAY + timedelta(hours=7 * number) for number in (0, 4, 8)]
    some = loads.query(Load).where(Load.customer == "ann", Load.sent.is_in(days))
    assert len(some.explain().requests) == 3
    assert await some == where(lambda load: load.sent in days and load.customer == "ann")


async def test_texts_through_an_index_of_keys(loads: Database) -> None:
    """begins_with and ranges of text with what separates components; the keys tell what the index does not hold."""
    cases: list[tuple[Condition, Callable[[str], bool]]] = [
        (Load.town == "Bonn", lambda town: town == "Bonn"),
        (Load.town.begins_with("Bonn"), lambda town: town.startswith("Bonn")),
        (Load.town.begins_with("Bonn#"), lambda town: town.startswith("Bonn#")),
        (Load.town > "Bonn", lambda town: town > "Bonn"),
        (Load.town <= "Bonn$", lambda town: town <= "Bonn$"),
        (Load.town < "Bonn$", lambda town: town < "Bonn$"),
        (Load.town.between("Bonn#", "Bonnz"), lambda town: "Bonn#" <= town <= "Bonnz"),
    ]
    of_the_day = where(lambda load: load.day == MONDAY.date(), lambda load: (load.town, load.load_id))
    for condition, holds in cases:
        query = loads.query(Load).where(Load.day == MONDAY.date(), condition).using("keys_by_day")
        assert "FilterExpression" not in query.explain().requests[0]
        whole = [load for load in of_the_day if holds(load.town)]
        told = [(load.customer, load.load_id, load.town, load.day) for load in whole]
        assert [(load.customer, load.load_id, load.town, load.day) for load in await query] == told
        assert await query.select(Load.customer, Load.load_id, Load.town, Load.day) == told
        assert await query.hydrate() == whole
        assert await query.count() == len(whole)


async def test_pages_go_on_from_physical_keys(loads: Database) -> None:
    """Cursors hold the keys of the table and the index; each page goes on where the one before ended."""
    for query, whole in (
        (loads.query(Load).where(Load.customer == "ann"), where(lambda load: load.customer == "ann")),
        (
            loads.query(Load).where(Load.status.is_in(["new", "sent"])),
            where(lambda load: load.status != "gone", lambda load: load.weight),
        ),
    ):
        read: list[Load] = []
        cursor: str | None = None
        while True:
            page = await query.page(size=4, cursor=cursor)
            read += page.items
            cursor = page.cursor
            if not page.has_more:
                break
        assert read == whole
        assert await query.limit(3) == whole[:3]


async def test_scans_read_one_model(loads: Database) -> None:
    """Of everything in the table and in an index."""
    assert sorted(load.load_id for load in await loads.scan(Load)) == sorted(load.load_id for load in LOADS)
    assert await loads.scan(Note).count() == 5
    assert await loads.scan(Note).using("by_status").count() == 5
