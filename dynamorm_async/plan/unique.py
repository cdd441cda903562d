"""Keeping values unique: which attributes a write touches, and the markers that it claims and releases.

A value that is taken has a marker item, whose partition key is the value. A write that changes the values of an item
is a transaction: the item, on the condition that it still has the values that it was thought to have, and the markers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from dynamorm_async.codec.compare import same_value
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Comparison, Condition, Function, Literally, Path, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Nothing, Update
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.unique import MARKER_KEY, OWNER, UniqueConstraint, marker_table_name
from dynamorm_async.plan.write import Write, check_transactable, item_text, key_is_free
from dynamorm_async.types import UNSET, AttributeValue, Unset

Before: TypeAlias = Mapping[str, AttributeValue | None] | None
"""The attributes of unique constraints as the table has them; ``None`` where it has no such item."""


class MarkerId(msgspec.Struct, frozen=True):
    """Which marker is meant: its table and its partition key."""

    table: str
    value: str


class Marker(msgspec.Struct, frozen=True):
    """What becomes of one marker. Of a value that moves from one item to another, both are holders.

    Attributes:
        id: which marker.
        constraint: which constraint.
        index: the write that claims it, or else the one that releases it.
        holders: the keys of the items that may have it before; it may be free as well.
        owner: the key of the item that has it afterwards; ``None`` where it is released.
        foreign: whether another item turned out to have it, so that it is left alone; ``False`` where it is claimed.
    """

    id: MarkerId
    constraint: UniqueConstraint
    index: int
    holders: tuple[Mapping[str, AttributeValue], ...]
    owner: Mapping[str, AttributeValue] | None
    foreign: bool = False

    def action(self) -> dict[str, Any]:
        """The marker's part of the transaction: it must be free, or belong to a holder; a foreign one must stay so."""
        values: dict[str, AttributeValue] = {f":h{n}": {"M": key} for n, key in enumerate(self.holders)}
        key: dict[str, AttributeValue] = {MARKER_KEY: {"S": self.id.value}}
        if self.foreign:
            check: dict[str, Any] = {
                "TableName": self.id.table,
                "Key": key,
                "ConditionExpression": " AND ".join(f"#owner <> {h}" for h in values),
                "ExpressionAttributeNames": {"#owner": OWNER},
                "ExpressionAttributeValues": values,
            }
            return {"ConditionCheck": check}
        body: dict[str, Any] = {
            "TableName": self.id.table,
            "ConditionExpression": " OR ".join(["attribute_not_exists(#value)", *(f"#owner = {h}" for h in values)]),
            "ExpressionAttributeNames": {"#value": MARKER_KEY, "#owner": OWNER},
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if self.owner is None:
            return {"Delete": {**body, "Key": key}}
        return {"Put": {**body, "Item": {**key, OWNER: {"M": self.owner}}}}


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
        InvalidKey: a value is too long.
    """
    if not write.spec.unique:
        return write
    names = {member.wire for constraint in write.spec.unique for member in constraint.members}
    touched = _touched(write, names, changes, stored)
    if not touched:
        return write
    check_transactable(write, why="its unique attributes make")
    for constraint in write.spec.unique:
        constraint.marker(touched)  # a value that is too long is refused before anything is read or sent
    return msgspec.structs.replace(write, unique=touched)


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


def markers(
    writes: Sequence[Write], befores: Mapping[int, Before], foreign: Collection[MarkerId] = ()
) -> tuple[Marker, ...]:
    """What becomes of the markers of some writes: one action each, as DynamoDB allows one an item.

    A value that a write sets is claimed even where the item has it already: so an item from before the constraint gets
    its marker.

    Args:
        writes: the writes of one transaction.
        befores: for each write that touches unique values, by its index, those that the item is thought to have.
        foreign: markers that turned out to belong to other items, so that they are not released.

    Raises:
        UsageError: two of the writes give their items the same value.
        InvalidKey: a value is too long.
    """
    found: dict[MarkerId, Marker] = {}
    for index in befores:
        write = writes[index]
        for constraint, value, claims in _moves(write, befores[index]):
            identity, key = MarkerId(marker_table_name(write.table), value), write.key
            alone = not claims and identity in foreign
            marker = Marker(identity, constraint, index, (key,), key if claims else None, alone)
            known = found.get(identity)
            found[identity] = marker if known is None else _joined(known, marker, writes)
    return tuple(found.values())


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


def _moves(write: Write, before: Before) -> Iterator[tuple[UniqueConstraint, str, bool]]:
    """The markers of one write: constraint, value, and whether it is claimed rather than released."""
    # A new item has its key, whatever else the write sets.
    old, new = (
        before or {},
        {**({**write.key, **write.key_values} if before is None else before), **(write.unique or {})},
    )
    for constraint in _touched_constraints(write):
        released, claimed = constraint.marker(old), constraint.marker(new)
        if released is not None and released != claimed:
            yield constraint, released, False
        if claimed is not None:
            yield constraint, claimed, True


def _joined(one: Marker, other: Marker, writes: Sequence[Write]) -> Marker:
    """What becomes of a marker that two writes of a transaction are about.

    Raises:
        UsageError: both claim it.
    """
    if one.owner is not None and other.owner is not None:
        first, second = (item_text(writes[n].spec, writes[n].key) for n in (one.index, other.index))
        names = " and ".join(member.name for member in one.constraint.members)
        raise UsageError(f"{first} and {second} are given the same {names} in one transaction, but it is unique")
    taking = one if one.owner is not None else other
    return msgspec.structs.replace(taking, holders=(*one.holders, *other.holders))


def _touched_constraints(write: Write) -> Iterator[UniqueConstraint]:
    touched = write.unique or {}
    return (one for one in write.spec.unique if any(member.wire in touched for member in one.members))


def _guarded(write: Write) -> list[str]:
    return list(dict.fromkeys(member.wire for one in _touched_constraints(write) for member in one.members))
