"""Compiles a layout into three things: a msgspec type that mirrors the wire, ``lift`` and ``encode``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Literal

import attrs
import msgspec
from msgspec import UNSET, UnsetType

from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.derived import Carried
from dynamorm_async.codec.families import misplaced
from dynamorm_async.codec.hidden import misfit_text
from dynamorm_async.codec.layout import STORED, Layout, Member
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.partial import PARTIAL
from dynamorm_async.codec.shapes import NULL, Shape, attribute_dump, attribute_lift, attribute_wire, wrapper
from dynamorm_async.codec.stored import Stored, held_of
from dynamorm_async.codec.unsteady import filled_in
from dynamorm_async.errors import InvalidKey, InvalidValue
from dynamorm_async.types import AttributeValue

_IMMUTABLE = (str, int, bool, bytes, type(None))  # whose repr is their source


class LayoutCodec:
    """The compiled codec of one class. Everything is compiled on first use.

    Args:
        layout: the class's stored attributes.
        keeps_stored: whether instances remember what they were read from (models do).
        forbid_unknown: whether an attribute that the class does not have is an error.
        carried: attributes that are read beside the class's own; instances do not have them.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        keeps_stored: bool = False,
        forbid_unknown: bool = False,
        carried: Sequence[Carried] = (),
    ) -> None:
        self.layout = layout
        self._keeps_stored = keeps_stored
        self._forbid_unknown = forbid_unknown
        self._carried = tuple(carried)

    @cached_property
    def readable(self) -> bool:
        """Whether msgspec can carry the stored names: it takes no quote, backslash or control character in one."""
        names = [*(member.wire for member in self.layout.members), *(carried.name for carried in self._carried)]
        return not any(c in '"\\' or c < " " for name in names for c in name)

    @cached_property
    def struct(self) -> type[msgspec.Struct]:
        """The msgspec type of the stored map; unknown attributes are passed over unless forbidden."""
        fields: list[Any] = []
        for member in sorted(self.layout.members, key=lambda member: not member.required):
            wire = attribute_wire(member.shape)
            fields.append((member.name, wire) if member.required else (member.name, wire | UnsetType, UNSET))
        required = len([member for member in self.layout.members if member.required])
        for field, carried in self.carried_fields.items():
            wire = _carried_wire(carried)
            if carried.required:
                fields.insert(required, (field, wire))
            else:
                fields.append((field, wire | UnsetType, UNSET))
        return msgspec.defstruct(
            f"{self.layout.cls.__name__}Wire",
            fields,
            rename={
                **{member.name: member.wire for member in self.layout.members},
                **{field: carried.name for field, carried in self.carried_fields.items()},
            },
            forbid_unknown_fields=self._forbid_unknown,
            frozen=True,
            gc=False,
        )

    @cached_property
    def carried_fields(self) -> dict[str, Carried]:
        """The carried attributes by their fields of the struct."""
        return {f"_dynamorm_{number}": carried for number, carried in enumerate(self._carried)}

    def carried_in(self, struct: msgspec.Struct) -> dict[str, AttributeValue]:
        """The carried attributes that an item has."""
        found = ((carried, getattr(struct, field)) for field, carried in self.carried_fields.items())
        return {
            carried.name: {carried.tag: getattr(value, carried.tag)} for carried, value in found if value is not UNSET
        }

    @cached_property
    def lift(self) -> Callable[[Any], Any]:
        """Struct to instance."""
        names = Names()
        lines = self._constructed(names) if self.layout.constructed else self._assembled(names)
        body = "\n    ".join(lines)
        return names.function("lift", f"def lift(s):\n    {body}\n    return o\n")

    @cached_property
    def _encode(self) -> Callable[[Any], dict[str, AttributeValue]]:
        names = Names()
        lines = ["item = {}"]
        for member in self.layout.members:
            lines.append(f"v = o.{member.name}")
            lines.extend(_encode_member(member, names))
        body = "\n    ".join(lines)
        return names.function("encode", f"def encode(o):\n    {body}\n    return item\n")

    @property
    def generated(self) -> tuple[Callable[..., Any], ...]:
        """The functions that are generated for the class: ``lift``, where it can be read so at all, and ``encode``."""
        return (self.lift, self._encode) if self.readable else (self._encode,)

    def encode(self, instance: object) -> dict[str, AttributeValue]:
        """Instance to stored map, attribute by attribute.

        Raises:
            InvalidValue: some attributes cannot be stored; the message names each of them.
            InvalidKey: a key attribute is empty or too long.
        """
        if (
            instance.__class__ is not self.layout.cls
        ):  # a subclass would be read back as this class, without what is its own
            raise misplaced(instance, self.layout.cls)
        try:
            return self._encode(instance)
        except (InvalidValue, InvalidKey) as error:
            raise self._explain(instance, error) from None

    def member_encoder(self, member: Member) -> Callable[[Any], AttributeValue | None]:
        """The compiled function that :meth:`encode_member` calls; its errors name no attribute."""
        encode = self._member_encoders.get(member.name)
        if encode is None:
            names = Names()
            lines = "\n    ".join(_encode_member(member, names))
            source = f"def encode(v):\n    item = {{}}\n    {lines}\n    return item.get({member.wire!r})\n"
            encode = self._member_encoders[member.name] = names.function("encode", source)
        return encode

    def encode_member(self, member: Member, value: object) -> AttributeValue | None:
        """One attribute's value as stored; ``None`` where it is left out of the item.

        Raises:
            InvalidValue: it cannot be stored.
            InvalidKey: it is a key, and empty or too long.
        """
        try:
            return self.member_encoder(member)(value)
        except (InvalidValue, InvalidKey) as error:
            raise type(error)(f"{self.layout.cls.__name__}.{member.name}: {told(member, value, error)}") from None

    @cached_property
    def _member_encoders(self) -> dict[str, Callable[[Any], AttributeValue | None]]:
        return {}

    def _explain(self, instance: object, error: InvalidValue | InvalidKey) -> InvalidValue | InvalidKey:
        """The error with the name of every attribute that is wrong."""
        messages: list[str] = []
        for member in self.layout.members:
            try:
                self.encode_member(member, getattr(instance, member.name))
            except (InvalidValue, InvalidKey) as problem:
                messages.append(str(problem))
        return type(error)("; ".join(messages) or str(error))

    def _assembled(self, names: Names) -> list[str]:
        """Lines that set the attributes at once, without a call of the class."""
        cls = names.bind(self.layout.cls, self.layout.cls.__name__)
        entries = [f"{member.name!r}: {_lift_member(member, names)}" for member in self.layout.members]
        if self._keeps_stored:
            entries.append(f"{STORED!r}: s")
        lines = [f"o = {names.bind(object.__new__, 'new')}({cls})", f"o.__dict__ = {{{', '.join(entries)}}}"]
        for member in self.layout.members:
            if _takes_self(member.default):
                factory = names.bind(member.default.factory, "factory")
                lines.append(f"if s.{member.name} is {names.bind(UNSET, 'UNSET')}: o.{member.name} = {factory}(o)")
        for name, default in self.layout.unstored:
            if default is not attrs.NOTHING:
                source = (
                    f"{names.bind(default.factory, 'factory')}(o)" if _takes_self(default) else _default(default, names)
                )
                lines.append(f"o.{name} = {source}")
        if hasattr(self.layout.cls, "__attrs_post_init__") and not hasattr(self.layout.cls, PARTIAL):
            lines.append("o.__attrs_post_init__()")
        filled = filled_in(self.layout, names) if self._keeps_stored else ""
        if filled:
            lines.append(f"if {filled}: {names.bind(self._note, 'note')}(o, s)")
        return lines

    def _note(self, instance: Any, struct: msgspec.Struct) -> None:  # an instance of the layout's class
        """Note what an instance was read as, where that cannot be made again."""
        with suppress(InvalidValue, InvalidKey):  # a default that cannot be stored: save() will say so
            seen = self.encode(instance)
            vars(instance)[STORED] = Stored(seen, held_of(self.layout, struct, seen), self.carried_in(struct))

    def _constructed(self, names: Names) -> list[str]:
        """Lines that call the class, so that its converters and validators run and its defaults are its own."""
        cls = names.bind(self.layout.cls, self.layout.cls.__name__)
        given = [m for m in self.layout.members if m.default is attrs.NOTHING]
        lines = [f"k = {{{', '.join(f'{m.argument!r}: {_lift_member(m, names)}' for m in given)}}}"]
        for member in self.layout.members:
            if member.default is not attrs.NOTHING:
                value = attribute_lift(member.shape, f"s.{member.name}", names)
                lines.append(
                    f"if s.{member.name} is not {names.bind(UNSET, 'UNSET')}: k[{member.argument!r}] = {value}"
                )
        lines.append(f"o = {cls}(**k)")
        return lines


