"""UpdateItem from the changes that a caller wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import InvalidKey, UsageError
from dynamorm_async.expressions.conditions import Condition, Literally
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Change, Default, Update, checked, path_text, render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import lifecycle_updates
from dynamorm_async.plan.write import Returns, Write, add_conditions, key_is_taken
from dynamorm_async.types import AttributeValue, Request

_RETURN_VALUES = {"new": "ALL_NEW", "old": "ALL_OLD"}


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
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if returns != "none":
        body["ReturnValues"] = _RETURN_VALUES[returns]
    expression = render([*changes, *lifecycle_updates(spec, changes, now, upsert=upsert)], placeholders)
    add_conditions(body, [None if upsert else key_is_taken(spec), where], placeholders, UpdateExpression=expression)
    repeatable = (
        where is None and spec.version is None and returns != "old" and all(change.repeatable for change in changes)
    )
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=repeatable)
    return Write(spec=spec, request=request, must_exist=not upsert)


def _check_targets(spec: ModelSpec[Any], updates: Sequence[Update]) -> None:
    if not updates:
        raise UsageError(f"update() of {spec.name} without changes: pass some, such as {spec.name}.name.set(...)")
    members = {member.wire: member for member in spec.attributes.values()}
    for update in updates:
        member = members.get(str(update.path[0]))
        if member is None:
            raise UsageError(f"{spec.name} has no attribute {path_text(update.path)}: the change is another model's")
        where = f"{spec.name}.{member.name}"
        if member in spec.key:
            raise UsageError(
                f"{where} is a key attribute: DynamoDB cannot change it. Create the new item and delete this one"
            )
        if member is spec.version:
            raise UsageError(f"{where} is the version: every write moves it; do not set it yourself")
        if member.key_limit:
            _check_index_key(where, member, update.change)


def _check_index_key(where: str, member: Member, change: Change) -> None:
    """Refuse an index key that is empty or too long, as a write of the whole item would."""
    if not isinstance(change, Assignment | Default) or not isinstance(change.operand, Literally):
        return
    tag, content = next(iter(change.operand.value.items()))
    if tag in ("S", "B"):
        try:
            key_content(content, member.key_limit, member.key_of)
        except InvalidKey as error:
            raise InvalidKey(f"{where}: {error}") from None
