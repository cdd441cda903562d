"""Processes with clocks of their own, and one table between them, on a loop whose time is virtual.

A process has a clock that is set and runs as it likes, can be paused as by a collector of garbage or a closed laptop, and
reaches the table over a network that takes its time and loses answers. A request that its sender has given up arrives all
the same.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import anyio
import attrs
import msgspec
import pytest

from dynamorm_async import CallTimeout, ConditionFailed, ConnectionLost, Credentials, Database, Endpoint, Throttled
from dynamorm_async.database import connection
from dynamorm_async.leases import Bookkeeping, LeaseRecord, Timing
from dynamorm_async.transport.credentials import StaticCredentials
from dynamorm_async.transport.lanes import OpenLane, TransportSettings
from dynamorm_async.types import Request, Response
from tests.faults.virtual import running
from tests.property.evaluator import Parser

Raw = dict[str, Any]

_ENDPOINT: Final = Endpoint(scheme="https", host="nowhere.example", port=443, region="eu-west-1")
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """The bookkeeping table.

    Attributes:
        items: what it holds, by partition key.
        tokens: every token, in the order of the acquisitions.
    """

    def __init__(self) -> None:
        self.items: dict[str, Raw] = {}
        self.tokens: list[int] = []

    def apply(self, request: Request) -> Raw:
        """What DynamoDB does.

        Raises:
            ConditionFailed: with the item that is there.
        """
        body = request.body
        if request.operation == "GetItem":
            assert body["ConsistentRead"] is True
            found = self.items.get(body["Key"]["pk"]["S"])
            return {} if found is None else {"Item": copy.deepcopy(found)}
        assert request.operation == "PutItem"
        item, partition = body["Item"], body["Item"]["pk"]["S"]
        before = self.items.get(partition)
        if not Parser(body["ConditionExpression"], body).condition()(before or {}):
            error = ConditionFailed("no", operation="PutItem", code="ConditionalCheckFailedException")
            error.raw_item = copy.deepcopy(before)
            raise error
        self.items[partition] = copy.deepcopy(item)
        if before is None or before["token"] != item["token"]:
            self.tokens.append(int(item["token"]["N"]))
        return {}


@attrs.define
class Travel:
    """What becomes of a request: seconds until it is applied, and until the answer is there; whether either is lost."""

    out: float = 0.001
    back: float = 0.001
    lost: bool = False  # the answer, while the request is applied
    refused: bool = False  # throttled: nothing is applied


class Process:
    """A process of its own: clock, pauses, network.

    Attributes:
        travel: says of each request what becomes of it.
        requests: the operations that it has sent.
    """

    def __init__(self, shelf: Shelf, *, ahead: float, rate: float) -> None:
        self.shelf = shelf
        self.travel: Callable[[Request], Travel] = lambda _request: Travel()
        self.requests: list[str] = []
        self._ahead = ahead
        self._rate = rate
        self._paused_until = 0.0

    @property
    def timing(self) -> Timing:
        return Timing(seconds=self.seconds, wall=self.wall, sleep=self.sleep, random=lambda: 0.5)

    def seconds(self) -> float:
        """Its own clock."""
        return running().now * self._rate + self._ahead

    def wall(self) -> datetime:
        return _START + timedelta(seconds=self.seconds())

    async def sleep(self, seconds: float) -> None:
        """So many of its own seconds."""
        await asyncio.sleep(seconds / self._rate)
        await self.awake()

    def pause(self, seconds: float) -> None:
        """Nothing of this process happens for so many true seconds, but what happens before its next await."""
        self._paused_until = max(self._paused_until, running().now + seconds)

    async def awake(self) -> None:
        """Go on once the pause is over."""
        while (left := self._paused_until - running().now) > 0:  # noqa: ASYNC110 - the clock is virtual
            await asyncio.sleep(left)

    # --- as a lane ---------------------------------------------------------------------------

    async def attempt(self, request: Request, timeout: float) -> Response:
        self.requests.append(request.operation)
        await self.awake()
        request = msgspec.structs.replace(request, body=copy.deepcopy(request.body))  # as it goes over the wire
        loop, travel = running(), self.travel(request)
        answer: asyncio.Future[Raw] = loop.create_future()
        loop.call_later(travel.out, self._arrive, request, travel, answer)
        try:
            with anyio.fail_after(timeout):
                found = await answer
                await asyncio.sleep(travel.back)
        except TimeoutError:
            raise CallTimeout("no answer", operation=request.operation, sent=True) from None
        finally:
            await self.awake()
        return Response(body=msgspec.json.encode(found))

    def _arrive(self, request: Request, travel: Travel, answer: asyncio.Future[Raw]) -> None:
        """Apply a request, whether its sender still waits or not."""
        try:
            result: Raw | Exception = self._answer(request, travel)
        except ConditionFailed as error:
            result = error
        if answer.done():
            return
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def _answer(self, request: Request, travel: Travel) -> Raw | Exception:
        if travel.refused:
            return Throttled("slow down", operation=request.operation)
        found = self.shelf.apply(request)
        return ConnectionLost("broke", operation=request.operation, sent=True) if travel.lost else found

    async def aclose(self) -> None:
        return None


class World:
    """The table and the processes."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self._opening = asyncio.Lock()  # what is patched is one for all

    def record(self, name: str) -> LeaseRecord:
        """A lease as it is stored."""
        raw = self.shelf.items[f"lease#{name}"]
        return LeaseRecord(
            pk=raw["pk"]["S"],
            owner=raw["owner"]["S"] if "owner" in raw else None,
            token=int(raw["token"]["N"]),
            revision=int(raw["revision"]["N"]),
        )

    @asynccontextmanager
    async def process(self, *, ahead: float = 0.0, rate: float = 1.0) -> AsyncGenerator[tuple[Process, Bookkeeping]]:
        """A process, with the bookkeeping as it sees it.

        Args:
            ahead: by how many seconds its clock is ahead.
            rate: how many seconds it counts in one.
        """
        process = Process(self.shelf, ahead=ahead, rate=rate)
        keys = StaticCredentials(Credentials("AKIA", "secret"), source="the test")
        opened = OpenLane(lane=process, name="direct", endpoint=_ENDPOINT, credentials=keys, owned=None, ca_bundle=None)

        async def open_lane(_settings: TransportSettings, *, environ: Mapping[str, str]) -> OpenLane:
            assert environ
            return opened

        async with Database(clock=process.wall) as db:
            await self._open(db, open_lane)
            process.requests.clear()
            yield process, Bookkeeping(db, timing=process.timing)

    async def _open(self, db: Database, open_lane: Callable[..., Awaitable[OpenLane]]) -> None:
        """Let a database have its lane."""
        async with self._opening:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(connection, "open_lane", open_lane)
                await db.get(LeaseRecord, "nothing", "lease", consistent=True)
