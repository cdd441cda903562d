"""The builder of collections: what it refuses, what it shows, and what becomes of each item."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Collection,
    Database,
    DecodeError,
    Table,
    UnknownItem,
    UnrecognizedItem,
    UsageError,
    attr,
    deleted_at,
    model,
    partition,
)
from tests.property.collection_models import Bank, Card, CreditCard, Customer, Order, Payment, Visit, raw_item, shop
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def page(*items: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"Items": items, "ScannedCount": len(items), **more}).encode()


def raw(sort: str, kind: str | None, **more: Any) -> dict[str, Any]:
    tag = {} if kind is None else {"_type": {"S": kind}}
    return {"pk": {"S": "CUSTOMER#42"}, "sk": {"S": sort}, **tag, **more}


def everything(db: Database) -> Collection[Any]:
    return db.collection(shop, "CUSTOMER#42")


async def test_each_item_is_of_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is around it, base or variant; and the components that only the key tells are there."""
    lane = record(monkeypatch, page(raw("PAY#a", "card", last4={"S": "1"}), raw("ORDER#000007", "order")))
    async with Database() as db:
        assert await everything(db) == [
            Card(customer_id="42", payment_id="a", last4="1"),
            Order(customer_id="42", number=7),
        ]
    assert len(lane.requests) == 1


async def test_an_item_without_a_type_is_told_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is of the model whose templates make such a key, of a base rather than of a variant."""
    record(monkeypatch, page(raw("PAY#a", None), raw("PROFILE", None)))
    async with Database() as db:
        assert await everything(db) == [Payment(customer_id="42", payment_id="a"), Customer(customer_id="42")]


@pytest.mark.parametrize(
    ("item", "type_", "says"),
    [
        (raw("INVOICE#1", "invoice"), "invoice", "_type: is 'invoice', and the models of the table have 'customer'"),
        (raw("INVOICE#1", None), None, "_type: is missing, and no template makes such a key"),
        (raw("PROFILE", None, _type={"N": "1"}), None, "_type: is missing"),
    ],
)
async def test_an_item_of_no_model_is_told(
    monkeypatch: pytest.MonkeyPatch, item: dict[str, Any], type_: str | None, says: str
) -> None:
    """The error names table, key and type, and the ways out; it is a DecodeError, too."""
    record(monkeypatch, *[page(item)] * 3)
    async with Database() as db:
        with pytest.raises(UnrecognizedItem) as error:
            await everything(db)
        (stranger,) = await everything(db).unknown("raw")
        assert await everything(db).unknown("skip") == []
    assert isinstance(error.value, DecodeError)
    assert (error.value.type, error.value.model) == (type_, "shop")
    assert error.value.key == {"pk": "CUSTOMER#42", "sk": item["sk"]["S"]}
    assert says in str(error.value)
    assert 'unknown("skip")' in str(error.value)
    assert isinstance(stranger, UnknownItem)
    assert (stranger.type, stranger.attributes) == (type_, item)
    assert stranger.key == {name: item[name] for name in ("pk", "sk")}


async def test_an_item_that_does_not_fit_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is no unknown item: skip does not pass over it."""
    record(monkeypatch, page(raw("PAY#a", "card")))
    async with Database() as db:
        with pytest.raises(DecodeError, match=r"does not fit model Card:\n  last4: is missing") as error:
            await everything(db).unknown("skip")
    assert not isinstance(error.value, UnrecognizedItem)


async def test_hidden_items_of_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soft-deleted orders and expired visits; they need not even fit their models to be left out."""
    items = [
        raw_item(Order(customer_id="42", number=1, deleted=NOW)),
        raw("ORDER#000002", "order", deleted={"S": "2026-01-01T00:00:00.000000Z"}, photo={"N": "1"}),
        raw_item(Visit(customer_id="42", visit_id="a", expires=int(NOW.timestamp()))),
        raw_item(Visit(customer_id="42", visit_id="b", expires=int(NOW.timestamp()) + 1)),
    ]
    record(monkeypatch, *[page(*items)] * 2, page(items[0]))
    async with Database(clock=lambda: NOW) as db:
        assert [item.visit_id for item in await everything(db)] == ["b"]
        assert await everything(db).count() == 1
        assert [item.deleted for item in await everything(db).with_hidden()] == [NOW]


async def test_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list for each model, variants under their base as well; strangers apart."""
    items: list[Payment] = [
        Card(customer_id="42", payment_id="a", last4="1"),
        CreditCard(customer_id="42", payment_id="b", last4="2"),
        Bank(customer_id="42", payment_id="c", iban="DE"),
    ]
    answer = page(*(raw_item(item) for item in items), raw("Z", "invoice"))
    record(monkeypatch, answer, page())
    async with Database() as db:
        groups = await everything(db).unknown("raw").grouped()
        nothing = await everything(db).of(Order).grouped()
    assert (groups[Payment], groups[Card], groups[CreditCard]) == (items, items[:2], items[1:2])
    assert groups[Order] == []
    assert [each.__name__ for each in groups] == ["Card", "CreditCard", "Bank"]
    assert (Payment in groups, Order in groups, str in groups, len(groups)) == (True, False, False, 3)
    assert [item.type for item in groups.unknown] == ["invoice"]
    assert repr(groups) == "<Grouped Card: 1, CreditCard: 1, Bank: 1, unknown: 1>"
    assert repr(groups.unknown[0]) == "<UnknownItem pk='CUSTOMER#42', sk='Z' of type 'invoice'>"
    assert (list(nothing), repr(nothing)) == ([], "<Grouped nothing>")
    with pytest.raises(UsageError, match="the collection does not read Customer; it reads Order"):
        assert nothing[Customer]
    with pytest.raises(UsageError, match="is not a model"):
        assert groups[str]


