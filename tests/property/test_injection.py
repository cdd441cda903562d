"""No name, map key, value, parameter or table name of any text gets into an expression."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async.expressions.placeholders import Placeholders
from tests.property.injection import inject, judged
from tests.property.sizing import examples

LONG = examples(1).max_examples > 1


def test_nothing_is_injected() -> None:
    """Writes, queries, scans, projections, transactions, batches, statements of hostile text: placeholders and keywords only."""
    number = 100_000 if LONG else 2_000
    result = inject(number, seed=8)
    assert result.expressions >= number
    assert result.findings == []


# Any: wire JSON.
@pytest.mark.parametrize(
    "body",
    [
        {"FilterExpression": "name = :v0", "ExpressionAttributeValues": {":v0": {"S": "x"}}},
        {"FilterExpression": "#n0 = 1", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0 = 'x'", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0.name = #n0", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0[True] = #n0", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "size (#n0) = #n0", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "ORDER(#n0)", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0 = #n0; #n0 = #n0", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0 = #n1", "ExpressionAttributeNames": {"#n0": "x"}},
        {"FilterExpression": "#n0 = #n0", "ExpressionAttributeNames": {"#n0": "x", "#n1": "y"}},
        {"TransactItems": [{"Put": {"ConditionExpression": "a"}}]},
    ],
    ids=str,
)
def test_what_was_injected_is_seen(body: dict[str, Any]) -> None:
    """The grammar refuses names, literals, foreign functions, and placeholders that are not declared or not used."""
    assert [found is not None for found in judged(body)] == [True]


def test_a_good_expression_passes() -> None:
    """The grammar takes what the library writes."""
    names, values = {"#n0": "a", "#n1": "b"}, {":v0": {"S": "x"}, ":now": {"N": "1"}}
    text = "NOT (#n0.#n1[3] = :v0 OR size(#n1) >= :v0) AND #n0 BETWEEN :v0 AND :now AND #n1 IN (:v0, :now)"
    body = {"FilterExpression": text, "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
    assert list(judged(body)) == [None]


def test_a_place_in_a_list_is_a_number() -> None:
    """A bool is an int to Python, but its text is none: it does not get into a path."""
    assert Placeholders().path(("a", True, 0)) == "#n0[1][0]"
