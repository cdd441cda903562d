"""Equality of stored values as DynamoDB sees it."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async.codec.compare import same_value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, None), ({"N": "1"}, {"N": "1.0"}), ({"N": "1E+2"}, {"N": "100"}), ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "2.0"]}, {"NS": ["2", "1.0"]}), ({"BS": [b"a", b"b"]}, {"BS": [b"b", b"a"]}), ({"L": [{"N": "1"}]}, {"L": [{"N": "1.0"}]}),
        ({"M": {"a": {"N": "1"}, "b": {"SS": ["x", "y"]}}}, {"M": {"b": {"SS": ["y", "x"]}, "a": {"N": "1.00"}}}),
        ({"N": "1.2345678901234567890123456789012345678"}, {"N": "12345678901234567890123456789012345678E-37"}),
    ],
)  # fmt: skip
def test_same(one: Any, other: Any) -> None:
    """Numbers count by value, exactly; sets and maps without order."""
    assert same_value(one, other)
    assert same_value(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, {"NULL": True}), ({"S": "1"}, {"N": "1"}), ({"S": "a"}, {"S": "b"}), ({"BOOL": True}, {"BOOL": False}), ({"B": b"a"}, {"B": b"b"}),
        ({"L": [{"N": "1"}, {"N": "2"}]}, {"L": [{"N": "2"}, {"N": "1"}]}), ({"L": []}, {"L": [{"N": "1"}]}), ({"M": {}}, {"M": {"a": {"N": "1"}}}),
        ({"M": {"a": {"N": "1"}}}, {"M": {"b": {"N": "1"}}}), ({"SS": ["a"]}, {"SS": ["a", "b"]}), ({"NS": ["1"]}, {"NS": ["2"]}),
        ({"N": "1"}, {"N": "1.0000000000000000000000000000000000001"}),
    ],
)  # fmt: skip
def test_different(one: Any, other: Any) -> None:
    """Another type, order of a list, name, or digit is another value."""
    assert not same_value(one, other)
    assert not same_value(other, one)


def test_colliding_numbers_are_compared_at_once() -> None:
    """Number sets are compared by order, not by hash: numbers that were chosen to collide cost nothing more."""
    texts = [str((2**61 - 1) * n) for n in range(16_000)]
    assert same_value({"NS": texts}, {"NS": [f"{text}.0" for text in reversed(texts)]})
