"""One mistake in collections a line, each with the checkers that must report it; no other line may be reported."""

from __future__ import annotations

from dynamorm_async import GSI, Attr, Collection, Database, Table, attr, model, partition

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


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def builders(db: Database) -> None:
    db.collection("shop", "CUSTOMER#42")  # error: mypy pyright
    db.collection(shop)  # error: mypy pyright
    db.collection(Customer, "42")  # error: mypy pyright
    db.collection(shop, None)  # error: mypy pyright
    db.collection(shop, 1.5)  # error: mypy pyright
    db.collection(shop, "CUSTOMER#42", "gsi1")  # error: mypy pyright
    db.collection(partition(Customer, customer_id="42"), "42")  # error: mypy pyright
    db.collection(partition(Customer, customer_id="42"), index="gsi1")  # error: mypy pyright
    partition("Customer", customer_id="42")  # error: mypy pyright
    partition(Customer, "42")  # error: mypy pyright
    everything = db.collection(shop, "CUSTOMER#42")
    everything.of()  # error: mypy pyright
    everything.of("Customer")  # error: mypy pyright
    everything.of([Customer, Order])  # error: mypy pyright
    everything.where(Order.number == 3)  # error: mypy pyright
    everything.begins_with(3)  # error: mypy pyright
    everything.between("A")  # error: mypy pyright
    everything.between(None, "B")  # error: mypy pyright
    everything.unknown("drop")  # error: mypy pyright
    everything.unknown()  # error: mypy pyright
    everything.using("gsi1")  # error: mypy pyright
    everything.allow_scan()  # error: mypy pyright
    everything.limit("x")  # error: mypy pyright
    orders: Collection[Order] = everything.of(Customer, Order)  # error: mypy pyright
    takes(orders)


async def results(db: Database) -> None:
    some = db.collection(shop, "CUSTOMER#42").of(Customer, Order)
    only: list[Order] = await some  # error: mypy pyright
    first: Order = await some.first()  # error: mypy pyright
    takes(only, first)
    takes((await some)[0].number)  # error: mypy pyright
    async for item in some:
        takes(item.email)  # error: mypy pyright
        if isinstance(item, Order):
            takes(item.email)  # error: mypy pyright
    async for other in some.unknown("raw"):
        takes(other.customer_id)  # error: mypy pyright
    for _ in some:  # error: mypy pyright
        takes(some)
    await some.page(size="x")  # error: mypy pyright
    await some.page(cursor=3)  # error: mypy pyright


async def groups(db: Database) -> None:
    found = await db.collection(shop, "CUSTOMER#42").grouped()
    takes(found["Customer"])  # error: mypy pyright
    takes(found[Customer].email)  # error: mypy pyright
    takes(found[Customer][0].number)  # error: mypy pyright
    takes(found[Order]["x"])  # error: mypy pyright
    orders: list[Order] = found[Customer]  # error: mypy pyright
    found[Customer] = []  # error: mypy pyright
    takes(orders, found.unknown[0].email)  # error: mypy pyright
