"""The control: raw aiobotocore under the same faults, judged by the same look at the engine. It fails where it is known to."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiobotocore.config import AioConfig  # type: ignore[import-untyped]  # it has no types
from aiobotocore.session import get_session  # type: ignore[import-untyped]  # as above
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
)

from tests.faults.catalogue import FAULTS
from tests.faults.control_operations import CONTROL_OPERATIONS, Client, ControlOperation, UnprocessedError
from tests.faults.fault import Fault
from tests.faults.ground import Ground, make_tables
from tests.faults.matrix import SLACK, Figures, dice, played
from tests.faults.operation import Outcome
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.reads import TIMEOUT
from tests.faults.virtual import run, running

LEFT_OUT: Final = {"endless_before", "endless_after"}
"""An answer without an end is read without an end: the machine's memory would be the bound."""

_GUARD: Final = 30.0
_SERVER_ERRORS: Final = 500
_REFUSED_FOR_GOOD: Final = {"ConditionalCheckFailedException", "TransactionCanceledException"}


@dataclass(frozen=True)
class ControlCell:
    """One call of the client under one fault; the fields are those of ``Cell``."""

    operation: ControlOperation
    fault: Fault
    always: bool
    engine: str

    @property
    def request(self) -> str:
        """The DynamoDB operation."""
        return self.operation.request

    def __str__(self) -> str:
        how = "always" if self.always else "once"
        return f"aiobotocore {self.operation.name} / {self.fault} {how} / {self.engine}"


def control_cells(engine: str = "dynoxide") -> Iterator[ControlCell]:
    """All of the control."""
    for fault in FAULTS:
        for persistent in (False, True):
            for operation in CONTROL_OPERATIONS:
                if fault.fits(operation.request) and fault.name not in LEFT_OUT:
                    yield ControlCell(operation, fault, persistent, engine)


def run_control(cells: Iterable[ControlCell], endpoint: str, *, seed: int = 6) -> Figures:
    """Run the control; the counts mean what they mean in the matrix.

    ``late`` is a call that took longer than the seconds that the matrix gives each call; ``hung`` one that was still not back
    after five times as many, and had to be cancelled.

    Args:
        cells: which, of one engine.
        endpoint: the engine's address.
        seed: as of the matrix.
    """
    chosen = list(cells)
    make_tables(chosen[0].engine, endpoint)
    started = time.monotonic()
    figures = run(_run_all(chosen, endpoint), random=dice(seed))
    figures.seconds = time.monotonic() - started
    return figures


async def _run_all(cells: list[ControlCell], endpoint: str) -> Figures:
    figures = Figures()
    session = get_session()
    async with fault_proxy(endpoint) as proxy:
        running().workers.append(lambda: proxy.pending)
        for cell in cells:
            async with _client(session, proxy) as client:  # each with a full budget of retries
                flaws, seen = await _run_cell(cell, Ground(cell.engine, endpoint, uuid.uuid4().hex), proxy, client)
            figures.add(cell, flaws, seen)
    return figures


@asynccontextmanager
async def _client(session: Any, proxy: FaultProxy) -> AsyncGenerator[Client]:  # an AioSession
    config = AioConfig(retries={"mode": "standard"}, connect_timeout=1, read_timeout=1, parameter_validation=False)
    made = session.create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=proxy.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    with running().real():
        client = await made.__aenter__()
    try:
        yield client
    finally:
        await made.__aexit__(None, None, None)


async def _run_cell(cell: ControlCell, ground: Ground, proxy: FaultProxy, client: Client) -> tuple[list[str], str]:
    loop, operation = running(), cell.operation
    operation.prepare(ground)
    if cell.fault.reused_only:
        await client.list_tables()
    proxy.records.clear()
    foreign, tasks, started = proxy.foreign_bytes, asyncio.all_tasks(), loop.now
    scope = asyncio.timeout(_GUARD)
    async with played(cell, proxy):
        try:
            async with scope:
                outcome = Outcome(value=await operation.run(client, ground))
        except Exception as error:  # noqa: BLE001 - whatever comes is what is looked at
            outcome = Outcome(error=error)
        seconds = loop.now - started
    flaws = _flaws(operation, ground, outcome)
    flaws += ["hung"] if scope.expired() else ["late"] if seconds > TIMEOUT + SLACK else []
    flaws += ["foreign"] if proxy.foreign_bytes > foreign else []
    flaws += ["leaks"] if asyncio.all_tasks() - tasks else []
    sent = len(proxy.sent(cell.request))
    return flaws, f"{str(outcome.value)[:120]} {outcome.error!r} ({sent} requests, {seconds:.2f} s)"


def _flaws(operation: ControlOperation, ground: Ground, outcome: Outcome) -> list[str]:
    parts = [] if operation.parts is None else list(operation.parts(ground))
    flaws = ["doubled"] if any(part > 1 for part in parts) else []
    error = outcome.error
    if error is None:
        if not all(parts):
            flaws.append("lost")
        if not operation.right(outcome.value):
            flaws.append("corrupted")
        return flaws
    if not isinstance(error, (BotoCoreError, ClientError, TimeoutError, UnprocessedError)):
        flaws.append("untyped")
    if any(parts) and not isinstance(error, (TimeoutError, UnprocessedError)):
        flaws += _claim(error)
    return flaws


def _claim(error: BaseException) -> list[str]:
    """What an error says of a write that was applied; generously: every loss of a connection says that it may have been."""
    if isinstance(error, ClientError):
        meta: Any = error.response  # wire JSON
        if meta["Error"]["Code"] in _REFUSED_FOR_GOOD:
            return ["false_failures"]
        return [] if meta["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERRORS else ["certain_unknowns"]
    return ["certain_unknowns"] if isinstance(error, EndpointConnectionError) else []
