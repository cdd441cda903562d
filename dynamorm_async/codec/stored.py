"""What is known of an item in the table: as its instance has it, and as the table has it."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, cast, final

import attrs
import msgspec

from dynamorm_async.codec.families import TAG
from dynamorm_async.codec.layout import STORED, Layout, Member
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.shapes import Shape
from dynamorm_async.types import AttributeValue, RawItem


@final
class Older(msgspec.Struct, frozen=True):
    """What an instance was made from, where that is of an older schema than its model's.

    Attributes:
        version: its schema version.
        item: the whole item as the table has it.
        upcast: what the upcasters made of it: the model's own attributes, and those that the model does not know.
    """

    version: int
    item: RawItem
    upcast: RawItem


@final
class Stored(msgspec.Struct, frozen=True, gc=False):  # of no cycle: AttributeValues refer to nothing else
    """What an instance was read from, or written as.

    Attributes:
        seen: the item as the instance has it: an attribute that the table lacks has its default.
        held: the same item as the table has it: without what the table lacks, inside of maps as well. Only the
            model's own attributes, in both.
        carried: the derived attributes that the table has of it, as they were found: templated keys, the discriminator.
        older: the item of an older schema that the table has in truth; ``None`` where it has the present one.
    """

    seen: RawItem
    held: RawItem
    carried: RawItem = {}
    older: Older | None = None

    @property
    def before(self) -> RawItem:
        """What conditions on the values in the table compare with."""
        return self.seen if self.older is None else self.older.item


def stored_as(item: RawItem, held: RawItem, derived: Collection[str]) -> Stored:
    """What is known of an item after a write.

    Args:
        item: the item as its instance has it, and its derived attributes.
        held: the same as the table has it.
        derived: the names of the derived attributes.
    """
    if not derived:
        return Stored(item, held)
    seen, own = ({name: value for name, value in each.items() if name not in derived} for each in (item, held))
    return Stored(seen, own, {name: item[name] for name in derived if name in item})


def was_upcast(read: object) -> bool:
    """Whether something is an instance that was read from an item of an older schema, and not written since."""
    stored = getattr(read, STORED, None)
    return type(stored) is Stored and stored.older is not None


class Nested:
    """What is known of the inside of a map from its type.

    Args:
        shape: of an attribute, or of what is in one.
        around: the layouts of the classes that it is inside of, for one that contains itself.
        layout: that of the class of a family that it is.
    """

    def __init__(self, shape: Shape, around: Mapping[type, Layout], layout: Layout | None = None) -> None:
        self._shape = shape
        self._layout = layout or shape.layout or (None if shape.recursive is None else around.get(shape.recursive))
        self._around = around if self._layout is None else {**around, self._layout.cls: self._layout}

    def of(self, *contents: Mapping[str, Any]) -> Nested | None:
        """What is known of the inside of maps whose entries stand for themselves: one can be changed without the others.

        That is so for classes, dicts and ``Any``. A union's value, and what a user's hook makes of one, is a whole; so are
        two maps of different classes of a family.

        Args:
            contents: the maps, one state each, of AttributeValues.

        Returns:
            ``None`` where they are wholes.
        """
        variants = self._shape.variants
        if variants is None:
            return self if self._layout is not None or self._element is not None else None
        try:
            layouts = [variants.layout_in(content) for content in contents]
        except Misfit:
            return None
        same = layouts[0] is not None and all(layout is layouts[0] for layout in layouts)
        return Nested(self._shape, self._around, layouts[0]) if same else None

    @cached_property
    def members(self) -> Mapping[str, Member] | None:
        """The attributes of a class by their stored names, a family's tag among them; ``None`` for any other map."""
        if self._layout is None:
            return None
        members = {member.wire: member for member in self._layout.members}
        variants = self._shape.variants
        return members if variants is None else {**members, TAG: Member(TAG, TAG, variants.text, attrs.NOTHING, TAG)}

    def entry(self, name: str) -> Nested | None:
        """What is under a stored name; ``None`` where the class has no such attribute."""
        if self.members is None:
            return self._element
        member = self.members.get(name)
        return None if member is None else Nested(member.shape, self._around)

    @cached_property
    def _element(self) -> Nested | None:
        if self._shape.type is Any:
            return self
        if self._shape.tag == "M" and self._shape.item is not None:
            return Nested(self._shape.item, self._around)
        return None


def in_layout(member: Member, layout: Layout) -> Nested:
    """What is inside a model's attribute."""
    return Nested(member.shape, {layout.cls: layout})


def held_of(layout: Layout, source: object, seen: RawItem) -> dict[str, AttributeValue]:
    """The part of an item that the table has.

    Args:
        layout: the model's attributes.
        source: what the instance was read from: a struct of the compiled path, or a raw item.
        seen: the item as the instance has it.
    """
    found = ((member, attribute(source, member)) for member in layout.members if member.wire in seen)
    return {
        member.wire: _held(in_layout(member, layout), there, seen[member.wire])
        for member, there in found
        if there is not None
    }


def _held(
    nested: Nested, source: Any, seen: AttributeValue
) -> AttributeValue:  # a wrapper struct, or an AttributeValue
    content = seen.get("M")
    within = None if content is None else nested.of(content)
    there = None if within is None else map_in(source)
    if content is None or within is None or there is None:
        return seen
    held: dict[str, AttributeValue] = {}
    for name, value in content.items():
        entry = within.entry(name)
        inside = None if entry is None else _entry(there, name, within.members)
        if entry is not None and inside is not None:
            held[name] = _held(entry, inside, value)
    return {"M": held}


def _entry(source: Any, name: str, members: Mapping[str, Member] | None) -> Any:  # as _held takes it
    return source.get(name) if members is None else attribute(source, members[name])


def attribute(source: Any, member: Member) -> Any:  # a struct or a mapping; a wrapper struct or an AttributeValue
    """An attribute of a decoded map; ``None`` where it is not there."""
    if not isinstance(source, msgspec.Struct):
        return source.get(member.wire)
    value = getattr(source, member.name)
    return None if value is msgspec.UNSET else value


def map_in(source: Any) -> Any:  # a wrapper struct or an AttributeValue; a struct or a mapping
    """The map in a decoded AttributeValue; ``None`` where it holds none."""
    content = source.get("M") if isinstance(source, Mapping) else getattr(source, "M", None)
    return None if content is msgspec.UNSET else content


def entries_of(source: Any) -> Iterable[Any]:  # a wrapper struct or an AttributeValue
    """The elements of the list, or the values of the map, in a decoded AttributeValue of a list or a dict."""
    content = map_in(source)
    if content is not None:
        return cast("Iterable[Any]", content.values())
    elements = source.get("L") if isinstance(source, Mapping) else getattr(source, "L", None)
    return [] if elements is None or elements is msgspec.UNSET else cast("Iterable[Any]", elements)
