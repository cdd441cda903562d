"""One cancellation at every step of every public operation: no task, no connection, no wrong answer is left behind."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import dynamorm_async.database as package
from dynamorm_async import Database
from dynamorm_async.database import execution, keyed, running, transact_get
from dynamorm_async.transport.connection import Connection
from dynamorm_async.transport.lanes import LaneName
from dynamorm_async.transport.pool import Pool
from tests.unit.database.cancel_operations import OPERATIONS, Operation
from tests.unit.database.cancel_walk import Start, walk

# The stride thins out the pairs of step and way; every operation is met all the same. `walk(..., stride=1)` takes them all.
# A first call on the sdk lane makes a client of aiobotocore, which takes long: there, two operations stand for all.
WALKS: list[tuple[LaneName, Start, int, tuple[str, ...]]] = [
    ("direct", "warm", 4, ()),
    ("direct", "retry", 7, ()),
    ("direct", "cold", 14, ()),
    ("sdk", "warm", 19, ()),
    ("sdk", "retry", 29, ()),
    ("sdk", "cold", 5, ("get", "put_many")),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("lane", "start", "stride", "only"), WALKS)
async def test_nothing_is_left_behind(lane: LaneName, start: Start, stride: int, only: tuple[str, ...]) -> None:
    """Whatever is cancelled wherever: no task, no leased connection, no caller in the queue; the next call gets its answer."""
    walked = await walk(lane, start, stride=stride, only=only)
    assert walked.problems == []
    assert walked.visited == list(only or OPERATIONS)
    assert sum(walked.steps.values()) > len(walked.visited) / 4


@pytest.mark.anyio
async def test_nothing_is_left_behind_by_what_is_decoded_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where every answer is a large one: cancelled between two slices, too."""
    for module in (execution, keyed, running, transact_get):
        monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(running, "SLOW", 0)
    only = ("batch_get", "batch_get_stream", "transact_get", "query", "query_stream", "query_ends", "execute")
    walked = await walk("direct", "warm", stride=4, only=only)
    assert walked.problems == []
    assert walked.visited == list(only)


@pytest.mark.anyio
async def test_the_walk_finds_a_lost_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk itself: where a cancelled call does not give its connection back, it says so."""
    release, loop = Pool.release, asyncio.get_running_loop()

    def careless(pool: Pool, connection: Connection) -> None:
        if connection.ready:
            release(pool, connection)
        else:
            loop.call_later(0.1, release, pool, connection)  # so that the walk's own close ends

    monkeypatch.setattr(Pool, "release", careless)
    found = await walk("direct", "warm", only=["get"])
    assert any("1 connections stayed leased" in problem for problem in found.problems), found.problems


@pytest.mark.anyio
async def test_the_walk_finds_a_task_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk itself: where an operation leaves a task behind, it says so."""
    left: list[asyncio.Task[object]] = []

    async def careless(db: Database) -> None:
        left.append(asyncio.ensure_future(asyncio.Event().wait()))
        await OPERATIONS["put"].run(db)

    monkeypatch.setitem(OPERATIONS, "get", Operation(careless, frozenset()))
    found = await walk("direct", "warm", only=["get"])
    for task in left:
        task.cancel()
    assert any("tasks were left" in problem for problem in found.problems), found.problems


# Parts of the layer that callers never hold: what they do is walked through with the operations that use them.
INSIDE = {
    *("Send", "BatchSender", "Connection", "Hydrator", "KeyProvider", "KeyReader", "Modification", "Sealer", "Search"),
    *("Source", "Turns"),
}
ABSTRACT = {"Reader", "ModelReader"}  # what Query, Scan and Collection inherit
SPECIAL = ("__await__", "__aiter__", "__anext__", "__aenter__", "__aexit__", "__call__")


def ways_in(cls: type) -> set[str]:
    """The public methods of a class that suspend a caller, inherited ones included."""
    found: set[str] = set()
    for name in dir(cls):
        method: Any = inspect.getattr_static(cls, name)
        is_async = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
        if (is_async and (not name.startswith("_") or name in SPECIAL)) or (
            name in SPECIAL[:3] and not getattr(method, "__isabstractmethod__", False)
        ):
            found.add(f"{cls.__name__}.{name}")
    return found


def public_surface() -> set[str]:
    """Every way into a database, by inspection of the whole layer."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(package.__path__):
        inside = importlib.import_module(f"{package.__name__}.{module.name}")
        for name, cls in inspect.getmembers(inside, inspect.isclass):
            public = not name.startswith("_") and name not in INSIDE | ABSTRACT
            if public and cls.__module__ == inside.__name__:
                found |= ways_in(cls)
    return found


def test_every_public_coroutine_is_walked() -> None:
    """A new coroutine, builder, iterator or block needs an operation of the walk; one that is gone leaves it."""
    covered = {way for operation in OPERATIONS.values() for way in operation.covers}
    assert public_surface() - covered == set(), "add them to cancel_operations.py"
    assert covered - public_surface() == set(), "these are gone"
