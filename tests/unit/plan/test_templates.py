"""Key conditions from components, as DynamoDB gets them, and what is left for the filter."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dynamorm_async import GSI, LSI, Attr, IndexKey, NoUsableIndex, Table, UsageError, attr, model
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.explain import explain
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("gsi2", "gsi2pk", "gsi2sk", projection="keys_only"),
        GSI("inverted", "sk", "pk"),
        LSI("lsi1", "lsi1sk"),
    ],
)


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed:%Y-%m-%d}#{order_id}",
    gsi1=IndexKey("STATUS#{status}", "{number:06}", when=lambda order: order.status != "closed"),
    gsi2=("DAY#{day}", "{code}"),
    lsi1="{code}#{number:06}",
)
class Order:
    customer_id: Attr[str]
    placed: Attr[datetime]
    order_id: Attr[str]
    status: Attr[str] = attr(default="open")
    number: Attr[int] = attr(default=1)
    day: Attr[date] = attr(default=date(2026, 1, 1))
    code: Attr[str | None] = attr(default=None)
    total: Attr[int] = attr(default=0)


@model(shop, type="customer", pk="CUSTOMER#{customer_id}", sk="PROFILE")
class Customer:
    customer_id: Attr[str]


@model(shop, type="line", pk="CUSTOMER#{customer_id}", sk="ORDER_LINE#{line}")
class Line:
    customer_id: Attr[str]
    line: Attr[str]


ORDER = spec_of(Order)
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TYPE = "_type = order"


def plan(*conditions: Condition, cls: type = Order, **asked: Any) -> ReadPlan:
    return plan_query(spec_of(cls), "shop", Reading(conditions=conditions, **asked))


def shown(read: ReadPlan) -> list[tuple[str, str]]:
    """The key condition and the filter of each request, with names and values in place."""
    return [(_filled(r.body, "KeyConditionExpression"), _filled(r.body, "FilterExpression")) for r in read.requests]


def _filled(body: Any, expression: str) -> str:
    text = body.get(expression, "")
    for alias, value in body["ExpressionAttributeValues"].items():
        text = text.replace(alias, next(iter(value.values())))
    for alias, name in body["ExpressionAttributeNames"].items():
        text = text.replace(alias, name)
    return str(text)


ANN = Order.customer_id == "ann"
PK = "pk = CUSTOMER#ann AND "


@pytest.mark.parametrize(
    ("conditions", "key", "rest"),
    [
        ((), "begins_with(sk, ORDER#)", ""),
        ((Order.placed == NOON,), "begins_with(sk, ORDER#2026-03-04#)", "placed = 2026-03-04T12:00:00.000000Z"),
        ((Order.placed > NOON,), "sk BETWEEN ORDER#2026-03-04 AND ORDER#:", "placed > 2026-03-04T12:00:00.000000Z"),
        ((Order.placed <= NOON,), "sk BETWEEN ORDER# AND ORDER#2026-03-04$", "placed <= 2026-03-04T12:00:00.000000Z"),
        (
            (Order.placed == NOON, Order.order_id == "o#1"),
            "sk = ORDER#2026-03-04#o$231",
            "placed = 2026-03-04T12:00:00.000000Z",
        ),
        (
            (Order.placed == NOON, Order.order_id.begins_with("o#")),
            "begins_with(sk, ORDER#2026-03-04#o$23)",
            "placed = 2026-03-04T12:00:00.000000Z",
        ),
        ((Order.order_id == "o1",), "begins_with(sk, ORDER#)", "order_id = o1"),
        ((Order.customer_id.begins_with("a"),), "begins_with(sk, ORDER#)", ""),
        ((Order.customer_id > "aa", Order.total == 3), "begins_with(sk, ORDER#)", "total = 3"),
    ],
    ids=str,
)
def test_key_conditions(conditions: tuple[Condition, ...], key: str, rest: str) -> None:
    """Leading components, then a range; what the key says exactly is no filter, what it says in part is."""
    expected = (PK + key, f"{rest} AND {TYPE}" if rest else TYPE)
    assert shown(plan(ANN, *conditions)) == [expected]


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        (Order.number == 7, "gsi1sk = 000007"),
        (Order.number < 7, "gsi1sk <= 000006"),
        (Order.number <= 7, "gsi1sk <= 000007"),
        (Order.number > 7, "gsi1sk BETWEEN 000007$ AND :"),
        (Order.number.between(7, 9), "gsi1sk BETWEEN 000007 AND 000009"),
        ((Order.number > 7) & (Order.number >= 3) & (Order.number < 10), "gsi1sk BETWEEN 000007$ AND 00001/"),
    ],
    ids=str,
)
def test_ranges_of_a_last_component(condition: Condition, key: str) -> None:
    """Every end is exact: nothing is left for the filter but the type."""
    read = plan(Order.status == "open", condition)
    assert shown(read) == [(f"gsi1pk = STATUS#open AND {key}", TYPE)]
    assert not read.filtered


@pytest.mark.parametrize(
    "conditions",
    [
        (Order.customer_id == "bob",),
        (Order.customer_id < "ann",),
        (Order.placed == NOON, Order.order_id == "x" * 1100),
        (Order.placed == NOON, Order.order_id > "b", Order.order_id < "a"),
        (Order.placed == NOON, Order.placed < NOON),
    ],
    ids=["two values", "a value out of its range", "too long", "the wrong way round", "a value and a range"],
)
def test_contradictions_send_nothing(conditions: tuple[Condition, ...]) -> None:
    """No request for what no item can be, and none that DynamoDB would refuse."""
    assert plan(ANN, *conditions).requests == ()


def test_a_number_that_the_format_cannot_write() -> None:
    """No item of the index has it, so nothing is read; as a bound it says nothing, and the filter decides."""
    assert plan(Order.status == "open", Order.number == 10**6).requests == ()
    assert shown(plan(Order.status == "open", Order.number < 10**6)) == [
        ("gsi1pk = STATUS#open", f"number < 1000000 AND {TYPE}")
    ]


def test_a_bound_that_is_too_long_is_a_filter() -> None:
    """DynamoDB refuses a key value of more than 1,024 bytes."""
    ((key, rest),) = shown(plan(ANN, Order.placed == NOON, Order.order_id > "x" * 1100))
    assert key == "pk = CUSTOMER#ann AND begins_with(sk, ORDER#2026-03-04#)"
    assert rest.startswith("order_id > xxx")


def test_values_become_queries_and_too_many_a_filter() -> None:
    """A query for each value of a leading component, merged by the sort key; one query and a filter above a hundred."""
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 1)]
    read = plan(ANN, Order.placed.is_in(days))
    assert [key for key, _ in shown(read)] == [
        "pk = CUSTOMER#ann AND begins_with(sk, ORDER#2026-01-02#)",
        "pk = CUSTOMER#ann AND begins_with(sk, ORDER#2026-01-01#)",
    ]
    assert read.merge_by == ("sk",)
    same_day = [datetime(2026, 1, 2, hour, tzinfo=UTC) for hour in (2, 1)]
    assert len(plan(ANN, Order.placed.is_in(same_day)).requests) == 1
    many = [Order.customer_id.is_in([f"c{n}" for n in range(60)]), Order.placed.is_in(days)]
    (*_, (key, rest)) = shown(plan(*many))
    assert len(plan(*many).requests) == 60
    assert key == "pk = CUSTOMER#c59 AND begins_with(sk, ORDER#)"
    assert rest.startswith("placed IN (2026-01-02")


def test_an_open_partition_is_refused() -> None:
    """The message names attributes of the model, and never an index() that a shared table does not take."""
    with pytest.raises(NoUsableIndex) as caught:
        plan(Order.total == 3)
    assert str(caught.value) == (
        "no key or index of Order answers this query without reading the whole table:\n"
        "  the table: needs Order.customer_id == ...\n"
        "  index lsi1: needs Order.customer_id == ...; leaves out items without code\n"
        "  index gsi1: needs Order.status == ...; leaves out items that its when= does not allow (status)\n"
        "  index gsi2: needs Order.day == ...; does not hold number, placed, status, total; leaves out items without code\n"
        "  index inverted: needs Order.placed == ... & Order.order_id == ...\n"
        "Give one of them what it needs, name one with using(...), add a GSI to Table('shop') and its keys to the model, "
        "@model(..., NAME=('TOTAL#{total}', ...)), or insist with allow_scan()"
    )
    with pytest.raises(NoUsableIndex, match=r"index gsi1: holds no Line: give the model its keys, @model\(..., gsi1="):
        plan(cls=Line)


def test_a_static_partition_needs_no_conditions() -> None:
    """Where the same template is the partition key of all items, they are read without any: no scan."""
    read = plan(cls=Customer)
    assert read.target.name == "index inverted"
    assert shown(read) == [("sk = PROFILE AND begins_with(pk, CUSTOMER#)", "_type = customer")]


def test_a_sparse_index_is_taken_where_the_conditions_imply_it() -> None:
    """By a value of which when= holds, by the condition itself, or by a value for each component that may be absent."""
    assert plan(Order.status == "open").target.name == "index gsi1"
    assert plan(Order.status.is_in(["open", "paid"])).target.name == "index gsi1"
    with pytest.raises(NoUsableIndex, match="leaves out items that its when= does not allow"):
        plan(Order.status.is_in(["open", "closed"]))
    assert plan(ANN, Order.code == "c").target.name == "index lsi1"
    assert plan(ANN, Order.code != "c").target.name == "the table"
    assert plan(Order.status == "closed", using="gsi1").target.name == "index gsi1"


def test_an_index_of_keys_alone_tells_components() -> None:
    """What the keys tell is as if it were held; what they keep in part, or not, is not."""
    read = plan(Order.day == date(2026, 1, 1), Order.code > "a", select=(Order.customer_id, Order.code))
    assert read.target.name == "index gsi2"
    assert read.told == {"customer_id", "order_id", "day", "code"}
    assert shown(read)[0][0] == "gsi2pk = DAY#2026-01-01 AND gsi2sk >= a$"
    assert "FilterExpression" not in read.requests[0].body
    names = read.requests[0].body["ExpressionAttributeNames"].values()
    assert not {"customer_id", "code"} & {*names}
    with pytest.raises(UsageError, match="index gsi2 does not hold code: a filter"):
        plan(Order.day == date(2026, 1, 1), Order.code != "a", using="gsi2")


def test_the_type_of_items() -> None:
    """Items of other models are filtered out; the limit stays where they have no keys in what is read."""
    (body,) = (request.body for request in plan(ANN, limit=5).requests)
    assert body["Limit"] == 5
    whole_day = plan(ANN, Order.placed == NOON, limit=5)
    assert "Limit" not in whole_day.requests[0].body
    assert plan_scan(ORDER, "shop", Reading(limit=5)).requests[0].body == {
        "TableName": "shop",
        "FilterExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "_type"},
        "ExpressionAttributeValues": {":v0": {"S": "order"}},
    }


def test_variants_are_of_several_types() -> None:
    """A model's variants are among its items; a variant alone is not all of them."""
    table = Table("payments", partition_key="pk", sort_key="sk")

    @model(table, type="payment", pk="P#{payer}", sk="PAY#{number:04}")
    class Payment:
        payer: Attr[str]
        number: Attr[int]

    before = plan(Payment.payer == "a", cls=Payment, limit=2)

    @model(type="card")
    class Card(Payment):
        pan: Attr[str] = attr(default="")

    both, card = plan(Payment.payer == "a", cls=Payment, limit=2), plan(Card.payer == "a", cls=Card, limit=2)
    assert [shown(read)[0][1] for read in (before, both, card)] == [
        "_type = payment",
        "_type IN (payment, card)",
        "_type = card",
    ]
    assert [read.requests[0].body.get("Limit") for read in (before, both, card)] == [2, 2, None]


