"""Making an instance from its attributes' values, as the compiled path does it."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from collections.abc import Mapping
from typing import Any

import attrs

from dynamorm_async.codec.layout import Layout


def assembled(layout: Layout, values: Mapping[str, Any]) -> Any:  # an instance of the layout's class
    """An instance from its attributes' values by Python name, defaults for the absent ones."""
    instance: Any = object.__new__(layout.cls)
    late: list[tuple[str, Any]] = []
    for member in layout.members:
        if member.name in values:
            vars(instance)[member.name] = values[member.name]
        elif member.default is attrs.NOTHING:
            vars(instance)[member.name] = None if member.shape.optional else member.shape.empty()
        else:
            late.append((member.name, member.default))
    for name, default in [*late, *layout.unstored]:
        if default is not attrs.NOTHING:
            vars(instance)[name] = _produce(default, instance)
    post_init = getattr(instance, "__attrs_post_init__", None)
    if post_init is not None:
        post_init()
    return instance


def _produce(default: Any, instance: object) -> Any:  # of the attribute's type
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # the stubs type Factory as a function
        return default.factory(instance) if default.takes_self else default.factory()
    return default
