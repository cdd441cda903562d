"""Which key or index is chosen, and what people read where none is."""

from __future__ import annotations

import pytest

from dynamorm_async import NoUsableIndex, UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query
from tests.property.reading_models import Event, Plain

EVENT = spec_of(Event)


def plan(*conditions: Condition, **asked: object) -> ReadPlan:
    return plan_query(EVENT, "events", Reading(conditions=conditions, **asked))  # type: ignore[arg-type]  # of its fields


def reasons(read: ReadPlan, name: str) -> tuple[str, ...]:
    return next(candidate for candidate in read.candidates if candidate.name == name).reasons


@pytest.mark.parametrize(
    ("conditions", "target"),
    [
        ((Event.stream == "a",), "the table"),
        ((Event.stream == "a", Event.seq > 1), "the table"),
        ((Event.stream == "a", Event.weight > 1), "index by_weight"),
        ((Event.kind == "odd",), "index by_kind"),
        ((Event.kind == "odd", Event.seq > 1), "index by_kind"),
        ((Event.region == "eu",), "index by_region"),
        ((Event.region == "eu", Event.owner == "ada"), "index by_owner"),
        ((Event.region == "eu", Event.kind == "odd"), "index by_kind"),
        ((Event.region == "eu", Event.kind == "odd", Event.weight == 1, Event.seq > 1), "index by_place"),
        ((Event.stream == "a", Event.kind == "odd", Event.region == "eu"), "the table"),
        ((Event.stream.is_in(["a", "b"]), Event.kind == "odd"), "the table"),
        ((Event.stream == "a", Event.seq.is_in([1, 2, 3])), "the table"),
    ],
    ids=str,
)
def test_the_best_is_chosen(conditions: tuple[Condition, ...], target: str) -> None:
    """What does not lag behind the table, then fewest queries, then the sort key that narrows most, then by order."""
    assert plan(*conditions).target.name == target


def test_a_consistent_read_is_never_of_a_global_index() -> None:
    """It takes the table or a local index, or is refused, with the reason (flaw D2)."""
    assert plan(Event.stream == "a", Event.kind == "odd", consistent=True).target.name == "the table"
    assert plan(Event.stream == "a", Event.weight == 1, consistent=True).target.name == "index by_weight"
    with pytest.raises(NoUsableIndex, match="index by_kind: is read eventually consistently only"):
        plan(Event.kind == "odd", consistent=True)
    with pytest.raises(NoUsableIndex, match="Event: index by_kind cannot answer this query: is read eventually"):
        plan(Event.kind == "odd", consistent=True, using=Event.by_kind)


def test_a_sparse_index_is_not_chosen_unasked() -> None:
    """An index that leaves items out answers only where the condition asks for what it has, or where it is named (D2)."""
    read = plan(Event.region == "eu")
    assert read.target.name == "index by_region"
    assert reasons(read, "index by_owner") == ("its partition key is given", "leaves out items without owner")
    assert plan(Event.region == "eu", using=Event.by_owner).target.name == "index by_owner"


def test_an_index_that_lacks_attributes_is_not_chosen_unasked() -> None:
    """Unless what is selected, filtered and hydrated is all there; named, it is used."""
    whole = plan(Event.kind == "odd", Event.weight > 1)
    assert whole.target.name == "index by_kind"
    assert reasons(whole, "index keys_by_kind")[-1] == "does not hold note, owner, region, scores"
    assert plan(Event.kind == "odd", Event.weight > 1, select=(Event.seq,)).target.name == "index keys_by_kind"
    assert plan(Event.kind == "odd", Event.weight > 1, hydrate=True).target.name == "index keys_by_kind"
    filtered = plan(Event.kind == "odd", Event.weight > 1, Event.note == "n", hydrate=True)
    assert filtered.target.name == "index by_kind"
    assert reasons(filtered, "index keys_by_kind")[-1] == "does not hold note"
    named = plan(Event.kind == "odd", using="keys_by_kind")
    assert named.held == frozenset({"stream", "seq", "kind", "weight"})


