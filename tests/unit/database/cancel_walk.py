"""The walk: every operation of a database, cancelled at every step, and what is left behind each time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

import attrs
import pytest

from dynamorm_async import Database, DynamormError, LocalKeyring
from dynamorm_async.database import connection
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.lanes import LaneName
from dynamorm_async.transport.sdk import SdkLane
from dynamorm_async.transport.sender import Sender
from tests.unit.database.cancel_operations import KEY, OPERATIONS, Walked
from tests.unit.database.cancel_steps import HOWS, Ending, How, cancelled_at
from tests.unit.database.canned_dynamo import CannedDynamo, canned_dynamo

Start = Literal["cold", "warm", "retry"]
"""What the operation finds: nothing open; an open connection; that, and a 500 for its first request."""

_POOL = 2  # fewer connections than an operation has requests at once, so that some wait
_REFILL = 1_000.0  # seconds, in which a quota of retries is full again
_TURNS = 10  # of the loop, for tasks that were cancelled to end


@attrs.define
class Walk:
    """What a walk did and found. It ends at the first problem.

    Attributes:
        steps: cancellations that were delivered, by operation.
        visited: the operations that were run.
        problems: what was left behind: a task, a connection, a wrong answer …
    """

    steps: dict[str, int] = attrs.field(factory=dict[str, int])
    visited: list[str] = attrs.field(factory=list[str])
    problems: list[str] = attrs.field(factory=list[str])


async def walk(lane: LaneName, start: Start, *, stride: int = 1, only: Sequence[str] = ()) -> Walk:
    """Cancel every operation at every step, in every way.

    Args:
        lane: which lane.
        start: what the operation finds.
        stride: of all pairs of step and way, every so many-th is taken, beginning at another one for each operation; to
            meet every way, no multiple of three.
        only: the operations; by default all.
    """
    result = Walk()
    with pytest.MonkeyPatch.context() as patch:
        clock = _Clock()
        # No pause between attempts, and a full quota of retries each time: time is no part of the walk.
        patch.setattr(connection, "Sender", partial(Sender, random=lambda: 0.0, clock=clock))
        async with canned_dynamo() as dynamo:
            walker = _Walker(result, dynamo, lane, clock)
            names = [*enumerate(only or OPERATIONS)]
            if start == "cold":
                for number, name in names:
                    await walker.cold(name, _pairs(number, stride))
            else:
                async with walker.opened() as db:
                    for number, name in names:
                        await walker.warm(db, name, _pairs(number, stride), failing=start == "retry")
    return result


def _pairs(number: int, stride: int) -> Iterator[tuple[int, How]]:
    """Steps and ways without end: who walks knows when an operation is over."""
    pairs: Iterator[tuple[int, How]] = ((step, how) for step in itertools.count() for how in HOWS)
    return itertools.islice(pairs, number % stride, None, stride)


class _Clock:
    """Seconds that pass only where they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Walker:
    """Walks through operations, and notes what is left behind."""

    def __init__(self, result: Walk, dynamo: CannedDynamo, lane: LaneName, clock: _Clock) -> None:
        self._result = result
        self._dynamo = dynamo
        self._lane: LaneName = lane
        self._clock = clock

    async def warm(self, db: Database, name: str, pairs: Iterator[tuple[int, How]], *, failing: bool) -> None:
        """Cancel an operation on one open database."""
        before = asyncio.all_tasks()
        self._result.visited.append(name)
        for step, how in pairs:
            where = f"{name}, {how} at step {step}"
            self._clock.now += _REFILL
            if failing:
                self._dynamo.failures.append((500, "InternalServerError"))
            ending = await cancelled_at(step, how, partial(OPERATIONS[name].run, db))
            self._dynamo.failures.clear()
            self._check_ending(ending, where, failing=failing)
            await self._check_no_task(before, where)
            leased, waiting = in_use(db)
            if leased or waiting:
                self._note(where, f"{leased} connections stayed leased, {waiting} calls wait")
            await self._check_next_call(db, where)
            if not ending.reached or self._result.problems:
                return
            self._result.steps[name] = self._result.steps.get(name, 0) + 1

    async def cold(self, name: str, pairs: Iterator[tuple[int, How]]) -> None:
        """Cancel an operation that is the first of its database, one database for each time."""
        self._result.visited.append(name)
        for step, how in pairs:
            where = f"{name}, cold, {how} at step {step}"
            before, db = asyncio.all_tasks(), self._database()
            ending = await cancelled_at(step, how, partial(OPERATIONS[name].run, db))
            self._check_ending(ending, where, failing=False)
            await self._check_next_call(db, where)
            await db.aclose()
            await self._check_no_task(before, where)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._dynamo.open:
                self._note(where, f"{len(self._dynamo.open)} connections outlive the close")
            if not ending.reached or self._result.problems:
                return
            self._result.steps[name] = self._result.steps.get(name, 0) + 1

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Database]:
        """A database that has made a call on both planes."""
        async with self._database() as db:
            await db.get(KEY)
            await db.tables.exists(Walked)
            yield db

    def _database(self) -> Database:
        return Database(
            endpoint=self._dynamo.endpoint,
            region="eu-west-1",
            credentials=("AKIA", "secret"),
            lane=self._lane,
            pool_size=_POOL,
            keys=LocalKeyring({"walk": bytes(32)}),
        )

    def _check_ending(self, ending: Ending, where: str, *, failing: bool) -> None:
        if ending.error is not None and not (failing and isinstance(ending.error, DynamormError)):
            self._note(where, f"it raised {ending.error!r}")
        if ending.cancelled and not ending.reached:
            self._note(where, "it was cancelled though nobody cancelled it")

    async def _check_no_task(self, before: set[asyncio.Task[Any]], where: str) -> None:
        left: set[asyncio.Task[Any]] = set()
        for _ in range(_TURNS):
            left = asyncio.all_tasks() - before
            if not left:
                return
            await asyncio.sleep(0)
        self._note(where, f"tasks were left: {sorted(map(repr, left))}")

    async def _check_next_call(self, db: Database, where: str) -> None:
        """It gets its own answer, and nothing that a cancelled call left on a connection."""
        try:
            found = await db.get(Walked, where, "next")
        except DynamormError as error:
            self._note(where, f"the next call raised {error!r}")
            return
        if found is None or found.pk != where:
            self._note(where, f"the next call got {found!r}")
        for misuse in self._dynamo.misuse:
            self._note(where, misuse)
        self._dynamo.misuse.clear()

    def _note(self, where: str, problem: str) -> None:
        self._result.problems.append(f"{where}: {problem}")


def in_use(db: Database) -> tuple[int, int]:
    """How many connections a database has leased, and how many calls wait for one."""
    opened = db._connection._lane  # pyright: ignore[reportPrivateUsage]  # no caller needs to know
    assert opened is not None
    if isinstance(opened.lane, DirectLane):
        now = opened.lane.statistics()
        return now.leased, now.waiting
    assert isinstance(opened.lane, SdkLane)
    return opened.lane.leased, opened.lane.waiting
