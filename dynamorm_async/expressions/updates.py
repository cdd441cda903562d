"""Updates as frozen nodes. Built by the methods of ``Attr``.

Source: "Update expressions" in DynamoDB's developer guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, final

import msgspec

from dynamorm_async.errors import InvalidExpression, UsageError
from dynamorm_async.expressions.conditions import Literally, Operand, Path, Segments
from dynamorm_async.expressions.placeholders import Placeholders

Verb = Literal["SET", "REMOVE", "ADD", "DELETE"]
Sign = Literal["+", "-"]


@final
class Alternative(msgspec.Struct, frozen=True):
    """An operand: ``if_not_exists(path, otherwise)``."""

    path: Path
    otherwise: Operand

    def render(self, placeholders: Placeholders) -> str:
        return f"if_not_exists({self.path.render(placeholders)}, {self.otherwise.render(placeholders)})"

    def below(self, prefix: Segments) -> Alternative:
        return Alternative(self.path.below(prefix), self.otherwise.below(prefix))

    def roots(self) -> Iterator[str]:
        yield from self.path.roots()
        yield from self.otherwise.roots()


@final
class Calculation(msgspec.Struct, frozen=True):
    """An operand: the sum or difference of two others."""

    left: Operand | Alternative
    sign: Sign
    right: Operand | Alternative

    def render(self, placeholders: Placeholders) -> str:
        return f"{self.left.render(placeholders)} {self.sign} {self.right.render(placeholders)}"

    def below(self, prefix: Segments) -> Calculation:
        return Calculation(self.left.below(prefix), self.sign, self.right.below(prefix))

    def roots(self) -> Iterator[str]:
        yield from self.left.roots()
        yield from self.right.roots()


@final
class Assignment(msgspec.Struct, frozen=True):
    """``path = operand``: the operand replaces what was there."""

    operand: Operand | Alternative | Calculation

    def render(self, path: str, placeholders: Placeholders) -> str:
        return f"{path} = {self.operand.render(placeholders)}"


@final
class Default(msgspec.Struct, frozen=True):
    """``path = if_not_exists(path, operand)``."""

    operand: Operand

    def render(self, path: str, placeholders: Placeholders) -> str:
        return f"{path} = if_not_exists({path}, {self.operand.render(placeholders)})"


@final
class Concatenation(msgspec.Struct, frozen=True):
    """``path = list_append(…)``: elements after, or before, those of a list that may not be there yet."""

    elements: Literally
    before: bool

    def render(self, path: str, placeholders: Placeholders) -> str:
        elements = self.elements.render(placeholders)
        present = f"if_not_exists({path}, {placeholders.value({'L': []})})"
        order = f"{elements}, {present}" if self.before else f"{present}, {elements}"
        return f"{path} = list_append({order})"


@final
class Element(msgspec.Struct, frozen=True):
    """``path operand`` of ADD and DELETE: a number to add, or elements of a set."""

    operand: Literally

    def render(self, path: str, placeholders: Placeholders) -> str:
        return f"{path} {self.operand.render(placeholders)}"


@final
class Nothing(msgspec.Struct, frozen=True):
    """REMOVE has no operand."""

    def render(self, path: str, placeholders: Placeholders) -> str:  # noqa: ARG002 - the shape of its siblings
        return path


_REPLACING = (Assignment, Default)

Change: TypeAlias = Assignment | Default | Concatenation | Element | Nothing


@final
class Update(msgspec.Struct, frozen=True):
    """One change of one path of an item.

    Attributes:
        verb: the clause that it belongs to.
        path: what changes.
        change: how.
    """

    verb: Verb
    path: Segments
    change: Change

    @property
    def repeatable(self) -> bool:
        """Whether applying it twice leaves the same as applying it once."""
        if isinstance(self.path[-1], int):
            return False  # a removed element lets the next take its place; one set past the end is appended
        change = self.change
        if isinstance(change, _REPLACING):
            return isinstance(change.operand, Literally) or self._repeats(change.operand)
        if isinstance(change, Concatenation):
            return False
        # ADD of a number counts twice; ADD to a set does not.
        return not (self.verb == "ADD" and isinstance(change, Element) and "N" in change.operand.value)

    def _repeats(self, operand: Operand | Alternative | Calculation) -> bool:
        """Whether an operand that reads is the same the second time: what it reads may have changed in between."""
        if not isinstance(operand, Alternative):
            return False
        return operand.path == Path(self.path) and isinstance(operand.otherwise, Literally)

    def reads(self) -> Iterable[str]:
        """The names of the top-level attributes that its operands mention."""
        change = self.change
        if isinstance(change, _REPLACING) and not isinstance(change.operand, Literally):
            return tuple(change.operand.roots())
        return ()

    def below(self, prefix: Segments) -> Update:
        """The same change inside a map."""
        change = self.change
        if isinstance(change, Assignment):
            change = Assignment(change.operand.below(prefix))
        elif isinstance(change, Default):
            change = Default(change.operand.below(prefix))
        return Update(self.verb, (*prefix, *self.path), change)


def render(updates: Sequence[Update], placeholders: Placeholders) -> str:
    """The update expression of all the changes.

    Raises:
        InvalidExpression: two changes touch the same path, or one lies inside the other.
    """
    _refuse_overlaps(updates)
    clauses: dict[Verb, list[str]] = {}
    for update in updates:
        text = update.change.render(placeholders.path(update.path), placeholders)
        clauses.setdefault(update.verb, []).append(text)
    return " ".join([f"{verb} {', '.join(texts)}" for verb, texts in clauses.items()])


def checked(updates: Iterable[object]) -> tuple[Update, ...]:
    """The updates of a call.

    Raises:
        UsageError: something is not an update.
    """
    result = tuple(updates)
    for update in result:
        if not isinstance(update, Update):
            raise UsageError(f"update() takes changes such as User.age.set(3) or User.age.add(1), got {update!r}")
    return result  # type: ignore[return-value]  # each was just checked


def path_text(segments: Segments) -> str:
    """A document path for people: ``address.city``, ``scores[0]``."""
    return "".join(f"[{s}]" if isinstance(s, int) else (f".{s}" if i else s) for i, s in enumerate(segments))


def _refuse_overlaps(updates: Sequence[Update]) -> None:
    if len({update.path[0] for update in updates}) == len(updates):  # as most often: each of another attribute
        return
    for index, update in enumerate(updates):
        for other in updates[:index]:
            short, long = sorted((other.path, update.path), key=len)
            if long[: len(short)] == short:
                raise InvalidExpression(
                    f"two changes touch {path_text(short)}"
                    + (f" and {path_text(long)}, which lies inside it" if long != short else "")
                    + "; DynamoDB allows one change a path"
                )
            first, second = next(pair for pair in zip(short, long, strict=False) if pair[0] != pair[1])
            if type(first) is not type(second):
                raise InvalidExpression(
                    f"{path_text(short)} and {path_text(long)} take one value for a list and for a map; "
                    "DynamoDB refuses such a pair"
                )
