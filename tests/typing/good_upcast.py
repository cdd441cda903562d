"""Schema versions that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from dynamorm_async import (
    Attr,
    Condition,
    ConditionFailed,
    Database,
    Key,
    SchemaConflict,
    Upcaster,
    attr,
    model,
    outdated,
    partition_key,
    upcast,
)


def keep(item: dict[str, Any]) -> dict[str, Any]:
    return item


@model("customers", schema=4, schema_attribute="v")
class Customer:
    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr()
    last: Attr[str] = attr()

    @upcast(from_version=1)
    @staticmethod
    def split_name(item: dict[str, Any]) -> dict[str, Any]:
        first, _, last = item.pop("name").partition(" ")
        return {**item, "first": first, "last": last}

    @staticmethod
    @upcast(from_version=2)
    def other_order(item: dict[str, Any]) -> dict[str, Any]:
        return item

    from_elsewhere = upcast(from_version=3)(keep)


assert_type(Customer.split_name, Upcaster)
assert_type(Customer.split_name({"name": "Ada Lovelace"}), dict[str, Any])
assert_type(Customer.from_elsewhere.from_version, int)
assert_type(outdated(Customer), Condition)


async def backfill(db: Database) -> None:
    async for customer in db.scan(Customer).where(outdated(Customer)).segments(4):
        assert_type(customer, Customer)
        await db.save(customer)
    assert_type(db.statistics().upcast, Mapping[str, int])


async def conflicts(db: Database) -> None:
    try:
        await db.update(Key(Customer, "1"), Customer.first.set("Ada"))
    except SchemaConflict as conflict:
        failed: ConditionFailed = conflict
        assert_type(failed.raw_item, Mapping[str, Any] | None)
        assert_type(conflict.found, int | None)
        assert_type(conflict.expected, int)
        assert_type(conflict, SchemaConflict)
