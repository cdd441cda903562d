"""How deep lists and maps nest: DynamoDB takes 32 levels, what the innermost list or map holds among them.

Source: "Nested attribute depth" in the developer guide's quotas; the engines take 31 lists and maps around a scalar or a
set, as values of expressions too, and refuse 32.
"""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import InvalidValue
from dynamorm_async.types import AttributeValue

MAX_DEPTH = 32
"""How deep values may nest in DynamoDB."""

MAX_CONTAINERS = MAX_DEPTH - 1
"""How many lists and maps there may be around each other."""


def containers(value: AttributeValue) -> int:
    """How many lists and maps there are around each other at the deepest place of a value."""
    content: Any = value.get("M")
    inner = value.get("L") if content is None else content.values()
    return 0 if inner is None else 1 + max(map(containers, inner), default=0)


def check_depth(value: AttributeValue, around: int = 0) -> None:
    """Refuse a value that nests deeper than DynamoDB takes.

    Args:
        value: what is to be stored.
        around: how many lists and maps it is put into.

    Raises:
        InvalidValue: it nests too deep; the caller says where.
    """
    found = around + containers(value)
    if found > MAX_CONTAINERS:
        raise InvalidValue(
            f"lists and maps nest deeper than {MAX_DEPTH} levels, which is DynamoDB's limit: {found} are around each other"
        )
