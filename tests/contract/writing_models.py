"""What the suites of transactions and unique values write: purses of money, and members whose values are unique."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import Attr, Database, attr, model, partition_key, sort_key, unique, version
from tests.contract.models import connect
from tests.engines import Lane, call

PREFIX = "writing-"


@model(table="purses")
class Purse:
    """Money that moves: no version, so that only conditions guard it."""

    purse_id: Attr[str] = partition_key()
    balance: Attr[int] = attr(default=0)
    holder: Attr[str] = attr(default="nobody")


@model(table="members")
class Member:
    """One unique value, one of two attributes together, a number, and bytes."""

    club: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    email: Attr[str | None] = attr(default=None, name="mail")
    country: Attr[str | None] = attr(default=None)
    passport: Attr[int | None] = attr(default=None)
    badge: Attr[Decimal | None] = attr(default=Decimal(0))  # its None is stored, as NULL
    finger: Attr[bytes | None] = attr(default=None)
    age: Attr[int] = attr(default=0)

    one_email = unique("email")
    one_passport = unique("country", "passport")
    one_badge = unique("badge")
    one_finger = unique("finger")


@model(table="clubs")
class Club:
    """A unique value under a version."""

    club_id: Attr[str] = partition_key()
    name: Attr[str] = attr()
    size: Attr[int] = attr(default=0)
    revision: Attr[int] = version()

    one_name = unique("name")


def taken(endpoint: str, table: str = "members") -> dict[str, Mapping[str, Any]]:
    """The markers of a table: the owner's key by constraint and value."""
    status, answer = call(endpoint, "Scan", {"TableName": f"{PREFIX}{table}-unique", "ConsistentRead": True})
    assert status == 200, answer
    assert "LastEvaluatedKey" not in answer
    return {item["value"]["S"]: item["owner"]["M"] for item in answer["Items"]}


def values_of(endpoint: str, club: str) -> dict[str, int]:
    """The emails that are taken by a club's members, with the member's number; the value's own text as the key."""
    found: dict[str, int] = {}
    for value, owner in taken(endpoint).items():
        name, _, text = value.partition("#")
        if name == "Member.one_email" and owner["club"] == {"S": club}:
            found[json.loads(text)[0]["S"]] = int(owner["number"]["N"])
    return found


@pytest.fixture
async def members(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with these tables; all tests share them, so each uses keys and values of its own."""
    async with connect(endpoint, lane, prefix=PREFIX) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            await db.tables.ensure(Purse, Member, Club)
            prepared.add(mark)
        yield db
