"""The planner looks at the whole set of conditions, and asks DynamoDB only for what it takes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import NoUsableIndex, UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.explain import explain
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query
from tests.property.evaluator import Parser
from tests.property.fake_table import FakeTable, Refused, check_request, held_names
from tests.property.reading_models import (
    Event,
    Plain,
    event_conditions,
    event_lists,
    nested,
    plain_conditions,
    query_of,
    raw_items,
)
from tests.property.sizing import examples

EVENT, PLAIN = spec_of(Event), spec_of(Plain)
SELECTIONS = (None, (Event.note,), (Event.stream, Event.seq), (Event.weight, Event.scores))
MODELS: st.SearchStrategy[tuple[ModelSpec[Any], list[Condition]]] = st.one_of(
    st.tuples(st.just(EVENT), st.lists(event_conditions, min_size=1, max_size=5)),
    st.tuples(st.just(PLAIN), st.lists(plain_conditions, min_size=1, max_size=4)),
)


@st.composite
def readings(draw: st.DrawFn) -> tuple[ModelSpec[Any], Reading]:
    """A model and what may be asked of it."""
    spec, conditions = draw(MODELS)
    events = spec is EVENT
    return spec, Reading(
        conditions=tuple(conditions),
        using=draw(st.sampled_from([None, None, None, Event.by_kind, "by_owner", "keys_by_kind"])) if events else None,
        select=draw(st.sampled_from(SELECTIONS)) if events else None,
        descending=draw(st.booleans()),
        consistent=draw(st.booleans()),
        limit=draw(st.sampled_from([None, 3])),
        page_size=draw(st.sampled_from([None, 2])),
        hydrate=draw(st.booleans()),
        counting=draw(st.booleans()),
    )


def planned(spec: ModelSpec[Any], reading: Reading) -> ReadPlan | str:
    """The plan, or why there is none."""
    try:
        return plan_query(spec, spec.table.name, reading)
    except UsageError as error:
        return str(error)


@examples(400)
@given(readings(), st.randoms(use_true_random=False), st.lists(st.integers(0, 9), max_size=6))
def test_the_order_of_conditions_does_not_matter(
    asked: tuple[ModelSpec[Any], Reading], shuffle: random.Random, choices: list[int]
) -> None:
    """Any permutation and any nesting of ``&`` gives the same requests, target and reasons (flaw D1)."""
    spec, reading = asked
    mixed = list(reading.conditions)
    shuffle.shuffle(mixed)
    conditions = tuple(nested(mixed, iter(choices)))
    assert planned(spec, msgspec.structs.replace(reading, conditions=conditions)) == planned(spec, reading)


@examples(150)
@given(st.lists(event_conditions, min_size=1, max_size=4), st.integers(0, 4))
def test_several_where_calls_are_one(conditions: list[Condition], at: int) -> None:
    """Conditions split over where() calls, in either order, are planned as those of one."""
    query = query_of(Event, FakeTable(EVENT.table, []).send).allow_scan()
    one, other = conditions[:at], conditions[at:]
    whole = query.where(*conditions).explain()
    assert query.where(*one).where(*other).explain() == whole
    assert query.where(*other).where(*one).explain() == whole


@examples(600)
@given(readings())
def test_requests_are_what_dynamodb_takes(asked: tuple[ModelSpec[Any], Reading]) -> None:
    """One condition a key attribute, equality on every partition attribute, no filter on a key, nothing unused (D3)."""
    spec, reading = asked
    plan = planned(spec, reading)
    if isinstance(plan, ReadPlan):
        for request in plan.requests:
            check_request(spec.table, request)


@examples(600)
@given(readings())
def test_a_chosen_index_answers_the_whole_query(asked: tuple[ModelSpec[Any], Reading]) -> None:
    """Unasked, no index that lacks attributes, leaves items out, or is global when consistent (flaw D2)."""
    spec, reading = asked
    plan = planned(spec, msgspec.structs.replace(reading, using=None))
    if not isinstance(plan, ReadPlan) or plan.target.index is None:
        return
    index, wires = plan.target.index, {member.wire for member in spec.attributes.values()}
    conditioned = {root for condition in reading.conditions for root in condition.roots()}
    assert index.local or not reading.consistent
    wanted = wires if reading.select is None else {str(attribute.segments[0]) for attribute in reading.select}
    needed = conditioned if reading.hydrate else conditioned | wanted
    assert needed <= held_names(spec.table, index, wires)
    nullable = {member.wire for member in spec.attributes.values() if member.shape.nullable}
    assert {*plan.target.key_names} & nullable <= conditioned


@examples(300)
@given(readings())
def test_planning_again_gives_the_same(asked: tuple[ModelSpec[Any], Reading]) -> None:
    """Ties are broken the same way each time (flaw D4)."""
    assert planned(*asked) == planned(*asked)


@examples(300)
@given(readings())
def test_every_candidate_has_a_reason(asked: tuple[ModelSpec[Any], Reading]) -> None:
    """explain() judges the table and every index, each with a reason; what was chosen unasked is usable."""
    spec, reading = asked
    plan = planned(spec, msgspec.structs.replace(reading, using=None))
    if isinstance(plan, str):
        assert all(f"\n  {name}: " in plan for name in ["the table", *(f"index {i.name}" for i in spec.table.indexes)])
        return
    told = explain(plan)
    assert len(told.candidates) == 1 + len(spec.table.indexes)
    assert all(candidate.reasons and all(candidate.reasons) for candidate in told.candidates)
    assert next(candidate for candidate in told.candidates if candidate.name == told.target).usable
    assert all(f" {candidate.name}: {candidate.reasons[0]}" in str(told) for candidate in told.candidates)


@examples(300)
@given(event_lists(), st.lists(event_conditions, min_size=1, max_size=4))
@pytest.mark.anyio
async def test_a_plan_finds_what_a_scan_finds(events: list[Event], conditions: list[Condition]) -> None:
    """Whatever is chosen returns just the items for which the conditions hold, each once."""
    table = FakeTable(EVENT.table, raw_items(*events))
    query = query_of(Event, table.send).where(*conditions)
    try:
        found = await query
    except NoUsableIndex:
        found = await query.allow_scan()
        assert {request.operation for request in table.requests} == {"Scan"}
    assert sorted(keys(found)) == sorted(keys(event for event in events if holds(conditions, event)))


def keys(events: Iterable[Event]) -> list[tuple[str, int]]:
    return [(event.stream, event.seq) for event in events]


def holds(conditions: list[Condition], event: Event) -> bool:
    """What the conditions themselves say of an item, without any planning."""
    placeholders, body = Placeholders(), dict[str, Any]()
    texts = [condition.render(placeholders) for condition in conditions]
    placeholders.into(body)
    return all(Parser(text, body).condition()(raw_items(event)[0]) for text in texts)


def test_the_checks_of_this_file_see_what_they_look_for() -> None:
    """A request that DynamoDB refuses is refused here."""
    plan = plan_query(EVENT, "events", Reading(conditions=(Event.stream == "a", Event.seq > 1)))
    body = plan.requests[0].body
    assert body["KeyConditionExpression"] == "#n0 = :v0 AND #n1 > :v1"
    check_request(EVENT.table, plan.requests[0])
    for changes in (
        {"KeyConditionExpression": "#n1 > :v1"},
        {"KeyConditionExpression": "#n0 = :v0 AND #n0 > :v1"},
        {"KeyConditionExpression": "#n0 > :v0 AND #n1 = :v1"},
        {"KeyConditionExpression": "#n0 = :v0", "FilterExpression": "#n1 > :v1"},
        {"ExpressionAttributeNames": {**body["ExpressionAttributeNames"], "#n2": "note"}},
        {"IndexName": "by_kind"},
    ):
        request = type(plan.requests[0])(operation="Query", body={**body, **changes}, table="events")
        with pytest.raises(Refused):
            check_request(EVENT.table, request)


@pytest.mark.parametrize(
    "conditions",
    [
        (Event.seq == 1, Event.seq == 2),
        (Event.seq == 1, Event.seq.is_in([2, 4])),
        (Event.seq >= 5, Event.seq <= 3),
        (Event.seq.between(5, 3),),
        (Event.stream == "b",),
    ],
    ids=str,
)
def test_contradictions_send_nothing(conditions: tuple[Condition, ...]) -> None:
    """Conditions that exclude each other need no request: DynamoDB would refuse or charge for it."""
    plan = plan_query(EVENT, "events", Reading(conditions=(Event.stream == "a", *conditions)))
    assert plan.requests == ()
    assert str(explain(plan)).startswith("nothing is sent: no item can match\n")


def test_all_orders_of_one_set() -> None:
    """All 120 orders of five conditions: one plan."""
    conditions = (
        Event.kind == "odd",
        Event.weight > 1,
        Event.stream == "a",
        Event.seq.between(1, 9),
        Event.owner.exists(),
    )
    plans = [plan_query(EVENT, "events", Reading(conditions=order)) for order in itertools.permutations(conditions)]
    assert len(plans) == 120
    assert all(plan == plans[0] for plan in plans)


def test_an_unknown_index_is_refused() -> None:
    """The error names the indexes that there are."""
    with pytest.raises(UsageError, match=r"table events of Event has no index 'by_x'; it has by_weight, by_note_only"):
        plan_query(EVENT, "events", Reading(conditions=(Event.stream == "a",), using="by_x"))
