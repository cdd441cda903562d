"""Migrate on read: old items are read in the present form, migrated by save, and never mixed; on every engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    GSI,
    Attr,
    BatchGetFailed,
    ConditionFailed,
    Database,
    DecodeError,
    Key,
    SchemaConflict,
    Table,
    VersionConflict,
    attr,
    index,
    model,
    outdated,
    partition_key,
    upcast,
    version,
)
from tests.contract.differences import differs
from tests.contract.models import connect, unique
from tests.engines import Lane, call

pytestmark = pytest.mark.anyio
Item = dict[str, Any]
PREFIX = "upcast-"


@model("customers", schema=3)
class Customer:
    """No version attribute: what a migration replaces is compared."""

    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr()
    last: Attr[str] = attr()
    email: Attr[str] = attr(default="none")
    balance: Attr[Decimal] = attr(default=Decimal(0))
    tags: Attr[set[str]] = attr(factory=set)
    photo: Attr[bytes | None] = attr(default=None)
    notes: Attr[dict[str, Any]] = attr(factory=dict)
    by_email = index(partition="email", projection=["first", "_schema"])

    @upcast(from_version=1)
    @staticmethod
    def split_name(item: Item) -> Item:
        first, _, last = item.pop("name").partition(" ")
        return {**item, "first": first, "last": last}

    @upcast(from_version=2)
    @staticmethod
    def cents(item: Item) -> Item:
        item["balance"] = Decimal(item.pop("cents", 0)) / 100
        return {**item, "email": item.get("email", "none").lower()}


@model("tallies", schema=2, schema_attribute="v")
class Tally:
    tally_id: Attr[str] = partition_key()
    n: Attr[int] = attr()
    revision: Attr[int] = version()

    @upcast(from_version=1)
    @staticmethod
    def count(item: Item) -> Item:
        item["n"] = len(item.pop("marks"))
        return item


_shop = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(
    _shop,
    type="order",
    pk="C#{customer}",
    sk="O#{placed:%Y-%m-%d}#{order_id}",
    gsi1=("S#{status}", "{placed}"),
    schema=2,
)
class Order:
    customer: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    order_id: Attr[str] = attr()
    status: Attr[str] = attr(default="open")

    @upcast(from_version=1)
    @staticmethod
    def lower(item: Item) -> Item:
        return {**item, "status": item["status"].lower()}


@pytest.fixture
async def shop(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with these tables; all tests share them, so each uses keys of its own."""
    async with connect(endpoint, lane, prefix=PREFIX) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            await db.tables.ensure(Customer, Tally, Order)
            prepared.add(mark)
        yield db


def stored(endpoint: str, table: str, item: Item) -> None:
    """Write an item as a program of an older release did."""
    status, answer = call(endpoint, "PutItem", {"TableName": PREFIX + table, "Item": item})
    assert status == 200, answer


def old_customer(endpoint: str, **more: Item) -> tuple[Key[Customer], Item]:
    item: Item = {
        "customer_id": {"S": unique()},
        "name": {"S": "Ada Lovelace"},
        "cents": {"N": "1250"},
        "email": {"S": "ADA@" + unique()},
        "tags": {"SS": ["a", "b"]},
        "photo": {"B": "AQI="},
        "notes": {"M": {"deep": {"L": [{"N": "1"}, {"NULL": True}, {"BOOL": False}]}}},
        "other": {"S": "kept"},
        **more,
    }
    stored(endpoint, "customers", item)
    return Key(Customer, item["customer_id"]["S"]), item


def raw(endpoint: str, table: str, key: Item) -> Item:
    """An item as the engine has it, read without this library."""
    status, answer = call(endpoint, "GetItem", {"TableName": PREFIX + table, "Key": key, "ConsistentRead": True})
    assert status == 200, answer
    item: Item = answer["Item"]
    return item


def whole(endpoint: str, key: Key[Any], table: str = "customers") -> Item:
    name = {"customers": "customer_id", "tallies": "tally_id"}[table]
    return raw(endpoint, table, {name: {"S": key.values[0]}})


def upcast_customer(item: Item) -> Customer:
    return Customer(
        customer_id=item["customer_id"]["S"],
        first="Ada",
        last="Lovelace",
        email=item["email"]["S"].lower(),
        balance=Decimal("12.5"),
        tags={"a", "b"},
        photo=b"\x01\x02",
        notes={"deep": [1, None, False]},
    )


