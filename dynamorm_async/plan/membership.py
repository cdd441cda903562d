"""Which tables and indexes hold a model's items, and of what their keys are made there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import msgspec

from dynamorm_async.codec.components import Component
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.template import Template, overlap
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.registry import models_of
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.choice import Target, targets


@final
class KeySource(msgspec.Struct, frozen=True):
    """Where a model's items get one key attribute from: an attribute of their own, or a template.

    Attributes:
        part: the key attribute.
        made_by: the attribute itself, or the template.
    """

    part: KeyPart
    made_by: Member | Template

    @property
    def parts(self) -> tuple[str | Component | Member, ...]:
        """What it is made of, in order: literals, components, or the one attribute."""
        return (self.made_by,) if isinstance(self.made_by, Member) else self.made_by.parts

    @property
    def members(self) -> tuple[Member, ...]:
        """The attributes that it is made of, in order."""
        return (self.made_by,) if isinstance(self.made_by, Member) else self.made_by.members

    @property
    def text(self) -> str:
        """As a template is written."""
        return f"{{{self.made_by.name}}}" if isinstance(self.made_by, Member) else self.made_by.text

    def meets(self, other: KeySource) -> bool:
        """Whether some item of each can have one value there. An attribute of its own may have any."""
        if isinstance(self.made_by, Member) or isinstance(other.made_by, Member):
            return True
        return overlap(self.made_by, other.made_by)


@final
class Membership(msgspec.Struct, frozen=True):
    """A table or an index that holds items of a model.

    Attributes:
        target: the table or index.
        partition: the sources of its partition key.
        sort: the sources of its sort key.
        when: what holds of the items that are in it, besides that they have what its keys are made of.
    """

    target: Target
    partition: tuple[KeySource, ...]
    sort: tuple[KeySource, ...]
    when: tuple[Condition, ...] = ()

    @property
    def index(self) -> TableIndex | None:
        """The index; ``None`` for the table itself."""
        return self.target.index

    @property
    def needs(self) -> tuple[str, ...]:
        """The attributes, by their Python names, that a query gives by equality: what the partition key is made of."""
        return tuple(dict.fromkeys(member.name for source in self.partition for member in source.members))

    @property
    def optional(self) -> tuple[Member, ...]:
        """The attributes without which an item is not in it."""
        members = (member for source in (*self.partition, *self.sort) for member in source.members)
        return tuple({member.name: member for member in members if member.shape.nullable}.values())


def memberships(spec: ModelSpec[Any]) -> list[Membership]:
    """The table, then each index that can hold items of the model: local ones first."""
    found: list[Membership] = []
    for target in targets(spec):
        partition, sort = _sources(spec, target.partition), _sources(spec, target.sort)
        if partition is not None and sort is not None:
            made = {source.part.name for source in (*partition, *sort)}
            found.append(Membership(target, partition, sort, tuple(_conditions(spec, target.index, made))))
    return found


def specs_of(given: Sequence[type | Table], *, where: str) -> list[ModelSpec[Any]]:
    """The records of models, and of all models of tables, each once.

    Args:
        given: model classes and tables.
        where: the call, for errors.

    Raises:
        UsageError: there are none, or a class is not a model.
    """
    found: dict[type, ModelSpec[Any]] = {}
    for one in given:
        specs: list[ModelSpec[Any]] = models_of(one) if isinstance(one, Table) else [spec_of(one)]
        if not specs:
            raise UsageError(
                f"{where}: no model of {one!r} has been declared yet: import the modules that declare them before"
            )
        found |= {spec.cls: spec for spec in specs}
    if not found:
        raise UsageError(f"{where} without models: pass model classes, or a Table for all models that live in it")
    return list(found.values())


def _sources(spec: ModelSpec[Any], parts: Sequence[KeyPart]) -> tuple[KeySource, ...] | None:
    """The sources of some key attributes; ``None`` where the model's items lack one."""
    own = {member.wire: member for member in spec.attributes.values()}
    found: list[KeySource] = []
    for part in parts:
        key = spec.key_templates.get(part.name)
        made_by = own.get(part.name) if key is None else key.template
        if made_by is None:
            return None
        found.append(KeySource(part, made_by))
    return tuple(found)


def _conditions(spec: ModelSpec[Any], index: TableIndex | None, made: set[str]) -> Iterator[Condition]:
    """The conditions under which the model's items get these key attributes."""
    if index is None or spec.derived is None:
        return
    for templates in spec.derived.indexes:
        if templates.when is not None and any(key.name in made for key in templates.keys):
            yield templates.when
