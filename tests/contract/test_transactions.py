"""Transactions: all or nothing, with a reason for each operation that failed, and the lifecycle of the item calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynamorm_async import (
    ConditionFailed,
    Database,
    IdempotentParameterMismatch,
    ItemExists,
    ItemNotFound,
    Key,
    TableNotFound,
    Transaction,
    TransactionCancelled,
    ValidationFailed,
    VersionConflict,
)
from tests.contract.differences import differs
from tests.contract.models import Account, Document, changed, connect, raw_item, unique
from tests.contract.writing_models import PREFIX, Purse, members
from tests.engines import Lane, call

__all__ = ["members"]  # a fixture

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(hours=1)


async def purses(db: Database, *balances: int) -> list[Key[Purse]]:
    """New purses, in order."""
    made = [await db.create(Purse(purse_id=unique(), balance=balance)) for balance in balances]
    return [Key(Purse, purse.purse_id) for purse in made]


async def balances(db: Database, *keys: Key[Purse]) -> list[int | None]:
    found: list[int | None] = []
    for key in keys:
        purse = await db.get(key, consistent=True)
        found.append(None if purse is None else purse.balance)
    return found


async def test_every_operation(members: Database) -> None:
    """create, put, update, save, delete and check in one transaction, over items of one table."""
    update, save, delete, check = await purses(members, 1, 2, 3, 4)
    new, put = Purse(purse_id=unique(), balance=5), Purse(purse_id=unique(), balance=6)
    saved = await members.get(save, consistent=True)
    assert saved is not None
    saved.holder = "Ada"
    async with members.transaction() as tx:
        tx.create(new).put(put).update(update, Purse.balance.add(10), where=Purse.balance == 1)
        tx.save(saved).delete(delete, where=Purse.balance == 3).check(check, Purse.balance == 4)
    assert await balances(members, update, save, delete, check) == [11, 2, None, 4]
    assert await members.get(Purse, new.purse_id, consistent=True) == new
    assert await members.get(Purse, put.purse_id, consistent=True) == put
    assert await members.get(save, consistent=True) == saved


async def test_all_or_nothing(members: Database) -> None:
    """One failed condition, and nothing is written: not before it, not after it (flaw D15)."""
    one, two, three = await purses(members, 1, 2, 3)
    with pytest.raises(TransactionCancelled) as caught:  # noqa: PT012 - the block's end raises
        async with members.transaction() as tx:
            tx.update(one, Purse.balance.add(10))
            tx.update(two, Purse.balance.add(10), where=Purse.balance > 2)
            tx.delete(three)
    assert await balances(members, one, two, three) == [1, 2, 3]
    (failure,) = caught.value.failures
    assert (failure.index, type(failure.error)) == (1, ConditionFailed)
    assert "operation 2, update of Purse(" in str(caught.value)


async def test_over_several_tables(members: Database, store: Database) -> None:
    """Of several models; the prefix is the database's."""
    assert store is not members
    org = unique()
    one = Account(org=org, user="u1")
    document = Document(doc_id=unique())
    async with store.transaction() as tx:
        tx.create(one).create(document)
    assert await store.get(Account, org, "u1", consistent=True) == one
    assert await store.get(Document, document.doc_id, consistent=True) == document
    with pytest.raises(TransactionCancelled):
        await store.transaction().delete(Key(Account, org, "u1")).create(Document(doc_id=document.doc_id))
    assert await store.get(Account, org, "u1", consistent=True) == one


