"""What DynamoDB bounds in the expressions of a request.

Source: "Service, account, and table quotas: expression parameters" in the developer guide. What counts as an operator is
not written there: it is what DynamoDB's own local engine counts.
"""

from __future__ import annotations

# What is inside a value may be anything, so its type is unknown to a checker.
# pyright: reportUnknownArgumentType=false
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dynamorm_async.errors import InvalidExpression
from dynamorm_async.types import AttributeValue

MAX_EXPRESSION = 4096
"""The bytes that an expression may have."""

_MAX_OPERATORS = 300
_MAX_VALUES = 2 * 1024 * 1024  # bytes, of names too
_MAX_NAME = 65_535  # bytes

# Every name and value is a placeholder, so that nothing else looks like these. BETWEEN counts by its AND.
_OPERATOR = re.compile(r"[a-z]\(|<>|<=|>=|[=<>]|\b(?:AND|OR|NOT|IN)\b")
_SHORTEST_OPERATOR = len("NOT ()")

UNCHECKED_EXPRESSION = _MAX_OPERATORS * _SHORTEST_OPERATOR
"""The longest expression, in bytes, that cannot have too much of anything."""

UNCHECKED_NAME = _MAX_NAME
"""The most characters of ASCII that a name may have without being counted, where it has any."""

UNCHECKED_VALUES = 2 * 1024 * 1024
"""The most bytes of JSON that values may have without being counted: JSON is never shorter than what DynamoDB counts."""


def check_expression(name: str, text: str) -> None:
    """Refuse an expression that DynamoDB would refuse for its size.

    Args:
        name: the request's parameter, for example ``ConditionExpression``.
        text: the expression, every name and value in it a placeholder.

    Raises:
        InvalidExpression: it is longer than 4 KB, or has more than 300 operators and functions.
    """
    if len(text) > MAX_EXPRESSION:
        raise InvalidExpression(f"the {name} has {len(text)} bytes; DynamoDB allows {MAX_EXPRESSION}")
    # The = of SET is no operator, and without it an update of 4 KB has room for some 240.
    if name == "UpdateExpression":
        return
    operators = len(_OPERATOR.findall(text))
    if operators > _MAX_OPERATORS:
        raise InvalidExpression(
            f"the {name} has {operators} operators and functions; DynamoDB allows {_MAX_OPERATORS}. Each comparison, "
            "function, &, | and ~ is one: is_in() says in one what == and | say in many"
        )


def check_name(name: str) -> None:
    """Refuse a name that no attribute can have.

    Raises:
        InvalidExpression: it is empty, longer than 64 KB, or no text.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidExpression(f"the name {name!r} holds half a surrogate pair, which has no UTF-8 form") from None
    if not 1 <= length <= _MAX_NAME:
        shown = name if length <= MAX_EXPRESSION else f"{name[:20]}..."
        raise InvalidExpression(f"the name {shown!r} has {length} bytes; DynamoDB allows 1 to {_MAX_NAME}")


def check_values(values: Mapping[str, AttributeValue], names: Iterable[str]) -> None:
    """Refuse values and names that are together more than DynamoDB takes.

    Args:
        values: the values by placeholder.
        names: the names.

    Raises:
        InvalidExpression: they have more than 2 MB.
    """
    size = sum(map(_size, values.values())) + sum(len(name.encode()) for name in names)
    if size > _MAX_VALUES:
        raise InvalidExpression(
            f"the values and names in the expressions have {size:,} bytes; DynamoDB allows {_MAX_VALUES:,} in a request"
        )


def _size(value: Any) -> int:  # an AttributeValue, or what is inside one
    """The bytes of what a value holds: not more than DynamoDB counts."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, list):
        return sum(map(_size, value))
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return 1
