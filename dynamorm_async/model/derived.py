"""The attributes of an item that are made from others: templated keys, and the discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import msgspec

from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.derived import Carried
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import InvalidKey
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.evaluate import holds
from dynamorm_async.model.table import TableIndex
from dynamorm_async.types import AttributeValue, RawItem

if TYPE_CHECKING:
    from dynamorm_async.codec.template import Template


class _IndexKey(msgspec.Struct, frozen=True):
    """The fields of an IndexKey that are given by position as well."""

    partition: str
    sort: str | None = None


@final
class IndexKey(_IndexKey, frozen=True, kw_only=True):
    """How a model's items get the keys of an index, for ``@model(table, gsi1=...)``. A tuple, or a text, does as well.

    Args:
        partition: the template of its partition key; of its sort key, where it is a local index.
        sort: the template of its sort key.
        when: says which items are in the index: from the model's class, a condition that holds of them. All are, where
            it is left out. Items without an attribute that a key is made of are not in it either way.
    """

    when: Callable[[Any], Condition] | None = None


@final
class KeyTemplate(msgspec.Struct, frozen=True):
    """A key attribute that is made by a template.

    Attributes:
        template: what makes it.
        limit: the most bytes it may have.
        key_of: what it is a key of, for errors.
        model: the name of the model, for errors.
    """

    template: Template
    limit: int
    key_of: str
    model: str

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self.template.name

    def of(self, item: RawItem) -> AttributeValue | None:
        """The key of an item; ``None`` where it lacks what the key is made of.

        Raises:
            InvalidKey: it is empty or too long, or a value does not fit its format.
        """
        made = self.template.render(item)
        if made is None:
            return None
        ((tag, content),) = made.items()
        if tag != "N":
            try:
                key_content(content, self.limit, self.key_of)
            except InvalidKey as error:
                raise InvalidKey(f"{self.model}.{self.name}, made from {self.template.text!r}: {error}") from None
        return made


@final
class IndexTemplates(msgspec.Struct, frozen=True, dict=True):
    """The key attributes of an index that a model makes by templates.

    Attributes:
        index: the index.
        keys: its templated key attributes.
        plain: its other key attributes, by their names in DynamoDB: the model has them itself.
        when: what holds of the items that are in it; ``None`` for all.
    """

    index: TableIndex
    keys: tuple[KeyTemplate, ...]
    plain: tuple[str, ...] = ()
    when: Condition | None = None

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The attributes that the keys depend on, by their names in DynamoDB."""
        members = (member.wire for key in self.keys for member in key.template.members)
        roots = () if self.when is None else self.when.roots()
        return tuple(dict.fromkeys((*members, *roots)))

    def of(self, item: RawItem) -> dict[str, AttributeValue]:
        """The key attributes of a whole item: all of them, or none where it is not in the index.

        Raises:
            InvalidKey: one is empty or too long, or a value does not fit its format.
        """
        if self.when is not None and not holds(self.when, item):
            return {}
        made = {key.name: key.of(item) for key in self.keys}
        if None in made.values() or not all(name in item for name in self.plain):
            return {}
        return {name: value for name, value in made.items() if value is not None}


@final
class Derived(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The derived attributes of one model.

    Attributes:
        table_keys: those of the table's key that are made by templates.
        plain_keys: the others: the model has them itself.
        indexes: those of the keys of indexes.
        discriminator: the name of the discriminator; ``None`` where the table has none.
        type: what the discriminator says of this model; ``None`` where the model has none.
    """

    table_keys: tuple[KeyTemplate, ...]
    plain_keys: tuple[Member, ...]
    indexes: tuple[IndexTemplates, ...]
    discriminator: str | None
    type: str | None

    @cached_property
    def templates(self) -> Mapping[str, KeyTemplate]:
        """All templated keys, by the names of their attributes."""
        of_indexes = (key for index in self.indexes for key in index.keys)
        return {key.name: key for key in (*self.table_keys, *of_indexes)}

    @cached_property
    def tag(self) -> dict[str, AttributeValue]:
        """The discriminator; empty where there is none."""
        if self.discriminator is None or self.type is None:
            return {}
        return {self.discriminator: {"S": self.type}}

    @property
    def carried(self) -> tuple[Carried, ...]:
        """Those that come with its items."""
        keys = [Carried(key.name, key.template.tag) for key in self.templates.values()]
        tags = [Carried(name, "S", (value["S"],)) for name, value in self.tag.items()]
        return (*keys, *tags)

    def key(self, item: RawItem) -> dict[str, AttributeValue]:
        """The table's key of an item, or of the attributes that it is made of.

        Raises:
            InvalidKey: it is empty or too long, or a value does not fit its format.
        """
        made = {key.name: key.of(item) for key in self.table_keys}
        plain = {member.wire: item[member.wire] for member in self.plain_keys}
        return {**{name: value for name, value in made.items() if value is not None}, **plain}

    def of(self, item: RawItem) -> dict[str, AttributeValue]:
        """All derived attributes of a whole item.

        Raises:
            InvalidKey: a key is empty or too long, or a value does not fit its format.
        """
        made = {**self.tag, **self.key(item)}
        for index in self.indexes:
            made |= index.of(item)
        return made

    def recovered(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """An item with the attributes that it lacks, but that its keys tell."""
        found: dict[str, Any] = {}
        for name, key in self.templates.items():
            if name in raw and any(member.wire not in raw for member in key.template.members):
                if key.template.tag == "B":  # the attribute as it is stored, in whichever form the item is
                    found[key.template.members[0].wire] = raw[name]
                else:
                    found |= key.template.parse(raw[name]) or {}
        return {**found, **raw} if found else raw

    def mistyped(self, raw: Mapping[str, Any]) -> str | None:
        """Why an item is not of this model, by its discriminator; ``None`` where it may be, or has none."""
        for name, value in self.tag.items():
            if raw.get(name, value) != value:
                found = raw[name].get("S", raw[name]) if isinstance(raw[name], Mapping) else raw[name]
                return f"is {found!r} by its {name}, not {self.type!r}: it is of another model"
        return None
