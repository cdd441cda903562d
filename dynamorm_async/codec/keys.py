"""Compiled functions for keys: from key values, and from what an item was read as, without the rest of the item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET

from dynamorm_async.codec.compiler import LayoutCodec, as_key, told
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.shapes import attribute_dump, attribute_lift
from dynamorm_async.errors import InvalidKey, InvalidValue
from dynamorm_async.types import AttributeValue


def key_encoder(compiled: LayoutCodec, key: Sequence[Member]) -> Callable[..., dict[str, AttributeValue]]:
    """A function from key values, in order, to the attributes that the key is made of.

    The function raises InvalidKey for a value that is empty, too long, or of another type than its attribute.
    """
    encoders = [_member_encoder(compiled, member) for member in key]

    def one_by_one(*values: object) -> dict[str, AttributeValue]:
        return {member.wire: encode(value) for member, encode, value in zip(key, encoders, values, strict=True)}

    names, values = Names(), [f"k{i}" for i in range(len(key))]
    sources = [
        f"{names.bind(encode, 'encode')}({value})"
        if member.shape.nullable  # None fits its type, but is no key
        else attribute_dump(as_key(member), value, names)
        for member, encode, value in zip(key, encoders, values, strict=True)
    ]
    lines = "".join(f"        a{i} = {source}\n" for i, source in enumerate(sources))
    entries = ", ".join(f"{member.wire!r}: a{i}" for i, member in enumerate(key))
    arguments, misfits = ", ".join(values), names.bind((InvalidValue, InvalidKey), "misfits")
    return names.function(
        "key",
        f"def key({arguments}):\n"
        f"    try:\n{lines or '        pass'}\n"
        f"    except {misfits}:\n"  # which value does not fit, and why, is told by encoding them one by one
        f"        return {names.bind(one_by_one)}({arguments})\n"
        f"    return {{{entries}}}\n",
    )


def _member_encoder(compiled: LayoutCodec, member: Member) -> Callable[[object], AttributeValue]:
    encode, where = compiled.member_encoder(member), f"{compiled.layout.cls.__name__}.{member.name}"

    def encoded(value: object) -> AttributeValue:
        try:
            content = encode(value)
        except (InvalidValue, InvalidKey) as error:
            raise InvalidKey(f"{where}: {told(member, value, error)}") from None
        if content is None:
            raise InvalidKey(f"{where} is None, but it is {member.key_of}") from None
        return content

    return encoded


def attributes_reader(compiled: LayoutCodec, wanted: Sequence[str]) -> Callable[[Any], dict[str, AttributeValue]]:
    """A function from the struct of an item to some of its attributes, as a write of the item would have them.

    Args:
        compiled: what the struct is of.
        wanted: the names of the attributes. One that the item does not have is left out.
    """
    names, absent = Names(), "UNSET"
    names.namespace[absent] = UNSET
    members = {member.wire: member for member in compiled.layout.members}
    carried = {one.name: (field, one) for field, one in compiled.carried_fields.items()}
    lines = ["item = {}"]
    for name in wanted:
        if name in members:
            member = members[name]
            encode = names.bind(compiled.member_encoder(member), "encode")
            value = attribute_lift(member.shape, f"s.{member.name}", names)
            lines.append(f"v = None if s.{member.name} is {absent} else {encode}({value})")
            lines.append(f"if v is not None: item[{name!r}] = v")
        elif name in carried:
            field, one = carried[name]
            lines.append(f"if s.{field} is not {absent}: item[{name!r}] = {{{one.tag!r}: s.{field}.{one.tag}}}")
    body = "\n    ".join(lines)
    return names.function("attributes", f"def attributes(s):\n    {body}\n    return item\n")
