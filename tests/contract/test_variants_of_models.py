"""Variants: reading a base gives each item as its own class, on every path; writing through the base is right for all."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    ConditionFailed,
    Database,
    DecodeError,
    ItemExists,
    Key,
    ServiceError,
    Table,
    attr,
    index,
    model,
    partition,
    partition_key,
    sort_key,
    version,
)
from tests.contract.differences import differs
from tests.contract.reading_models import connect
from tests.engines import Lane

pytestmark = pytest.mark.anyio


@model("payments", type="payment")
class Payment:
    account: Attr[str] = partition_key()
    payment_id: Attr[str] = sort_key()
    cents: Attr[int] = attr(default=0)
    status: Attr[str] = attr(default="open")
    revision: Attr[int] = version()

    by_status = index(partition="status", sort="payment_id", projection="keys_only")


@model(type="card")
class Card(Payment):
    last4: Attr[str]


@model(type="credit")
class CreditCard(Card):
    limit: Attr[int] = attr(default=100)


@model(type="bank")
class Bank(Payment):
    iban: Attr[str]


ledger = Table(
    "ledger",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk", projection=("_type", "book", "number", "reason"))],
)


@model(ledger, type="entry", pk="BOOK#{book}", sk="ENTRY#{number:06}", gsi1=("STATE#{state}", "{number:06}"))
class Entry:
    book: Attr[str]
    number: Attr[int]
    state: Attr[str] = attr(default="new")


@model(type="refund")
class Refund(Entry):
    reason: Attr[str]
    note: Attr[str] = attr(default="none")


@pytest.fixture
async def bank(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with the tables of this module, which all of its tests share: each uses keys of its own."""
    async with connect(endpoint, lane) as db:
        if (mark := f"{endpoint} payments") not in prepared:
            await db.tables.ensure(Payment, Entry)
            prepared.add(mark)
        yield db


async def four(db: Database) -> tuple[str, list[Payment]]:
    """One payment of every class, in an account of their own."""
    account = uuid.uuid4().hex
    items = [
        Payment(account=account, payment_id="a", status=account),
        Card(account=account, payment_id="b", status=account, last4="1111"),
        CreditCard(account=account, payment_id="c", status=account, last4="2222", limit=5),
        Bank(account=account, payment_id="d", status=account, iban="DE1"),
    ]
    for item in items:
        await db.create(item)
    return account, items


async def test_every_read_gives_each_item_as_its_own_class(bank: Database) -> None:
    """get, query, scan, batch_get, transact_get, hydrate and PartiQL agree; all that the variants have is there."""
    account, items = await four(bank)
    keys = [Key(Payment, account, item.payment_id) for item in items]
    query = bank.query(Payment).where(Payment.account == account)
    for key, item in zip(keys, items, strict=True):
        assert await bank.get(key) == item
    assert await query == items
    assert await query.page_size(1) == items
    assert [item async for item in query.page_size(3)] == items
    assert (await query.page(size=3)).items == items[:3]
    assert sorted(await bank.scan(Payment).where(Payment.account == account), key=lambda p: p.payment_id) == items
    assert await bank.batch_get(*keys) == items
    assert list(await bank.transact_get(*keys)) == items
    by_status = bank.query(Payment).where(Payment.status == account).using("by_status")
    assert await by_status.hydrate() == items
    assert await query.select(Payment.cents) == [(0,)] * 4


async def test_partiql_gives_each_item_as_its_own_class(bank: Database, engine: str) -> None:
    """A SELECT into the base, as a get or a query of it."""
    account, items = await four(bank)
    statement = f"SELECT * FROM {bank.partiql.table(Payment)} WHERE account = ?"
    read = bank.partiql.execute(statement, account, into=Payment)
    if differs(engine, "partiql"):
        with pytest.raises(ServiceError):
            await read
    else:
        assert await read == items