async def test_every_read_gives_the_present_form(shop: Database, endpoint: str) -> None:
    """get, query, scan, batch_get, transact_get and returned items; the table is as it was; each is counted."""
    key, item = old_customer(endpoint)
    expected = upcast_customer(item)
    customer_id: str = item["customer_id"]["S"]
    assert await shop.get(key, consistent=True) == expected
    assert await shop.query(Customer).where(Customer.customer_id == customer_id) == [expected]
    assert await shop.scan(Customer).where(Customer.customer_id == customer_id) == [expected]
    assert await shop.batch_get(key) == [expected]
    assert await shop.transact_get(key) == (expected,)
    old_form = shop.query(Customer).where(Customer.email == item["email"]["S"]).using(Customer.by_email)
    assert await old_form.hydrate() == [expected]
    assert shop.statistics().upcast == {"Customer": 6}
    with pytest.raises(DecodeError, match="only some of the item's attributes"):
        await old_form
    with pytest.raises(BatchGetFailed, match="only some of the item's attributes"):
        await shop.batch_get(key).select(Customer.first)
    assert whole(endpoint, key) == item
    assert await shop.delete(key, returns="old") == expected


async def test_a_save_migrates_for_good(shop: Database, endpoint: str) -> None:
    """It leaves what a put of the same instance leaves, and the attributes that the model does not know."""
    key, item = old_customer(endpoint)
    read = await shop.get(key, consistent=True)
    assert read is not None
    await shop.save(read)
    migrated = whole(endpoint, key)
    assert migrated.pop("other") == item["other"]
    await shop.put(read)
    put = whole(endpoint, key)
    for each in (migrated, put):
        each["tags"]["SS"].sort()
    assert migrated == put
    assert put["_schema"] == {"N": "3"}
    assert "name" not in put
    assert await shop.get(key, consistent=True) == read
    assert await shop.save(read) is read
    assert shop.statistics().upcast == {"Customer": 1}


async def test_two_readers_race_and_no_update_is_lost(shop: Database, endpoint: str, engine: str) -> None:
    """The second migration fails, and so does one of an item that an older program has changed in between."""
    key, item = old_customer(endpoint)
    one, two = await shop.get(key, consistent=True), await shop.get(key, consistent=True)
    assert one is not None
    assert two is not None
    one.balance += 1
    await shop.save(one)
    two.balance += 2
    with pytest.raises(ConditionFailed) as caught:
        await shop.save(two)
    if not differs(engine, "failed-condition-returns-item"):
        assert isinstance(caught.value, SchemaConflict)
        assert (caught.value.expected, caught.value.found, caught.value.item) == (1, 3, one)
    assert await shop.get(key, consistent=True) == one
    key, item = old_customer(endpoint)
    read = await shop.get(key, consistent=True)
    assert read is not None
    stored(endpoint, "customers", {**item, "name": {"S": "Grace Hopper"}})
    with pytest.raises(ConditionFailed) as caught:
        await shop.save(read)
    if not differs(engine, "failed-condition-returns-item"):
        assert "changed by somebody else since this instance was read from schema 1" in str(caught.value)
    assert whole(endpoint, key)["name"] == {"S": "Grace Hopper"}


async def test_updates_do_not_mix_schemas(shop: Database, endpoint: str, engine: str) -> None:
    """Of an old or a newer item nothing is changed; after a save, and of no item with upsert, they work."""
    key, item = old_customer(endpoint)
    newer, _ = old_customer(endpoint, _schema={"N": "4"})
    for upsert in (False, True):
        for target, found in ((key, 1), (newer, 4)):
            with pytest.raises(ConditionFailed) as caught:
                await shop.update(target, Customer.balance.add(1), upsert=upsert)
            if not differs(engine, "failed-condition-returns-item"):
                assert isinstance(caught.value, SchemaConflict)
                assert (caught.value.expected, caught.value.found) == (3, found)
                assert caught.value.item == (upcast_customer(item) if found == 1 else None)
    assert whole(endpoint, key) == item
    with pytest.raises(DecodeError, match="newer version of the program"):
        await shop.get(newer)
    read = await shop.get(key)
    assert read is not None
    await shop.save(read)
    assert (await shop.update(key, Customer.balance.add(1))).balance == Decimal("13.5")
    made = Key(Customer, unique())
    await shop.update(made, Customer.first.set("A"), Customer.last.set("B"), upsert=True)
    assert whole(endpoint, made)["_schema"] == {"N": "3"}
    await shop.update(made, Customer.first.set("C"), upsert=True)
    assert (await shop.update(made, Customer.last.set("D"))).first == "C"


