"""Mistakes with plans of tables that both checkers report. Never run."""

from __future__ import annotations

from dynamorm_async import Attr, Database, Provisioned, TableSettings, model, partition_key, schema


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()


async def mistakes(db: Database) -> None:
    await schema.plan(db, User, allow=["drop_table"])  # error: mypy pyright
    await schema.plan(db, "users")  # error: mypy pyright
    await schema.apply(db, [])  # error: mypy pyright
    await schema.apply(db, await schema.plan(db, User), on_progress=len)  # error: mypy pyright
    await schema.auto_migrate(db, User, backup="copy")  # error: mypy pyright
    TableSettings(stream="everything")  # error: mypy pyright
    TableSettings(billing=5)  # error: mypy pyright
    Provisioned(read=1)  # error: mypy pyright
