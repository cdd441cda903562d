"""Items of an older schema: brought up to the present one, step by step, before they are decoded."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Mapping
from typing import Any, Protocol

from dynamorm_async.codec.answers import bytes_in, plain_key
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.derived import Carried, DerivedAttributes
from dynamorm_async.codec.encrypted import renamed
from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.native import from_attribute_value
from dynamorm_async.codec.stored import Older
from dynamorm_async.errors import DecodeError, InvalidKey, InvalidValue, Problem
from dynamorm_async.types import AttributeValue, RawItem


class ItemSchema(Protocol):
    """The version of a model's items, and the functions that bring older ones up to it."""

    @property
    def name(self) -> str:
        """The attribute that holds the version."""
        ...

    @property
    def current(self) -> int:
        """The version that is written."""
        ...

    @property
    def fixed(self) -> tuple[str, ...]:
        """The attributes that no upcaster may change."""
        ...

    @property
    def carried(self) -> Carried:
        """The version as it comes with an item of the present one."""
        ...

    def name_of(self, version: int) -> str:
        """The name of the upcaster from a version."""
        ...

    def step(self, item: dict[str, Any], version: int) -> object:
        """What the upcaster from a version makes of an item."""
        ...


def version_in(schema: ItemSchema, raw: Mapping[str, Any]) -> int | None:
    """The version of a stored item: 1 where it has none; ``None`` where what it has is no version."""
    stored = raw.get(schema.name)
    if stored is None:
        return 1
    text = stored.get("N") if isinstance(stored, Mapping) else None
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and int(text) else None


class Upcasting:
    """Brings the items of one model up to its present schema.

    Args:
        layout: the model's attributes.
        schema: its versions.
        key: the members that are the table's key, or that it is made of.
        derived: its derived attributes; ``None`` where it has none.
        partial: whether what is read may lack attributes, so that no upcaster can run.
    """

    def __init__(
        self,
        layout: Layout,
        schema: ItemSchema,
        key: tuple[Member, ...],
        derived: DerivedAttributes | None,
        *,
        partial: bool = False,
    ) -> None:
        self._model = layout.cls.__name__
        self._schema = schema
        self._key = key
        self._derived = derived
        self._partial = partial

    def current(self, raw: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[Mapping[str, Any], Older | None]:
        """An item's attributes as the present schema has them; and what it was, where it is of an older one.

        Args:
            raw: the item in DynamoDB's JSON form.
            own: the same without what the library makes, and with what its keys tell.

        Raises:
            DecodeError: it is of a newer schema, an upcaster failed, or only a part of the item was read.
        """
        key = plain_key(raw, self._key)
        version = self._known(raw, key)
        if version == self._schema.current:
            return {name: value for name, value in own.items() if name != self._schema.name}, None
        if self._partial:
            raise self._error(key, self._not_whole(version))
        stored = self._bytes(raw, key)
        told = self._bytes({name: value for name, value in own.items() if name not in raw}, key)
        before = {**{name: stored[name] for name in own if name in stored and name != self._schema.name}, **told}
        item: RawItem = before
        for step in range(version, self._schema.current):
            item = self._step(item, step, key)
        self._check_fixed(stored, before, item, key)
        return item, Older(version, stored, item)

    def check_selected(self, raw: Mapping[str, Any]) -> None:
        """Refuse an item of which some attributes were read, unless it is of the present schema.

        Raises:
            DecodeError: it is of another.
        """
        key = plain_key(raw, self._key)
        version = self._known(raw, key)
        if version != self._schema.current:
            raise self._error(key, self._not_whole(version))

    def _known(self, raw: Mapping[str, Any], key: Mapping[str, object]) -> int:
        """The version of an item.

        Raises:
            DecodeError: this program does not know it.
        """
        name, current = self._schema.name, self._schema.current
        version = version_in(self._schema, raw)
        if version is None:
            raise self._error(key, f"is {raw[name]!r}, which is no schema version: a number from 1")
        if version > current:
            raise self._error(
                key,
                f"is {version}, but this program knows {self._model} up to schema {current}: the item was written by a "
                "newer version of the program",
            )
        return version

    def _not_whole(self, version: int) -> str:
        return (
            f"is {version}, not {self._schema.current}, and only some of the item's attributes were read: an upcaster wants "
            "them all. Read whole items (no select(); hydrate() where an index does not hold them), or save() the old "
            "items first"
        )

    def _step(self, item: RawItem, version: int, key: Mapping[str, object]) -> dict[str, AttributeValue]:
        """An item one version up, as it would be stored: so that each upcaster gets what the table could give it."""
        from dynamorm_async.codec.plain import encode_parameter  # noqa: PLC0415 - loaded when first used

        where = f"{self._schema.name_of(version)}(), the upcaster from version {version},"
        try:
            made = self._schema.step({name: from_attribute_value(value) for name, value in item.items()}, version)
        except Exception as error:
            raise self._error(key, f"{where} raised {type(error).__name__}: {error}") from error
        if not isinstance(made, dict):
            raise self._error(key, f"{where} returned {made!r}: it is to return the new item, a dict")
        collector, result = Collector(), dict[str, AttributeValue]()
        for name, value in made.items():
            if not isinstance(name, str) or not name:
                raise self._error(key, f"{where} returned the name {name!r}: names of attributes are text")
            if name in self._reserved:
                raise self._error(key, f"{where} returned {name}, which the library writes: leave it out")
            encoded: AttributeValue | None = collector.run(f"{name}, as {where} returned it", encode_parameter, value)
            if encoded is not None:
                result[name] = renamed(name, encoded)
        if collector.problems:
            raise DecodeError(self._model, key, collector.problems)
        return result

    @property
    def _reserved(self) -> set[str]:
        derived = () if self._derived is None else self._derived.carried
        return {self._schema.name, *(one.name for one in derived)}

    def _check_fixed(self, raw: RawItem, before: RawItem, after: RawItem, key: Mapping[str, object]) -> None:
        """Refuse upcasters that change what tells the item from others, or what guards its writes."""
        for name in self._schema.fixed:
            if not same_value(before.get(name), after.get(name)):
                raise self._error(
                    key,
                    f"an upcaster changed {name}: an item cannot move to another key, and only writes move its version. "
                    "Give the attribute its stored name with name=...",
                )
        if self._derived is None:
            return
        try:
            rendered = self._derived.key(after)
        except (KeyError, InvalidKey, InvalidValue) as error:
            raise self._error(key, f"an upcaster changed what the key is made of: {error}") from error
        for name, value in rendered.items():
            if not same_value(raw.get(name), value):
                raise self._error(
                    key,
                    f"an upcaster changed what the key is made of: {name} would be {next(iter(value.values()))!r}, but an "
                    "item cannot move",
                )

    def _bytes(self, raw: Mapping[str, Any], key: Mapping[str, object]) -> RawItem:
        collector = Collector()
        item: RawItem = collector.run("", bytes_in, raw)
        if collector.problems:
            raise DecodeError(self._model, key, collector.problems)
        return item

    def _error(self, key: Mapping[str, object], message: str) -> DecodeError:
        return DecodeError(self._model, key, [Problem(self._schema.name, message)])
