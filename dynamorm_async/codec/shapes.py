"""A shape is how one Python type is stored: its type tag, and source code that goes there and back.

Every shape answers the same three questions, as source text for the compiled codec: what msgspec type the
content has (``wire``), how content is made from a value (``dump``), and a value from content (``lift``).
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from dynamorm_async.codec.depth import MAX_CONTAINERS, check_depth
from dynamorm_async.codec.hidden import MISREAD, hidden, misfit_text
from dynamorm_async.codec.layout import Layout
from dynamorm_async.codec.misfit import Misfit, expected
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.scalars import wrong_type
from dynamorm_async.errors import InvalidValue, Problem
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.codec.variants import Variants

Emit = Callable[[str, Names], str]

NULL: AttributeValue = {"NULL": True}


class Shape(msgspec.Struct, eq=False, dict=True):
    """How one Python type is stored.

    Attributes:
        type: the Python type.
        tag: the type tag (``S``, ``N``, ``L`` …); empty where only the value tells, and then the "content" is
            the whole AttributeValue.
        wire: makes the msgspec type of the content. A function: a nested class's is compiled when needed.
        dump: from the name of a variable, the source that makes the content.
        lift: from the source of the content, the source that makes the value.
        optional: whether ``None`` is a value, stored as NULL.
        is_set: whether it is a set: an empty one is stored as NULL.
        item: the shape of an element of a list, a set, or a map's values.
        layout: the attributes of a nested class.
        sequence: what a list's elements are put in, ``list`` or ``tuple``.
        recursive: the class, where it is inside itself and so has no layout here.
        variants: the classes of a family, where the value tells which of them it is.
        hidden: whether values are kept out of reprs and errors.
    """

    type: Any  # any type annotation
    tag: str
    wire: Callable[[], Any]
    dump: Emit
    lift: Emit
    optional: bool = False
    is_set: bool = False
    item: Shape | None = None
    layout: Layout | None = None
    sequence: type[list[Any] | tuple[Any, ...]] = list
    recursive: type | None = None
    variants: Variants | None = None
    hidden: bool = False

    @property
    def encrypted(self) -> bool:
        """Whether DynamoDB sees ciphertexts of its values only."""
        return False

    @property
    def nullable(self) -> bool:
        """Whether NULL may stand in its place."""
        return self.optional or self.is_set

    @property
    def element(self) -> Shape | None:
        """The shape of a list's, set's or map's elements."""
        return self.item if self.item is None or not self.hidden else msgspec.structs.replace(self.item, hidden=True)

    @property
    def instance_of(self) -> type | None:
        """The class of a nested object."""
        if self.variants is not None:
            return self.variants.cls
        return self.layout.cls if self.layout else self.recursive

    def may_have(self, cls: type) -> bool:
        """Whether a value may have the attributes that were declared on a class."""
        nested = self.instance_of
        if nested is None:
            return False
        return issubclass(nested, cls) or (self.variants is not None and self.variants.holds(cls))

    def child(self, segment: str | int) -> tuple[str | int, Shape] | None:
        """The stored name and the shape of what is at an index or name; ``None`` where there is no such thing."""
        found = self._child(segment)
        return found if found is None or not self.hidden else (found[0], msgspec.structs.replace(found[1], hidden=True))

    def _child(self, segment: str | int) -> tuple[str | int, Shape] | None:
        if not self.tag:
            return segment, ANYTHING
        if self.variants is not None:
            return self.variants.child(segment) if isinstance(segment, str) else None
        if self.layout is not None and isinstance(segment, str):
            member = self.layout.member(segment)
            return (member.wire, member.shape) if member else None
        if self.item is not None and self.tag == ("L" if isinstance(segment, int) else "M"):
            return segment, self.item
        return None

    def empty(self) -> Any:  # a set or frozenset
        """The empty set of this shape."""
        return frozenset() if _is_frozen(self) else set()

    def encode(self, value: object) -> AttributeValue:
        """Value to AttributeValue.

        Raises:
            InvalidValue: the value is of another type, cannot be stored, or nests too deep.
        """
        try:
            encoded = self._encode(value)
        except InvalidValue:
            if not self.hidden:
                raise
            raise InvalidValue(misfit_text(value)) from None
        if self.may_nest_deep:
            check_depth(encoded)
        return encoded

    def shown(self, value: AttributeValue) -> AttributeValue:
        """A value beside those of this shape, which is not shown where they are not."""
        return hidden(value) if self.hidden else value

    @cached_property
    def containers(self) -> int | None:
        """How many lists and maps its values have around each other at most; ``None`` where the type does not say."""
        if self.layout is not None:
            inside = [member.shape.containers for member in self.layout.members]
        elif self.tag in ("L", "M"):
            inside = [None if self.item is None else self.item.containers]
        else:
            return 0 if self.tag else None
        known = [count for count in inside if count is not None]
        return 1 + max(known, default=0) if len(known) == len(inside) else None

    @cached_property
    def may_nest_deep(self) -> bool:
        """Whether a value must be looked at to know that it does not nest deeper than DynamoDB takes.

        What has no tag is made by ``to_attribute_value``, which looks itself.
        """
        return bool(self.tag) and (self.containers is None or self.containers > MAX_CONTAINERS)

    @cached_property
    def _encode(self) -> Callable[[Any], AttributeValue]:
        names = Names()
        return names.function("encode", f"def encode(v):\n    return {attribute_dump(self, 'v', names)}\n")

    def decode(self, value: Mapping[str, Any]) -> Any:  # of the shape's type
        """AttributeValue (JSON form) to value, by the compiled path.

        Raises:
            msgspec.ValidationError, ValueError: it does not fit.
        """
        if not self.hidden:
            return self._decode(value)
        try:
            return self._decode(value)
        except Exception:  # noqa: BLE001 - hooks raise what they like, and may quote the value
            raise Misfit([Problem("", MISREAD)]) from None

    @cached_property
    def _decode(self) -> Callable[[Mapping[str, Any]], Any]:
        names = Names()
        lift = names.function("lift", f"def lift(w):\n    return {attribute_lift(self, 'w', names)}\n")
        wire = attribute_wire(self)
        return lambda value: lift(msgspec.convert(value, wire, strict=False))


