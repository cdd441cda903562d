"""The library: the same calls, into typed models."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from canned import HOST
from items import ORG, TABLE, Values, values

from dynamorm_async import Attr, Database, attr, embedded, model, partition_key, sort_key

CREATED = "%Y-%m-%dT%H:%M:%S.%fZ"


@embedded
class Address:
    street: Attr[str]
    city: Attr[str]


@model(table=TABLE)
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str] = attr()
    age: Attr[int] = attr()
    score: Attr[Decimal] = attr()
    active: Attr[bool] = attr()
    tags: Attr[set[str]] = attr(factory=set)
    created: Attr[datetime] = attr()
    balance: Attr[int] = attr()
    note: Attr[str] = attr()
    address: Attr[Address] = attr()
    visits: Attr[list[int]] = attr(factory=list)


class Dynamorm:
    """The workloads on one open database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._put = _user(values(2))

    async def get(self) -> User | None:
        return await self._db.get(User, ORG, "u000001")

    async def put(self) -> None:
        await self._db.put(self._put)

    async def query_100(self) -> list[User]:
        return await self._db.query(User).where(User.org == ORG)

    async def scan_1000(self) -> list[User]:
        return await self._db.scan(User)

    def values(self, answer: Any) -> list[Values]:  # one model of a get or the models of a list
        users: list[User] = [answer] if isinstance(answer, User) else answer
        return [_values(user) for user in users]


@asynccontextmanager
async def open_dynamorm(port: int) -> AsyncGenerator[Dynamorm]:
    """A database with the library's default configuration against the canned server on ``port``."""
    async with Database(
        region="eu-west-1", endpoint=f"http://{HOST}:{port}", credentials=("AKIDEXAMPLE", "secret")
    ) as db:
        yield Dynamorm(db)


def _user(item: Any) -> User:  # plain values of eight types, by name
    created = datetime.strptime(item["created"], CREATED).replace(tzinfo=UTC)
    return User(**(item | {"created": created, "address": Address(**item["address"])}))


def _values(user: User) -> Values:
    plain: Values = {name: getattr(user, name) for name in values(0)}
    return plain | {
        "created": user.created.astimezone(UTC).strftime(CREATED),
        "address": {"street": user.address.street, "city": user.address.city},
    }
