"""From the text of a key template to its literals and components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from dynamorm_async.codec.components import Component, component, whole_key
from dynamorm_async.codec.keytext import SEPARATOR
from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.errors import ModelError

_pieces: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+").findall
_INDEX: Final = re.compile(r"[.\[]")


def parts_of(text: str, tag: str, layout: Layout, *, where: str) -> tuple[str | Component, ...]:
    """The parts of a template, checked; literals are not empty, and none follows another.

    Args:
        text: the template.
        tag: the type tag of the key attribute that it makes.
        layout: the model's attributes.
        where: model and key attribute, for errors.

    Raises:
        ModelError: as ``parse_template``.
    """
    if not text:
        raise ModelError(
            f"{where}: the template is empty: write the key's text, with {{attribute}} where a value belongs"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ModelError(
            f"{where}: the template {text!a} holds half a surrogate pair, which has no UTF-8 form"
        ) from None
    where = f'{where}: the template "{text}"'
    if tag != "S":
        return (_whole_component(text, tag, layout, where),)
    parts = tuple(_merged(_parts(text, layout, where)))
    _check_separators(parts, where)
    return parts


def _parts(text: str, layout: Layout, where: str) -> Iterator[str | Component]:
    pieces: list[str] = _pieces(text)
    for piece in pieces:
        if piece in ("{{", "}}"):
            yield piece[0]
        elif piece in ("{", "}"):
            raise ModelError(
                f'{where} has a "{piece}" without its other half; write "{piece * 2}" for the character itself'
            )
        elif piece.startswith("{"):
            wanted, _, form = piece[1:-1].partition(":")
            yield component(layout.cls.__name__, _member(wanted, layout, where), form, where=where)
        else:
            yield piece


def _merged(parts: Iterator[str | Component]) -> Iterator[str | Component]:
    """The same parts, with literals beside each other as one."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
        text = ""
        yield part
    if text:
        yield text


def _member(name: str, layout: Layout, where: str) -> Member:
    member = layout.member(name)
    if member is not None:
        return member
    if not name:
        raise ModelError(f"{where} has {{}} without a name; write {{attribute}}")
    if _INDEX.search(name):
        raise ModelError(
            f"{where} has {{{name}}}, but a component is an attribute of the model itself, not a part of one: "
            "store that part as an attribute of its own"
        )
    known = ", ".join(each.name for each in layout.members)
    raise ModelError(f"{where} names {name!r}, which is no attribute of {layout.cls.__name__}; it has {known}")


def _check_separators(parts: tuple[str | Component, ...], where: str) -> None:
    """Without the separator, two tuples of values could have one key, and keys would not be in order."""
    for part, after in pairwise(parts):
        if isinstance(part, Component) and part.width is None:
            if isinstance(after, str) and after.startswith(SEPARATOR):
                continue
            shown = after.replace("{", "{{").replace("}", "}}") if isinstance(after, str) else after.placeholder
            raise ModelError(
                f'{where} has "{shown}" right after {part.placeholder}, so one could not tell where the value ends: '
                f'write "{part.placeholder}{SEPARATOR}{shown}"'
            )


def _whole_component(text: str, tag: str, layout: Layout, where: str) -> Component:
    pieces: list[str] = _pieces(text)
    if len(pieces) != 1 or not text.startswith("{") or not text.endswith("}") or ":" in text:
        raise ModelError(
            f"{where} makes a key attribute of type {tag}, which takes one attribute as it is stored: write {{attribute}} alone"
        )
    return whole_key(layout.cls.__name__, _member(text[1:-1], layout, where), tag, where=where)
