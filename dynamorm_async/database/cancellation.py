"""What the reasons of a cancelled transaction mean for the writes that it was made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.database.failures import masked, of_kind, refined
from dynamorm_async.database.reasons import error_of, explained, failed
from dynamorm_async.errors import (
    ConditionFailed,
    NotUnique,
    ServiceError,
    TransactionCancelled,
    TransactionConflict,
    TransactionFailure,
    UsageError,
)
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.unique import OWNER
from dynamorm_async.plan.transactions import Action, TransactionPlan
from dynamorm_async.plan.unique import Before, MarkerId, same_before, values_in
from dynamorm_async.plan.write import Write, item_text


def cancellation(
    error: TransactionCancelled,
    writes: Sequence[Write],
    plan: TransactionPlan,
    sites: Sequence[str],
    busy: Collection[int],
) -> TransactionCancelled:
    """The error with a failure for each operation that failed, as the error that it would have had by itself.

    Args:
        error: the error.
        writes: the writes.
        plan: how they were sent.
        sites: where the caller wrote each operation.
        busy: the indexes of writes whose unique values were changed by others in every round.
    """
    failures: dict[int, TransactionFailure] = {}
    for position, reason in failed(error.reasons[: len(plan.actions)]):
        action = plan.actions[position]
        if action.index in failures:
            continue
        write = writes[action.index]
        site = f" at {sites[action.index]}" if sites else ""
        operation = f"{write.action} of {item_text(write.spec, write.key)}{site}"
        alone = _busy(error, write) if action.index in busy else _reason(error, write, action, reason)
        failures[action.index] = TransactionFailure(action.index, operation, alone)
    count = "1 operation" if len(writes) == 1 else f"{len(writes)} operations"
    what = f"the transaction of {count} was cancelled, nothing was written"
    result = explained(error, list(failures.values()), what)
    result.reasons = _masked(result.reasons, writes, plan)
    return result


def _masked(
    reasons: Sequence[Mapping[str, Any]], writes: Sequence[Write], plan: TransactionPlan
) -> tuple[Mapping[str, Any], ...]:
    """The reasons, whose items do not show the secret values of their models."""
    specs = [writes[action.index].spec if action.marker is None else None for action in plan.actions]
    specs += [None] * (len(reasons) - len(specs))
    return tuple(
        reason if spec is None or not reason.get("Item") else {**reason, "Item": masked(spec, reason["Item"])}
        for reason, spec in zip(reasons, specs, strict=False)
    )


def _busy(error: TransactionCancelled, write: Write) -> TransactionConflict:
    return TransactionConflict(
        f"others changed the unique values of the {write.spec.name} again and again",
        operation=write.request.operation,
        table=write.table,
        attempts=error.attempts,
        code="TransactionConflict",
        status=error.status,
        request_id=error.request_id,
    )


def changed_meanwhile(
    error: TransactionCancelled, writes: Sequence[Write], plan: TransactionPlan, befores: Mapping[int, Before]
) -> dict[int, Before]:
    """The present values of the items whose values are not what they were thought to be; none where that is not why."""
    fresh: dict[int, Before] = {}
    for action, reason in zip(plan.actions, error.reasons, strict=False):
        if action.marker is not None or action.index not in befores or reason.get("Code") != "ConditionalCheckFailed":
            continue
        write = writes[action.index]
        if type(_reason(error, write, action, reason)) is not ConditionFailed:
            continue  # a taken key, a stale version or a missing item: the values do not matter
        item = reason.get("Item")
        present = values_in(write, bytes_in(item) if item else None)
        if not same_before(present, befores[action.index]):
            fresh[action.index] = present
    return fresh


def misjudged(error: TransactionCancelled, plan: TransactionPlan) -> dict[MarkerId, int]:
    """Markers that were to be released and belong to another item (from before the constraint, or written otherwise), or
    that were to be left alone and do not; with the index of their write.
    """
    return {
        action.marker.id: action.index
        for action, reason in zip(plan.actions, error.reasons, strict=False)
        if action.marker is not None and action.marker.owner is None and reason.get("Code") == "ConditionalCheckFailed"
    }


def _reason(error: TransactionCancelled, write: Write, action: Action, reason: Mapping[str, Any]) -> ServiceError:
    """The error that a cancellation reason stands for."""
    alone = error_of(error, write.request, reason)
    if not isinstance(alone, ConditionFailed):
        return alone
    return refined(alone, write) if action.marker is None else _not_unique(alone, write, action)


def _not_unique(error: ConditionFailed, write: Write, action: Action) -> NotUnique:
    marker = action.marker
    assert marker is not None, "only markers are unique"  # noqa: S101 - the caller looked
    spec, names = write.spec, [member.name for member in marker.constraint.members]
    owner = _owner(spec, error.raw_item)
    message = f"another {spec.name} has this {' and '.join(names)}" + (f": {owner!r}" if owner else "")
    result = of_kind(NotUnique, error, message)
    result.attributes, result.owner = tuple(names), owner
    return result


def _owner(spec: ModelSpec[Any], marker: Mapping[str, Any] | None) -> Key[Any] | None:
    """Whose marker it is; ``None`` where it does not say so in a way that the model understands."""
    try:
        return Key(spec.cls, *spec.codec.decode_key(bytes_in((marker or {})[OWNER]["M"])))
    except (KeyError, TypeError, ValueError, UsageError):  # written by something else, or for another model
        return None
