"""A database that is closed under many calls: what each call told, beside what the server applied."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final

import anyio
import attrs

from dynamorm_async import CallError, Database, DatabaseClosed, Key, OutcomeUnknown, Timeouts
from dynamorm_async.transport.lanes import LaneName
from tests.unit.database.cancel_operations import Plain, Walked
from tests.unit.database.cancel_walk import in_use
from tests.unit.database.canned_dynamo import Body, CannedDynamo, canned_dynamo
from tests.unit.transport.scripted_server import until

CALLS: Final = 1_000
POOL: Final = 50


class Claims:
    """What the calls told, beside what the server applied."""

    def __init__(self, dynamo: CannedDynamo) -> None:
        self.told: dict[str, str] = {}
        self.applied: Counter[str] = Counter()
        dynamo.on_applied = self._on_applied

    def _on_applied(self, _operation: str, body: Body) -> None:
        key: Body = body["Key"] if "Key" in body else body["Item"]
        self.applied[key["pk"]["S"]] += 1

    async def make(self, name: str, call: Callable[[], Awaitable[object]]) -> None:
        """Make a call, and note how it ended: a CancelledError ends the task, and is found there."""
        try:
            await call()
        except DatabaseClosed:
            self.told[name] = "not sent"
        except OutcomeUnknown:
            self.told[name] = "unknown"
        except CallError as error:
            self.told[name] = f"failed: {error!r}"
        else:
            self.told[name] = "done"

    def lies(self) -> dict[str, str]:
        """What was claimed and is not so: done but not applied, not sent but applied, applied twice."""
        fits: dict[str, tuple[int, ...]] = {"done": (1,), "not sent": (0,), "unknown": (0, 1)}
        writes = {name: told for name, told in self.told.items() if name.startswith("write")}
        return {name: told for name, told in writes.items() if self.applied[name] not in fits.get(told, ())}


def calls_of(db: Database, count: int = CALLS) -> dict[str, Callable[[], Awaitable[object]]]:
    """Reads, writes that cannot be repeated blindly, and writes that can, in turn."""
    made: dict[str, Callable[[], Awaitable[object]]] = {}
    for number in range(count):
        kind = number % 3
        name = f"{'write' if kind else 'read'}{number}"
        if kind == 0:
            made[name] = partial(db.get, Walked, name, "s")
        elif kind == 1:
            made[name] = partial(db.update, Key(Walked, name, "s"), Walked.note.set("x"))
        else:
            made[name] = partial(db.put, Plain(pk=name, sk="s"))
    return made


def database(dynamo: CannedDynamo, lane: LaneName) -> Database:
    return Database(
        endpoint=dynamo.endpoint,
        region="eu-west-1",
        credentials=("AKIA", "secret"),
        lane=lane,
        pool_size=POOL,
        timeouts=Timeouts(call=100.0, pool=100.0, read=100.0),  # however slow the machine is
    )


@attrs.frozen(kw_only=True)
class Closing:
    """What became of calls that were under way at a close.

    Attributes:
        told: how many told what: ``done``, ``not sent``, ``unknown``, or how they failed.
        cancelled: how many tasks ended as cancelled, though nobody cancelled them.
        lies: what was told and is not so.
        in_use: connections that are leased, and calls that wait, in the end.
        sent: how many of those under way the server had applied.
    """

    told: Counter[str]
    cancelled: int
    lies: dict[str, str]
    in_use: tuple[int, int]
    sent: int


async def drained(lane: LaneName, count: int = CALLS) -> Closing:
    """Close in order, with calls in flight; a call that comes later is refused."""
    async with canned_dynamo() as dynamo:
        db, claims = database(dynamo, lane), Claims(dynamo)
        await db.get(Walked, "first", "s")
        tasks = [asyncio.ensure_future(claims.make(name, call)) for name, call in calls_of(db, count).items()]
        await until(lambda: in_use(db)[1] > 0)
        await db.aclose()
        await claims.make("late", partial(db.get, Walked, "late", "s"))
        await asyncio.wait(tasks)
        return _closing(db, claims, tasks, claims.applied)


async def forced(lane: LaneName, count: int = CALLS) -> Closing:
    """Close without waiting, while the server has applied what it got and answers nothing."""
    async with canned_dynamo() as dynamo:
        db, claims = database(dynamo, lane), Claims(dynamo)
        await db.get(Walked, "first", "s")
        calls = calls_of(db, count)
        early = dict([*calls.items()][:100])
        await asyncio.gather(*(claims.make(name, call) for name, call in early.items()))
        dynamo.gate = asyncio.Event()  # from here on, what arrives is applied and never answered
        late = {name: call for name, call in calls.items() if name not in early}
        tasks = [asyncio.ensure_future(claims.make(name, call)) for name, call in late.items()]
        await until(lambda: len(dynamo.operations) == 1 + len(early) + POOL)
        with anyio.move_on_after(0):
            await db.aclose()
        await db.aclose()
        await asyncio.wait(tasks)
        dynamo.gate.set()
        return _closing(db, claims, tasks, late)


def _closing(db: Database, claims: Claims, tasks: list[asyncio.Task[None]], under_way: Iterable[str]) -> Closing:
    return Closing(
        told=Counter(claims.told.values()),
        cancelled=sum(task.cancelled() for task in tasks),
        lies=claims.lies(),
        in_use=in_use(db),
        sent=sum(claims.applied[name] for name in under_way),
    )
