"""Mistakes with PartiQL that mypy and pyright must report: each marked line, and no other."""

from __future__ import annotations

from dynamorm_async import Attr, Database, PlainValue, Statement, Table, attr, index, model, partition_key


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)
    email: Attr[str] = attr(default="x")

    by_email = index(partition="email")


class Plain:
    pass


SELECT = 'SELECT * FROM "users" WHERE org = ?'
READ_USER = Statement(SELECT, "a", into=User)
READ_ROW = Statement(SELECT, "a")


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def statements() -> None:
    Statement()  # error: mypy pyright
    Statement(3)  # error: mypy pyright
    Statement(b"SELECT 1")  # error: mypy pyright
    Statement(text=SELECT)  # error: mypy pyright
    Statement(SELECT, object())  # error: mypy pyright
    Statement(SELECT, Plain())  # error: mypy pyright
    Statement(SELECT, 1 + 2j)  # error: mypy pyright
    Statement(SELECT, {1: "a"})  # error: mypy pyright
    Statement(SELECT, [Plain()])  # error: mypy pyright
    Statement(SELECT, {"a": Plain()})  # error: mypy pyright
    Statement(SELECT, User.age)  # error: mypy pyright
    Statement(SELECT, User(org="a"))  # error: mypy pyright
    Statement(SELECT, takes)  # error: mypy pyright
    Statement(SELECT, "a", into="User")  # error: mypy pyright
    Statement(SELECT, "a", into=User(org="a"))  # error: mypy pyright
    Statement(SELECT, "a", limit=3)  # error: mypy pyright
    Statement(SELECT, parameters=["a"])  # error: mypy pyright
    READ_USER.text = "SELECT 1"  # error: mypy pyright
    READ_USER.into = None  # error: mypy pyright
    READ_USER.nope()  # error: mypy pyright
    narrow: Statement[int] = READ_USER  # error: mypy pyright
    takes(narrow)


def building(db: Database) -> None:
    db.partiql.execute()  # error: mypy pyright
    db.partiql.execute(3)  # error: mypy pyright
    db.partiql.execute(READ_USER)  # error: mypy pyright
    db.partiql.execute(SELECT, Plain())  # error: mypy pyright
    db.partiql.execute(SELECT, User(org="a"))  # error: mypy pyright
    db.partiql.execute(SELECT, "a", into="User")  # error: mypy pyright
    db.partiql.execute(SELECT, "a", into=User(org="a"))  # error: mypy pyright
    db.partiql.execute(SELECT, "a", limit="3")  # error: mypy pyright
    db.partiql.execute(SELECT, "a", page_size=2.5)  # error: mypy pyright
    db.partiql.execute(SELECT, "a", consistent="yes")  # error: mypy pyright
    db.partiql.execute(SELECT, "a", timeout="1s")  # error: mypy pyright
    db.partiql.execute(SELECT, "a", token="t")  # error: mypy pyright
    db.partiql.execute(SELECT, "a").limit(3)  # error: mypy pyright
    db.partiql.table("users")  # error: mypy pyright
    db.partiql.table(User(org="a"))  # error: mypy pyright
    db.partiql.table(User, "by_email")  # error: mypy pyright
    db.partiql.table(User, index=User.email)  # error: mypy pyright
    db.partiql.table(Table("shop", partition_key="pk"), index=3)  # error: mypy pyright
    db.partiql = db.partiql  # error: mypy pyright


async def results(db: Database) -> None:
    users: list[str] = await db.partiql.execute(SELECT, "a", into=User)  # error: mypy pyright
    rows: list[User] = await db.partiql.execute(SELECT, "a")  # error: mypy pyright
    takes(users, rows)
    takes((await db.partiql.execute(SELECT, "a"))[0].age)  # error: mypy pyright
    takes((await db.partiql.execute(SELECT, "a"))[0]["age"] + 1)  # error: mypy pyright
    takes((await db.partiql.execute(SELECT, "a", into=User))[0]["age"])  # error: mypy pyright
    takes((await db.partiql.execute(SELECT, "a", into=User))[0].nope)  # error: mypy pyright
    async for user in db.partiql.execute(SELECT, "a", into=User):
        takes(user.nope)  # error: mypy pyright
    for _ in db.partiql.execute(SELECT, "a"):  # error: mypy pyright
        takes(db)
    with db.partiql.execute(SELECT, "a"):  # error: mypy pyright
        takes(db)


async def together(db: Database) -> None:
    await db.partiql.batch(SELECT)  # error: mypy pyright
    await db.partiql.batch([READ_USER])  # error: mypy pyright
    await db.partiql.batch(READ_USER, SELECT)  # error: mypy pyright
    await db.partiql.batch(READ_USER, token="t")  # error: mypy pyright
    await db.partiql.batch(READ_USER, consistent="yes")  # error: mypy pyright
    await db.partiql.transact(SELECT)  # error: mypy pyright
    await db.partiql.transact([READ_USER])  # error: mypy pyright
    await db.partiql.transact(READ_USER, consistent=True)  # error: mypy pyright
    await db.partiql.transact(READ_USER, token=3)  # error: mypy pyright
    await db.partiql.transact(READ_USER, timeout="1s")  # error: mypy pyright
    (one,) = await db.partiql.batch(READ_USER)
    takes(one.age)  # error: mypy pyright
    user, row = await db.partiql.transact(READ_USER, READ_ROW)
    takes(user.age)  # error: mypy pyright
    takes(row["age"])  # error: mypy pyright
    wrong: tuple[User, User] = await db.partiql.batch(READ_USER, READ_USER)  # error: mypy pyright
    value: PlainValue = READ_USER  # error: mypy pyright
    takes(wrong, value)
