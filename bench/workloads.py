"""What is timed: one line a workload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from contestant import Contestant
from items import LARGE_ORG, ORG, list_answer, values

ASYNCIO = "asyncio"
UVLOOP = "uvloop"


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A call to measure.

    Attributes:
        name: its name in the tables.
        method: the contestant's method; one without it does not take part.
        arguments: what it is called with.
        width: how many calls are under way at once; times are per call.
        loops: the event loops it is measured on.
        note: what one call does, for the page.
    """

    name: str
    method: str
    arguments: tuple[object, ...] = ()
    width: int = 1
    loops: tuple[str, ...] = (ASYNCIO,)
    note: str

    def call_of(self, contestant: Contestant) -> Callable[[], Awaitable[object]] | None:
        """The call without arguments, or ``None`` where the contestant does not have it."""
        method: Callable[..., Awaitable[object]] | None = getattr(contestant, self.method, None)
        if method is None or not self.arguments:
            return method
        return lambda: method(*self.arguments)


BOTH = (ASYNCIO, UVLOOP)
WORKLOADS = (
    Workload(name="get", method="get", loops=BOTH, note="GetItem of one item"),
    Workload(name="get x50", method="get_in_crowd", width=50, loops=BOTH, note="the same from 50 tasks at once"),
    Workload(name="get x1,000", method="get_in_crowd", width=1_000, loops=BOTH, note="from 1,000 tasks at once"),
    Workload(name="put", method="put", loops=BOTH, note="PutItem of one item"),
    Workload(name="update", method="update", note="UpdateItem: one value set, one added to; the new item read back"),
    Workload(name="query 100", method="query", arguments=(ORG,), loops=BOTH, note="Query, one page of 100 items"),
    Workload(name="query 1,000", method="query", arguments=(LARGE_ORG,), note="Query, one page of 1,000 items"),
    Workload(name="scan 1,000", method="scan", loops=BOTH, note="Scan, one page of 1,000 items, 425 kB"),
    Workload(name="batch get 100", method="batch_get", note="BatchGetItem of 100 keys"),
    Workload(name="batch write 25", method="batch_write", note="BatchWriteItem of 25 items"),
    Workload(name="transaction of 10", method="transact", note="TransactWriteItems of 10 puts"),
    Workload(
        name="decode 1,000",
        method="decode",
        arguments=(list_answer(values(number) for number in range(1_000)),),
        note="the body of that Scan to values or models, without a call",
    ),
    Workload(name="encode 100", method="encode", note="the bodies of 100 PutItem requests, without a call"),
    Workload(
        name="render",
        method="render",
        note="the expressions of an update with three changes and three conditions, without a call",
    ),
)


def workloads(loop: str) -> tuple[Workload, ...]:
    """What is measured on a loop."""
    return tuple(workload for workload in WORKLOADS if loop in workload.loops)
