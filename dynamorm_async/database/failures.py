"""What a failed condition means: taken key, missing item, stale version, or the caller's own condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from dynamorm_async.errors import ConditionFailed, DecodeError, ItemExists, ItemNotFound, VersionConflict
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import Write

F = TypeVar("F", bound=ConditionFailed)


def refined(error: ConditionFailed, write: Write) -> ConditionFailed:
    """The error as the exact kind, with the item that was there, decoded."""
    spec, raw = write.spec, error.raw_item
    if write.must_not_exist:
        return _as(ItemExists, error, spec, f"there is already a {spec.name} with this key")
    if write.expected is not None and _is_stale(spec, write, raw):
        return _conflict(error, spec, write.expected)
    if write.must_exist and raw is None:
        return _as(ItemNotFound, error, spec, f"there is no {spec.name} with this key")
    return _as(ConditionFailed, error, spec, f"the condition did not hold for the {spec.name}")


def _is_stale(spec: ModelSpec[Any], write: Write, raw: Mapping[str, Any] | None) -> bool:
    """Whether it was the version that failed, rather than the caller's own condition."""
    if raw is None:
        return not write.missing_fails_where
    return _version(spec, raw) != write.expected


def _conflict(error: ConditionFailed, spec: ModelSpec[Any], expected: int) -> VersionConflict:
    found = _version(spec, error.raw_item) if error.raw_item is not None else None
    there = "the item is gone" if found is None else f"the table has version {found}"
    conflict = _as(
        VersionConflict,
        error,
        spec,
        f"the {spec.name} was written by somebody else: this one has version {expected}, {there}",
    )
    conflict.expected, conflict.found = expected, found
    return conflict


def _version(spec: ModelSpec[Any], raw: Mapping[str, Any] | None) -> int | None:
    """The version of the item that was there: 0 where the item has none, ``None`` where there is no item."""
    if raw is None:
        return None
    assert spec.version is not None, "only versioned models expect one"  # noqa: S101 - an invariant of the planner
    value = raw.get(spec.version.wire)
    return int(value["N"]) if value is not None and "N" in value else 0


def _as(kind: type[F], error: ConditionFailed, spec: ModelSpec[Any], message: str) -> F:
    result = kind(
        message,
        operation=error.operation,
        table=error.table,
        attempts=error.attempts,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    result.raw_item = error.raw_item
    if error.raw_item is not None:
        try:
            result.item = spec.codec.decode(error.raw_item)
        except DecodeError:
            # The refusal is what matters; raw_item still shows what was there.
            result.item = None
    return result
