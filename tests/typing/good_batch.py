"""Batches that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal, assert_type

from dynamorm_async import (
    Attr,
    BatchFailure,
    BatchOperation,
    BatchProgress,
    BatchReport,
    BatchWrite,
    BatchWriteFailed,
    Database,
    Key,
    attr,
    model,
    partition_key,
)


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)


@model(table="orders")
class Order:
    order_id: Attr[str] = partition_key()


async def told(progress: BatchProgress) -> None:
    assert_type(progress.written, int)
    assert_type(progress.pending, int)


class Bar:
    """Anything awaitable does, whatever it returns."""

    async def told(self, progress: BatchProgress) -> int:
        return progress.written


async def arriving() -> AsyncIterator[User | Order]:
    yield User(user_id="u1")
    yield Order(order_id="o1")


def unsent() -> None:
    """What needs no DynamoDB: an empty batch sends nothing."""
    asyncio.run(nothing())


async def nothing() -> None:
    async with Database(region="eu-west-1") as db:
        async with db.batch_write(concurrency=2, on_progress=told) as batch:
            assert_type(batch, BatchWrite)
        assert_type(batch.report, BatchReport)
        assert_type(await db.put_many([]), BatchReport)


async def batches(db: Database, user: User, order: Order) -> None:
    async with db.batch_write(on_progress=Bar().told) as batch:
        await batch.put(user)
        await batch.delete(order)
        await batch.delete(Key(User, "u2"), hard=True)
    report = await db.put_many(arriving())
    await db.put_many([user, order], concurrency=8, on_progress=told)
    await db.put_many(User(user_id=str(n)) for n in range(3))
    accounts(report)
    try:
        await db.put_many({"a": user}.values())
    except BatchWriteFailed as error:
        assert_type(error.report, BatchReport)
        accounts(error.report)
        await db.put_many(operation.item for operation in error.report.unprocessed if operation.kind == "put")


def accounts(report: BatchReport) -> None:
    assert_type(report.written, int)
    assert_type(report.unprocessed, tuple[BatchOperation, ...])
    assert_type(report.failed, tuple[BatchFailure, ...])
    for operation in report.unprocessed:
        assert_type(operation.kind, Literal["put", "delete"])
        assert_type(operation.model, type[Any])
    for failure in report.failed:
        assert_type(failure.error, Exception)
        assert_type(failure.operation, BatchOperation)
