"""Hidden items in requests: a filter of its own, which neither chooses an index nor moves a cursor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    InvalidValue,
    NoUsableIndex,
    UsageError,
    attr,
    deleted_at,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
)
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.cursors import fingerprint
from dynamorm_async.plan.explain import explain
from dynamorm_async.plan.hiding import hiding, is_hidden
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
EPOCH = int(NOW.timestamp())


@model(table="drafts", hide_expired=True)
class Draft:
    owner: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="plain")
    expires: Attr[int | None] = ttl(default=None, name="ttl")
    deleted: Attr[datetime | None] = deleted_at(name="gone")

    by_expiry = index(partition="kind", sort="expires")
    bin = index(partition="kind", sort="deleted")
    numbers = index(partition="kind", sort="number", projection="keys_only")
    marks = index(partition="kind", sort="owner", projection=["deleted"])


@model(table="soft")
class Soft:
    pk: Attr[str] = partition_key()
    deleted: Attr[datetime | None] = deleted_at()


@model(table="open")
class Open:
    pk: Attr[str] = partition_key()
    expires: Attr[datetime | None] = ttl(default=None)


@model(table="lasting", hide_expired=True)
class Timed:
    pk: Attr[str] = partition_key()
    expires: Attr[datetime | None] = ttl(default=None)


DRAFT = spec_of(Draft)
MINE = Draft.owner == "ann"
PLAIN = Draft.kind == "plain"


def query(*conditions: Condition, at: datetime = NOW, **asked: Any) -> ReadPlan:
    reading = Reading(conditions=conditions, **asked)
    return plan_query(DRAFT, "drafts", reading, None if reading.with_hidden else hiding(DRAFT, at))


def scan(*conditions: Condition, **asked: Any) -> ReadPlan:
    return plan_scan(DRAFT, "drafts", Reading(conditions=conditions, **asked), hiding(DRAFT, NOW))


def shown(body: dict[str, Any], parameter: str = "FilterExpression") -> str:
    """An expression with its names put in, and its values but for the time."""
    text: str = body.get(parameter, "")
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        text = text.replace(alias, name)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = text if alias == ":now" else text.replace(alias, str(next(iter(value.values()))))
    return text


# --- one item -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "item", "hidden"),
    [
        (DRAFT, Draft(owner="a", number=1), False),
        (DRAFT, Draft(owner="a", number=1, expires=EPOCH + 1), False),
        (DRAFT, Draft(owner="a", number=1, expires=EPOCH), True),
        (DRAFT, Draft(owner="a", number=1, expires=0), True),
        (DRAFT, Draft(owner="a", number=1, deleted=NOW), True),
        (DRAFT, Draft(owner="a", number=1, expires=EPOCH + 1, deleted=NOW), True),
        (spec_of(Timed), Timed(pk="a"), False),
        (spec_of(Timed), Timed(pk="a", expires=NOW), True),
        (spec_of(Timed), Timed(pk="a", expires=NOW + timedelta(seconds=1)), False),
        (spec_of(Soft), Soft(pk="a"), False),
        (spec_of(Soft), Soft(pk="a", deleted=NOW + timedelta(days=1)), True),
        (spec_of(Open), Open(pk="a", expires=NOW - timedelta(days=1)), False),
    ],
)
def test_one_item(spec: ModelSpec[Any], item: object, *, hidden: bool) -> None:
    """Hidden from the second at which it expires, or where it has a mark, whatever its time; only where declared."""
    assert is_hidden(spec, item, NOW) == hidden
    rule = hiding(spec, NOW)
    assert (rule is not None and rule.hides(spec.codec.encode(item))) == hidden


def test_a_time_without_zone_is_refused() -> None:
    """A clock that returns naive times would hide by the zone of the machine."""
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(InvalidValue, match="time zone"):
        hiding(DRAFT, naive)
    with pytest.raises(InvalidValue, match="time zone"):
        is_hidden(DRAFT, Draft(owner="a", number=1, expires=1), naive)


# --- the filter ---------------------------------------------------------------------------------


def test_the_filter_of_a_query() -> None:
    """After the caller's own conditions, with a placeholder of its own for the time in whole seconds."""
    (request,) = query(MINE, PLAIN).requests
    assert shown(request.body) == "kind = plain AND NOT (ttl <= :now) AND (attribute_not_exists(gone) OR gone = True)"
    assert request.body["ExpressionAttributeValues"][":now"] == {"N": str(EPOCH)}
    assert {"NULL": True} in request.body["ExpressionAttributeValues"].values()
    (request,) = plan_query(
        spec_of(Soft), "soft", Reading(conditions=(Soft.pk == "a",)), hiding(spec_of(Soft), NOW)
    ).requests
    assert shown(request.body) == "attribute_not_exists(deleted) OR deleted = True"
    assert ":now" not in request.body["ExpressionAttributeValues"]


def test_the_filter_of_a_scan() -> None:
    """Every segment has it; a scan can be filtered on the keys of what it reads."""
    for plan in (scan(segments=2), scan(using="by_expiry")):
        for request in plan.requests:
            assert shown(request.body) == "NOT (ttl <= :now) AND (attribute_not_exists(gone) OR gone = True)"
        assert (plan.filtered, plan.sifted) == (True, False)


def test_nothing_is_added_where_nothing_is_hidden() -> None:
    """with_hidden(), and models that hide nothing, send what they always did."""
    (request,) = query(MINE, with_hidden=True).requests
    assert set(request.body) == {
        "TableName",
        "KeyConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
    }
    assert hiding(spec_of(Open), NOW) is None


