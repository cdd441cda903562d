"""Collections on every engine: one partition of a table or index, each item as its model, in key order."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    CursorError,
    Database,
    Table,
    UnknownItem,
    UnrecognizedItem,
    attr,
    deleted_at,
    model,
    partition,
)
from tests.contract.reading_models import connect
from tests.engines import Lane

pytestmark = pytest.mark.anyio

bazaar = Table(
    "bazaar",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("keys", "gsi1pk", "sk", projection="keys_only")],
)


@model(bazaar, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str]
    email: Attr[str] = attr(default="none")


@model(
    bazaar,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed:%Y-%m-%d}#{order_id}",
    gsi1=("STATUS#{status}", "{placed}"),
)
class Order:
    customer_id: Attr[str]
    order_id: Attr[str]
    placed: Attr[datetime]
    status: Attr[str] = attr(default="open")
    deleted: Attr[datetime | None] = deleted_at()


@model(
    bazaar,
    type="payment",
    pk="CUSTOMER#{customer_id}",
    sk="PAY#{number:06}",
    gsi1=("STATUS#{status}", "PAY#{number:06}"),
)
class Payment:
    customer_id: Attr[str]
    number: Attr[int]
    status: Attr[str] = attr(default="open")


@model(type="card")
class Card(Payment):
    last4: Attr[str]


# The same table as other programs see it: they know a model more, and no type of what they write.
foreign = Table("bazaar", partition_key="pk", sort_key="sk", indexes=list(bazaar.indexes))


@model(foreign, type="invoice", pk="CUSTOMER#{customer_id}", sk="INVOICE#{number:06}")
class Invoice:
    customer_id: Attr[str]
    number: Attr[int]
    scan: Attr[bytes] = attr(default=b"\x00\xff")


# Numbers and bytes as keys, and no discriminator: the keys alone tell what is what.
readings = Table(
    "readings-by-number",
    partition_key="device",
    sort_key="stamp",
    types={"device": "N", "stamp": "B"},
    discriminator=None,
)


@model(readings, device="{number}", stamp="{stamp_of}")
class Reading:
    number: Attr[int]
    stamp_of: Attr[bytes]


@pytest.fixture
async def market(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with the tables of this module, which all of its tests share: each uses partitions of its own."""
    async with connect(endpoint, lane) as db:
        if (mark := f"{endpoint} bazaar") not in prepared:
            await db.tables.ensure(Customer, Reading)
            prepared.add(mark)
        yield db


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


async def stocked(db: Database) -> tuple[str, list[Customer | Order | Payment]]:
    """Everything of one customer, in key order."""
    name = uuid.uuid4().hex
    items: list[Customer | Order | Payment] = [
        *(Order(customer_id=name, order_id=f"o{n}", placed=day(n), status=name) for n in (3, 7, 12)),
        Payment(customer_id=name, number=1, status=name),
        Card(customer_id=name, number=2, status=name, last4="1111"),
        Customer(customer_id=name),
    ]
    await db.put_many(items)
    return name, items


async def test_a_partition_in_key_order(market: Database) -> None:
    """Every item as its own class, in any page size, in both directions; by text as by attributes."""
    name, items = await stocked(market)
    everything = market.collection(bazaar, f"CUSTOMER#{name}")
    assert await everything == items
    assert await market.collection(partition(Customer, customer_id=name)) == items
    assert [item async for item in everything.page_size(1)] == items
    assert await everything.descending().limit(2) == items[:-3:-1]
    assert await everything.first() == items[0]
    assert await everything.consistent().count() == len(items)
    async with everything.page_size(4).pages() as pages:
        assert (await anext(pages)).items == items[:4]


async def test_some_models_of_it(market: Database) -> None:
    """DynamoDB leaves out what is not asked for; variants come with their base."""
    name, items = await stocked(market)
    everything = market.collection(bazaar, f"CUSTOMER#{name}")
    assert await everything.of(Customer, Payment) == items[3:]
    assert await everything.of(Payment).count() == 2
    assert await everything.of(Card) == items[4:5]
    assert await everything.of(Order).limit(2).page_size(1) == items[:2]


async def test_a_part_of_the_sort_key(market: Database) -> None:
    """Beginnings and ranges are part of the key condition: nothing else is read."""
    name, items = await stocked(market)
    everything = market.collection(bazaar, f"CUSTOMER#{name}")
    assert await everything.begins_with("ORDER#2026-01-0") == items[:2]
    assert await everything.between("ORDER#2026-01-07", "PAY#000001") == items[1:4]
    assert await everything.between("PAY#", "ORDER#") == []
    page = await everything.begins_with("PAY#").page(size=10)
    assert (page.items, page.scanned_count, page.cursor) == (items[3:5], 2, None)


