"""A stream that is left, fails or is cancelled leaves nothing: no task, no connection, and nothing more is sent."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from dynamorm_async import Throttled
from dynamorm_async.model.spec import spec_of
from dynamorm_async.transport.base import Credentials, Endpoint, Timeouts
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response
from tests.property.fake_table import FakeTable
from tests.property.reading_models import (
    Event,
    Read,
    collect,
    filled,
    iterate,
    page_by_page,
    query_of,
    scan_of,
)
from tests.unit.transport.scripted_server import answer, read_request, serving

pytestmark = pytest.mark.anyio
TABLE = spec_of(Event).table


KINDS: dict[str, Callable[[FakeTable], Read]] = {
    "one partition": lambda table: query_of(Event, table.send).where(Event.stream == "a"),
    "a filter": lambda table: query_of(Event, table.send).where(Event.stream == "a", Event.kind == "odd"),
    "merged": lambda table: query_of(Event, table.send).where(Event.stream.is_in(["a", "b", "c"])),
    "in turn": lambda table: (
        query_of(Event, table.send).where(Event.region.is_in(["eu", "us"]), Event.note == "").using("by_region")
    ),
    "hydrated": lambda table: query_of(Event, table.send).where(Event.kind == "odd").using("keys_by_kind").hydrate(),
    "segments": lambda table: scan_of(Event, table.send).segments(3),
}


def read_of(kind: str, table: FakeTable) -> Read:
    """A kind of stream, over pages of two."""
    return KINDS[kind](table).page_size(2)


async def nothing_goes_on(table: FakeTable, tasks: set[asyncio.Task[Any]]) -> None:
    """After a few turns of the loop there is no task but those of before, and nothing is sent any more."""
    gc.collect(1)  # whatever was dropped is young
    for _ in range(5):
        await asyncio.sleep(0)
    sent = len(table.requests)
    assert asyncio.all_tasks() == tasks
    assert table.in_flight == 0
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(table.requests) == sent


class LeftError(Exception):
    """What a loop's body raises here."""


async def broken_off(read: Read, after: int) -> None:
    seen = 0
    async for _event in read:
        seen += 1
        if seen == after:
            break


async def raised_out_of(read: Read, after: int) -> None:
    seen = 0
    with suppress(LeftError):
        async for _event in read:
            seen += 1
            if seen == after:
                raise LeftError


async def dropped(read: Read, after: int) -> None:
    iterator = aiter(read)
    for _ in range(after):
        await anext(iterator, None)


async def left_its_block(read: Read, after: int) -> None:
    async with read.stream() as stream:
        for _ in range(after):
            await anext(stream, None)


async def left_its_pages(read: Read, after: int) -> None:
    async with read.pages() as pages:
        for _ in range(after):
            await anext(pages, None)


async def limited(read: Read, after: int) -> None:
    async for _event in read.limit(max(after, 1)):
        pass


WAYS = (broken_off, raised_out_of, dropped, left_its_block, left_its_pages, limited)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leave", WAYS, ids=lambda leave: leave.__name__)
async def test_a_stream_left_early_leaves_nothing(kind: str, leave: Callable[[Read, int], Awaitable[None]]) -> None:
    """break, an exception, a dropped iterator, the end of a block or a limit, after any number of items."""
    for after in range(8):
        table = FakeTable(TABLE, filled(6, streams="abc"))
        tasks = asyncio.all_tasks()
        await leave(read_of(kind, table), after)
        await nothing_goes_on(table, tasks)


@pytest.mark.filterwarnings("ignore:the (query|scan) of Event was never awaited")  # cancelled before its first turn
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["await", "async for", "pages", "page", "count"])
async def test_a_stream_cancelled_anywhere_leaves_nothing(kind: str, way: str) -> None:
    """Cancelled after any number of turns of the loop, until it is so late that the reading has ended."""
    ways: dict[str, Callable[[Read], Awaitable[Any]]] = {
        "await": collect,
        "async for": iterate,
        "pages": page_by_page,
        "page": lambda read: read.page(size=5),
        "count": lambda read: read.count(),
    }
    for turns in range(400):
        table = FakeTable(TABLE, filled(6, streams="abc"))
        tasks = asyncio.all_tasks()
        reading = asyncio.ensure_future(run(ways[way], read_of(kind, table)))
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = reading.done()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        assert reading.cancelled() != ended
        del reading
        await nothing_goes_on(table, tasks)
        if ended:
            return
    pytest.fail("the reading never ended")