def attribute_dump(shape: Shape, name: str, names: Names) -> str:
    """The source of a whole AttributeValue, from the name of a variable."""
    value = _dumped(shape, name, names)
    return f"{names.bind(hidden, 'hidden')}({value})" if shape.hidden else value


def _dumped(shape: Shape, name: str, names: Names) -> str:
    if not shape.tag:
        return shape.dump(name, names)
    value = f"{{{shape.tag!r}: {shape.dump(name, names)}}}"
    if shape.is_set:
        value = f"({value} if {name} else {names.bind(_empty_set)}({name}, {shape.optional}))"
    elif shape.optional:
        value = f"({names.bind(NULL, 'NULL')} if {name} is None else {value})"
    return value


def attribute_wire(shape: Shape) -> Any:  # a msgspec type expression
    """The msgspec type of a whole AttributeValue."""
    if not shape.tag:
        return dict[str, Any]
    return wrapper(shape.tag, shape.wire(), nullable=shape.nullable)


def attribute_lift(shape: Shape, source: str, names: Names) -> str:
    """The source of the value, from the source of a whole AttributeValue. The source may be evaluated twice."""
    if not shape.tag:
        return shape.lift(source, names)
    content = f"{source}.{shape.tag}"
    value = shape.lift(content, names)
    if not shape.nullable:
        return value
    absent, null = names.bind(UNSET, "UNSET"), names.bind(_null_reader(shape), "null")
    return f"({null}({source}) if {content} is {absent} or {source}.NULL is not {absent} else {value})"


@lru_cache(maxsize=4096)
def wrapper(tag: str, content: Any, *, nullable: bool) -> type[msgspec.Struct]:
    """The msgspec type of an AttributeValue of one tag. Another tag, or two, do not fit."""
    fields: list[Any] = [(tag, content)]
    if nullable:
        fields = [(tag, content | UnsetType, UNSET), ("NULL", bool | UnsetType, UNSET)]
    # gc=False: decoded JSON has no cycles, and the collector need not look at thousands of small objects.
    return msgspec.defstruct(f"{tag}Value", fields, forbid_unknown_fields=True, gc=False, frozen=True)


def _null_reader(shape: Shape) -> Callable[[Any], Any]:
    """A function from an AttributeValue that should be NULL to its value."""

    def null(wire: Any) -> Any:  # None or an empty set
        if wire.NULL is not True or getattr(wire, shape.tag) is not UNSET:
            raise expected(f"one type tag, {shape.tag} or NULL", wire)
        return None if shape.optional else shape.empty()

    return null


def _is_frozen(shape: Shape) -> bool:
    return shape.type is frozenset or getattr(shape.type, "__origin__", None) is frozenset


def _empty_set(value: object, optional: bool) -> AttributeValue:  # noqa: FBT001 - called from generated source
    if isinstance(value, set | frozenset) or (optional and value is None):
        return NULL
    raise wrong_type(value, "set")


def _plain_attribute_value(value: object) -> AttributeValue:
    from dynamorm_async.codec.native import to_attribute_value  # noqa: PLC0415 - native stands above

    return to_attribute_value(value)


ANYTHING = Shape(
    object,
    "",
    lambda: dict[str, Any],
    lambda source, names: f"{names.bind(_plain_attribute_value)}({source})",
    lambda source, _names: source,
)
"""The shape of a value inside an attribute whose type says nothing of its inside."""
