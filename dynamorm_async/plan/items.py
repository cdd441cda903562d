"""Requests on one item: get, put, update, save and delete, with the lifecycle rules in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import attrs

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.errors import InvalidKey, UsageError
from dynamorm_async.expressions.conditions import Comparison, Condition, Either, Function, Literally, Path, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import (
    Assignment,
    Change,
    Default,
    Element,
    Nothing,
    Update,
    checked,
    path_text,
    render,
)
from dynamorm_async.model.attributes import NOT_WRITTEN
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.types import AttributeValue, Request

Returns = Literal["new", "old", "none"]

_RETURN_VALUES = {"new": "ALL_NEW", "old": "ALL_OLD"}


@attrs.frozen(kw_only=True)
class Write:
    """One planned write.

    Attributes:
        request: what to send.
        changes: the instance's attributes to set once it succeeded.
        item: what the table will hold then, where that is known.
        expected: the version that the write insists on; ``None`` where it insists on none.
        must_exist: whether it insists on an item that is there.
        must_not_exist: whether it insists on a free key.
        missing_fails_where: whether a missing item passes the version's condition, so that ``where`` failed there.
    """

    request: Request
    changes: Mapping[str, Any]  # attribute values of any type
    item: Mapping[str, AttributeValue] | None = None
    expected: int | None = None
    must_exist: bool = False
    must_not_exist: bool = False
    missing_fails_where: bool = False


def get_item(table: str, key: dict[str, AttributeValue], *, consistent: bool) -> Request:
    """GetItem."""
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if consistent:
        body["ConsistentRead"] = True
    return Request(operation="GetItem", body=body, table=table)


def create_item(spec: ModelSpec[Any], table: str, instance: object, now: datetime) -> Write:
    """PutItem that insists on a free key."""
    item, changes = _encoded(spec, instance, now)
    body: dict[str, Any] = {"TableName": table, "Item": item}
    _conditions(body, [_key_is_free(spec)])
    request = Request(operation="PutItem", body=body, table=table, repeatable=False)
    return Write(request=request, changes=changes, item=item, must_not_exist=True)


def put_item(
    spec: ModelSpec[Any], table: str, instance: object, now: datetime, *, where: Condition | None, returns: Returns
) -> Write:
    """PutItem over whatever is there; under the instance's version, where the model has one."""
    item, changes = _encoded(spec, instance, now)
    body: dict[str, Any] = {"TableName": table, "Item": item}
    expected, condition = _version_condition(spec, instance)
    if returns == "old":
        body["ReturnValues"] = "ALL_OLD"
    conditional = _conditions(body, [condition, where])
    # What an overwritten item was can be told only once.
    repeatable = not conditional and returns == "none"
    request = Request(operation="PutItem", body=body, table=table, repeatable=repeatable)
    blames_where = where is not None and expected == 0
    return Write(request=request, changes=changes, item=item, expected=expected, missing_fails_where=blames_where)


def delete_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    *,
    where: Condition | None,
    returns: Returns,
    instance: object | None = None,
) -> Write:
    """DeleteItem; of an instance under its version, where the model has one. An item that is gone already is fine."""
    body: dict[str, Any] = {"TableName": table, "Key": key}
    expected: int | None = None
    condition: Condition | None = None
    if instance is not None:
        expected, condition = _version_condition(spec, instance)
        if condition is not None:
            condition = Either((_key_is_free(spec), condition))
    if returns == "old":
        body["ReturnValues"] = "ALL_OLD"
    conditional = _conditions(body, [condition, where])
    repeatable = not conditional and returns == "none"
    request = Request(operation="DeleteItem", body=body, table=table, repeatable=repeatable)
    return Write(request=request, changes={}, expected=expected, missing_fails_where=where is not None)


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
    expression = render([*changes, *_lifecycle_updates(spec, changes, now, upsert=upsert)], placeholders)
    _conditions(body, [None if upsert else _key_is_taken(spec), where], placeholders, UpdateExpression=expression)
    repeatable = (
        where is None and spec.version is None and returns != "old" and all(change.repeatable for change in changes)
    )
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=repeatable)
    return Write(request=request, changes={}, must_exist=not upsert)


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
    _touch(spec, instance, now, item, after)
    check_size(spec.name, item)
    own = [member.wire for member in (spec.version, spec.updated_at) if member is not None]
    updates.extend(_replacement(name, item[name]) for name in own)
    placeholders = Placeholders()
    expected, condition = _version_condition(spec, instance)
    body: dict[str, Any] = {"TableName": table, "Key": spec.codec.key_of(instance)}
    expression = render(updates, placeholders)
    _conditions(body, [_key_is_taken(spec), condition], placeholders, UpdateExpression=expression)
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=condition is None)
    return Write(request=request, changes=after, item=item, expected=expected, must_exist=True)


