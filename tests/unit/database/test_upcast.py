"""Schema versions through a database: statistics, conflicts, selections and indexes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    DecodeError,
    Key,
    NoUsableIndex,
    SchemaConflict,
    TransactionCancelled,
    UsageError,
    VersionConflict,
    attr,
    index,
    model,
    partition_key,
    upcast,
    version,
)
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio
Item = dict[str, Any]


@model("customers", schema=2)
class Customer:
    customer_id: Attr[str] = partition_key()
    name: Attr[str] = attr()
    email: Attr[str] = attr(default="none")
    age: Attr[int] = attr(default=0)
    by_email = index(partition="email", projection="keys_only")
    by_name = index(partition="name", projection=["age", "_schema"])

    @upcast(from_version=1)
    @staticmethod
    def rename(item: Item) -> Item:
        item["name"] = item.pop("title")
        return item


@model("tallies", schema=2)
class Tally:
    tally_id: Attr[str] = partition_key()
    n: Attr[int] = attr()
    revision: Attr[int] = version()

    @upcast(from_version=1)
    @staticmethod
    def count(item: Item) -> Item:
        item["n"] = len(item.pop("marks"))
        return item


KEY: Item = {"customer_id": {"S": "1"}}
OLD: Item = {**KEY, "title": {"S": "Ada"}}
NEW: Item = {**KEY, "name": {"S": "Ada"}, "_schema": {"N": "2"}}
NEWER: Item = {**KEY, "name": {"S": "Ada"}, "_schema": {"N": "3"}}
TALLY: Item = {"tally_id": {"S": "t"}, "marks": {"S": "IIII"}, "revision": {"N": "1"}}
ADA = Customer(customer_id="1", name="Ada")


def answer(**content: Any) -> bytes:
    return msgspec.json.encode(content)


def failed(item: Item | None) -> ConditionFailed:
    error = ConditionFailed("The conditional request failed", operation="UpdateItem", table="customers")
    error.raw_item = item
    return error


def opened(monkeypatch: pytest.MonkeyPatch, *script: bytes | Exception) -> tuple[Database, RecordingLane]:
    lane = record(monkeypatch, *script)
    return Database(region="eu-west-1"), lane


async def test_what_is_upcast_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each old item that any kind of read gives, by model; current ones are not, and a meter counts its block alone."""
    page = answer(Items=[OLD, NEW, OLD], Count=3, ScannedCount=3)
    db, _ = opened(
        monkeypatch,
        answer(Item=OLD),
        answer(Item=NEW),
        page,
        page,
        answer(Responses={"customers": [OLD]}),
        answer(Responses=[{"Item": OLD}, {}]),
        answer(Attributes=OLD),
        answer(Attributes=OLD),
        answer(Item=TALLY),
    )
    assert db.statistics().upcast == {}
    assert await db.get(Customer, "1") == ADA
    assert await db.get(Customer, "1") == ADA
    assert db.statistics().upcast == {"Customer": 1}
    with db.measure() as meter:
        assert await db.query(Customer).where(Customer.customer_id == "1") == [ADA] * 3
    assert [item async for item in db.scan(Customer)] == [ADA] * 3
    assert meter.statistics.upcast == {"Customer": 2}
    assert await db.batch_get(Key(Customer, "1")) == [ADA]
    assert await db.transact_get(Key(Customer, "1"), Key(Customer, "2")) == (ADA, None)
    assert await db.put(ADA, returns="old") == ADA
    assert await db.delete(Key(Customer, "1"), returns="old") == ADA
    await db.modify(Key(Tally, "t"), lambda _: None)
    assert db.statistics().upcast == {"Customer": 9, "Tally": 1}


async def test_counting_and_selecting_upcasts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A count reads no items; a selection of current ones asks for their version, and refuses old ones."""
    db, lane = opened(
        monkeypatch,
        answer(Count=2, ScannedCount=2),
        answer(Items=[NEW], Count=1, ScannedCount=1),
        answer(Items=[OLD], Count=1, ScannedCount=1),
        answer(Responses={"customers": [NEWER]}),
    )
    assert await db.scan(Customer).count() == 2
    assert await db.scan(Customer).select(Customer.name) == [("Ada",)]
    assert set(lane.bodies[1]["ExpressionAttributeNames"].values()) == {"customer_id", "name", "_schema"}
    with pytest.raises(DecodeError, match=r"is 1, not 2, and only some .*\(no select\(\)"):
        await db.scan(Customer).select(Customer.name)
    with pytest.raises(Exception, match="newer version of the program"):
        await db.batch_get(Key(Customer, "1")).select(Customer.age)
    assert "_schema" in lane.bodies[3]["RequestItems"]["customers"]["ExpressionAttributeNames"].values()
    assert db.statistics().upcast == {}


async def test_an_index_without_the_version_gives_whole_items_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its items are of cannot be told, so hydrate() is needed; one that holds the version says which are old."""
    db, _ = opened(
        monkeypatch,
        answer(Items=[{**KEY, "email": {"S": "a@b"}}], Count=1, ScannedCount=1),
        answer(Responses={"customers": [OLD]}),
        answer(Items=[{**NEW, "age": {"N": "3"}}], Count=1, ScannedCount=1),
        answer(Items=[{**KEY, "name": {"S": "Ada"}}], Count=1, ScannedCount=1),
    )
    query = db.query(Customer).where(Customer.email == "a@b")
    with pytest.raises(NoUsableIndex, match="does not hold"):
        await query
    with pytest.raises(UsageError, match=r"does not hold _schema, .* hydrate\(\)"):
        await query.using(Customer.by_email)
    with pytest.raises(UsageError, match="does not hold _schema"):
        await db.scan(Customer).using(Customer.by_email).select(Customer.email)
    assert await query.hydrate() == [ADA]
    assert db.statistics().upcast == {"Customer": 1}
    named = db.query(Customer).where(Customer.name == "Ada").using(Customer.by_name)
    assert (await named)[0].age == 3
    with pytest.raises(DecodeError, match="only some of the item's attributes"):
        await named