async def test_each_failure_has_its_error_and_its_item(store: Database) -> None:
    """A taken key, a missing item, a stale version, a condition and a check, each at its place (flaw D13)."""
    taken = await store.create(Document(doc_id=unique(), words=1))
    stale = await store.create(Document(doc_id=unique()))
    await store.update(Key(Document, stale.doc_id), Document.words.set(5))
    account = await store.create(Account(org=unique(), user="u1", age=30))
    key = Key(Account, account.org, "u1")
    with pytest.raises(TransactionCancelled) as caught:  # noqa: PT012 - the block's end raises
        async with store.transaction() as tx:
            tx.create(Account(org=unique(), user="u1"))
            tx.create(Document(doc_id=taken.doc_id))
            tx.update(Key(Document, unique()), Document.words.add(1))
            tx.put(changed(stale, text="mine"))
            tx.check(key, Account.age > 30)
            tx.delete(Key(Account, unique(), "u1"))
    failures = caught.value.failures
    assert [failure.index for failure in failures] == [1, 2, 3, 4]
    kinds = [type(failure.error) for failure in failures]
    assert kinds == [ItemExists, ItemNotFound, VersionConflict, ConditionFailed]
    exists, _missing, conflict, condition = (failure.error for failure in failures)
    assert isinstance(exists, ItemExists)
    assert exists.item == taken
    assert isinstance(conflict, VersionConflict)
    assert (conflict.expected, conflict.found) == (1, 2)
    assert isinstance(condition, ConditionFailed)
    assert condition.item == account
    assert stale.revision == 1


async def test_a_repeated_transaction_is_applied_once(members: Database, engine: str) -> None:
    """Under the caller's token; other operations under it are refused, and not applied."""
    if differs(engine, "transaction-token"):
        return
    (key,) = await purses(members, 0)
    for _ in range(3):
        await members.transaction(token=f"{unique()[:16]}-a").update(key, Purse.balance.add(1))
    token = unique()
    for _ in range(3):
        await members.transaction(token=token).update(key, Purse.balance.add(10))
    assert await balances(members, key) == [13]
    with pytest.raises(IdempotentParameterMismatch):
        await members.transaction(token=token).update(key, Purse.balance.add(11))
    assert await balances(members, key) == [13]


async def test_a_repeated_create_is_the_same_with_its_time(
    store: Database, endpoint: str, lane: Lane, engine: str
) -> None:
    """``at=`` makes a repeated transaction equal to the byte; without it the clock makes it another one."""
    if differs(engine, "transaction-token"):
        return
    moment = START
    async with connect(endpoint, lane, clock=lambda: moment) as db:
        doc_id, token = unique(), unique()
        for hours in range(2):
            moment = START + timedelta(hours=hours)
            await db.transaction(token=token, at=START).create(Document(doc_id=doc_id))
        with pytest.raises(IdempotentParameterMismatch):
            await db.transaction(token=token).create(Document(doc_id=doc_id))
    found = await store.get(Document, doc_id, consistent=True)
    assert found is not None
    assert (found.made, found.changed, found.revision) == (START, START, 1)


async def test_as_many_as_the_engine_takes(members: Database, engine: str) -> None:
    """A hundred operations are one transaction."""
    count = 10 if differs(engine, "transaction-of-100") else 100
    made = [Purse(purse_id=unique(), balance=n) for n in range(count)]
    async with members.transaction() as tx:
        for purse in made:
            tx.create(purse)
    assert await balances(members, *(Key(Purse, purse.purse_id) for purse in made)) == list(range(count))
    with pytest.raises(TransactionCancelled) as caught:  # noqa: PT012 - the block's end raises
        async with members.transaction() as tx:
            for purse in made[:-1]:
                tx.update(Key(Purse, purse.purse_id), Purse.balance.add(1000))
            tx.create(Purse(purse_id=made[-1].purse_id))
    assert [failure.index for failure in caught.value.failures] == [count - 1]
    assert await balances(members, Key(Purse, made[0].purse_id)) == [0]