async def test_a_partition_of_an_index(market: Database) -> None:
    """Each item as its class; what an index of keys does not tell is left to partial models of the base."""
    name, items = await stocked(market)
    found = await market.collection(bazaar, f"STATUS#{name}", index="gsi1")
    assert found == [*items[:3], *items[3:5]]
    assert await market.collection(partition(Order, index="gsi1", status=name)).of(Order).page_size(1) == items[:3]
    keys = market.collection(bazaar, f"STATUS#{name}", index="keys").with_hidden().page_size(2)
    assert [type(item).__mro__[1] for item in await keys] == [Order, Order, Order, Payment, Payment]


async def test_cursors_go_on_and_belong_to_one_collection(market: Database) -> None:
    """Page by page every item comes once; the cursor of another collection, or of a query, is refused."""
    name, items = await stocked(market)
    for everything in (
        market.collection(bazaar, f"CUSTOMER#{name}"),
        market.collection(bazaar, f"STATUS#{name}", index="gsi1"),
    ):
        whole = await everything
        found: list[object] = []
        cursor: str | None = None
        while True:
            page = await everything.page(size=2, cursor=cursor)
            found += page.items
            if page.cursor is None:
                break
            cursor = page.cursor
        assert found == whole
        assert await everything.after(cursor or "") == whole[len(whole) - len(page.items) :]
    for other in (everything.of(Order), everything.descending(), market.collection(bazaar, f"CUSTOMER#{name}")):
        with pytest.raises(CursorError):
            await other.page(cursor=cursor)
    assert len(items) == 6


async def test_hidden_items_are_left_out(market: Database) -> None:
    """Soft-deleted items are not there, neither in counts, unless they are asked for."""
    name, items = await stocked(market)
    await market.delete(items[1])
    everything = market.collection(bazaar, f"CUSTOMER#{name}")
    assert await everything.of(Order) == [items[0], items[2]]
    assert await everything.limit(2) == [items[0], items[2]]
    assert (await everything.count(), await everything.with_hidden().count()) == (5, 6)
    assert [item for item in await everything.with_hidden() if isinstance(item, Order)][1].deleted is not None


async def test_items_of_no_known_model(market: Database) -> None:
    """They are refused, passed over, or given as they are; never dropped unasked."""
    name, items = await stocked(market)
    await market.put(Invoice(customer_id=name, number=5))
    everything = market.collection(bazaar, f"CUSTOMER#{name}")
    for refused in (everything, everything.with_hidden()):
        with pytest.raises(UnrecognizedItem, match="'invoice'") as error:
            await refused
        assert error.value.key == {"pk": f"CUSTOMER#{name}", "sk": "INVOICE#000005"}
    with pytest.raises(UnrecognizedItem):
        await everything.count()
    assert await everything.unknown("skip") == items
    assert await everything.unknown("skip").count() == len(items)
    raw, *others = await everything.unknown("raw")
    assert others == items
    assert isinstance(raw, UnknownItem)
    assert (raw.type, raw.attributes["scan"]) == ("invoice", {"B": b"\x00\xff"})
    assert await everything.unknown("raw").count() == 7
    assert await everything.of(Customer) == items[-1:]


async def test_items_by_their_models(market: Database) -> None:
    """One reading, a list for each model."""
    name, items = await stocked(market)
    groups = await market.collection(bazaar, f"CUSTOMER#{name}").grouped()
    assert groups[Order] == items[:3]
    assert groups[Payment] == items[3:5]
    assert groups[Card] == items[4:5]
    assert list(groups) == [Customer, Order, Payment, Card]


async def test_a_partition_of_numbers_and_bytes(market: Database) -> None:
    """Partitions and ranges of every key type, in a table without a discriminator."""
    number = uuid.uuid4().int % 10**18
    items = [Reading(number=number, stamp_of=stamp) for stamp in (b"\x00\x01", b"\x00\xff", b"\x80")]
    for item in items:
        await market.create(item)
    assert await market.collection(readings, number) == items
    assert await market.collection(partition(Reading, number=number)).page_size(1) == items
    assert await market.collection(readings, number).between(b"\x00\x02", b"\x80") == items[1:]