async def run(way: Callable[[Read], Awaitable[Any]], read: Read) -> None:
    await way(read)


async def test_a_cancelled_scope_leaves_nothing() -> None:
    """An anyio scope that is cancelled inside the loop ends the stream, and the program goes on."""
    table = FakeTable(TABLE, filled(6, streams="abc"))
    tasks = asyncio.all_tasks()
    with anyio.CancelScope() as scope:
        async with read_of("segments", table).stream() as stream:
            async for _event in stream:
                scope.cancel()
    assert scope.cancelled_caught
    await nothing_goes_on(table, tasks)


@pytest.mark.parametrize("kind", ["merged", "segments"])
async def test_the_end_of_a_block_waits_for_what_was_fetched_ahead(kind: str) -> None:
    """``async with``: when it is left no task is there any more, even where a limit had ended the stream before."""
    table = FakeTable(TABLE, filled(6, streams="abc"))
    for limit in (None, 1, 3):
        tasks = asyncio.all_tasks()
        read = read_of(kind, table)
        async with (read if limit is None else read.limit(limit)).stream() as stream:
            await anext(stream)
            if limit is not None:
                assert len([event async for event in stream]) == limit - 1
        assert asyncio.all_tasks() == tasks
        assert table.in_flight == 0


@pytest.mark.parametrize("kind", ["merged", "segments", "in turn"])
@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize("way", ["await", "async for", "pages", "count"])
async def test_an_error_in_one_part_ends_its_siblings(kind: str, at: int, way: str) -> None:
    """The error comes out as it is, in no group; the other parts are cancelled."""
    table = FakeTable(TABLE, filled(6, streams="abc"))
    tasks = asyncio.all_tasks()

    def fail(request: Request) -> None:
        if len(table.requests) >= at and request is table.requests[at - 1]:
            raise Throttled("too fast", operation=request.operation, table=request.table)

    table.before = fail
    read = read_of(kind, table)
    ways: dict[str, Callable[[Read], Awaitable[Any]]] = {
        "await": collect,
        "async for": iterate,
        "pages": page_by_page,
        "count": lambda read: read.count(),
    }
    with pytest.raises(Throttled) as caught:
        await ways[way](read)
    assert str(caught.value) == f"{table.requests[0].operation} on table events: too fast"
    del caught
    await nothing_goes_on(table, tasks)


@pytest.mark.parametrize("way", ["anext", "next_page"])
async def test_siblings_end_though_the_stream_is_kept(way: str) -> None:
    """A part that fails ends the others at once, whoever still holds the stream."""
    tasks, in_flight = asyncio.all_tasks(), 0

    async def failing(request: Request, _timeout: float | None, /) -> Response:
        nonlocal in_flight
        in_flight += 1
        try:
            await asyncio.sleep(0)
            if request.body["Segment"] == 1:
                raise Throttled("too fast", operation="Scan", table="events")
            await asyncio.Event().wait()
            raise AssertionError("nobody sets that event")
        finally:
            in_flight -= 1

    stream = scan_of(Event, failing).segments(3).stream()
    with pytest.raises(Throttled):
        await (anext(stream) if way == "anext" else stream.next_page())
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert in_flight == 0
    await stream.aclose()


async def test_an_error_fetched_ahead_is_told_when_its_page_is_due() -> None:
    """The items of the present page come first; a stream that is dropped before hides the error without a warning."""
    table = FakeTable(TABLE, filled(4))

    def fail(request: Request) -> None:
        if "ExclusiveStartKey" in request.body:
            raise Throttled("too fast", operation="Query", table="events")

    table.before = fail
    query = query_of(Event, table.send).where(Event.stream == "a").page_size(2)
    seen: list[int] = []

    async def slowly() -> None:
        async for event in query:
            seen.append(event.seq)
            for _ in range(10):
                await asyncio.sleep(0)

    with pytest.raises(Throttled):
        await slowly()
    assert seen == [0, 1]
    tasks, complaints = asyncio.all_tasks(), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    stream = query.stream()
    await anext(stream)
    for _ in range(10):
        await asyncio.sleep(0)
    del stream
    await nothing_goes_on(table, tasks)
    assert complaints == []


