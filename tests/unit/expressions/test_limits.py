"""What DynamoDB bounds in an expression is refused before sending."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from dynamorm_async import InvalidExpression
from dynamorm_async.expressions.conditions import Condition, Literally
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import Assignment, Update, render
from tests.unit.expressions.models import User

AGE = User.age == 1


def condition_body(condition: Condition) -> dict[str, Any]:
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, ConditionExpression=condition.render(placeholders))
    return body


def update_body(*changes: Update) -> dict[str, Any]:
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, UpdateExpression=render(changes, placeholders))
    return body


def either(one: Condition, other: Condition) -> Condition:
    return one | other


def both(one: Condition, other: Condition) -> Condition:
    return one & other


def joined(part: Condition, count: int) -> Condition:
    return functools.reduce(either, [part] * count)


@pytest.mark.parametrize(
    ("part", "operators"),
    [
        (AGE, 1),
        (User.age <= User.limit, 1),
        (User.age != 1, 1),
        (User.age.between(1, 2), 1),
        (User.age.is_in([1]), 1),
        (User.age.exists(), 1),
        (User.user_id.begins_with("u"), 1),
        (~AGE, 2),
        (User.tags.size() < User.scores.size(), 3),
    ],
)
def test_300_operators(part: Condition, operators: int) -> None:
    """Each comparison, function, AND, OR and NOT is one operator: 300 pass, more are refused, as DynamoDB counts."""
    most = (300 + 1) // (operators + 1)
    assert condition_body(joined(part, most))
    found = operators * (most + 1) + most
    with pytest.raises(InvalidExpression, match=rf"has ({found} operators|\d+ bytes)"):
        condition_body(joined(part, most + 1))


def test_an_update_is_bounded_by_its_size() -> None:
    """The = of SET is no operator, as DynamoDB counts: hundreds of changes pass, and 4 KB end before 300 sums do."""
    one = Assignment(Literally({"N": "1"}))
    assert update_body(*(Update("SET", (f"a{i}",), one) for i in range(310)))
    assert update_body(*(User.scores[i].remove() for i in range(350)))
    sums = [User.scores[i].set(User.age + 1) for i in range(301)]
    assert len(update_body(*sums[:185])["UpdateExpression"]) > 3900
    with pytest.raises(InvalidExpression, match=r"the UpdateExpression has \d+ bytes; DynamoDB allows 4096"):
        update_body(*sums)


def test_4_kb() -> None:
    """An expression of 4,096 bytes passes; one more is refused."""
    Placeholders().into({}, FilterExpression="x" * 4096)
    with pytest.raises(InvalidExpression, match="the FilterExpression has 4097 bytes; DynamoDB allows 4096"):
        Placeholders().into({}, FilterExpression="x" * 4097)


@pytest.mark.parametrize("content", ["x", "é", b"x"])
def test_2_mb_of_values(content: str | bytes) -> None:
    """All values of a request together have at most 2 MB, counted in bytes of UTF-8 and of the binary itself."""
    width = len(content.encode()) if isinstance(content, str) else 1
    tag = "S" if isinstance(content, str) else "B"

    def body(size: int) -> dict[str, Any]:
        placeholders, request = Placeholders(), dict[str, Any]()
        half = content * (size // 2 // width)
        values: list[Any] = [{tag: half}, {"M": {"a": {"L": [{tag: half}]}}}]
        text = " AND ".join(f"{placeholders.path(('a',))} = {placeholders.value(value)}" for value in values)
        placeholders.into(request, ConditionExpression=text)
        return request

    assert body(2 * 1024 * 1024 - 2)
    with pytest.raises(InvalidExpression, match=r"bytes; DynamoDB allows 2,097,152 in a request"):
        body(2 * 1024 * 1024 + 2)


def test_names() -> None:
    """A name has 1 to 65,535 bytes; the error shows only the beginning of a long one."""
    for name in ("x" * 65_535, "é" * 32_767):
        assert update_body(User.counts[name].set(1))
    with pytest.raises(InvalidExpression, match="the name '' has 0 bytes"):
        update_body(User.counts[""].set(1))
    with pytest.raises(InvalidExpression, match=r"the name 'x{20}\.\.\.' has 65536 bytes"):
        condition_body(User.counts["x" * 65_536] == 1)


def nested(depth: int, deepen: Callable[[Condition], Condition]) -> Condition:
    condition = AGE
    for _ in range(depth):
        condition = deepen(condition)
    return condition


DEEPER: list[tuple[Callable[[Condition], Condition], int]] = [
    (lambda inner: ~inner, 1),
    (lambda inner: (inner & AGE) | AGE, 2),
    (lambda inner: AGE | (AGE & inner), 2),
    (lambda inner: ~(inner & AGE), 2),
]


@pytest.mark.parametrize(("deepen", "levels"), DEEPER)
def test_deep_conditions(deepen: Callable[[Condition], Condition], levels: int) -> None:
    """100 levels pass, even deep in a program's own calls, and the next is refused where it is written."""
    deepest = nested(100 // levels, deepen)
    assert deepest.depth == 100

    def use(frames: int) -> bool:
        if frames:
            return use(frames - 1)
        assert condition_body(deepest)
        assert repr(deepest)
        assert deepest == nested(100 // levels, deepen)
        return set(deepest.below(("outer",)).roots()) == {"outer"}

    assert use(300)
    with pytest.raises(InvalidExpression, match=r"nested 10[12] deep"):
        deepen(deepest)


@pytest.mark.parametrize("combine", [both, either])
def test_chains_do_not_nest(combine: Callable[[Condition, Condition], Condition]) -> None:
    """A chain of one kind, however long, is one level; only its size is bounded."""
    chain = functools.reduce(combine, [AGE] * 400)
    assert chain.depth == 1
    with pytest.raises(InvalidExpression, match=r"operators|bytes"):
        condition_body(chain)


def test_hundreds_of_levels_are_no_recursion_error() -> None:
    """Code that nests without end is told so."""
    with pytest.raises(InvalidExpression, match="nested 101 deep"):
        nested(5000, lambda inner: ~inner)
