"""Pages for a web API: a function from the client's cursor to a page of users and the next cursor.

`list_users` is what a handler of any web framework would call with the query parameter `cursor`. Cursors are encrypted:
a client can neither read nor change them. Run it with `python examples/pages.py`; it starts the embedded engine.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from dynamorm_async import Attr, CursorError, Database, attr, model, partition_key, sort_key
from dynamorm_async.testing import MotoServer

PAGE_SIZE = 4


@model(table="members")
class Member:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    name: Attr[str] = attr()
    active: Attr[bool] = attr(default=True)


class Users:
    """The users of one organisation, as its members may see them."""

    def __init__(self, db: Database, org: str) -> None:
        self._query = db.query(Member).where(Member.org == org, Member.active == True)  # noqa: E712 - a condition

    async def list_users(self, cursor: str | None) -> dict[str, Any]:  # what the framework turns into JSON
        """A page of users: the body of the answer. A wrong cursor is the client's mistake: status 400."""
        try:
            page = await self._query.page(size=PAGE_SIZE, cursor=cursor)
        except CursorError as error:
            return {"status": 400, "error": str(error)}
        users = [{"id": member.user_id, "name": member.name} for member in page.items]
        return {"status": 200, "users": users, "next": page.cursor}


async def main() -> None:
    with MotoServer() as server:
        async with Database(
            region="eu-west-1",
            endpoint=server.endpoint,
            credentials=("local", "local"),
            cursor_secrets=[secrets.token_urlsafe(32)],  # in production: one secret for all processes
            cursor_lifetime=3600,
        ) as db:
            await db.tables.ensure(Member)
            for number in range(20):
                org = "acme" if number % 2 else "umbrella"
                await db.put(Member(org=org, user_id=f"u{number:02}", name=f"User {number}", active=number % 3 > 0))
            await walk(Users(db, "acme"), Users(db, "umbrella"))


async def walk(acme: Users, umbrella: Users) -> None:
    answer = await acme.list_users(None)
    cursors: list[str] = []
    while True:
        print("page    ", *(user["id"] for user in answer["users"]))
        if answer["next"] is None:
            break
        cursors.append(answer["next"])
        answer = await acme.list_users(answer["next"])
    print("cursor  ", f"{len(cursors[0])} letters, which show nothing: {cursors[0][:24]}…")
    for what, users, cursor in (
        ("foreign", umbrella, cursors[0]),
        ("edited", acme, cursors[0][:-4] + "AAAA"),
        ("rubbish", acme, "page=2"),
    ):
        refused = await users.list_users(cursor)
        print(f"{what:8}", refused["status"], refused["error"])


if __name__ == "__main__":
    asyncio.run(main())
