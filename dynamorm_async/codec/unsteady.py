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
    if shape.variants is not None:  # a subclass that has one may be declared later
        return True
    if shape.layout is not None:
        return any(_is_unsteady(member) or _has_unsteady(member.shape) for member in shape.layout.members)
    return shape.item is not None and _has_unsteady(shape.item)


def _finder(shape: Shape) -> Callable[[Any], bool]:
    concerned: dict[Layout, tuple[Member, ...]] = {}
    return lambda source: source is not msgspec.UNSET and _lacks(shape, source, concerned)


def _lacks(shape: Shape, source: Any, concerned: dict[Layout, tuple[Member, ...]]) -> bool:
    """Whether a class in a value lacks an attribute with such a default.

    Args:
        shape: that of the value.
        source: what it was decoded to: a wrapper struct, or an AttributeValue.
        concerned: the attributes that have such a default, or may have one inside; filled as classes are met.
    """
    if shape.item is not None:
        return any(_lacks(shape.item, element, concerned) for element in entries_of(source))
    there = map_in(source)
    layout = shape.layout if shape.variants is None or there is None else shape.variants.layout_in(there)
    if there is None or layout is None:
        return False
    if layout not in concerned:
        concerned[layout] = tuple(m for m in layout.members if _is_unsteady(m) or _has_unsteady(m.shape))
    for member in concerned[layout]:
        value = attribute(there, member)
        if _is_unsteady(member) if value is None else _lacks(member.shape, value, concerned):
            return True
    return False
