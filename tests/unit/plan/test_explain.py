"""explain() as people read it."""

from __future__ import annotations

import pytest

from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.explain import Explanation, explain
from dynamorm_async.plan.reading import Reading, plan_query, plan_scan
from tests.property.reading_models import Event, Plain

EVENT, PLAIN = spec_of(Event), spec_of(Plain)


def explained(**asked: object) -> Explanation:
    return explain(plan_query(PLAIN, "plain", Reading(**asked)))  # type: ignore[arg-type]  # of its fields


def test_a_query() -> None:
    """The request, what it may cost, and a line for each candidate."""
    told = explained(conditions=(Plain.group == "g", Plain.size > 3))
    assert str(told) == (
        "Query of index by_group\n"
        "  TableName: plain\n"
        "  IndexName: by_group\n"
        "  KeyConditionExpression: #n0 = :v0\n"
        "  FilterExpression: #n1 > :v1\n"
        "  ExpressionAttributeNames: {'#n0': 'group', '#n1': 'size'}\n"
        "  ExpressionAttributeValues: {':v0': {'S': 'g'}, ':v1': {'N': '3'}}\n"
        "  costs 0.5 to 128 read units a page, items included that the filter drops\n"
        "  - the table: needs Plain.plain_id == ...\n"
        "  + index by_group: its partition key is given"
    )
    assert (told.operation, told.target, told.filtered) == ("Query", "index by_group", True)
    assert [(candidate.name, candidate.usable) for candidate in told.candidates] == [
        ("the table", False),
        ("index by_group", True),
    ]


def test_several_parts() -> None:
    """The first of them is shown, with their number; each is in ``requests``."""
    told = explained(conditions=(Plain.plain_id.is_in(["a", "b", "c"]),))
    assert str(told).startswith("Query of the table, in 3 parts at once; the first:\n")
    assert [body["ExpressionAttributeValues"] for body in told.requests] == [{":v0": {"S": s}} for s in "abc"]


def test_nothing_is_sent() -> None:
    """Conditions that exclude each other: no request, no cost, and that is said."""
    told = explained(conditions=(Plain.plain_id == "a", Plain.plain_id == "b"))
    assert str(told) == (
        "nothing is sent: no item can match\n"
        "  + the table: the conditions on its key exclude each other, so nothing is read\n"
        "  - index by_group: needs Plain.group == ..."
    )
    assert (told.operation, told.requests, told.units_per_page) == ("", (), (0.0, 0.0))


def test_a_narrowing_sort_key_is_told() -> None:
    """What speaks for a candidate, in the model's own names."""
    told = explain(plan_query(EVENT, "events", Reading(conditions=(Event.region == "eu", Event.owner == "ada"))))
    assert next(c for c in told.candidates if c.name == "index by_owner").reasons == (
        "its partition key is given",
        "its sort key narrows what is read (owner)",
    )


@pytest.mark.parametrize(
    ("asked", "units"),
    [
        ({}, (0.5, 128.0)),
        ({"consistent": True}, (1.0, 256.0)),
        ({"page_size": 1}, (0.5, 50.0)),
        ({"limit": 2, "consistent": True}, (1.0, 200.0)),
        ({"page_size": 1000}, (0.5, 128.0)),
    ],
    ids=str,
)
def test_what_a_page_costs(asked: dict[str, object], units: tuple[float, float]) -> None:
    """From one item of at most 4 KB to a page of 1 MB; an item has at most 400 KB; consistent reads cost twice."""
    assert explained(conditions=(Plain.plain_id == "a",), **asked).units_per_page == units


def test_a_scan() -> None:
    """A scan has no candidates; one that a query falls back to has the reasons against the others."""
    assert str(explain(plan_scan(PLAIN, "plain", Reading(segments=2)))) == (
        "Scan of the table, in 2 parts at once; the first:\n"
        "  TableName: plain\n"
        "  Segment: 0\n"
        "  TotalSegments: 2\n"
        "  costs 0.5 to 128 read units a page"
    )
    allowed = explained(conditions=(Plain.size > 3,), allow_scan=True)
    assert (allowed.operation, allowed.target) == ("Scan", "the table")
    assert str(allowed).endswith(
        "\n  - the table: needs Plain.plain_id == ...\n  - index by_group: needs Plain.group == ..."
    )
