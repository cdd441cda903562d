"""Item sizes by DynamoDB's rules."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import InvalidValue, ItemTooLarge
from dynamorm_async.codec.sizes import MAX_ITEM_BYTES, check_size, item_size, value_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2), ({"S": ""}, 0), ({"B": b"abc"}, 3), ({"BOOL": True}, 1), ({"NULL": True}, 1), ({"N": "0"}, 1), ({"N": "7"}, 2),
        ({"N": "-7"}, 3), ({"N": "1E+125"}, 2), ({"SS": ["a", "bc"]}, 3), ({"BS": [b"a"]}, 1), ({"NS": ["7", "8"]}, 4), ({"L": []}, 3),
        ({"L": [{"S": "a"}]}, 5), ({"M": {}}, 3), ({"M": {"ab": {"S": "c"}}}, 7),
    ],
)  # fmt: skip
def test_values(value: Any, size: int) -> None:
    """Each type tag's size, from the developer guide; an item is the sum of its names and values."""
    assert value_size(value) == size
    assert item_size({"é": value, "b": value}) == 3 + 2 * size


def test_the_limit_is_exact() -> None:
    """An item of exactly 400 KB passes, in any encoding; one more byte is ItemTooLarge with size and largest attribute."""
    for text in ("x", "\n", '"'):
        check_size("User", {"a": {"S": text * (MAX_ITEM_BYTES - 1)}})
        with pytest.raises(ItemTooLarge, match="largest attribute is b with 409,600") as caught:
            check_size("User", {"a": {"S": ""}, "b": {"S": text * MAX_ITEM_BYTES}})
        assert caught.value.size == MAX_ITEM_BYTES + 2


@pytest.mark.parametrize(
    "item", [{"a": {"S": "x"}, "b": {"L": [{"S": "\ud800"}]}}, {"b": {"M": {"\udfff": {"N": "1"}}}}]
)
def test_half_surrogates(item: Any) -> None:
    """Text without a UTF-8 form is refused under its attribute's name, not deep in the transport."""
    with pytest.raises(InvalidValue, match="attribute b holds half a surrogate pair"):
        check_size("User", item)
