"""One mistake a line, each with the checkers that must report it; no other line may be reported."""

from __future__ import annotations

from datetime import datetime

import attrs

from dynamorm_async import (
    Attr,
    BatchProgress,
    BatchWriteFailed,
    Database,
    Key,
    Table,
    attr,
    deleted_at,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    version,
)


@attrs.define
class Note:
    text: str


@embedded
class Address:
    city: Attr[str] = attr(default="Paris")
    zip_code: Attr[int] = attr(default=0)


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key(factory=str)
    email: Attr[str] = attr()
    age: Attr[int] = attr(default=0)
    height: Attr[float | None] = attr(default=None)
    active: Attr[bool] = attr(default=True)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)
    note: Attr[Note | None] = attr(default=None)
    revision: Attr[int] = version()

    by_email = index(partition="email")


class Declarations:
    wrong_default: Attr[int] = attr(default="x")  # error: mypy pyright
    wrong_none: Attr[int] = attr(default=None)  # error: mypy pyright
    wrong_factory: Attr[int] = attr(factory=str)  # error: mypy pyright
    wrong_class: Attr[Note] = attr(factory=Address)  # error: mypy pyright
    wrong_key: Attr[str] = partition_key(default=3)  # error: mypy pyright
    wrong_sort: Attr[str] = sort_key(factory=int)  # error: mypy pyright
    wrong_ttl: Attr[int | None] = ttl(default="soon")  # error: mypy pyright
    wrong_version: Attr[str] = version()  # error: mypy pyright
    wrong_mark: Attr[datetime] = deleted_at()  # error: mypy pyright
    marked_at: Attr[datetime | None] = deleted_at(default=None)  # error: mypy pyright
    two_defaults: Attr[int] = attr(default=1, factory=int)  # error: mypy pyright
    wrong_name: Attr[int] = attr(name=3)  # error: mypy pyright
    unknown_option: Attr[int] = attr(unknown=3)  # error: mypy pyright


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def constructors() -> None:
    User(org="acme")  # error: mypy pyright
    User("acme", email="a")  # error: mypy pyright
    User(org=3, email="a")  # error: mypy pyright
    User(org="acme", email="a", age="x")  # error: mypy pyright
    User(org="acme", email="a", age=None)  # error: mypy pyright
    User(org="acme", email="a", nope=3)  # error: mypy pyright
    User(org="acme", email="a", tags=["x"])  # error: mypy pyright
    User(org="acme", email="a", tags={3})  # error: mypy pyright
    User(org="acme", email="a", scores=["x"])  # error: mypy pyright
    User(org="acme", email="a", address=Note("x"))  # error: mypy pyright
    User(org="acme", email="a", address=Address(city=3))  # error: mypy pyright
    User(org="acme", email="a", revision="1")  # error: mypy pyright
    User(org="acme", email="a", by_email="b")  # error: mypy pyright
    model(table=3)  # error: mypy pyright
    model(table="users", unknown="drop")  # error: mypy pyright
    index(partition=3)  # error: mypy pyright
    index(partition="email", projection="some")  # error: mypy pyright
    Table("shop", sort_key="sk")  # error: mypy pyright


def instances(user: User) -> None:
    takes(user.nope)  # error: mypy pyright
    takes(User.nope)  # error: mypy pyright
    user.age = "x"  # error: mypy pyright
    user.age = None  # error: mypy pyright
    user.org = 3  # error: mypy pyright
    user.tags = ["x"]  # error: mypy pyright
    user.tags.add(3)  # error: mypy pyright
    user.address = Note("x")  # error: mypy pyright
    user.nope = 3  # error: mypy pyright
    takes(user.address.city)  # error: mypy pyright
    takes(user.age.upper())  # error: mypy pyright
    user.age.exists()  # error: mypy pyright


def operands(user: User) -> None:
    takes(User.age >= "x")  # error: mypy pyright
    takes(User.age < None)  # error: mypy pyright
    takes(User.age > User.email)  # error: mypy pyright
    takes(User.email <= 3)  # error: mypy pyright
    takes(User.tags >= "x")  # error: mypy pyright
    takes(User.age.between(1, "x"))  # error: mypy pyright
    takes(User.age.is_in(["x"]))  # error: mypy pyright
    takes(User.age.is_in(3))  # error: mypy pyright
    takes(User.age.begins_with("x"))  # error: mypy pyright
    takes(User.email.begins_with(3))  # error: mypy pyright
    takes(User.email.begins_with(b"x"))  # error: mypy pyright
    takes(User.age.contains(3))  # error: mypy pyright
    takes(User.email.contains(3))  # error: mypy pyright
    takes(User.tags.contains(3))  # error: mypy pyright
    takes(User.scores.contains("x"))  # error: mypy pyright
    takes(User.note.attribute_type("TEXT"))  # error: mypy pyright
    takes(User.scores.size() > "x")  # error: mypy pyright
    takes((User.age > 3) & True)  # error: mypy pyright
    takes((User.age > 3) & (user.age > 3))  # error: mypy pyright
    takes((User.age > 3) | User.active)  # error: mypy pyright


