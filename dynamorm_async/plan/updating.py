"""UpdateItem from the changes that a caller wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.depth import check_depth
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import InvalidKey, InvalidValue, UsageError
from dynamorm_async.expressions.conditions import Condition, Literally
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import (
    Alternative,
    Assignment,
    Change,
    Concatenation,
    Default,
    Update,
    checked,
    path_text,
    render,
)
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import lifecycle_updates
from dynamorm_async.plan.write import Returns, Write, add_conditions, add_return_values, key_is_taken
from dynamorm_async.types import AttributeValue, Request

_UPDATED = ("updated_old", "updated_new")
_ONCE = ("old", "updated_old")  # what was there before can be told only once


def update_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    updates: Sequence[object],
    now: datetime,
    *,
    where: Condition | None,
    upsert: bool,
    returns: Returns,
) -> Write:
    """UpdateItem of an item that is there (or, with ``upsert``, of a new one)."""
    changes = checked(updates)
    _check_targets(spec, changes)
    every = [*changes, *lifecycle_updates(spec, changes, now, upsert=upsert)]
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table, "Key": key}
    add_return_values(body, returns, "update", "none", "old", "new", "updated_old", "updated_new")
    expression = render(every, placeholders)
    add_conditions(body, [None if upsert else key_is_taken(spec), where], placeholders, UpdateExpression=expression)
    repeatable = (
        where is None and spec.version is None and returns not in _ONCE and all(change.repeatable for change in changes)
    )
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=repeatable)
    changed = tuple(update.path for update in every) if returns in _UPDATED else ()
    return Write(spec=spec, request=request, must_exist=not upsert, changed=changed)


def _check_targets(spec: ModelSpec[Any], updates: Sequence[Update]) -> None:
    if not updates:
        raise UsageError(f"update() of {spec.name} without changes: pass some, such as {spec.name}.name.set(...)")
    names = spec.python_names
    for update in updates:
        name = names.get(str(update.path[0]))
        if name is None:
            raise UsageError(f"{spec.name} has no attribute {path_text(update.path)}: the change is another model's")
        member, where = spec.attributes[name], f"{spec.name}.{name}"
        if member in spec.key:
            raise UsageError(
                f"{where} is a key attribute: DynamoDB cannot change it. Create the new item and delete this one"
            )
        if member is spec.version:
            raise UsageError(f"{where} is the version: every write moves it; do not set it yourself")
        if member.key_limit:
            _check_index_key(where, member, update.change)
        for root in update.reads():
            if root not in names:
                raise UsageError(f"the change of {where} reads {root!r}, which {spec.name} does not have")
        if len(update.path) > 1:
            _check_depth(spec.name, update)


def _check_depth(model: str, update: Update) -> None:
    """Refuse a value that nests too deep where its path leads; at the top level, the value itself was looked at."""
    change = update.change
    operand = change.elements if isinstance(change, Concatenation) else getattr(change, "operand", None)
    if isinstance(operand, Literally):
        try:
            check_depth(operand.value, len(update.path) - 1)
        except InvalidValue as error:
            raise InvalidValue(f"{model}.{path_text(update.path)}: {error}") from None


def _check_index_key(where: str, member: Member, change: Change) -> None:
    """Refuse an index key that is empty or too long, as a write of the whole item would."""
    if not isinstance(change, Assignment | Default):
        return
    operand = change.operand.otherwise if isinstance(change.operand, Alternative) else change.operand
    if not isinstance(operand, Literally):
        return
    tag, content = next(iter(operand.value.items()))
    if tag in ("S", "B"):
        try:
            key_content(content, member.key_limit, member.key_of)
        except InvalidKey as error:
            raise InvalidKey(f"{where}: {error}") from None
