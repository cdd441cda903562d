"""What an operation of the matrix is, and how what it claims is held against what the engine has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dynamorm_async import Database, OutcomeUnknown
from dynamorm_async.errors import (
    BatchStatementsFailed,
    BatchWriteFailed,
    CallError,
    ConditionFailed,
    DuplicateItem,
    TableTimeout,
    TransactionCancelled,
)
from tests.faults.ground import Ground

Again: TypeAlias = Literal["repeated", "settled", "guessed", "looked", "never", "control"]
"""What becomes of a request whose answer was lost.

``repeated``: it is sent again, which does no harm. ``settled``: it is sent again, and the item tells what became of it.
``guessed``: the same, but the item may not tell. ``looked``: it is not sent again, but the item is looked at. ``never``: it is not
sent again. ``control``: a look is sent again, a change is not.
"""

Needs: TypeAlias = Literal["partiql", "vectors"] | None
"""What an engine must have."""

Run: TypeAlias = Callable[[Database, Ground], Awaitable[object]]

CLAIMS_NOT_APPLIED = (ConditionFailed, TransactionCancelled, DuplicateItem)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        value: what it returned.
        error: what it raised instead.
    """

    value: object = None
    error: BaseException | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One public operation.

    Attributes:
        name: unique.
        covers: the public methods that it stands for, as ``Class.method``.
        requests: the DynamoDB operations that it sends and that faults are played on, each with how often it sends them
            where nothing goes wrong.
        run: makes the call.
        prepare: puts what it needs into the engine.
        right: whether the returned value is what the engine has.
        parts: how often each part of its effect is in the engine; ``None`` for what only reads.
        again: what becomes of a request whose answer was lost.
        needs: what an engine must have for it.
        rounds: how often it begins anew, at most, by itself.
        calls: how many calls it makes, one after the other, each with a timeout of its own.
    """

    name: str
    covers: Sequence[str]
    requests: dict[str, int]
    run: Run
    prepare: Callable[[Ground], None] = field(default=lambda _: None)
    right: Callable[[Ground, Any], bool] = field(default=lambda _ground, _value: True)  # Any: what the call returns
    parts: Callable[[Ground], Sequence[int]] | None = None
    again: Again = "repeated"
    needs: Needs = None
    calls: int = 1
    rounds: int = 1

    def runs_on(self, ground: Ground) -> bool:
        """Whether the engine has what it needs."""
        return {"partiql": ground.has_partiql, "vectors": ground.has_vectors, None: True}[self.needs]

    def flaws(self, ground: Ground, outcome: Outcome) -> list[str]:
        """Where what the call claims is not what the engine has: names of counts of ``Figures``."""
        parts = [] if self.parts is None else list(self.parts(ground))
        flaws = ["doubled"] if any(part > 1 for part in parts) else []
        if outcome.error is None:
            if not all(parts):
                flaws.append("lost")
            if not self.right(ground, outcome.value):
                flaws.append("corrupted")
        elif self.parts is not None:
            flaws += _wrong_claim(self, outcome.error, parts)
        return flaws


def _wrong_claim(operation: Operation, error: BaseException, parts: list[int]) -> list[str]:
    if isinstance(error, BatchWriteFailed):
        # Written is what is confirmed; of the others nothing is said.
        return ["lost"] if error.report.written > sum(parts) else []
    if isinstance(error, BatchStatementsFailed):
        done = [position for position in range(len(parts)) if position not in error.failures]
        wrong = [position for position in error.failures if parts[position]]
        return ["lost"] * (not all(parts[position] for position in done)) + ["false_failures"] * bool(wrong)
    if not any(parts) or is_uncertain(operation, error):
        return []
    return ["false_failures" if isinstance(error, CLAIMS_NOT_APPLIED) else "certain_unknowns"]


def is_uncertain(operation: Operation, error: BaseException) -> bool:
    """Whether the error says that the effect may be there."""
    if operation.again == "control" and isinstance(error, CallError) and error.operation == "DescribeTable":
        return True  # the change was accepted, and looked for
    return isinstance(error, (OutcomeUnknown, TableTimeout))
