"""The ends of ranges within keys, where text is at its limits."""

from __future__ import annotations

import pytest

from dynamorm_async.expressions.conditions import Between, Comparison, Literally, Path
from dynamorm_async.plan.keytexts import Texts, begins_with, successor


@pytest.mark.parametrize(
    ("text", "above"),
    [
        ("a", "b"),
        ("ORDER#", "ORDER$"),
        ("a\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),
        ("\U0010ffff\U0010ffff", None),
        ("", None),
    ],
)
def test_the_text_above_all_that_begin_with_one(text: str, above: str | None) -> None:
    """No text that begins so is above it, and it is a text itself: no half of a surrogate pair."""
    assert successor(text) == above
    if above is not None:
        above.encode()
        assert text < text + "\U0010ffff" * 9 < above


def test_no_empty_value_is_sent() -> None:
    """DynamoDB refuses an empty key value: no condition, one end, or no request at all."""
    assert begins_with("sk", "") == ()
    assert Texts().condition("sk", "") == ()
    assert Texts(high="").condition("sk", "") is None
    assert Texts(high="", top="g").condition("sk", "") is None
    assert Texts(high="b", low="c").condition("sk", "") is None
    assert Texts(low="").condition("sk", "") == ()
    assert Texts(high="b").condition("sk", "") == (Comparison(Path(("sk",)), "<=", Literally({"S": "b"})),)
    assert Texts(low="b").condition("sk", "") == (Comparison(Path(("sk",)), ">=", Literally({"S": "b"})),)
    low, high = Literally({"S": "P#b"}), Literally({"S": "P$"})
    assert Texts(low="b").condition("sk", "P#") == (Between(Path(("sk",)), low, high),)