def updates() -> None:
    User.age.set("x")  # error: mypy pyright
    User.age.set(None)  # error: mypy pyright
    User.age.set(User.email)  # error: mypy pyright
    User.tags.set({3})  # error: mypy pyright
    User.scores.set(["x"])  # error: mypy pyright
    User.address.set(Note("x"))  # error: mypy pyright
    User.email.set_default(3)  # error: mypy pyright
    User.age.add("x")  # error: mypy pyright
    User.age.add(0.5)  # error: mypy pyright
    User.email.add(1)  # error: mypy pyright
    User.active.add(1)  # error: mypy pyright
    User.tags.add("x")  # error: mypy pyright
    User.tags.add({3})  # error: mypy pyright
    User.tags.discard("x")  # error: mypy pyright
    User.tags.discard({3})  # error: mypy pyright
    User.scores.discard([1])  # error: mypy pyright
    User.scores.append(1)  # error: mypy pyright
    User.scores.append(["x"])  # error: mypy pyright
    User.scores.prepend(["x"])  # error: mypy pyright
    User.tags.append(["x"])  # error: mypy pyright


def paths() -> None:
    takes(User.address / Address.nope)  # error: mypy pyright
    takes(User.address / "city")  # error: mypy pyright
    takes(User.address / 3)  # error: mypy pyright
    takes(User.scores[0].set("x"))  # error: mypy pyright
    takes(User.counts["x"] >= "y")  # error: mypy pyright
    takes(User.scores[1.5])  # error: mypy pyright
    takes(User.address / Address.zip_code >= "x")  # error: mypy pyright
    takes(User.address / Address.city.set(3))  # error: mypy pyright


async def calls(db: Database, user: User) -> None:
    key = Key(User, "a", "b")
    Key("users", "a")  # error: mypy pyright
    await db.get(User)  # error: mypy pyright
    await db.get("users", "a")  # error: mypy pyright
    await db.get(user, "a")  # error: mypy pyright
    await db.get(key, "b")  # error: mypy pyright
    await db.get(key, consistent="yes")  # error: mypy pyright
    takes((await db.get(key)).age)  # error: mypy pyright
    await db.put(user, where=True)  # error: mypy pyright
    await db.put(user, where=user.age > 3)  # error: mypy pyright
    await db.put(user, where=User.age == "x")  # error: mypy pyright
    await db.put(user, returns="new")  # error: mypy pyright
    await db.update(User, User.age.add(1))  # error: mypy pyright
    await db.update(user, User.age.add(1))  # error: mypy pyright
    await db.update(User.age.add(1))  # error: mypy pyright
    await db.update(key, User.age == 3)  # error: mypy pyright
    await db.update(key, User.age.add(1), where=False)  # error: mypy pyright
    await db.update(key, User.age.add(1), where=User.email != 3)  # error: mypy pyright
    await db.update(key, User.age.add(1), where=User.age.set(1))  # error: mypy pyright
    await db.update(key, User.age.add(1), returns="all")  # error: mypy pyright
    takes((await db.update(key, User.age.add(1), returns="old")).age)  # error: mypy pyright
    await db.delete(key, where=True)  # error: mypy pyright
    await db.delete(key, returns="new")  # error: mypy pyright
    await db.get(key, hidden="yes")  # error: mypy pyright
    await db.delete(key, hard="yes")  # error: mypy pyright
    await db.restore(key, where=User.age > 3)  # error: mypy pyright
    await db.restore(User, "a", "b")  # error: mypy pyright
    takes((await db.restore(key)).nope)  # error: mypy pyright
    db.query(User).with_hidden(True)  # error: mypy pyright
    takes(model("users", hide_expired="yes"))  # error: mypy pyright
    await db.tables.ensure("users")  # error: mypy pyright
    await db.tables.ensure(user)  # error: mypy pyright


async def reading(db: Database, user: User) -> None:
    db.query("users")  # error: mypy pyright
    db.query(user)  # error: mypy pyright
    db.query(User).using(3)  # error: mypy pyright
    db.query(User).where(True)  # error: mypy pyright
    db.query(User).where(User.org == 3)  # error: mypy pyright
    db.query(User).where(user.org == "acme")  # error: mypy pyright
    db.query(User).where(User.age.set(3))  # error: mypy pyright
    db.query(User).limit("x")  # error: mypy pyright
    db.query(User).descending(3)  # error: mypy pyright
    db.scan(User).descending()  # error: mypy pyright
    takes(*db.query(User))  # error: mypy pyright
    first: User = await db.query(User).first()  # error: mypy pyright
    takes(first)


def databases() -> None:
    Database("eu-west-1")  # error: mypy pyright
    Database(region=3)  # error: mypy pyright
    Database(lane="fast")  # error: mypy pyright
    Database(credentials=("key",))  # error: mypy pyright
    Database(timeouts=3)  # error: mypy pyright


async def batches(db: Database, user: User) -> None:
    def told(progress: BatchProgress) -> None:
        takes(progress)

    async def told_text(progress: str) -> None:
        takes(progress)

    db.batch_write(concurrency="x")  # error: mypy pyright
    db.batch_write(4)  # error: mypy pyright
    db.batch_write(on_progress=told)  # error: mypy pyright
    db.batch_write(on_progress=told_text)  # error: mypy pyright
    await db.batch_write()  # error: mypy pyright
    with db.batch_write():  # error: mypy pyright
        takes(user)
    async with db.batch_write() as batch:
        await batch.put()  # error: mypy pyright
        await batch.put(item=user)  # error: mypy pyright
        await batch.delete(user, hard="x")  # error: mypy pyright
        await batch.create(user)  # error: mypy pyright
    takes(batch.report.unprocessed[0].nope)  # error: mypy pyright
    batch.report.written = 3  # error: mypy pyright
    await db.put_many(user)  # error: mypy pyright
    await db.put_many([user], concurrency="x")  # error: mypy pyright
    failed: int = await db.put_many([user])  # error: mypy pyright
    takes(failed, BatchWriteFailed("no", operation="BatchWriteItem"))  # error: mypy pyright
