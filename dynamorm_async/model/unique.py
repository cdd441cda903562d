"""``unique()``: attributes whose value no two items of a model share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, final

import attrs
import msgspec

from dynamorm_async.codec.identity import number_identity
from dynamorm_async.codec.layout import Layout, Member, options_of
from dynamorm_async.errors import InvalidKey, ModelError
from dynamorm_async.model.table import check_name
from dynamorm_async.types import AttributeValue

MARKER_KEY = "value"
"""The partition key of a table of markers: which value of which constraint is taken."""

OWNER = "owner"
"""The attribute of a marker that holds the key of the item that has the value."""

_MAX_BYTES = 2048  # of a partition key
_KEPT = ("version", "created_at", "updated_at")


@final
class Unique:
    """A constraint declared on a model by :func:`unique`.

    Attributes:
        attributes: the Python names of its attributes.
        name: what its markers call it; ``None`` for the model's name and the one that it is assigned to.
        assigned: the name that it is assigned to.
    """

    __slots__ = ("assigned", "attributes", "name")

    def __init__(self, attributes: tuple[str, ...], name: str | None) -> None:
        self.attributes = attributes
        self.name = name
        self.assigned = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.assigned = name

    def __repr__(self) -> str:
        return f"unique({', '.join(map(repr, self.attributes))})"


def unique(*attributes: str, name: str | None = None) -> Unique:
    """Declare that no two items of the model have the same value of an attribute, or of several together.

    ``one_email = unique("email")``. Every value that is taken has a marker item in a table of its own, named as the
    model's with ``-unique`` behind, which ``tables.ensure(Model)`` makes as well. Writes that touch the attributes are
    transactions over the item and its markers. An item without one of the attributes takes no value.

    A write that touches the attributes costs one TransactWriteItems, at twice the capacity, for the item and for each
    marker; ``update`` and ``delete`` also a consistent GetItem before, and ``update`` one after where it returns the item.

    Only writes of this library keep the markers: an item that DynamoDB deletes by its time to live, or that something
    else writes, leaves its values taken, or takes none.

    Args:
        attributes: Python names of attributes that hold text, a number or bytes.
        name: what the markers call the constraint; by default the model's name and the name that it is assigned to. Keep
            it when either is renamed. Models of one table whose classes have one name need one each; constraints of one
            name share their values.

    Raises:
        ModelError: no attributes, or one twice, or an empty name.
    """
    if not attributes or len(set(attributes)) != len(attributes):
        raise ModelError('unique() takes the names of one or more different attributes: unique("email")')
    if name == "":
        raise ModelError("unique(name='') has no name: leave it out, or give one")
    return Unique(attributes, name)


@final
class UniqueConstraint(msgspec.Struct, frozen=True):
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


def marker_table_name(table: str) -> str:
    """The name of the table that holds the markers of a table's items."""
    return f"{table}-unique"


def constraints(
    layout: Layout, declared: Iterable[Unique], table: str, *, named_after: str
) -> tuple[UniqueConstraint, ...]:
    """The constraints of a model, checked against its attributes.

    Args:
        layout: the model's attributes.
        declared: what the class declares.
        table: the name of the model's table.
        named_after: the class whose name is in those of constraints without one: of a variant, the model that it is a
            variant of.

    Raises:
        ModelError: there is no such attribute, it cannot be unique, two constraints have one name, or the name of the
            markers' table would be too long.
    """
    cls, found = layout.cls.__name__, dict[str, UniqueConstraint]()
    for one in declared:
        name = one.name or f"{named_after}.{one.assigned}"
        if name in found:
            raise ModelError(f"{cls} has two constraints named {name!r}: give one another name=...")
        found[name] = UniqueConstraint(name, tuple(_unique_member(layout, member) for member in one.attributes))
    if found:
        check_name(marker_table_name(table), f"the table of the unique values of {cls}")
    return tuple(found.values())


def _unique_member(layout: Layout, name: str) -> Member:
    cls, member = layout.cls.__name__, layout.member(name)
    if member is None:
        known = ", ".join(member.name for member in layout.members)
        raise ModelError(f"{cls}: unique({name!r}) names no attribute of {cls}; it has {known}")
    if member.storage == "encrypted":
        raise ModelError(
            f"{cls}.{name} is to be unique, so it cannot be encrypted(): equal values have different ciphertexts"
        )
    if member.shape.tag not in ("S", "N", "B"):
        raise ModelError(f"{cls}.{name} is to be unique, but only text, numbers and bytes can be")
    if member.storage in ("json", "compressed"):
        raise ModelError(
            f"{cls}.{name} is to be unique, but what is stored as JSON or compressed has more than one form"
        )
    role = next(options_of(field).role for field in attrs.fields(layout.cls) if field.name == name)
    if role in _KEPT:
        raise ModelError(f"{cls}.{name} is to be unique, but it is {role}(), which every write moves")
    return member


def _canonical(value: AttributeValue) -> Any:  # JSON
    """The same for the same value: a number can be written in several ways."""
    tag, content = next(iter(value.items()))
    return {tag: number_identity(content) if tag == "N" else content}
