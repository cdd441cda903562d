"""What the codec knows of a class: its stored attributes, in order, and how an instance is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs
import msgspec

if TYPE_CHECKING:
    from dynamorm_async.codec.shapes import Shape

METADATA_KEY = "dynamorm_async"
"""Where an attrs field keeps its :class:`AttributeOptions`."""

STORED = "_dynamorm_stored"
"""The entry of a model instance's ``__dict__`` that holds what is known to be in the table."""

Storage = Literal["native", "json", "compressed", "epoch", "encrypted"]


class AttributeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What ``attr()`` and its siblings say about an attribute, besides its type and default.

    Attributes:
        role: ``attribute``, ``partition_key``, ``sort_key``, ``version``, ``created_at``, ``updated_at``, ``deleted_at``
            or ``ttl``.
        name: the attribute's name in DynamoDB; ``None`` is the Python name.
        storage: how the value is stored: as its own type, as JSON text, compressed, as epoch seconds, or encrypted.
        secret: whether the value is kept out of reprs, errors and logs.
    """

    role: str = "attribute"
    name: str | None = None
    storage: Storage = "native"
    secret: bool = False


class Member(msgspec.Struct, frozen=True):
    """One stored attribute.

    Attributes:
        name: its Python name.
        wire: its name in DynamoDB.
        shape: how its type is stored.
        default: ``attrs.NOTHING``, a constant, or an ``attrs.Factory``.
        argument: its name as a constructor argument.
        storage: how the value is stored.
        key_limit: the most bytes it may have as a key of the table or of an index; 0 where it is none.
        key_of: what it is a key of, or the vector of, for errors.
        in_key: whether the table's key is made of it, so that every item has it.
        dimensions: how many elements the list has, as a vector index wants it; 0 where it is none's.
    """

    name: str
    wire: str
    shape: Shape
    default: Any  # a default is of the attribute's own type
    argument: str
    storage: Storage = "native"
    key_limit: int = 0
    key_of: str = ""
    in_key: bool = False
    dimensions: int = 0

    @property
    def required(self) -> bool:
        """Whether an item without it does not fit the model."""
        return self.in_key or (self.default is attrs.NOTHING and not self.shape.nullable)

    @property
    def omits_null(self) -> bool:
        """Whether ``None`` (or an empty set) is written as no attribute at all.

        Only where an absent attribute reads back as just that; otherwise it is written as NULL, so that
        every value survives.
        """
        if self.default is attrs.NOTHING:
            return True
        if isinstance(self.default, attrs.Factory):  # type: ignore[arg-type]  # the stubs type Factory as a function
            return self.default.factory in (set, frozenset)
        return self.default is None or self.default == frozenset()


class Layout(msgspec.Struct, frozen=True, eq=False):
    """A class whose instances are stored as an item or as a map.

    Attributes:
        cls: the class.
        members: its stored attributes, in order of declaration.
        constructed: whether instances are made by calling the class (plain attrs classes: their converters and
            validators run) rather than by setting their attributes (models and embedded classes: fast).
        unstored: attrs fields that are not stored (``init=False``), with their defaults.
    """

    cls: type
    members: tuple[Member, ...]
    constructed: bool
    unstored: tuple[tuple[str, Any], ...] = ()

    def member(self, name: str) -> Member | None:
        """The member of a Python name."""
        return next((member for member in self.members if member.name == name), None)


def options_of(field: Any) -> AttributeOptions:  # attrs.Attribute is generic in the field's own type
    """The options of an attrs field; those of a plain attribute where it has none."""
    options = field.metadata.get(METADATA_KEY)
    return options if isinstance(options, AttributeOptions) else AttributeOptions()
