"""Items in files against the engines: what was exported is what is there again after the import, to the last attribute."""

from __future__ import annotations

import gzip
import io
import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Database,
    DecryptError,
    ImportFailed,
    Key,
    LocalKeyring,
    NotUnique,
    attr,
    created_at,
    deleted_at,
    encrypted,
    model,
    partition_key,
    sort_key,
    unique,
    updated_at,
    version,
)
from dynamorm_async.transfer import ImportResult, export_items, import_items
from dynamorm_async.transfer.results import Format
from examples.shop import Address, Customer, Order, Status, shop
from tests.canaries import KEYS
from tests.contract.models import Kinds, Point
from tests.engines import Lane, call

pytestmark = pytest.mark.anyio

FORMATS: tuple[Format, ...] = ("dynamodb", "json")
FAR = datetime(2099, 1, 1, tzinfo=UTC)  # DynamoDB Local deletes what has expired


@model("notes")
class Note:
    """Everything that the library itself keeps."""

    book: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    text: Attr[str] = attr(default="text")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


@model("people")
class Person:
    name: Attr[str] = partition_key()
    email: Attr[str] = attr()

    one_email = unique("email")


@model("cards")
class Card:
    card_id: Attr[str] = partition_key()
    number: Attr[str] = encrypted()


def everything(endpoint: str, table: str) -> list[dict[str, Any]]:
    """All items of a table, read without this library, in the order of their JSON."""
    found: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        status, answer = call(endpoint, "Scan", {"TableName": table, "ConsistentRead": True, **start})
        assert status == 200, answer
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return sorted(found, key=lambda item: json.dumps(item, sort_keys=True))
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def kinds(n: int) -> Kinds:
    return Kinds(
        pk=f"k{n}",
        text="é\n\u2028\U0001f600" * n or None,
        whole=-(10**37) + n,
        real=0.1 * n,
        exact=Decimal("1.50") * n,
        flag=bool(n % 2),
        binary=bytes([n % 256, 255]),
        at=FAR,
        numbers={n, -n, 10**30},
        blobs=frozenset({b"a", bytes([n % 256])}),
        table={"k": [Decimal("0.1")]},
        point=Point(x=n),
        anything={"$deep": [1, {"b": b"\x01"}, None, True, Decimal("1E-100")]},
        as_text={"a": [n]},
        small="much " * 100,
        expires=FAR,
    )


async def test_every_kind_of_value_comes_back(db: Database, endpoint: str, tmp_path: Path) -> None:
    """Exported to gzipped files of both formats, imported over other items: the same ones, attribute by attribute."""
    await db.tables.create(Kinds)
    await db.put_many(kinds(n) for n in range(1, 27))
    before = everything(endpoint, db.tables.name(Kinds))
    for format in FORMATS:  # noqa: A001 - what it is called
        path = tmp_path / f"{format}.gz"
        exported = await export_items(db, Kinds, path, format=format, consistent=True)
        assert exported.items == 26
        assert len(gzip.decompress(path.read_bytes())) == exported.size
        await db.put_many(Kinds(pk=f"k{n}") for n in range(1, 27))
        assert (await import_items(db, Kinds, path)).written == 26
        assert everything(endpoint, db.tables.name(Kinds)) == before
    assert await db.get(Kinds, "k7", consistent=True) == kinds(7)


async def test_the_lifecycle_survives(db: Database, endpoint: str) -> None:
    """Versions, times and soft-deleted items are what they were; a later save goes on from there."""
    await db.tables.create(Note)
    notes = [await db.create(Note(book="b", number=n)) for n in range(3)]
    notes[1].text = "changed"
    await db.save(notes[1])
    await db.delete(notes[2])
    before = everything(endpoint, db.tables.name(Note))
    file = io.BytesIO()
    await export_items(db, Note, file, format="json", consistent=True)
    for note in notes[:2]:
        await db.delete(note, hard=True)
    assert (await import_items(db, Note, io.BytesIO(file.getvalue()))).written == 3
    assert everything(endpoint, db.tables.name(Note)) == before
    restored = await db.get(Note, "b", 1, consistent=True)
    assert restored is not None
    assert restored == notes[1]
    restored.text = "again"
    await db.save(restored)
    assert restored.revision == 3


