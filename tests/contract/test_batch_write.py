"""Batches: many puts and deletes over several tables, under the rules of single writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    BatchProgress,
    BatchReport,
    BatchWriteFailed,
    Database,
    Key,
    NotUnique,
    TableNotFound,
    VersionConflict,
    attr,
    created_at,
    deleted_at,
    model,
    partition_key,
    sort_key,
    ttl,
    unique,
    updated_at,
)
from tests.contract.models import PREFIX, Account, Address, Document, Event, Keeping, Kinds, changed, connect, raw_item
from tests.contract.models import unique as unique_key
from tests.engines import Lane, call

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FAR = datetime(2099, 1, 1, tzinfo=UTC)  # DynamoDB Local deletes what has expired


@model(table="stamped")
class Stamped:
    """Everything that the library itself keeps, but no version: it goes into BatchWriteItem."""

    key: Attr[Decimal] = partition_key()
    part: Attr[bytes] = sort_key()
    text: Attr[str] = attr(default="text")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    expires: Attr[datetime | None] = ttl(default=None)


@model(table="people")
class Person:
    name: Attr[str] = partition_key()
    email: Attr[str] = attr()

    one_email = unique("email")


@model(table="notes")
class Note:
    name: Attr[str] = partition_key()
    deleted: Attr[datetime | None] = deleted_at()


async def test_many_items_over_two_tables(store: Database) -> None:
    """More than a request holds, of two models in two tables; all can be read back, and deleted in the same way."""
    org, seen = unique_key(), list[BatchProgress]()
    accounts = [
        Account(
            org=org,
            user=f"u{n:02}",
            age=n,
            tags={"a", str(n)},
            address=Address(street="Elm", city="Rome"),
            photo=bytes([n]),
        )
        for n in range(40)
    ]
    words = [Keeping(pk=f"{org}-{n}", text="é" * (n + 1)) for n in range(30)]

    async def tell(progress: BatchProgress) -> None:
        seen.append(progress)

    async with store.batch_write(on_progress=tell) as batch:
        for account in accounts:
            await batch.put(account)
        for word in words:
            await batch.put(word)
    assert batch.report == BatchReport(written=70, replaced=0)
    assert max(progress.written for progress in seen) == 70
    assert await store.query(Account).where(Account.org == org).consistent() == accounts
    for word in words:
        assert await store.get(Keeping, word.pk, consistent=True) == word

    async with store.batch_write(concurrency=1) as batch:
        for account in accounts[:35]:
            await batch.delete(account)
        for word in words:
            await batch.delete(Key(Keeping, word.pk))
        await batch.delete(Key(Account, org, "nobody"))
    assert batch.report == BatchReport(written=66, replaced=0)
    assert await store.query(Account).where(Account.org == org).consistent() == accounts[35:]
    assert await store.get(Keeping, words[3].pk, consistent=True) is None


async def test_the_last_operation_on_an_item_wins(store: Database) -> None:
    """DynamoDB refuses a key twice in one request: the earlier operations are not sent."""
    stream = unique_key()
    await store.put(Event(stream=stream, seq=99))
    async with store.batch_write(concurrency=1) as batch:
        for n in range(60):
            await batch.put(Event(stream=stream, seq=n % 20, weight=n))
        await batch.delete(Key(Event, stream, 3))
        await batch.put(Event(stream=stream, seq=99, kind="last"))
        await batch.delete(Key(Event, stream, 99))
        await batch.put(Event(stream=stream, seq=98, kind="last"))
    assert batch.report.written + batch.report.replaced == 64
    assert (batch.report.unprocessed, batch.report.failed) == ((), ())
    found = await store.query(Event).where(Event.stream == stream).consistent()
    assert [(event.seq, event.weight) for event in found] == [(n, 40 + n) for n in range(20) if n != 3] + [(98, 0)]


async def test_every_kind_of_value_is_written_as_by_put(store: Database, endpoint: str) -> None:
    """The same item, attribute by attribute, whichever way it takes."""
    kinds = Kinds(
        pk=unique_key(),
        text="é\U0001f600",
        whole=-(10**37),
        exact=Decimal("1.50"),
        binary=b"\x00\xff",
        numbers={1, 2, 3},
        blobs=frozenset({b"a", b"\xff"}),
        table={"k": [Decimal("0.1")]},
        anything={"deep": [1, {"b": b"\x01"}, None, True]},
        small="much " * 100,
        expires=FAR,
    )
    await store.put(kinds)
    single = raw_item(endpoint, "kinds", {"pk": {"S": kinds.pk}})
    await store.delete(kinds)
    assert await store.put_many([kinds]) == BatchReport(written=1, replaced=0)
    assert raw_item(endpoint, "kinds", {"pk": {"S": kinds.pk}}) == single
    assert await store.get(Kinds, kinds.pk, consistent=True) == kinds


async def test_the_lifecycle_is_that_of_put(endpoint: str, lane: Lane) -> None:
    """created_at, updated_at and ttl: the same in the table and on the instance, at the first write and at later ones."""
    moment, prefix = NOW, f"{unique_key()}-"
    async with connect(endpoint, lane, clock=lambda: moment, prefix=prefix) as db:
        await db.tables.ensure(Stamped)
        single = Stamped(key=Decimal(1), part=b"\xff\x00", expires=FAR)
        batched = Stamped(key=Decimal(2), part=b"\xff\x00", expires=FAR)
        for moment in (NOW, LATER):
            await db.put(single)
            assert await db.put_many([batched]) == BatchReport(written=1, replaced=0)
            assert (batched.made, batched.changed) == (single.made, single.changed) == (NOW, moment)
            raw = [raw_of(endpoint, prefix, n) for n in (1, 2)]
            assert {**raw[0], "key": {"N": "2"}} == raw[1]
            assert await db.get(Stamped, Decimal(2), b"\xff\x00", consistent=True) == batched
        batched.text = "changed"
        await db.save(batched)  # it knows what the batch has written
        assert await db.get(Stamped, Decimal(2), b"\xff\x00", consistent=True) == batched


def raw_of(endpoint: str, prefix: str, number: int) -> dict[str, Any]:
    key = {"key": {"N": str(number)}, "part": {"B": "/wA="}}
    status, answer = call(endpoint, "GetItem", {"TableName": f"{prefix}stamped", "Key": key, "ConsistentRead": True})
    assert status == 200, answer
    item: dict[str, Any] = answer["Item"]
    return item


async def test_versioned_items_keep_their_rules(store: Database) -> None:
    """Each is written under its version; a stale one fails with the item that is there, and the others are written."""
    documents = [Document(doc_id=unique_key(), words=n) for n in range(8)]
    assert await store.put_many(documents, concurrency=2) == BatchReport(written=8, replaced=0)
    assert [document.revision for document in documents] == [1] * 8
    stale = changed(documents[0])
    async with store.batch_write() as batch:
        for document in documents:
            document.words += 100
            await batch.put(document)
            await batch.put(document)
    assert [document.revision for document in documents] == [3] * 8
    for document in documents:
        assert await store.get(Document, document.doc_id, consistent=True) == document

    fresh = Document(doc_id=unique_key())
    with pytest.raises(BatchWriteFailed) as caught:
        await store.put_many([stale, fresh, Account(org=unique_key(), user="u1")])
    report = caught.value.report
    assert (report.written, report.unprocessed) == (2, ())
    (failure,) = report.failed
    assert failure.operation.item is stale
    assert failure.operation.key == Key(Document, stale.doc_id)
    assert isinstance(failure.error, VersionConflict)
    assert caught.value.__cause__ is failure.error
    assert fresh.revision == 1

    async with store.batch_write() as batch:
        await batch.delete(documents[0])
        await batch.delete(Key(Document, documents[1].doc_id))
    for document in documents[:2]:
        assert await store.get(Document, document.doc_id, consistent=True) is None


async def test_unique_attributes_keep_their_rules(db: Database) -> None:
    """A value that is taken fails alone: models with unique attributes are written by transactions."""
    await db.tables.ensure(Person)
    people = [Person(name="ada", email="a@b.c"), Person(name="eve", email="e@b.c"), Person(name="bob", email="a@b.c")]
    with pytest.raises(BatchWriteFailed) as caught:
        await db.put_many(people, concurrency=1)
    report = caught.value.report
    assert report.written == 2
    (failure,) = report.failed
    assert isinstance(failure.error, NotUnique)
    assert failure.operation.key == Key(Person, "bob")
    async with db.batch_write() as batch:
        await batch.delete(people[0])
    assert await db.put_many(people[2:]) == BatchReport(written=1, replaced=0)


async def test_soft_deletes_keep_their_rules(db: Database) -> None:
    """An instance or a key is marked, what is not there or marked already is fine, and ``hard`` really deletes."""
    await db.tables.ensure(Note)
    notes = [Note(name=name) for name in ("a", "b", "c")]
    await db.put_many(notes)
    async with db.batch_write() as batch:
        await batch.delete(notes[0])
        await batch.delete(Key(Note, "b"))
        await batch.delete(Key(Note, "nobody"))
        await batch.delete(notes[2], hard=True)
    async with db.batch_write() as again:
        await again.delete(Key(Note, "a"))
    assert (batch.report.written, again.report.written) == (4, 1)
    for name, is_there in (("a", True), ("b", True), ("c", False), ("nobody", False)):
        assert await db.get(Note, name, consistent=True) is None
        hidden = await db.get(Note, name, consistent=True, hidden=True)
        assert (hidden is not None) == is_there
    assert notes[0].deleted is not None


async def test_a_missing_table_fails_the_batch(store: Database) -> None:
    """Nothing is lost silently: the report has every operation, and the cause says which table."""
    stamped = [Stamped(key=Decimal(n), part=b"x") for n in range(3)]
    with pytest.raises(BatchWriteFailed) as caught:
        await store.put_many(stamped)
    assert isinstance(caught.value.__cause__, TableNotFound)
    assert caught.value.table == f"{PREFIX}stamped"
    assert [operation.item for operation in caught.value.report.unprocessed] == stamped
    assert caught.value.report.written == 0


@pytest.mark.usefixtures("store")
async def test_capacity_is_measured(endpoint: str, lane: Lane) -> None:
    """What a batch consumes is counted, for each of its tables."""
    async with Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=("test", "test"),
        lane=lane,
        table_prefix=PREFIX,
        capacity="total",
    ) as db:
        with db.measure() as meter:
            await db.put_many([Account(org=unique_key(), user="u1"), Keeping(pk=unique_key())])
    assert meter.statistics.requests == {"BatchWriteItem": 1}
    assert dict(meter.statistics.capacity.tables) == {f"{PREFIX}accounts": 1.0, f"{PREFIX}open": 1.0}
    assert meter.statistics.capacity.write == 2.0
