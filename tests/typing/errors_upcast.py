"""Mistakes with schema versions that type checkers must report: on each marked line, and nowhere else."""

from __future__ import annotations

from typing import Any

from dynamorm_async import Attr, Database, model, outdated, partition_key, upcast


async def later(item: dict[str, Any]) -> dict[str, Any]:
    return item


def of_text(item: dict[str, Any]) -> str:
    return str(item)


@model("customers", schema="2")  # error: mypy pyright
class Customer:
    customer_id: Attr[str] = partition_key()
    one = upcast(from_version=1)(later)  # error: mypy pyright
    two = upcast(from_version=1)(of_text)  # error: mypy pyright
    three = upcast(1)  # error: mypy pyright


async def scanning(db: Database, customer: Customer) -> None:
    await db.scan(Customer).where(outdated(customer))  # error: mypy pyright


async def conflicting(db: Database) -> None:
    db.statistics().upcast["Customer"] = 1  # error: mypy pyright
    outdated()  # error: mypy pyright
