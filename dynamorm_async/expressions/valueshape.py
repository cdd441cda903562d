"""What an expression must know of an attribute's type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dynamorm_async.expressions.placeholders import Segment
from dynamorm_async.types import AttributeValue


class ValueShape(Protocol):
    """How the values of an attribute are stored: the codec's shapes say so."""

    tag: str
    """The type tag that values are stored under; empty where only the value tells."""

    @property
    def hidden(self) -> bool:
        """Whether values are kept out of reprs and errors."""
        ...

    @property
    def encrypted(self) -> bool:
        """Whether DynamoDB sees ciphertexts of its values only."""
        ...

    def shown(self, value: AttributeValue, /) -> AttributeValue:
        """A value beside those of this attribute, which is not shown where they are secret."""
        ...

    def encode(self, value: object) -> AttributeValue:
        """Value to AttributeValue; raises ``InvalidValue``."""
        ...

    def decode(self, value: Mapping[str, Any], /) -> Any:
        """AttributeValue (JSON form) to value."""
        ...

    @property
    def element(self) -> ValueShape | None:
        """The shape of a list's, set's or map's elements."""
        ...

    @property
    def is_set(self) -> bool:
        """Whether it is a set."""
        ...

    @property
    def instance_of(self) -> type | None:
        """The class of a nested object."""
        ...

    def may_have(self, cls: type, /) -> bool:
        """Whether a value may have the attributes that were declared on a class: a nested object's, or of a subclass of it."""
        ...

    def child(self, segment: Segment, /) -> tuple[Segment, ValueShape] | None:
        """The stored name and the shape of what is at an index or name; ``None`` where there is no such thing."""
        ...