def test_a_table_without_discriminator() -> None:
    """What could be another model's is refused; what only this model's templates can make is read."""
    table = Table("bare", partition_key="pk", sort_key="sk", discriminator=None)

    @model(table, pk="C#{name}", sk="A#{one}")
    class One:
        name: Attr[str]
        one: Attr[str]

    @model(table, pk="C#{name}", sk="A#{one}#B#{two}")
    class Two:
        name: Attr[str]
        one: Attr[str]
        two: Attr[str]

    with pytest.raises(NoUsableIndex, match="may hold items of Two there, and table bare has no discriminator to tell"):
        plan(One.name == "a", cls=One)
    (request,) = plan(One.name == "a", One.one == "b", cls=One).requests
    assert "FilterExpression" not in request.body
    with pytest.raises(UsageError, match="a scan of the table for One: it may hold items of Two"):
        plan_scan(spec_of(One), "bare", Reading())

    @model(Table("apart", partition_key="pk", discriminator=None), pk="A#{name}")
    class Alone:
        name: Attr[str]

    assert "FilterExpression" not in plan_scan(spec_of(Alone), "apart", Reading()).requests[0].body

    @model(spec_of(Alone).table, pk="B#{name}")
    class Other:
        name: Attr[str]

    assert shown(plan_scan(spec_of(Other), "apart", Reading())) == [("", "begins_with(pk, B#)")]