# --- lifecycle ------------------------------------------------------------------------------------


def _encoded(spec: ModelSpec[Any], instance: object, now: datetime) -> tuple[dict[str, AttributeValue], dict[str, Any]]:
    """The whole item as it will be, and the attributes that the instance will get."""
    item = spec.codec.encode(instance)
    changes: dict[str, Any] = {}
    created = spec.created_at
    if created is not None and getattr(instance, created.name) == NOT_WRITTEN:
        _set(spec, created, now, item, changes)
    _touch(spec, instance, now, item, changes)
    check_size(spec.name, item)
    return item, changes


def _touch(
    spec: ModelSpec[Any], instance: object, now: datetime, item: dict[str, AttributeValue], changes: dict[str, Any]
) -> None:
    if spec.updated_at is not None:
        _set(spec, spec.updated_at, now, item, changes)
    if spec.version is not None:
        _set(spec, spec.version, getattr(instance, spec.version.name) + 1, item, changes)


def _set(
    spec: ModelSpec[Any], member: Member, value: Any, item: dict[str, AttributeValue], changes: dict[str, Any]
) -> None:
    item[member.wire] = _encoded_member(spec, member, value)
    changes[member.name] = value


def _encoded_member(spec: ModelSpec[Any], member: Member, value: object) -> AttributeValue:
    encoded = spec.codec.encode_member(member, value)
    assert encoded is not None, f"{member.name} is never None"  # noqa: S101 - versions and times always have a value
    return encoded


def _lifecycle_updates(spec: ModelSpec[Any], given: Sequence[Update], now: datetime, *, upsert: bool) -> list[Update]:
    touched = {update.path[0] for update in given}
    updates: list[Update] = []
    if spec.version is not None:
        updates.append(Update("ADD", (spec.version.wire,), Element(Literally({"N": "1"}))))
    if spec.updated_at is not None and spec.updated_at.wire not in touched:
        value = Literally(_encoded_member(spec, spec.updated_at, now))
        updates.append(Update("SET", (spec.updated_at.wire,), Assignment(value)))
    if spec.created_at is not None and upsert and spec.created_at.wire not in touched:
        value = Literally(_encoded_member(spec, spec.created_at, now))
        updates.append(Update("SET", (spec.created_at.wire,), Default(value)))
    return updates


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


# --- conditions -----------------------------------------------------------------------------------


def _key_is_free(spec: ModelSpec[Any]) -> Condition:
    return Function("attribute_not_exists", Path((spec.key[0].wire,)))


def _key_is_taken(spec: ModelSpec[Any]) -> Condition:
    return Function("attribute_exists", Path((spec.key[0].wire,)))


def _version_condition(spec: ModelSpec[Any], instance: object) -> tuple[int | None, Condition | None]:
    """The version that a write of the instance insists on, and the condition that says so."""
    version = spec.version
    if version is None:
        return None, None
    expected: int = getattr(instance, version.name)
    path = Path((version.wire,))
    if expected == 0:
        return 0, Function("attribute_not_exists", path)
    return expected, Comparison(path, "=", Literally(_encoded_member(spec, version, expected)))


def _conditions(
    body: dict[str, Any],
    conditions: Sequence[Condition | None],
    placeholders: Placeholders | None = None,
    **expressions: str,
) -> bool:
    """Put the conditions and the other expressions into the body; whether there is any condition."""
    condition = all_of(condition for condition in conditions if condition is not None)
    names = placeholders or Placeholders()
    if condition is not None:
        expressions["ConditionExpression"] = condition.render(names)
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    names.into(body, **expressions)
    return condition is not None


# --- changes ---------------------------------------------------------------------------------------


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
