"""The lifecycle rules: what every write does to ``created_at``, ``updated_at`` and ``version``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.expressions.conditions import Literally
from dynamorm_async.expressions.updates import Assignment, Default, Element, Update
from dynamorm_async.model.attributes import NOT_WRITTEN
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import encoded_member
from dynamorm_async.types import AttributeValue


def encoded(
    spec: ModelSpec[Any], instance: object, now: datetime
) -> tuple[dict[str, AttributeValue], dict[str, Any], bytes]:
    """The whole item as it will be, the attributes that the instance will get, and the item as JSON.

    Where the item has plaintexts, its JSON has something as long as their ciphertexts in their places.

    Raises:
        InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
    """
    item = spec.codec.encode(instance)
    changes: dict[str, Any] = {}
    created = spec.created_at
    if created is not None and getattr(instance, created.name) == NOT_WRITTEN:
        _set(spec, created, now, item, changes)
    touch(spec, instance, now, item, changes)
    if spec.derived is not None:
        item |= spec.derived.of(item)
    if spec.schema is not None:
        item |= spec.schema.tag
    return item, changes, check_size(spec.name, item)


def touch(
    spec: ModelSpec[Any], instance: object, now: datetime, item: dict[str, AttributeValue], changes: dict[str, Any]
) -> None:
    """What every write of an instance does to it: the time of the write, and the next version."""
    if spec.updated_at is not None:
        _set(spec, spec.updated_at, now, item, changes)
    if spec.version is not None:
        _set(spec, spec.version, getattr(instance, spec.version.name) + 1, item, changes)


def _set(
    spec: ModelSpec[Any], member: Member, value: Any, item: dict[str, AttributeValue], changes: dict[str, Any]
) -> None:
    item[member.wire] = encoded_member(spec, member, value)
    changes[member.name] = value


def lifecycle_updates(spec: ModelSpec[Any], given: Sequence[Update], now: datetime, *, upsert: bool) -> list[Update]:
    """The changes that go with those that the caller gave."""
    if spec.version is None and spec.updated_at is None and spec.created_at is None:
        return []
    touched = {update.path[0] for update in given}
    updates: list[Update] = []
    if spec.version is not None:
        updates.append(Update("ADD", (spec.version.wire,), Element(Literally({"N": "1"}))))
    if spec.updated_at is not None and spec.updated_at.wire not in touched:
        value = Literally(encoded_member(spec, spec.updated_at, now))
        updates.append(Update("SET", (spec.updated_at.wire,), Assignment(value)))
    if spec.created_at is not None and upsert and spec.created_at.wire not in touched:
        value = Literally(encoded_member(spec, spec.created_at, now))
        updates.append(Update("SET", (spec.created_at.wire,), Default(value)))
    return updates
