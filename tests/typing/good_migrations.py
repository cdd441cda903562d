"""Migrations that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from dynamorm_async import GSI, Attr, Database, Key, Table, Transaction, attr, model, partition_key
from dynamorm_async.backfills import BackfillResult, CopyResult
from dynamorm_async.leases import Lease
from dynamorm_async.migrations import Context, Migrations, MigrationStatus, Progress
from dynamorm_async.schema import Applied, Plan

users = Table("users", partition_key="user_id", indexes=[GSI("by_name", "name")])


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    name: Attr[str | None] = attr(default=None)
    age: Attr[int] = attr(default=0)
    done: Attr[str | None] = attr(default=None)


@model(table="people")
class Person:
    email: Attr[str] = partition_key()


def change(user: User) -> User:
    user.name = "Ada"
    return user


async def to_person(user: User) -> Person | None:
    return None if user.name is None else Person(email=user.name)


async def greet(db: Database, name: str, *, loud: bool = False) -> int:
    await db.put(User(user_id=name, name=name.upper() if loud else name))
    return 1


def bonus(tx: Transaction) -> None:
    tx.update(Key(User, "ada"), User.age.add(1))


async def upgrade(context: Context) -> None:
    assert_type(context.db, Database)
    assert_type(context.lease, Lease)
    assert_type(await context.plan(users), Plan)
    assert_type(await context.apply(users, Person, allow=("delete_index",)), Applied)
    await context.step("greet", greet, context.db, "ada", loud=True)
    await context.transact("bonus", bonus)
    await context.transact("more", lambda tx: tx.check(Key(User, "ada"), User.age > 1))
    assert_type(
        await context.backfill(User, change, where=User.name.not_exists(), marker=User.done, workers=2), BackfillResult
    )
    assert_type(await context.copy(User, Person, to_person, name="people", guarded=False), CopyResult)


def show(progress: Progress) -> None:
    assert_type(progress.position / progress.total, float)


async def show_later(progress: Progress) -> None:
    show(progress)


async def use(db: Database) -> None:
    migrations = Migrations(db, "migrations", models=[User, users], wait=5)
    assert_type(await migrations.status(), list[MigrationStatus])
    assert_type(await migrations.up(on_progress=show), list[MigrationStatus])
    await migrations.up("0003", dry_run=True, on_progress=show_later)
    assert_type(await migrations.down(steps=2), list[MigrationStatus])
    assert_type(await migrations.stamp(3), list[MigrationStatus])
    assert_type(await migrations.new("add index", allow=("delete_index",)), Path)
