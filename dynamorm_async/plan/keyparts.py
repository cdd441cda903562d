"""The conditions of a query by the attributes that they are about, and what they say of a plain key attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.expressions.conditions import Comparison, Condition, Literally, Path
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart
from dynamorm_async.plan.keyrange import Range, Restriction, Said, Values, restriction, said_of
from dynamorm_async.types import AttributeValue

WHOLE: Final = 200
"""How much a key attribute with values narrows what is read."""

SOME: Final = 100
"""How much one with a range does."""


class Conditions:
    """The conditions of a query, each to hold, by what they are about.

    Args:
        spec: the model.
        parts: the conditions.
    """

    def __init__(self, spec: ModelSpec[Any], parts: Sequence[Condition]) -> None:
        self.parts = tuple(parts)
        self._labels = spec.python_names
        self._roots = [frozenset(part.roots()) for part in self.parts]
        self._said: dict[str, Said] = {}
        self._restrictions: dict[str, Restriction] = {}

    def label(self, name: str) -> str:
        """What people call an attribute."""
        return self._labels.get(name, name)

    def said(self, name: str) -> Said:
        """What they say of an attribute by comparing it with values."""
        found = self._said.get(name)
        if found is None:
            found = self._said[name] = said_of(name, self._about(name))
        return found

    def restriction(self, part: KeyPart) -> Restriction:
        """What they say of a key attribute that the model has itself; all of it has to become a key condition."""
        if part.name not in self._restrictions:
            about = self._about(part.name)
            self._restrictions[part.name] = restriction(part, self.label(part.name), about) if about else None
        return self._restrictions[part.name]

    def besides(self, names: Iterable[str], said: Sequence[Condition]) -> tuple[Condition, ...]:
        """Those that are left for a filter.

        Args:
            names: attributes that every condition on is in the key condition.
            said: the conditions that the key condition says otherwise.
        """
        taken = frozenset(names)
        return tuple(
            part
            for part, roots in zip(self.parts, self._roots, strict=True)
            if roots.isdisjoint(taken) and not any(part is other for other in said)
        )

    def _about(self, name: str) -> list[Condition]:
        return [part for part, roots in zip(self.parts, self._roots, strict=True) if name in roots]


class PlainPart(msgspec.Struct, frozen=True):
    """A key attribute that the model has itself.

    Attributes:
        name: its name in DynamoDB.
        label: what people call it.
        said: what the conditions say of it.
    """

    name: str
    label: str
    said: Restriction

    @property
    def values(self) -> Mapping[str, tuple[AttributeValue, ...]]:
        """The values of what it depends on, by name."""
        return {self.name: self.said.values} if isinstance(self.said, Values) else {}

    @property
    def is_whole(self) -> bool:
        """Whether it has values."""
        return isinstance(self.said, Values)

    @property
    def open(self) -> tuple[str, ...]:
        """What has to be given for it to have values."""
        return () if self.said is not None and not isinstance(self.said, Range) else (self.name,)

    @property
    def strength(self) -> int:
        """How much it narrows what is read."""
        return WHOLE if self.is_whole else SOME if isinstance(self.said, Range) else 0

    @property
    def narrowed_by(self) -> tuple[str, ...]:
        """The attributes whose conditions narrow it, as people call them."""
        return () if self.said is None else (self.label,)

    @property
    def exact(self) -> tuple[Condition, ...]:
        """The conditions on other attributes that it says exactly."""
        return ()

    @property
    def nearly(self) -> tuple[Condition, ...]:
        """Those that it says but for one value."""
        return ()

    @property
    def depth(self) -> int:
        """How many parts of its template are known."""
        return 0

    def conditions(self, item: Mapping[str, AttributeValue]) -> tuple[Condition, ...] | None:
        """Its condition, if any, for the values of one query; ``None`` where no item can match."""
        if self.name in item:
            return (Comparison(Path((self.name,)), "=", Literally(item[self.name])),)
        return (self.said.condition,) if isinstance(self.said, Range) else ()
