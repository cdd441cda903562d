"""AttributeValues without a declared type, to plain values and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import InvalidValue
from dynamorm_async.codec.depth import MAX_DEPTH
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.native import from_attribute_value, to_attribute_value


@pytest.mark.parametrize(
    ("plain", "stored"),
    [
        (None, {"NULL": True}),
        ("x", {"S": "x"}),
        (True, {"BOOL": True}),
        (5, {"N": "5"}),
        (Decimal("1.5"), {"N": "1.5"}),
        (b"x", {"B": b"x"}),
        ([1, ["x"]], {"L": [{"N": "1"}, {"L": [{"S": "x"}]}]}),
        ({"a": {"b": None}}, {"M": {"a": {"M": {"b": {"NULL": True}}}}}),
        (frozenset({"b", "a"}), {"SS": ["a", "b"]}),
        (frozenset({2, 1}), {"NS": ["1", "2"]}),
        (frozenset({b"b", b"a"}), {"BS": [b"a", b"b"]}),
    ],
)
def test_each_tag(plain: Any, stored: Any) -> None:
    """Each type tag stands for one plain type, in both directions."""
    assert to_attribute_value(plain) == stored
    read = from_attribute_value(stored)
    assert (read, type(read)) == (plain, type(plain))


@pytest.mark.parametrize(
    "value",
    [
        None, 5, "x", [], {}, {"X": 1}, {"S": 5}, {"S": None}, {"N": 5}, {"N": "x"}, {"BOOL": "true"}, {"BOOL": 1}, {"NULL": False},
        {"B": "!"}, {"B": "YQ"}, {"B": "YQ=\n="}, {"L": {}}, {"M": []}, {"SS": "a"}, {"SS": [5]}, {"NS": ["x"]}, {"S": "x", "N": "1"},
        {"NS": [str((2**61 - 1) * n) for n in range(16_000)]},
    ],
)  # fmt: skip
def test_what_is_no_attribute_value(value: Any) -> None:
    """Anything but one type tag with its content is a ValueError."""
    with pytest.raises(ValueError, match=r"expected|number|hash"):
        from_attribute_value(value)


def test_every_wrong_place_is_listed() -> None:
    """A wrong map or list names each of its wrong places by path."""
    with pytest.raises(Misfit) as caught:
        from_attribute_value({"M": {"a": {"L": [{"S": "x"}, {"X": 1}]}, "b": {"N": "x"}, "c": {"S": "x"}}})
    assert [problem.path for problem in caught.value.problems] == ["a[1]", "b"]


def nested(levels: int, tag: str) -> Any:
    value: Any = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]} if tag == "L" else {"M": {"a": value}}
    return value


@pytest.mark.parametrize("tag", ["L", "M"])
def test_depth(tag: str) -> None:
    """As deep as DynamoDB nests is read and written; deeper is refused in both directions, without a crash."""
    plain = from_attribute_value(nested(MAX_DEPTH - 1, tag))
    assert to_attribute_value(plain) == nested(MAX_DEPTH - 1, tag)
    with pytest.raises(Misfit, match="32 levels"):
        from_attribute_value(nested(MAX_DEPTH + 1, tag))
    with pytest.raises(InvalidValue, match="32 levels"):
        to_attribute_value([plain])
    with pytest.raises(Misfit, match="32 levels"):
        from_attribute_value(nested(900, tag))


@pytest.mark.parametrize("value", [object(), {1: "x"}, {"a", 1}, {True}, {("a",)}, float("nan"), {"a": {2j}}])
def test_what_cannot_be_stored(value: Any) -> None:
    """A value without an AttributeValue is refused with the way out."""
    with pytest.raises(InvalidValue):
        to_attribute_value(value)