async def test_an_error_while_being_cancelled_is_nobodys() -> None:
    """What was fetched ahead and fails on its way out, when nobody wants it any more, is not complained of."""
    table, complaints = FakeTable(TABLE, filled(4)), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async def failing_late(request: Request, timeout: float | None, /) -> Response:
        if "ExclusiveStartKey" not in request.body:
            return await table.send(request, timeout)
        never: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        try:
            return await never
        except asyncio.CancelledError:
            raise Throttled("too fast", operation="Query", table="events") from None

    query = query_of(Event, failing_late).where(Event.stream == "a").page_size(2)
    tasks = asyncio.all_tasks()
    stream = query.stream()
    await anext(stream)
    await asyncio.sleep(0)
    del stream
    await nothing_goes_on(table, tasks)
    async with query.stream() as stream:
        await anext(stream)
        await asyncio.sleep(0)
    del stream
    await nothing_goes_on(table, tasks)
    assert complaints == []


async def test_a_stream_goes_on_after_an_error() -> None:
    """The page that failed is read again by the next anext(): nothing is lost, nothing comes twice."""
    for kind in ("one partition", "merged", "segments", "in turn"):
        table = FakeTable(TABLE, filled(4, streams="ab"))
        failures = iter([3, 5, 6])
        due = next(failures)

        def fail(request: Request) -> None:
            nonlocal due
            if len(table.requests) >= due:  # noqa: B023 - used within this round
                due = next(failures, 1000)  # noqa: B023 - as above
                raise Throttled("too fast", operation=request.operation, table=request.table)

        expected = Counter((event.stream, event.seq) for event in await read_of(kind, table))
        table.requests.clear()
        table.before = fail
        found = Counter[tuple[str, int]]()
        stream = read_of(kind, table).stream()
        errors = 0
        while True:
            try:
                event = await anext(stream, None)
            except Throttled:
                errors += 1
                continue
            if event is None:
                break
            found[event.stream, event.seq] += 1
        assert found == expected
        assert errors >= 1


# --- over real connections -------------------------------------------------------------------------------


class Keys:
    """The same keys at all times."""

    def current(self) -> Credentials:
        return Credentials("AKIA", "secret")

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        assert rejected is None, "nobody rejects keys here"
        return self.current()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each Query with three items and a key to go on from."""
    while True:
        _headers, body = await read_request(reader)
        start = int(json.loads(body).get("ExclusiveStartKey", {"seq": {"N": "0"}})["seq"]["N"])
        items = [{"stream": {"S": "a"}, "seq": {"N": str(n)}} for n in range(start + 1, start + 4)]
        page = {"Items": items, "Count": 3, "ScannedCount": 3, "LastEvaluatedKey": items[-1]}
        writer.write(answer(json.dumps(page).encode()))


async def consumed(events: AsyncIterator[Event], after: int) -> list[int]:
    """The first sequence numbers of a stream that is left by break."""
    seen: list[int] = []
    async for event in events:
        seen.append(event.seq)
        if len(seen) == after:
            break
    return seen


async def test_ten_streams_left_early_leave_no_task_and_no_connection() -> None:
    """Ten at the same time over real connections: afterwards no task is there and no connection is leased."""
    tasks = asyncio.all_tasks()
    async with serving(endless) as port:
        lane = DirectLane(
            endpoint=Endpoint("http", "127.0.0.1", port, "eu-west-1"),
            credentials=Keys(),
            timeouts=Timeouts(),
            pool_size=10,
            ssl_context=None,
            user_agent="dynamorm-async/test",
        )
        sender = Sender(lane, timeouts=Timeouts())

        async def send(request: Request, timeout: float | None, /) -> Response:
            return await sender.send(request, timeout=timeout)

        query = query_of(Event, send).where(Event.stream == "a")
        for after in range(1, 8):
            found = await asyncio.gather(*(consumed(aiter(query), after) for _ in range(10)))
            assert found == [list(range(1, after + 1))] * 10
            gc.collect()
            for _ in range(10):
                await asyncio.sleep(0)
            assert lane.statistics().leased == 0
        started = asyncio.all_tasks() - tasks
        assert [task for task in started if "scripted_server" not in repr(task)] == []  # the server's own go on
        await sender.aclose()
        await lane.aclose()
        assert lane.statistics().open == 0
