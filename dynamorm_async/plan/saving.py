"""UpdateItem from what changed on an instance since it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.hidden import shown
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.codec.stored import Stored, in_layout
from dynamorm_async.errors import InvalidExpression, UsageError
from dynamorm_async.expressions.conditions import Condition, Function, Literally, Path
from dynamorm_async.expressions.limits import MAX_EXPRESSION
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Update, render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.derived import Rekeyed, check_place, depends, keys_of_item, touched_by
from dynamorm_async.plan.lifecycle import touch
from dynamorm_async.plan.migrating import migrate_item
from dynamorm_async.plan.nested import Names, applied, changes, maps_inside, replacement
from dynamorm_async.plan.schemas import current, is_current
from dynamorm_async.plan.write import Write, add_conditions, key_is_taken, version_condition
from dynamorm_async.types import RawItem, Request

# "The maximum number of operators or functions in an expression is 300", the ANDs between them included. The assignments
# of an update expression are none, so it is the condition that counts: a function and an AND for each map, and three.
_MAX_MAPS = (300 - 3) // 2


def save_item(
    spec: ModelSpec[Any],
    table: str,
    instance: object,
    stored: Stored,
    now: datetime,
    *,
    where: Condition | None = None,
) -> Write | None:
    """UpdateItem of what changed since the instance was read, under its version; ``None`` where nothing did.

    Keys of indexes are made anew from the whole item; where the table lacks them, as of an item from before the index,
    that is a change, too.

    Raises:
        UsageError: a key attribute was changed, or it was read under another key than its attributes make.
        InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        InvalidExpression: so many attributes changed that no expression holds them.
    """
    check_place(spec.derived, stored, model=spec.name, call="save")
    item = spec.codec.encode(instance)
    _check_key(spec, instance, stored, item)
    if stored.older is not None:
        return migrate_item(spec, table, instance, stored, now, where=where)
    updates = _changed(spec, stored, item)
    if not updates and not _rekeyed(spec, stored, item, updates)[1].updates:
        return None
    after: dict[str, Any] = {}
    touch(spec, instance, now, item, after)
    updates += [
        replacement((member.wire,), item[member.wire])
        for member in (spec.version, spec.updated_at)
        if member is not None
    ]
    updates, rekeyed = _rekeyed(spec, stored, item, updates)
    carried = applied(stored.carried, rekeyed.updates)
    check_size(spec.name, {**item, **carried})
    expected, condition = version_condition(spec, instance)
    body: dict[str, Any] = {"TableName": table, "Key": spec.codec.key_of(instance)}
    conditions = [key_is_taken(spec), condition, is_current(spec), *rekeyed.conditions, where]
    taken, maps = _put_expressions(spec, body, [*updates, *rekeyed.updates], conditions, {**item, **carried})
    # What it changes itself is not as it was any more once it is applied.
    repeatable = condition is None and where is None and touched_by(taken).isdisjoint(rekeyed.insists)
    request = Request(
        operation="UpdateItem",
        body=body,
        table=table,
        repeatable=repeatable,
        at_most_once=expected is not None,
        sealed=spec.sealed(table),
    )
    return Write(
        spec=spec,
        request=request,
        instance=instance,
        changes=after,
        item={**item, **carried},
        held=applied({**stored.held, **stored.carried}, taken),
        inside=maps,
        expected=expected,
        must_exist=True,
        insists=rekeyed.insists,
        schema=current(spec),
    )


def _rekeyed(
    spec: ModelSpec[Any], stored: Stored, item: RawItem, updates: list[Update]
) -> tuple[list[Update], Rekeyed]:
    """What keeps the keys of indexes right; with the updates, and those of defaults that keys are made from.

    A default that the table lacks counts for the keys as the instance has it, so the table gets it.
    """
    if spec.derived is None:
        return updates, Rekeyed()
    held = applied(stored.held, updates)
    inputs = {name for index in spec.derived.indexes for name in depends(index)}
    defaults = [replacement((name,), item[name]) for name in sorted(inputs) if name in item and name not in held]
    table = applied(held, defaults)
    rekeyed = keys_of_item(spec.derived, stored, table, updates, versioned=spec.version is not None, repairs=True)
    return [*updates, *defaults], rekeyed


def _check_key(spec: ModelSpec[Any], instance: object, stored: Stored, item: RawItem) -> None:
    """Refuse an instance whose key was changed."""
    for member in spec.key:
        if not same_value(item.get(member.wire), stored.seen.get(member.wire)):
            raise UsageError(
                f"{spec.name}.{member.name} is a key attribute and was changed to "
                f"{shown(member, getattr(instance, member.name))} since "
                "the item was read: save() cannot move an item. create() the new one and delete() the old one"
            )


def _changed(spec: ModelSpec[Any], stored: Stored, item: RawItem) -> list[Update]:
    """The updates that bring the table up to the item."""
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
    too_many = len(maps) + len(conditions) - 2 > _MAX_MAPS
    if maps and (len(expression) > MAX_EXPRESSION or condition > MAX_EXPRESSION or too_many):
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