def told(member: Member, value: object, error: Exception) -> str:
    """What an error says of a value that its attribute cannot hold."""
    return misfit_text(value) if member.shape.hidden else str(error)


def _carried_wire(carried: Carried) -> Any:  # a msgspec type expression
    content: Any = bytes if carried.tag == "B" else str
    if carried.values:
        content = Literal[carried.values]
    return wrapper(carried.tag, content, nullable=False)


def _encode_member(member: Member, names: Names) -> list[str]:
    """Lines that put the value ``v`` into ``item``, or leave it out."""
    shape = as_key(member)
    target = f"item[{member.wire!r}]"
    value = attribute_dump(msgspec.structs.replace(shape, optional=False, is_set=False), "v", names)
    if not shape.nullable:
        return [f"{target} = {value}"]
    null = None if member.omits_null else f"{target} = {names.bind(NULL, 'NULL')}"
    if not shape.tag:  # the generic function makes NULL itself
        return [f"{target} = {value}"] if null else [f"if v is not None: {target} = {value}"]
    if not shape.is_set:
        return [f"if v is not None: {target} = {value}", *([f"else: {null}"] if null else [])]
    checked = attribute_dump(shape, "v", names)
    if null:
        return [f"{target} = {checked}"]
    return [f"if v: {target} = {value}", f"else: {checked}"]


