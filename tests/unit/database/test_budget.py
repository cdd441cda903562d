"""A scan's budget of capacity units a second: kept by what DynamoDB reports, on a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import pytest

from dynamorm_async import Scan
from dynamorm_async.database.budget import Budget
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, filled, query_of, scan_of

pytestmark = pytest.mark.anyio
PAGE = Request(operation="Scan", body={"TableName": "events"}, table="events")


class Time:
    """The loop's clock, which only sleeping moves; other tasks get their turns meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(anyio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.now + seconds
        for _ in range(3):
            await asyncio.sleep(0)
        self.now = max(self.now, until)


def costing(units: float | None, *, seen: list[Request]) -> Callable[[Request, float | None], object]:
    async def send(request: Request, _timeout: float | None, /) -> Response:
        seen.append(request)
        report = b"" if units is None else b'"ConsumedCapacity": {"TableName": "events", "CapacityUnits": %f}' % units
        return Response(body=b"{%s}" % report)

    return send


async def test_each_request_waits_until_the_one_before_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 10 units a second, pages of 25 units are two and a half seconds apart; the first goes out at once."""
    time, seen = Time(monkeypatch), list[Request]()
    send = Budget(10).around(costing(25, seen=seen))  # type: ignore[arg-type]  # a coroutine function
    for _ in range(4):
        await send(PAGE, None)
    assert time.slept == [2.5, 2.5, 2.5]
    assert [request.body["ReturnConsumedCapacity"] for request in seen] == ["TOTAL"] * 4


async def test_time_that_passed_anyhow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow consumer does not wait twice, and saves up no credit for later."""
    time = Time(monkeypatch)
    send = Budget(10).around(costing(20, seen=[]))  # type: ignore[arg-type]  # a coroutine function
    await send(PAGE, None)
    time.now += 1.5
    await send(PAGE, None)
    assert time.slept == [0.5]
    time.now += 1000.0
    await send(PAGE, None)
    assert time.slept == [0.5]
    await send(PAGE, None)
    assert time.slept == [0.5, 2.0]


async def test_an_answer_without_a_report_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that reports nothing is not waited for."""
    time = Time(monkeypatch)
    send = Budget(10).around(costing(None, seen=[]))  # type: ignore[arg-type]  # a coroutine function
    for _ in range(3):
        await send(PAGE, None)
    assert time.slept == []


@pytest.mark.parametrize("segments", [1, 4])
async def test_a_scan_keeps_to_its_budget(segments: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all its segments, on average; items, pages and counts alike. The loop turns meanwhile."""
    time, table = Time(monkeypatch), FakeTable(spec_of(Event).table, filled(10, streams="abcdef"))  # a unit an item
    scan: Scan[Event] = scan_of(Event, table.send).segments(segments).page_size(5).capacity(2)
    for run in (scan.stream().rest, scan.count):
        turns, begun = 0, time.now

        async def turning() -> None:
            nonlocal turns
            while True:  # until it is cancelled
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.ensure_future(turning())
        await run()
        ticking.cancel()
        last = 5 * segments  # what was read last is not waited for
        assert (60 - last) / 2 <= time.now - begun <= 60 / 2
        assert turns > len(time.slept)
    assert all(request.body["ReturnConsumedCapacity"] == "TOTAL" for request in table.requests)


async def test_hydrating_is_paid_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The items that a scan of an index reads from the table count, too."""
    time, table = Time(monkeypatch), FakeTable(spec_of(Event).table, filled(4))
    await scan_of(Event, table.send).using("keys_by_kind").hydrate().page_size(2).capacity(1)
    assert [request.operation for request in table.requests][:2] == ["Scan", "BatchGetItem"]
    assert all(request.body["ReturnConsumedCapacity"] == "TOTAL" for request in table.requests)
    assert len(time.slept) >= 2


async def test_without_a_budget_nothing_is_asked_for() -> None:
    """Only a budget makes DynamoDB report."""
    table = FakeTable(spec_of(Event).table, filled(3))
    assert len(await query_of(Event, table.send).where(Event.stream == "a")) == 3
    assert "ReturnConsumedCapacity" not in table.requests[0].body
