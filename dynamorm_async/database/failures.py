"""What a failed condition means: taken key, missing item, stale version, or the caller's own condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from dynamorm_async.codec.rows import at_path
from dynamorm_async.errors import ConditionFailed, DecodeError, ItemExists, ItemNotFound, VersionConflict
from dynamorm_async.expressions.updates import path_text
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.hiding import is_marked
from dynamorm_async.plan.write import Write

F = TypeVar("F", bound=ConditionFailed)
_CHANGED_INSIDE = (
    "save() changes entries of a map that is no longer in the {model} ({paths}): somebody else removed or replaced it "
    "since this instance was read. Read the item again"
)


def refined(error: ConditionFailed, write: Write) -> ConditionFailed:
    """The error as the exact kind, with the item that was there, decoded."""
    spec, raw = write.spec, error.raw_item
    if write.must_not_exist:
        return _as(ItemExists, error, spec, _taken(spec, raw))
    if write.marks is not None and raw is not None and _is_deleted(spec, raw) is write.marks:
        state = "is soft-deleted already" if write.marks else "is not soft-deleted"
        return _as(ConditionFailed, error, spec, f"the {spec.name} {state}")
    if write.expected is not None and _is_stale(spec, write, raw):
        return _conflict(error, spec, write.expected)
    if write.must_exist and raw is None:
        return _as(ItemNotFound, error, spec, f"there is no {spec.name} with this key")
    gone = [] if raw is None else [path_text(path) for path in write.inside if "M" not in (at_path(raw, path) or ())]
    if gone:
        return _as(ConditionFailed, error, spec, _CHANGED_INSIDE.format(model=spec.name, paths=", ".join(gone)))
    return _as(ConditionFailed, error, spec, f"the condition did not hold for the {spec.name}")


def _taken(spec: ModelSpec[Any], raw: Mapping[str, Any] | None) -> str:
    there = f"there is already a {spec.name} with this key"
    if raw is None or not _is_deleted(spec, raw):
        return there
    return f"{there}, which is soft-deleted: restore() it, or delete it with hard=True"


def _is_deleted(spec: ModelSpec[Any], raw: Mapping[str, Any]) -> bool:
    return spec.deleted_at is not None and is_marked(spec.deleted_at, raw)


def _is_stale(spec: ModelSpec[Any], write: Write, raw: Mapping[str, Any] | None) -> bool:
    """Whether it was the version that failed, rather than the caller's own condition."""
    if raw is None:
        return not write.missing_fails_where
    return _version(spec, raw) != write.expected


def _conflict(error: ConditionFailed, spec: ModelSpec[Any], expected: int) -> VersionConflict:
    found = _version(spec, error.raw_item) if error.raw_item is not None else None
    there = "the item is gone" if found is None else f"the table has version {found}"
    message = f"the {spec.name} was written by somebody else: this one has version {expected}, {there}"
    if expected == 0 and found:
        message = (
            f"this {spec.name} is new, but there is one with its key, of version {found}: get() that one and change it"
        )
    conflict = _as(VersionConflict, error, spec, message)
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
    result = of_kind(kind, error, message)
    if error.raw_item is not None:
        try:
            result.item = spec.codec.decode(error.raw_item)
        except DecodeError:
            # The refusal is what matters; raw_item still shows what was there.
            result.item = None
    return result


def of_kind(kind: type[F], error: ConditionFailed, message: str) -> F:
    """The error as a narrower kind, with all that it carries but the decoded item."""
    result = kind(
        message,
        operation=error.operation,
        table=error.table,
        attempts=error.attempts,
        code=error.code,
        status=error.status,
        request_id=error.request_id,
    )
    result.raw_item, result.maybe_applied = error.raw_item, error.maybe_applied
    return result
