"""A database opens on first use, once, in one loop, and is closed once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import anyio
import pytest

from dynamorm_async import (
    Attr,
    CallTimeout,
    ConfigurationError,
    Database,
    DatabaseClosed,
    Key,
    UsageError,
    attr,
    model,
    partition_key,
)
from tests.unit.database.recording import ENDPOINT, RecordingControl, record


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    note: Attr[str | None] = attr(default=None)


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
@pytest.mark.parametrize("waiting", [False, True])
async def test_an_opening_counts_to_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch, *, waiting: bool) -> None:
    """Whoever opens the lane, or waits for it to be opened, waits no longer than its call may take; the next call opens it."""
    lane = record(monkeypatch)
    lane.gate = anyio.Event()
    async with Database() as db:
        async with anyio.create_task_group() as group:
            if waiting:
                group.start_soon(db.get, Thing, "a")
                await anyio.wait_all_tasks_blocked()
            with (
                anyio.fail_after(10),
                pytest.raises(CallTimeout, match=r"0.02 s were over before endpoint .* were found"),
            ):
                await db.get(Thing, "a", timeout=0.02)
            group.cancel_scope.cancel()
        assert lane.requests == []
        lane.gate.set()
        assert await db.get(Thing, "a") is None


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


def every_entry_point(db: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    """One call for each way into a database, builders, iterators and blocks among them."""
    thing, key = Thing(pk="a"), Key(Thing, "a")

    async def block() -> None:
        async with db.batch_write() as batch:
            await batch.put(thing)

    async def transaction() -> None:
        async with db.transaction() as tx:
            tx.put(thing)

    return {
        "get": lambda: db.get(Thing, "a"),
        "put": lambda: db.put(thing),
        "create": lambda: db.create(thing),
        "update": lambda: db.update(key, Thing.note.set("x")),
        "delete": lambda: db.delete(key),
        "query": lambda: db.query(Thing).where(Thing.pk == "a").first(),
        "scan": lambda: anext(aiter(db.scan(Thing))),
        "pages": lambda: anext(aiter(db.scan(Thing).pages())),
        "batch_get": lambda: awaited(db.batch_get(key)),
        "batch_get stream": lambda: anext(aiter(db.batch_get(key))),
        "batch_write": block,
        "put_many": lambda: db.put_many([thing]),
        "transaction": transaction,
        "transact_get": lambda: db.transact_get(key),
        "partiql": lambda: awaited(db.partiql.execute("SELECT * FROM things")),
        "tables": lambda: db.tables.ensure(Thing),
    }


async def awaited(builder: Awaitable[object]) -> object:
    return await builder


def test_another_event_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database belongs to the loop that first used it; in another, every way in and the close say what to do."""
    lane = record(monkeypatch, control=RecordingControl({}))
    db = Database()

    async def use() -> None:
        await db.get(Thing, "a")

    async def elsewhere() -> None:
        for name, call in every_entry_point(db).items():
            with pytest.raises(UsageError, match="another event loop") as caught:
                await call()
            assert type(caught.value) is UsageError, name
        with pytest.raises(UsageError, match="close it there"):
            await db.aclose()

    with asyncio.Runner() as home:
        home.run(use())
        asyncio.run(elsewhere())
        assert len(lane.requests) == 1
        home.run(use())  # unharmed
        assert not lane.closed
        home.run(db.aclose())
    assert (len(lane.requests), lane.closed) == (2, True)


def test_a_loop_in_which_opening_failed_binds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that did not open belongs to no loop yet."""
    lane = record(monkeypatch)
    lane.failures.append(ConfigurationError("no region"))
    db = Database()

    async def use() -> None:
        await db.get(Thing, "a")

    with pytest.raises(ConfigurationError):
        asyncio.run(use())
    asyncio.run(use())
    assert len(lane.requests) == 1


def test_another_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork of the process that first used a database may not use it: every way in and the close say what to do."""
    lane = record(monkeypatch, control=RecordingControl({}))
    db, process = Database(), os.getpid()

    async def use() -> None:
        await db.get(Thing, "a")
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: process + 1)
            for name, call in every_entry_point(db).items():
                with pytest.raises(UsageError, match="open a Database in each process") as caught:
                    await call()
                assert type(caught.value) is UsageError, name
            with pytest.raises(UsageError, match=f"process {process}, and this one \\({process + 1}\\)"):
                await db.aclose()
        await db.get(Thing, "a")
        await db.aclose()

    asyncio.run(use())
    assert (len(lane.requests), lane.closed) == (2, True)


@pytest.mark.anyio
async def test_closes_at_the_same_time_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every close returns when everything is closed, and what is closed is closed once."""
    lane = record(monkeypatch)
    closes, go = 0, anyio.Event()

    async def slow() -> None:
        nonlocal closes
        closes += 1
        await go.wait()
        lane.closed = True

    monkeypatch.setattr(lane, "aclose", slow)
    db = Database()
    await db.get(Thing, "a")
    closing = [asyncio.ensure_future(db.aclose()) for _ in range(3)]
    await anyio.wait_all_tasks_blocked()
    assert not any(close.done() for close in closing)
    go.set()
    await asyncio.gather(*closing)
    assert lane.closed
    sent, closed_once = len(lane.requests), closes
    await db.aclose()
    assert (len(lane.requests), closes) == (sent, closed_once)


@pytest.mark.anyio
async def test_a_close_that_was_cancelled_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close that is cancelled refuses later calls all the same; the next one closes what it left open."""
    lane = record(monkeypatch)
    go = anyio.Event()

    async def slow() -> None:
        await go.wait()
        lane.closed = True

    monkeypatch.setattr(lane, "aclose", slow)
    db = Database()
    await db.get(Thing, "a")
    with anyio.move_on_after(0):
        await db.aclose()
    assert not lane.closed
    with pytest.raises(DatabaseClosed):
        await db.get(Thing, "a")
    go.set()
    await db.aclose()
    assert lane.closed
