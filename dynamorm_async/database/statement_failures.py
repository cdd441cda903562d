"""What went wrong with a PartiQL statement, as errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.database.failures import masked
from dynamorm_async.database.reasons import error_of, explained, failed
from dynamorm_async.errors import (
    BatchStatementsFailed,
    ConditionFailed,
    DecodeError,
    ServiceError,
    TransactionCancelled,
    TransactionFailure,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.partiql import decode_item
from dynamorm_async.plan.statements import Statement, shortened
from dynamorm_async.transport.answers import service_error
from dynamorm_async.types import Request

_OK: Final = 200


def add_item(error: ConditionFailed, statement: Statement[Any]) -> None:
    """Let the error carry the item that was there as what the statement returns."""
    raw = error.raw_item
    if raw is None:
        return
    if statement.into is not None:
        error.raw_item = masked(spec_of(statement.into), raw)
    try:
        error.item = decode_item(statement, raw)
    except DecodeError:
        # The refusal is what matters; raw_item still shows what was there.
        error.item = None


def result_of(request: Request, statement: Statement[Any], response: Mapping[str, Any], request_id: str | None) -> Any:
    """What became of one statement of a batch: its item, ``None``, or its error (not raised)."""
    failure = response.get("Error")
    if failure:
        return _statement_error(request, statement, response, failure, request_id)
    raw = response.get("Item")
    if raw is None:
        return None
    try:
        return decode_item(statement, raw)
    except DecodeError as error:  # one item that does not fit does not hide the others
        return error


def batch_failure(request: Request, results: Sequence[Any], attempts: int) -> BatchStatementsFailed:
    """The error of a batch of which some statements failed."""
    failed = [(number, result) for number, result in enumerate(results, 1) if is_failure(result)]
    lines = "".join(f"\n  statement {number}: {result}" for number, result in failed)
    error = BatchStatementsFailed(
        f"{len(failed)} of {len(results)} statements failed, the others were executed:{lines}",
        operation=request.operation,
        attempts=attempts,
    )
    error.results = tuple(results)
    return error


def cancellation(
    request: Request, statements: Sequence[Statement[Any]], error: TransactionCancelled
) -> TransactionCancelled:
    """The error of a transaction of statements, with a failure for each statement that failed."""
    failures: list[TransactionFailure] = []
    for index, reason in failed(error.reasons):
        if index < len(statements):
            alone = error_of(error, request, reason)
            if isinstance(alone, ConditionFailed):
                add_item(alone, statements[index])
            failures.append(TransactionFailure(index, shortened(statements[index].text), alone))
    return explained(
        error, failures, f"the transaction of {len(statements)} statements was cancelled, nothing was written"
    )


def is_failure(result: object) -> bool:
    """Whether a result is the statement's error."""
    return isinstance(result, ServiceError | DecodeError)


def _statement_error(
    request: Request,
    statement: Statement[Any],
    response: Mapping[str, Any],
    failure: Mapping[str, Any],
    request_id: str | None,
) -> ServiceError:
    error = service_error(
        msgspec.structs.replace(request, table=response.get("TableName")),
        status=_OK,
        code=str(failure.get("Code") or ""),
        message=str(failure.get("Message") or ""),
        request_id=request_id,
        body=failure,
    )
    if isinstance(error, ConditionFailed):
        add_item(error, statement)
    return error
