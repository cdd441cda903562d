"""What is known of a model, as a frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar, cast, final

import attrs

from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.partial import PARTIAL
from dynamorm_async.errors import UsageError
from dynamorm_async.model.table import Table
from dynamorm_async.model.unique import MARKER_KEY, UniqueConstraint

M = TypeVar("M")

SPEC = "__dynamorm_spec__"
"""The class attribute that holds a model's :class:`ModelSpec`."""


@final
@attrs.frozen(eq=False)
class ModelSpec(Generic[M]):
    """A model: its class, table, attributes and codec.

    Attributes:
        cls: the class.
        table: the table that its items live in.
        attributes: its stored attributes by Python name, in order.
        key: the members that are the table's key: partition key, and sort key where there is one.
        version: the member that counts versions, if any.
        created_at: the member that says when the item was first written, if any.
        updated_at: the member that says when it was last written, if any.
        ttl: the member that says when it may be deleted, if any.
        codec: encodes and decodes its items.
        unique: its constraints of unique values.
    """

    cls: type[M]
    table: Table
    attributes: Mapping[str, Member]
    key: tuple[Member, ...]
    codec: ItemCodec[M]
    version: Member | None = None
    created_at: Member | None = None
    updated_at: Member | None = None
    ttl: Member | None = None
    unique: tuple[UniqueConstraint, ...] = ()

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.__name__

    @property
    def marker_table(self) -> Table | None:
        """The table of the markers of its unique values; ``None`` where it has no constraints."""
        return Table(f"{self.table.name}-unique", partition_key=MARKER_KEY) if self.unique else None

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """The Python name of each attribute, by its name in DynamoDB."""
        return {member.wire: member.name for member in self.attributes.values()}


def spec_of(model: type[M]) -> ModelSpec[M]:
    """The record of a model class.

    Raises:
        UsageError: the class is not a model.
    """
    # Looked up in the class's own namespace: a plain subclass of a model is no model.
    spec = getattr(model, "__dict__", {}).get(SPEC)
    if spec is None:
        raise UsageError(f"{model!r} is not a model: decorate its class with @model(table=...)")
    return cast("ModelSpec[M]", spec)


def spec_of_instance(instance: object) -> ModelSpec[Any]:
    """The record of an instance's model.

    Raises:
        UsageError: it is no instance of a model.
    """
    if isinstance(instance, type):
        raise UsageError(f"expected an instance of a model, got the class {instance.__name__}")
    if hasattr(instance, PARTIAL):
        raise UsageError(
            f"this {type(instance).__name__} was read through an index that does not hold all its attributes, so it cannot be "
            "written: read it with get() or hydrate(), or change it with update()"
        )
    return spec_of(type(instance))
