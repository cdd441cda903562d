"""UpdateItem that brings an item of an older schema to the present one, with what changed since it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.stored import Nested, Stored, in_layout
from dynamorm_async.errors import InvalidExpression
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.limits import MAX_EXPRESSION
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import render
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import encoded
from dynamorm_async.plan.nested import replacement
from dynamorm_async.plan.write import Write, add_conditions, is_still, key_is_taken, version_condition
from dynamorm_async.types import AttributeValue, RawItem, Request

# "The maximum number of operators or functions in an expression is 300", the ANDs between them included.
_MAX_CONDITIONS = 150


def migrate_item(
    spec: ModelSpec[Any],
    table: str,
    instance: object,
    stored: Stored,
    now: datetime,
    *,
    where: Condition | None = None,
) -> Write:
    """UpdateItem that leaves the item as a put of the instance would, and what the model does not know as it is.

    Under the version, where the model has one, and under the schema version that was read. Without a version, on the
    condition that the item is as it was read: what the upcasters, and the keys of indexes, made of old values would undo
    a change, even one of an attribute that they only looked at.

    Args:
        spec: the model.
        table: the table's name.
        instance: what is to be written.
        stored: what it was read from, an item of an older schema.
        now: the time of the write.
        where: what must hold of the item besides.

    Raises:
        InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        InvalidExpression: so many attributes change that no expression holds them.
    """
    older = stored.older
    assert older is not None, "the caller looked"  # noqa: S101 - an invariant of save()
    item, after = encoded(spec, instance, now)
    whole = _beside_unknown(spec, item, stored.seen, older.upcast)
    names = [
        name
        for name in {**older.item, **whole}
        if name not in spec.key_names and not same_value(older.item.get(name), whole.get(name))
    ]
    expected, condition = version_condition(spec, instance)
    guarded = [
        name
        for name in dict.fromkeys((*names, *older.item))
        if name in _schema_name(spec) or (condition is None and name not in spec.key_names)
    ]
    conditions = [key_is_taken(spec), condition, *(is_still(name, older.item.get(name)) for name in guarded), where]
    placeholders = Placeholders()
    expression = render([replacement((name,), whole.get(name)) for name in names], placeholders)
    if len(expression) > MAX_EXPRESSION or len(conditions) > _MAX_CONDITIONS:
        raise InvalidExpression(
            f"save() of the {spec.name}, which is of schema {older.version} in the table, changes {len(names)} attributes "
            f"and insists on {len(guarded)}: more than one request can say. put() the item instead"
        )
    body: dict[str, Any] = {"TableName": table, "Key": spec.codec.key_of(instance)}
    add_conditions(body, conditions, placeholders, UpdateExpression=expression)
    return Write(
        spec=spec,
        # Once it is applied, the item is not of the older schema any more.
        request=Request(
            operation="UpdateItem",
            body=body,
            table=table,
            repeatable=False,
            at_most_once=True,
            sealed=spec.sealed(table),
        ),
        instance=instance,
        changes=after,
        item=item,
        expected=expected,
        must_exist=True,
        schema=older.version,
    )


def _schema_name(spec: ModelSpec[Any]) -> Iterable[str]:
    return () if spec.schema is None else (spec.schema.name,)


def _beside_unknown(spec: ModelSpec[Any], item: RawItem, seen: RawItem, upcast: RawItem) -> dict[str, AttributeValue]:
    """The item with what the upcasters left of attributes that the model does not know, inside of maps as well."""
    layout = spec.codec.layout
    own = {member.wire: member for member in layout.members}
    kept = {name: value for name, value in upcast.items() if name not in own}
    merged = {
        name: _merged(in_layout(own[name], layout), value, seen.get(name), upcast.get(name))
        for name, value in item.items()
        if name in own
    }
    return {**kept, **item, **merged}


def _merged(
    nested: Nested, new: AttributeValue, seen: AttributeValue | None, there: AttributeValue | None
) -> AttributeValue:
    """A value as it is to be, with what is there of what its type does not know."""
    if "L" in new and there is not None and same_value(new, seen):
        return there  # it was not changed, and its elements may have what their type does not know
    if "M" not in new or there is None or "M" not in there:
        return new
    within = nested.of(new["M"], there["M"])
    if within is None:
        return new
    before: Mapping[str, AttributeValue] = (seen or {}).get("M") or {}
    around: Mapping[str, AttributeValue] = there["M"]
    entries = {name: within.entry(name) for name in {**around, **new["M"]}}
    unknown = {name: value for name, value in around.items() if entries[name] is None}
    known = {
        name: value if (inside := entries[name]) is None else _merged(inside, value, before.get(name), around.get(name))
        for name, value in new["M"].items()
    }
    return {"M": {**unknown, **known}}
