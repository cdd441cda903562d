"""The cells of the fault matrix: which fault meets which operation, where."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.engines import LANES
from tests.faults.catalogue import FAULTS
from tests.faults.fault import Fault
from tests.faults.ground import Ground
from tests.faults.operation import Operation
from tests.faults.operations import OPERATIONS

ENGINES: Final = ("dynoxide", "dynamodb-local")
READ_REQUESTS: Final = {
    "BatchGetItem",
    "DescribeTable",
    "GetItem",
    "Query",
    "Scan",
    "SearchVectors",
    "TransactGetItems",
}


@dataclass(frozen=True)
class Cell:
    """One operation under one fault.

    Attributes:
        operation: what is called.
        request: the DynamoDB operation that meets the fault.
        fault: what goes wrong.
        always: whether at every attempt; else at the first.
        lane: which lane.
        engine: the engine behind the proxy.
    """

    operation: Operation
    request: str
    fault: Fault
    always: bool
    lane: str
    engine: str

    @property
    def writes(self) -> bool:
        """Whether the request that meets the fault may change something."""
        return self.operation.parts is not None and self.request not in READ_REQUESTS

    @property
    def warm(self) -> bool:
        """Whether a connection is there before; half of the cells, and those whose fault needs one."""
        if self.fault.at == "connect":
            return False
        return self.fault.reused_only or (len(self.operation.name) + len(self.fault.name)) % 2 == 0

    def __str__(self) -> str:
        how = "always" if self.always else "once"
        warm = "warm" if self.warm else "cold"
        return f"{self.operation.name} [{self.request}] / {self.fault} {how} / {self.lane} {warm} / {self.engine}"


def all_cells(engines: Sequence[str] = ENGINES, lanes: Sequence[str] = LANES) -> Iterator[Cell]:
    """The whole matrix."""
    for engine, lane in itertools.product(engines, lanes):
        ground = Ground(engine, "", "")
        for operation, fault in itertools.product(OPERATIONS, FAULTS):
            if not operation.runs_on(ground):
                continue
            for request in operation.requests:
                if fault.at == "connect" and request != next(iter(operation.requests)):
                    continue  # a connection is made before any request: once is enough
                if fault.fits(request):
                    for persistent in (False, True):
                        yield Cell(operation, request, fault, persistent, lane, engine)


def sample(step: int, engine: str, lane: str) -> list[Cell]:
    """A fixed part: every operation, request and fault at least once, the partners rotated by engine and lane."""
    cells = list(all_cells([engine], [lane]))
    offset = ENGINES.index(engine) * len(LANES) + LANES.index(lane)
    chosen = cells[offset * step // 4 :: step]
    for what in ("fault", "request", "operation"):
        have = {str(getattr(cell, what)) for cell in chosen}
        rest = cells[(offset * 997) % len(cells) :] + cells
        for cell in rest:
            name = str(getattr(cell, what))
            if name not in have:
                have.add(name)
                chosen.append(cell)
    return chosen
