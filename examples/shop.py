"""A shop in one table: customers with addresses, their orders, the orders' items, and the stock.

Every question is one request, of one partition:

- a customer's page (profile, addresses, newest orders), the last orders, those of a day or a month: CUSTOMER#...
- an order with its items: ORDER#... in the index gsi1
- orders that are not delivered, by status, oldest first: STATUS#... in the index gsi2

Signing up, with an email address that nobody else has, and placing an order, with its items and the stock, are transactions.
Run it with `python examples/shop.py`; it starts the embedded engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

from dynamorm_async import (
    GSI,
    Attr,
    ConditionFailed,
    Database,
    Grouped,
    IndexKey,
    Key,
    NotUnique,
    Table,
    TransactionCancelled,
    attr,
    created_at,
    model,
    partition,
    unique,
    version,
)
from dynamorm_async.testing import MotoServer

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi2", "gsi2pk", "gsi2sk")],
)


class Status(Enum):
    PLACED = "placed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str] = attr()
    email: Attr[str] = attr()
    name: Attr[str] = attr()
    joined: Attr[datetime] = created_at()

    one_email = unique("email")


@model(shop, type="address", pk="CUSTOMER#{customer_id}", sk="PROFILE#ADDRESS#{label}")
class Address:
    customer_id: Attr[str] = attr()
    label: Attr[str] = attr()
    street: Attr[str] = attr()
    city: Attr[str] = attr()


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed}#{order_id}",
    gsi1=("ORDER#{order_id}", "ORDER"),
    gsi2=IndexKey("STATUS#{status}", "{placed}#{order_id}", when=lambda order: order.status != Status.DELIVERED),
)
class Order:
    customer_id: Attr[str] = attr()
    order_id: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    status: Attr[Status] = attr(default=Status.PLACED)
    total: Attr[Decimal] = attr()
    revision: Attr[int] = version()


@model(shop, type="order-item", pk="ORDER#{order_id}", sk="ITEM#{sku}", gsi1=("ORDER#{order_id}", "ITEM#{sku}"))
class OrderItem:
    order_id: Attr[str] = attr()
    sku: Attr[str] = attr()
    count: Attr[int] = attr()
    price: Attr[Decimal] = attr()


@model(shop, type="inventory", pk="PRODUCT#{sku}", sk="INVENTORY")
class Inventory:
    sku: Attr[str] = attr()
    price: Attr[Decimal] = attr()
    available: Attr[int] = attr(default=0)


class Refused(Exception):
    """An order that was not placed, or not shipped; nothing was written. The message is for the customer."""


def key_of(order: Order) -> Key[Order]:
    return Key(Order, customer_id=order.customer_id, placed=order.placed, order_id=order.order_id)


async def sign_up(db: Database, customer_id: str, *, email: str, name: str) -> Customer:
    return await db.create(Customer(customer_id=customer_id, email=email, name=name))  # NotUnique: the address is taken


async def customer_page(db: Database, customer_id: str, *, limit: int = 20) -> Grouped:
    """Profile and addresses sort after the orders, so backwards they come first, and then the newest orders."""
    mine = db.collection(partition(Customer, customer_id=customer_id)).of(Customer, Address, Order)
    return await mine.descending().limit(limit).grouped()


async def last_orders(db: Database, customer_id: str, *, limit: int = 10) -> list[Order]:
    return await db.query(Order).where(Order.customer_id == customer_id).descending().limit(limit)


async def orders_between(db: Database, customer_id: str, first: datetime, before: datetime) -> list[Order]:
    """A day or a month of orders, oldest first: one range of the sort key."""
    return await db.query(Order).where(Order.customer_id == customer_id, Order.placed >= first, Order.placed < before)


async def place_order(
    db: Database, customer_id: str, order_id: str, basket: Mapping[str, int], *, at: datetime
) -> Order:
    """The order, its items and the stock: all or nothing. The same request again, with its time, changes nothing more."""
    products = await db.batch_get(*(Key(Inventory, sku) for sku in basket))
    prices = {product.sku: product.price for product in products if product is not None}
    if unheard := [sku for sku in basket if sku not in prices]:
        raise Refused(f"we have no {', '.join(unheard)}")
    total = sum((prices[sku] * count for sku, count in basket.items()), Decimal(0))
    order = Order(customer_id=customer_id, order_id=order_id, placed=at, total=total)
    try:
        async with db.transaction(token=order_id, at=at) as tx:
            tx.check(Key(Customer, customer_id), Customer.email.exists())
            tx.create(order)
            for sku, count in basket.items():
                tx.create(OrderItem(order_id=order_id, sku=sku, count=count, price=prices[sku]))
                tx.update(Key(Inventory, sku), Inventory.available.add(-count), where=Inventory.available >= count)
    except TransactionCancelled as cancelled:
        if cancelled.retryable:  # contention, or too much at once: worth another try
            raise
        raise Refused("; ".join(reason(failure.error) for failure in cancelled.failures)) from cancelled
    return order


def reason(error: Exception) -> str:
    match error:
        case ConditionFailed(item=Inventory(sku=sku, available=available)):
            return f"only {available} of {sku} left"
        case ConditionFailed(item=Order(order_id=order_id)):
            return f"order {order_id} was placed before"
        case _:
            return str(error)


async def order_with_items(db: Database, order_id: str) -> tuple[Order, list[OrderItem]] | None:
    found = await db.collection(partition(Order, index="gsi1", order_id=order_id)).of(Order, OrderItem).grouped()
    return (found[Order][0], found[OrderItem]) if found[Order] else None


async def open_orders(db: Database, status: Status, *, limit: int = 25) -> list[Order]:
    """The oldest first. Delivered orders are in no index, and cost nothing here."""
    return await db.query(Order).where(Order.status == status).limit(limit)


async def move(db: Database, order: Order, status: Status) -> Order:
    """To another status, if nobody was faster. The index follows: the key of the order tells the rest of its keys."""
    try:
        return await db.update(key_of(order), Order.status.set(status), where=Order.status == order.status)
    except ConditionFailed as error:
        raise Refused(f"order {order.order_id} is {error.item.status.value if error.item else 'gone'}") from error


async def main() -> None:
    with MotoServer() as server:
        async with Database(region="eu-west-1", endpoint=server.endpoint, credentials=("local", "local")) as db:
            await db.tables.ensure(Customer, Address, Order, OrderItem, Inventory)
            await customers(db)
            await orders(db)


async def customers(db: Database) -> None:
    ada = await sign_up(db, "ada", email="ada@example.com", name="Ada")
    print(f"customer  {ada.name}, {ada.email}")
    try:
        await sign_up(db, "eve", email="ada@example.com", name="Eve")
    except NotUnique as error:
        print(f"refused   {' and '.join(error.attributes)} taken by {error.owner!r}")
    await db.put_many(
        [
            Address(customer_id="ada", label="home", street="12 St James's Square", city="London"),
            Address(customer_id="ada", label="work", street="1 rue d'Ulm", city="Paris"),
            Inventory(sku="pen", price=Decimal("1.50"), available=100),
            Inventory(sku="desk", price=Decimal("120.00"), available=1),
        ]
    )


async def orders(db: Database) -> None:
    start = datetime(2026, 1, 30, 12, tzinfo=UTC)
    for day, basket in enumerate([{"pen": 2}, {"pen": 10, "desk": 1}, {"pen": 1, "desk": 1}, {"ink": 1}]):
        try:
            order = await place_order(db, "ada", f"o{day}", basket, at=start + timedelta(days=day))
            print(f"placed    {order.order_id} of {order.placed:%d %B}: {order.total}")
        except Refused as refused:
            print(f"refused   {refused}")
    page = await customer_page(db, "ada")
    print(f"page      {page[Customer][0].name}; {show(page[Order])}; {', '.join(a.city for a in page[Address])}")
    print(f"last      {show(await last_orders(db, 'ada', limit=1))}")
    january = await orders_between(db, "ada", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    print(f"january   {show(january)}")
    if found := await order_with_items(db, "o1"):
        order, items = found
        print(f"order     {order.order_id}: {', '.join(f'{item.count} {item.sku}' for item in items)}")
        shipped = await move(db, order, Status.SHIPPED)
        print(
            f"open      {show(await open_orders(db, Status.PLACED))}; shipped: {show(await open_orders(db, Status.SHIPPED))}"
        )
        await move(db, shipped, Status.DELIVERED)
        print(f"delivered {show(await open_orders(db, Status.SHIPPED)) or 'none is under way'}")
        try:
            await move(db, order, Status.SHIPPED)
        except Refused as refused:
            print(f"refused   {refused}")


def show(orders: list[Order]) -> str:
    return ", ".join(order.order_id for order in orders)


if __name__ == "__main__":
    asyncio.run(main())
