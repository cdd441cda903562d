"""Mistakes with migrations: each marked line must be reported."""

from __future__ import annotations

from dynamorm_async import Attr, Database, attr, model, partition_key
from dynamorm_async.migrations import Context, Migrations


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)


@model(table="people")
class Person:
    email: Attr[str] = partition_key()


def to_person(user: User) -> Person:
    return Person(email=user.user_id)


async def greet(db: Database, name: str) -> None:
    await db.put(Person(email=name))


async def upgrade(context: Context) -> None:
    await context.apply("users")  # error: mypy pyright
    await context.apply(User, allow=("delete_everything",))  # error: mypy pyright
    await context.step("greet", greet)  # error: mypy pyright
    await context.step("greet", greet, context.db, 5)  # error: mypy pyright
    await context.step("greet", greet(context.db, "ada"))  # error: mypy pyright
    await context.step("convert", to_person, User(user_id="u"))  # error: mypy pyright
    await context.backfill(User, to_person)  # error: mypy pyright
    await context.backfill(User, marker=User.age)  # error: mypy pyright
    await context.backfill(User, segment=4)  # error: mypy pyright
    await context.copy(Person, User, to_person)  # error: mypy pyright


async def use(db: Database) -> None:
    migrations = Migrations(db, "migrations")
    await migrations.up(dry=True)  # error: mypy pyright
    await migrations.stamp()  # error: mypy pyright
