"""Counting requests and the capacity that they consume: in total, and for a part of the program."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final, final

import msgspec

from dynamorm_async.codec.stored import was_upcast
from dynamorm_async.plan.capacity import Capacity, Report, is_read, reported_capacity
from dynamorm_async.types import Request, Response


@final
class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a database did so far, or what was done inside ``db.measure()``.

    Attributes:
        requests: answered requests by operation, each counted once however often it was tried.
        retries: attempts beyond the first of those.
        capacity: what they consumed, where the database asks DynamoDB to report that (``capacity="total"``).
        upcast: items of older schemas that were read as instances, by the name of their model; PartiQL, and the items
            that errors carry, are not counted.
    """

    requests: Mapping[str, int]
    retries: int
    capacity: Capacity
    upcast: Mapping[str, int] = MappingProxyType({})


@final
class Meter:
    """Counts while it is in use. ``db.measure()`` gives one."""

    def __init__(self, report: Report = "none") -> None:
        self.report: Report = report
        """What DynamoDB is asked to report of the requests that it counts, where the database itself asks for less."""
        self._requests: dict[str, int] = {}
        self._retries = 0
        self._capacity = Capacity()
        self._upcast: dict[str, int] = {}

    @property
    def statistics(self) -> Statistics:
        """What was counted so far."""
        return Statistics(
            requests=dict(self._requests), retries=self._retries, capacity=self._capacity, upcast=dict(self._upcast)
        )

    def count(self, operation: str, attempts: int, capacity: Capacity | None) -> None:
        """Count one answered request."""
        self._requests[operation] = self._requests.get(operation, 0) + 1
        self._retries += attempts - 1
        if capacity is not None:
            self._capacity += capacity

    def count_upcast(self, model: str) -> None:
        """Count one item of an older schema."""
        self._upcast[model] = self._upcast.get(model, 0) + 1


_MOST_FIRST: Final[Sequence[Report]] = ("indexes", "total", "none")

# The meters of the running task and its children: context, not state of the module. Each names the owner it counts for.
_MEASURING: ContextVar[tuple[tuple[object, Meter], ...]] = ContextVar("dynamorm_async_measuring", default=())


class Metering:
    """The meters of one database."""

    def __init__(self) -> None:
        self.total = Meter()
        self.asking = 0
        """How many meters ask for reports. Most databases have none, and need not look whose request it is."""

    def report(self, least: Report) -> Report:
        """What to ask DynamoDB for: what the database does, or more, where a meter that will count the request wants it."""
        wanted = {least, *(meter.report for owner, meter in _MEASURING.get() if owner is self)}
        return next(report for report in _MOST_FIRST if report in wanted)

    def answered(self, request: Request, response: Response) -> None:
        """Count a request everywhere that it counts."""
        capacity = None
        if "ReturnConsumedCapacity" in request.body:
            capacity = reported_capacity(request.operation, response.body, reads=is_read(request))
        self.total.count(request.operation, response.attempts, capacity)
        for owner, meter in _MEASURING.get():
            if owner is self:
                meter.count(request.operation, response.attempts, capacity)

    def read(self, item: object) -> None:
        """Count what was read, where it was upcast, everywhere that it counts."""
        if not was_upcast(item):
            return
        model = type(item).__name__
        self.total.count_upcast(model)
        for owner, meter in _MEASURING.get():
            if owner is self:
                meter.count_upcast(model)

    @contextmanager
    def measure(self, report: Report = "none") -> Generator[Meter, None, None]:
        """A meter for what the block does, tasks that it starts included."""
        meter, asks = Meter(report), report != "none"
        token = _MEASURING.set((*_MEASURING.get(), (self, meter)))
        self.asking += asks
        try:
            yield meter
        finally:
            self.asking -= asks
            _MEASURING.reset(token)
