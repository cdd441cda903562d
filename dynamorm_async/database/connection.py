"""The database's link to DynamoDB: opened on first use, bound to one event loop, closed once."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from dynamorm_async.database.metering import Metering
from dynamorm_async.errors import DatabaseClosed, UsageError
from dynamorm_async.plan.capacity import Report, reporting
from dynamorm_async.transport.base import Endpoint, Transport
from dynamorm_async.transport.lanes import LaneName, OpenLane, TransportSettings, open_control, open_lane
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
            lane, transport, control = self._lane, self._transport, self._control
        try:
            if transport is not None:
                await transport.aclose()
        finally:
            try:
                if control is not None:
                    await control.aclose()
            finally:
                if lane is not None:
                    await lane.aclose()

    def _check(self) -> None:
        if self._closed:
            raise DatabaseClosed("the database is closed: make calls inside its `async with` block")
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise UsageError(
                "this Database was first used in another event loop, and its connections belong to that one: "
                "open one Database in each loop, for example in the application's lifespan"
            )
