"""The database's link to DynamoDB: opened on first use, bound to one event loop, closed once."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from dynamorm_async.database.metering import Metering
from dynamorm_async.errors import DatabaseClosed, UsageError
from dynamorm_async.plan.capacity import Report, reporting
from dynamorm_async.transport.base import Endpoint, Lane, Transport
from dynamorm_async.transport.lanes import LaneName, OpenLane, TransportSettings, open_control, open_lane, open_search
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response

if TYPE_CHECKING:
    from dynamorm_async.transport.sdk import SdkClient


class Connection:
    """Owns the transport and the control-plane client.

    Args:
        settings: how to reach DynamoDB.
        report: what DynamoDB is asked to report of consumed capacity.
    """

    def __init__(self, settings: TransportSettings, *, report: Report = "none") -> None:
        self.metering = Metering()
        self._settings = settings
        self._report: Report = report
        self._opening = asyncio.Lock()
        self._lane: OpenLane | None = None
        self._transport: Transport | None = None
        self._search_lane: Lane | None = None
        self._search: Transport | None = None
        self._control: SdkClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def send(self, request: Request, timeout: float | None) -> Response:
        """Send a data-plane request, opening the lane first where this is the first call.

        Raises:
            DatabaseClosed: it was closed.
            UsageError: it was opened in another event loop.
            CallError, CredentialsError, ConfigurationError: as the transport raises them.
        """
        transport = self._transport
        if transport is None or self._loop is not asyncio.get_running_loop():
            transport = await self.open()
        if self._report != "none":
            request = reporting(request, self._report)
        response = await transport.send(request, timeout=timeout)
        self.metering.answered(request, response)
        return response

    async def search(self, request: Request, timeout: float | None) -> Response:
        """Send a vector search, which DynamoDB serves at an endpoint of its own. Raises as :meth:`send`."""
        transport = self._search
        if transport is None or self._loop is not asyncio.get_running_loop():
            transport = await self._open_search()
        if self._report != "none":
            request = reporting(request, self._report)
        response = await transport.send(request, timeout=timeout)
        self.metering.answered(request, response)
        return response

    async def call(self, operation: str, params: dict[str, Any], *, table: str | None) -> dict[str, Any]:
        """Make a control-plane call through the aiobotocore client. Raises as :meth:`send`."""
        await self.open()
        if self._control is None:
            assert self._lane is not None, "open() has just opened it"  # noqa: S101 - an invariant of this class
            self._control = open_control(self._settings, self._lane)
        return await self._control.call(operation, params, table=table)

    async def open(self) -> Transport:
        """Open the lane. Costs no request. An opening that failed is tried again by the next call."""
        self._check()
        async with self._opening:
            self._check()
            if self._transport is None:
                lane = await open_lane(self._settings, environ=os.environ)
                self._lane, self._loop = lane, asyncio.get_running_loop()
                self._transport = Sender(lane.lane, timeouts=self._settings.timeouts)
            return self._transport

    async def _open_search(self) -> Transport:
        transport = await self.open()
        async with self._opening:
            self._check()
            if self._search is None:
                assert self._lane is not None, "open() has just opened it"  # noqa: S101 - an invariant of this class
                lane = await open_search(self._settings, self._lane, environ=os.environ)
                self._search_lane = lane
                self._search = transport if lane is None else Sender(lane, timeouts=self._settings.timeouts)
            return self._search

    @property
    def lane(self) -> LaneName | None:
        """Which lane was taken; ``None`` before the first call."""
        return None if self._lane is None else self._lane.name

    @property
    def endpoint(self) -> Endpoint | None:
        """Where requests go; ``None`` before the first call."""
        return None if self._lane is None else self._lane.endpoint

    async def aclose(self) -> None:
        """Wait for calls under way, then close everything; later calls raise ``DatabaseClosed``."""
        if self._closed:
            return
        self._closed = True
        async with self._opening:
            searches = None if self._search is self._transport else self._search
        # What others are built on comes last; each is closed whatever becomes of those before it.
        parts = (searches, self._transport, self._control, self._search_lane, self._lane)
        async with AsyncExitStack() as stack:
            for part in reversed([part for part in parts if part is not None]):
                stack.push_async_callback(part.aclose)

    def _check(self) -> None:
        if self._closed:
            raise DatabaseClosed("the database is closed: make calls inside its `async with` block")
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise UsageError(
                "this Database was first used in another event loop, and its connections belong to that one: "
                "open one Database in each loop, for example in the application's lifespan"
            )
