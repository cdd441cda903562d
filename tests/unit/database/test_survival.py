"""What a process lives through: restarts and moves of the server, a freeze, a fork, a crowd of first calls."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import Database, Key
from dynamorm_async.transport.lanes import LaneName
from tests.unit.database import fork_program
from tests.unit.database.cancel_operations import Walked
from tests.unit.database.canned_dynamo import CannedDynamo, canned_dynamo

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("lane", ["direct", "sdk"])]

ROOT = Path(__file__).parents[3]


def database(endpoint: str, lane: LaneName, *, pool_size: int = 10) -> Database:
    return Database(
        endpoint=endpoint, region="eu-west-1", credentials=("AKIA", "secret"), lane=lane, pool_size=pool_size
    )


async def ten_calls(db: Database) -> None:
    """Reads, and writes that may not be sent twice, at the same time."""
    calls: list[Awaitable[object]] = [db.get(Walked, f"p{n}", "s") for n in range(5)]
    calls += [db.update(Key(Walked, f"p{n}", "s"), Walked.note.set("x")) for n in range(5)]
    await asyncio.gather(*calls)


async def test_a_restart_of_the_server_is_not_noticed(lane: LaneName) -> None:
    """Connections that a server closed when it ended are not used again: no call fails, and none is made twice."""
    async with canned_dynamo() as before:
        port, endpoint = before.port, before.endpoint
        db = database(endpoint, lane)
        await ten_calls(db)
    async with canned_dynamo(port) as after:
        await ten_calls(db)
        assert (len(after.operations), db.statistics().retries) == (10, 0)
        await db.aclose()


async def test_a_frozen_process_goes_on(lane: LaneName, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server hung up while the loop did not run: ten of ten calls succeed at their first attempt."""
    async with canned_dynamo() as dynamo:
        db, loop = database(dynamo.endpoint, lane), asyncio.get_running_loop()
        await ten_calls(db)
        kept = len(dynamo.open)
        assert kept > 1
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + 2)  # the freeze
        dynamo.hang_up_unseen()
        await ten_calls(db)
        assert (len(dynamo.operations), db.statistics().retries) == (20, 0)
        assert dynamo.accepted > kept
        await db.aclose()


async def test_a_name_that_moved_is_followed(lane: LaneName, monkeypatch: pytest.MonkeyPatch) -> None:
    """New connections go where the name leads then; nothing remembers where it led."""
    async with canned_dynamo() as there:
        async with canned_dynamo() as here:
            leads_to = here

            async def getaddrinfo(host: str, *_: object, **__: object) -> list[Any]:
                assert host == "dynamo.test"
                found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", leads_to.port))
                return [found]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
            db = database("http://dynamo.test:8000", lane)
            await ten_calls(db)
            leads_to = there
        await ten_calls(db)
        assert (len(here.operations), len(there.operations), db.statistics().retries) == (10, 10, 0)
        await db.aclose()


async def test_first_calls_open_no_more_connections_than_the_pool_has(lane: LaneName) -> None:
    """Hundreds of first calls at once, and a pool of ten: ten sockets at most, each call with its own answer."""
    count = 500 if lane == "direct" else 200
    async with canned_dynamo() as dynamo:
        db = database(dynamo.endpoint, lane)
        found = await asyncio.gather(*(db.get(Walked, f"p{n}", "s") for n in range(count)))
        assert [item and item.pk for item in found] == [f"p{n}" for n in range(count)]
        assert dynamo.accepted <= 10
        assert dynamo.misuse == []
        await db.aclose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
async def test_a_fork_is_told_and_its_parent_goes_on(lane: LaneName) -> None:
    """In the child, calls and close say what to do, in the parent's loop as in another; the parent's connections live on."""
    async with canned_dynamo() as dynamo:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            fork_program.__file__,
            dynamo.endpoint,
            lane,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        output, _ = await process.communicate()
        said = output.decode().splitlines()
        assert (
            len([line for line in said if line.startswith("child: ") and "open a Database in each process" in line])
            == 4
        )
        assert said[4:] == ["child ended with 0", "parent made 11 requests, 0 of them again"]
        assert check_one_connection(dynamo)


def check_one_connection(dynamo: CannedDynamo) -> bool:
    """Whether all that was asked came over one connection, whole."""
    return dynamo.accepted == 1 and dynamo.misuse == []
