"""Collections: the one request, what DynamoDB leaves out, and what cannot be told apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    InvalidKey,
    Table,
    UsageError,
    attr,
    model,
    partition,
    partition_key,
    sort_key,
    ttl,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.collections import Collected, beginning, collect, plan_collection, within
from dynamorm_async.plan.reading import Reading

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    ttl="expires",
    indexes=[
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("keys", "gsi1pk", "gsi1sk", projection="keys_only"),
        GSI("types", "_type", "sk"),
        GSI("lone", "gsi1pk"),
        GSI("many", ("one", "two")),
    ],
)


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str]


@model(shop, type="order", pk="CUSTOMER#{customer_id}", sk="ORDER#{number:06}", gsi1=("STATUS#{status}", "{number:06}"))
class Order:
    customer_id: Attr[str]
    number: Attr[int]
    status: Attr[str] = attr(default="open")


@model(type="rush")
class Rush(Order):
    pass


untyped = Table("untyped", partition_key="pk", sort_key="sk", discriminator=None)


@model(untyped, pk="CUSTOMER#{name}", sk="PROFILE")
class Person:
    name: Attr[str]


@model(untyped, pk="CUSTOMER#{name}", sk="PET#{pet}")
class Pet:
    name: Attr[str]
    pet: Attr[str]


def of(*models: type, index: str | None = None, table: Table = shop) -> Collected:
    collected = collect("t-", table, "X", index)
    return Collected(
        table=collected.table,
        name=collected.name,
        index=collected.index,
        partition=collected.partition,
        models=tuple(spec_of(each) for each in models),
    )


def body(collected: Collected, **reading: Any) -> dict[str, Any]:
    (request,) = plan_collection(collected, Reading(**reading)).requests
    assert request.operation == "Query"
    return request.body


def test_all_of_a_partition_is_one_plain_query() -> None:
    """No filter, and a limit bounds the page: every item that is read is returned, or an error."""
    assert body(of(), limit=3) == {
        "TableName": "t-shop",
        "KeyConditionExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "pk"},
        "ExpressionAttributeValues": {":v0": {"S": "X"}},
        "Limit": 3,
    }
    assert not plan_collection(of(), Reading()).filtered


def test_models_that_are_not_asked_for_are_left_out_by_dynamodb() -> None:
    """By the type, variants among those asked for; then a limit bounds no page."""
    several = body(of(Customer, Order), limit=3)
    assert several["FilterExpression"] == "#n1 IN (:v1, :v2, :v3)"
    assert [value["S"] for value in several["ExpressionAttributeValues"].values()] == ["X", "customer", "order", "rush"]
    assert "Limit" not in several
    assert body(of(Rush))["FilterExpression"] == "#n1 = :v1"
    assert plan_collection(of(Rush), Reading()).filtered


def test_what_dynamodb_cannot_leave_out_is_left_out_here() -> None:
    """Where items have no type, or it is a key of the index."""
    for collected in (of(Customer, index="keys"), of(Customer, index="types"), of(Person, table=untyped)):
        plan = plan_collection(collected, Reading(limit=3))
        assert "FilterExpression" not in plan.requests[0].body
        assert "Limit" not in plan.requests[0].body
        assert plan.sifted


def test_what_is_counted() -> None:
    """By DynamoDB where it knows what to leave out; else by what tells the models apart, and no more."""
    assert body(of(Rush), counting=True)["Select"] == "COUNT"
    counted = body(of(), counting=True)
    assert counted["ProjectionExpression"] == "#n0, #n1, #n2"
    assert list(counted["ExpressionAttributeNames"].values()) == ["pk", "sk", "_type"]


def test_the_sort_key() -> None:
    """A beginning or a range, of the table's sort key or of the index's."""
    assert body(beginning(of(), "ORDER#"))["KeyConditionExpression"] == "#n0 = :v0 AND begins_with(#n1, :v1)"
    ranged = body(within(of(index="gsi1"), "a", "b"))
    assert ranged["KeyConditionExpression"] == "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2"
    assert list(ranged["ExpressionAttributeNames"].values()) == ["gsi1pk", "gsi1sk"]
    assert plan_collection(within(of(), "b", "a"), Reading()).requests == ()


def test_directions_and_consistency() -> None:
    """As of any query."""
    asked = body(of(), descending=True, consistent=True, page_size=4)
    assert (asked["ScanIndexForward"], asked["ConsistentRead"], asked["Limit"]) == (False, True, 4)


@model("own", type="own")
class Own:
    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key()


def test_a_model_in_a_table_of_its_own() -> None:
    """The partition of its plain key; its sort key is a number."""
    collected = collect("", partition(Own, pk="a"), None, None)
    assert body(within(collected, 1, 3))["KeyConditionExpression"] == "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2"
    with pytest.raises(UsageError, match="the sort key attribute sk is a number; use between"):
        beginning(collected, "1")


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda: collect("", "shop", "X", None), UsageError, "takes a Table and a partition key, or a partition()"),
        (lambda: collect("", Customer, "X", None), UsageError, "takes a Table and a partition key, or a partition()"),
        (lambda: collect("", shop, None, None), InvalidKey, "the partition key attribute pk takes text, got None"),
        (lambda: collect("", shop, 3, None), InvalidKey, "the partition key attribute pk takes text, got 3"),
        (lambda: collect("", shop, "", None), InvalidKey, "is empty"),
        (lambda: collect("", shop, "X", "nope"), UsageError, "has no index 'nope'; it has gsi1, keys"),
        (lambda: collect("", shop, "X", "many"), UsageError, "has 2 attributes: make it of a model's, partition(Model"),
        (lambda: collect("", partition(Customer, customer_id="1"), "X", None), UsageError, "pass it alone"),
        (lambda: collect("", partition(Customer, customer_id="1"), None, "gsi1"), UsageError, "pass it alone"),
        (lambda: beginning(of(), ""), InvalidKey, "is empty"),
        (lambda: beginning(of(), 3), InvalidKey, "the sort key attribute sk takes text, got 3"),
        (lambda: beginning(beginning(of(), "A"), "B"), UsageError, "the sort key has a condition already"),
        (lambda: within(beginning(of(), "A"), "B", "C"), UsageError, "the sort key has a condition already"),
        (lambda: within(of(index="lone"), "B", "C"), UsageError, "index lone of shop has no sort key"),
        (lambda: within(of(), "B", None), InvalidKey, "the sort key attribute sk takes text, got None"),
        (
            lambda: plan_collection(of(index="gsi1"), Reading(consistent=True)),
            UsageError,
            "eventually consistently only",
        ),
        (lambda: plan_collection(of(Person), Reading()), UsageError, "Person lives in table untyped, not in shop"),
        (
            lambda: plan_collection(of(Rush, index="keys"), Reading()),
            UsageError,
            "Rush cannot be told from the other variants of its base where items have no _type",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], kind: type[UsageError], says: str) -> None:
    """Before anything is sent, with what to do."""
    with pytest.raises(kind, match=re.escape(says)):
        make()


def test_a_table_without_models() -> None:
    """Perhaps their modules are not imported."""
    empty = Table("empty", partition_key="pk")
    with pytest.raises(UsageError, match="no model lives in table empty: import the modules"):
        plan_collection(collect("", empty, "X", None), Reading())


def test_plain_keys_without_a_discriminator_cannot_be_told_apart() -> None:
    """Refused as soon as a collection of the table is asked for."""
    table = Table("mixed", partition_key="pk", sort_key="sk", discriminator=None)

    @model(table, pk="A#{name}", sk="X")
    class Made:
        name: Attr[str]

    @model(table)
    class Plain:
        pk: Attr[str] = partition_key()
        sk: Attr[str] = sort_key()

    with pytest.raises(
        UsageError, match="cannot be told apart: items there have no discriminator, and the keys of Plain"
    ):
        collect("", table, "X", None)
    assert [spec_of(each).derived is None for each in (Made, Plain)] == [False, True]


def test_two_models_without_a_type_cannot_be_told_apart() -> None:
    """One can: what has no type is of it."""
    table = Table("twins", partition_key="pk")

    @model(table)
    class One:
        pk: Attr[str] = partition_key()

    assert plan_collection(collect("", table, "X", None), Reading()).requests

    @model(table)
    class Two:
        pk: Attr[str] = partition_key()

    with pytest.raises(UsageError, match="cannot be told apart: One and Two have no type"):
        plan_collection(collect("", table, "X", None), Reading())


def test_an_index_that_does_not_tell_what_is_hidden() -> None:
    """Refused for models that can be in it, unless hidden items are asked for."""
    table = Table("fading", partition_key="pk", ttl="expires", indexes=[GSI("gsi1", "gsi1pk", projection=("_type",))])

    @model(table, type="fading", pk="F#{name}", gsi1="K#{name}", hide_expired=True)
    class Fading:
        name: Attr[str]
        expires: Attr[int] = ttl(default=0)

    collected = collect("", partition(Fading, index="gsi1", name="a"), None, None)
    with pytest.raises(UsageError, match="index gsi1 does not hold expires, so it cannot leave out what Fading hides"):
        plan_collection(collected, Reading())
    assert plan_collection(collected, Reading(with_hidden=True)).requests
