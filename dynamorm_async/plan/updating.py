"""UpdateItem from the changes that a caller wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dynamorm_async.codec.containers import key_content, vector_content
from dynamorm_async.codec.depth import check_depth
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import InvalidKey, InvalidValue, UsageError
from dynamorm_async.expressions.conditions import Condition, Either, Literally
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
from dynamorm_async.plan.derived import Rekeyed
from dynamorm_async.plan.lifecycle import lifecycle_updates
from dynamorm_async.plan.rekeying import Call, keys_of_change
from dynamorm_async.plan.schemas import current, is_current, written
from dynamorm_async.plan.strangers import is_of_no_other
from dynamorm_async.plan.write import Returns, Write, add_conditions, add_return_values, key_is_free, key_is_taken
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
    key_values: Mapping[str, AttributeValue] = MappingProxyType({}),
) -> Write:
    """UpdateItem of an item that is there (or, with ``upsert``, of a new one).

    Args:
        spec: the model.
        table: the table's name.
        key: the item's key.
        updates: what the caller changes.
        now: the time of the write.
        where: what the caller insists on.
        upsert: whether to make an item where there is none.
        returns: what the caller wants back.
        key_values: the attributes that a templated key was made of.

    Raises:
        UsageError: no changes, one of a key or of the version, or one that keys of indexes cannot be made anew for.
        InvalidKey: a key of an index is empty or too long.
        InvalidExpression: two changes of the same path.
    """
    changes = checked(updates)
    _check_targets(spec, changes)
    first = _made_with(spec, key_values) if upsert else []
    every = [*changes, *lifecycle_updates(spec, [*changes, *first], now, upsert=upsert)]
    call: Call = "upsert" if upsert else "update"
    rekeyed = keys_of_change(spec, call, every, key_values=key_values, conditions=[where])
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table, "Key": key}
    add_return_values(body, returns, "update", "none", "old", "new", "updated_old", "updated_new")
    expression = render([*every, *first, *rekeyed.updates, *written(spec, upsert=upsert)], placeholders)
    insisting = _insisting(spec, rekeyed, upsert=upsert)
    taken = None if upsert else key_is_taken(spec)
    conditions = [taken, is_of_no_other(spec), is_current(spec, upsert=upsert), where, *insisting]
    add_conditions(body, conditions, placeholders, UpdateExpression=expression)
    repeatable = (
        where is None and spec.version is None and returns not in _ONCE and all(change.repeatable for change in changes)
    )
    request = Request(operation="UpdateItem", body=body, table=table, repeatable=repeatable, sealed=spec.sealed(table))
    changed = tuple(update.path for update in every) if returns in _UPDATED else ()
    return Write(
        spec=spec,
        request=request,
        must_exist=not upsert,
        changed=changed,
        insists=rekeyed.insists,
        guards=rekeyed.guards,
        key_values=key_values,
        schema=current(spec),
    )


def _made_with(spec: ModelSpec[Any], key_values: Mapping[str, AttributeValue]) -> list[Update]:
    """What a new item has beside the changes: the attributes that its key is made of, and the discriminator."""
    if spec.derived is None:
        return []
    # Of an item that is there, the key may tell less than it has: a day, where it has a time.
    parts = [
        Update("SET", (name,), Default(Literally(value)))
        for name, value in key_values.items()
        if name not in spec.key_names
    ]
    # An item that is there may be a variant's.
    kind = Default if spec.variants else Assignment
    tags = [Update("SET", (name,), kind(Literally(value))) for name, value in spec.derived.tag.items()]
    return [*parts, *tags]


def _insisting(spec: ModelSpec[Any], rekeyed: Rekeyed, *, upsert: bool) -> list[Condition]:
    """What an update insists on so that keys of indexes are right; of a new item all is known."""
    conditions = rekeyed.conditions
    return [Either((key_is_free(spec), condition)) for condition in conditions] if upsert else conditions


def _check_targets(spec: ModelSpec[Any], updates: Sequence[Update]) -> None:
    if not updates:
        raise UsageError(f"update() of {spec.name} without changes: pass some, such as {spec.name}.name.set(...)")
    names = spec.python_names
    for update in updates:
        name = names.get(str(update.path[0]))
        if name is None:
            raise UsageError(f"{spec.name} has no attribute {path_text(update.path)}: the change is another model's")
        member = spec.attributes[name]
        if member is spec.version or member in spec.key:
            raise _untouchable(spec, member)
        if (member.key_limit or member.dimensions) and len(update.path) == 1:
            _check_index_key(f"{spec.name}.{name}", member, update.change)
        for root in update.reads():
            if root not in names:
                raise UsageError(f"the change of {spec.name}.{name} reads {root!r}, which {spec.name} does not have")
        if len(update.path) > 1:
            _check_depth(spec.name, update)


def _untouchable(spec: ModelSpec[Any], member: Member) -> UsageError:
    """The error for a change of a key attribute, or of the version."""
    where = f"{spec.name}.{member.name}"
    if member is spec.version:
        return UsageError(f"{where} is the version: every write moves it; do not set it yourself")
    made = "the item's key is made from it" if member.wire not in spec.key_names else "DynamoDB cannot change it"
    return UsageError(f"{where} is a key attribute: {made}. Create the new item and delete this one")


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
    """Refuse an index key that is empty or too long, or a vector of another length, as a write of the whole item would."""
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
    elif tag == "L" and member.dimensions:
        try:
            vector_content(content, member.dimensions, member.key_of)
        except InvalidValue as error:
            raise InvalidValue(f"{where} {error}") from None
