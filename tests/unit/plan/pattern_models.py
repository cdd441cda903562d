"""What the tests of access patterns are about: models with plain keys, and a table that models share."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    IndexKey,
    Table,
    attr,
    deleted_at,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    unique,
)


class Kind(Enum):
    A = "a"


@model(table="papers", hide_expired=True)
class Paper:
    """Hides items, has types of many kinds, and an attribute with the name of a variable of the examples."""

    db: Attr[bytes] = partition_key()
    written: Attr[datetime] = sort_key()
    day: Attr[date] = attr()
    kind: Attr[Kind] = attr(default=Kind.A, name="k")
    pages: Attr[int] = attr(default=1)
    price: Attr[Decimal] = attr(default=Decimal(1))
    note: Attr[str | None] = attr(default=None)
    expires: Attr[datetime | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at()

    by_pages = index(sort="pages", local=True, name="pages-lsi")
    by_kind = index(partition="kind", sort="written")
    by_note = index(partition="note", sort="price", projection="keys_only")
    by_deletion = index(partition="kind", sort="deleted", projection=["day"])
    by_day = index(partition=("kind", "day"), sort=("price", "pages"), projection=["expires", "deleted"])

    one_day = unique("day", "kind")


@model(table="cards")
class Card:
    card_id: Attr[str] = partition_key()


@model(table="payments", type="payment")
class Payment:
    payment_id: Attr[str] = partition_key()
    payer: Attr[str] = attr(default="x")
    last4: Attr[str | None] = attr(default=None)

    by_payer = index(partition="payer")


@model(type="card")
class CardPayment(Payment):
    holder: Attr[str] = attr(default="x")


SHOP = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("gsi2", "gsi2pk", "gsi2sk", projection="keys_only"),
        LSI("by_total", "total"),
    ],
    types={"total": "N"},
)


@model(SHOP, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE", gsi1=("EMAIL#{email:lower}", "PROFILE"))
class Customer:
    customer_id: Attr[str] = attr()
    email: Attr[str] = attr()

    one_email = unique("email")


@model(SHOP, type="address", pk="CUSTOMER#{owner}", sk="ADDRESS#{owner}#{label:lower}")
class Address:
    owner: Attr[str] = attr()
    label: Attr[str] = attr()


@model(
    SHOP,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed:%Y-%m-%d}#{order_id}",
    gsi1=IndexKey("STATUS#{status}", "{placed}", when=lambda order: order.status != "a|b"),
    gsi2=("ORDER#{order_id}", "ITEM"),
)
class Order:
    customer_id: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    order_id: Attr[str] = attr()
    status: Attr[str] = attr(default="open")
    total: Attr[Decimal | None] = attr(default=None)


@model(SHOP, type="line", pk="ORDER#{order_id}", sk="{number:04}", gsi1=("STATUS#{status}", "{number:04}"))
class Line:
    order_id: Attr[str] = attr()
    number: Attr[int] = attr()
    status: Attr[str] = attr(default="open")


@model(SHOP, type="setting", pk="SETTINGS", sk="SETTINGS")
class Setting:
    text: Attr[str] = attr(default="")


PLAIN = (Card, Paper, Payment)
TEMPLATED = (Address, Customer, Line, Order, Setting)
