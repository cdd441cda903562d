"""Instances that have only some of their class's attributes, as an index holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from dynamorm_async.codec.hidden import MASKED
from dynamorm_async.codec.layout import options_of


def partial_class(cls: type, names: Sequence[str]) -> type:
    """A subclass whose instances have only the named attributes.

    Reading another raises ``AttributeError``; ``repr`` and ``==`` look at those that are there.

    Args:
        cls: a model class.
        names: the Python names of the attributes that are there.
    """
    masked = {field.name for field in attrs.fields(cls) if options_of(field).secret}

    def show(self: object) -> str:
        shown = ", ".join(
            f"{name}={MASKED if name in masked else vars(self)[name]!r}" for name in names if name in vars(self)
        )
        return f"<partial {cls.__name__} {shown}>"

    def equals(self: object, other: object) -> Any:  # a bool, or NotImplemented
        if type(other) is not type(self):
            return NotImplemented
        return all(vars(self).get(name) == vars(other).get(name) for name in names)

    def state(self: object) -> dict[str, Any]:  # for copies: not what was read, which is kept only to be saved
        return {name: vars(self)[name] for name in names if name in vars(self)}

    return type(
        cls.__name__,
        (cls,),
        {"__repr__": show, "__eq__": equals, "__hash__": None, "__getstate__": state, PARTIAL: cls.__name__},
    )


PARTIAL = "__dynamorm_partial__"
"""The class attribute that marks a partial class."""
