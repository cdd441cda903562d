"""Retry amplification and recovery (figure 9): how many requests calls make under throttling, and what an outage leaves behind.

Ours run on a virtual clock: minutes cost nothing, and what is measured does not depend on the machine. The control, raw
aiobotocore, is the same in short, with its real pauses.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio

from dynamorm_async import CallError, Throttled, Timeouts
from dynamorm_async.errors import ServerError
from dynamorm_async.transport.retry import DEFAULT_POLICY
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response
from tests.faults.catalogue import CATALOGUE
from tests.faults.fault import Fault
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.raw_store import RAISED, raw_client
from tests.faults.scripts import always, plain, seeded

SHARE = 0.3  # of attempts that are throttled
RATE = 20.0  # calls in a second, of an outage and after it
ANSWER = 0.005  # seconds that an attempt takes
AFTER = 300  # calls after an outage
_TURNS = 3  # of the loop, in which what was woken goes to sleep again


@dataclass(slots=True)
class Storm:
    """What calls came to.

    Attributes:
        calls: how many there were.
        requests: how many attempts they made.
        failed: how many ended with an error.
        given_up: how many of these although they had attempts left: the budget of retries was used up.
    """

    calls: int = 0
    requests: int = 0
    failed: int = 0
    given_up: int = 0

    @property
    def amplification(self) -> float:
        """Requests for one call."""
        return self.requests / self.calls


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage, and what came after it.

    Attributes:
        during: while every attempt failed.
        well: afterwards, all being well.
        shaky: afterwards, had every third attempt gone on failing.
    """

    during: Storm
    well: Storm
    shaky: Storm


# --- ours -------------------------------------------------------------------------------------


@dataclass(slots=True)
class VirtualTime:
    """A clock that goes on to the next sleeper whenever all sleep."""

    now: float = 0.0
    _sleepers: list[tuple[float, int, asyncio.Future[None]]] = field(
        default_factory=list[tuple[float, int, "asyncio.Future[None]"]]
    )
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def sleep(self, seconds: float) -> None:
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), waker))
        await waker

    async def run(self) -> None:
        """Wake one after the other until nobody sleeps any more."""
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not self._sleepers:
                return
            self.now, _, waker = heapq.heappop(self._sleepers)
            waker.set_result(None)


class Weather:
    """A lane whose attempts fail as it is told.

    Attributes:
        requests: attempts so far.
        failing: the error that an attempt meets now, if any.
    """

    def __init__(self, time: VirtualTime, failing: Callable[[], CallError | None]) -> None:
        self._time = time
        self.requests = 0
        self.failing = failing

    async def attempt(self, request: Request, timeout: float) -> Response:  # noqa: ARG002 - all requests fare alike
        self.requests += 1
        await self._time.sleep(min(ANSWER, timeout))
        error = self.failing()
        if error is not None:
            raise error
        return Response(body=b"{}")

    async def aclose(self) -> None:
        """Nothing is open."""


class Service:
    """Our transport on a virtual clock before a service whose health changes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - dice that fall the same way again
        self._time = VirtualTime()
        self._lane = Weather(self._time, lambda: None)
        self._sender = Sender(
            self._lane,
            timeouts=Timeouts(),
            sleep=self._time.sleep,
            clock=lambda: self._time.now,
            random=self._random.random,
        )

    async def calls(self, count: int, *, rate: float, share: float, make: Callable[[], CallError]) -> Storm:
        """So many calls, one after the other at this rate each second, of whose attempts this share fails."""
        self._lane.failing = lambda: make() if self._random.random() < share else None
        storm, before = Storm(calls=count), self._lane.requests
        request = Request(operation="GetItem", body={}, table="weather", repeatable=True)

        async def call(number: int) -> None:
            await self._time.sleep(number / rate)
            try:
                await self._sender.send(request)
            except CallError as error:
                storm.failed += 1
                storm.given_up += error.attempts < DEFAULT_POLICY.attempts

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(call(number))
            await self._time.run()
        storm.requests = self._lane.requests - before
        return storm


async def amplification(calls: int, seed: int) -> Storm:
    """Calls of ours at 50 a second, of whose attempts 30 % are throttled."""
    return await Service(seed).calls(calls, rate=50.0, share=SHARE, make=throttled)


async def outage(seconds: int, seed: int) -> Outage:
    """An outage of ours in virtual time, and the calls that begin after it."""
    after: list[Storm] = []
    during = Storm()
    for share in (0.0, 1 / 3):
        service = Service(seed)
        during = await service.calls(round(seconds * RATE), rate=RATE, share=1.0, make=broken)
        after.append(await service.calls(AFTER, rate=RATE, share=share, make=broken))
    return Outage(during, *after)


def throttled() -> CallError:
    return Throttled("too fast", operation="GetItem", code="ProvisionedThroughputExceededException")


def broken() -> CallError:
    return ServerError("out of order", operation="GetItem", code="InternalServerError", status=500)


# --- the control ------------------------------------------------------------------------------

_BROKEN: Fault = CATALOGUE["internal_server_error_before"]
_THROTTLED: Fault = CATALOGUE["throttled_table"]
_RAW_RETRIES = 2  # of standard mode


async def raw_amplification(calls: int, seed: int) -> Storm:
    """The same through raw aiobotocore, all at once."""
    dice = Random(seed)  # noqa: S311 - as above
    async with fault_proxy(script=seeded(dice, {_THROTTLED: SHARE})) as proxy, raw_client(proxy.endpoint) as client:
        return await _raw_calls(client, proxy, calls)


async def raw_outage(calls: int, seed: int, *, after: int = AFTER) -> Outage:
    """An outage of so many calls, all at once, and what raw aiobotocore does after it."""
    found: list[Storm] = []
    during = Storm()
    for rates in ({}, {_BROKEN: 1 / 3}):
        async with fault_proxy() as proxy, raw_client(proxy.endpoint) as client:
            proxy.script = always(_BROKEN)
            during = await _raw_calls(client, proxy, calls)
            proxy.script = seeded(Random(seed), rates) if rates else plain  # noqa: S311 - as above
            found.append(await _raw_calls(client, proxy, after))
    return Outage(during, *found)


async def _raw_calls(client: Any, proxy: FaultProxy, count: int) -> Storm:  # aiobotocore has no types
    storm, before = Storm(calls=count), proxy.calls
    key = {"id": {"S": "a"}}

    async def call() -> None:
        try:
            await client.get_item(TableName="weather", Key=key)
        except RAISED as error:
            storm.failed += 1
            response: Any = getattr(error, "response", {})
            storm.given_up += response.get("ResponseMetadata", {}).get("RetryAttempts", 0) < _RAW_RETRIES

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(call)
    storm.requests = proxy.calls - before
    return storm