async def test_a_shared_table_comes_back_whole(db: Database, endpoint: str) -> None:
    """All models of the table, with the keys that templates make, in both formats; a query of one model finds its part."""
    await db.tables.ensure(Customer)
    await db.create(Customer(customer_id="ada", email="ada@example.com", name="Ada"))
    for n in range(5):
        placed = datetime(2026, 1, n + 1, tzinfo=UTC)
        await db.create(
            Order(customer_id="ada", order_id=f"o{n}", placed=placed, status=Status.PLACED, total=Decimal(n))
        )
    await db.create(Address(customer_id="ada", label="home", street="1 rue", city="Paris"))
    table = db.tables.name(shop)
    before = everything(endpoint, table)
    for format in FORMATS:  # noqa: A001 - what it is called
        file, orders = io.BytesIO(), io.BytesIO()
        await export_items(db, shop, file, format=format, consistent=True, segments=3)
        some = (
            db.query(Order)
            .where(Order.customer_id == "ada", Order.placed >= datetime(2026, 1, 3, tzinfo=UTC))
            .consistent()
        )
        assert (await export_items(db, some, orders, format=format)).items == 3
        await db.tables.delete(shop)
        await db.tables.create(shop)
        assert (await import_items(db, shop, io.BytesIO(file.getvalue()), mode="new")).failures == ()
        assert everything(endpoint, table) == before
        assert (await import_items(db, Order, io.BytesIO(orders.getvalue()), mode="new")).existing == 3


async def test_new_items_are_told_from_those_that_are_there(db: Database, endpoint: str) -> None:
    """What is there stays as it is; of unique values the markers come with the items, and guard them from then on."""
    await db.tables.create(Person)
    await db.create(Person(name="ada", email="ada@x.org"))
    await db.create(Person(name="bob", email="bob@x.org"))
    file = io.BytesIO()
    await export_items(db, Person, file, consistent=True)
    await db.delete(Key(Person, "ada"))
    await db.create(Person(name="eve", email="eve@x.org"))
    lines = [
        *file.getvalue().splitlines(),
        json.dumps({"Item": {"name": {"S": "mal"}, "email": {"S": "eve@x.org"}}}).encode(),
    ]
    result = await import_items(db, Person, io.BytesIO(b"\r\n".join(lines)), mode="new", on_error="collect")
    assert (result.written, result.existing) == (1, 1)
    assert [(failure.line, type(failure.error)) for failure in result.failures] == [(3, NotUnique)]
    assert [item["name"]["S"] for item in everything(endpoint, db.tables.name(Person))] == ["ada", "bob", "eve"]
    with pytest.raises(NotUnique):
        await db.create(Person(name="mallory", email="ada@x.org"))


async def test_an_import_that_stopped_goes_on(db: Database, endpoint: str) -> None:
    """A line that DynamoDB refuses among good ones: they are written, and the import goes on behind it."""
    await db.tables.create(Note)
    good = [{"book": {"S": "b"}, "number": {"N": str(n)}} for n in range(60)]
    bad = {"book": {"S": ""}, "number": {"N": "7"}}
    lines = [json.dumps({"Item": item}).encode() for item in (*good[:30], bad, *good[30:])]
    with pytest.raises(ImportFailed) as failed:
        await import_items(db, Note, io.BytesIO(b"\n".join(lines)))
    assert failed.value.result.next_line == 31
    result = await import_items(db, Note, io.BytesIO(b"\n".join(lines)), start_at=failed.value.result.next_line + 1)
    assert result == ImportResult(written=30, next_line=62)
    assert len(everything(endpoint, db.tables.name(Note))) == 60


async def test_ciphertexts_go_home_only(endpoint: str, lane: Lane) -> None:
    """As they are stored they are read in their own table alone; in the clear they go anywhere, and are encrypted there."""
    keyring = LocalKeyring({"one": bytes(range(32))})
    here, there = (
        Database(
            endpoint=endpoint,
            region="eu-west-1",
            credentials=KEYS,
            lane=lane,
            table_prefix=f"t{uuid.uuid4().hex[:12]}-",
            keys=keyring,
        )
        for _ in range(2)
    )
    async with here, there:
        await here.tables.create(Card)
        await there.tables.create(Card)
        await here.create(Card(card_id="c1", number="4000-1234"))
        stored, plain = io.BytesIO(), io.BytesIO()
        await export_items(here, Card, stored, consistent=True)
        await export_items(here, Card, plain, format="json", decrypt=True, consistent=True)
        assert b"4000-1234" not in stored.getvalue()
        await here.delete(Key(Card, "c1"))
        await import_items(here, Card, io.BytesIO(stored.getvalue()))
        assert await here.get(Card, "c1", consistent=True) == Card(card_id="c1", number="4000-1234")
        await import_items(there, Card, io.BytesIO(stored.getvalue()))
        with pytest.raises(DecryptError):
            await there.get(Card, "c1", consistent=True)
        await import_items(there, Card, io.BytesIO(plain.getvalue()))
        assert await there.get(Card, "c1", consistent=True) == Card(card_id="c1", number="4000-1234")
        assert b"4000-1234" not in json.dumps(everything(endpoint, there.tables.name(Card))).encode()