def test_an_index_that_does_not_hold_the_type() -> None:
    """Where other models are in the index as well, it is refused with the reason."""
    table = Table("mixed", partition_key="pk", indexes=[GSI("by_x", "xpk", "xsk", projection="keys_only")])

    @model(table, type="a", pk="A#{name}", by_x=("X", "{name}"))
    class A:
        name: Attr[str]

    assert plan(A.name.begins_with("a"), cls=A, using="by_x").requests

    @model(table, type="b", pk="B#{name}", by_x=("X", "{name}"))
    class B:
        name: Attr[str]

    assert spec_of(B).type
    with pytest.raises(NoUsableIndex, match="may hold items of B there, and it does not hold _type to tell them from"):
        plan(A.name.begins_with("a"), cls=A, using="by_x")


def test_keys_of_numbers() -> None:
    """A key of numbers is a component as it is stored: its conditions are those of the key."""
    table = Table("meters", partition_key="pk", sort_key="at", types={"at": "N"})

    @model(table, type="reading", pk="M#{meter}", at="{moment}")
    class Meter:
        meter: Attr[str]
        moment: Attr[int]

    mine = Meter.meter == "m"
    assert shown(plan(mine, Meter.moment > 3, cls=Meter)) == [("pk = M#m AND at > 3", "_type = reading")]
    assert shown(plan(mine, Meter.moment == 3, cls=Meter)) == [("pk = M#m AND at = 3", "_type = reading")]
    assert shown(plan(mine, Meter.moment > 3, Meter.moment < 9, cls=Meter)) == [
        ("pk = M#m AND at < 9", "moment > 3 AND _type = reading")
    ]


def test_explain_shows_it() -> None:
    """Why a key serves, in the model's own names."""
    told = explain(plan(ANN, Order.placed == NOON, Order.order_id > "o"))
    assert told.candidates[0].reasons == (
        "its partition key is given",
        "its sort key narrows what is read (placed, order_id)",
    )
    assert explain(plan(ANN)).candidates[0].reasons == ("its partition key is given",)