async def test_a_cursor_between_variants_goes_on(bank: Database) -> None:
    """Positions are made of items of every class."""
    account, items = await four(bank)
    query = bank.query(Payment).where(Payment.account == account)
    found: list[Payment] = []
    cursor = None
    while True:
        page = await query.page(size=1, cursor=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert found == items


async def test_a_partial_projection_gives_partial_variants(bank: Database) -> None:
    """What an index holds of a variant is there, or its keys tell; everything else is an AttributeError, not a default."""
    book = uuid.uuid4().hex
    await bank.create(Entry(book=book, number=1, state=book))
    await bank.create(Refund(book=book, number=2, state=book, reason="broken", note="sorry"))
    entry, refund = await bank.collection(partition(Entry, index="gsi1", state=book))
    assert [type(item).__mro__[1] for item in (entry, refund)] == [Entry, Refund]
    assert (entry.number, refund.number, refund.reason) == (1, 2, "broken")
    assert refund.state == book  # the index's key tells it
    with pytest.raises(AttributeError):
        _ = refund.note


async def test_writes_through_the_base_return_the_variant(bank: Database) -> None:
    """update, put, delete and modify give back the class that the item is of, and leave its own attributes alone."""
    account, _items = await four(bank)
    key = Key(Payment, account, "b")
    new = await bank.update(key, Payment.cents.set(7))
    assert isinstance(new, Card)
    assert (new.cents, new.last4) == (7, "1111")
    old = await bank.update(key, Payment.cents.add(1), returns="old")
    assert isinstance(old, Card)
    assert old.cents == 7

    def spend(item: Payment) -> None:
        item.cents = 1
        if isinstance(item, Card):
            item.last4 = "9999"

    modified = await bank.modify(key, spend)
    assert isinstance(modified, Card)
    read = await bank.get(Card, account, "b")
    assert read is not None
    assert (read.cents, read.last4) == (1, "9999")
    deleted = await bank.delete(Key(Payment, account, "d"), returns="old")
    assert isinstance(deleted, Bank)
    assert deleted.iban == "DE1"


async def test_conditions_on_what_a_variant_has(bank: Database) -> None:
    """A query of the base can ask for an attribute of a variant: other items do not have it."""
    account, items = await four(bank)
    query = bank.query(Payment).where(Payment.account == account)
    assert await query.where(Card.last4.begins_with("1")) == [items[1]]
    assert await query.where((Bank.iban == "DE1") | (CreditCard.limit > 3)) == items[2:]


async def test_the_item_in_an_error_is_of_its_own_class(bank: Database, engine: str) -> None:
    """ItemExists and ConditionFailed carry the card that was there, whatever was to be written."""
    account, items = await four(bank)
    there = None if differs(engine, "failed-condition-returns-item") else items[1]
    for unwelcome in (Payment(account=account, payment_id="b"), Bank(account=account, payment_id="b", iban="x")):
        with pytest.raises(ItemExists) as taken:
            await bank.create(unwelcome)
        assert taken.value.item == there
    with pytest.raises(ConditionFailed) as failed:
        await bank.update(Key(Payment, account, "b"), Payment.cents.set(1), where=Payment.cents > 5)
    assert failed.value.item == there


async def test_asking_for_a_variant(bank: Database) -> None:
    """A variant's own variants come along; an item of another class is refused, not read as what it is not."""
    account, items = await four(bank)
    assert await bank.get(Card, account, "b") == items[1]
    assert await bank.get(Card, account, "c") == items[2]
    for name in ("a", "d"):
        with pytest.raises(DecodeError, match="it is of another model"):
            await bank.get(Card, account, name)


async def test_variants_in_a_shared_table(bank: Database) -> None:
    """Key templates are the base's; the keys of an index are kept for variants by updates of instances."""
    book = uuid.uuid4().hex
    items = [Entry(book=book, number=1, state=book), Refund(book=book, number=2, state=book, reason="broken")]
    for item in items:
        await bank.create(item)
    assert await bank.get(Entry, book, 2) == items[1]
    assert await bank.batch_get(Key(Entry, book, 1), Key(Entry, book, 2)) == items
    assert list(await bank.transact_get(Key(Entry, book, 1), Key(Entry, book, 2))) == items
    assert [item async for item in bank.collection(ledger, f"BOOK#{book}")] == items
    assert [item.reason for item in await bank.collection(ledger, f"STATE#{book}", index="gsi1").of(Refund)] == [
        "broken"
    ]