def test_a_limit_does_not_bound_what_is_read() -> None:
    """Of the items of a page all may be hidden, so DynamoDB's Limit is the page size alone."""
    assert "Limit" not in query(MINE, limit=5).requests[0].body
    assert query(MINE, limit=5, page_size=7).requests[0].body["Limit"] == 7
    assert query(MINE, limit=5, with_hidden=True).requests[0].body["Limit"] == 5
    assert "Limit" not in query(PLAIN, using="by_expiry", limit=5).requests[0].body
    assert "Limit" not in query(PLAIN, using="numbers", hydrate=True, limit=5).requests[0].body


# --- the choice ---------------------------------------------------------------------------------


def test_hiding_has_no_say_in_the_choice() -> None:
    """The same key condition on the same target, with and without; the index on the mark is not for what has none."""
    for conditions in ((MINE,), (MINE, Draft.number > 3), (MINE, Draft.deleted > NOW), (MINE, Draft.expires == 5)):
        with_it, without = query(*conditions), query(*conditions, with_hidden=True)
        assert with_it.target == without.target
        for plan in (with_it, without):
            assert shown(plan.requests[0].body, "KeyConditionExpression").startswith("owner = ann")


def test_an_index_on_the_time_is_filtered_here() -> None:
    """DynamoDB takes no filter on a key of what it reads: the rows are looked at instead, and counted by their keys."""
    plan = query(PLAIN, Draft.expires > 3)
    assert (plan.target.name, plan.sifted, plan.filtered) == ("index by_expiry", True, True)
    assert shown(plan.requests[0].body) == "attribute_not_exists(gone) OR gone = True"
    counted = query(PLAIN, Draft.expires > 3, counting=True).requests[0].body
    assert "Select" not in counted
    assert shown(counted, "ProjectionExpression") == "owner, number, kind, ttl"


def test_an_index_on_the_mark_is_refused() -> None:
    """It holds hidden items only: named or not, the message says how to read it."""
    for using in (None, "bin"):
        with pytest.raises(NoUsableIndex, match=r"bin.*holds soft-deleted items only: ask for them with_hidden\(\)"):
            query(PLAIN, Draft.deleted > NOW, using=using)
    assert query(PLAIN, Draft.deleted > NOW, with_hidden=True).target.name == "index bin"
    with pytest.raises(UsageError, match=r"index bin holds soft-deleted items only: ask for them with_hidden\(\)"):
        scan(using="bin")


def test_an_index_that_does_not_hold_the_attribute() -> None:
    """Refused, unless whole items are read from the table, where they are looked at; a count cannot do that."""
    message = (
        r"index numbers does not hold deleted, expires, so it cannot leave out what Draft hides: ask it with_hidden\(\)"
    )
    every: list[dict[str, Any]] = [
        {},
        {"counting": True},
        {"counting": True, "hydrate": True},
        {"select": (Draft.number,)},
    ]
    for asked in every:
        with pytest.raises(UsageError, match=message):
            query(PLAIN, using="numbers", **asked)
        with pytest.raises(UsageError, match=message):
            scan(using="numbers", **asked)
    with pytest.raises(UsageError, match="index marks does not hold expires, so"):
        query(PLAIN, using="marks")
    for plan in (query(PLAIN, using="numbers", hydrate=True), scan(using="numbers", hydrate=True)):
        assert (plan.hydrated, plan.sifted, plan.filtered) == (True, True, True)
        assert "FilterExpression" not in plan.requests[0].body
    half = query(PLAIN, using="marks", hydrate=True)
    assert shown(half.requests[0].body) == "attribute_not_exists(gone) OR gone = True"


def test_it_is_not_chosen_unasked() -> None:
    """The planner tells of such an index what it lacks, as for any attribute that a condition needs."""
    with pytest.raises(NoUsableIndex, match="index numbers: does not hold deleted, expires"):
        query(PLAIN, Draft.number == 1, counting=True, hydrate=True)


# --- cursors and explanations -------------------------------------------------------------------


def test_a_cursor_is_not_bound_to_the_time() -> None:
    """The same reading an hour later has the same fingerprint, even where a condition names just that second."""
    hour = timedelta(hours=1)
    for conditions in ((MINE,), (MINE, Draft.expires != EPOCH), (MINE, Draft.expires != EPOCH + 3600)):
        now, later = query(*conditions), query(*conditions, at=NOW + hour)
        assert now.requests != later.requests
        assert _bound(now) == _bound(later)
        assert _bound(now) != _bound(query(*conditions, with_hidden=True))


def test_a_cursor_is_bound_to_the_callers_times() -> None:
    """A condition on the time to live is one as any other."""
    assert _bound(query(MINE, Draft.expires != 1)) != _bound(query(MINE, Draft.expires != 2))


def test_a_cursor_is_bound_to_what_is_left_out() -> None:
    """Told apart by name where no filter does: of an index on the time, whose rows are looked at here."""
    body = query(PLAIN, Draft.expires > 3).requests[0].body
    names = fingerprint([body], ("expired items (expires)",))
    assert len({names, fingerprint([body]), fingerprint([body], ("soft-deleted items (deleted)",))}) == 3


def _bound(plan: ReadPlan) -> bytes:
    return fingerprint([request.body for request in plan.requests])


def test_an_explanation_names_what_is_left_out() -> None:
    """By the names of the model, and how to see it; nothing is said where nothing is hidden."""
    told = explain(query(MINE))
    assert told.leaves_out == ("expired items (expires)", "soft-deleted items (deleted)")
    assert (
        "\n  leaves out expired items (expires) and soft-deleted items (deleted); with_hidden() returns them\n"
    ) in str(told)
    assert "FilterExpression: NOT (" in str(told)
    every = explain(query(MINE, with_hidden=True))
    assert every.leaves_out == ()
    assert "leaves out expired" not in str(every)
