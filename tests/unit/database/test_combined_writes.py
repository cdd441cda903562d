"""What calls refuse before anything is sent, the same on every path: items, limits, arguments, and calls after the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
import pytest

from dynamorm_async import (
    Attr,
    Database,
    DatabaseClosed,
    InvalidKey,
    InvalidValue,
    ItemTooLarge,
    Key,
    Timeouts,
    UsageError,
    model,
    partition_key,
)
from tests.unit.database.combined_models import Kept, Plain
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio

Call: TypeAlias = Callable[[Database], Awaitable[object]]


@model(table="numbered")
class Numbered:
    number: Attr[Decimal] = partition_key()


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> RecordingLane:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return record(monkeypatch)


async def in_batch(db: Database, item: object) -> None:
    async with db.batch_write() as batch:
        await batch.put(item)


async def in_transaction(db: Database, item: object) -> None:
    async with db.transaction() as tx:
        tx.put(item)


async def created_in_transaction(db: Database, item: object) -> None:
    await db.transaction().create(item)


async def saved_in_transaction(db: Database, item: object) -> None:
    await db.transaction().save(item)


WAYS: dict[str, Callable[[Database, object], Awaitable[object]]] = {
    "create": lambda db, item: db.create(item),
    "put": lambda db, item: db.put(item),
    "save": lambda db, item: db.save(item),
    "put_many": lambda db, item: db.put_many([item]),
    "batch": in_batch,
    "put in a transaction": in_transaction,
    "create in a transaction": created_in_transaction,
    "save in a transaction": saved_in_transaction,
}


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value]
    return value


# --- limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_an_item_that_cannot_be_stored(lane: RecordingLane, way: str) -> None:
    """Too large, too deep, or with a key that DynamoDB does not take: the same error on every path, before any request."""
    wrong: list[tuple[object, type[Exception], str]] = [
        (Plain(plain_id="p", text="x" * 409_601), ItemTooLarge, "Plain: the item has 409,6"),
        (Kept(kept_id="k", text="x" * 409_601), ItemTooLarge, "Kept: the item has 409,6"),
        (Plain(plain_id="p", nested=nested(33)), InvalidValue, "32"),
        (Plain(plain_id=""), InvalidKey, "is empty, but it is the partition key"),
        (Plain(plain_id="x" * 2049), InvalidKey, "2,?048"),
        (Kept(kept_id="k", email="x" * 2048), InvalidKey, "too long to be kept unique"),
        (Numbered(number=Decimal("1" * 39)), InvalidValue, "38 significant digits"),
        (Numbered(number=Decimal("NaN")), InvalidValue, "NaN is not a number"),
    ]
    async with Database() as db:
        for item, kind, text in wrong:
            with pytest.raises(kind, match=text):
                await WAYS[way](db, item)
    assert lane.requests == []


async def test_as_many_operations_as_dynamodb_takes(lane: RecordingLane) -> None:
    """100 operations are a transaction, 101 are none; of 26 in a batch, 25 are one request; markers count as well."""
    async with Database() as db:
        items = [Plain(plain_id=str(n)) for n in range(101)]
        tx = db.transaction()
        for item in items[:100]:
            tx.put(item)
        with pytest.raises(UsageError, match="at most 100 operations"):
            tx.put(items[100])
        await db.put_many(items[:26])
        sizes = [len(body["RequestItems"]["plain"]) for body in lane.bodies]
        assert sorted(sizes) == [1, 25]
        lane.requests.clear()
        marked = db.transaction()
        for n in range(51):
            marked.create(Kept(kept_id=str(n), email=str(n)))
        with pytest.raises(UsageError, match="102 actions: 51 operations, and the markers"):
            await marked
        large = db.transaction()
        for n in range(11):
            large.put(Plain(plain_id=str(n), text="x" * 400_000))
        with pytest.raises(UsageError, match="4,194,304 in all"):
            await large
    assert lane.requests == []


async def test_a_batch_of_more_than_16_mb(lane: RecordingLane) -> None:
    """Is several requests, each of which DynamoDB takes."""
    async with Database(timeouts=Timeouts(call=60)) as db:
        await db.put_many(Plain(plain_id=str(n), text='"' * 400_000) for n in range(25))
    sizes = [len(msgspec.json.encode(body)) for body in lane.bodies]
    assert len(sizes) == 2
    assert max(sizes) <= 16 * 1024 * 1024
    assert sum(len(body["RequestItems"]["plain"]) for body in lane.bodies) == 25


# --- calls that cannot work ---------------------------------------------------------------------------


async def checked_by_text(db: Database) -> None:
    await db.transaction().check("p", Plain.text == "x")


def _any(value: object) -> Any:  # what a caller without types passes
    return value


WRONG: dict[str, tuple[Call, str]] = {
    "put returns": (
        lambda db: _any(db).put(Plain(plain_id="p"), returns="new"),
        r"put\(returns='new'\): it is one of 'none', 'old'",
    ),
    "delete returns": (
        lambda db: _any(db).delete(Key(Plain, "p"), returns="new"),
        r"delete\(returns='new'\): it is one of 'none', 'old'",
    ),
    "soft delete returns": (
        lambda db: _any(db).delete(Key(Kept, "k"), returns="updated_old"),
        r"delete\(returns='updated_old'\): it is one of 'none', 'old'",
    ),
    "modify without a function": (
        lambda db: db.modify(Key(Kept, "k"), _any(None)),
        r"modify\(\) takes a function that changes the item, got None",
    ),
    "delete of a text": (lambda db: db.delete("p"), r"expected a Key, or an instance of a model, got 'p'"),
    "restore of a text": (lambda db: db.restore("p"), r"expected a Key, or an instance of a model, got 'p'"),
    "check of a text": (checked_by_text, r"expected a Key, or an instance of a model, got 'p'"),
    "put of a Key": (lambda db: db.put(Key(Plain, "p")), r"expected an instance of a model, got Key\(Plain, 'p'\)"),
    "save of a Key": (lambda db: db.save(Key(Plain, "p")), r"expected an instance of a model, got Key\(Plain, 'p'\)"),
    "put of a list": (lambda db: db.put([Plain(plain_id="p")]), r"expected an instance of a model, got \[Plain"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_call_that_cannot_work(lane: RecordingLane, name: str) -> None:
    """It is a UsageError that says what to write, before any request."""
    call, text = WRONG[name]
    async with Database() as db:
        with pytest.raises(UsageError, match=text):
            await call(db)
    assert lane.requests == []


LATE: list[Call] = [
    lambda db: db.put(Plain(plain_id="p")),
    lambda db: db.create(Kept(kept_id="k", email="e")),
    lambda db: db.update(Key(Plain, "p"), Plain.text.set("x")),
    lambda db: db.modify(Key(Kept, "k"), _any(print)),
    lambda db: db.delete(Key(Kept, "k")),
    lambda db: db.restore(Key(Kept, "k")),
    lambda db: db.transaction().put(Plain(plain_id="p")),
    lambda db: db.batch_get(Key(Plain, "p")),
    lambda db: db.transact_get(Key(Plain, "p")),
    lambda db: db.put_many([Plain(plain_id="p")]),
    lambda db: db.partiql.execute("SELECT * FROM plain"),
]


@pytest.mark.parametrize("call", LATE)
async def test_calls_after_the_end(lane: RecordingLane, call: Call) -> None:
    """They raise DatabaseClosed, and send nothing."""
    db = Database()
    await db.put(Plain(plain_id="first"))
    await db.aclose()
    lane.requests.clear()
    with pytest.raises(DatabaseClosed):
        await call(db)
    assert lane.requests == []
