"""Backfills, copies and dual writes that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from typing import assert_type

from dynamorm_async import Attr, Database, attr, model, partition_key
from dynamorm_async.backfills import Backfill, BackfillResult, CopyResult, DualWrite, Progress, copy


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    name: Attr[str | None] = attr(default=None)
    done: Attr[str | None] = attr(default=None)


@model(table="people")
class Person:
    email: Attr[str] = partition_key()


def change(user: User) -> User:
    user.name = "Ada"
    return user


async def change_some(user: User) -> User | None:
    return user if user.name is None else None


def to_person(user: User) -> Person:
    return Person(email=user.user_id)


async def to_some(user: User) -> Person | None:
    return None if user.name is None else to_person(user)


def show(progress: Progress) -> None:
    assert_type(progress.seconds_left, float | None)


async def show_later(progress: Progress) -> None:
    assert_type(progress.fraction, float)


async def use(db: Database, user: User, person: Person) -> None:
    job = Backfill(db, User, change, name="names", where=User.name.not_exists(), marker=User.done)
    assert_type(job, Backfill[User])
    assert_type(await job.run(on_progress=show), BackfillResult)
    assert_type(await Backfill(db, User, change_some, name="some").run(on_progress=show_later), BackfillResult)
    assert_type(await Backfill(db, User, lambda user: user, name="all").status(), Progress)
    assert_type(await copy(db, User, Person, to_person), CopyResult)
    assert_type(await copy(db, User, Person, to_some, where=User.name.exists()), CopyResult)
    both = DualWrite(db, User, Person, forward=to_person, backward=lambda person: User(user_id=person.email))
    assert_type(both, DualWrite[User, Person])
    await both.save(user)
    await both.save(person)
    await db.save(user, where=User.name.not_exists())
