"""A shared table with a customer, orders, payments of several kinds and what other programs wrote; for the tests of collections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dynamorm_async import (
    GSI,
    Attr,
    Table,
    attr,
    deleted_at,
    model,
    ttl,
)
from dynamorm_async.model.spec import spec_of

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    ttl="expires",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("keys", "gsi1pk", "sk", projection="keys_only")],
)


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE", gsi1=("TOWN#{town}", "CUSTOMER#{customer_id}"))
class Customer:
    customer_id: Attr[str]
    email: Attr[str] = attr(default="")
    town: Attr[str] = attr(default="Bonn")


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{number:06}",
    gsi1=("TOWN#{town}", "ORDER#{number:06}"),
)
class Order:
    customer_id: Attr[str]
    number: Attr[int]
    town: Attr[str | None] = attr(default=None)
    photo: Attr[bytes | None] = attr(default=None)
    deleted: Attr[datetime | None] = deleted_at()


@model(shop, type="payment", pk="CUSTOMER#{customer_id}", sk="PAY#{payment_id}")
class Payment:
    customer_id: Attr[str]
    payment_id: Attr[str]
    cents: Attr[int] = attr(default=0)


@model(type="card")
class Card(Payment):
    last4: Attr[str]


@model(type="credit")
class CreditCard(Card):
    limit: Attr[int] = attr(default=0)


@model(type="bank")
class Bank(Payment):
    iban: Attr[str]


@model(shop, type="visit", pk="CUSTOMER#{customer_id}", sk="VISIT#{visit_id}", hide_expired=True)
class Visit:
    customer_id: Attr[str]
    visit_id: Attr[str]
    expires: Attr[int] = ttl(default=2**32)


NOW = datetime(2026, 1, 2, tzinfo=UTC)
MODELS = (Customer, Order, Payment, Card, CreditCard, Bank, Visit)


def raw_item(item: object) -> dict[str, Any]:
    """An instance as DynamoDB has it, its keys and its type among the attributes."""
    spec = spec_of(type(item))
    assert spec.derived is not None
    encoded = dict(spec.codec.encode(item))
    return {**encoded, **spec.derived.of(encoded)}
