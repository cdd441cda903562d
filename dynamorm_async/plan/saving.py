"""UpdateItem from what changed on an instance since it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.codec.stored import Stored, in_layout
from dynamorm_async.errors import InvalidExpression, UsageError
from dynamorm_async.expressions.conditions import Condition, Function, Literally, Path
from dynamorm_async.expressions.limits import MAX_EXPRESSION
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Update, render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import touch
from dynamorm_async.plan.nested import Names, applied, changes, maps_inside, replacement
from dynamorm_async.plan.write import Write, add_conditions, key_is_taken, version_condition
from dynamorm_async.types import RawItem, Request

# "The maximum number of operators or functions in an expression is 300", the ANDs between them included. The assignments
# of an update expression are none, so it is the condition that counts: a function and an AND for each map, and three.
_MAX_MAPS = (300 - 3) // 2


def save_item(spec: ModelSpec[Any], table: str, instance: object, stored: Stored, now: datetime) -> Write | None:
    """UpdateItem of what changed since the instance was read, under its version; ``None`` where nothing did.

    Raises:
        UsageError: a key attribute was changed.
        InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        InvalidExpression: so many attributes changed that no expression holds them.
    """
    item = spec.codec.encode(instance)
    updates = _changed(spec, instance, stored, item)
    if not updates:
        return None
    after: dict[str, Any] = {}
    touch(spec, instance, now, item, after)
    check_size(spec.name, item)
    own = [
        replacement((member.wire,), item[member.wire])
        for member in (spec.version, spec.updated_at)
        if member is not None
    ]
    expected, condition = version_condition(spec, instance)
    body: dict[str, Any] = {"TableName": table, "Key": spec.codec.key_of(instance)}
    conditions = [key_is_taken(spec), condition]
    updates, maps = _put_expressions(spec, body, [*updates, *own], conditions, item)
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=condition is None)
    return Write(
        spec=spec,
        request=request,
        instance=instance,
        changes=after,
        item=item,
        held=applied(stored.held, updates),
        inside=maps,
        expected=expected,
        must_exist=True,
    )


def _changed(spec: ModelSpec[Any], instance: object, stored: Stored, item: RawItem) -> list[Update]:
    """The updates that bring the table up to the item."""
    for member in spec.key:
        if not same_value(item.get(member.wire), stored.seen.get(member.wire)):
            raise UsageError(
                f"{spec.name}.{member.name} is a key attribute and was changed to {getattr(instance, member.name)!r} since "
                "the item was read: save() cannot move an item. create() the new one and delete() the old one"
            )
    own = {member.wire for member in (spec.version, spec.updated_at) if member is not None}
    return [
        update
        for member in spec.attributes.values()
        if (name := member.wire) not in own
        for update in changes(
            in_layout(member, spec.codec.layout),
            (name,),
            item.get(name),
            stored.seen.get(name),
            stored.held.get(name),
        )
    ]


def _put_expressions(
    spec: ModelSpec[Any],
    body: dict[str, Any],
    updates: list[Update],
    conditions: Sequence[Condition | None],
    item: RawItem,
) -> tuple[list[Update], tuple[Names, ...]]:
    """Put the updates into the body, as whole attributes where their paths are too many.

    Returns:
        The updates that were taken, and the maps that they change entries of.
    """
    maps = maps_inside(updates)
    placeholders = Placeholders()
    expression = render(updates, placeholders)
    inside = [_is_map(path) for path in maps]
    condition = sum(
        len(part.render(placeholders)) + len(" AND ") for part in [*conditions, *inside] if part is not None
    )
    if maps and (len(expression) > MAX_EXPRESSION or condition > MAX_EXPRESSION or len(maps) > _MAX_MAPS):
        whole = dict.fromkeys(str(update.path[0]) for update in updates)
        updates, maps, inside = [replacement((name,), item.get(name)) for name in whole], (), []
        placeholders = Placeholders()
        expression = render(updates, placeholders)
    if len(expression) > MAX_EXPRESSION:
        raise InvalidExpression(
            f"save() of the {spec.name} changes {len(updates)} attributes: their update expression has "
            f"{len(expression):,} bytes, DynamoDB allows {MAX_EXPRESSION:,}. Save fewer changes at a time, or put() the item"
        )
    add_conditions(body, [*conditions, *inside], placeholders, UpdateExpression=expression)
    return updates, maps


def _is_map(path: Names) -> Condition:
    """There is a map under the path: without one, DynamoDB would find the update invalid, and say no more."""
    return Function("attribute_type", Path(path), Literally({"S": "M"}))
