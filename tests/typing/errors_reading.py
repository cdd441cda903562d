"""One mistake in reading a line, each with the checkers that must report it; no other line may be reported."""

from __future__ import annotations

from dynamorm_async import Attr, Database, Key, Prices, attr, embedded, index, model, partition_key, sort_key


@embedded
class Address:
    city: Attr[str] = attr(default="Paris")


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str] = attr(default="")
    age: Attr[int] = attr(default=0)
    score: Attr[int | None] = attr(default=None)
    active: Attr[bool] = attr(default=True)
    tags: Attr[set[str]] = attr(factory=set)
    address: Attr[Address | None] = attr(default=None)

    by_email = index(partition="email")


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def builders(db: Database, user: User) -> None:
    db.query(User).using(3)  # error: mypy pyright
    db.query(User).using(User.email)  # error: mypy pyright
    db.query(User).limit("x")  # error: mypy pyright
    db.query(User).limit(None)  # error: mypy pyright
    db.query(User).page_size("x")  # error: mypy pyright
    db.query(User).after(3)  # error: mypy pyright
    db.query(User).after(None)  # error: mypy pyright
    db.query(User).prefetch("x")  # error: mypy pyright
    db.query(User).consistent(True)  # error: mypy pyright
    db.query(User).where("age > 3")  # error: mypy pyright
    db.query(User).where(User.age >= 18, True)  # error: mypy pyright
    db.query(User).where(user.active)  # error: mypy pyright
    db.query(User).segments(4)  # error: mypy pyright
    db.query(User).capacity(4)  # error: mypy pyright
    db.query(User).offset(3)  # error: mypy pyright
    db.scan(User).descending()  # error: mypy pyright
    db.scan(User).allow_scan()  # error: mypy pyright
    db.scan(User).segments("x")  # error: mypy pyright
    db.scan(User).capacity("x")  # error: mypy pyright


def selections(db: Database, user: User) -> None:
    db.query(User).select()  # error: mypy pyright
    db.query(User).select("email")  # error: mypy pyright
    db.query(User).select(user.email)  # error: mypy pyright
    db.query(User).select(User.age, "email")  # error: mypy pyright
    db.query(User).select(User.age >= 3)  # error: mypy pyright
    db.query(User).select(User.by_email)  # error: mypy pyright
    db.query(User).select(User.nope)  # error: mypy pyright
    db.query(User).select([User.age])  # error: mypy pyright
    db.scan(User).select(User)  # error: mypy pyright
    db.scan(User).select(User.address / "city")  # error: mypy pyright
    db.scan(User).select(user.age)  # error: mypy pyright


async def results(db: Database) -> None:
    query = db.query(User).where(User.org == "acme")
    names: list[str] = await query  # error: mypy pyright
    first: User = await query.first()  # error: mypy pyright
    ages: list[tuple[str]] = await query.select(User.age)  # error: mypy pyright
    pairs: list[tuple[int]] = await query.select(User.age, User.email)  # error: mypy pyright
    number: str = await query.count()  # error: mypy pyright
    takes(names, first, ages, pairs, number)
    takes((await query.first()).age)  # error: mypy pyright
    takes((await query.select(User.age).one()).age)  # error: mypy pyright
    takes((await query.select(User.score).one())[0] + 1)  # error: mypy pyright
    async for name in query:
        takes(name.nope)  # error: mypy pyright
    for _ in query:  # error: mypy pyright
        takes(query)
    with query.stream():  # error: mypy pyright
        takes(query)


async def pages(db: Database) -> None:
    query = db.query(User).where(User.org == "acme")
    await query.page(size="x")  # error: mypy pyright
    await query.page(20)  # error: mypy pyright
    await query.page(cursor=3)  # error: mypy pyright
    await query.page(page=2)  # error: mypy pyright
    takes((await query.page()).items[0].nope)  # error: mypy pyright
    takes((await query.page()).cursor.encode())  # error: mypy pyright
    takes((await query.select(User.age).page()).items[0].age)  # error: mypy pyright
    async for page in query.pages():
        takes(page.age)  # error: mypy pyright


async def aggregates(db: Database, user: User) -> None:
    query = db.query(User).where(User.org == "acme")
    await query.sum(User.email)  # error: mypy pyright
    await query.sum(User.tags)  # error: mypy pyright
    await query.sum(User.address)  # error: mypy pyright
    await query.sum("age")  # error: mypy pyright
    await query.sum(user.age)  # error: mypy pyright
    await query.sum()  # error: mypy pyright
    await query.average("age")  # error: mypy pyright
    await query.min(user.age)  # error: mypy pyright
    query.group_by("email")  # error: mypy pyright
    await query.group_by(User.email).sum(User.email)  # error: mypy pyright
    await query.group_by(User.email).count(User.age)  # error: mypy pyright
    lowest: int = await query.min(User.age)  # error: mypy pyright
    average: float = await query.average(User.age)  # error: mypy pyright
    counts: dict[int, int] = await query.group_by(User.email).count()  # error: mypy pyright
    takes(lowest, average, counts)


async def batches(db: Database, keys: list[Key[User]], user: User) -> None:
    await db.batch_get("acme", "u1")  # error: mypy pyright
    await db.batch_get(User, "acme", "u1")  # error: mypy pyright
    await db.batch_get(user)  # error: mypy pyright
    await db.batch_get(keys)  # error: mypy pyright
    await db.batch_get(*keys, concurrency="4")  # error: mypy pyright
    await db.batch_get(*keys, 4)  # error: mypy pyright
    await db.batch_get(*keys, timeout="3")  # error: mypy pyright
    users: list[User] = await db.batch_get(*keys)  # error: mypy pyright
    ages: list[tuple[str] | None] = await db.batch_get(*keys).select(User.age)  # error: mypy pyright
    takes(users, ages)
    takes((await db.batch_get(*keys))[0].age)  # error: mypy pyright
    db.batch_get(*keys).select()  # error: mypy pyright
    db.batch_get(*keys).select("email")  # error: mypy pyright
    db.batch_get(*keys).select(user.age)  # error: mypy pyright
    db.batch_get(*keys).where(User.age > 3)  # error: mypy pyright
    for _ in db.batch_get(*keys):  # error: mypy pyright
        takes(user)
    async for found in db.batch_get(*keys):
        takes(found.age)  # error: mypy pyright
    async for _key, item in db.batch_get(*keys):
        takes(item.age)  # error: mypy pyright


async def transactions(db: Database, key: Key[User]) -> None:
    await db.transact_get(User, "acme", "u1")  # error: mypy pyright
    await db.transact_get([key])  # error: mypy pyright
    await db.transact_get(key, consistent=True)  # error: mypy pyright
    await db.transact_get(key, timeout="3")  # error: mypy pyright
    one: User = await db.transact_get(key)  # error: mypy pyright
    (user,) = await db.transact_get(key)
    takes(one, user.age)  # error: mypy pyright
    takes((await db.transact_get(key, key))[2])  # error: mypy pyright


def databases() -> None:
    Database(cursor_secrets=[3])  # error: mypy pyright
    Database(capacity="all")  # error: mypy pyright
    Database(cursor_lifetime="1h")  # error: mypy pyright
    Prices(read_per_million=0.25, write_per_million=1.25)  # error: mypy pyright
