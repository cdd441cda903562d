"""Rendered expressions mean what their trees say, and name everything by placeholders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import InvalidExpression
from dynamorm_async.expressions.conditions import (
    Between,
    Comparison,
    Condition,
    Either,
    Every,
    Function,
    Literally,
    Negation,
    OneOf,
    Path,
)
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.expressions.updates import (
    Alternative,
    Assignment,
    Calculation,
    Concatenation,
    Default,
    Update,
    render,
)
from tests.property import evaluator
from tests.property.evaluator import Parser
from tests.property.sizing import examples
from tests.property.strategies import condition_items, conditions, paths
from tests.property.update_strategies import assignments, updates


def truth(condition: Condition, item: Any) -> bool:  # noqa: PLR0911 - one return a node
    """What a condition's tree says of an item, without any text."""

    def value(operand: Path | Literally) -> Any:
        if isinstance(operand, Literally):
            return operand.value
        found = evaluator.find(item, operand.segments)
        return evaluator.size(found) if operand.size else found

    match condition:
        case Every(parts):
            return all(truth(part, item) for part in parts)
        case Either(parts):
            return any(truth(part, item) for part in parts)
        case Negation(inner):
            return not truth(inner, item)
        case Comparison(left, comparator, right):
            return evaluator.compare(value(left), comparator, value(right))
        case Between(path, low, high):
            inside = evaluator.compare(value(low), "<=", value(path))
            return inside and evaluator.compare(value(path), "<=", value(high))
        case OneOf(path, choices):
            return any(evaluator.compare(value(path), "=", value(choice)) for choice in choices)
        case Function(name, path, argument):
            return evaluator.call(name, value(path), None if argument is None else value(argument))
        case _:
            raise AssertionError(condition)


def assigned(operand: Path | Literally | Alternative | Calculation, item: Any) -> Any:
    """What the tree of a SET's operand is for an item, without any text."""
    match operand:
        case Literally(value):
            return value
        case Path(segments, size):
            found = evaluator.find(item, segments)
            return evaluator.size(found) if size else found
        case Alternative(path, otherwise):
            present = assigned(path, item)
            return assigned(otherwise, item) if present is None else present
        case Calculation(left, sign, right):
            return evaluator.calculate(assigned(left, item), sign, assigned(right, item))


def stored(update: Update, item: Any) -> Any:
    """What a change of a SET stores."""
    before = evaluator.find(item, update.path)
    match update.change:
        case Assignment(operand):
            return assigned(operand, item)
        case Default(operand):
            return assigned(operand, item) if before is None else before
        case Concatenation(elements, goes_first):
            present: Any = {"L": []} if before is None else before
            parts = (elements.value, present) if goes_first else (present, elements.value)
            return evaluator.concatenate(*parts)
        case change:
            raise AssertionError(change)


def rendered(condition: Condition) -> dict[str, Any]:
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, ConditionExpression=condition.render(placeholders))
    return body


@examples(400)
@given(conditions, st.lists(condition_items, min_size=1, max_size=4))
def test_a_rendered_condition_means_its_tree(condition: Condition, items: list[Any]) -> None:
    """Parsed with NOT before AND before OR, the text has the truth of the tree; all its names are placeholders."""
    body = rendered(condition)
    parser = Parser(body["ConditionExpression"], body)
    parsed = parser.condition()
    assert [parsed(item) for item in items] == [truth(condition, item) for item in items]
    assert parser.used == set(evaluator.placeholders(body))


@given(conditions, paths, condition_items)
def test_below_a_prefix(condition: Condition, prefix: tuple[str | int, ...], item: Any) -> None:
    """A condition moved below a path says of an item what the condition itself says of the map at that path."""
    holder: Any = {"M": item}
    for step in reversed(prefix):
        holder = {"L": [{"NULL": True}] * step + [holder]} if isinstance(step, int) else {"M": {step: holder}}
    body = rendered(condition.below(prefix))
    assert Parser(body["ConditionExpression"], body).condition()(holder["M"]) == truth(condition, item)
    assert set(condition.below(prefix).roots()) <= {prefix[0]}


@given(st.lists(conditions, min_size=1, max_size=4))
def test_placeholders_of_one_request(parts: list[Condition]) -> None:
    """Over all the expressions of a request no placeholder stands for two things, and nothing has two placeholders."""
    placeholders, body = Placeholders(), dict[str, Any]()
    texts = {f"Expression{i}": part.render(placeholders) for i, part in enumerate(parts)}
    placeholders.into(body, **texts)
    names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    assert len(set(names.values())) == len(names)
    assert all(one == other for one in values for other in values if values[one] == values[other])
    used: set[str] = set()
    for part, name in zip(parts, texts, strict=True):
        parser = Parser(body[name], body)
        parser.condition()
        used |= parser.used
        alone = rendered(part)
        assert set(alone.get("ExpressionAttributeNames", {}).values()) >= set(part.roots())
    assert used == {*names, *values}


def overlap(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether DynamoDB would refuse two paths: one is in the other, or they part at a name here, an index there."""
    for a, b in zip(one, other, strict=False):
        if type(a) is not type(b):
            return True
        if a != b:
            return False
    return True


@examples(300)
@given(st.lists(updates, min_size=1, max_size=5))
def test_updates(changes: list[Update]) -> None:
    """Overlapping paths are always refused, others never; each clause comes once, and every change in its own."""
    placeholders, body = Placeholders(), dict[str, Any]()
    if any(overlap(a.path, b.path) for i, a in enumerate(changes) for b in changes[:i]):
        with pytest.raises(InvalidExpression):
            render(changes, placeholders)
        return
    placeholders.into(body, UpdateExpression=render(changes, placeholders))
    parser = Parser(body["UpdateExpression"], body)
    assert sorted(parser.updates(), key=repr) == sorted(((c.verb, c.path) for c in changes), key=repr)
    assert parser.used == set(evaluator.placeholders(body))


@given(updates, paths)
def test_updates_below_a_prefix(change: Update, prefix: tuple[str | int, ...]) -> None:
    """A change moved below a path is the same change of the path inside it."""
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, UpdateExpression=render([change.below(prefix)], placeholders))
    assert Parser(body["UpdateExpression"], body).updates() == [(change.verb, (*prefix, *change.path))]


@examples(300)
@given(assignments, paths, condition_items)
def test_what_a_set_stores(change: Update, prefix: tuple[str | int, ...], item: Any) -> None:
    """The text of a SET stores what its tree says: sums and defaults too, and the same below a path for a map there."""
    holder: Any = {"M": item}
    for step in reversed(prefix):
        holder = {"L": [{"NULL": True}] * step + [holder]} if isinstance(step, int) else {"M": {step: holder}}
    for update, root in ((change, item), (change.below(prefix), holder["M"])):
        placeholders, body = Placeholders(), dict[str, Any]()
        placeholders.into(body, UpdateExpression=render([update], placeholders))
        parser = Parser(body["UpdateExpression"], body)
        parser.updates()
        assert parser.assigned[update.path](root) == stored(change, item)


@examples(300)
@given(updates, condition_items)
def test_what_is_repeatable_is_the_same_twice(change: Update, item: Any) -> None:
    """Where the library says that a change may be sent twice, what the first stored is what the second stores."""
    name, *inside = change.path
    if change.verb == "SET" and change.repeatable and not inside:
        once = stored(change, item)
        assert once is not None
        assert stored(change, {**item, str(name): once}) == once
