"""Reading by keys that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

import asyncio
from typing import Any, assert_type

from dynamorm_async import (
    Attr,
    BatchGet,
    BatchGetFailed,
    BatchGetStream,
    Database,
    Key,
    attr,
    model,
    partition_key,
    sort_key,
)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str] = attr(default="")
    age: Attr[int] = attr(default=0)
    score: Attr[int | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)


@model(table="orders")
class Order:
    order_id: Attr[str] = partition_key()
    total: Attr[int] = attr(default=0)


@model(table="shops")
class Shop:
    shop_id: Attr[str] = partition_key()


USERS = [Key(User, "acme", "u1"), Key(User, "acme", "u2")]
ORDER = Key(Order, "o7")
SHOP = Key(Shop, "s1")


def unsent() -> None:
    """What needs no DynamoDB: nothing is sent for no keys."""
    asyncio.run(no_keys())


async def no_keys() -> None:
    async with Database(region="eu-west-1") as db:
        nobody: list[Key[User]] = []
        assert_type(await db.batch_get(*nobody), list[User | None])
        assert_type(await db.batch_get(*nobody, consistent=True, concurrency=2), list[User | None])
        assert_type(await db.batch_get(*nobody).select(User.email), list[tuple[str] | None])
        assert_type(await db.transact_get(*nobody), tuple[Any | None, ...])
        async for _key, user in db.batch_get(*nobody):
            assert_type(user, User | None)


async def one_model(db: Database) -> None:
    assert_type(db.batch_get(*USERS), BatchGet[User])
    assert_type(await db.batch_get(Key(User, "acme", "u1")), list[User | None])
    assert_type(await db.batch_get(Key(User, "acme", "u1"), Key(User, "acme", "u2")), list[User | None])
    assert_type(await db.batch_get(*USERS, consistent=True), list[User | None])
    (user,) = await db.batch_get(USERS[0], concurrency=8)
    assert_type(user, User | None)


async def several_models(db: Database) -> None:
    assert_type(db.batch_get(USERS[0], ORDER), BatchGet[User | Order])
    assert_type(await db.batch_get(USERS[0], ORDER), list[User | Order | None])
    assert_type(await db.batch_get(USERS[0], ORDER, *USERS), list[User | Order | None])
    assert_type(await db.batch_get(USERS[0], ORDER, SHOP), list[Any | None])
    mixed: list[Key[Any]] = [*USERS, ORDER]
    assert_type(await db.batch_get(*mixed), list[Any | None])


async def selections(db: Database) -> None:
    assert_type(await db.batch_get(*USERS).select(User.email, User.age), list[tuple[str, int] | None])
    assert_type(
        await db.batch_get(*USERS).select(User.score, User.tags, User.age),
        list[tuple[int | None, set[str], int] | None],
    )
    many = db.batch_get(*USERS).select(User.score, User.tags, User.age, User.email, User.org, User.user_id)
    assert_type(await many, list[tuple[Any, ...] | None])
    async for key, row in db.batch_get(*USERS).select(User.age):
        assert_type(key, Key[Any])
        assert_type(row, tuple[int] | None)


async def streams(db: Database) -> None:
    async for key, user in db.batch_get(*USERS):
        assert_type(key, Key[Any])
        assert_type(user, User | None)
    async with db.batch_get(USERS[0], ORDER).stream() as stream:
        assert_type(stream, BatchGetStream[User | Order])
        async for _, found in stream:
            assert_type(found, User | Order | None)


async def failures(db: Database) -> None:
    try:
        await db.batch_get(*USERS)
    except BatchGetFailed as error:
        assert_type(error.attempts, int)
        await db.batch_get(*error.unprocessed)


async def transactions(db: Database) -> None:
    user, order = await db.transact_get(USERS[0], ORDER)
    assert_type(user, User | None)
    assert_type(order, Order | None)
    assert_type(await db.transact_get(SHOP, timeout=2.5), tuple[Shop | None])
    assert_type(await db.transact_get(SHOP, ORDER, USERS[0]), tuple[Shop | None, Order | None, User | None])
    four = await db.transact_get(SHOP, ORDER, ORDER, ORDER)
    assert_type(four, tuple[Shop | None, Order | None, Order | None, Order | None])
    five = await db.transact_get(ORDER, SHOP, ORDER, ORDER, ORDER)
    assert_type(five, tuple[Order | None, Shop | None, Order | None, Order | None, Order | None])
    six = await db.transact_get(ORDER, ORDER, SHOP, ORDER, ORDER, ORDER)
    assert_type(six, tuple[Order | None, Order | None, Shop | None, Order | None, Order | None, Order | None])
    seven = await db.transact_get(ORDER, ORDER, ORDER, SHOP, ORDER, ORDER, ORDER)
    assert_type(seven[3], Shop | None)
    assert_type(seven[6], Order | None)
    eight = await db.transact_get(ORDER, ORDER, ORDER, ORDER, SHOP, ORDER, ORDER, USERS[0])
    assert_type(eight[4], Shop | None)
    assert_type(eight[7], User | None)
    assert_type(await db.transact_get(*USERS), tuple[Any | None, ...])
    assert_type(await db.transact_get(*[ORDER] * 9), tuple[Any | None, ...])
