"""What the codec has to know of attributes that are not the class's own, but made from them: templated keys and the type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from dynamorm_async.types import AttributeValue


class Carried(msgspec.Struct, frozen=True):
    """An attribute that is read beside the class's own.

    Attributes:
        name: its name in DynamoDB.
        tag: its type tag.
        values: what it can be, where only some values fit; empty where all do.
        required: whether an item without it goes to the general path.
    """

    name: str
    tag: str
    values: tuple[str, ...] = ()
    required: bool = False


class DerivedAttributes(Protocol):
    """The derived attributes of one model."""

    @property
    def carried(self) -> tuple[Carried, ...]:
        """Those that come with its items."""
        ...

    def key(self, item: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
        """The table's key of an item, from the attributes that it is made of.

        Raises:
            InvalidKey: it is empty or too long.
        """
        ...

    def recovered(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """An item with the attributes that it lacks, but that its keys tell.

        Args:
            raw: an item, or a key, as AttributeValues; keys that are bytes are left alone.
        """
        ...

    def mistyped(self, raw: Mapping[str, Any]) -> str | None:
        """Why an item is not of this model, by its discriminator; ``None`` where it may be."""
        ...
