"""DynamoDB's reasons for cancelling a transaction, one for each action, as errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynamorm_async.errors import ServiceError, TransactionCancelled, TransactionFailure
from dynamorm_async.transport.answers import service_error
from dynamorm_async.types import Request


def failed(reasons: Sequence[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """The actions that had a part in it: position and reason."""
    return [(n, reason) for n, reason in enumerate(reasons) if str(reason.get("Code") or "None").lower() != "none"]


def error_of(cancelled: TransactionCancelled, request: Request, reason: Mapping[str, Any]) -> ServiceError:
    """The error that a reason stands for, not raised.

    Args:
        cancelled: the error of the transaction.
        request: what the action would be by itself.
        reason: its reason.
    """
    error = service_error(
        request,
        status=cancelled.status,
        code=str(reason.get("Code")),
        message=str(reason.get("Message") or ""),
        request_id=cancelled.request_id,
        body=reason,
    )
    error.attempts = cancelled.attempts
    return error


def explained(
    cancelled: TransactionCancelled, failures: Sequence[TransactionFailure], what: str
) -> TransactionCancelled:
    """The error of the transaction, with its failures.

    Args:
        cancelled: the error.
        failures: one for each operation that failed; none leaves the error as it is.
        what: the transaction, for people, and what became of it.
    """
    if failures:
        cancelled.failures = tuple(failures)
        cancelled.message = f"{what}:" + "".join(f"\n  {failure}" for failure in failures)
    return cancelled
