"""``partition``: the partition of attributes, rendered as writes render it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    InvalidKey,
    Partition,
    Table,
    UsageError,
    attr,
    index,
    model,
    partition,
    partition_key,
)
from dynamorm_async.model.partition import key_value
from dynamorm_async.model.table import KeyPart

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk"), GSI("gsi2", "gsi2pk"), GSI("many", ("tenant", "town"))],
)


@model(shop, type="order", pk="CUSTOMER#{customer_id}", sk="ORDER#{number:06}", gsi1="STATUS#{status}")
class Order:
    customer_id: Attr[str]
    number: Attr[int]
    status: Attr[str | None] = attr(default=None)
    tenant: Attr[str] = attr(default="t")
    town: Attr[str] = attr(default="Bonn")


@model(shop, type="settings", pk="SETTINGS", sk="{name}")
class Settings:
    name: Attr[str]


@model("devices")
class Device:
    number: Attr[int] = partition_key(name="n")
    blob: Attr[bytes] = attr(default=b"x")

    by_blob = index(partition="blob")


def test_a_template_is_rendered_with_escaping() -> None:
    """No value can lead into another partition."""
    assert partition(Order, customer_id="42") == Partition(shop, None, {"pk": {"S": "CUSTOMER#42"}})
    escaped = partition(Order, customer_id="4#2").key["pk"]["S"]
    assert escaped.startswith("CUSTOMER#4")
    assert escaped.count("#") == 1
    assert partition(Settings).key == {"pk": {"S": "SETTINGS"}}


def test_the_partition_of_an_index() -> None:
    """By its name or by the index of a model; of templates, plain attributes, and several attributes."""
    assert partition(Order, index="gsi1", status="open").key == {"gsi1pk": {"S": "STATUS#open"}}
    many = partition(Order, index="many", town="Porto", tenant="u")
    assert (many.index, many.key) == (shop.index("many"), {"tenant": {"S": "u"}, "town": {"S": "Porto"}})
    assert partition(Device, index=Device.by_blob, blob=b"\x00").key == {"blob": {"B": b"\x00"}}
    assert partition(Device, number=3).key == {"n": {"N": "3"}}


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (
            lambda: partition(Order),
            InvalidKey,
            "the partition key of Order is made of customer_id: give customer_id a value",
        ),
        (lambda: partition(Order, index="many", town="x"), InvalidKey, "made of tenant and town: give tenant a value"),
        (lambda: partition(Order, customer_id="4", number=3), InvalidKey, "number is not of it"),
        (
            lambda: partition(Settings, name="x"),
            InvalidKey,
            "made of nothing: it is the same for all; name is not of it",
        ),
        (lambda: partition(Order, customer_id=4), InvalidKey, "Order.customer_id"),
        (lambda: partition(Order, customer_id=None), InvalidKey, "give customer_id a value"),
        (lambda: partition(Order, customer_id="x" * 3000), InvalidKey, "DynamoDB allows 2048"),
        (lambda: partition(Device, number="3"), InvalidKey, "Device.number"),
        (
            lambda: partition(Order, index="nope", status="x"),
            UsageError,
            "has no index 'nope'; it has gsi1, gsi2, many",
        ),
        (
            lambda: partition(Order, index="gsi2"),
            UsageError,
            "index gsi2 of shop holds no Order: the model has neither an attribute nor a template for gsi2pk",
        ),
        (lambda: partition(str), UsageError, "is not a model"),
    ],
)
def test_what_is_no_partition(make: Callable[[], Partition], kind: type[UsageError], says: str) -> None:
    """Refused with what is missing, or what is wrong."""
    with pytest.raises(kind, match=re.escape(says)):
        make()


@pytest.mark.parametrize(
    ("tag", "value", "stored"),
    [("S", "a", {"S": "a"}), ("N", 3, {"N": "3"}), ("N", Decimal("1.5"), {"N": "1.5"}), ("B", b"\x00", {"B": b"\x00"})],
)
def test_a_key_value_as_it_is_stored(tag: str, value: object, stored: dict[str, object]) -> None:
    """Text, numbers and bytes, each in its own kind of attribute only."""
    for wanted in ("S", "N", "B"):
        part = KeyPart("pk", wanted)
        if wanted == tag:
            assert key_value(part, value, kind="partition", where="here") == stored
        else:
            with pytest.raises(InvalidKey, match="here: the partition key attribute pk takes"):
                key_value(part, value, kind="partition", where="here")


@pytest.mark.parametrize("value", ["", "x" * 2049, True, None, 1.5, Decimal("NaN"), 10**40 + 1])
def test_what_no_key_can_be(value: object) -> None:
    """Empty, too long, no number that DynamoDB stores, or none of the types."""
    part = KeyPart("pk", "S" if isinstance(value, str) else "N")
    with pytest.raises(InvalidKey, match="here: "):
        key_value(part, value, kind="partition", where="here")
