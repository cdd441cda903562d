"""The database's link to DynamoDB: opened on first use, bound to one event loop, closed once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dynamorm_async.database.metering import Metering
from dynamorm_async.errors import CallTimeout, DatabaseClosed, UsageError
from dynamorm_async.plan.capacity import Report, reporting
from dynamorm_async.transport.base import Endpoint, Lane, Transport
from dynamorm_async.transport.lanes import LaneName, OpenLane, TransportSettings, open_control, open_lane, open_search
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response

if TYPE_CHECKING:
    from dynamorm_async.database.keyring import KeyProvider
    from dynamorm_async.database.sealing import Sealer
    from dynamorm_async.transport.control import Control


T = TypeVar("T")

_CROWD: Final = 2
"""How many calls for each connection may be busy before others wait to be planned: one waits while one is served."""


class Connection:
    """Owns the transport and the control-plane client.

    Args:
        settings: how to reach DynamoDB.
        report: what DynamoDB is asked to report of consumed capacity.
        keys: of encrypted attributes; ``None`` without any.
    """

    def __init__(
        self, settings: TransportSettings, *, report: Report = "none", keys: KeyProvider | None = None
    ) -> None:
        self.metering = Metering()
        self._settings = settings
        self._report: Report = report
        self._keys = keys
        self._sealer: Sealer | None = None
        if keys is not None:
            self._sealing()  # refuses keys where they cannot be used
        self._opening = asyncio.Lock()
        self._lane: OpenLane | None = None
        self._transport: Sender | None = None
        self._search_lane: Lane | None = None
        self._search: Transport | None = None
        self._control: Control | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0  # the id of the process that first used it
        self._closed = False
        self._ended = False

    async def send(self, request: Request, timeout: float | None) -> Response:
        """Send a data-plane request, opening the lane first where this is the first call.

        Raises:
            DatabaseClosed: it was closed.
            UsageError: it was first used in another event loop or process.
            CallTimeout: the call's time was over before the lane was open.
            CallError, CredentialsError, ConfigurationError: as the transport raises them.
        """
        transport = self._transport
        if transport is None or self._loop is not asyncio.get_running_loop() or self._process != os.getpid():
            opened, timeout = await self._in_time(self.open, request.operation, timeout)
            transport = opened
        if request.sealed or self._report != "none" or self.metering.asking:
            return await self._deliver(transport, request, timeout)
        response = await transport.send(request, timeout=timeout)  # as _deliver does, without a coroutine more
        self.metering.answered(request, response)
        return response

    def whole(self, timeout: float | None) -> float:
        """Seconds for a call of possibly several requests: ``timeout``, or the database's own for a call."""
        return self._settings.timeouts.call if timeout is None else timeout

    @property
    def crowded(self) -> bool:
        """Whether a call should take its :meth:`turn` before it is planned: others keep every connection busy."""
        transport = self._transport
        return self._opening.locked() if transport is None else transport.crowded

    def turn(self, operation: str, timeout: float | None) -> Awaitable[float]:
        """Wait until a call may begin, as ``Sender.turn`` says. Ten thousand calls at once do not stall the loop so.

        Raises:
            UsageError, ConfigurationError: as :meth:`send` raises them.
            PoolTimeout, CallTimeout, DatabaseClosed: as ``Sender.turn`` raises them.
        """
        transport = self._transport
        if transport is None or self._loop is not asyncio.get_running_loop() or self._process != os.getpid():
            return self._turn_after_opening(operation, timeout)
        return transport.turn(operation, timeout)

    async def _turn_after_opening(self, operation: str, timeout: float | None) -> float:
        transport, left = await self._in_time(self.open, operation, timeout)
        return await transport.turn(operation, left)

    async def begin(self, operation: str, timeout: float | None) -> float | None:
        """As :meth:`turn`, at once where nobody is in the way; a call of several requests may have no bound for them all."""
        if not self.crowded:
            return timeout
        left = await self.turn(operation, timeout)
        return None if timeout is None else left

    async def search(self, request: Request, timeout: float | None) -> Response:
        """Send a vector search, which DynamoDB serves at an endpoint of its own. Raises as :meth:`send`."""
        transport = self._search
        if transport is None or self._loop is not asyncio.get_running_loop() or self._process != os.getpid():
            opened, timeout = await self._in_time(self._open_search, request.operation, timeout)
            transport = opened
        return await self._deliver(transport, request, timeout)

    def _sealing(self) -> Sealer:
        if self._sealer is None:
            from dynamorm_async.database.sealing import Sealer  # noqa: PLC0415 - loaded when first used

            self._sealer = Sealer(self._keys)
        return self._sealer

    async def _deliver(self, transport: Transport, request: Request, timeout: float | None) -> Response:
        report = self.metering.report(self._report) if self.metering.asking else self._report
        if report != "none":
            request = reporting(request, report)
        if request.sealed:
            response = await self._sealing().send(transport, request, timeout)
        else:
            response = await transport.send(request, timeout=timeout)
        self.metering.answered(request, response)
        return response

    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Make a control-plane call through the aiobotocore client, as ``Control.call`` says. Raises as :meth:`send`."""
        _, left = await self._in_time(self.open, operation, timeout)
        if self._control is None:
            assert self._lane is not None, "open() has just opened it"  # noqa: S101 - an invariant of this class
            self._control = open_control(self._settings, self._lane)
        return await self._control.call(operation, params, table=table, timeout=left)

    async def open(self) -> Sender:
        """Open the lane. Costs no request. An opening that failed is tried again by the next call."""
        self._check()
        async with self._opening:
            self._check()
            if self._transport is None:
                self._loop, self._process = asyncio.get_running_loop(), os.getpid()
                try:
                    self._lane = lane = await open_lane(self._settings, environ=os.environ)
                except BaseException:
                    self._loop = None  # it did not open: any loop may try again
                    raise
                room = _CROWD * self._settings.pool_size
                self._transport = Sender(lane.lane, timeouts=self._settings.timeouts, room=room)
            return self._transport

    async def _in_time(
        self, opening: Callable[[], Awaitable[T]], operation: str, timeout: float | None
    ) -> tuple[T, float]:
        """What is opened, within the time of the call that needs it, and the seconds that are left of that.

        Raises:
            CallTimeout: it took longer; the next call begins it anew.
        """
        seconds, clock = self.whole(timeout), asyncio.get_running_loop().time
        scope = asyncio.timeout_at(end := clock() + seconds)  # anyio's loads all of anyio, which a get can do without
        try:
            async with scope:
                opened = await opening()
                return opened, end - clock()
        except TimeoutError:
            if not scope.expired():
                raise
        message = f"the call's {seconds:g} s were over before endpoint and credentials were found; nothing was sent"
        raise CallTimeout(message, operation=operation, attempts=0)

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
        """Wait for calls under way, then close everything; later calls raise ``DatabaseClosed``.

        A close that is cancelled waits no longer and ends the calls under way; what it left open, another one closes.

        Raises:
            UsageError: it was first used in another event loop or process.
        """
        self._check_home()
        self._closed = True
        async with self._opening:
            if self._ended:
                return
            searches = None if self._search is self._transport else self._search
            # What others are built on comes last; each is closed whatever becomes of those before it.
            parts = (searches, self._transport, self._control, self._search_lane, self._lane)
            async with AsyncExitStack() as stack:
                for part in reversed([part for part in parts if part is not None]):
                    stack.push_async_callback(part.aclose)
            self._ended = True

    def _check(self) -> None:
        if self._closed:
            raise DatabaseClosed("the database is closed: make calls inside its `async with` block")
        self._check_home()

    def _check_home(self) -> None:
        """Refuse a loop or process that it does not belong to: two of them on one socket would read each other's answers."""
        if self._loop is None:
            return
        if self._process != os.getpid():
            raise UsageError(
                f"this Database was first used in process {self._process}, and this one ({os.getpid()}) is a fork of it, "
                "which must not touch its connections: open a Database in each process, after the fork"
            )
        if self._loop is not asyncio.get_running_loop():
            raise UsageError(
                "this Database was first used in another event loop, and its connections belong to that one: "
                "open one Database in each loop, for example in the application's lifespan, and close it there"
            )