def test_sort_attributes_are_used_from_the_left() -> None:
    """Of several sort key attributes each may have a value, the last one a range; a gap is told."""
    read = plan(Event.region == "eu", Event.kind == "odd", Event.weight.is_in([1, 2]), Event.seq > 3, using="by_place")
    assert [request.body["KeyConditionExpression"] for request in read.requests] == [
        "#n0 = :v0 AND #n1 = :v1 AND #n2 = :v2 AND #n3 > :v3"
    ] * 2
    assert read.merge_by == ("weight", "seq")
    with pytest.raises(
        NoUsableIndex, match=r"by_place cannot answer .* takes a condition on seq only where weight before"
    ):
        plan(Event.region == "eu", Event.kind == "odd", Event.seq > 3, using="by_place")
    with pytest.raises(NoUsableIndex, match="takes a condition on seq only where weight before it has a value"):
        plan(Event.region == "eu", Event.kind == "odd", Event.weight > 1, Event.seq > 3, using="by_place")


def test_too_many_queries_are_refused() -> None:
    """Combinations of key values are bounded: a hundred queries, not ten thousand."""
    regions, kinds = list("abcdefghij"), list("abcdefghijk")
    nearly = plan(Event.region.is_in(regions[1:]), Event.kind.is_in(kinds), using="by_place")
    assert len(nearly.requests) == 99
    with pytest.raises(NoUsableIndex, match="by_place cannot answer this query: would take 110 queries; at most 100"):
        plan(Event.region.is_in(regions), Event.kind.is_in(kinds), using="by_place")


def test_the_refusal_says_what_would_serve() -> None:
    """Each candidate with what it needs, in the model's own names, and an index that could be declared."""
    with pytest.raises(NoUsableIndex) as caught:
        plan(Event.owner == "ada", Event.seq != 3)
    assert str(caught.value) == (
        "no key or index of Event answers this query without reading the whole table:\n"
        "  the table: a condition on seq is not one that DynamoDB takes on a key (==, <, <=, >, >=, between, begins_with, "
        "is_in); needs Event.stream == ...\n"
        "  index by_weight: needs Event.stream == ...\n"
        "  index by_note_only: needs Event.stream == ...; does not hold owner, region, scores, weight\n"
        "  index by_kind: a condition on seq is not one that DynamoDB takes on a key (==, <, <=, >, >=, between, begins_with, "
        "is_in); needs Event.kind == ...\n"
        "  index by_region: needs Event.region == ...\n"
        "  index by_owner: needs Event.region == ...\n"
        "  index keys_by_kind: needs Event.kind == ...; does not hold note, owner, region, scores\n"
        "  index notes_by_region: needs Event.region == ...; does not hold kind, owner, scores\n"
        "  index by_place: a condition on seq is not one that DynamoDB takes on a key (==, <, <=, >, >=, between, begins_with, "
        "is_in); needs Event.region == ... & Event.kind == ...\n"
        "Give one of them what it needs, name one with using(...), declare an index with index(partition='owner'), "
        "or insist with allow_scan()"
    )
    with pytest.raises(NoUsableIndex, match=r"name one with using\(\.\.\.\), or insist with allow_scan\(\)$"):
        plan(Event.weight > 3)


def test_no_conditions_are_a_scan() -> None:
    """A query without conditions is refused; allow_scan() reads the table, and says why nothing else serves."""
    with pytest.raises(NoUsableIndex):
        plan()
    read = plan(Event.weight > 3, allow_scan=True)
    assert [request.operation for request in read.requests] == ["Scan"]
    assert reasons(read, "the table") == ("needs Event.stream == ...",)
    with pytest.raises(UsageError, match=r"a scan of Event has no order: descending\(\) needs a query"):
        plan(Event.weight > 3, allow_scan=True, descending=True)


def test_a_table_without_sort_key() -> None:
    """Parts of a key without order come in the order in which their values were given."""
    read = plan_query(spec_of(Plain), "plain", Reading(conditions=(Plain.plain_id.is_in(["b", "a"]),)))
    assert [request.body["ExpressionAttributeValues"] for request in read.requests] == [
        {":v0": {"S": "b"}},
        {":v0": {"S": "a"}},
    ]
    assert read.merge_by == ()
    assert reasons(read, "the table") == ("its partition key is given, by 2 queries",)
