"""The allocator of placeholders of one request."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import InvalidExpression
from dynamorm_async.expressions.placeholders import Placeholders


def test_every_name_is_aliased_once() -> None:
    """Names are aliased whatever they hold; a dot in a name is no step of the path."""
    placeholders, body = Placeholders(), dict[str, Any]()
    assert placeholders.path(("a.b", 0, "size", 12, "a.b")) == "#n0[0].#n1[12].#n0"
    placeholders.into(body, FilterExpression="x", ProjectionExpression="")
    assert body == {"FilterExpression": "x", "ExpressionAttributeNames": {"#n0": "a.b", "#n1": "size"}}


def test_equal_values_share_a_placeholder() -> None:
    """A map is the same value in any order of its names; text is not binary, and true is not 1."""
    placeholders = Placeholders()
    first = placeholders.value({"M": {"a": {"N": "1"}, "b": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}}})
    assert placeholders.value({"M": {"b": {"M": {"y": {"N": "2"}, "x": {"N": "1"}}}, "a": {"N": "1"}}}) == first
    others: list[Any] = [{"S": "YQ=="}, {"B": b"a"}, {"N": "1"}, {"BOOL": True}, {"S": "1"}, {"L": []}, {"M": {}}]
    assert len({first, *map(placeholders.value, others)}) == len(others) + 1


def test_what_an_expression_cannot_hold() -> None:
    """Half a surrogate pair in a name or value, and text over 4 KB, are refused before sending."""
    placeholders = Placeholders()
    with pytest.raises(InvalidExpression, match="half a surrogate"):
        placeholders.value({"L": [{"S": "\ud800"}]})
    with pytest.raises(InvalidExpression, match="half a surrogate"):
        placeholders.path(("a", "\udfff"))
    with pytest.raises(InvalidExpression, match="4097 bytes; DynamoDB allows 4096"):
        placeholders.into({}, ConditionExpression="x" * 4097)
    placeholders.into({}, ConditionExpression="x" * 4096)
