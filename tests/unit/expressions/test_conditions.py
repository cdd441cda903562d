"""Conditions as text."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import InvalidExpression, UsageError
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from tests.unit.expressions.models import Address, User


def text(condition: Condition) -> str:
    """The condition's text with its names and values put back in."""
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, Text=condition.render(placeholders))
    result: str = body["Text"]
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        result = result.replace(alias, name)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        result = result.replace(alias, str(next(iter(value.values()))))
    return result


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (User.age == 3, "age = 3"), (User.age != 3, "age <> 3"), (User.age < 3, "age < 3"), (User.age <= 3, "age <= 3"), (User.age > 3, "age > 3"),
        (User.age >= 3, "age >= 3"), (User.age < User.limit, "age < limit"), (User.age.between(1, 2), "age BETWEEN 1 AND 2"),
        (User.age.is_in([1, 2]), "age IN (1, 2)"), (User.age.exists(), "attribute_exists(age)"), (User.age.not_exists(), "attribute_not_exists(age)"),
        (User.user_id.begins_with("u"), "begins_with(pk, u)"), (User.data.begins_with(b"u"), "begins_with(data, b'u')"),
        (User.tags.contains("a"), "contains(tags, a)"), (User.age.attribute_type("N"), "attribute_type(age, N)"), (User.tags.size() > 2, "size(tags) > 2"),
        (User.tags.size() <= User.scores.size(), "size(tags) <= size(scores)"), (User.name == None, "attribute_not_exists(name) OR name = True"),  # noqa: E711 - builds a condition
        (User.name != None, "attribute_exists(name) AND name <> True"),  # noqa: E711 - builds a condition
        (User.scores[0] == 1, "scores[0] = 1"), (User.counts["a"] > 1, "counts.a > 1"), (User.address / Address.city == "x", "address.town = x"),
        (User.address / (Address.city == "x"), "address.town = x"), (User.address / Address.lines[1] == "x", "address.lines[1] = x"),
    ],
)  # fmt: skip
def test_each_condition(condition: Condition, expected: str) -> None:
    """Every operator and function in DynamoDB's words, on stored names."""
    assert text(condition) == expected


def test_parentheses() -> None:
    """``&``, ``|`` and ``~`` keep their grouping whatever DynamoDB's own precedence; chains of one kind stay flat."""
    a, b, c = User.age == 1, User.age == 2, User.age == 3
    assert text((a & b) | c) == "(age = 1 AND age = 2) OR age = 3"
    assert text(a & (b | c)) == "age = 1 AND (age = 2 OR age = 3)"
    assert text(a & b & c) == "age = 1 AND age = 2 AND age = 3"
    assert text(~(a | b) & c) == "NOT (age = 1 OR age = 2) AND age = 3"
    assert text(~~a) == "NOT (NOT (age = 1))"


def test_mistakes_with_python_operators() -> None:
    """``and``, ``not``, chained comparisons and plain booleans are told at once, with what to write instead."""
    condition: Any = User.age == 1
    with pytest.raises(UsageError, match="combine conditions with &"):
        bool(condition)
    for wrong in (True, None, "age = 1"):
        with pytest.raises(UsageError, match="takes conditions"):
            _ = condition & wrong
        with pytest.raises(UsageError, match="takes conditions"):
            _ = condition | wrong
        with pytest.raises(UsageError, match="where takes conditions"):
            all_of([wrong])  # type: ignore[list-item]  # what is refused


def test_all_of() -> None:
    """Many conditions are one, flat; one is itself; none is none."""
    a, b, c = User.age == 1, User.age == 2, User.age == 3
    joined = all_of([a & b, c])
    assert joined is not None
    assert text(joined) == "age = 1 AND age = 2 AND age = 3"
    assert all_of([a]) is a
    assert all_of([]) is None


@pytest.mark.parametrize("count", [0, 101])
def test_in_takes_1_to_100(count: int) -> None:
    """IN with no value, or more than DynamoDB takes, is refused; 100 pass."""
    with pytest.raises(InvalidExpression, match="1 to 100 values"):
        User.age.is_in(range(count))
    assert text(User.age.is_in(range(100))).count(",") == 99


def test_roots() -> None:
    """A condition knows the top-level attributes that it mentions."""
    condition = (User.address / Address.city == "x") & (User.age < User.limit) | ~User.tags.contains("a")
    assert set(condition.roots()) == {"address", "age", "limit", "tags"}
    moved = (User.scores.size() == 1) & User.age.between(User.limit, 5) & User.age.is_in([1]) & User.name.exists()
    assert set(moved.below(("outer", 0)).roots()) == {"outer"}
