"""One mistake with transactions or unique values a line, each with the checkers that must report it; no other line may be."""

from __future__ import annotations

from dynamorm_async import (
    Attr,
    Database,
    Key,
    NotUnique,
    Transaction,
    TransactionCancelled,
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
    email: Attr[str] = attr(default="")
    age: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(factory=set)
    revision: Attr[int] = version()

    one_email = unique("email")


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def declarations(user: User) -> None:
    unique(3)  # error: mypy pyright
    unique(None)  # error: mypy pyright
    unique(User.email)  # error: mypy pyright
    unique(["email"])  # error: mypy pyright
    unique("email", name=3)  # error: mypy pyright
    unique("email", attributes="age")  # error: mypy pyright
    unique(email=True)  # error: mypy pyright
    User(org="acme", user_id="u1", one_email="x")  # error: mypy pyright
    takes(User.one_email.set("x"))  # error: mypy pyright
    takes(User.one_email.exists())  # error: mypy pyright
    takes(user.one_email.upper())  # error: mypy pyright
    takes(User.one_email > "x")  # error: mypy pyright
    takes(User.one_email + "x")  # error: mypy pyright


async def options(db: Database) -> None:
    db.transaction("t-1")  # error: mypy pyright
    db.transaction(token=3)  # error: mypy pyright
    db.transaction(token=b"t-1")  # error: mypy pyright
    db.transaction(at="now")  # error: mypy pyright
    db.transaction(at=3)  # error: mypy pyright
    db.transaction(timeout="x")  # error: mypy pyright
    db.transaction(isolation="serializable")  # error: mypy pyright
    db.transaction(db)  # error: mypy pyright
    Transaction()  # error: mypy pyright


def operations(tx: Transaction, user: User, key: Key[User]) -> None:
    tx.create()  # error: mypy pyright
    tx.create(user, user)  # error: mypy pyright
    tx.create(item=user)  # error: mypy pyright
    tx.create(user, where=User.age > 3)  # error: mypy pyright
    tx.put()  # error: mypy pyright
    tx.put(user, User.age > 3)  # error: mypy pyright
    tx.put(user, where=True)  # error: mypy pyright
    tx.put(user, where=user.age > 3)  # error: mypy pyright
    tx.put(user, where=User.age == "x")  # error: mypy pyright
    tx.put(user, where=User.age.set(3))  # error: mypy pyright
    tx.put(user, returns="old")  # error: mypy pyright
    tx.put(user, timeout=3)  # error: mypy pyright
    tx.update(User, User.age.add(1))  # error: mypy pyright
    tx.update(user, User.age.add(1))  # error: mypy pyright
    tx.update(User.age.add(1))  # error: mypy pyright
    tx.update("users", User.age.add(1))  # error: mypy pyright
    tx.update(key, User.age == 3)  # error: mypy pyright
    tx.update(key, {"age": 3})  # error: mypy pyright
    tx.update(key, User.age.add("x"))  # error: mypy pyright
    tx.update(key, User.email.add(1))  # error: mypy pyright
    tx.update(key, User.age.set(None))  # error: mypy pyright
    tx.update(key, User.tags.add({3}))  # error: mypy pyright
    tx.update(key, User.age.add(1), where=False)  # error: mypy pyright
    tx.update(key, User.age.add(1), where=User.email != 3)  # error: mypy pyright
    tx.update(key, User.age.add(1), upsert="yes")  # error: mypy pyright
    tx.update(key, User.age.add(1), returns="new")  # error: mypy pyright
    tx.save()  # error: mypy pyright
    tx.save(item=user)  # error: mypy pyright
    tx.save(user, where=True)  # error: mypy pyright
    tx.delete()  # error: mypy pyright
    tx.delete(target=key)  # error: mypy pyright
    tx.delete(key, where=True)  # error: mypy pyright
    tx.delete(key, where=user.age > 3)  # error: mypy pyright
    tx.delete(key, returns="old")  # error: mypy pyright
    tx.delete(User, "acme", "u1")  # error: mypy pyright
    tx.check()  # error: mypy pyright
    tx.check(key, True)  # error: mypy pyright
    tx.check(key, user.age > 3)  # error: mypy pyright
    tx.check(key, User.age.add(1))  # error: mypy pyright
    tx.check(key, User.age == "x")  # error: mypy pyright
    tx.check(key, where=User.age > 3)  # error: mypy pyright
    tx.get(key)  # error: mypy pyright
    tx.query(User)  # error: mypy pyright
    tx.modify(key)  # error: mypy pyright
    tx.commit()  # error: mypy pyright
    tx.rollback()  # error: mypy pyright
    tx.put(user).nope()  # error: mypy pyright
    takes(len(tx))  # error: mypy pyright
    takes(tx[0])  # error: mypy pyright
    takes(*tx)  # error: mypy pyright


async def uses(db: Database, user: User) -> None:
    with db.transaction():  # error: mypy pyright
        takes(db)
    async for _ in db.transaction():  # error: mypy pyright
        takes(db)
    count: int = await db.transaction().create(user)  # error: mypy pyright
    takes(count)
    async with db.transaction() as tx:
        takes(tx.nope)  # error: mypy pyright


def failures(cancelled: TransactionCancelled, taken: NotUnique) -> None:
    takes(cancelled.failures[0].nope)  # error: mypy pyright
    takes(cancelled.failures[0].index.upper())  # error: mypy pyright
    takes(cancelled.failures[0].error.item)  # error: mypy pyright
    takes(cancelled.failures.append(taken))  # error: mypy pyright
    takes(cancelled.reasons[0].code)  # error: mypy pyright
    takes(cancelled.failure)  # error: mypy pyright
    takes(taken.attributes.append("x"))  # error: mypy pyright
    takes(taken.attributes[0] + 3)  # error: mypy pyright
