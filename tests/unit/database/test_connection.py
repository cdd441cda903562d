"""A database opens on first use, once, in one loop, and is closed once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest

from dynamorm_async import Attr, ConfigurationError, Database, DatabaseClosed, UsageError, model, partition_key
from tests.unit.database.recording import ENDPOINT, RecordingControl, record


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()


@pytest.mark.anyio
async def test_nothing_is_opened_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making and entering a database costs nothing; the first call opens the lane and names it."""
    lane = record(monkeypatch)
    async with Database() as db:
        assert (lane.opened, db.lane, db.endpoint) == (0, None, None)
        assert repr(db) == "<Database not connected yet>"
        assert await db.get(Thing, "a") is None
        assert (lane.opened, db.lane, db.endpoint) == (1, "direct", ENDPOINT)
        assert repr(db) == f"<Database {ENDPOINT.url}>"
    assert lane.closed


@pytest.mark.anyio
async def test_first_calls_at_once_open_one_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty first calls at the same time share one opening."""
    lane = record(monkeypatch)
    async with Database() as db, anyio.create_task_group() as group:
        for n in range(50):
            group.start_soon(db.get, Thing, str(n))
    assert (lane.opened, len(lane.requests)) == (1, 50)


@pytest.mark.anyio
async def test_a_failed_opening_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An opening that failed is told to its caller, and the next call opens anew."""
    lane = record(monkeypatch)
    lane.failures.append(ConfigurationError("no region"))
    async with Database() as db:
        with pytest.raises(ConfigurationError, match="no region"):
            await db.get(Thing, "a")
        assert await db.get(Thing, "a") is None
    assert (lane.opened, len(lane.requests)) == (2, 1)


@pytest.mark.anyio
async def test_an_opening_that_was_cancelled_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is cancelled while it opens the lane leaves no lock behind: the next call opens it."""
    lane = record(monkeypatch)
    lane.gate = anyio.Event()
    async with Database() as db:
        async with anyio.create_task_group() as group:
            group.start_soon(db.get, Thing, "a")
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        lane.gate.set()
        assert await db.get(Thing, "a") is None
    assert (lane.opened, len(lane.requests)) == (2, 1)


@pytest.mark.anyio
async def test_after_close_every_call_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads, writes, queries, streams and tables all say that the database is closed; nothing is sent."""
    lane = record(monkeypatch, control=RecordingControl({}))
    db = Database()
    await db.get(Thing, "a")
    await db.aclose()
    await db.aclose()
    sent = len(lane.requests)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: db.get(Thing, "a"),
        lambda: db.put(Thing(pk="a")),
        lambda: db.delete(Thing(pk="a")),
        lambda: db.query(Thing).where(Thing.pk == "a").first(),
        lambda: anext(aiter(db.scan(Thing))),
        lambda: db.tables.ensure(Thing),
    ]
    for call in calls:
        with pytest.raises(DatabaseClosed, match="closed"):
            await call()
    assert len(lane.requests) == sent


@pytest.mark.anyio
async def test_a_database_that_was_never_used_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing opens nothing, and is final."""
    lane = record(monkeypatch)
    db = Database()
    await db.aclose()
    with pytest.raises(DatabaseClosed):
        await db.get(Thing, "a")
    assert lane.opened == 0


@pytest.mark.anyio
async def test_the_control_client_is_closed_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """What table calls opened is closed with the database, even where closing the lane fails."""
    control = RecordingControl({"DescribeTable": [RuntimeError("odd")]})
    lane = record(monkeypatch, control=control)

    async def fail() -> None:
        lane.closed = True
        raise RuntimeError("closing failed")

    monkeypatch.setattr(lane, "aclose", fail)
    db = Database()
    with pytest.raises(RuntimeError, match="odd"):
        await db.tables.describe(Thing)
    with pytest.raises(RuntimeError, match="closing failed"):
        await db.aclose()
    assert (lane.closed, control.closed) == (True, True)


def test_another_event_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database belongs to the loop that first used it; in another, the error says what to do."""
    lane = record(monkeypatch, control=RecordingControl({}))
    db = Database()

    async def use() -> None:
        await db.get(Thing, "a")

    async def tables() -> None:
        await db.tables.ensure(Thing)

    asyncio.run(use())
    for again in (use, tables):
        with pytest.raises(UsageError, match="another event loop"):
            asyncio.run(again())
    assert len(lane.requests) == 1
