"""UpdateItem from what changed on an instance since it was read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Literally
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Nothing, Update, render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import touch
from dynamorm_async.plan.write import Write, add_conditions, key_is_taken, version_condition
from dynamorm_async.types import AttributeValue, Request


def save_item(
    spec: ModelSpec[Any], table: str, instance: object, stored: Mapping[str, AttributeValue], now: datetime
) -> Write | None:
    """UpdateItem of what changed since the instance was read, under its version; ``None`` where nothing did."""
    item = spec.codec.encode(instance)
    changed = _changed(spec, instance, stored, item)
    if not changed:
        return None
    updates = [_replacement(name, value) for name, value in changed.items()]
    after: dict[str, Any] = {}
    touch(spec, instance, now, item, after)
    check_size(spec.name, item)
    own = [member.wire for member in (spec.version, spec.updated_at) if member is not None]
    updates.extend(_replacement(name, item[name]) for name in own)
    placeholders = Placeholders()
    expected, condition = version_condition(spec, instance)
    body: dict[str, Any] = {"TableName": table, "Key": spec.codec.key_of(instance)}
    expression = render(updates, placeholders)
    add_conditions(body, [key_is_taken(spec), condition], placeholders, UpdateExpression=expression)
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=condition is None)
    return Write(
        spec=spec, request=request, instance=instance, changes=after, item=item, expected=expected, must_exist=True
    )


def _changed(
    spec: ModelSpec[Any], instance: object, stored: Mapping[str, AttributeValue], item: Mapping[str, AttributeValue]
) -> dict[str, AttributeValue | None]:
    """The attributes that differ from what was read: their new values, ``None`` for removed ones."""
    own = {member.wire for member in (spec.version, spec.updated_at) if member is not None}
    changed: dict[str, AttributeValue | None] = {}
    for member in spec.attributes.values():
        value = item.get(member.wire)
        if member.wire not in own and not same_value(value, stored.get(member.wire)):
            changed[member.wire] = value
    for member in spec.key:
        if member.wire in changed:
            raise UsageError(
                f"{spec.name}.{member.name} is a key attribute and was changed to {getattr(instance, member.name)!r} since "
                "the item was read: save() cannot move an item. create() the new one and delete() the old one"
            )
    return changed


def _replacement(name: str, value: AttributeValue | None) -> Update:
    if value is None:
        return Update("REMOVE", (name,), Nothing())
    return Update("SET", (name,), Assignment(Literally(value)))
