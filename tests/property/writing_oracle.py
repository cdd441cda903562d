"""A dict that follows the rules of writing: what every operation does, or which error it is, said once more and simply."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import attrs

from dynamorm_async import (
    Attr,
    ConditionFailed,
    ItemExists,
    ItemNotFound,
    NotUnique,
    VersionConflict,
    attr,
    created_at,
    model,
    partition_key,
    sort_key,
    unique,
    updated_at,
    version,
)

Place: TypeAlias = tuple[str, int]
Refusal: TypeAlias = type[Exception] | None


@model(table="things")
class Thing:
    """Everything that the library itself keeps: a version, times, and a unique value."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    name: Attr[str] = attr(default="nobody")
    count: Attr[int] = attr(default=0)
    labels: Attr[dict[str, int]] = attr(factory=dict)
    code: Attr[str | None] = attr(default=None)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()

    one_code = unique("code")


@model(table="tallies")
class Tally:
    """Nothing of that, so that batches can take it."""

    name: Attr[str] = partition_key()
    value: Attr[int] = attr(default=0)


@attrs.frozen
class Row:
    """What the table has of a :class:`Thing`, or an instance in hand."""

    name: str = "nobody"
    count: int = 0
    labels: dict[str, int] = attrs.field(factory=dict[str, int])
    code: str | None = None
    revision: int = 0


@attrs.define
class Oracle:
    """The tables as dicts. Each method makes one operation, or says which error it is and changes nothing.

    Attributes:
        things: the things that there are.
        tallies: the tallies that there are.
        deferred: whether codes need not be unique until all operations are made.
    """

    things: dict[Place, Row] = attrs.field(factory=dict[Place, Row])
    tallies: dict[str, int] = attrs.field(factory=dict[str, int])
    deferred: bool = False

    def copy(self, *, deferred: bool = False) -> Oracle:
        return Oracle(dict(self.things), dict(self.tallies), deferred)

    @property
    def is_unique(self) -> bool:
        """Whether no two things have one code."""
        codes = [row.code for row in self.things.values() if row.code is not None]
        return len(set(codes)) == len(codes)

    def create(self, place: Place, row: Row) -> Refusal:
        if place in self.things:
            return ItemExists
        return self._store(place, attrs.evolve(row, revision=1))

    def put(self, place: Place, row: Row) -> Refusal:
        """Over the version that the instance has; a new one over no item."""
        found = self.things.get(place)
        if (found.revision if found else 0) != row.revision:
            return VersionConflict
        return self._store(place, attrs.evolve(row, revision=row.revision + 1))

    def save(self, place: Place, row: Row, before: Row) -> Refusal:
        """What changed since it was read, under its version; nothing changed is nothing done."""
        if row == before:
            return None
        found = self.things.get(place)
        if found is None or found.revision != row.revision:
            return VersionConflict
        return self._store(place, attrs.evolve(row, revision=row.revision + 1))

    def update(
        self, place: Place, *, add: int, code: str | None, at_least: int | None, upsert: bool, keeps_code: bool
    ) -> Refusal:
        found = self.things.get(place)
        if found is None and not upsert:
            return ItemNotFound
        if at_least is not None and (found is None or found.count < at_least):
            return ConditionFailed
        row = found or Row()
        row = attrs.evolve(row, count=row.count + add, revision=row.revision + 1)
        return self._store(place, row if keeps_code else attrs.evolve(row, code=code))

    def check(self, place: Place, at_least: int) -> Refusal:
        found = self.things.get(place)
        return None if found is not None and found.count >= at_least else ConditionFailed

    def delete(self, place: Place, *, revision: int | None) -> Refusal:
        """By key, or of an instance with that version; what is not there is gone already."""
        found = self.things.get(place)
        if found is None:
            return None
        if revision is not None and revision != found.revision:
            return VersionConflict
        del self.things[place]
        return None

    def _store(self, place: Place, row: Row) -> Refusal:
        owner = self.owner_of(row.code)
        if not self.deferred and owner not in (None, place):
            return NotUnique
        self.things[place] = row
        return None

    def owner_of(self, code: str | None) -> Place | None:
        """Which thing has the code."""
        if code is None:
            return None
        return next((place for place, row in self.things.items() if row.code == code), None)
