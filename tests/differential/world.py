"""The dict model: tables as dicts of items, instances in hand, and what every write does to both.

It says once more, and apart from the library, what ``docs/writing.md`` promises. What it says of DynamoDB is what both engines do,
except where ``tests/contract/differences.py`` names one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from dynamorm_async import (
    ConditionFailed,
    DynamormError,
    ItemExists,
    ItemNotFound,
    ValidationFailed,
    VersionConflict,
)
from tests.differential.changes import Change, Invalid, applied
from tests.differential.conditions import Condition
from tests.differential.models import MINUTE, START, Paper, Ware
from tests.differential.nesting import differing, put_entries
from tests.differential.plain import KEYS, Item, Value, copied, instance_of, lifted_attribute, stored
from tests.differential.texts import Own

Place: TypeAlias = tuple[Any, ...]  # the values of a key
_NULL = {"NULL": True}


class Refused(Exception):
    """An operation that fails, and changes nothing."""

    def __init__(self, kind: type[DynamormError], item: Any = None) -> None:
        super().__init__(kind.__name__)
        self.kind = kind
        self.item = item  # what a failed condition tells was there


class Meaningless(Exception):
    """A step about an instance that is not in hand: it is left from a program that was cut down."""


@attrs.define
class Held:
    """An instance in hand.

    Attributes:
        model: its class.
        item: as it is now.
        seen: as it was when it was read or written; ``None`` of a new one.
        held: what the table had of that.
    """

    model: type[Any]
    item: Item
    seen: Item | None = None
    held: Item | None = None

    @property
    def place(self) -> Place:
        return tuple(lifted_attribute(name, self.item[name]) for name in KEYS[self.model])

    @property
    def revision(self) -> int:
        return int(self.item["revision"]["N"]) if "revision" in self.item else 0

    def settle(self, item: Item, held: Item) -> None:
        self.item, self.seen, self.held = (copied(form) for form in (item, item, held))


@attrs.define
class World:
    """Everything that there is, at one step of a program.

    Attributes:
        prefix: what the program's own keys begin with.
        tables: the items of each model by their places.
        hand: instances by their names.
        step: the number of the step, which sets the time.
        told_otherwise: known differences of engines that show in this step's result alone.
        done_otherwise: known differences that show in the tables: an engine that has one leaves the program here.
    """

    prefix: str
    tables: dict[type[Any], dict[Place, Item]] = attrs.field(factory=dict[type[Any], dict[Place, Item]])
    hand: dict[str, Held] = attrs.field(factory=dict[str, Held])
    step: int = 0
    told_otherwise: set[str] = attrs.field(factory=set[str])
    done_otherwise: set[str] = attrs.field(factory=set[str])

    def copy(self) -> World:
        hand = {
            name: Held(
                held.model,
                copied(held.item),
                seen=None if held.seen is None else copied(held.seen),
                held=None if held.held is None else copied(held.held),
            )
            for name, held in self.hand.items()
        }
        return World(self.prefix, copied(self.tables), hand, self.step)

    @property
    def now(self) -> datetime:
        return START + self.step * MINUTE

    def begin(self, step: int) -> None:
        self.step = step
        self.told_otherwise.clear()
        self.done_otherwise.clear()

    def place(self, key: Iterable[Any]) -> Place:
        """A key's values with those that are the program's own."""
        place = tuple(value.under(self.prefix) if isinstance(value, Own) else value for value in key)
        # A key of bytes is the text's.
        return tuple(value.encode() for value in place) if len(place) == 1 else place

    def find(self, model: type[Any], place: Place) -> Item | None:
        return self.tables.setdefault(model, {}).get(place)

    def in_hand(self, name: str) -> Held:
        if name not in self.hand:
            raise Meaningless(name)
        return self.hand[name]

    def take(self, name: str, model: type[Any], item: Item | None) -> None:
        """Take an item that was read into the hand, or nothing."""
        self.hand.pop(name, None)
        if item is not None:
            instance = {**_defaults(model), **item}
            # NULL and what is not there read as the default.
            self.hand[name] = Held(model, copied(instance), copied(instance), copied(item))

    def hidden(self, model: type[Any], item: Item) -> bool:
        if model is not Paper:
            return False
        expires = item.get("expires", _NULL).get("N")
        return "deleted" in item or (expires is not None and expires <= int(self.now.timestamp()))

    # --- writes: each raises Refused, and then nothing has changed ------------------------------------------

    def create(self, held: Held) -> None:
        found = self.find(held.model, held.place)
        if found is not None:
            raise Refused(ItemExists, instance_of(held.model, found))
        self._store(held, self._written(held))

    def put(self, held: Held, where: Condition | None = None) -> Item | None:
        found = self.find(held.model, held.place)
        if held.model is Paper and (found is not None or where is None or held.revision):
            self._check_version(held, found)
        self._check(held.model, found, where)
        self._store(held, self._written(held))
        return found

    def save(self, held: Held) -> None:
        if held.seen is None or held.held is None:
            return self.create(held)
        own = {"changed", "revision"}
        names = [name for name in dict.fromkeys((*held.item, *held.seen)) if name not in own]
        changes = [
            change
            for name in names
            for change in differing((name,), held.item.get(name), held.seen.get(name), held.held.get(name))
        ]
        if not changes:
            return None
        found = self.find(held.model, held.place)
        if held.model is Paper:
            self._check_version(held, found)
        if found is None:
            raise Refused(ItemNotFound)
        written = self._written(held)
        changes += [((name,), written[name]) for name in sorted(own) if name in written]
        item = copied(found)
        if not put_entries(item, changes):
            raise Refused(ConditionFailed, instance_of(held.model, found))
        self.tables[held.model][held.place] = item
        table = copied(held.held)
        put_entries(table, changes)
        held.settle(written, table)
        return None

    def update(
        self, model: type[Any], place: Place, changes: Iterable[Change], where: Condition | None, *, upsert: bool
    ) -> tuple[Item | None, Item]:
        """The item before and after."""
        found = self.find(model, place)
        if found is None and not upsert:
            raise Refused(ItemNotFound)
        self._check(model, found, where)
        before = found or {}
        try:
            after = applied(changes, before, self.done_otherwise)
        except Invalid:
            raise Refused(ValidationFailed) from None
        if model is Paper:
            after["revision"] = {"N": before.get("revision", {"N": Decimal(0)})["N"] + 1}
            after["changed"] = self._moment()
            if upsert:
                after.setdefault("made", self._moment())
        if found is None:
            after |= {name: stored(value) or {} for name, value in zip(KEYS[model], place, strict=True)}
        self.tables[model][place] = after
        return found, after

    def delete(
        self, model: type[Any], place: Place, where: Condition | None, *, held: Held | None = None
    ) -> Item | None:
        found = self.find(model, place)
        if held is not None and held.model is Paper and found is not None:
            self._check_version(held, found)
        self._check(model, found, where)
        return self.tables[model].pop(place, None)

    def soft_delete(
        self, place: Place, where: Condition | None, *, held: Held | None = None, forgiving: bool
    ) -> Item | None:
        found = self.find(Paper, place)
        idle = found is None or "deleted" in found
        if idle and where is None and forgiving:
            return None
        if found is not None and not idle and held is not None:
            self._check_version(held, found)
        if found is None or idle:
            raise Refused(ConditionFailed, found and instance_of(Paper, found))
        self._check(Paper, found, where)
        self._mark(place, found, held, {"deleted": self._moment()})
        return found

    def restore(self, place: Place, *, held: Held | None = None, forgiving: bool) -> Item:
        found = self.find(Paper, place)
        if found is None:
            raise Refused(ItemNotFound)
        if "deleted" not in found:
            if forgiving:
                self.told_otherwise.add("failed-condition-returns-item")
                return found
            raise Refused(ConditionFailed, instance_of(Paper, found))
        if held is not None:
            self._check_version(held, found)
        return self._mark(place, found, held, {"deleted": None})

    def check(self, model: type[Any], place: Place, condition: Condition) -> None:
        self._check(model, self.find(model, place), condition)

    # --- inside ---------------------------------------------------------------------------------------------

    def _check_version(self, held: Held, found: Item | None) -> None:
        there = None if found is None else int(found.get("revision", {"N": 0})["N"])
        if (there or 0) != held.revision:
            raise Refused(VersionConflict, found and instance_of(held.model, found))

    def _check(self, model: type[Any], found: Item | None, where: Condition | None) -> None:
        if where is not None and not where.holds(found or {}):
            raise Refused(ConditionFailed, found and instance_of(model, found))

    def _moment(self) -> Value:
        return stored(self.now) or {}

    def _written(self, held: Held) -> Item:
        """The instance as a write of it writes it."""
        item = copied(held.item)
        if held.model is Paper:
            item.setdefault("made", self._moment())
            item |= {"changed": self._moment(), "revision": stored(held.revision + 1) or {}}
        return item

    def _store(self, held: Held, item: Item) -> None:
        self.tables[held.model][held.place] = copied(item)
        held.settle(item, item)

    def _mark(self, place: Place, found: Item, held: Held | None, own: dict[str, Value | None]) -> Item:
        def marked(item: Item, revision: int) -> Item:
            changes = {**own, "changed": self._moment(), "revision": stored(revision + 1)}
            return {name: value for name, value in {**item, **changes}.items() if value is not None}

        item = marked(copied(found), int(found["revision"]["N"]))
        self.tables[Paper][place] = item
        if held is not None and held.seen is not None and held.held is not None:
            revision = held.revision
            held.item, held.seen, held.held = (marked(form, revision) for form in (held.item, held.seen, held.held))
        return item


def _defaults(model: type[Any]) -> Item:
    """What an attribute that is not there reads as, where that is stored otherwise than by its absence."""
    given: dict[str, Any] = {"labels": {}}
    if model is Ware:
        given |= {"count": 0, "price": 0, "flag": False, "scores": []}
    elif model is Paper:
        given |= {"title": "untitled", "views": 0}
    else:
        given = {"amount": 0}
    return {name: stored(value) or {} for name, value in given.items()}
