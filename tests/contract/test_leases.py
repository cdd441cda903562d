"""Leases on every engine through each lane."""

from __future__ import annotations

import math

import anyio
import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    Key,
    LeaseHeld,
    LeaseLost,
    TableNotFound,
    attr,
    model,
    partition_key,
    sort_key,
)
from dynamorm_async.leases import Bookkeeping, Lease, Timing, hold, look
from tests.contract.conftest import TARGETS

pytestmark = pytest.mark.anyio

CONTENDERS = 10
HASTE = 25.0
"""How much shorter the pauses are: between looks at what others hold, and between renewals."""


@model(table="dynamorm")
class Report:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key(default="report")
    fence: Attr[int] = attr(default=0)
    written: Attr[int] = attr(default=0)


async def hurry(seconds: float) -> None:
    await anyio.sleep(seconds / HASTE)


# moto's server runs its requests in threads and has no isolation: a conditional write there may overtake another one.
@pytest.mark.parametrize("target", [target for target in TARGETS if target[0] != "moto"], ids="-".join, indirect=True)
async def test_ten_contend_for_one(db: Database) -> None:
    """Each has it once, never two at a time; every write is let through by its token, and an old token's is refused."""
    books = Bookkeeping(db, timing=Timing(sleep=hurry))
    await books.ensure()
    await books.ensure()
    await db.create(Report(pk="r"))
    inside, tokens = 0, list[int]()

    async def contend() -> None:
        nonlocal inside
        async with hold(db, "report", duration=10.0, wait=math.inf, bookkeeping=books) as lease:
            inside += 1
            assert inside == 1
            tokens.append(lease.token)
            fenced = Report.fence < lease.token
            await db.update(
                Key(Report, "r", "report"), Report.fence.set(lease.token), Report.written.add(1), where=fenced
            )
            await lease.renew()
            lease.check()
            inside -= 1

    async with anyio.create_task_group() as group:
        for _ in range(CONTENDERS):
            group.start_soon(contend)
    assert tokens == list(range(1, CONTENDERS + 1))
    report = await db.get(Report, "r", "report", consistent=True)
    assert report is not None
    assert (report.fence, report.written) == (CONTENDERS, CONTENDERS)
    with pytest.raises(ConditionFailed):
        await db.update(Key(Report, "r", "report"), Report.written.add(1), where=Report.fence < tokens[4])


async def test_what_is_left_behind_is_taken(db: Database) -> None:
    """In a table of another name: who holds is told, who is gone loses it after its duration, and finds out."""
    books = Bookkeeping(db, table="housekeeping")
    with pytest.raises(TableNotFound) as caught:
        await look(db, "x", bookkeeping=books)
    assert "makes the table of leases" in caught.value.__notes__[0]
    await books.ensure()
    assert await look(db, "x", bookkeeping=books) is None
    gone, mine = Lease(books, "x", duration=0.3, owner="gone"), Lease(books, "x", duration=30.0)
    await gone.acquire()
    with pytest.raises(LeaseHeld, match="held by gone/"):
        await mine.acquire()
    await mine.acquire(wait=10.0)
    assert mine.token == 2
    with pytest.raises(LeaseLost):
        gone.check()
    await gone.release()
    await mine.renew()
    found = await look(db, "x", bookkeeping=books)
    assert found is not None
    assert (found.owner, found.token, found.revision, found.duration) == (mine.owner, 2, 3, 30.0)
    await mine.release()
    found = await look(db, "x", bookkeeping=books)
    assert found is not None
    assert (found.owner, found.token) == (None, 2)
