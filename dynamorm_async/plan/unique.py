"""Keeping values unique: which attributes a write touches, and the markers that it claims and releases.

A value that is taken has a marker item, whose partition key is the value. A write that changes the values of an item
is a transaction: the item, on the condition that it still has the values that it was thought to have, and the markers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from dynamorm_async.codec.compare import same_value
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Comparison, Condition, Function, Literally, Path, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Nothing, Update
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.unique import MARKER_KEY, OWNER, UniqueConstraint
from dynamorm_async.plan.write import Write, key_is_free
from dynamorm_async.types import UNSET, AttributeValue, Unset

Before: TypeAlias = Mapping[str, AttributeValue | None] | None
"""The attributes of unique constraints as the table has them; ``None`` where it has no such item."""


@attrs.frozen
class Marker:
    """A marker that a write claims or releases.

    Attributes:
        constraint: which constraint.
        value: the marker's partition key.
        claimed: whether it is claimed, rather than released.
    """

    constraint: UniqueConstraint
    value: str
    claimed: bool

    def action(self, write: Write) -> dict[str, Any]:
        """The marker's part of the transaction: it must be free, or belong to the item already."""
        value: AttributeValue = {"S": self.value}
        owner: AttributeValue = {"M": write.key}
        body: dict[str, Any] = {
            "TableName": marker_table(write.table),
            "ConditionExpression": "attribute_not_exists(#value) OR #owner = :owner",
            "ExpressionAttributeNames": {"#value": MARKER_KEY, "#owner": OWNER},
            "ExpressionAttributeValues": {":owner": owner},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.claimed:
            return {"Put": {**body, "Item": {MARKER_KEY: value, OWNER: owner}}}
        return {"Delete": {**body, "Key": {MARKER_KEY: value}}}


def marker_table(table: str) -> str:
    """The table of the markers of a table's items."""
    return f"{table}-unique"


def with_unique(
    write: Write, changes: Sequence[object] = (), *, stored: Mapping[str, AttributeValue] | None = None
) -> Write:
    """The write, with what it does to the attributes of unique constraints.

    Args:
        write: the planned write.
        changes: the changes of an update.
        stored: what ``save`` compared with.

    Raises:
        UsageError: a change whose result is not known beforehand, or a return value that a transaction cannot give.
    """
    if not write.spec.unique:
        return write
    names = {member.wire for constraint in write.spec.unique for member in constraint.members}
    touched = _touched(write, names, changes, stored)
    if not touched:
        return write
    returned = write.request.body.get("ReturnValues", "NONE")
    if returned not in ("NONE", "ALL_NEW"):
        raise UsageError(
            f"{write.action}(returns=...) of {write.spec.name}: its unique attributes make this write a transaction, which "
            "returns nothing of what was there; read the item before, or leave returns= out"
        )
    return attrs.evolve(write, unique=touched)


def known_before(write: Write) -> Before | Unset:
    """The values that the item is thought to have; ``UNSET`` where it has to be read."""
    if write.must_not_exist:
        return None
    stored = None if write.instance is None else write.spec.codec.stored(write.instance)
    if stored is not None:
        return values_in(write, stored)
    return None if write.request.operation == "PutItem" else UNSET


def values_in(write: Write, item: Mapping[str, AttributeValue] | None) -> Before:
    """The guarded attributes of an item."""
    return None if item is None else {name: item.get(name) for name in _guarded(write)}


def same_before(one: Before, other: Before) -> bool:
    """Whether two are the same values."""
    if one is None or other is None:
        return one is other
    return all(same_value(one.get(name), other.get(name)) for name in {*one, *other})


def markers(write: Write, before: Before) -> Iterator[Marker]:
    """The markers that the write releases and claims.

    Raises:
        InvalidKey: a value is too long.
    """
    old, new = before or {}, {**(before or {}), **(write.unique or {})}
    for constraint in _touched_constraints(write):
        released, claimed = constraint.marker(old), constraint.marker(new)
        if released == claimed:
            continue
        if released is not None:
            yield Marker(constraint, released, claimed=False)
        if claimed is not None:
            yield Marker(constraint, claimed, claimed=True)


def guarded(write: Write, before: Before) -> dict[str, Any]:
    """The write's body, on the condition that the item has the values that the markers were chosen by."""
    body = write.request.body
    if write.must_not_exist:
        return body
    placeholders = Placeholders(mark="u")  # apart from those that the body has already
    text = _guard(write.spec, before, _guarded(write)).render(placeholders)
    own = body.get("ConditionExpression")
    extra: dict[str, Any] = {}
    placeholders.into(extra, ConditionExpression=text)
    merged = {**body, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    merged["ConditionExpression"] = f"({own}) AND {text}" if own else text
    for part in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if part in extra:
            merged[part] = {**body.get(part, {}), **extra[part]}
    return merged


def _guard(spec: ModelSpec[Any], before: Before, names: Sequence[str]) -> Condition:
    if before is None:
        return key_is_free(spec)
    parts: list[Condition] = []
    for name in names:
        value, path = before.get(name), Path((name,))
        parts.append(
            Function("attribute_not_exists", path) if value is None else Comparison(path, "=", Literally(value))
        )
    condition = all_of(parts)
    assert condition is not None, "a constraint has attributes"  # noqa: S101 - checked by unique()
    return condition


def _touched(
    write: Write, names: set[str], changes: Sequence[object], stored: Mapping[str, AttributeValue] | None
) -> dict[str, AttributeValue | None]:
    operation, item = write.request.operation, write.item or {}
    if operation == "PutItem":
        return {name: item.get(name) for name in names}
    if operation == "DeleteItem":
        return dict.fromkeys(names)
    if stored is not None:
        return {name: item.get(name) for name in names if not same_value(item.get(name), stored.get(name))}
    return {
        str(change.path[0]): _result(write.spec, change)
        for change in changes
        if isinstance(change, Update) and change.path[0] in names
    }


def _result(spec: ModelSpec[Any], update: Update) -> AttributeValue | None:
    change = update.change
    if isinstance(change, Nothing):
        return None
    if isinstance(change, Assignment) and isinstance(change.operand, Literally):
        return change.operand.value
    name = spec.python_names[str(update.path[0])]
    raise UsageError(
        f"{spec.name}.{name} is unique, so its new value must be known beforehand: write {spec.name}.{name}.set(value) or "
        f"{spec.name}.{name}.remove()"
    )


def _touched_constraints(write: Write) -> Iterator[UniqueConstraint]:
    touched = write.unique or {}
    return (one for one in write.spec.unique if any(member.wire in touched for member in one.members))


def _guarded(write: Write) -> list[str]:
    return list(dict.fromkeys(member.wire for one in _touched_constraints(write) for member in one.members))
