"""What the contract tests of backfills change and copy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dynamorm_async import (
    Attr,
    Database,
    attr,
    deleted_at,
    model,
    partition_key,
    sort_key,
    upcast,
    updated_at,
    version,
)


@model(table="people")
class Person:
    """Without a version: a write insists that everything is as it was read."""

    person_id: Attr[str] = partition_key()
    first: Attr[str] = attr(default="Ada")
    name: Attr[str | None] = attr(default=None)
    changes: Attr[int] = attr(default=0)
    by_others: Attr[int] = attr(default=0)
    done_by: Attr[str | None] = attr(default=None)


@model(table="accounts")
class Account:
    """With a version, a sort key and soft deletes."""

    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    cents: Attr[int] = attr(default=0)
    euros: Attr[float | None] = attr(default=None)
    notes: Attr[str | None] = attr(default=None, compressed=True)
    deleted: Attr[datetime | None] = deleted_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model(table="customers")
class FormerCustomer:
    """A customer as the last release wrote it."""

    customer_id: Attr[str] = partition_key()
    name: Attr[str] = attr()


@model(table="customers", schema=2)
class Customer:
    """A customer as this release writes it."""

    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr()
    last: Attr[str] = attr()

    @upcast(from_version=1)
    @staticmethod
    def split_name(item: dict[str, Any]) -> dict[str, Any]:
        first, _, last = item.pop("name").partition(" ")
        return {**item, "first": first, "last": last}


@model(table="lockers")
class Locker:
    """With a key that nobody is to see."""

    code: Attr[str] = partition_key(secret=True)


@model(table="members")
class Member:
    """What people become by a copy."""

    member_id: Attr[str] = partition_key()
    name: Attr[str] = attr()
    revision: Attr[int] = version()


@model(table="people-copy")
class PersonCopy:
    """The same attributes as a person has, in another table."""

    person_id: Attr[str] = partition_key()
    first: Attr[str] = attr(default="Ada")
    changes: Attr[int] = attr(default=0)


async def people(db: Database, number: int) -> None:
    """Make a table of so many people."""
    await db.tables.ensure(Person)
    await db.put_many(Person(person_id=f"p{n}", first=f"First{n}") for n in range(number))


async def everybody(db: Database) -> dict[str, Person]:
    """All people as they are now."""
    return {person.person_id: person async for person in db.scan(Person).consistent()}


def full_name(person: Person) -> Person:
    """A change that tells when it was made twice."""
    person.name = f"{person.first} Lovelace"
    person.changes += 1
    return person


def once(action: Callable[[], Any]) -> Callable[[], Any]:
    """The action at the first call, nothing afterwards."""
    left = [action]
    return lambda: left.pop()() if left else None
