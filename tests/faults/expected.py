"""What a cell of the matrix must come to: by what the documentation says, not by what the library does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from dynamorm_async.errors import (
    AccessDenied,
    BadResponse,
    BatchGetFailed,
    BatchWriteFailed,
    CallError,
    CallTimeout,
    ConnectionLost,
    CredentialsError,
    DecodeError,
    DynamormError,
    EndpointUnreachable,
    ItemCollectionTooLarge,
    OutcomeUnknown,
    ServerError,
    TableTimeout,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionInProgress,
    TransientConflict,
)
from tests.faults.cells import Cell
from tests.faults.fault import Fault

RETRIED: Final = (
    BadResponse,
    CallTimeout,
    ConnectionLost,
    EndpointUnreachable,
    ServerError,
    Throttled,
    TransactionConflict,
    TransactionInProgress,
    TransientConflict,
)
CONTENDED: Final = {
    "transaction_conflict",
    "transaction_cancelled_conflict",
    "transaction_in_progress",
}
ATTEMPTS: Final = 4
CONTENTION: Final = 12
ROUNDS: Final = 8
WAITING: Final = {"tables.create", "tables.delete"}
BELIEVING: Final = {"tables.ensure", "tables.delete"}
"""What looks whether the table is there: of an error the content type is not looked at."""
UNREADABLE: Final = {"ok_bad_utf8", "ok_cut_json", "ok_nesting_bomb", "ok_unclosed_json"}
"""What only the decoder of a read sees on the direct lane; its ``DecodeError`` is not tried again."""
CURED: Final = {"expired_token", "clock_skew", "request_time_too_skewed"}
"""Refusals against which the lane itself does something, once."""


@dataclass(frozen=True)
class Expected:
    """What a cell must come to.

    Attributes:
        success: whether it may succeed.
        errors: which errors it may end with, of a batch its cause.
        unknown: whether it may end with ``OutcomeUnknown``.
        requests: how many requests may be sent, at least and at most.
    """

    success: bool
    errors: tuple[type[Exception], ...]
    unknown: bool
    requests: tuple[int, int]

    def allows(self, error: BaseException | None) -> bool:
        """Whether it may end so."""
        if error is None:
            return self.success
        root = root_of(error)
        return self.unknown if isinstance(root, OutcomeUnknown) else isinstance(root, self.errors)


def root_of(error: BaseException) -> BaseException:
    """What stopped a batch; of other errors the error itself."""
    while isinstance(error, (BatchGetFailed, BatchWriteFailed)) and error.__cause__ is not None:
        error = error.__cause__
    return error


def expected(cell: Cell) -> Expected:
    """What the documentation promises for a cell."""
    fault, operation = cell.fault, cell.operation
    usual = operation.requests[cell.request]
    if fault.error is None:
        # A change of the control plane is made once, even if the connection that it found closes under it.
        closed = operation.name == "tables.ensure" and fault.name == "keep_alive_closed_after_answer"
        return Expected(success=True, errors=(), unknown=closed, requests=(1 if closed else usual, usual + 3))
    lost = cell.writes and (fault.outcome_unknown or issubclass(fault.error, TransactionInProgress))
    rule = _control if operation.again == "control" else _sent
    found = rule(cell, fault.error, lost=lost, usual=usual)
    if fault.reused_only and operation.again == "control":
        # A request that went out on a new connection meets no fault.
        found = Expected(True, found.errors, found.unknown, (1, 2 * usual + 3))
    elif fault.reused_only and operation.again != "never":
        # At the next attempt the connection is new.
        found = Expected(True, (), found.unknown, (1, 2 * usual + 3))
    if cell.lane == "direct" and not cell.writes and plain_name(fault) in UNREADABLE:
        found = Expected(True, (*found.errors, DecodeError), found.unknown, (1, found.requests[1]))
    if fault.may_pass or fault.name == "cursor_repeated" or (fault.name == "content_type_wrong_after" and cell.writes):
        # Of an error the content type is not looked at: what it says is whole.
        high = found.requests[1]
        found = Expected(True, found.errors, found.unknown, (1, max(high, usual + 1)))
    if operation.name == "update exactly once" and cell.request == "GetItem":
        return Expected(found.success, (), unknown=True, requests=found.requests)  # the update was made before
    return found


def _control(cell: Cell, error: type[Exception], *, lost: bool, usual: int) -> Expected:
    if cell.operation.name in BELIEVING and cell.fault.name == "content_type_wrong_after":
        return Expected(True, (error, TableTimeout), unknown=lost, requests=(1, 200))  # "not found" was believed
    waited = cell.request == "DescribeTable" and cell.operation.name in WAITING
    if waited and issubclass(error, CallError) and error.retryable:
        # Looked for again and again, as long as the timeout of the wait.
        return Expected(not cell.always, (TableTimeout,) if cell.always else (), unknown=False, requests=(2, 200))
    # A look is tried again; a change only where it was not applied. Both go through the SDK's client.
    operation = replace(cell.operation, again="never" if cell.writes else "repeated")
    return _sent(replace(cell, operation=operation, lane="sdk"), error, lost=lost, usual=usual)


def _sent(cell: Cell, error: type[Exception], *, lost: bool, usual: int) -> Expected:
    name, again = cell.fault.name, cell.operation.again
    errors: tuple[type[Exception], ...] = (error,)
    if issubclass(error, TransactionCancelled):
        errors = (error, TransactionConflict, Throttled, ItemCollectionTooLarge)  # of a transaction of one write
    if lost and again in ("never", "looked"):
        return Expected(again == "looked", (), unknown=True, requests=(1, 1))
    retried = issubclass(error, RETRIED) or (
        issubclass(error, TransactionCancelled) and name != "transaction_cancelled_for_good"
    )
    if name in CURED:
        if cell.lane == "sdk" and name != "expired_token":
            return Expected(False, errors, unknown=False, requests=(1, usual))
        return Expected(
            not cell.always, (*errors, AccessDenied, CredentialsError) if cell.always else (), False, (2, usual + 1)
        )
    if not retried:
        return Expected(False, errors, unknown=False, requests=(1, usual))
    if cell.always:
        # What reads the item between its attempts finds out.
        looks = lost and cell.operation.rounds > 1
        return Expected(looks, () if lost else errors, lost, _exhausted(cell, usual))
    return Expected(True, (), unknown=lost and again == "guessed", requests=(usual + 1, usual + 3))


def _exhausted(cell: Cell, usual: int) -> tuple[int, int]:
    """How many requests there are until the library gives up."""
    calls = cell.operation.calls
    if issubclass(cell.fault.error or Exception, CallTimeout):
        least, most = ATTEMPTS - 1, ATTEMPTS * calls  # the deadline may come first
    elif cell.fault.name in CONTENDED:
        least, most = ATTEMPTS + 1, CONTENTION  # the deadline may come first
    elif cell.fault.name == "batch_all_unprocessed":
        least, most = ROUNDS, ROUNDS
    else:
        least, most = ATTEMPTS, (ATTEMPTS + 1) * calls  # one more for a kept connection that was closed
    return least, usual - 1 + most * (cell.operation.rounds if cell.writes else 1)


def plain_name(fault: Fault) -> str:
    """The name without the moment."""
    return fault.name.removesuffix("_before").removesuffix("_after")


def is_typed(error: BaseException) -> bool:
    """Whether it is an error of this library."""
    return isinstance(error, DynamormError)
