"""Defaults that are another value each time, such as a new id: an attribute that the table lacks reads as a new one then.

What an instance was read as is made again from what was decoded, where it is wanted. With such a default that would give
another value, and an untouched instance would look changed; so it is noted at once where one was filled in.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable
from typing import Any

import attrs
import msgspec

from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.shapes import Shape
from dynamorm_async.codec.stored import attribute, entries_of, map_in

_STEADY = (list, dict, set, frozenset, tuple, str, int, float, bool, bytes)


def filled_in(layout: Layout, names: Names) -> str:
    """The source of a condition on the struct ``s``: such a default was filled in. Empty where there is none."""
    unset = names.bind(msgspec.UNSET, "UNSET")
    parts = [f"s.{member.name} is {unset}" for member in layout.members if _is_unsteady(member)]
    parts += [
        f"{names.bind(_finder(member.shape), 'lacks')}(s.{member.name})"
        for member in layout.members
        if _has_unsteady(member.shape)
    ]
    return " or ".join(parts)


def _is_unsteady(member: Member) -> bool:
    default = member.default
    return isinstance(default, attrs.Factory) and default.factory not in _STEADY  # type: ignore[arg-type]  # the stubs type Factory as a function


def _has_unsteady(shape: Shape) -> bool:
    if shape.layout is not None:
        return any(_is_unsteady(member) or _has_unsteady(member.shape) for member in shape.layout.members)
    return shape.item is not None and _has_unsteady(shape.item)


def _finder(shape: Shape) -> Callable[[Any], bool]:
    return lambda source: source is not msgspec.UNSET and _lacks(shape, source)


def _lacks(shape: Shape, source: Any) -> bool:  # a wrapper struct, or an AttributeValue
    """Whether a class in a value lacks an attribute with such a default."""
    if shape.layout is None:
        item = shape.item
        return item is not None and any(_lacks(item, element) for element in entries_of(source))
    there = map_in(source)
    if there is None:
        return False
    for member in shape.layout.members:
        value = attribute(there, member)
        if _is_unsteady(member) if value is None else _has_unsteady(member.shape) and _lacks(member.shape, value):
            return True
    return False
