"""Conditions worked out here: what DynamoDB means by them, and what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import Attr, Condition, attr, model, partition_key
from dynamorm_async.model.evaluate import holds


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    text: Attr[str | None] = attr(default=None)
    count: Attr[int] = attr(default=0)
    done: Attr[bool] = attr(default=False)
    tags: Attr[set[str]] = attr(factory=set)
    numbers: Attr[set[int]] = attr(factory=set)
    list: Attr[list[int]] = attr(factory=list)
    photo: Attr[bytes | None] = attr(default=None)
    inner: Attr[dict[str, int]] = attr(factory=dict)


ITEM: dict[str, Any] = {
    "pk": {"S": "a"},
    "text": {"S": "abc"},
    "count": {"N": "10"},
    "done": {"BOOL": False},
    "tags": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "list": {"L": [{"N": "1"}, {"N": "2"}]},
    "photo": {"B": b"\x01\x02"},
    "inner": {"M": {"k": {"N": "1"}}},
}

TRUE: list[Condition] = [
    Thing.count == 10,
    Thing.count != 9,
    Thing.count > 9,
    Thing.count.between(2, 10),
    Thing.count.is_in([3, 10]),
    Thing.done == False,  # noqa: E712 - it makes a condition
    Thing.text.begins_with("ab"),
    Thing.text.contains("bc"),
    Thing.text < "abcd",
    Thing.text.attribute_type("S"),
    Thing.text != None,  # noqa: E711 - it makes a condition
    Thing.tags.contains("a"),
    Thing.tags == {"b", "a"},
    Thing.numbers.contains(2),
    Thing.list.contains(2),
    Thing.list[1] == 2,
    Thing.list[5].not_exists(),
    Thing.list.size() == 2,
    Thing.text.size() >= 3,
    Thing.photo == b"\x01\x02",
    Thing.photo.begins_with(b"\x01"),
    Thing.photo.size() == 2,
    Thing.inner["k"] == 1,
    Thing.inner["other"].not_exists(),
    Thing.inner["other"] != 1,
    (Thing.count == 1) | (Thing.text == "abc"),
    ~((Thing.count == 1) & (Thing.text == "abc")),
]


@pytest.mark.parametrize("number", range(len(TRUE)))
def test_each_kind_of_condition(number: int) -> None:
    """It holds of the item, its negation does not; of an item that is not known, neither is."""
    condition = TRUE[number]
    assert holds(condition, ITEM) is True
    assert holds(~condition, ITEM) is False
    assert holds(condition, {}, unknown=list(ITEM)) is None


def test_what_is_not_there() -> None:
    """An absent attribute differs from everything, and is neither less nor more; NULL is no value."""
    assert holds(Thing.text != "x", {}) is True
    assert holds(Thing.text == "x", {}) is False
    assert holds(Thing.count < 5, {}) is False
    assert holds(Thing.count >= 5, {}) is False
    assert holds(Thing.text == None, {}) is True  # noqa: E711 - it makes a condition
    assert holds(Thing.text == None, {"text": {"NULL": True}}) is True  # noqa: E711 - it makes a condition
    assert holds(Thing.text.exists(), {"text": {"NULL": True}}) is True
    assert holds(Thing.text.begins_with("a"), {}) is False


def test_another_type_is_not_compared() -> None:
    """A number is neither less nor more than a text, and has no size."""
    assert holds(Thing.count < 5, {"count": {"S": "1"}}) is False
    assert holds(Thing.count >= 5, {"count": {"S": "9"}}) is False
    assert holds(Thing.text.size() == 1, {"text": {"N": "1"}}) is False


def test_numbers_and_texts_are_ordered_as_in_dynamodb() -> None:
    """Numbers by value, not as text; texts by their UTF-8 bytes."""
    assert holds(Thing.count > 9, {"count": {"N": "10.0"}}) is True
    assert holds(Thing.count == 10, {"count": {"N": "10.0"}}) is True
    assert holds(Thing.text > "\uffff", {"text": {"S": "\U0001f600"}}) is True


def test_the_size_of_a_text_is_in_utf_16() -> None:
    """As DynamoDB Local counts it: what is outside of the basic plane counts twice."""
    assert holds(Thing.text.size() == 4, {"text": {"S": "é\U0001f600x"}}) is True


def test_what_is_certain_though_something_is_not_known() -> None:
    """False AND anything is false, true OR anything is true; the rest is not known."""
    known, unknown = Thing.count == 10, Thing.text == "abc"
    item = {"count": {"N": "10"}}

    def of(condition: Condition) -> bool | None:
        return holds(condition, item, unknown=["text"])

    assert of(~known & unknown) is False
    assert of(known | unknown) is True
    assert of(known & unknown) is None
    assert of(~known | unknown) is None
    assert of(~(known & unknown)) is None
    assert of(~(~known & unknown)) is True
    assert of(Thing.text.size() == 3) is None
