"""What reads leave out: soft-deleted items, and expired ones that DynamoDB has not deleted yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.scalars import dump_epoch
from dynamorm_async.expressions.conditions import (
    Comparison,
    Condition,
    Either,
    Every,
    Function,
    Literally,
    Negation,
    Path,
)
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.plan.choice import Judged, Target

NOW: Final = ":now"
"""The placeholder of the time of a read, which moves from page to page and so is no part of what a cursor is bound to."""

_NULL: AttributeValue = {"NULL": True}


class Hiding(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading leaves out.

    Attributes:
        expires: the member that says when an item expires; ``None`` where expired items are not left out.
        deleted: the member that marks soft-deleted items; ``None`` where the model has none.
        now: the time of the reading, in whole seconds since the epoch, as text.
    """

    expires: Member | None
    deleted: Member | None
    now: str

    @property
    def names(self) -> frozenset[str]:
        """The attributes that it looks at, by their names in DynamoDB."""
        return frozenset(member.wire for member in (self.expires, self.deleted) if member is not None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What it leaves out, for people."""
        expired = () if self.expires is None else (f"expired items ({self.expires.name})",)
        deleted = () if self.deleted is None else (f"soft-deleted items ({self.deleted.name})",)
        return (*expired, *deleted)

    def conditions(self, *, besides: Collection[str]) -> list[Condition]:
        """What holds of the items that are not left out.

        Args:
            besides: attributes that DynamoDB cannot filter on, or does not hold.
        """
        conditions: list[Condition] = []
        if self.expires is not None and self.expires.wire not in besides:
            now = Literally({"N": self.now}, NOW)
            # An item without the attribute does not expire: no comparison holds of what is not there.
            conditions.append(Negation(Comparison(Path((self.expires.wire,)), "<=", now)))
        if self.deleted is not None and self.deleted.wire not in besides:
            conditions.append(unmarked(self.deleted))
        return conditions

    def hides(self, raw: Mapping[str, Any]) -> bool:
        """Whether an item, in DynamoDB's JSON form, is left out: what the conditions say, here."""
        if self.deleted is not None and is_marked(self.deleted, raw):
            return True
        expires = None if self.expires is None else raw.get(self.expires.wire)
        return expires is not None and _has_passed(expires, self.now)


def hiding(spec: ModelSpec[Any], now: datetime) -> Hiding | None:
    """What a reading of a model at some time leaves out; ``None`` where the model hides nothing.

    Raises:
        InvalidValue: the time has no time zone.
    """
    if not spec.hides:
        return None
    return Hiding(expires=spec.ttl if spec.hide_expired else None, deleted=spec.deleted_at, now=dump_epoch(now))


def hiding_names(spec: ModelSpec[Any]) -> list[str]:
    """The attributes that tell whether an item is left out, by their names in DynamoDB."""
    members = (spec.ttl if spec.hide_expired else None, spec.deleted_at)
    return [member.wire for member in members if member is not None]


def is_hidden(spec: ModelSpec[Any], item: object, now: datetime) -> bool:
    """Whether a whole item, as it was decoded, is one that reads leave out.

    Args:
        spec: its model.
        item: an instance of it.
        now: the database's time; an item that expires at just this second has expired.

    Raises:
        InvalidValue: the time has no time zone.
    """
    if spec.deleted_at is not None and getattr(item, spec.deleted_at.name) is not None:
        return True
    if not spec.hide_expired or spec.ttl is None:
        return False
    expires = spec.codec.encode_member(spec.ttl, getattr(item, spec.ttl.name))
    return expires is not None and _has_passed(expires, dump_epoch(now))


def holds_hidden_only(target: Target, hiding: Hiding) -> bool:
    """Whether an index has the mark of soft-deleted items in its key, and so holds no other items."""
    return hiding.deleted is not None and hiding.deleted.wire in target.key_names


def barred(judged: Judged, hiding: Hiding) -> Judged:
    """What was judged, refused where all that it holds is hidden."""
    if not holds_hidden_only(judged.target, hiding):
        return judged
    reason = "holds soft-deleted items only: ask for them with_hidden()"
    return msgspec.structs.replace(judged, against=(*judged.against, reason), fatal=True, in_favour=())


def marked(member: Member) -> Condition:
    """The item is there, and soft-deleted."""
    path = Path((member.wire,))
    return Every((Function("attribute_exists", path), Comparison(path, "<>", Literally(_NULL))))


def unmarked(member: Member) -> Condition:
    """The item is not soft-deleted. Other programs write NULL where this library writes nothing."""
    path = Path((member.wire,))
    return Either((Function("attribute_not_exists", path), Comparison(path, "=", Literally(_NULL))))


def is_marked(member: Member, raw: Mapping[str, Any]) -> bool:
    """Whether an item, in DynamoDB's JSON form, is soft-deleted."""
    return bool(raw.get(member.wire, _NULL) != _NULL)


def _has_passed(expires: Mapping[str, Any], now: str) -> bool:
    """DynamoDB's own comparison: of what is no number, nothing holds."""
    try:
        return Decimal(expires["N"]) <= Decimal(now)
    except (KeyError, InvalidOperation):
        return False
