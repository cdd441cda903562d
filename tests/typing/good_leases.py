"""Leases and calls by name, as users write them; both checkers accept every line."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from dynamorm_async import Database, LeaseHeld, LeaseLost, leases


async def held(db: Database) -> None:
    books = leases.Bookkeeping(db, table="housekeeping")
    async with leases.hold(db, "report", duration=30, wait=0, bookkeeping=books) as lease:
        assert_type(lease, leases.Lease)
        assert_type(lease.token, int)
        assert_type(lease.remaining, float)
        lease.check()
        await lease.lost.wait()
    assert_type(await leases.look(db, "report"), leases.LeaseRecord | None)


async def by_hand(books: leases.Bookkeeping) -> str:
    lease = leases.Lease(books, "report", owner="me")
    try:
        await lease.acquire(wait=5)
        await lease.renew()
    except LeaseHeld as error:
        assert_type(error.renewed, datetime)
        return error.owner
    except LeaseLost as error:
        return error.name
    await lease.release()
    return lease.name


async def by_name(db: Database) -> None:
    assert_type(await db.call("DescribeTable", {"TableName": db.tables.name(leases.LeaseRecord)}), dict[str, Any])