def as_key(member: Member) -> Shape:
    """The shape of a member; of a key one whose text or bytes are checked for length."""
    shape = member.shape
    if not member.key_limit or shape.tag not in ("S", "B"):
        return shape

    def dump(source: str, names: Names) -> str:
        content = names.fresh()
        # ASCII has as many bytes as characters, which asks for no call; all else is left to the function.
        fits = f"({content} := {shape.dump(source, names)}).isascii() and 0 < {names.bind(len)}({content}) <= {member.key_limit}"
        return f"({content} if {fits} else {names.bind(key_content)}({content}, {member.key_limit}, {member.key_of!r}))"

    return msgspec.structs.replace(shape, dump=dump)


def _lift_member(member: Member, names: Names) -> str:
    """The source of a member's value from the struct ``s``, its default where it is absent."""
    source = f"s.{member.name}"
    value = attribute_lift(member.shape, source, names)
    if member.required:
        return value
    return f"{value} if {source} is not {names.bind(UNSET, 'UNSET')} else {_absent(member, names)}"


def _absent(member: Member, names: Names) -> str:
    if member.default is not attrs.NOTHING:
        return _default(member.default, names)
    if member.shape.optional:
        return "None"
    return f"{names.bind(member.shape.empty, 'empty')}()"


def _default(default: Any, names: Names) -> str:  # a default is of the attribute's own type
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # the stubs type Factory as a function
        # A factory that takes the instance runs once the other attributes are set.
        return "None" if default.takes_self else f"{names.bind(default.factory, 'factory')}()"
    return repr(default) if type(default) in _IMMUTABLE else names.bind(default, "default")


def _takes_self(default: Any) -> bool:  # a default is of the attribute's own type
    return isinstance(default, attrs.Factory) and default.takes_self  # type: ignore[arg-type]  # as above