def test_what_the_builder_refuses() -> None:
    """Before anything is sent."""
    some: Any = everything(Database())  # a caller without a type checker
    calls: list[tuple[Callable[[], object], str]] = [
        (some.of, "of() without models"),
        (lambda: some.of(str), "is not a model"),
        (lambda: some.unknown("skip").of(Order), "of() after unknown()"),
        (lambda: some.unknown("drop"), "it is 'raise', 'skip' or 'raw'"),
        (lambda: some.limit(0), "limit(0)"),
        (lambda: some.begins_with("A").begins_with("B"), "has a condition already"),
    ]
    for wrong, says in calls:
        with pytest.raises(UsageError) as error:
            wrong()
        assert says in str(error.value)


def test_a_dropped_collection_warns() -> None:
    """One that was never awaited, as of a forgotten await; not one that was made another of, or explained."""
    db = Database()
    with pytest.warns(RuntimeWarning, match=r"the collection pk='CUSTOMER#42' of shop was never awaited"):
        everything(db).of(Order)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        everything(db).descending().explain()


def test_a_collection_explains_itself() -> None:
    """The request, its cost, and what is left out."""
    db = Database(table_prefix="t-")
    shown = db.collection(partition(Order, index="gsi1", town="Bonn")).of(Order, Visit)
    explained = shown.explain()
    assert explained.target == "index gsi1"
    assert explained.requests[0]["TableName"] == "t-shop"
    assert explained.leaves_out == ("soft-deleted items (deleted)", "expired items (expires)")
    assert "with_hidden() returns them" in str(explained)
    assert shown.with_hidden().explain().leaves_out == ()
    assert repr(shown) == "<Collection gsi1pk='TOWN#Bonn' of shop, index gsi1>"


async def test_a_table_without_a_discriminator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys tell the models apart; what is not asked for is passed over, what no template makes is unknown."""
    untyped = Table("untyped", partition_key="pk", sort_key="sk", discriminator=None)

    @model(untyped, pk="P#{name}", sk="PROFILE")
    class Person:
        name: Attr[str]
        gone: Attr[datetime | None] = deleted_at()

    @model(untyped, pk="P#{name}", sk="PET#{number:04}")
    class Pet:
        name: Attr[str]
        number: Attr[int]
        legs: Attr[int] = attr(default=4)

    items = [{"pk": {"S": "P#a"}, "sk": {"S": sort}} for sort in ("PET#0001", "PET#one", "PROFILE")]
    record(monkeypatch, *[page(*items)] * 6)
    async with Database() as db:
        whole = db.collection(untyped, "P#a")
        with pytest.raises(UnrecognizedItem, match="the type: is missing, and no template makes such a key"):
            await whole
        assert await whole.unknown("skip") == [Pet(name="a", number=1), Person(name="a")]
        assert await whole.of(Person).unknown("skip") == [Person(name="a")]
        with pytest.raises(UnrecognizedItem):
            await whole.of(Person)
        assert await whole.unknown("raw").count() == 3
        assert await whole.of(Pet).unknown("skip").count() == 1


async def test_positions_in_an_index_that_a_model_knows_nothing_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item can be in an index by attributes that its model has not: the cursor is made of the item as it stands."""
    item = raw("PROFILE", "customer", gsi1pk={"S": "TOWN#x"}, gsi1sk={"S": "s"})
    visit = raw("VISIT#v", "visit", gsi1pk={"S": "TOWN#x"}, gsi1sk={"S": "t"})
    lane = record(monkeypatch, page(visit, item), page())
    async with Database() as db:
        read = db.collection(shop, "TOWN#x", index="gsi1")
        first = await read.page(size=1)
        await read.page(size=1, cursor=first.cursor)
    assert first.items == [Visit(customer_id="42", visit_id="v")]
    assert lane.bodies[1]["ExclusiveStartKey"] == {name: visit[name] for name in ("pk", "sk", "gsi1pk", "gsi1sk")}
