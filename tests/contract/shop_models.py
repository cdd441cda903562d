"""What the suite of single-table design writes: the shop of the example, and a table that another program has filled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import GSI, Attr, Database, Table, attr, model
from examples.shop import Address, Customer, Inventory, Order, OrderItem, Status
from tests.contract.models import connect, unique
from tests.engines import Lane, call

PREFIX = "single-"
START = datetime(2026, 1, 30, 12, tzinfo=UTC)

fleet = Table(
    "fleet",
    partition_key="PK",
    sort_key="SK",
    indexes=[GSI("by-depot", "GSI1PK", "GSI1SK", projection="keys_only")],
    discriminator="EntityType",
)


@model(fleet, type="VEHICLE", PK="VEHICLE#{plate:raw}", SK="VEHICLE", keys={"by-depot": ("{depot:raw}", "{bought}")})
class Vehicle:
    """Its texts as they are, a date, and an index that holds keys alone."""

    plate: Attr[str] = attr(name="Plate")
    depot: Attr[str | None] = attr(default=None, name="Depot")
    bought: Attr[date] = attr(name="Bought")


@model(fleet, type="TRIP", PK="VEHICLE#{plate:raw}", SK="TRIP#{number:06}")
class Trip:
    """A number of fixed width."""

    plate: Attr[str] = attr(name="Plate")
    number: Attr[int] = attr(name="Number")
    kilometres: Attr[Decimal] = attr(default=Decimal(0))


@pytest.fixture
async def market(endpoint: str, lane: Lane, prepared: set[str]) -> AsyncIterator[Database]:
    """An open database with these tables; all tests share them, so each uses customers and products of its own."""
    async with connect(endpoint, lane, prefix=PREFIX) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            await db.tables.ensure(Customer, Address, Order, OrderItem, Inventory, Vehicle, Trip)
            prepared.add(mark)
        yield db


async def customer_with_orders(db: Database, *statuses: Status) -> list[Order]:
    """A customer with an order a day, oldest first, and nothing else."""
    customer_id = unique()
    return [
        await db.create(
            Order(
                customer_id=customer_id,
                order_id=f"o{day}-{customer_id}",
                placed=START + timedelta(days=day),
                status=status,
                total=Decimal(day),
            )
        )
        for day, status in enumerate(statuses)
    ]


def stored(endpoint: str, table: str, **key: str) -> dict[str, Any]:
    """An item as the engine has it; empty where there is none."""
    body = {"TableName": PREFIX + table, "Key": {name: {"S": value} for name, value in key.items()}}
    status, answer = call(endpoint, "GetItem", {**body, "ConsistentRead": True})
    assert status == 200, answer
    item: dict[str, Any] = answer.get("Item", {})
    return item


def store(endpoint: str, table: str, item: Mapping[str, Any]) -> None:
    """Store an item without this library."""
    status, answer = call(endpoint, "PutItem", {"TableName": PREFIX + table, "Item": item})
    assert status == 200, answer


def index_keys(item: Mapping[str, Any]) -> dict[str, str]:
    """The keys of the shop's indexes that an item has."""
    return {name: value["S"] for name, value in item.items() if name.startswith("gsi")}
