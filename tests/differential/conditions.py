"""Conditions of generated programs: their Python text, and whether they hold of an item of the dict model."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from tests.differential.plain import Item, Value, stored_attribute
from tests.differential.texts import text_of
from tests.property import evaluator

Steps: TypeAlias = tuple[str | int, ...]


def path_text(model: str, path: Steps) -> str:
    """``Ware.place / Place.city``, ``Ware.labels['a']``, ``Ware.scores[0]``."""
    name, *inner = path
    text = f"{model}.{name}"
    for step in inner:
        inside = name == "place" and step in ("city", "floor", "marks") and step == inner[0]
        text = f"{text} / Place.{step}" if inside else f"({text})[{step!r}]" if " " in text else f"{text}[{step!r}]"
    return text


def operand_text(model: str, path: Steps) -> str:
    """The path as an operand of a comparison or the object of a method."""
    text = path_text(model, path)
    return f"({text})" if " / " in text else text


def found(item: Item, path: Steps) -> Value | None:
    value = evaluator.find(item, path)
    return None if value is None else dict(value)


@attrs.frozen
class Compared:
    """``path <comparator> value``; ``==`` and ``!=`` of ``None`` mean absent or NULL."""

    path: Steps
    comparator: str
    value: Any

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)} {self.comparator} {text_of(self.value)}"

    def holds(self, item: Item) -> bool:
        there = found(item, self.path)
        if self.value is None:
            return (there in (None, {"NULL": True})) == (self.comparator == "==")
        comparator = {"==": "=", "!=": "<>"}.get(self.comparator, self.comparator)
        return evaluator.compare(there, comparator, stored_attribute(str(self.path[-1]), self.value))


@attrs.frozen
class Both:
    """Two attributes of an item compared with each other."""

    path: Steps
    comparator: str
    other: Steps

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)} {self.comparator} {operand_text(model, self.other)}"

    def holds(self, item: Item) -> bool:
        comparator = {"==": "=", "!=": "<>"}.get(self.comparator, self.comparator)
        return evaluator.compare(found(item, self.path), comparator, found(item, self.other))


@attrs.frozen
class Called:
    """``path.method(arguments)``, of the methods that take values."""

    path: Steps
    method: str
    arguments: tuple[Any, ...] = ()

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.{self.method}({', '.join(map(text_of, self.arguments))})"

    def holds(self, item: Item) -> bool:
        there = found(item, self.path)
        if self.method in ("exists", "not_exists"):
            return (there is not None) == (self.method == "exists")
        if self.method == "is_in":
            return any(evaluator.compare(there, "=", value) for value in self._values(self.arguments[0]))
        values = list(self._values(self.arguments))
        if self.method == "between":
            low, high = values
            return evaluator.compare(there, ">=", low) and evaluator.compare(there, "<=", high)
        return evaluator.call(self.method, there, values[0])

    def _values(self, arguments: Any) -> Iterator[Value | None]:
        return (stored_attribute(str(self.path[-1]), argument) for argument in arguments)


@attrs.frozen
class Sized:
    """``path.size() <comparator> number``."""

    path: Steps
    comparator: str
    number: int

    def text(self, model: str) -> str:
        return f"{operand_text(model, self.path)}.size() {self.comparator} {self.number}"

    def holds(self, item: Item) -> bool:
        comparator = {"==": "=", "!=": "<>"}.get(self.comparator, self.comparator)
        size = evaluator.size(found(item, self.path)) if found(item, self.path) else None
        return evaluator.compare(size, comparator, {"N": Decimal(self.number)})


@attrs.frozen
class Joined:
    """``~(one)``, ``(one) & (other)``, ``(one) | (other)``."""

    operator: str
    parts: tuple[Condition, ...]

    def text(self, model: str) -> str:
        texts = [f"({part.text(model)})" for part in self.parts]
        return f"~{texts[0]}" if self.operator == "~" else f" {self.operator} ".join(texts)

    def holds(self, item: Item) -> bool:
        truths = [part.holds(item) for part in self.parts]
        return not truths[0] if self.operator == "~" else any(truths) if self.operator == "|" else all(truths)


Condition: TypeAlias = Compared | Both | Called | Sized | Joined
