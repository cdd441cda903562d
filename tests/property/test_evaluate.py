"""What the library says of a condition is what a reader of the rendered text says; what it does not know could be either."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.evaluate import holds
from tests.property.evaluator import Parser
from tests.property.sizing import examples
from tests.property.strategies import condition_items, condition_values, conditions

NAMES = ("a", "b", "size", "a.b", "#n0", "AND")


def read(condition: Condition, item: Any) -> bool:
    """The truth of the rendered condition."""
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, ConditionExpression=condition.render(placeholders))
    return Parser(body["ConditionExpression"], body).condition()(item)


@examples(200)
@given(conditions, condition_items)
def test_of_a_known_item(condition: Condition, item: Any) -> None:
    """Of any item, any condition has the truth that the oracle reads from its text."""
    assert holds(condition, item) is read(condition, item)


@examples(200)
@given(
    conditions,
    condition_items,
    st.sets(st.sampled_from(NAMES)),
    st.lists(st.dictionaries(st.sampled_from(NAMES), condition_values), min_size=1, max_size=4),
)
def test_of_an_item_known_in_part(
    condition: Condition, item: dict[str, Any], unknown: set[str], others: list[dict[str, Any]]
) -> None:
    """An answer about an item of which a part is not known is right whatever that part is."""
    known = {name: value for name, value in item.items() if name not in unknown}
    answer = holds(condition, known, unknown=unknown)
    for other in [{}, item, *others]:
        whole = known | {name: value for name, value in other.items() if name in unknown}
        assert answer in (None, read(condition, whole))
