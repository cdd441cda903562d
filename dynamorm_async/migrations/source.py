"""Values as Python source, formatted as formatters leave it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast, final

import msgspec

WIDTH: Final = 88
"""Columns that are used: formatters set to more leave what is broken at fewer, by its last comma."""

_INDENT: Final = 4


@final
class Group(msgspec.Struct, frozen=True):
    """Something in brackets.

    Attributes:
        opening: what it begins with, bracket included.
        items: what is in it, each with the text before it.
        closing: the bracket at its end.
        last: what stands behind the last item even in one line: the comma of a tuple of one.
    """

    opening: str
    items: tuple[tuple[str, Source], ...]
    closing: str
    last: str = ""


Source: TypeAlias = str | Group


def call(name: str, *given: Source, **named: Source) -> Group:
    """The call of a function or class."""
    items = [*(("", one) for one in given), *((f"{key}=", one) for key, one in named.items())]
    return Group(f"{name}(", tuple(items), ")")


def rendered(source: Source, *, indent: int = 0, taken: int = 0) -> str:
    """The text: in one line where there is room, else with a line for each item.

    Args:
        source: what to render.
        indent: of the line that it begins in.
        taken: the columns of that line that are taken, before and after it.
    """
    if isinstance(source, str):
        return source
    flat = _flat(source)
    if not source.items or taken + len(flat) <= WIDTH:
        return flat
    inner = indent + _INDENT
    pad = " " * inner
    lines = (
        f"{pad}{label}{rendered(item, indent=inner, taken=inner + len(label) + 1)},\n" for label, item in source.items
    )
    return f"{source.opening}\n{''.join(lines)}{' ' * indent}{source.closing}"


def literal(value: object, names: set[str]) -> Source:
    """A value: text, numbers, ``None``, lists, tuples and mappings of them, and records with what is not their default.

    Args:
        value: what to write.
        names: takes the names of the classes that the source needs.

    Raises:
        TypeError: a value of another kind.
    """
    match value:
        case None | bool() | int() | float():
            return repr(value)
        case str():
            return quoted(value)
        case list() | tuple():
            is_tuple = isinstance(value, tuple)
            items = tuple(("", literal(one, names)) for one in cast("Sequence[object]", value))
            brackets = "()" if is_tuple else "[]"
            return Group(brackets[0], items, brackets[1], "," if is_tuple and len(items) == 1 else "")
        case Mapping():
            pairs = cast("Mapping[str, object]", value).items()
            return Group("{", tuple((f"{quoted(key)}: ", literal(one, names)) for key, one in pairs), "}")
        case msgspec.Struct():
            names.add(type(value).__name__)
            return call(type(value).__name__, **{name: literal(one, names) for name, one in _told(value).items()})
        case _:
            raise TypeError(f"{value!r} cannot be written as source")


def quoted(text: str) -> str:
    """A string, in the quotes that formatters choose."""
    return repr(text) if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)


def _flat(source: Source) -> str:
    if isinstance(source, str):
        return source
    items = ", ".join(f"{label}{_flat(item)}" for label, item in source.items)
    return f"{source.opening}{items}{source.last}{source.closing}"


def _told(record: msgspec.Struct) -> dict[str, object]:
    """The fields of a record that are not as by default."""
    told: dict[str, object] = {}
    for field in msgspec.structs.fields(record):
        value: object = getattr(record, field.name)
        factory = field.default_factory
        default: object = factory() if callable(factory) else field.default
        if value is not msgspec.UNSET and (type(value) is not type(default) or value != default):
            told[field.name] = value
    return told