async def test_modify_migrates_under_the_version(shop: Database, endpoint: str, engine: str) -> None:
    """Many at once on one old item: every change counts, whoever came first; a stale save is a VersionConflict."""
    tally_id = unique()
    key = Key(Tally, tally_id)
    item: Item = {"tally_id": {"S": tally_id}, "marks": {"S": "IIII"}, "revision": {"N": "3"}, "other": {"S": "kept"}}
    stored(endpoint, "tallies", item)
    stale = await shop.get(key, consistent=True)
    assert stale is not None
    assert (stale.n, stale.revision) == (4, 3)

    def add(tally: Tally) -> None:
        tally.n += 1

    # moto runs its requests in threads and has no isolation, so there they come one after the other.
    at_once = anyio.CapacityLimiter(1 if engine == "moto" else 5)

    async def modify() -> None:
        async with at_once:
            await shop.modify(key, add)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(modify)
    assert whole(endpoint, key, "tallies") == {
        "tally_id": {"S": tally_id},
        "n": {"N": "9"},
        "revision": {"N": "8"},
        "v": {"N": "2"},
        "other": {"S": "kept"},
    }
    with pytest.raises(VersionConflict):
        await shop.save(stale)


async def test_a_transaction_migrates_and_refuses(shop: Database, endpoint: str) -> None:
    """A save in it migrates the item with the rest of it, or nothing is written."""
    key, _ = old_customer(endpoint)
    read = await shop.get(key, consistent=True)
    assert read is not None
    async with shop.transaction() as tx:
        tx.save(read)
        tx.create(Tally(tally_id=unique(), n=1))
    assert whole(endpoint, key)["_schema"] == {"N": "3"}
    assert await shop.get(key, consistent=True) == read


async def test_a_backfill_finds_what_is_outdated(db: Database, endpoint: str) -> None:
    """A scan for old items gives those alone; once each is saved, it gives none."""
    await db.tables.ensure(Customer)
    for number in range(6):
        item = {"customer_id": {"S": f"c{number}"}, "name": {"S": "A B"}}
        if number % 2:
            item = {**item, "first": {"S": "A"}, "last": {"S": "B"}, "_schema": {"N": "3" if number == 5 else "2"}}
        table = str(db.partiql.table(Customer)).strip('"')
        status, answer = call(endpoint, "PutItem", {"TableName": table, "Item": item})
        assert status == 200, answer
    found = [customer async for customer in db.scan(Customer).where(outdated(Customer))]
    assert sorted(customer.customer_id for customer in found) == ["c0", "c1", "c2", "c3", "c4"]
    for customer in found:
        await db.save(customer)
    assert await db.scan(Customer).where(outdated(Customer)).count() == 0
    assert await db.scan(Customer).where(~outdated(Customer)).count() == 6
    assert db.statistics().upcast == {"Customer": 5}


async def test_index_keys_of_a_shared_table_are_migrated(shop: Database, endpoint: str) -> None:
    """An old item is where its old index keys put it, until it is saved."""
    customer, day = unique(), "2026-01-02T03:04:05.000000Z"
    item: Item = {
        "pk": {"S": f"C#{customer}"},
        "sk": {"S": "O#2026-01-02#o7"},
        "_type": {"S": "order"},
        "placed": {"S": day},
        "order_id": {"S": "o7"},
        "status": {"S": "OPEN"},
        "gsi1pk": {"S": "S#OPEN"},
        "gsi1sk": {"S": day},
    }
    stored(endpoint, "shop", item)
    key = Key(Order, customer, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "o7")
    order = await shop.get(key, consistent=True)
    assert order == Order(customer=customer, placed=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), order_id="o7")
    await shop.save(order)
    after = raw(endpoint, "shop", {"pk": item["pk"], "sk": item["sk"]})
    assert after == {
        **item,
        "customer": {"S": customer},
        "status": {"S": "open"},
        "gsi1pk": {"S": "S#open"},
        "_schema": {"N": "2"},
    }
