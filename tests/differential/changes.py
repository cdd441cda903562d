"""Changes of update(): their Python text, and what they make of an item of the dict model."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal, Underflow
from typing import Any, Final, TypeAlias

import attrs

from tests.differential.conditions import Steps, found, operand_text, path_text
from tests.differential.plain import Item, Value, copied, stored, stored_attribute
from tests.differential.texts import text_of

REMOVED: Final = object()
_RULES = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, InvalidOperation, Overflow, Subnormal, Underflow])


class Invalid(Exception):
    """DynamoDB finds the update invalid for this item."""


@attrs.frozen
class Set:
    """``path.set(value)``: ``None`` and the empty set remove."""

    path: Steps
    value: Any

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.set({text_of(self.value)})"

    def made(self, _item: Item) -> object:
        return stored_attribute(str(self.path[-1]), self.value) or REMOVED


@attrs.frozen
class SetDefault:
    """``path.set_default(value)``."""

    path: Steps
    value: Any

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.set_default({text_of(self.value)})"

    def made(self, item: Item) -> object:
        return found(item, self.path) or stored_attribute(str(self.path[-1]), self.value)


@attrs.frozen
class Remove:
    """``path.remove()``."""

    path: Steps

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.remove()"

    def made(self, _item: Item) -> object:
        return REMOVED


@attrs.frozen
class Add:
    """``path.add(number)`` or ``path.add({elements})``."""

    path: Steps
    value: Any

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.add({text_of(self.value)})"

    def made(self, item: Item) -> object:
        there, more = found(item, self.path), stored(self.value) or {}
        if "N" in more:
            return summed(there or {"N": Decimal(0)}, "+", more)
        ((tag, elements),) = more.items()
        return {tag: elements | (there or {tag: frozenset()})[tag]}


@attrs.frozen
class Discard:
    """``path.discard({elements})``."""

    path: Steps
    value: Any

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.discard({text_of(self.value)})"

    def made(self, item: Item) -> object:
        ((tag, elements),) = (stored(self.value) or {}).items()
        left = (found(item, self.path) or {tag: frozenset()})[tag] - elements
        return {tag: left} if left else REMOVED


@attrs.frozen
class Extend:
    """``path.append([...])`` or ``path.prepend([...])``."""

    path: Steps
    method: str
    value: list[Any]

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.{self.method}({text_of(self.value)})"

    def made(self, item: Item) -> object:
        there: list[Value] = (found(item, self.path) or {"L": []})["L"]
        more: list[Value] = (stored(self.value) or {})["L"]
        return {"L": [*there, *more] if self.method == "append" else [*more, *there]}


@attrs.frozen
class Copy:
    """``path.set(other)``, of an attribute that has to be there."""

    path: Steps
    other: Steps

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.set({path_text(model, self.other)})"

    def made(self, item: Item) -> object:
        there = found(item, self.other)
        if there is None:
            raise Invalid
        return there


@attrs.frozen
class Sum:
    """``path.set(left ± right)``: of attributes, a default for the left one, a number on the right."""

    path: Steps
    left: Steps
    sign: str
    right: int | Decimal | Steps
    default: Any = None

    def text(self, model: str) -> str:
        left = operand_text(model, self.left)
        if self.default is not None:
            left = f"{left}.if_not_exists({text_of(self.default)})"
        right = operand_text(model, self.right) if isinstance(self.right, tuple) else text_of(self.right)
        return f"{operand_text(model, self.path)}.set({left} {self.sign} {right})"

    def made(self, item: Item) -> object:
        left = found(item, self.left) or stored(self.default)
        right = found(item, self.right) if isinstance(self.right, tuple) else stored(self.right)
        if left is None or right is None:
            raise Invalid
        return summed(left, self.sign, right)


Change: TypeAlias = Set | SetDefault | Remove | Add | Discard | Extend | Copy | Sum


def summed(left: Value, sign: str, right: Value) -> Value:
    """The exact sum or difference.

    Raises:
        Invalid: they are no numbers, or the result is none of DynamoDB's: it does not round.
    """
    if "N" not in left or "N" not in right:
        raise Invalid
    try:
        made = _RULES.add(left["N"], right["N"]) if sign == "+" else _RULES.subtract(left["N"], right["N"])
    except DecimalException:
        raise Invalid from None
    return {"N": made}


def applied(changes: Iterable[Change], before: Item, otherwise: set[str]) -> Item:
    """The item after all changes, each of which sees it as it was before; known differences of engines are added.

    Raises:
        Invalid: DynamoDB refuses the update.
    """
    after = copied(before)
    made = [(change, change.made(before)) for change in changes]
    gone: dict[Steps, set[int]] = {}
    for change, value in sorted(made, key=lambda pair: _position(pair[0].path)):  # by position, as DynamoDB appends
        holder, last = _holder(after, change, otherwise), change.path[-1]
        if isinstance(holder, list) and isinstance(last, int):
            if value is REMOVED:
                gone.setdefault(change.path[:-1], set()).add(last)
            elif last < len(holder):
                holder[last] = copied(value)
            else:
                otherwise.add("set-beyond-a-list-appends")
                holder.append(copied(value))
        elif isinstance(holder, dict) and isinstance(last, str):
            if value is REMOVED:
                holder.pop(last, None)
            else:
                holder[last] = copied(value)
    for path, positions in gone.items():
        elements = (found(after, path) or {})["L"]
        if len([position for position in positions if position < len(elements)]) > 1:
            otherwise.add("list-positions-of-before")
        kept = [element for position, element in enumerate(elements) if position not in positions]
        elements[:] = kept
    return after


def _position(path: Steps) -> int:
    return path[-1] if isinstance(path[-1], int) else -1


def _holder(item: Item, change: Change, otherwise: set[str]) -> dict[str, Any] | list[Any]:
    """The map or list that the last step of a path goes into."""
    *outer, last = change.path
    if not outer:
        return item
    there = found(item, tuple(outer))
    holder: Any = (there or {}).get("L" if isinstance(last, int) else "M")
    if holder is None:
        if isinstance(change, Remove | Discard) or (isinstance(change, Set) and change.value is None):
            otherwise.add("remove-of-an-invalid-path-refused")
        raise Invalid
    return holder  # type: ignore[no-any-return]  # a dict or a list, by its tag
