"""What is hidden is one rule, wherever it is applied: by DynamoDB's filter, to raw items, and to decoded ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import Attr, NoUsableIndex, attr, deleted_at, index, model, partition_key, sort_key, ttl
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import fingerprint
from dynamorm_async.plan.hiding import hiding, is_hidden
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan
from tests.property.evaluator import Parser


@model(table="drafts", hide_expired=True)
class Draft:
    owner: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="plain")
    expires: Attr[datetime | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at(name="gone")

    by_kind = index(partition="kind", sort="number")
    by_expiry = index(partition="kind", sort="expires")
    numbers = index(sort="kind", local=True, projection="keys_only")


SPEC = spec_of(Draft)
SECONDS = st.integers(1_700_000_000, 1_700_000_010)
MOMENTS = st.datetimes(datetime(2023, 11, 14, 22, 13, 20), datetime(2023, 11, 14, 22, 13, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
NULL: dict[str, Any] = {"NULL": True}
STAMPS = st.just({"S": "2023-11-14T22:13:25.000000Z"})
TIMES = st.none() | st.just(NULL) | SECONDS.map(lambda second: {"N": str(second)})
FOREIGN = st.just({"S": "1700000000"}) | st.just({"N": "1.7E9"}) | st.just({"BOOL": True})


def raw(expires: object, deleted: object) -> dict[str, Any]:
    own = {name: value for name, value in (("expires", expires), ("gone", deleted)) if value is not None}
    return {"owner": {"S": "a"}, "number": {"N": "1"}, **own}


@given(now=MOMENTS, expires=TIMES | FOREIGN, deleted=st.none() | st.just(NULL) | STAMPS)
def test_the_filter_and_the_rule_agree(now: datetime, expires: object, deleted: object) -> None:
    """An item passes the filter of a scan just where the rule does not hide it, whatever its attributes hold."""
    rule, item = hiding(SPEC, now), raw(expires, deleted)
    assert rule is not None
    (request,) = plan_scan(SPEC, "drafts", Reading(), rule).requests
    passes = Parser(request.body["FilterExpression"], request.body).condition()
    assert passes(item) == (not rule.hides(item))


@given(now=MOMENTS, expires=TIMES, deleted=st.none() | st.just(NULL) | STAMPS)
def test_decoded_items_are_judged_alike(now: datetime, expires: object, deleted: object) -> None:
    """get, which looks at the decoded item, hides what query and scan leave out."""
    rule, item = hiding(SPEC, now), raw(expires, deleted)
    assert rule is not None
    assert is_hidden(SPEC, SPEC.codec.decode(item), now) == rule.hides(item)


CONDITIONS: st.SearchStrategy[list[Condition]] = st.lists(
    st.sampled_from(
        [
            Draft.owner == "a",
            Draft.owner.is_in(["a", "b"]),
            Draft.number > 1,
            Draft.number == 2,
            Draft.kind == "plain",
            Draft.kind != "other",
            Draft.expires > datetime(2020, 1, 1, tzinfo=UTC),
            Draft.expires.exists(),
            Draft.deleted.not_exists(),
            (Draft.kind == "x") | (Draft.number == 3),
        ]
    ),
    max_size=4,
)


def planned(conditions: list[Condition], now: datetime | None) -> ReadPlan | None:
    rule = None if now is None else hiding(SPEC, now)
    try:
        return plan_query(SPEC, "drafts", Reading(conditions=tuple(conditions)), rule)
    except NoUsableIndex:
        return None


@given(conditions=CONDITIONS, now=MOMENTS, later=MOMENTS)
def test_hiding_neither_chooses_nor_binds(conditions: list[Condition], now: datetime, later: datetime) -> None:
    """The same key condition on the same target as without it; and a cursor made at one time is good at another."""
    plain, one, two = (planned(conditions, time) for time in (None, now, later))
    assert (plain is None) == (one is None) == (two is None)
    if plain is None or one is None or two is None:
        return
    assert plain.target == one.target == two.target
    for without, with_it in zip(plain.requests, one.requests, strict=True):
        assert without.body["KeyConditionExpression"] == with_it.body["KeyConditionExpression"]
    bound = [fingerprint([request.body for request in plan.requests]) for plan in (plain, one, two)]
    assert bound[1] == bound[2]
    assert not one.requests or bound[0] != bound[1]
