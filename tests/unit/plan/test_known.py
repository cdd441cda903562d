"""What is certain of an item: by conditions, and after changes of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import Attr, Condition, Update, attr, model, partition_key, version
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.known import Known, known_by


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    other: Attr[int] = attr(default=0)
    name: Attr[str | None] = attr(default=None, name="n")
    filled: Attr[str | None] = attr(default="x")
    tags: Attr[set[str]] = attr(factory=set)
    words: Attr[list[str]] = attr(factory=list)
    inner: Attr[dict[str, int]] = attr(factory=dict)
    revision: Attr[int] = version()


def by(condition: Condition) -> Known:
    return known_by([condition, None], spec_of(Thing).attributes.values())


@pytest.mark.parametrize(
    ("condition", "values", "present"),
    [
        (Thing.count == 3, {"count": {"N": "3"}}, set[str]()),
        ((Thing.count == 3) & (Thing.name == "a"), {"count": {"N": "3"}, "n": {"S": "a"}}, set[str]()),
        ((Thing.count == 3) & ((Thing.name == "a") & Thing.words.exists()), {"count": {"N": "3"}, "n": {"S": "a"}}, {"words"}),
        (Thing.name.not_exists(), {"n": None}, set[str]()),
        (Thing.name == None, {"n": None}, set[str]()),  # noqa: E711 - it makes a condition
        (Thing.name != None, {}, {"n"}),  # noqa: E711 - it makes a condition
        (Thing.count.exists(), {}, {"count"}),
        (Thing.name.exists(), {}, set[str]()),
        (Thing.filled == None, {}, set[str]()),  # noqa: E711 - it makes a condition
        ((Thing.count == 3) | (Thing.name == "a"), {}, set[str]()),
        (~(Thing.count == 3), {}, set[str]()),
        (Thing.count > 3, {}, set[str]()),
        (Thing.count != 3, {}, set[str]()),
        (Thing.count == Thing.other, {}, set[str]()),
        (Thing.words.size() == 3, {}, set[str]()),
        (Thing.inner["k"] == 3, {}, set[str]()),
        (Thing.inner["k"].exists(), {}, set[str]()),
    ],
)  # fmt: skip
def test_what_conditions_tell(condition: Condition, values: dict[str, Any], present: set[str]) -> None:
    """Equality of whole attributes, and whether they are there, joined by &; nothing else is certain."""
    assert by(condition) == Known(values, frozenset(present))


NOT_KNOWN = "not known"


@pytest.mark.parametrize(
    ("update", "before", "after", "has"),
    [
        (Thing.count.set(4), NOT_KNOWN, {"N": "4"}, True),
        (Thing.name.set(None), NOT_KNOWN, None, False),
        (Thing.filled.set(None), NOT_KNOWN, {"NULL": True}, False),
        (Thing.count.set_default(4), NOT_KNOWN, NOT_KNOWN, None),
        (Thing.count.set_default(4), None, {"N": "4"}, True),
        (Thing.count.set_default(4), {"N": "1"}, {"N": "1"}, True),
        (Thing.count.add(1), NOT_KNOWN, NOT_KNOWN, True),
        (Thing.count.add(1), {"N": "3"}, {"N": "4"}, True),
        (Thing.count.add(1), None, {"N": "1"}, True),
        (Thing.count.add(1), {"N": "1.5"}, NOT_KNOWN, True),
        (Thing.count.set(Thing.count + 1), {"N": "3"}, NOT_KNOWN, True),
        (Thing.count.set(Thing.other), {"N": "3"}, NOT_KNOWN, None),
        (Thing.tags.add({"a"}), {"SS": ["b"]}, NOT_KNOWN, True),
        (Thing.tags.discard({"a"}), {"SS": ["a"]}, NOT_KNOWN, None),
        (Thing.words.append(["a"]), {"L": []}, NOT_KNOWN, True),
        (Thing.words.append(["a"]), None, {"L": [{"S": "a"}]}, True),
        (Thing.inner["k"].set(1), {"M": {}}, NOT_KNOWN, True),
    ],
)
def test_what_is_certain_after_a_change(update: Update, before: Any, after: Any, has: bool | None) -> None:  # noqa: FBT001 - a case
    """What is written is; what DynamoDB computes is not, though it may be certain that something is there."""
    name = str(update.path[0])
    known = Known({} if before == NOT_KNOWN else {name: before, "pk": {"S": "a"}}).after([update])
    assert known.values.get(name, NOT_KNOWN) == after
    assert known.has(name) is has
    assert before == NOT_KNOWN or known.values["pk"] == {"S": "a"}
