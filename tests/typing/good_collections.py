"""Collections and variants that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from typing import Any, assert_type

from dynamorm_async import (
    GSI,
    Attr,
    Collection,
    Database,
    Explanation,
    Grouped,
    ItemStream,
    Key,
    Page,
    Partition,
    Table,
    UnknownItem,
    attr,
    model,
    partition,
)

shop = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str]
    email: Attr[str] = attr(default="")


@model(shop, type="order", pk="CUSTOMER#{customer_id}", sk="ORDER#{number:06}", gsi1=("STATUS#{status}", "{number:06}"))
class Order:
    customer_id: Attr[str]
    number: Attr[int]
    status: Attr[str] = attr(default="open")


@model(shop, type="payment", pk="CUSTOMER#{customer_id}", sk="PAY#{payment_id}")
class Payment:
    customer_id: Attr[str]
    payment_id: Attr[str]


@model(type="card")
class Card(Payment):
    last4: Attr[str]


def unsent() -> None:
    """Builders keep the types of their models."""
    db = Database(region="eu-west-1", credentials=("a", "b"))
    everything = db.collection(shop, "CUSTOMER#42")
    assert_type(everything, Collection[Any])
    assert_type(db.collection(shop, "STATUS#open", index="gsi1"), Collection[Any])
    place = partition(Order, index="gsi1", status="open")
    assert_type(place, Partition)
    assert_type(db.collection(place), Collection[Any])
    assert_type(everything.of(Customer), Collection[Customer])
    some = everything.of(Customer, Order)
    assert_type(some, Collection[Customer | Order])
    assert_type(everything.of(Customer, Order, Payment), Collection[Customer | Order | Payment])
    assert_type(everything.of(Customer, Order, Payment, Card), Collection[Customer | Order | Payment | Card])
    narrowed = some.begins_with("ORDER#").descending().limit(3).page_size(2).consistent().prefetch(False).with_hidden()
    assert_type(narrowed, Collection[Customer | Order])
    assert_type(some.between("A", "B").after("cursor"), Collection[Customer | Order])
    assert_type(some.unknown("raise"), Collection[Customer | Order])
    assert_type(some.unknown("skip"), Collection[Customer | Order])
    assert_type(some.unknown("raw"), Collection[Customer | Order | UnknownItem])
    assert_type(some.stream(), ItemStream[Customer | Order])
    assert_type(some.explain(), Explanation)


async def results(db: Database) -> None:
    some = db.collection(shop, "CUSTOMER#42").of(Customer, Order)
    assert_type(await some, list[Customer | Order])
    assert_type(await some.first(), Customer | Order | None)
    assert_type(await some.one(), Customer | Order)
    assert_type(await some.count(), int)
    assert_type(await some.page(size=3, cursor=None), Page[Customer | Order])
    async for page in some.pages():
        assert_type(page.items, list[Customer | Order])
    async for item in some:
        if isinstance(item, Order):
            assert_type(item.number, int)
        else:
            assert_type(item.email, str)
    async for other in some.unknown("raw"):
        match other:
            case Customer():
                assert_type(other.email, str)
            case Order():
                assert_type(other.number, int)
            case UnknownItem():
                assert_type(other.type, str | None)


async def groups(db: Database) -> None:
    found = await db.collection(shop, "CUSTOMER#42").grouped()
    assert_type(found, Grouped)
    assert_type(found[Customer], list[Customer])
    assert_type(found[Customer][0].email, str)
    assert_type([order.number for order in found[Order]], list[int])
    assert_type(found.unknown, list[UnknownItem])
    for each in found:
        assert_type(each, type[Any])


async def variants(db: Database) -> None:
    payment = await db.get(Payment, "42", "p1")
    assert_type(payment, Payment | None)
    if isinstance(payment, Card):
        assert_type(payment.last4, str)
    async for found in db.query(Payment).where(Payment.customer_id == "42", Card.last4 == "1111"):
        assert_type(found, Payment)
    assert_type(await db.update(Key(Card, "42", "p1"), Card.last4.set("2222")), Card)
    await db.put(Card(customer_id="42", payment_id="p1", last4="1111"))