async def test_what_dynamodb_refuses_writes_nothing(members: Database, db: Database, endpoint: str) -> None:
    """A missing table, and a change that does not fit what is there, come through as what they are."""
    with pytest.raises(TableNotFound):
        await db.transaction().create(Purse(purse_id=unique()))
    key, text = (await purses(members, 1))[0], Key(Purse, unique())
    wrong = {"purse_id": {"S": text.values[0]}, "balance": {"S": "text"}}
    assert call(endpoint, "PutItem", {"TableName": f"{PREFIX}purses", "Item": wrong})[0] == 200
    with pytest.raises((TransactionCancelled, ValidationFailed)) as caught:
        await members.transaction().update(key, Purse.balance.add(5)).update(text, Purse.balance.add(5))
    if isinstance(caught.value, TransactionCancelled):
        assert [(one.index, type(one.error)) for one in caught.value.failures] == [(1, ValidationFailed)]
    assert await balances(members, key) == [1]


async def test_save_in_a_transaction(store: Database) -> None:
    """Only what changed is written, under the version; the next save continues from there."""
    document = await store.create(Document(doc_id=unique()))
    await store.update(Key(Document, document.doc_id), Document.words.set(0))
    there = await store.get(Document, document.doc_id, consistent=True)
    assert there is not None
    there.text = "one"
    await store.transaction().save(there)
    assert there.revision == 3
    there.text = "two"
    await store.save(there)
    assert await store.get(Document, document.doc_id, consistent=True) == there
    assert there.revision == 4


Step = tuple[str, Callable[[Database, Document], Awaitable[object]], Callable[[Transaction, Document], Transaction]]
STEPS: list[Step] = [
    ("create", lambda db, item: db.create(item), lambda tx, item: tx.create(item)),
    ("put of a new one", lambda db, item: db.put(item), lambda tx, item: tx.put(item)),
    ("save of a new one", lambda db, item: db.save(item), lambda tx, item: tx.save(item)),
    (
        "upsert",
        lambda db, item: db.update(Key(Document, item.doc_id), Document.words.add(2), upsert=True),
        lambda tx, item: tx.update(Key(Document, item.doc_id), Document.words.add(2), upsert=True),
    ),
]
NEXT: list[Step] = [
    ("put", lambda db, item: db.put(changed(item, words=7)), lambda tx, item: tx.put(changed(item, words=7))),
    ("save", lambda db, item: db.save(changed(item, words=7)), lambda tx, item: tx.save(changed(item, words=7))),
    (
        "update",
        lambda db, item: db.update(Key(Document, item.doc_id), Document.words.set(7), Document.expires.set(LATER)),
        lambda tx, item: tx.update(Key(Document, item.doc_id), Document.words.set(7), Document.expires.set(LATER)),
    ),
    ("delete", lambda db, item: db.delete(item), lambda tx, item: tx.delete(item)),
]


async def test_the_lifecycle_is_that_of_the_item_calls(store: Database, endpoint: str, lane: Lane) -> None:
    """Times, version and time to live: what a transaction leaves in the table is what the same call leaves (flaw D14)."""
    moment = START
    async with connect(endpoint, lane, clock=lambda: moment) as db:
        for first, first_alone, first_together in STEPS:
            for second, second_alone, second_together in NEXT:
                ids = unique(), unique()
                left: list[list[Any]] = [[], []]
                for number, doc_id in enumerate(ids):
                    moment = START
                    item = Document(doc_id=doc_id, expires=LATER)
                    await (first_together(db.transaction(), item) if number else first_alone(db, item))
                    left[number] += [raw_item(endpoint, "documents", {"doc_id": {"S": doc_id}}), shown(item)]
                    moment = LATER
                    there = await store.get(Document, doc_id, consistent=True)
                    assert there is not None
                    await (second_together(db.transaction(), there) if number else second_alone(db, there))
                    left[number].append(raw_item(endpoint, "documents", {"doc_id": {"S": doc_id}}))
                alone, together = left
                assert without_id(alone) == without_id(together), (first, second)


def shown(item: Document) -> dict[str, object]:
    """What the instance has afterwards."""
    return {"made": item.made, "changed": item.changed, "revision": item.revision, "doc_id": ""}


def without_id(items: list[Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "doc_id"} for item in items]
