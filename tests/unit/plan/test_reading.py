"""The requests of queries and scans, as DynamoDB gets them."""

from __future__ import annotations

import pytest

from dynamorm_async import BadResponse, UsageError
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import Position, fingerprint
from dynamorm_async.plan.positions import next_page, start_at
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan
from dynamorm_async.types import AttributeValue, Request
from tests.property.reading_models import Event

EVENT = spec_of(Event)
KEY: dict[str, AttributeValue] = {"stream": {"S": "a"}, "seq": {"N": "1"}}


def query(**asked: object) -> ReadPlan:
    reading = Reading(**{"conditions": (Event.stream == "a",), **asked})  # type: ignore[arg-type]  # of its fields
    return plan_query(EVENT, "pre-events", reading)


def scan(**asked: object) -> ReadPlan:
    return plan_scan(EVENT, "pre-events", Reading(**asked))  # type: ignore[arg-type]  # of its fields


def test_a_query() -> None:
    """Every name aliased, the filter apart from the key, in the table that it was asked for."""
    (request,) = query(
        conditions=(Event.note == "n", Event.stream == "a", Event.region != "eu"), consistent=True
    ).requests
    assert (request.operation, request.table, request.repeatable) == ("Query", "pre-events", True)
    assert request.body == {
        "TableName": "pre-events",
        "KeyConditionExpression": "#n0 = :v0",
        "FilterExpression": "#n1 = :v1 AND #n2 <> :v2",
        "ExpressionAttributeNames": {"#n0": "stream", "#n1": "note", "#n2": "r"},
        "ExpressionAttributeValues": {":v0": {"S": "a"}, ":v1": {"S": "n"}, ":v2": {"S": "eu"}},
        "ConsistentRead": True,
    }


@pytest.mark.parametrize(
    ("limit", "page_size", "filtered", "size"),
    [
        (None, None, False, None),
        (5, None, False, 5),
        (5, 3, False, 3),
        (2, 3, False, 2),
        (5, None, True, None),
        (5, 3, True, 3),
        (1, 3, True, 3),
    ],
)
def test_the_size_of_a_page(*, limit: int | None, page_size: int | None, filtered: bool, size: int | None) -> None:
    """A limit bounds what DynamoDB reads only where nothing is filtered (flaw D19)."""
    conditions = (Event.stream == "a", *([Event.note == "n"] if filtered else []))
    (request,) = query(conditions=conditions, limit=limit, page_size=page_size).requests
    assert request.body.get("Limit") == size


def test_a_projection() -> None:
    """The selected paths and the keys, none inside another; lists whole, because DynamoDB closes their gaps."""
    (request,) = query(select=(Event.note, Event.scores[3], Event.seq, Event.note)).requests
    names = request.body["ExpressionAttributeNames"]
    assert [names[alias] for alias in request.body["ProjectionExpression"].split(", ")] == [
        "note",
        "scores",
        "seq",
        "stream",
    ]


def test_hydrating_asks_an_index_for_keys_only() -> None:
    """What the table gives anyhow is not asked of the index; whole items are not read twice."""
    read = query(conditions=(Event.kind == "odd",), using="keys_by_kind", hydrate=True, select=(Event.note,))
    names = read.requests[0].body["ExpressionAttributeNames"]
    asked = {names[alias] for alias in read.requests[0].body["ProjectionExpression"].split(", ")}
    assert asked == {"stream", "seq", "kind", "weight"}
    assert read.hydrated
    whole = query(conditions=(Event.kind == "odd",), hydrate=True, using="by_kind")
    assert not whole.hydrated
    assert "ProjectionExpression" not in whole.requests[0].body


def test_counting() -> None:
    """The same index as for the items, and neither projection nor unused names, which DynamoDB refuses."""
    conditions = (Event.kind == "odd", Event.weight > 1)
    items = query(conditions=conditions, select=(Event.seq,))
    count = query(conditions=conditions, select=(Event.seq,), counting=True)
    assert count.target == items.target
    body = count.requests[0].body
    assert body["Select"] == "COUNT"
    assert "ProjectionExpression" not in body
    assert set(body["ExpressionAttributeNames"].values()) == {"kind", "weight"}
    assert fingerprint([body]) == fingerprint([items.requests[0].body])


def test_a_scan() -> None:
    """Segments, a filter that may be on keys, an index by name."""
    read = scan(segments=2, conditions=(Event.seq > 1,), using="by_kind", page_size=7)
    assert [request.body for request in read.requests] == [
        {
            "TableName": "pre-events",
            "IndexName": "by_kind",
            "Segment": segment,
            "TotalSegments": 2,
            "FilterExpression": "#n0 > :v0",
            "ExpressionAttributeNames": {"#n0": "seq"},
            "ExpressionAttributeValues": {":v0": {"N": "1"}},
            "Limit": 7,
        }
        for segment in range(2)
    ]
    assert scan().requests[0].body == {"TableName": "pre-events"}
    with pytest.raises(UsageError, match="index by_kind is global: DynamoDB reads it eventually consistently only"):
        scan(using="by_kind", consistent=True)


def test_the_next_page() -> None:
    """The same request after a key; a key that did not move is refused."""
    (request,) = query().requests
    after = next_page(request, KEY)
    assert after.body == {**request.body, "ExclusiveStartKey": KEY}
    assert "ExclusiveStartKey" not in request.body
    assert next_page(after, {**KEY, "seq": {"N": "2"}}).body["ExclusiveStartKey"]["seq"] == {"N": "2"}
    with pytest.raises(BadResponse, match=r"^Query on table pre-events: a page ended at the key after which it began"):
        next_page(after, dict(KEY))


def test_parts_start_at_their_positions() -> None:
    """A part that is done, one at its start and one after a key; in a local index with its key."""
    read = scan(segments=3)
    found = start_at(read, [Position(done=True), Position(), Position(key=KEY)])
    assert found == [None, read.requests[1], next_page(read.requests[2], KEY)]
    local = query(using="by_weight")
    position = Position(key={**KEY, "weight": {"N": "5"}})
    assert start_at(local, [position]) == [next_page(local.requests[0], {**KEY, "weight": {"N": "5"}})]


def test_fingerprints_of_requests_without_expressions() -> None:
    """A whole scan has one, too; another table's is another."""
    assert fingerprint([{"TableName": "a"}]) == fingerprint([{"TableName": "a", "Limit": 3, "ConsistentRead": True}])
    assert fingerprint([{"TableName": "a"}]) != fingerprint([{"TableName": "b"}])
    assert fingerprint([{"TableName": "a"}]) != fingerprint([{"TableName": "a"}, {"TableName": "a"}])
    request = Request(operation="Scan", body={"TableName": "a"})
    assert next_page(request, KEY).table is None
