"""Mistakes with backfills, copies and dual writes: each marked line must be reported."""

from __future__ import annotations

from dynamorm_async import Attr, Database, attr, model, partition_key
from dynamorm_async.backfills import Backfill, DualWrite, copy


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)


@model(table="people")
class Person:
    email: Attr[str] = partition_key()


def to_person(user: User) -> Person:
    return Person(email=user.user_id)


async def use(db: Database, person: Person) -> None:
    Backfill(db, User, to_person, name="n")  # error: mypy pyright
    Backfill(db, Person, lambda person: person.nope, name="n")  # error: mypy pyright
    Backfill(db, User, lambda user: user, name="n", marker=User.age)  # error: mypy pyright
    Backfill(db, User, lambda user: user, name="n", where=True)  # error: mypy pyright
    await copy(db, Person, User, to_person)  # error: mypy pyright
    both = DualWrite(db, User, Person, forward=to_person)
    DualWrite(db, User, Person, forward=to_person, phase="all")  # error: mypy pyright
    await both.save("ada")  # error: mypy pyright
    await db.save(person, where=True)  # error: mypy pyright
