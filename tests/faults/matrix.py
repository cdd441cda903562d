"""The fault matrix: every fault against every public operation, on both lanes and two engines.

``run_matrix`` runs all of it, or a part, and gives counts. Time is virtual: see ``tests/faults/virtual.py``.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from dynamorm_async import Credentials, Database, Key, Timeouts
from tests.engines import Lane
from tests.faults.cells import Cell
from tests.faults.expected import expected, is_typed
from tests.faults.fault import Fault
from tests.faults.ground import PREFIX, SHELF, Fixed, Ground, Thing, make_tables
from tests.faults.many import drop
from tests.faults.operation import Operation, Outcome
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.reads import TIMEOUT
from tests.faults.scripts import always, once, plain
from tests.faults.virtual import VirtualLoop, run, running

FLAWS: Final = (
    "lost",
    "doubled",
    "false_failures",
    "certain_unknowns",
    "corrupted",
    "hung",
    "late",
    "leaks",
    "untyped",
    "foreign",
    "unexpected",
    "requests",
    "unplayed",
)
"""What can be wrong with a cell. ``unexpected`` is another outcome than the documentation promises, ``requests`` another number of
them, ``unplayed`` a fault that no request met (then the matrix itself is wrong)."""

SLACK: Final = 0.1
_GUARD = 300.0
_BETWEEN = 200.0  # seconds of the clock: budgets of retries are full again
_CONTROL_TIME = 20.0
_TIMES = Timeouts(call=TIMEOUT, connect=1.0, read=1.0, pool=1.0, idle=20.0)
_TURNS = 10
_POOL = 8


@dataclass
class Figures:
    """What a run found.

    Attributes:
        cells: how many were run.
        seconds: of the machine.
        counts: how many cells have each flaw.
        offending: the cells themselves, with what was seen.
    """

    cells: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(FLAWS, 0)))
    offending: list[str] = field(default_factory=list[str])

    def add(self, cell: object, flaws: Iterable[str], seen: object) -> None:
        """Count a cell."""
        self.cells += 1
        found = sorted(set(flaws))
        self.counts.update(found)
        if found:
            self.offending.append(f"{cell}: {', '.join(found)} - {seen}")

    def merge(self, other: Figures) -> None:
        """Count what another run found, too."""
        self.cells += other.cells
        self.seconds += other.seconds
        self.counts.update(other.counts)
        self.offending += other.offending


class Keys:
    """Credentials whose token changes when it is called expired."""

    def __init__(self) -> None:
        self._serial = itertools.count()
        self._keys = self._next()

    def current(self) -> Credentials:
        return self._keys

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        if rejected == self._keys:
            self._keys = self._next()
        return self._keys

    def _next(self) -> Credentials:
        return Credentials("test", "test", f"token{next(self._serial)}")


def run_matrix(cells: Iterable[Cell], endpoints: Mapping[str, str], *, seed: int = 6) -> Figures:
    """Run cells.

    Args:
        cells: which; :func:`all_cells` or a :func:`sample`.
        endpoints: the engines' addresses by their names.
        seed: of the random parts of pauses.

    Returns:
        The counts, every flaw with its cells.
    """
    figures = Figures()
    started = time.monotonic()
    for (engine, lane), part in itertools.groupby(cells, lambda cell: (cell.engine, cell.lane)):
        make_tables(engine, endpoints[engine])
        figures.merge(run(_run_part(list(part), engine, endpoints[engine], lane), random=dice(seed)))
    figures.seconds = time.monotonic() - started
    return figures


def dice(seed: int) -> Callable[[], float]:
    """Numbers for pauses. Never 0: a connection that is refused once is served again before the next attempt."""
    source = random.Random(seed)  # noqa: S311 - jitter
    return lambda: 0.05 + 0.95 * source.random()


async def _run_part(cells: list[Cell], engine: str, endpoint: str, lane: Any) -> Figures:  # a name of a lane
    figures = Figures()
    async with setting(endpoint, lane) as (proxy, db):
        for cell in cells:
            ground = Ground(engine, endpoint, uuid.uuid4().hex)
            flaws, seen = await run_cell(cell, ground, proxy, db)
            figures.add(cell, flaws, seen)
    return figures


@asynccontextmanager
async def setting(endpoint: str, lane: Lane) -> AsyncGenerator[tuple[FaultProxy, Database]]:
    """A proxy and a database in front of it, both used before, so that nothing is opened for the first time in a cell."""
    loop = running()
    async with (
        fault_proxy(endpoint) as proxy,
        Database(
            endpoint=proxy.endpoint,
            region="eu-west-1",
            credentials=Keys(),
            lane=lane,
            table_prefix=PREFIX,
            timeouts=_TIMES,
            pool_size=_POOL,
        ) as db,
    ):
        loop.workers.append(lambda: proxy.pending)
        with loop.real():
            await db.get(Fixed, SHELF, 0)
            assert await db.tables.exists(Thing)
        yield proxy, db


# --- one cell -------------------------------------------------------------------------------------


async def run_cell(cell: Cell, ground: Ground, proxy: FaultProxy, db: Database) -> tuple[list[str], str]:
    """Run one cell.

    Returns:
        Its flaws, and what was seen.
    """
    loop = running()
    cell.operation.prepare(ground)
    await _connections(cell, loop, proxy, db)
    proxy.records.clear()
    before, foreign, tasks = proxy.played[cell.fault.name], proxy.foreign_bytes, asyncio.all_tasks()
    started = loop.now
    async with played(cell, proxy):
        outcome, hung = await call(cell.operation, ground, db)
        seconds = loop.now - started
    flaws = cell.operation.flaws(ground, outcome)
    flaws += _manners(cell, outcome, requests=len(proxy.sent(cell.request)), seconds=seconds, hung=hung)
    if asyncio.all_tasks() - tasks or not is_at_rest(db):
        flaws.append("leaks")
    if proxy.foreign_bytes > foreign:
        flaws.append("foreign")
    if proxy.played[cell.fault.name] == before and not cell.fault.reused_only:
        flaws.append("unplayed")
    if cell.operation.again == "control":
        drop(ground)
    ended = repr(outcome.value)[:200] if outcome.error is None else f"{type(outcome.error).__name__}: {outcome.error}"
    return flaws, f"{ended[:300]} ({len(proxy.sent(cell.request))} requests, {seconds:.2f} s)"


async def _connections(cell: Cell, loop: VirtualLoop, proxy: FaultProxy, db: Database) -> None:
    """Let budgets fill up, and have a kept connection, or none."""
    loop.now += _BETWEEN
    proxy.drop_connections()
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    if cell.warm:
        if cell.operation.again == "control":
            await db.tables.exists(Thing)
        else:
            await db.get(Key(Fixed, SHELF, 0))


class HasFault(Protocol):
    """What :func:`played` needs of a cell."""

    @property
    def fault(self) -> Fault: ...
    @property
    def always(self) -> bool: ...
    @property
    def request(self) -> str: ...


@asynccontextmanager
async def played(cell: HasFault, proxy: FaultProxy) -> AsyncGenerator[None]:
    """Let the proxy play the fault of a cell inside of the block; after it everything is applied, and all is well again."""
    loop = running()
    reopening: set[asyncio.Task[None]] = set()
    timer: asyncio.TimerHandle | None = None
    if cell.fault.at == "request":
        proxy.script = (always if cell.always else once)(cell.fault, operation=cell.request)
    elif cell.fault.then != "refuse":
        await proxy.on_connect(cell.fault, times=None if cell.always else 1)
    else:
        await proxy.on_connect(cell.fault)
        proxy.played[cell.fault.name] += 1
        if not cell.always:  # such connections cannot be counted; the clock moves when the first has failed
            timer = loop.call_later(1e-6, lambda: reopening.add(loop.create_task(proxy.on_connect(None))))
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        await asyncio.gather(*reopening)
        proxy.script = plain
        if cell.fault.at == "connect":
            await proxy.on_connect(None)
        await proxy.settle()


async def call(operation: Operation, ground: Ground, db: Database) -> tuple[Outcome, bool]:
    scope = asyncio.timeout(_GUARD)
    try:
        async with scope:
            value = await operation.run(db, ground)
    except BaseException as error:  # whatever comes is what is looked at
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return Outcome(error=error), scope.expired()
    return Outcome(value=value), False


def _manners(cell: Cell, outcome: Outcome, *, requests: int, seconds: float, hung: bool) -> list[str]:
    """What is wrong with how it ended, whatever the engine has."""
    wanted = expected(cell)
    flaws = ["hung"] if hung else []
    if outcome.error is not None and not is_typed(outcome.error):
        flaws.append("untyped")
    if not wanted.allows(outcome.error):
        flaws.append("unexpected")
    low, high = wanted.requests
    if cell.fault.at == "request" and not low <= requests <= high:
        flaws.append("requests")
    bound = _CONTROL_TIME if cell.operation.again == "control" else TIMEOUT * cell.operation.calls
    if seconds > bound + SLACK:
        flaws.append("late")
    return flaws


def is_at_rest(db: Database) -> bool:
    """Whether no connection of the database is leased, and nobody waits for one."""
    # No public name shows the pools; nor does aiobotocore show its session.
    opened: Any = db._connection._lane  # pyright: ignore[reportPrivateUsage]  # as said above
    if opened.name == "direct":
        counts = opened.lane.statistics()
        return bool(counts.leased == 0 and counts.waiting == 0)
    control: Any = db._connection._control  # pyright: ignore[reportPrivateUsage]  # as said above
    clients = (opened.lane._client, control._sender._lane._client)  # as said above
    return all(client.leased == 0 and client.waiting == 0 for client in clients)
