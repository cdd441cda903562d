"""Writes of one item, as programs have them: calls of the database, or parts of transactions and batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from tests.differential.changes import Change, Set
from tests.differential.conditions import Condition, found
from tests.differential.models import Coin, Paper
from tests.differential.plain import KEYS, Item, instance_of, lifted_attribute, stored, stored_attribute, stored_fields
from tests.differential.texts import Own, call_text, text_of
from tests.differential.world import Held, Meaningless, Place, World

Fields: TypeAlias = Mapping[str, Any]
ItemId: TypeAlias = tuple[type[Any], Place]


def key_text(model: type[Any], key: tuple[Any, ...]) -> str:
    if model is Coin:
        return f"({text_of(key[0])}).encode()"
    return ", ".join(map(text_of, key))


def where_text(model: type[Any], where: Condition | None) -> str:
    return "" if where is None else where.text(model.__name__)


@attrs.frozen
class Mutation:
    """A change of an instance in hand: an attribute or entry that is assigned, or an entry that is taken out."""

    path: tuple[str, ...]
    value: Any

    def text(self, name: str) -> str:
        *outer, last = self.path
        target = f"{name}.{outer[0] if outer else last}" + "".join(f"[{step!r}]" for step in outer[1:])
        if not outer:
            return f"{target} = {text_of(self.value)}"
        if outer == ["place"]:
            return f"{target}.{last} = {text_of(self.value)}"
        return f"{target}.pop({last!r}, None)" if self.value is None else f"{target}[{last!r}] = {text_of(self.value)}"

    def apply(self, item: Item, prefix: str) -> None:
        holder: dict[str, Any] = item
        for step in self.path[:-1]:
            inner = found(holder, (step,))
            if inner is None or "M" not in inner:
                raise Meaningless(self.path)
            holder = inner["M"]
        last = self.path[-1]
        given = self.value.under(prefix) if isinstance(self.value, Own) else self.value
        value = stored_attribute(last, given)
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = value


@attrs.frozen
class Instance:
    """An instance: one that is made here, or one in hand, both perhaps changed.

    Attributes:
        name: its variable.
        model: its class.
        fields: what it is made with; ``None`` of one in hand.
        mutations: what is changed on it.
    """

    name: str
    model: type[Any]
    fields: Fields | None = None
    mutations: tuple[Mutation, ...] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """The key of an instance that is made here."""
        return tuple((self.fields or {})[name] for name in KEYS[self.model])

    def setup(self) -> list[str]:
        lines = [mutation.text(self.name) for mutation in self.mutations]
        if self.fields is None:
            return lines
        key = KEYS[self.model]
        shown = {name: text_of(value) for name, value in self.fields.items()}
        if self.model is Coin:
            shown[key[0]] = key_text(Coin, (self.fields[key[0]],))
        return [f"{self.name} = {call_text(self.model.__name__, **shown)}", *lines]

    def prepare(self, world: World) -> Held:
        if self.fields is not None:
            values = {
                name: value.under(world.prefix) if isinstance(value, Own) else value
                for name, value in self.fields.items()
            }
            key = KEYS[self.model]
            values |= dict(zip(key, world.place([self.fields[name] for name in key]), strict=True))
            world.hand[self.name] = Held(self.model, stored_fields(self.model, values))
        held = world.in_hand(self.name)
        for mutation in self.mutations:
            mutation.apply(held.item, world.prefix)
        return held

    def smaller(self) -> Iterator[Instance]:
        for position in range(len(self.mutations)):
            yield attrs.evolve(self, mutations=self.mutations[:position] + self.mutations[position + 1 :])
        for name in self.fields or ():
            if name not in KEYS[self.model]:
                yield attrs.evolve(
                    self, fields={other: value for other, value in (self.fields or {}).items() if other != name}
                )


@attrs.frozen
class OfInstance:
    """``create``, ``put``, ``save``, ``delete`` or ``restore`` of an instance."""

    action: str
    instance: Instance
    where: Condition | None = None
    returns: str = ""
    hard: bool = False

    @property
    def model(self) -> type[Any]:
        return self.instance.model

    def setup(self) -> list[str]:
        return self.instance.setup()

    def call(self) -> str:
        options = {"where": where_text(self.model, self.where), "returns": self.returns and repr(self.returns)}
        return call_text(self.action, self.instance.name, **options, hard="True" if self.hard else "")

    def prepare(self, world: World) -> None:
        self.instance.prepare(world)

    def item(self, world: World) -> ItemId:
        return self.model, world.in_hand(self.instance.name).place

    def is_idle(self, world: World) -> bool:
        """Whether a save has nothing to do."""
        held = world.in_hand(self.instance.name)
        return self.action == "save" and held.seen is not None and held.item == held.seen

    def apply(self, world: World, *, alone: bool) -> Any:
        held = world.in_hand(self.instance.name)
        if self.action in ("create", "save"):
            (world.create if self.action == "create" else world.save)(held)
            return instance_of(self.model, held.item)
        if self.action == "put":
            old = world.put(held, self.where)
        elif held.seen is None:
            raise Meaningless(self.instance.name)
        elif self.action == "restore":
            return instance_of(Paper, world.restore(held.place, held=held, forgiving=alone))
        elif self.model is Paper and not self.hard:
            old = world.soft_delete(held.place, self.where, held=held, forgiving=alone)
        else:
            old = world.delete(self.model, held.place, self.where, held=held)
        return instance_of(self.model, old) if self.returns == "old" and old is not None else None

    def smaller(self) -> Iterator[OfInstance]:
        if self.where is not None:
            yield attrs.evolve(self, where=None)
        for instance in self.instance.smaller():
            yield attrs.evolve(self, instance=instance)


@attrs.frozen
class OfKey:
    """``delete``, ``restore`` or ``check`` of an item by its key."""

    action: str
    model: type[Any]
    key: tuple[Any, ...]
    where: Condition | None = None
    returns: str = ""
    hard: bool = False

    def setup(self) -> list[str]:
        return []

    def call(self) -> str:
        key = f"Key({self.model.__name__}, {key_text(self.model, self.key)})"
        if self.action == "check":
            return call_text("check", key, where_text(self.model, self.where))
        options = {"where": where_text(self.model, self.where), "returns": self.returns and repr(self.returns)}
        return call_text(self.action, key, **options, hard="True" if self.hard else "")

    def prepare(self, world: World) -> None:
        world.tables.setdefault(self.model, {})

    def item(self, world: World) -> ItemId:
        return self.model, world.place(self.key)

    def is_idle(self, _world: World) -> bool:
        return False

    def apply(self, world: World, *, alone: bool) -> Any:
        place = world.place(self.key)
        if self.action == "restore":
            return instance_of(Paper, world.restore(place, forgiving=alone))
        if self.action == "check":
            assert self.where is not None, "a check has a condition"
            return world.check(self.model, place, self.where)
        if self.model is Paper and not self.hard:
            old = world.soft_delete(place, self.where, forgiving=alone)
        else:
            old = world.delete(self.model, place, self.where)
        return instance_of(self.model, old) if self.returns == "old" and old is not None else None

    def smaller(self) -> Iterator[OfKey]:
        if self.where is not None and self.action != "check":
            yield attrs.evolve(self, where=None)


@attrs.frozen
class Updating:
    """``update`` of an item by its key."""

    model: type[Any]
    key: tuple[Any, ...]
    changes: tuple[Change, ...]
    where: Condition | None = None
    upsert: bool = False
    returns: str = ""

    @property
    def asked(self) -> list[tuple[str | int, ...]]:
        """The paths that ``updated_new`` and ``updated_old`` are asked for: those of no list's element."""
        return [change.path for change in self.changes if not any(isinstance(step, int) for step in change.path)]

    def setup(self) -> list[str]:
        return []

    def call(self) -> str:
        name = self.model.__name__
        key = f"Key({name}, {key_text(self.model, self.key)})"
        options = {"where": where_text(self.model, self.where), "returns": self.returns and repr(self.returns)}
        changes = [change.text(name) for change in self.changes]
        return call_text("update", key, *changes, **options, upsert="True" if self.upsert else "")

    def prepare(self, world: World) -> None:
        world.tables.setdefault(self.model, {})

    def item(self, world: World) -> ItemId:
        return self.model, world.place(self.key)

    def is_idle(self, _world: World) -> bool:
        return False

    def apply(self, world: World, *, alone: bool) -> Any:
        changes = [_owned(change, world.prefix) for change in self.changes]
        before, after = world.update(self.model, world.place(self.key), changes, self.where, upsert=self.upsert)
        if not alone or self.returns == "none":
            return None
        if self.returns == "old":
            if before is None:
                world.told_otherwise.add("no-old-item-of-an-upsert")
                return None
            return instance_of(self.model, before)
        if self.returns.startswith("updated"):
            item = after if self.returns == "updated_new" else before or {}
            return [_lifted(item, path) for path in self.asked]
        return instance_of(self.model, after)

    def smaller(self) -> Iterator[Updating]:
        if self.where is not None:
            yield attrs.evolve(self, where=None)
        if len(self.changes) > 1:
            for position in range(len(self.changes)):
                yield attrs.evolve(self, changes=self.changes[:position] + self.changes[position + 1 :])


def _owned(change: Change, prefix: str) -> Change:
    if isinstance(change, Set) and isinstance(change.value, Own):
        return Set(change.path, change.value.under(prefix))
    return change


def _lifted(item: Item, path: tuple[str | int, ...]) -> Any:
    value = found(item, path)
    return None if value is None else lifted_attribute(str(path[-1]), value)


Operation: TypeAlias = OfInstance | OfKey | Updating
__all__ = ["Fields", "Instance", "ItemId", "Mutation", "OfInstance", "OfKey", "Operation", "Updating", "stored"]
