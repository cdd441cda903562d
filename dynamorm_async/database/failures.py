"""What a failed condition means: taken key, missing item, stale version, or the caller's own condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.hidden import hidden
from dynamorm_async.codec.rows import at_path
from dynamorm_async.codec.upcasting import version_in
from dynamorm_async.errors import (
    ConditionFailed,
    DecodeError,
    ItemExists,
    ItemNotFound,
    SchemaConflict,
    VersionConflict,
)
from dynamorm_async.expressions.updates import path_text
from dynamorm_async.model.evaluate import holds
from dynamorm_async.model.registry import model_of
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.hiding import is_marked
from dynamorm_async.plan.write import Write
from dynamorm_async.types import AttributeValue

F = TypeVar("F", bound=ConditionFailed)
_CHANGED_INSIDE = (
    "save() changes entries of a map that is no longer in the {model} ({paths}): somebody else removed or replaced it "
    "since this instance was read. Read the item again"
)
_MADE_FROM_OTHERS = (
    "keys of its indexes are made from {names} of the {model}, which the table has otherwise than this write: somebody else "
    "changed it since it was read, or the Key has another value where the item's key tells a part of it only. Read the item again"
)

_ONLY_FIRST = (
    "there is a {model} with this key, and without keys of an index that update(upsert=True) makes of first values of {names}: "
    "it may have other values, from which they were to be made. get() it and save() it, which makes them"
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
    if raw is not None and _of_another(write, raw) is not None:
        return _by_content(error, write)
    return _by_schema(error, write) or _by_content(error, write)


def _by_content(error: ConditionFailed, write: Write) -> ConditionFailed:
    """The error where neither the existence of the item nor a version says why."""
    spec, raw = write.spec, error.raw_item
    message = None if raw is None else _of_another(write, raw) or _changed_meanwhile(write, raw)
    return _as(ConditionFailed, error, spec, message or f"the condition did not hold for the {spec.name}")


def _changed_meanwhile(write: Write, raw: Mapping[str, Any]) -> str | None:
    """What is not there any more that the write was made from; ``None`` where that is not why it failed."""
    spec = write.spec
    gone = [path_text(path) for path in write.inside if "M" not in (at_path(raw, path) or ())]
    if gone:
        return _CHANGED_INSIDE.format(model=spec.name, paths=", ".join(gone))
    first = [guard for guard in write.guards if not holds(guard, bytes_in(raw))]
    if first:
        names = [name for name in first[0].roots() if name in spec.python_names]
        return _ONLY_FIRST.format(model=spec.name, names=" and ".join(spec.python_names[name] for name in names))
    others = [spec.python_names[name] for name, value in write.insists.items() if not _has(raw, name, value)]
    return _MADE_FROM_OTHERS.format(model=spec.name, names=" and ".join(others)) if others else None


def _of_another(write: Write, raw: Mapping[str, Any]) -> str | None:
    """That an update was of an item of another model, by its type; ``None`` where that is not why it failed."""
    spec = write.spec
    found = model_of(spec, raw)
    if write.instance is not None or write.action != "update" or found is spec or found.type in spec.variants:
        return None
    return f"the item with this key is no {spec.name}: it is of type {found.type!r}, by its {spec.table.discriminator}"


def _has(raw: Mapping[str, Any], name: str, value: AttributeValue | None) -> bool:
    found = raw.get(name)
    return same_value(None if found is None else bytes_in({name: found})[name], value)


def _by_schema(error: ConditionFailed, write: Write) -> ConditionFailed | None:
    """The error where the schema version of the item that was there says why."""
    spec, raw, expected = write.spec, error.raw_item, write.schema
    if spec.schema is None or expected is None or raw is None:
        return None
    found, current = version_in(spec.schema, raw), spec.schema.current
    if found == expected:
        if expected == current:
            return None
        changed = (
            f"was changed by somebody else since this instance was read from schema {expected}: read the item again"
        )
        return _as(ConditionFailed, error, spec, f"the {spec.name} {changed}")
    if found is None or found > current:
        why = f"while this program knows it up to {current}: it was written by a newer version of the program"
    elif expected < current:
        why = (
            f"since somebody else migrated it after this instance was read from schema {expected}: read the item again"
        )
    elif write.instance is not None:
        why = f"but this instance was read from schema {expected}: somebody else put an older one. Read the item again"
    else:
        why = (
            f"and update() writes only some attributes, by schema {current}: migrate the item first, with get() and save(), "
            "or change it with modify()"
        )
    shown = "none that is known" if found is None else found
    conflict = _as(SchemaConflict, error, spec, f"the {spec.name} in the table has schema {shown}, {why}")
    conflict.expected, conflict.found = expected, found
    return conflict


def _taken(spec: ModelSpec[Any], raw: Mapping[str, Any] | None) -> str:
    there = f"there is already an item of {spec.name} with this key"
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
    result.raw_item = masked(spec, error.raw_item)
    if error.raw_item is not None:
        try:
            result.item = model_of(spec, error.raw_item).reader.decode(error.raw_item)
        except DecodeError:
            # The refusal is what matters; raw_item still shows what was there.
            result.item = None
    return result


def masked(spec: ModelSpec[Any], raw: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """An item whose secret values are not shown where the error is."""
    secret = {member.wire for member in spec.attributes.values() if member.shape.hidden}
    if raw is None or not secret:
        return raw
    return {name: hidden(value) if name in secret else value for name, value in raw.items()}


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
