"""Soft delete and restore: UpdateItem that sets the mark of a ``deleted_at()`` attribute, or takes it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.stored import Stored
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, Literally
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Nothing, Update, render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.derived import Rekeyed, keys_of_item
from dynamorm_async.plan.hiding import is_marked, marked, unmarked
from dynamorm_async.plan.lifecycle import lifecycle_updates, touch
from dynamorm_async.plan.nested import applied
from dynamorm_async.plan.rekeying import Call, keys_of_change
from dynamorm_async.plan.write import (
    Returns,
    Write,
    add_conditions,
    add_return_values,
    encoded_member,
    key_is_taken,
    version_condition,
)
from dynamorm_async.types import AttributeValue, Request


def mark_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    now: datetime,
    *,
    where: Condition | None,
    returns: Returns,
    instance: object | None = None,
    key_values: Mapping[str, AttributeValue] = MappingProxyType({}),
) -> Write:
    """Soft delete of an item that is there and not soft-deleted; of an instance under its version.

    Raises:
        UsageError: by a key, where keys of an index depend on what it changes and on something that is not known.
    """
    mark = _mark_of(spec)
    value = encoded_member(spec, mark, now)
    return _write(
        spec,
        table,
        key,
        now,
        Update("SET", (mark.wire,), Assignment(Literally(value))),
        # The first condition is what keeps an update from making an item.
        conditions=[key_is_taken(spec), unmarked(mark), where],
        returns=returns,
        instance=instance,
        key_values=key_values,
        marks=True,
        forgives=where is None,
        # What the item was can be told only once, and whether the caller's condition held before.
        repeatable=where is None and returns != "old",
    )


def unmark_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    now: datetime,
    *,
    returns: Returns,
    instance: object | None = None,
    key_values: Mapping[str, AttributeValue] = MappingProxyType({}),
) -> Write:
    """Restore of a soft-deleted item; of an instance under its version.

    Raises:
        UsageError: the model has no ``deleted_at()`` attribute; or by a key, where keys of an index depend on what it
            changes and on something that is not known.
    """
    mark = _mark_of(spec)
    return _write(
        spec,
        table,
        key,
        now,
        Update("REMOVE", (mark.wire,), Nothing()),
        conditions=[marked(mark)],
        returns=returns,
        instance=instance,
        key_values=key_values,
        marks=False,
        forgives=True,
        repeatable=True,
    )


def is_forgiven(write: Write, raw: Mapping[str, Any] | None) -> bool:
    """Whether a write whose condition failed has nothing to do.

    The item to be soft-deleted is missing or soft-deleted already, or the one to be restored is not soft-deleted.

    Args:
        write: what was sent.
        raw: the item that was there, in DynamoDB's JSON form; ``None`` where there was none.
    """
    mark = write.spec.deleted_at
    if not write.forgives or mark is None:
        return False
    if raw is None:
        return write.marks is True
    return is_marked(mark, raw) == write.marks


def is_done(write: Write, raw: Mapping[str, Any] | None) -> bool:
    """Whether an item has all that a write would have given it, as after an attempt whose answer was lost."""
    members, codec = write.spec.attributes, write.spec.codec
    return raw is not None and all(
        raw.get(members[name].wire) == codec.encode_member(members[name], value)
        for name, value in write.changes.items()
    )


def _write(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    now: datetime,
    update: Update,
    *,
    conditions: list[Condition | None],
    returns: Returns,
    instance: object | None,
    key_values: Mapping[str, AttributeValue],
    marks: bool,
    forgives: bool,
    repeatable: bool,
) -> Write:
    expected, condition = (None, None) if instance is None else version_condition(spec, instance)
    conditions = [*conditions, condition]
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if marks:
        add_return_values(body, returns, "delete", "none", "old")
    else:
        add_return_values(body, returns, "restore", "none", "new")
    updates = [update, *lifecycle_updates(spec, [update], now, upsert=False)]
    changes, known, after = _after(spec, instance, now, marks=marks)
    if known is None or after is None:
        call: Call = "delete" if marks else "restore"
        rekeyed = keys_of_change(spec, call, updates, key_values=key_values, conditions=conditions)
    else:
        rekeyed, after = _rekeyed(spec, known, after, updates)
    expression = render([*updates, *rekeyed.updates], placeholders)
    add_conditions(body, [*conditions, *rekeyed.conditions], placeholders, UpdateExpression=expression)
    return Write(
        spec=spec,
        # The condition on the mark keeps a second one from moving anything.
        request=Request(
            operation="UpdateItem", body=body, table=table, repeatable=repeatable, sealed=spec.sealed(table)
        ),
        instance=instance,
        changes=changes,
        item=None if after is None else {**after.seen, **after.carried},
        held=None if after is None else {**after.held, **after.carried},
        expected=expected,
        must_exist=not marks,
        missing_fails_where=True,
        marks=marks,
        forgives=forgives,
        insists=rekeyed.insists,
        key_values=key_values,
    )


def _rekeyed(spec: ModelSpec[Any], known: Stored, after: Stored, updates: Sequence[Update]) -> tuple[Rekeyed, Stored]:
    """What keeps the keys of indexes right, and the item with them."""
    if spec.derived is None:
        return Rekeyed(), after
    rekeyed = keys_of_item(
        spec.derived,
        known,
        after.held,
        updates,
        versioned=spec.version is not None,
        repairs=False,
    )
    return rekeyed, Stored(after.seen, after.held, applied(known.carried, rekeyed.updates))


def _after(
    spec: ModelSpec[Any], instance: object | None, now: datetime, *, marks: bool
) -> tuple[dict[str, Any], Stored | None, Stored | None]:
    """What the instance gets; and, where that is known, what it was read as, and what is known of the item then."""
    if instance is None:
        return {}, None, None
    mark, known = _mark_of(spec), spec.codec.known(instance)
    own: dict[str, AttributeValue] = {}
    changes: dict[str, Any] = {mark.name: now if marks else None}
    if marks:
        own[mark.wire] = encoded_member(spec, mark, now)
    touch(spec, instance, now, own, changes)
    if known is None or known.older is not None:  # of an older schema, what was read is what save() goes by
        return changes, None, None
    seen, held = (
        {name: value for name, value in item.items() if name != mark.wire} for item in (known.seen, known.held)
    )
    return changes, known, Stored({**seen, **own}, {**held, **own}, known.carried)


def _mark_of(spec: ModelSpec[Any]) -> Member:
    if spec.deleted_at is None:
        raise UsageError(
            f"{spec.name} has no deleted_at() attribute: its items are really deleted, so there is nothing to restore"
        )
    return spec.deleted_at
