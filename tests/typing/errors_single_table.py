"""Mistakes in single-table design: each marked line is reported by the checkers that it names, and no other line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dynamorm_async import GSI, Attr, Database, IndexKey, Key, Table, attr, model, partition

shop = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str] = attr()
    email: Attr[str] = attr()


@model(shop, type="order", pk="CUSTOMER#{customer_id}", sk="ORDER#{placed}", gsi1=("STATUS#{status}", "{placed}"))
class Order:
    customer_id: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    status: Attr[str] = attr(default="open")


@model(type="gift")
class Gift(Order):
    wrapping: Attr[str] = attr(default="paper")


def takes(*_values: object) -> None: ...


def decorators() -> None:
    model(shop, pk=3)  # error: mypy pyright
    model(shop, gsi1=("A", 3))  # error: mypy pyright
    model(shop, type=Order)  # error: mypy pyright
    model(shop, keys={"gsi1": 3})  # error: mypy pyright
    model(shop, gsi1=IndexKey("A", "B", when=True))  # error: mypy pyright
    model(shop, gsi1=IndexKey("A", "B", lambda order: order.status == "open"))  # error: mypy pyright
    model(shop, gsi1=IndexKey(partition=1, sort="B"))  # error: mypy pyright
    model(3, pk="A")  # error: mypy pyright
    Table("shop", partition_key="pk", discriminator=3)  # error: mypy pyright
    Table("shop", partition_key="pk", types={"pk": "X"})  # error: mypy pyright


def when_of_a_function() -> IndexKey:
    def is_open(order: Any) -> bool:
        return bool(order)

    return IndexKey("A", "B", when=is_open)  # error: mypy pyright


def instances(placed: datetime) -> None:
    Order(customer_id="42")  # error: mypy pyright
    Order(customer_id=42, placed=placed)  # error: mypy pyright
    Order(pk="CUSTOMER#42", sk="ORDER#1")  # error: mypy pyright
    order = Order(customer_id="42", placed=placed)
    takes(order.pk)  # error: mypy pyright
    takes(order.wrapping)  # error: mypy pyright
    gift: Gift = order  # error: mypy pyright
    takes(gift, Order.pk)  # error: mypy pyright


def queries(db: Database) -> None:
    takes(Order.placed >= "2026-01-31")  # error: mypy pyright
    takes(Order.customer_id < 42)  # error: mypy pyright
    db.query(Order).where(Order.sk == "ORDER#1")  # error: mypy pyright
    db.query("order").where()  # error: mypy pyright
    text: str = Key(Order, "42").model  # error: mypy pyright
    takes(text)


async def collections(db: Database) -> None:
    db.collection(shop)  # error: mypy pyright
    db.collection(Customer, "42")  # error: mypy pyright
    db.collection("shop", "CUSTOMER#42")  # error: mypy pyright
    db.collection(partition(Customer, customer_id="42"), index="gsi1")  # error: mypy pyright
    db.collection(shop, "CUSTOMER#42").of("customer")  # error: mypy pyright
    db.collection(shop, "CUSTOMER#42").unknown("ignore")  # error: mypy pyright
    db.collection(shop, "CUSTOMER#42").where(Order.status == "open")  # error: mypy pyright
    partition("order", customer_id="42")  # error: mypy pyright
    mine = db.collection(shop, "CUSTOMER#42").of(Customer, Order)
    for item in await mine:
        item.customer_id.upper()
        takes(item.placed)  # error: mypy pyright
        if isinstance(item, Order):
            takes(item.email)  # error: mypy pyright
            takes(item.wrapping)  # error: mypy pyright
    first: Order | None = await mine.first()  # error: mypy pyright
    takes(first)
    for found in await mine.unknown("raw"):
        takes(found.customer_id)  # error: mypy pyright
    grouped = await mine.grouped()
    takes(grouped[Customer][0].placed)  # error: mypy pyright
    grouped["order"]  # error: mypy pyright
