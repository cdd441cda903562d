"""What the suites of combined features write: models that have several of the library's own attributes at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dynamorm_async import (
    Attr,
    Database,
    Table,
    attr,
    created_at,
    deleted_at,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    unique,
    updated_at,
    version,
)
from tests.contract.models import connect
from tests.engines import Lane, call

PREFIX = "combined-"
START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@attrs.define
class Branch:
    """A class that contains itself."""

    name: str
    twigs: list[Branch] = attrs.field(factory=list["Branch"])


@embedded
class Detail:
    text: Attr[str] = attr(default="text")
    count: Attr[int] = attr(default=0)


@model(table="everything", unknown="keep", hide_expired=True)
class Everything:
    """All roles at once, a nested class, one that contains itself, and unique values."""

    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    email: Attr[str | None] = attr(default=None, name="mail")
    first: Attr[str | None] = attr(default=None)
    last: Attr[str | None] = attr(default=None)
    size: Attr[int] = attr(default=0)
    detail: Attr[Detail] = attr(factory=Detail)
    tree: Attr[Branch | None] = attr(default=None)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    expires: Attr[datetime | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version(name="rev")

    one_email = unique("email")
    one_name = unique("first", "last")
    by_size = index(partition="size", projection="keys_only")


@model(table="softies")
class Soft:
    """Soft-deleted, and nothing else."""

    soft_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")
    count: Attr[int] = attr(default=0)
    deleted: Attr[datetime | None] = deleted_at()


@model(table="numbered")
class Numbered:
    """A number as its only key, and a version."""

    number: Attr[Decimal] = partition_key()
    text: Attr[str] = attr(default="text")
    revision: Attr[int] = version()


@model(table="binaries")
class Binary:
    """Bytes as its keys."""

    blob: Attr[bytes] = partition_key()
    part: Attr[bytes] = sort_key()
    text: Attr[str] = attr(default="text")


_shared = Table("shared", partition_key="pk", sort_key="sk")


@model(_shared)
class Cat:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key(default="cat")
    name: Attr[str] = attr(default="Tom")
    revision: Attr[int] = version()

    one_name = unique("name")


@model(_shared)
class Dog:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key(default="dog")
    name: Attr[str] = attr(default="Rex")

    one_name = unique("name")


ALL = (Everything, Soft, Numbered, Binary, Cat, Dog)


class Clock:
    """A time that moves when the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def combined(endpoint: str, lane: Lane, prepared: set[str], clock: Clock) -> AsyncIterator[Database]:
    """An open database with these tables, whose time the test moves; each test uses keys and values of its own."""
    async with connect(endpoint, lane, clock=clock, prefix=PREFIX) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            await db.tables.ensure(*ALL)
            prepared.add(mark)
        yield db


def raw(endpoint: str, table: str, key: Mapping[str, Any]) -> dict[str, Any]:
    """An item as the engine has it; empty where there is none."""
    body = {"TableName": PREFIX + table, "Key": key, "ConsistentRead": True}
    status, answer = call(endpoint, "GetItem", body)
    assert status == 200, answer
    item: dict[str, Any] = answer.get("Item", {})
    return item


def put_raw(endpoint: str, item: dict[str, Any]) -> None:
    """Store an item of :class:`Everything` without this library."""
    status, answer = call(endpoint, "PutItem", {"TableName": f"{PREFIX}everything", "Item": item})
    assert status == 200, answer


def whole_table(endpoint: str, table: str) -> list[dict[str, Any]]:
    """All items of a table as the engine has them."""
    status, answer = call(endpoint, "Scan", {"TableName": PREFIX + table, "ConsistentRead": True})
    assert status == 200, answer
    assert "LastEvaluatedKey" not in answer
    items: list[dict[str, Any]] = answer["Items"]
    return items


def emails_taken(endpoint: str, org: str) -> dict[str, int]:
    """The emails that items of an organisation have markers of, each with the owner's number."""
    found: dict[str, int] = {}
    for marker in whole_table(endpoint, "everything-unique"):
        name, _, text = marker["value"]["S"].partition("#")
        owner = marker["owner"]["M"]
        if name == "Everything.one_email" and owner["org"] == {"S": org}:
            found[json.loads(text)[0]["S"]] = int(owner["number"]["N"])
    return found
