"""Which key or index answers a query, what becomes a key condition, and what is left to the filter."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    Condition,
    InvalidExpression,
    NoUsableIndex,
    Table,
    UsageError,
    attr,
    index,
    model,
    partition_key,
    sort_key,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.reading import Reading, next_page, query_request, scan_request
from dynamorm_async.types import AttributeValue


@model(table="orders")
class Order:
    shop: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    state: Attr[str] = attr(default="new")
    total: Attr[int] = attr(default=0)
    code: Attr[str] = attr(default="-")
    customer: Attr[str | None] = attr(default=None)

    by_total = index(sort="total", local=True)
    by_shop = index(partition="shop", sort="total")
    by_state = index(partition="state")
    by_state_total = index(partition="state", sort="total")
    by_customer = index(partition="customer")
    by_code = index(partition="code", projection="keys_only")


@model(Table("notes", partition_key="pk", indexes=[GSI("by_author", "author")]))
class Note:
    """The index's key is no attribute of the model: another model's items may be all that it holds."""

    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="-")


ORDER = spec_of(Order)


def query(*conditions: Condition, **options: Any) -> dict[str, Any]:
    body = query_request(ORDER, "orders", Reading(conditions=conditions, **options)).body
    for parameter in ("KeyConditionExpression", "FilterExpression"):
        for alias, name in body["ExpressionAttributeNames"].items():
            if parameter in body:
                body[parameter] = body[parameter].replace(alias, name)
    return body


def parts(body: dict[str, Any], parameter: str) -> set[str]:
    """What an expression joins by AND, with its values put in."""
    text: str = body[parameter]
    for alias, value in body["ExpressionAttributeValues"].items():
        text = text.replace(alias, str(next(iter(value.values()))))
    return set(text.split(" AND "))


def test_the_order_of_conditions_does_not_matter() -> None:
    """Every order of the same conditions gives the same index, key condition and filter (flaw D1)."""
    conditions = [Order.state == "new", Order.shop == "s", Order.number > 3, Order.total == 5]
    plans = [query(*order) for order in itertools.permutations(conditions)]
    for plan in plans:
        assert "IndexName" not in plan
        assert parts(plan, "KeyConditionExpression") == {"shop = s", "number > 3"}
        assert parts(plan, "FilterExpression") == {"state = new", "total = 5"}


def test_the_table_beats_every_index() -> None:
    """A GSI with the table's partition key is never chosen over the table (flaw D2)."""
    assert "IndexName" not in query(Order.shop == "s", Order.total > 3)
    assert "IndexName" not in query(Order.shop == "s", Order.state == "new")


def test_ties_are_settled_by_declaration() -> None:
    """Of two indexes that serve alike, the first declared is taken, every time (flaw D4)."""
    assert {query(Order.state == "new", Order.total == 3)["IndexName"] for _ in range(20)} == {"by_state"}


def test_an_index_that_may_lack_items_is_not_chosen() -> None:
    """Sparse, under-projected and foreign indexes are used only where they are named (flaw D2)."""
    for condition in (Order.customer == "c", Order.code == "x"):
        with pytest.raises(NoUsableIndex):
            query(condition)
    assert query(Order.customer == "c", using=Order.by_customer)["IndexName"] == "by_customer"
    assert query(Order.code == "x", using="by_code")["IndexName"] == "by_code"
    with pytest.raises(NoUsableIndex):
        query_request(spec_of(Note), "notes", Reading(conditions=(Note.text == "x",)))


def test_consistency_never_lands_on_a_global_index() -> None:
    """A consistent read goes to the table or a local index, or is refused; it is never dropped (flaw D2)."""
    assert query(Order.shop == "s", consistent=True)["ConsistentRead"] is True
    assert query(Order.shop == "s", consistent=True, using=Order.by_total)["ConsistentRead"] is True
    with pytest.raises(NoUsableIndex):
        query(Order.state == "new", consistent=True)
    with pytest.raises(UsageError, match="by_state is global"):
        query(Order.state == "new", consistent=True, using="by_state")
    with pytest.raises(UsageError, match="by_state is global"):
        scan_request(ORDER, "orders", Reading(consistent=True, using="by_state"))


@pytest.mark.parametrize(
    "conditions",
    [
        [Order.number != 3],
        [Order.number.is_in([1, 2])],
        [Order.number > 1, Order.number < 5],
        [(Order.number == 1) | (Order.total == 2)],
        [~(Order.number == 1)],
        [Order.number.exists()],
        [Order.number == Order.total],
        [Order.shop == "other"],
    ],
)
def test_what_dynamodb_refuses_on_a_key_is_refused_before(conditions: list[Condition]) -> None:
    """Any other operator, two ranges, or a group on a key attribute is told with its name (flaw D3)."""
    with pytest.raises(InvalidExpression, match=r"Order\.(number|shop)"):
        query(Order.shop == "s", *conditions)


def test_two_bounds_become_a_range() -> None:
    """``>=`` and ``<=`` on the sort key are one BETWEEN."""
    text = query(Order.shop == "s", Order.number >= 2, Order.number <= 4)["KeyConditionExpression"]
    assert text == "shop = :v0 AND number BETWEEN :v1 AND :v2"


def test_a_limit_is_no_page_size_under_a_filter() -> None:
    """The limit bounds a page only where no filter may drop items (flaw D19)."""
    assert query(Order.shop == "s", limit=5)["Limit"] == 5
    assert query(Order.shop == "s", limit=5, page_size=3)["Limit"] == 3
    assert "Limit" not in query(Order.shop == "s", Order.total > 1, limit=1)
    assert query(Order.shop == "s", Order.total > 1, limit=1, page_size=50)["Limit"] == 50
    assert "Limit" not in query(Order.shop == "s")


def test_groups_keep_their_parentheses() -> None:
    """An OR among the filters is enclosed (flaw D7)."""
    filtered = query(Order.shop == "s", (Order.total == 1) | (Order.total == 2), Order.state == "new")
    assert filtered["FilterExpression"] == "(total = :v1 OR total = :v2) AND state = :v3"


def test_the_next_page_begins_at_the_key() -> None:
    """Only the start key differs between pages, and a key that repeats is refused."""
    first = query_request(ORDER, "orders", Reading(conditions=(Order.shop == "s",)))
    key: dict[str, AttributeValue] = {"shop": {"S": "s"}, "number": {"N": "3"}}
    second = next_page(first, key)
    assert second.body == {**first.body, "ExclusiveStartKey": key}
    assert (second.operation, second.table) == ("Query", "orders")
    with pytest.raises(UsageError, match="ended twice at the same key"):
        next_page(second, key)


def test_a_scan_of_nothing_special_is_bare() -> None:
    """Without conditions there are no expressions, names or values."""
    assert scan_request(ORDER, "orders", Reading()).body == {"TableName": "orders"}
    assert scan_request(ORDER, "orders", Reading(using=Order.by_total, page_size=5)).body == {
        "TableName": "orders",
        "IndexName": "by_total",
        "Limit": 5,
    }
