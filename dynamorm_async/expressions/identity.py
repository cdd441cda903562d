"""What tells one condition from another, secret values included, which a ``repr`` does not show."""

from __future__ import annotations

# Nodes and what is in them are of any type.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Mapping
from typing import Any

import msgspec

from dynamorm_async.expressions.conditions import Condition


def identity(condition: Condition) -> str:
    """The same text for equal conditions only, and in every process. Not for people: it shows secret values."""
    return _text(condition)


def _text(node: Any) -> str:  # a node, or what is in one
    if isinstance(node, msgspec.Struct):
        fields = ", ".join(f"{name}={_text(getattr(node, name))}" for name in node.__struct_fields__)
        return f"{type(node).__name__}({fields})"
    if isinstance(node, tuple):
        return f"({', '.join(map(_text, node))}{',' if len(node) == 1 else ''})"
    if isinstance(node, Mapping):
        return repr(dict(node))
    return repr(node)
