"""``Attr``: paths and operands, checked when they are written."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import InvalidExpression, InvalidValue, UsageError
from tests.unit.expressions.models import Address, User

# As callers without a type checker have them.
ATTR: Any = User.age
NAME: Any = User.name
TAGS: Any = User.tags
SCORES: Any = User.scores
CITY: Any = User.address / Address.city


def test_on_the_class_and_on_an_instance() -> None:
    """On the class an attribute builds expressions, on an instance it is the value; a missing value says so."""
    user = User(user_id="u")
    assert (user.age, repr(User.age), User.age.owner) == (0, "<Attr User.age>", User)
    del vars(user)["age"]
    with pytest.raises(AttributeError, match="this User has no value for age"):
        _ = user.age


def test_paths() -> None:
    """Paths go by stored names, through embedded classes, lists and maps."""
    assert (User.user_id.segments, (User.address / Address.city).segments) == (("pk",), ("address", "town"))
    assert (User.address / Address.lines)[3].segments == ("address", "lines", 3)
    assert User.address["city"].segments == ("address", "town")
    assert User.counts["a.b"].segments == ("counts", "a.b")
    assert repr(User.scores[1]) == "<Attr User.scores[1]>"


@pytest.mark.parametrize(
    "path",
    [
        lambda: ATTR[0], lambda: ATTR["x"], lambda: User.scores["x"], lambda: User.counts[0], lambda: User.scores[-1],
        lambda: User.address["street"], lambda: User.age / Address.city, lambda: User.address / User.age,
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(path: Any) -> None:
    """A path into what has no such inside is refused where it is written."""
    with pytest.raises(InvalidExpression, match=r"<Attr User\.\w+>"):
        path()


@pytest.mark.parametrize(
    "expression",
    [
        lambda: ATTR == "3", lambda: ATTR < 1.5, lambda: ATTR.is_in([1, "2"]), lambda: ATTR.between(1, None), lambda: ATTR.set("x"), lambda: ATTR.add("x"),
        lambda: TAGS.contains(5), lambda: SCORES.contains("x"), lambda: SCORES.append(["x"]), lambda: TAGS.add({5}),
        lambda: NAME.begins_with(5), lambda: User.tags.size() == "2", lambda: User.tags.size() > True, lambda: CITY == 5,
    ],
)  # fmt: skip
def test_operands_of_another_type(expression: Any) -> None:
    """An operand that cannot be the attribute's value is an InvalidValue before any request."""
    with pytest.raises(InvalidValue):
        expression()


def test_changes_that_cannot_be() -> None:
    """add() is for numbers and sets, discard() for sets, and an empty set changes nothing."""
    for change in (
        lambda: NAME.add("x"),
        lambda: ATTR.discard(5),
        lambda: User.tags.add(set()),
        lambda: User.tags.discard(set()),
    ):
        with pytest.raises(InvalidExpression):
            change()


def test_forgotten_parentheses() -> None:
    """An expression as an operand is told: ``a == b & c`` compares with a condition."""
    with pytest.raises(UsageError, match="put parentheses around each comparison"):
        _ = (User.limit == 3) == ATTR
    with pytest.raises(TypeError, match="cannot be iterated"):
        list(ATTR)


@pytest.mark.parametrize("write", [lambda: ATTR > 1 & ATTR, lambda: ATTR | (NAME == "x"), lambda: (NAME == "x") & ATTR])
def test_comparisons_without_parentheses_are_refused(write: Any) -> None:
    """``a > 1 & b < 3`` is not what it looks like: the error says to put parentheses."""
    with pytest.raises(UsageError, match=r"parentheses|takes conditions"):
        write()
