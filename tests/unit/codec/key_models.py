"""A model with an attribute of each kind that a key template takes, and of some that it does not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

from dynamorm_async import Attr, attr, embedded, model, partition_key, ttl
from dynamorm_async.codec.components import Component, component
from dynamorm_async.codec.template import Template, parse_template
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import KeyTag

Cents = NewType("Cents", int)


class Status(Enum):
    OPEN = "open"
    ON_HOLD = "on hold"


class Level(Enum):
    LOW = 1
    HIGH = 12


class Mixed(Enum):
    TEXT = "1"
    NUMBER = 1


@embedded
class Address:
    city: Attr[str]


@model(table="orders")
class Order:
    customer: Attr[str] = partition_key(name="customer_id")
    placed: Attr[datetime] = attr()
    nick: Attr[str | None] = attr(default=None)
    status: Attr[Status] = attr(default=Status.OPEN)
    size: Attr[Literal["s", "m", "x#l"]] = attr(default="s")
    seq: Attr[int] = attr(default=1)
    cents: Attr[Cents | None] = attr(default=None)
    level: Attr[Level] = attr(default=Level.LOW)
    price: Attr[Annotated[Decimal, "in euro"]] = attr(default=Decimal(0))
    weight: Attr[float] = attr(default=0.0)
    took: Attr[timedelta] = attr(default=timedelta(0))
    day: Attr[date] = attr(default=date(2026, 1, 2))
    ident: Attr[UUID] = attr(default=UUID(int=7))
    paid: Attr[bool] = attr(default=False)
    digest: Attr[bytes] = attr(default=b"")
    expires: Attr[datetime | None] = ttl(default=None)
    # What no template takes.
    tags: Attr[set[str]] = attr(factory=set)
    lines: Attr[list[str]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)
    either: Attr[int | str] = attr(default=0)
    mixed: Attr[Mixed] = attr(default=Mixed.TEXT)
    anything: Attr[Any] = attr(default=None)
    note: Attr[str] = attr(default="", as_json=True)
    text: Attr[str] = attr(default="", compressed=True)


LAYOUT = spec_of(Order).codec.layout
WHERE = "Order: pk"


def part(name: str, form: str = "") -> Component:
    """A component of the model."""
    member = LAYOUT.member(name)
    assert member is not None
    return component("Order", member, form, where=WHERE)


def template(text: str, tag: KeyTag = "S") -> Template:
    """A template of the model."""
    return parse_template(text, "pk", tag, LAYOUT, where=WHERE)
