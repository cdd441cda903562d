"""``unique()``: attributes whose value no two items of a model share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, final

import attrs
import msgspec

from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.errors import InvalidKey, ModelError
from dynamorm_async.types import AttributeValue

MARKER_KEY = "value"
"""The partition key of a table of markers: which value of which constraint is taken."""

OWNER = "owner"
"""The attribute of a marker that holds the key of the item that has the value."""

_MAX_BYTES = 2048  # of a partition key


@final
class Unique:
    """A constraint declared on a model by :func:`unique`.

    Attributes:
        name: its name.
        attributes: the Python names of its attributes.
    """

    __slots__ = ("attributes", "name")

    def __init__(self, attributes: tuple[str, ...], name: str | None) -> None:
        self.attributes = attributes
        self.name = name or ""

    def __set_name__(self, owner: type, name: str) -> None:
        if not self.name:
            self.name = f"{owner.__name__}.{name}"

    def __repr__(self) -> str:
        return f"<Unique {self.name} ({', '.join(self.attributes)})>"


def unique(*attributes: str, name: str | None = None) -> Unique:
    """Declare that no two items of the model have the same value of an attribute, or of several together.

    ``one_email = unique("email")``. Every value that is taken has a marker item in a table of its own, named as the
    model's with ``-unique`` behind, which ``tables.ensure(Model)`` makes as well. Writes that touch the attributes are
    transactions over the item and its markers. An item without one of the attributes takes no value.

    Args:
        attributes: Python names of attributes that hold text, a number or bytes.
        name: what the markers call the constraint; by default the class's name and the name that it is assigned to.
            Keep it when either is renamed.

    Raises:
        ModelError: no attributes, or one twice.
    """
    if not attributes or len(set(attributes)) != len(attributes):
        raise ModelError('unique() takes the names of one or more different attributes: unique("email")')
    return Unique(attributes, name)


@final
@attrs.frozen
class UniqueConstraint:
    """A constraint of a model.

    Attributes:
        name: what its markers call it.
        members: its attributes.
    """

    name: str
    members: tuple[Member, ...]

    def marker(self, values: Mapping[str, AttributeValue | None]) -> str | None:
        """The key of the marker of an item's values; ``None`` where the item takes none.

        Args:
            values: the AttributeValues of an item, or at least those of this constraint's attributes.

        Raises:
            InvalidKey: the values are too long.
        """
        found = [values.get(member.wire) for member in self.members]
        if any(value is None or "NULL" in value for value in found):
            return None
        text = f"{self.name}#{msgspec.json.encode([_canonical(value) for value in found if value]).decode()}"
        if len(text.encode()) > _MAX_BYTES:
            names = " and ".join(member.name for member in self.members)
            raise InvalidKey(
                f"the value of {names} is too long to be kept unique: with the name of the constraint it has "
                f"{len(text.encode())} bytes, and a partition key has at most {_MAX_BYTES}"
            )
        return text


def constraints(layout: Layout, declared: Iterable[Unique]) -> tuple[UniqueConstraint, ...]:
    """The constraints of a model, checked against its attributes.

    Raises:
        ModelError: there is no such attribute, its type cannot be unique, or two constraints have one name.
    """
    found: dict[str, UniqueConstraint] = {}
    for one in declared:
        if one.name in found:
            raise ModelError(f"{layout.cls.__name__} has two constraints named {one.name!r}: give one another name=...")
        members = tuple(_unique_member(layout, name) for name in one.attributes)
        found[one.name] = UniqueConstraint(one.name, members)
    return tuple(found.values())


def _unique_member(layout: Layout, name: str) -> Member:
    cls, member = layout.cls.__name__, layout.member(name)
    if member is None:
        known = ", ".join(member.name for member in layout.members)
        raise ModelError(f"{cls}: unique({name!r}) names no attribute of {cls}; it has {known}")
    if member.shape.tag not in ("S", "N", "B"):
        raise ModelError(f"{cls}.{name} is to be unique, but only text, numbers and bytes can be")
    return member


def _canonical(value: AttributeValue) -> Any:  # JSON
    """The same for the same value: a number can be written in several ways."""
    tag, content = next(iter(value.items()))
    return {tag: str(Decimal(content).normalize()) if tag == "N" else content}
