"""Single-table design that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, assert_never, assert_type

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    Collection,
    Database,
    Grouped,
    IndexKey,
    Key,
    Query,
    Table,
    UnknownItem,
    attr,
    model,
    partition,
    sort_key,
    version,
)


class Status(Enum):
    OPEN = "open"
    CLOSED = "closed"


shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi-2", "gsi2pk"), LSI("lsi1", "lsi1sk")],
    discriminator="kind",
)


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE", lsi1="{email}", keys={"gsi-2": "{email}"})
class Customer:
    customer_id: Attr[str] = attr()
    email: Attr[str] = attr()


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed:%Y-%m-%d}#{order_id}",
    gsi1=IndexKey("STATUS#{status}", "{placed}", when=lambda order: order.status != Status.CLOSED),
)
class Order:
    customer_id: Attr[str] = attr()
    order_id: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    status: Attr[Status] = attr(default=Status.OPEN)
    revision: Attr[int] = version()


@model(shop, type="payment", pk="CUSTOMER#{customer_id}", sk="PAYMENT#{number:08}", gsi1=("PAYMENTS", "{number:08}"))
class Payment:
    customer_id: Attr[str] = attr()
    number: Attr[int] = attr()
    amount: Attr[Decimal] = attr(default=Decimal(0))


@model(type="card")
class CardPayment(Payment):
    last4: Attr[str] = attr()


@model(shop, type="event", pk="EVENTS")
class Event:
    sk: Attr[datetime] = sort_key()


def declarations() -> None:
    placed = datetime(2026, 1, 1, tzinfo=UTC)
    order = Order(customer_id="42", order_id="o7", placed=placed)
    assert_type(order.placed, datetime)
    assert_type(Key(Order, "42", placed, "o7"), Key[Order])
    assert_type(Key(Order, customer_id="42", placed=placed, order_id="o7"), Key[Order])
    card = CardPayment(customer_id="42", number=1, last4="4242")
    payment: Payment = card
    assert_type(card.amount, Decimal)
    assert payment is card
    assert Event(sk=placed).sk is placed
    assert Customer(customer_id="42", email="ada@example.com").email.endswith(".com")


async def one_model(db: Database, placed: datetime) -> None:
    query = db.query(Order).where(Order.customer_id == "42", Order.placed >= placed)
    assert_type(query, Query[Order])
    assert_type(await query, list[Order])
    assert_type(await db.get(Order, "42", placed, "o7"), Order | None)
    changed = await db.update(
        Key(Order, "42", placed, "o7"), Order.status.set(Status.CLOSED), where=Order.placed == placed
    )
    assert_type(changed, Order)


async def variants(db: Database) -> None:
    assert_type(await db.query(Payment).where(Payment.customer_id == "42"), list[Payment])
    assert_type(await db.query(CardPayment).where(CardPayment.customer_id == "42"), list[CardPayment])
    for payment in await db.query(Payment).where(Payment.customer_id == "42", Payment.number.between(1, 9)):
        if isinstance(payment, CardPayment):
            assert_type(payment.last4, str)


async def narrowing(db: Database) -> None:
    mine = db.collection(partition(Customer, customer_id="42")).of(Customer, Order)
    assert_type(mine, Collection[Customer | Order])
    async for item in mine:
        if isinstance(item, Order):
            assert_type(item, Order)
            assert_type(item.placed, datetime)
        else:
            assert_type(item, Customer)
            assert_type(item.email, str)
    for item in await mine.descending().limit(10):
        match item:
            case Customer(email=email):
                assert_type(email, str)
            case Order(order_id=order_id):
                assert_type(order_id, str)
            case _:
                assert_never(item)
    assert_type(await mine.first(), Customer | Order | None)


async def groups(db: Database) -> None:
    grouped = await db.collection(shop, "CUSTOMER#42").of(Customer, Order, Payment).grouped()
    assert_type(grouped, Grouped)
    assert_type(grouped[Order], list[Order])
    assert_type(grouped[Customer][0].email, str)
    assert_type(grouped[CardPayment], list[CardPayment])


async def unknown(db: Database) -> None:
    whole = db.collection(partition(Order, index="gsi1", status=Status.OPEN))
    assert_type(whole, Collection[Any])
    some = whole.of(Order).unknown("raw")
    assert_type(some, Collection[Order | UnknownItem])
    assert_type(whole.of(Order).unknown("skip"), Collection[Order])
    for item in await some:
        if isinstance(item, UnknownItem):
            assert_type(item.type, str | None)
        else:
            assert_type(item.order_id, str)


def unsent() -> None:
    db = Database(region="eu-west-1")
    five = db.collection(shop, "CUSTOMER#42").of(Customer, Order, Payment, CardPayment, Event)
    assert_type(five, Collection[Customer | Order | Payment | CardPayment | Event])
    assert_type(five.begins_with("ORDER#").consistent(), Collection[Customer | Order | Payment | CardPayment | Event])
    assert_type(five.between("ORDER#2026", "ORDER#2027").descending().of(Order), Collection[Order])
