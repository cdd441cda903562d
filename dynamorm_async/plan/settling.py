"""Whether a write whose answer was lost has been applied, by the item that is there afterwards.

What counts as proof: decision 22.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.layout import Member
from dynamorm_async.plan.write import Write, encoded_member
from dynamorm_async.types import AttributeValue, RawItem


def was_applied(write: Write, item: RawItem | None) -> bool | None:
    """Whether a write of an instance has been applied; ``None`` where the item does not tell.

    Args:
        write: a write that is applied at most once: ``create``, or a put or save under a version.
        item: the item as it is now, read consistently after the write was sent; ``None`` where there is none.
    """
    if item is None:
        return None  # it may have been applied, and the item deleted since
    version = write.spec.version
    if version is None:
        return _by_creation(write, item) if write.must_not_exist else None
    made, found = _number(_written(write, version)), _number(item.get(version.wire))
    if found < made:
        return False
    if found > made:
        return _is_ours(write, item, write.spec.created_at) if write.must_not_exist else None
    created = write.spec.created_at if write.must_not_exist else None
    ours = _is_ours(write, item, write.spec.updated_at or created)
    return None if ours and not _same(write, item) else ours


def _by_creation(write: Write, item: RawItem) -> bool | None:
    """The same of a model without a version, whose items may be changed without a trace."""
    created, updated = write.spec.created_at, write.spec.updated_at
    if created is None:
        return True if _is_ours(write, item, updated) and _same(write, item) else None
    ours = _is_ours(write, item, created)
    changed_since = updated is not None and not _is_ours(write, item, updated)
    return None if ours and not changed_since and not _same(write, item) else ours


def _is_ours(write: Write, item: RawItem, time: Member | None) -> bool | None:
    """Whether the item has the time of this write, which tells writers apart; ``None`` where the model has no such time."""
    if time is None or time.name not in write.changes:
        return None
    return same_value(item.get(time.wire), _written(write, time))


def _same(write: Write, item: RawItem) -> bool:
    """Whether the attributes that the model knows are what the write has made of them."""
    made = write.held if write.held is not None else write.item or {}
    return all(same_value(item.get(member.wire), made.get(member.wire)) for member in write.spec.attributes.values())


def _written(write: Write, member: Member) -> AttributeValue:
    return encoded_member(write.spec, member, write.changes[member.name])


def _number(value: Mapping[str, Any] | None) -> int:
    """A version; 0 where the item has none."""
    return int(value["N"]) if value is not None and "N" in value else 0