CONFLICTS = [
    (OLD, 1, ("has schema 1", "migrate the item first", "modify()")),
    (NEWER, 3, ("has schema 3", "up to 2", "newer version of the program")),
    ({**KEY, "_schema": {"S": "x"}}, None, ("has schema none that is known",)),
]


@pytest.mark.parametrize(("item", "found", "words"), CONFLICTS)
async def test_an_update_of_another_schema_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, item: Item, found: int | None, words: tuple[str, ...]
) -> None:
    """A SchemaConflict, with both versions and the item as far as it can be read."""
    db, _ = opened(monkeypatch, failed(item))
    with pytest.raises(SchemaConflict) as caught:
        await db.update(Key(Customer, "1"), Customer.age.add(1))
    assert (caught.value.expected, caught.value.found) == (2, found)
    assert caught.value.raw_item == item
    assert caught.value.item == (ADA if found == 1 else None)
    assert [word for word in words if word not in str(caught.value)] == []


async def test_the_callers_own_condition_fails_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the schema is the present one, it was not the schema that failed; nor where there is no item."""
    db, _ = opened(monkeypatch, failed(NEW), failed(NEW), failed(None))
    for upsert in (False, True):
        with pytest.raises(ConditionFailed, match="the condition did not hold") as caught:
            await db.update(Key(Customer, "1"), Customer.age.add(1), where=Customer.age > 9, upsert=upsert)
        assert type(caught.value) is ConditionFailed
    with pytest.raises(ConditionFailed, match="there is no Customer"):
        await db.update(Key(Customer, "1"), Customer.age.add(1))


async def test_a_save_that_came_second_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else migrated the item, or changed the old one; a model with a version() has a VersionConflict first."""
    db, _ = opened(
        monkeypatch,
        answer(Item=OLD),
        failed(NEW),
        failed({**OLD, "title": {"S": "Bob"}}),
        answer(Item=NEW),
        failed(OLD),
        answer(Item=TALLY),
        failed({"tally_id": {"S": "t"}, "n": {"N": "4"}, "revision": {"N": "2"}, "_schema": {"N": "2"}}),
    )
    ada = await db.get(Customer, "1")
    assert ada is not None
    with pytest.raises(SchemaConflict, match=r"has schema 2, since somebody else migrated it .* from schema 1"):
        await db.save(ada)
    with pytest.raises(ConditionFailed, match="changed by somebody else since this instance was read from schema 1"):
        await db.save(ada)
    current = await db.get(Customer, "1")
    assert current is not None
    current.age = 1
    with pytest.raises(SchemaConflict, match="has schema 1, but this instance was read from schema 2"):
        await db.save(current)
    tally = await db.get(Tally, "t")
    assert tally is not None
    with pytest.raises(VersionConflict):
        await db.save(tally)


async def test_a_transaction_says_which_operation_met_another_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the operation is the one that it would have had alone."""
    cancelled = TransactionCancelled("Transaction cancelled", operation="TransactWriteItems")
    cancelled.reasons = [{"Code": "ConditionalCheckFailed", "Item": OLD}, {"Code": "None"}]
    db, _ = opened(monkeypatch, cancelled)
    tx = db.transaction()
    tx.update(Key(Customer, "1"), Customer.age.add(1))
    tx.put(Customer(customer_id="2", name="Bob"))
    with pytest.raises(TransactionCancelled) as caught:
        await tx
    (failure,) = caught.value.failures
    assert failure.index == 0
    assert isinstance(failure.error, SchemaConflict)
    assert failure.error.item == ADA


async def test_modify_migrates(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads, changes and saves in the present form; an item that the function leaves alone is migrated all the same."""
    db, lane = opened(monkeypatch, answer(Item=TALLY), b"{}", answer(Item=TALLY))

    def add(tally: Tally) -> None:
        tally.n += 1

    tally = await db.modify(Key(Tally, "t"), add)
    assert (tally.n, tally.revision) == (5, 2)
    await db.modify(Key(Tally, "t"), lambda _: None)
    assert [request.operation for request in lane.requests] == ["GetItem", "UpdateItem"] * 2


async def test_an_old_item_among_the_arguments_of_a_batch_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every put, in the present form."""
    db, lane = opened(monkeypatch, answer(Item=OLD))
    ada = await db.get(Customer, "1")
    assert ada is not None
    async with db.batch_write() as batch:
        await batch.put(ada)
    (written,) = lane.bodies[1]["RequestItems"]["customers"]
    assert written["PutRequest"]["Item"]["_schema"] == {"N": "2"}
    assert await db.save(ada) is ada
    assert len(lane.requests) == 2
