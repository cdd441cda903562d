"""What is certain of an item that was not read: by its key, by what a write insists on, and by what the write changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import final

import msgspec

from dynamorm_async.codec.layout import Member
from dynamorm_async.expressions.conditions import Comparison, Condition, Either, Every, Function, Literally, Path
from dynamorm_async.expressions.updates import (
    Assignment,
    Calculation,
    Concatenation,
    Default,
    Element,
    Nothing,
    Update,
)
from dynamorm_async.model.evaluate import holds
from dynamorm_async.types import UNSET, AttributeValue, Unset

Value = AttributeValue | None
_NULL = Literally({"NULL": True})


@final
class Known(msgspec.Struct, frozen=True):
    """What is certain of an item.

    Attributes:
        values: the attributes whose values are known, by their names in DynamoDB: ``None`` where there is no such attribute.
        present: attributes that are there and not NULL, even where their values are not known.
    """

    values: Mapping[str, Value]
    present: frozenset[str] = frozenset()

    def has(self, name: str) -> bool | None:
        """Whether there is an attribute, and not NULL; ``None`` where that is not known."""
        if name in self.values:
            value = self.values[name]
            return value is not None and "NULL" not in value
        return True if name in self.present else None

    def holds(self, condition: Condition) -> bool | None:
        """Whether a condition holds; ``None`` where that is not known."""
        unknown = [root for root in condition.roots() if root not in self.values]
        return holds(condition, self.item, unknown=unknown)

    @property
    def item(self) -> dict[str, AttributeValue]:
        """The attributes that are known to be there."""
        return {name: value for name, value in self.values.items() if value is not None}

    def after(self, updates: Iterable[Update]) -> Known:
        """What is certain of the item once these updates were applied."""
        values, present = dict(self.values), set(self.present)
        for update in updates:
            name = str(update.path[0])
            before = self.values.get(name) if name in self.values else UNSET
            result = _result(update, before)
            values.pop(name, None)
            present.discard(name)
            if not isinstance(result, Unset):
                values[name] = result
            elif _leaves_something(update):
                present.add(name)
        return Known(values, frozenset(present))


def known_by(conditions: Iterable[Condition | None], members: Iterable[Member]) -> Known:
    """What is certain of an item for which conditions hold: what they say joined by ``&``, of whole attributes.

    Args:
        conditions: the conditions.
        members: the model's attributes.
    """
    parts = [part for condition in conditions if condition is not None for part in _joined(condition)]
    by_name = {member.wire: member for member in members}
    values: dict[str, Value] = {}
    there: set[str] = set()
    not_null = {name for name, member in by_name.items() if not member.shape.nullable}
    for part in parts:
        name = _whole(part)
        if name is None:
            continue
        if isinstance(part, Comparison) and part.comparator == "=" and isinstance(part.right, Literally):
            values[name] = part.right.value
        elif isinstance(part, Comparison) and part == _is_not_null(part.left):
            not_null.add(name)
        elif part == _is_there(Path((name,))):
            there.add(name)
        elif part == _is_absent(Path((name,))) or (part == _is_nothing(Path((name,))) and by_name[name].omits_null):
            values[name] = None
    return Known(values, frozenset(there & not_null))


def _joined(condition: Condition) -> Iterator[Condition]:
    if not isinstance(condition, Every):
        yield condition
        return
    for part in condition.conditions:
        yield from _joined(part)


def _whole(condition: Condition) -> str | None:
    """The attribute that a condition is about, as a whole; ``None`` where it is not about one."""
    if isinstance(condition, Either):
        return _whole(condition.conditions[0])
    path = condition.left if isinstance(condition, Comparison) else getattr(condition, "path", None)
    return str(path.segments[0]) if isinstance(path, Path) and len(path.segments) == 1 and not path.size else None


def _is_there(path: Path) -> Condition:
    return Function("attribute_exists", path)


def _is_absent(path: Path) -> Condition:
    return Function("attribute_not_exists", path)


def _is_not_null(path: Path) -> Condition:
    return Comparison(path, "<>", _NULL)


def _is_nothing(path: Path) -> Condition:
    """What ``== None`` means: as this library writes it, there is no such attribute."""
    return Either((_is_absent(path), Comparison(path, "=", _NULL)))


def _result(update: Update, before: Value | Unset) -> Value | Unset:
    """What an attribute is after an update, where that is certain."""
    change = update.change
    if len(update.path) > 1:
        return UNSET
    if isinstance(change, Nothing):
        return None
    if isinstance(change, Assignment):
        return _literal(change.operand)
    return UNSET if isinstance(before, Unset) else _built_on(update, before)


def _built_on(update: Update, before: Value) -> Value | Unset:
    """What becomes of a known value."""
    change = update.change
    if isinstance(change, Default):
        return _literal(change.operand) if before is None else before
    if isinstance(change, Concatenation):
        return change.elements.value if before is None else UNSET
    if isinstance(change, Element) and update.verb == "ADD":
        return _added(before, change.operand.value)
    return UNSET


def _literal(operand: object) -> AttributeValue | Unset:
    return operand.value if isinstance(operand, Literally) else UNSET


def _added(before: Value, amount: AttributeValue) -> AttributeValue | Unset:
    """The sum of two whole numbers, such as versions; an absent one counts as 0, and an absent set as empty."""
    if before is None:
        return amount
    try:
        return {"N": str(int(before["N"]) + int(amount["N"]))}
    except (KeyError, ValueError):
        return UNSET


def _leaves_something(update: Update) -> bool:
    """Whether there is a value, and not NULL, after an update whose result is not known."""
    change = update.change
    if len(update.path) > 1 or isinstance(change, Concatenation):
        return True
    if isinstance(change, Assignment):
        return isinstance(change.operand, Calculation)
    return isinstance(change, Element) and update.verb == "ADD"
