"""What is known of a model, as a frozen record."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, final

import msgspec

from dynamorm_async.codec.identity import Identities
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.partial import PARTIAL
from dynamorm_async.errors import UsageError
from dynamorm_async.model.derived import Derived, KeyTemplate
from dynamorm_async.model.table import Table
from dynamorm_async.model.templating import GivenKey
from dynamorm_async.model.unique import MARKER_KEY, UniqueConstraint, marker_table_name
from dynamorm_async.model.upcast import Schema
from dynamorm_async.types import Sealed

if TYPE_CHECKING:
    from dynamorm_async.codec.variant_reader import VariantReader

M = TypeVar("M")

SPEC = "__dynamorm_spec__"
"""The class attribute that holds a model's :class:`ModelSpec`."""

_NO_TEMPLATES: Final[Mapping[str, KeyTemplate]] = MappingProxyType({})


@final
class ModelSpec(msgspec.Struct, Generic[M], frozen=True, eq=False, dict=True):
    """A model: its class, table, attributes and codec.

    Attributes:
        cls: the class.
        table: the table that its items live in.
        attributes: its stored attributes by Python name, in order.
        key: the members that are the table's key, or that it is made of, in order: those of the partition key first.
        version: the member that counts versions, if any.
        created_at: the member that says when the item was first written, if any.
        updated_at: the member that says when it was last written, if any.
        ttl: the member that says when it may be deleted, if any.
        deleted_at: the member that says when it was soft-deleted, if any.
        hide_expired: whether reads leave out items whose ``ttl`` has passed.
        codec: encodes and decodes its items.
        unique: its constraints of unique values.
        derived: its attributes that are made from others: templated keys, the discriminator; ``None`` without any.
        given_keys: the templates that it was declared with, those of its base included.
        variants: its subclasses whose items live with its own, by type.
        schema: the version of its items, and how older ones are read; ``None`` where they have none.
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
    deleted_at: Member | None = None
    hide_expired: bool = False
    derived: Derived | None = None
    given_keys: Mapping[str, GivenKey] = MappingProxyType({})
    variants: dict[str, ModelSpec[Any]] = msgspec.field(default_factory=dict[str, Any])
    schema: Schema | None = None
    # What is worked out of all this once, by whoever needs it again for each request.
    worked_out: dict[Any, Any] = msgspec.field(default_factory=dict[Any, Any])

    @cached_property
    def hides(self) -> bool:
        """Whether reads leave out any items at all."""
        return self.hide_expired or self.deleted_at is not None

    @property
    def name(self) -> str:
        """The class's name."""
        return self.cls.__name__

    @property
    def type(self) -> str | None:
        """What the table's discriminator says of its items; ``None`` where it says nothing."""
        return None if self.derived is None or self.derived.discriminator is None else self.derived.type

    @property
    def reader(self) -> ItemCodec[M] | VariantReader[M]:
        """What reads its items: its codec; where it has variants, each item as its own class."""
        return self._variant_reader if self.variants else self.codec

    @cached_property
    def _variant_reader(self) -> VariantReader[M]:
        from dynamorm_async.codec.variant_reader import VariantReader  # noqa: PLC0415 - loaded when first used

        assert self.table.discriminator is not None, "variants are told by it"  # noqa: S101 - base_of refuses all others
        return VariantReader(self.codec, self.table.discriminator, self.variants)

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """The names of the attributes of the table's key."""
        return tuple(part.name for part in self.table.key_parts())

    @property
    def key_templates(self) -> Mapping[str, KeyTemplate]:
        """What makes its templated key attributes, those of indexes too, by the names of these."""
        return _NO_TEMPLATES if self.derived is None else self.derived.templates

    @property
    def marker_table(self) -> Table | None:
        """The table of the markers of its unique values; ``None`` where it has no constraints."""
        if not self.unique:
            return None
        settings = None if self.table.settings is None else self.table.settings.of_markers()
        return Table(marker_table_name(self.table.name), partition_key=MARKER_KEY, settings=settings)

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """The Python name of each attribute, by its name in DynamoDB."""
        return {member.wire: member.name for member in self.attributes.values()}

    @cached_property
    def encrypted(self) -> frozenset[str]:
        """The names in DynamoDB of its encrypted attributes."""
        return frozenset(member.wire for member in self.attributes.values() if member.storage == "encrypted")

    @cached_property
    def secret_key(self) -> bool:
        """Whether its key, or what that is made of, is not shown."""
        return any(member.shape.hidden for member in self.key)

    def sealed(self, table: str) -> tuple[Sealed, ...]:
        """What is encrypted of the items of its table, which is called so with its prefix."""
        return self.table.sealed(table)

    @cached_property
    def identities(self) -> Identities:
        """Which item a key of its table means."""
        return Identities(self.key_names)


def spec_of(model: type[M]) -> ModelSpec[M]:
    """The record of a model class.

    Raises:
        UsageError: the class is not a model.
    """
    # Looked up in the class's own namespace: a plain subclass of a model is no model.
    spec = getattr(model, "__dict__", {}).get(SPEC)
    if spec is None:
        kind = type(cast("object", model))  # callers without a checker pass anything
        if SPEC in vars(kind):  # its values need not be shown
            raise UsageError(f"expected a model, got an instance of {kind.__name__}: pass the class itself")
        raise UsageError(f"{model!r} is not a model: decorate its class with @model(table=...)")
    return cast("ModelSpec[M]", spec)


def spec_of_instance(instance: object, *, wanted: str = "an instance of a model") -> ModelSpec[Any]:
    """The record of an instance's model.

    Args:
        instance: the instance.
        wanted: what was expected, for the error.

    Raises:
        UsageError: it is no instance of a model.
    """
    if isinstance(instance, type):
        raise UsageError(f"expected {wanted}, got the class {instance.__name__}")
    if hasattr(instance, PARTIAL):
        raise UsageError(
            f"this {type(instance).__name__} was read through an index that does not hold all its attributes, so it cannot be "
            "written: read it with get() or hydrate(), or change it with update()"
        )
    try:
        return spec_of(type(instance))
    except UsageError as error:
        raise UsageError(f"expected {wanted}, got {reprlib.repr(instance)}: {error}") from None
