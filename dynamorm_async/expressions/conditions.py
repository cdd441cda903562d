"""Conditions as a tree of frozen nodes. Built by the operators of ``Attr``; combined with ``&``, ``|`` and ``~``.

Source: "Condition and filter expressions, operators, and functions" in DynamoDB's developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias, final

import msgspec

from dynamorm_async.errors import InvalidExpression, UsageError
from dynamorm_async.expressions.placeholders import Placeholders, Segment
from dynamorm_async.types import AttributeValue

Comparator = Literal["=", "<>", "<", "<=", ">", ">="]
Segments: TypeAlias = tuple[Segment, ...]

_MAX_IN = 100
_MAX_DEPTH = 100  # nested &, | and ~: everything that walks a tree calls itself, and Python bounds that


class Condition:
    """What must hold: of an item before a write, or of the items that a query returns.

    Combine with ``&`` (and), ``|`` (or) and ``~`` (not), with parentheses around comparisons::

        (User.age >= 18) & (User.email.exists() | ~User.active)
    """

    __slots__ = ()

    depth: int = 0
    """How many levels of ``&``, ``|`` and ``~`` it has."""

    def __and__(self, other: Condition) -> Condition:
        return _bounded(_joined(Every, (self, _checked(other, "&"))))

    def __or__(self, other: Condition) -> Condition:
        return _bounded(_joined(Either, (self, _checked(other, "|"))))

    def __invert__(self) -> Condition:
        return _bounded(Negation(self, self.depth + 1))

    def __bool__(self) -> bool:
        raise UsageError(
            "a condition has no truth value in Python: combine conditions with &, | and ~ instead of "
            "and, or and not, and write a < b & b < c instead of a < b < c"
        )

    def render(self, placeholders: Placeholders) -> str:
        """The condition as expression text."""
        raise NotImplementedError

    def below(self, prefix: Segments) -> Condition:
        """The same condition on the same attributes inside a map."""
        raise NotImplementedError

    def roots(self) -> Iterator[str]:
        """The names of the top-level attributes that it mentions."""
        raise NotImplementedError


@final
class Path(msgspec.Struct, frozen=True):
    """An operand: the value at a document path, or its size."""

    segments: Segments
    size: bool = False

    def render(self, placeholders: Placeholders) -> str:
        text = placeholders.path(self.segments)
        return f"size({text})" if self.size else text

    def below(self, prefix: Segments) -> Path:
        return Path((*prefix, *self.segments), self.size)

    def roots(self) -> Iterator[str]:
        yield str(self.segments[0])


@final
class Literally(msgspec.Struct, frozen=True):
    """An operand: a value; with a placeholder of its own where that is to be told from all others."""

    value: AttributeValue
    placeholder: str = ""

    def render(self, placeholders: Placeholders) -> str:
        if self.placeholder:
            return placeholders.named(self.placeholder, self.value)
        return placeholders.value(self.value)

    def below(self, prefix: Segments) -> Literally:  # noqa: ARG002 - a value has no path
        return self

    def roots(self) -> Iterator[str]:
        return iter(())


Operand: TypeAlias = Path | Literally


@final
class Comparison(Condition, msgspec.Struct, frozen=True):
    """``left = right`` and its siblings."""

    left: Path
    comparator: Comparator
    right: Operand

    def render(self, placeholders: Placeholders) -> str:
        return f"{self.left.render(placeholders)} {self.comparator} {self.right.render(placeholders)}"

    def below(self, prefix: Segments) -> Condition:
        return Comparison(self.left.below(prefix), self.comparator, self.right.below(prefix))

    def roots(self) -> Iterator[str]:
        yield from self.left.roots()
        yield from self.right.roots()


@final
class Between(Condition, msgspec.Struct, frozen=True):
    """``path BETWEEN low AND high``, both ends included."""

    path: Path
    low: Operand
    high: Operand

    def render(self, placeholders: Placeholders) -> str:
        low, high = self.low.render(placeholders), self.high.render(placeholders)
        return f"{self.path.render(placeholders)} BETWEEN {low} AND {high}"

    def below(self, prefix: Segments) -> Condition:
        return Between(self.path.below(prefix), self.low.below(prefix), self.high.below(prefix))

    def roots(self) -> Iterator[str]:
        for operand in (self.path, self.low, self.high):
            yield from operand.roots()


@final
class OneOf(Condition, msgspec.Struct, frozen=True):
    """``path IN (…)``: one to a hundred values."""

    path: Path
    values: tuple[Operand, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.values) <= _MAX_IN:
            raise InvalidExpression(f"is_in() takes 1 to {_MAX_IN} values, got {len(self.values)}")

    def render(self, placeholders: Placeholders) -> str:
        values = ", ".join(value.render(placeholders) for value in self.values)
        return f"{self.path.render(placeholders)} IN ({values})"

    def below(self, prefix: Segments) -> Condition:
        return OneOf(self.path.below(prefix), tuple(value.below(prefix) for value in self.values))

    def roots(self) -> Iterator[str]:
        yield from self.path.roots()
        for value in self.values:
            yield from value.roots()


@final
class Function(Condition, msgspec.Struct, frozen=True):
    """A function of a path: ``attribute_exists(path)``, ``begins_with(path, value)`` …"""

    name: Literal["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"]
    path: Path
    argument: Operand | None = None

    def render(self, placeholders: Placeholders) -> str:
        path = self.path.render(placeholders)
        argument = "" if self.argument is None else f", {self.argument.render(placeholders)}"
        return f"{self.name}({path}{argument})"

    def below(self, prefix: Segments) -> Condition:
        argument = None if self.argument is None else self.argument.below(prefix)
        return Function(self.name, self.path.below(prefix), argument)

    def roots(self) -> Iterator[str]:
        yield from self.path.roots()
        if self.argument is not None:
            yield from self.argument.roots()


@final
class Every(Condition, msgspec.Struct, frozen=True):
    """All of the conditions."""

    conditions: tuple[Condition, ...]
    depth: int = 1

    def render(self, placeholders: Placeholders) -> str:
        return _rendered(self.conditions, " AND ", placeholders)

    def below(self, prefix: Segments) -> Condition:
        return Every(tuple(condition.below(prefix) for condition in self.conditions), self.depth)

    def roots(self) -> Iterator[str]:
        return (root for condition in self.conditions for root in condition.roots())


@final
class Either(Condition, msgspec.Struct, frozen=True):
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]
    depth: int = 1

    def render(self, placeholders: Placeholders) -> str:
        return _rendered(self.conditions, " OR ", placeholders)

    def below(self, prefix: Segments) -> Condition:
        return Either(tuple(condition.below(prefix) for condition in self.conditions), self.depth)

    def roots(self) -> Iterator[str]:
        return (root for condition in self.conditions for root in condition.roots())


_JOINED = (Every, Either)


@final
class Negation(Condition, msgspec.Struct, frozen=True):
    """Not the condition."""

    condition: Condition
    depth: int = 1

    def render(self, placeholders: Placeholders) -> str:
        return f"NOT ({self.condition.render(placeholders)})"

    def below(self, prefix: Segments) -> Condition:
        return Negation(self.condition.below(prefix), self.depth)

    def roots(self) -> Iterator[str]:
        return self.condition.roots()


def all_of(conditions: Iterable[Condition]) -> Condition | None:
    """One condition that says them all; ``None`` for none.

    Raises:
        UsageError: something is not a condition.
    """
    checked = [_checked(condition, "where") for condition in conditions]
    if len(checked) <= 1:
        return checked[0] if checked else None
    return _joined(Every, checked)


def _checked(value: object, where: str) -> Condition:
    if isinstance(value, Condition):
        return value
    hint = ": write them with the model's attributes, such as User.age >= 18"
    if isinstance(value, bool):
        hint = (
            ": both sides of the comparison were plain values, or the operand's type does not match the attribute's; "
            "compare the model's class attribute (User.age >= 18), not an instance's, and put parentheses around "
            "comparisons joined by & and |"
        )
    raise UsageError(f"{where} takes conditions, got {value!r}{hint}")


def _joined(kind: type[Every | Either], conditions: Iterable[Condition]) -> Condition:
    """What an operator makes of conditions. Parts of those of its own kind become its own parts: they do not nest."""
    parts: list[Condition] = []
    depth = 1
    for condition in conditions:
        if isinstance(condition, kind):
            parts += condition.conditions
            depth = max(depth, condition.depth)
        else:
            parts.append(condition)
            depth = max(depth, condition.depth + 1)
    return kind(tuple(parts), depth)


def _bounded(condition: Condition) -> Condition:
    """The same condition.

    Raises:
        InvalidExpression: it nests too deep.
    """
    if condition.depth > _MAX_DEPTH:
        raise InvalidExpression(
            f"conditions are nested {condition.depth} deep with &, | and ~; at most {_MAX_DEPTH} are taken. Chains of one "
            "kind, such as a & b & c, do not nest"
        )
    return condition


def _rendered(conditions: Iterable[Condition], word: str, placeholders: Placeholders) -> str:
    """Conditions with a word between them; what has such words itself in parentheses."""
    return word.join(
        [
            f"({condition.render(placeholders)})" if isinstance(condition, _JOINED) else condition.render(placeholders)
            for condition in conditions
        ]
    )
