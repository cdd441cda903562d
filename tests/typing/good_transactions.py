"""Transactions and unique values that must be clean in mypy and pyright, both strict; the types of results are fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_type

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    Key,
    NotUnique,
    ServiceError,
    Transaction,
    TransactionCancelled,
    TransactionFailure,
    Unique,
    attr,
    model,
    partition_key,
    sort_key,
    unique,
    version,
)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str | None] = attr(default=None)
    age: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(factory=set)
    revision: Attr[int] = version()

    one_email = unique("email")
    one_pair = unique("org", "age", name="pair")


@model(table="shops")
class Shop:
    shop_id: Attr[str] = partition_key()
    open: Attr[bool] = attr(default=True)


def declarations() -> None:
    assert_type(User.one_email, Unique)
    user = User(org="acme", user_id="u1", email="ada@example.com")
    assert_type(user.email, str | None)
    assert_type(user.one_pair, Unique)


async def blocks(db: Database, user: User, key: Key[User]) -> None:
    async with db.transaction() as tx:
        assert_type(tx, Transaction)
        assert_type(tx.create(user), Transaction)
        assert_type(tx.put(user, where=User.age < 3), Transaction)
        assert_type(tx.update(key, User.age.add(1), User.tags.add({"x"}), where=User.age < 130), Transaction)
        assert_type(tx.update(key, User.email.set(None), upsert=True), Transaction)
        assert_type(tx.save(user), Transaction)
        assert_type(tx.delete(user).delete(key, where=User.email.exists()), Transaction)
        tx.check(Key(Shop, "s1"), Shop.open == True)  # noqa: E712 - a condition
        tx.check(user).check(key, User.age > 3, (User.age < 9) | User.email.exists())
    async with db.transaction(token="t-1", at=datetime(2026, 1, 1, tzinfo=UTC), timeout=3) as other:
        other.create(user)


async def awaited(db: Database, user: User, key: Key[User]) -> None:
    await db.transaction().create(user).delete(key)
    await db.transaction(token=None)


async def errors(db: Database, user: User) -> None:
    try:
        await db.transaction().create(user)
    except TransactionCancelled as cancelled:
        assert_type(cancelled.failures, Sequence[TransactionFailure])
        assert_type(cancelled.reasons, Sequence[Mapping[str, Any]])
        for failure in cancelled.failures:
            assert_type(failure.index, int)
            assert_type(failure.operation, str)
            assert_type(failure.error, ServiceError)
            if isinstance(failure.error, NotUnique):
                assert_type(failure.error.attributes, Sequence[str])
            elif isinstance(failure.error, ConditionFailed):
                assert_type(failure.error.raw_item, Mapping[str, Any] | None)
