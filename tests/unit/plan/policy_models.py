"""What the tests of policies are about: a table of one model with everything, and a table that models share."""

from __future__ import annotations

from datetime import datetime

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
    version,
)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str] = attr(default="x")
    age: Attr[int] = attr(default=0)
    expires: Attr[datetime | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    by_email = index(partition="email")
    by_age = index(sort="age", local=True)
    one_email = unique("email", name="e*?$")


@model(table="notes")
class Note:
    note_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")


SHOP = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi2", "gsi2pk"), LSI("lsi1", "total")],
    types={"total": "N"},
)


@model(SHOP, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE", gsi2="EMAIL#{email}")
class Customer:
    customer_id: Attr[str] = attr()
    email: Attr[str] = attr()

    one_email = unique("email")


@model(
    SHOP,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{order_id}",
    gsi1=IndexKey("STATUS#{status}", "{order_id}", when=lambda order: order.status != "closed"),
)
class Order:
    customer_id: Attr[str] = attr()
    order_id: Attr[str] = attr()
    status: Attr[str] = attr(default="open")


@model(type="big")
class BigOrder(Order):
    total: Attr[int] = attr(default=0)
