"""PartiQL that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import assert_type
from uuid import UUID

from dynamorm_async import (
    Attr,
    BatchStatementsFailed,
    Database,
    DecodeError,
    Execution,
    PartiQL,
    PlainValue,
    RowStream,
    ServiceError,
    Statement,
    StatementParameter,
    Table,
    attr,
    index,
    model,
    partition_key,
)


class Plan(Enum):
    FREE = "free"


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)
    email: Attr[str] = attr(default="x")

    by_email = index(partition="email")


@model(table="orders")
class Order:
    number: Attr[int] = partition_key()


SELECT = 'SELECT * FROM "users" WHERE org = ?'
READ_USER = Statement(SELECT, "a", into=User)
READ_ORDER = Statement(SELECT, "a", into=Order)
READ_ROW = Statement(SELECT, "a")


def statements() -> None:
    assert_type(Statement(SELECT, "a"), Statement[dict[str, PlainValue]])
    assert_type(Statement(SELECT, "a", into=User), Statement[User])
    assert_type(Statement(SELECT, "a", into=None), Statement[dict[str, PlainValue]])
    assert_type(READ_USER.text, str)
    assert_type(READ_USER.into, type[User] | None)
    assert_type(READ_USER.parameters, tuple[StatementParameter, ...])
    wide: Statement[object] = READ_USER  # a statement only gives items
    assert wide.text == SELECT
    values: dict[str, list[int]] = {"a": [1]}
    text = "INSERT INTO users VALUE {'org': 'a', 'all': [?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?]}"
    now = datetime(2026, 1, 2, tzinfo=UTC)
    scalars = (None, True, 1, 0.5, Decimal("0.1"), "x", b"x", bytearray(b"x"))
    times = (now, date(2026, 1, 2), timedelta(1))
    Statement(text, *scalars, *times, UUID(int=1), Plan.FREE, values, ["x", 1], {"a", "b"})


def building(db: Database, table: Table) -> None:
    assert_type(db.partiql, PartiQL)
    assert_type(db.partiql.table(User), str)
    assert_type(db.partiql.table(User, index=User.by_email), str)
    assert_type(db.partiql.table(table, index="by_email"), str)


async def executing(db: Database) -> None:
    execute = db.partiql.execute
    assert_type(execute(SELECT, "a"), Execution[dict[str, PlainValue]])
    assert_type(execute(SELECT, "a", into=User), Execution[User])
    assert_type(await execute(SELECT, "a", into=User, limit=3, page_size=10, timeout=1), list[User])
    rows = await execute(SELECT, "a", consistent=True, limit=None)
    assert_type(rows, list[dict[str, PlainValue]])
    age = rows[0]["age"]
    if isinstance(age, int):
        assert_type(age + 1, int)
    async for user in execute(SELECT, "a", into=User):
        assert_type(user, User)
        assert_type(user.age, int)
    async for row in execute(SELECT, "a"):
        assert_type(row, dict[str, PlainValue])
    async with aiter(execute(SELECT, "a", into=User)) as stream:
        assert_type(stream, RowStream[User])
        assert_type(await anext(stream), User)


async def together(db: Database, many: Sequence[Statement[User]]) -> None:
    a, b, c = READ_USER, READ_ORDER, READ_ROW
    assert_type(await db.partiql.batch(a), tuple[User | None])
    assert_type(await db.partiql.batch(a, b, consistent=True), tuple[User | None, Order | None])
    assert_type(await db.partiql.batch(a, b, c), tuple[User | None, Order | None, dict[str, PlainValue] | None])
    assert_type(await db.partiql.batch(b, a, b, a), tuple[Order | None, User | None, Order | None, User | None])
    assert_type(await db.partiql.batch(a, a, a, a, a), tuple[User | None, ...])
    assert_type(await db.partiql.batch(*many), tuple[User | None, ...])
    assert_type(await db.partiql.transact(a), tuple[User | None])
    assert_type(await db.partiql.transact(a, b, token="t", timeout=3), tuple[User | None, Order | None])
    assert_type(await db.partiql.transact(a, b, c), tuple[User | None, Order | None, dict[str, PlainValue] | None])
    assert_type(await db.partiql.transact(b, a, b, a), tuple[Order | None, User | None, Order | None, User | None])
    assert_type(await db.partiql.transact(*many, token=None), tuple[User | None, ...])
    try:
        user, order = await db.partiql.batch(a, b)
        assert_type(user, User | None)
        assert_type(order, Order | None)
    except BatchStatementsFailed as error:
        for position, failure in error.failures.items():
            assert_type(position, int)
            assert_type(failure, ServiceError | DecodeError)


async def wrapping(db: Database, text: str, *parameters: StatementParameter) -> list[dict[str, PlainValue]]:
    """What an application writes around it."""
    return await db.partiql.execute(text, *parameters)


def unsent() -> None:
    """What needs no DynamoDB."""
    statements()
    indexed = Table("shop", partition_key="pk")
    assert Database(region="eu-west-1").partiql.table(indexed) == '"shop"'
