"""The models of the contract suite, and their tables, which are made once for each engine."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import attrs

from dynamorm_async import (
    Attr,
    Database,
    OnDemand,
    Table,
    attr,
    created_at,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import create_table
from tests.canaries import KEYS
from tests.engines import Lane, call

M = TypeVar("M")
PREFIX = "shared-"


@embedded
class Address:
    street: Attr[str]
    city: Attr[str] = attr(name="town")
    zip: Attr[str | None] = attr(default=None)


@model(table="accounts")
class Account:
    """Conditions and updates work on this one: no version and no times, so that only the named attributes move."""

    org: Attr[str] = partition_key()
    user: Attr[str] = sort_key()
    name: Attr[str] = attr(default="Ada")
    age: Attr[int] = attr(default=0)
    limit: Attr[int] = attr(default=0)
    email: Attr[str | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    notes: Attr[dict[str, str]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)
    homes: Attr[list[Address]] = attr(factory=list)
    photo: Attr[bytes | None] = attr(default=None)
    balance: Attr[Decimal] = attr(default=Decimal(0))


@model(table="documents")
class Document:
    """One with everything that the library itself keeps: version, times and time to live."""

    doc_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")
    words: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    expires: Attr[datetime | None] = ttl(default=None)
    revision: Attr[int] = version()


_open = Table("open", partition_key="pk")


@model(_open)
class Ignoring:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")


@model(_open, unknown="keep")
class Keeping:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")


@model(_open, unknown="forbid")
class Forbidding:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(Enum):
    LOW = 1
    HIGH = 2


@attrs.frozen
class Point:
    x: int
    y: float = 0.5


@attrs.frozen
class Card:
    number: str


@attrs.frozen
class Cash:
    coins: int


@model(table="kinds")
class Kinds:
    """Every kind of value that has a way to be stored."""

    pk: Attr[str] = partition_key()
    text: Attr[str | None] = attr(default=None)
    whole: Attr[int | None] = attr(default=None)
    real: Attr[float | None] = attr(default=None)
    exact: Attr[Decimal | None] = attr(default=None)
    flag: Attr[bool | None] = attr(default=None)
    binary: Attr[bytes | None] = attr(default=None)
    at: Attr[datetime | None] = attr(default=None)
    day: Attr[date | None] = attr(default=None)
    span: Attr[timedelta | None] = attr(default=None)
    ident: Attr[UUID | None] = attr(default=None)
    colour: Attr[Colour | None] = attr(default=None)
    level: Attr[Level | None] = attr(default=None)
    words: Attr[set[str]] = attr(factory=set)
    numbers: Attr[set[int]] = attr(factory=set)
    blobs: Attr[frozenset[bytes]] = attr(default=frozenset())
    colours: Attr[set[Colour]] = attr(factory=set)
    items: Attr[list[int | None] | None] = attr(default=None)
    pairs: Attr[tuple[str, ...] | None] = attr(default=None)
    table: Attr[dict[str, list[Decimal]] | None] = attr(default=None)
    address: Attr[Address | None] = attr(default=None)
    point: Attr[Point | None] = attr(default=None)
    points: Attr[list[Point] | None] = attr(default=None)
    paid: Attr[Card | Cash | None] = attr(default=None)
    anything: Attr[Any] = attr(default=None)
    as_text: Attr[dict[str, list[int]] | None] = attr(default=None, as_json=True)
    small: Attr[str | None] = attr(default=None, compressed=True)
    expires: Attr[datetime | None] = ttl(default=None)


@model(table="defaults")
class Defaults:
    """Defaults that are not None: for these, None and the empty set must be stored, to come back as themselves."""

    pk: Attr[str] = partition_key()
    size: Attr[int | None] = attr(default=7)
    tags: Attr[set[str]] = attr(factory=lambda: {"new"})
    nothing: Attr[str | None] = attr(default=None)
    none: Attr[set[str]] = attr(factory=set)


@model(table="awkward")
class Awkward:
    """Attribute names that DynamoDB reserves, or that look like parts of an expression."""

    pk: Attr[str] = partition_key()
    size: Attr[int] = attr(default=0)
    dotted: Attr[str] = attr(default="-", name="a.b")
    dashed: Attr[str] = attr(default="-", name="a-b")
    spaced: Attr[str] = attr(default="-", name="a b")
    hashed: Attr[str] = attr(default="-", name="#x")
    coloned: Attr[str] = attr(default="-", name=":v0")
    status: Attr[str] = attr(default="-")
    Status: Attr[str] = attr(default="-")
    bits: Attr[dict[str, str]] = attr(factory=dict, name="between")


@model(table="events")
class Event:
    """What queries read: a table, a local index and three global ones."""

    stream: Attr[str] = partition_key()
    seq: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="plain")
    weight: Attr[int] = attr(default=0)
    owner: Attr[str | None] = attr(default=None)
    body: Attr[str] = attr(default="body")

    by_weight = index(sort="weight", local=True)
    by_kind = index(partition="kind", sort="seq")
    by_owner = index(partition="owner")
    kinds_only = index(partition="kind", sort="weight", projection="keys_only")


MODELS = (Account, Document, Keeping, Kinds, Defaults, Awkward, Event)


def create_tables(endpoint: str) -> None:
    """Make the tables of all the models on an engine, without this library's own way of doing so."""
    for cls in MODELS:
        table = spec_of(cls).table
        status, answer = call(endpoint, "CreateTable", create_table(table, PREFIX + table.name, OnDemand()))
        assert status == 200, answer


def connect(
    endpoint: str, lane: Lane, *, clock: Callable[[], datetime] | None = None, prefix: str = PREFIX
) -> Database:
    """A database on an engine."""
    return Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=KEYS,
        lane=lane,
        table_prefix=prefix,
        clock=clock or (lambda: datetime.now(UTC)),
    )


def changed(item: M, **values: object) -> M:
    """A copy of an instance with other values."""
    result = copy.copy(item)
    for name, value in values.items():
        setattr(result, name, value)
    return result


def unique() -> str:
    """A key that no other test uses."""
    return uuid.uuid4().hex


def raw_item(endpoint: str, table: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    """An item as the engine has it, read without this library."""
    status, answer = call(endpoint, "GetItem", {"TableName": PREFIX + table, "Key": key, "ConsistentRead": True})
    assert status == 200, answer
    item: Mapping[str, Any] = answer.get("Item", {})
    return item


def put_raw(endpoint: str, table: str, item: Mapping[str, Any]) -> None:
    """Store an item without this library."""
    status, answer = call(endpoint, "PutItem", {"TableName": PREFIX + table, "Item": item})
    assert status == 200, answer
