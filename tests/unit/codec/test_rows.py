"""What is at a path of an item."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async.codec.rows import at_path

ITEM: dict[str, Any] = {"a": {"M": {"b": {"L": [{"S": "x"}]}}}, "text": {"S": "abc"}, "n": {"NULL": True}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("text",), {"S": "abc"}),
        (("a", "b"), {"L": [{"S": "x"}]}),
        (("a", "b", 0), {"S": "x"}),
        (("a", "b", 1), None),
        (("a", "b", "c"), None),
        (("a", "z"), None),
        (("z", "a"), None),
        (("text", "a"), None),
        (("n", "a"), None),
        (("n", 0), None),
    ],
)
def test_at_path(path: tuple[str | int, ...], found: object) -> None:
    """What is there, through maps and lists; None where there is nothing, or where something else is in the way."""
    assert at_path(ITEM, path) == found
