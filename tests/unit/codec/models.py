"""Models for the tests of the codec. At module level, so that their instances pickle."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from dynamorm_async import Attr, attr, embedded, model, partition_key, sort_key


@embedded
class Address:
    street: Attr[str]
    city: Attr[str] = attr(name="town")


def upper(unit: str) -> str:
    return unit.upper()


@attrs.define
class Money:
    amount: Decimal = attrs.field(validator=attrs.validators.ge(Decimal(0)))
    unit: str = attrs.field(default="EUR", validator=attrs.validators.instance_of(str), converter=upper)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[int] = sort_key(name="id")
    age: Attr[int] = attr(default=0)
    score: Attr[Decimal] = attr(default=Decimal(0))
    active: Attr[bool] = attr(default=True)
    tags: Attr[set[str]] = attr(factory=set)
    numbers: Attr[set[int]] = attr(factory=set)
    ids: Attr[frozenset[UUID]] = attr(factory=frozenset)
    created: Attr[datetime | None] = attr(default=None)
    data: Attr[bytes | None] = attr(default=None)
    note: Attr[str | None] = attr(default="none")
    address: Attr[Address | None] = attr(default=None)
    visits: Attr[list[int]] = attr(factory=list)
    anything: Attr[Any] = attr(default=None)
    price: Attr[Money | None] = attr(default=None)
    counts: Attr[dict[int, int]] = attr(factory=dict)
