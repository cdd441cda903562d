"""The main job in one file: typed models created, read, queried, updated and deleted in DynamoDB.

Run it with `make demo`. It starts the embedded engine (moto's server, in this process), so it needs no AWS account;
point `Database` at your own region and table to run the same code on the real service.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import uuid4

from dynamorm_async import (
    Attr,
    Database,
    ItemExists,
    Key,
    VersionConflict,
    attr,
    created_at,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    updated_at,
    version,
)
from dynamorm_async.testing import MotoServer


@embedded
class Address:
    street: Attr[str]
    city: Attr[str]


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key(factory=lambda: uuid4().hex)
    email: Attr[str] = attr()
    age: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(factory=set)
    address: Attr[Address | None] = attr(default=None)
    created: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()

    by_email = index(partition="email")


async def main() -> None:
    with MotoServer() as server:
        async with Database(region="eu-west-1", endpoint=server.endpoint, credentials=("local", "local")) as db:
            await db.tables.ensure(User)
            description = await db.tables.describe(User)
            print(f"table     {description.name} is {description.status}, index {description.indexes[0].index.name}")
            await tour(db)


async def tour(db: Database) -> None:
    ada = await db.create(User(org="acme", user_id="u1", email="ada@example.com", age=36))
    print(f"created   {ada.email}, version {ada.revision}, at {ada.created:%Y-%m-%d %H:%M}Z")

    try:
        await db.create(User(org="acme", user_id="u1", email="eve@example.com"))
    except ItemExists as error:
        print(f"refused   the key is taken by {error.item.email}")

    found = await db.get(User, "acme", "u1", consistent=True)
    print(f"read      equal to what was written: {found == ada}")

    ada = await db.update(
        Key(User, "acme", "u1"),
        User.age.add(1),
        User.tags.add({"admin"}),
        User.address.set(Address(street="12 St James's Square", city="London")),
        where=(User.age < 130) & User.email.exists(),
    )
    print(f"updated   age {ada.age}, tags {ada.tags}, version {ada.revision}")

    ada = await db.update(Key(User, "acme", "u1"), User.address / Address.city.set("Paris"))
    print(f"nested    {ada.address}")

    for number in range(2, 6):
        await db.put(User(org="acme", user_id=f"u{number}", email=f"user{number}@example.com", age=10 * number))

    print("query     org acme, 30 and older, last first:")
    async for user in db.query(User).where(User.org == "acme", User.age >= 30).descending():
        print(f"            {user.user_id}  {user.email:20}  {user.age}")
    first = await db.query(User).where(User.email == "user3@example.com").first()
    print(f"by email  {first.user_id if first else None}, through the index by_email")

    mine = await db.get(User, "acme", "u1")
    theirs = await db.get(User, "acme", "u1")
    if mine is None or theirs is None:
        raise LookupError("the user is gone")
    mine.email = "ada@acme.example"
    await db.save(mine)
    theirs.age = 99
    try:
        await db.save(theirs)
    except VersionConflict as error:
        print(f"conflict  theirs is version {error.expected}, the table has {error.found}: nothing was lost")

    await db.delete(mine)
    print(f"deleted   {await db.get(User, 'acme', 'u1')}")


if __name__ == "__main__":
    asyncio.run(main())
