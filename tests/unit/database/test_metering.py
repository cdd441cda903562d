"""Statistics of a database, and measuring a part of the program."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from dynamorm_async import Capacity, Database, Meter, Statistics, Throttled
from dynamorm_async.database.metering import Metering
from dynamorm_async.plan.items import get_item
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio
BODY = b'{"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}, "Items": []}'


def request(operation: str = "Query", *, reporting: bool = True) -> Request:
    body = {"ReturnConsumedCapacity": "TOTAL"} if reporting else {}
    return Request(operation=operation, body={"TableName": "t", **body}, table="t")


def reads(meter: Meter) -> float:
    return meter.statistics.capacity.read


async def test_the_total_counts_everything() -> None:
    """Requests by operation, attempts beyond the first, and capacity where it was asked for and told."""
    metering = Metering()
    assert metering.total.statistics == Statistics(requests={}, retries=0, capacity=Capacity())
    metering.answered(request(), Response(body=BODY))
    metering.answered(request(), Response(body=BODY, attempts=4))
    metering.answered(request("PutItem"), Response(body=BODY))
    metering.answered(request("GetItem", reporting=False), Response(body=BODY))
    metering.answered(request("GetItem"), Response(body=b"{}"))
    assert metering.total.statistics == Statistics(
        requests={"Query": 2, "PutItem": 1, "GetItem": 2},
        retries=3,
        capacity=Capacity(read=1.0, write=0.5, tables={"t": 1.5}),
    )


async def test_statistics_do_not_change_afterwards() -> None:
    """What was read of a meter stays as it was."""
    metering = Metering()
    before = metering.total.statistics
    metering.answered(request(), Response(body=BODY))
    assert before.requests == {}
    assert metering.total.statistics.requests == {"Query": 1}


async def test_only_the_block_is_measured() -> None:
    """Before and after it nothing is counted; blocks inside blocks count for both; the total counts all."""
    metering = Metering()
    metering.answered(request(), Response(body=BODY))
    with metering.measure() as outer:
        metering.answered(request(), Response(body=BODY))
        with metering.measure() as inner:
            metering.answered(request(), Response(body=BODY))
        metering.answered(request(), Response(body=BODY))
    metering.answered(request(), Response(body=BODY))
    assert [reads(meter) for meter in (inner, outer, metering.total)] == [0.5, 1.5, 2.5]


async def test_tasks_of_the_block_are_measured_and_others_are_not() -> None:
    """A task that the block starts counts, whenever it runs; one that was there before, or is beside it, does not."""
    metering, go = Metering(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        metering.answered(request(), Response(body=BODY))

    async def child_and_grandchild() -> None:
        grandchild = asyncio.ensure_future(work())
        await work()
        await grandchild

    before = asyncio.ensure_future(work())
    with metering.measure() as meter:
        child = asyncio.ensure_future(child_and_grandchild())
    beside = asyncio.ensure_future(work())
    go.set()
    await asyncio.gather(before, child, beside)
    assert reads(meter) == 1.0
    assert reads(metering.total) == 2.0


async def test_a_block_asks_for_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of a block that measures capacity ask for it, nothing outside does; the most that is wanted is asked for."""
    lane = record(monkeypatch)
    db = Database(region="eu-west-1")
    ask = get_item("t", {"pk": {"S": "a"}}, consistent=False)
    await db.send(ask)
    with db.measure(capacity="total"):
        await db.send(ask)
        with db.measure(capacity="indexes"), db.measure():
            await db.send(ask)
        await db.send(ask)
    await db.send(ask)
    assert [body.get("ReturnConsumedCapacity") for body in lane.bodies] == [None, "TOTAL", "INDEXES", "TOTAL", None]
    await db.aclose()


async def test_measuring_at_the_same_time() -> None:
    """Ten tasks that measure at once each count their own."""
    metering = Metering()

    async def measured(number: int) -> int:
        with metering.measure() as meter:
            for _ in range(number):
                metering.answered(request(), Response(body=BODY))
                await asyncio.sleep(0)
        return meter.statistics.requests.get("Query", 0)

    assert await asyncio.gather(*map(measured, range(10))) == list(range(10))


async def test_databases_are_measured_apart() -> None:
    """A meter counts for the database that it was made by."""
    one, other = Metering(), Metering()
    with one.measure() as meter:
        other.answered(request(), Response(body=BODY))
        one.answered(request(), Response(body=BODY))
    assert meter.statistics.requests == {"Query": 1}


async def test_an_error_ends_the_measuring() -> None:
    """The block's error comes out, what was counted stays, and the next request is not counted."""
    metering, stack = Metering(), ExitStack()
    meter = stack.enter_context(metering.measure())
    metering.answered(request(), Response(body=BODY))
    error = Throttled("slow", operation="Query")
    assert not stack.__exit__(Throttled, error, None)
    metering.answered(request(), Response(body=BODY))
    assert reads(meter) == 0.5
