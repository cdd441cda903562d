"""The library, into typed models, with its defaults but the number of connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from contestant import (
    BATCH_GET,
    BATCH_WRITE,
    ENCODED,
    NEW_BALANCE,
    NEW_NOTE,
    TRANSACTION,
    plain_values,
    typed_values,
)
from items import ORG, TABLE, Values, user_id
from surroundings import ACCESS_KEY, CONNECTIONS, REGION, SECRET_KEY, endpoint

from dynamorm_async import Attr, Database, Key, attr, embedded, model, partition_key, sort_key
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.updating import update_item
from dynamorm_async.types import AttributeValue


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
        self._users = [_user(number) for number in range(ENCODED)]
        self._keys = [Key(User, ORG, user_id(number)) for number in range(BATCH_GET)]
        self._spec = spec_of(User)
        self._raw_key: dict[str, AttributeValue] = {"org": {"S": ORG}, "user_id": {"S": user_id(1)}}
        self.get_in_crowd = self.get

    async def get(self) -> User | None:
        return await self._db.get(User, ORG, "u000001")

    async def put(self) -> None:
        await self._db.put(self._users[2])

    async def update(self) -> User:
        return await self._db.update(self._keys[1], User.note.set(NEW_NOTE), User.balance.add(NEW_BALANCE))

    async def query(self, org: str) -> list[User]:
        return await self._db.query(User).where(User.org == org)

    async def scan(self) -> list[User]:
        return await self._db.scan(User)

    async def batch_get(self) -> Iterable[User | None]:
        return await self._db.batch_get(*self._keys)

    async def batch_write(self) -> None:
        async with self._db.batch_write() as batch:
            for user in self._users[:BATCH_WRITE]:
                await batch.put(user)

    async def transact(self) -> None:
        async with self._db.transaction() as tx:
            for user in self._users[:TRANSACTION]:
                tx.put(user)

    async def decode(self, body: bytes) -> list[User]:
        return self._spec.reader.decode_page(body).items

    async def encode(self) -> list[bytes]:
        encode, json = self._spec.codec.encode, msgspec.json.encode
        return [json({"TableName": TABLE, "Item": encode(user)}) for user in self._users]

    async def render(self) -> Mapping[str, Any]:  # the parameters of UpdateItem
        changes = (User.note.set(NEW_NOTE), User.balance.add(NEW_BALANCE), User.visits.remove())
        where = (User.age >= 18) & (User.active == True) & User.email.begins_with("u")  # noqa: E712 - a condition
        now = datetime.now(UTC)
        write = update_item(self._spec, TABLE, self._raw_key, changes, now, where=where, upsert=False, returns="none")
        return write.request.body

    def stream(self, org: str) -> AsyncIterator[User]:
        return aiter(self._db.query(User).where(User.org == org))

    def values(self, answer: Any) -> list[Values]:  # one model or the models of a list
        return [plain_values(user) for user in ([answer] if isinstance(answer, User) else answer)]


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Dynamorm]:
    """A database against the canned server on ``port``."""
    async with Database(
        region=REGION, endpoint=endpoint(port), credentials=(ACCESS_KEY, SECRET_KEY), pool_size=CONNECTIONS
    ) as db:
        yield Dynamorm(db)


def _user(number: int) -> User:
    item = typed_values(number)
    return User(**(item | {"address": Address(**item["address"])}))
