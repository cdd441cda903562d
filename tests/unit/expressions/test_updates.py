"""Updates as text."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import InvalidExpression, UsageError
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Nothing, Update, checked, path_text, render
from tests.unit.expressions.models import Address, User


@pytest.mark.parametrize(
    ("update", "expected", "repeatable"),
    [
        (User.age.set(3), "SET #n0 = :v0", True),
        (User.age.set(User.limit), "SET #n0 = #n1", False),
        (User.age.set_default(3), "SET #n0 = if_not_exists(#n0, :v0)", True),
        (User.age.add(1), "ADD #n0 :v0", False),
        (User.tags.add({"a"}), "ADD #n0 :v0", True),
        (User.tags.discard({"a"}), "DELETE #n0 :v0", True),
        (User.scores.append([1]), "SET #n0 = list_append(if_not_exists(#n0, :v1), :v0)", False),
        (User.scores.prepend([1]), "SET #n0 = list_append(:v0, if_not_exists(#n0, :v1))", False),
        (User.name.remove(), "REMOVE #n0", True),
        (User.name.set(None), "REMOVE #n0", True),
        (User.tags.set(set()), "REMOVE #n0", True),
        (User.label.set(None), "SET #n0 = :v0", True),
        (User.scores[2].remove(), "REMOVE #n0[2]", False),
        (User.address / Address.city.set("x"), "SET #n0.#n1 = :v0", True),
    ],
)
def test_each_update(update: Update, expected: str, repeatable: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    """Every kind of change in DynamoDB's words, and whether applying it twice does no harm."""
    assert render([update], Placeholders()) == expected
    assert update.repeatable is repeatable


def test_each_clause_once() -> None:
    """Changes of one clause are joined, in the order of the clauses' first change."""
    changes = [User.age.add(1), User.name.set("x"), User.tags.add({"a"}), User.limit.set(User.age), User.label.remove()]
    assert render(changes, Placeholders()) == "ADD #n0 :v0, #n2 :v2 SET #n1 = :v1, #n3 = #n0 REMOVE #n4"
    assert render([], Placeholders()) == ""


def removal(*path: str | int) -> Update:
    return Update("REMOVE", path, Nothing())


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (("a",), ("a",), "two changes touch a;"),
        (("a",), ("a", "b"), r"touch a and a\.b, which lies inside it"),
        (("a", 0, "b"), ("a", 0), r"touch a\[0\] and a\[0\]\.b"),
        (("a", 0), ("a", "b"), "for a list and for a map"),
        (("a", "0", "x"), ("a", 0, "x"), "for a list and for a map"),
    ],
)
def test_overlapping_paths(one: Any, other: Any, why: str) -> None:
    """Paths of which DynamoDB would refuse the pair are refused, in either order, between other changes."""
    for pair in ((one, other), (other, one)):
        with pytest.raises(InvalidExpression, match=why):
            render([removal("z"), removal(*pair[0]), removal("y", 1), removal(*pair[1])], Placeholders())


def test_disjoint_paths() -> None:
    """Names that begin alike, and elements side by side, do not overlap."""
    render(
        [removal("a"), removal("ab"), removal("b", 0), removal("b", 1), removal("c", "a"), removal("c", "a.b")],
        Placeholders(),
    )


def test_checked() -> None:
    """What is no update is told with what to write."""
    change = User.age.set(3)
    assert checked([change]) == (change,)
    with pytest.raises(UsageError, match=r"User\.age\.set\(3\)"):
        checked([User.age == 3])


def test_paths_for_people() -> None:
    """A path reads as one would write it; a moved change keeps its operand's place."""
    assert path_text(("a", 0, "b", "c", 1)) == "a[0].b.c[1]"
    moved = User.age.set(User.limit).below(("outer",))
    assert isinstance(moved.change, Assignment)
    assert render([moved], Placeholders()) == "SET #n0.#n1 = #n0.#n2"
