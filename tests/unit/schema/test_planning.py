"""From a drift to steps: what is planned, what is left alone, what is refused, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    LSI,
    IndexSettings,
    OnDemand,
    Provisioned,
    Replica,
    Table,
    TableSettings,
    UsageError,
    VectorIndex,
    WarmThroughput,
)
from dynamorm_async.plan.tables import create_table
from dynamorm_async.schema.planning import Plan, TablePlan, plan_table
from dynamorm_async.schema.steps import PERMISSIONS, Permission, check_permissions
from tests.unit.schema.control_plane import ControlPlane
from tests.unit.schema.looking import look_at

POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
KEY = "arn:aws:kms:eu-west-1:000000000000:key/mine"


def table(*indexes: Any, ttl: str | None = None, types: Any = None, sort: str | None = "sk", **settings: Any) -> Table:
    return Table(
        "users",
        partition_key="pk",
        sort_key=sort,
        indexes=indexes,
        ttl=ttl,
        types=types,
        settings=TableSettings(**settings) if settings else None,
    )


def planned(before: Table, after: Table, *allow: Permission) -> TablePlan:
    """The plan from a table that was made as ``before`` to ``after``."""
    control = ControlPlane()
    control.handle("CreateTable", create_table(before, "users"))
    return next_plan(control, after, *allow) if before.ttl is None else _with_ttl(control, before, after, *allow)


def _with_ttl(control: ControlPlane, before: Table, after: Table, *allow: Permission) -> TablePlan:
    control.ttl["users"] = str(before.ttl)
    return next_plan(control, after, *allow)


def next_plan(control: ControlPlane, after: Table, *allow: Permission) -> TablePlan:
    return plan_table(after, "users", look_at(control, "users"), check_permissions(allow))


def actions(plan: TablePlan) -> list[str]:
    return [f"{step.action} {step.subject}" if step.subject else step.action for step in plan.steps]


@dataclass
class Drift:
    """A table before and after, what is allowed, and what is planned of it; ``left`` and ``refused`` are parts of sentences."""

    before: Table
    after: Table
    steps: Sequence[str] = ()
    allow: Sequence[Permission] = ()
    left: Sequence[str] = ()
    refused: Sequence[str] = ()


A, B, C = GSI("by_a", "a"), GSI("by_b", "b"), GSI("by_c", "c")
VECTOR = VectorIndex("near", "v", dimensions=3, distance="cosine")
LOW, HIGH = Provisioned(read=5, write=5), Provisioned(read=10, write=3)
REPLICATED: dict[str, Any] = {"replicas": ("us-east-1",)}

DRIFTS = {
    "nothing": Drift(table(A), table(A)),
    "settings that are not declared are left": Drift(table(stream="new_image", deletion_protection=True), table()),
    "a new index": Drift(table(), table(A), ["create_index by_a"]),
    "two new indexes, one after the other": Drift(table(), table(A, B), ["create_index by_a", "create_index by_b"]),
    "an extra index is left (D22)": Drift(table(A, B), table(A), left=["index by_b is", 'allow="delete_index"']),
    "an extra index, allowed": Drift(table(A, B), table(A), ["delete_index by_b"], ["delete_index"]),
    "another key, not allowed": Drift(
        table(A), table(GSI("by_a", "a", "b")), left=["declared is global on a (S) + b (S)", 'allow="replace_index"']
    ),
    "another key, with the wrong permission": Drift(
        table(A), table(GSI("by_a", "a", "b")), allow=["delete_index"], left=["replace_index"]
    ),
    "another key, allowed": Drift(
        table(A), table(GSI("by_a", "a", "b")), ["delete_index by_a", "create_index by_a"], ["replace_index"]
    ),
    "another projection, allowed": Drift(
        table(A),
        table(GSI("by_a", "a", projection=("x",))),
        ["delete_index by_a", "create_index by_a"],
        ["replace_index"],
    ),
    "an order of projected attributes is none": Drift(
        table(GSI("by_a", "a", projection=("x", "y"))), table(GSI("by_a", "a", projection=("y", "x")))
    ),
    "what is new comes before what goes": Drift(
        table(A), table(B), ["create_index by_b", "delete_index by_a"], ["delete_index"]
    ),
    "an attribute of another type: its other index goes first": Drift(
        table(A, GSI("also_a", "a")),
        table(GSI("by_a", "a"), types={"a": "N"}),
        ["delete_index by_a", "delete_index also_a", "create_index by_a"],
        ["replace_index", "delete_index"],
    ),
    "an attribute of another type, its other index not to be deleted": Drift(
        table(GSI("also_a", "a")),
        table(GSI("by_a", "a"), types={"a": "N"}),
        refused=["index by_a has a key attribute that index also_a has with another type"],
        left=["index also_a"],
    ),
    "another partition key": Drift(
        table(), Table("users", partition_key="id", sort_key="sk"), refused=["the key of a table"]
    ),
    "no sort key": Drift(table(), table(sort=None), refused=["sort key is sk (S), declared is none"]),
    "a new local index": Drift(
        table(), table(LSI("local", "l")), refused=["makes local indexes with their table only"]
    ),
    "another local index": Drift(
        table(LSI("local", "l")), table(LSI("local", "m")), refused=["local index local is local on pk (S) + l (S)"]
    ),
    "an extra local index": Drift(
        table(LSI("local", "l")), table(), left=["deletes local indexes with their table only"]
    ),
    "a vector index": Drift(table(), table(VECTOR), ["create_vector_index near"]),
    "another vector index": Drift(
        table(VECTOR),
        table(VectorIndex("near", "v", dimensions=4, distance="cosine")),
        ["delete_vector_index near", "create_vector_index near"],
        ["replace_index"],
    ),
    "an extra vector index": Drift(table(VECTOR), table(), left=["delete_index"]),
    "an extra vector index, allowed": Drift(table(VECTOR), table(), ["delete_vector_index near"], ["delete_index"]),
    "time to live": Drift(table(), table(ttl="until"), ["enable_ttl"]),
    "another time to live": Drift(table(ttl="until"), table(ttl="expires"), left=["disable_ttl"]),
    "another time to live, allowed": Drift(
        table(ttl="until"), table(ttl="expires"), ["disable_ttl", "enable_ttl"], ["disable_ttl"]
    ),
    "no time to live": Drift(table(ttl="until"), table(), left=["time to live is until, and not declared"]),
    "throughput up and down: up first, down last": Drift(
        table(A, billing=LOW),
        table(A, B, billing=HIGH),
        ["raise_throughput", "create_index by_b", "lower_throughput"],
    ),
    "to provisioned": Drift(table(A), table(A, B, billing=LOW), ["switch_billing", "create_index by_b"]),
    "to on demand, with a maximum": Drift(
        table(A, billing=LOW),
        table(A, billing=OnDemand(max_read=9), indexes={"by_a": IndexSettings(billing=OnDemand(max_write=3))}),
        ["switch_billing", "set_on_demand_maximum", "set_on_demand_maximum by_a"],
    ),
    "to provisioned, with a vector index": Drift(
        table(VECTOR), table(billing=LOW), left=["vector index near"], refused=["tables on demand alone have"]
    ),
    "a maximum": Drift(table(), table(billing=OnDemand(max_write=10)), ["set_on_demand_maximum"]),
    "no maximum": Drift(table(billing=OnDemand(max_write=10)), table(billing=OnDemand()), ["set_on_demand_maximum"]),
    "warm throughput goes up": Drift(
        table(), table(warm_throughput=WarmThroughput(read=20_000, write=1)), ["raise_warm_throughput"]
    ),
    "warm throughput is enough": Drift(table(), table(warm_throughput=WarmThroughput(read=1, write=1))),
    "warm throughput of an index": Drift(
        table(A),
        table(A, indexes={"by_a": IndexSettings(warm_throughput=WarmThroughput(read=20_000, write=1))}),
        ["raise_warm_throughput by_a"],
    ),
    "a stream": Drift(table(), table(stream="new_image"), ["enable_stream"]),
    "another stream": Drift(table(stream="new_image"), table(stream="keys_only"), left=["disable_stream"]),
    "another stream, allowed": Drift(
        table(stream="new_image"), table(stream="keys_only"), ["disable_stream", "enable_stream"], ["disable_stream"]
    ),
    "no stream": Drift(table(stream="new_image"), table(stream=None), left=['allow="disable_stream"']),
    "no stream, allowed": Drift(table(stream="new_image"), table(stream=None), ["disable_stream"], ["disable_stream"]),
    "recovery": Drift(table(), table(point_in_time_recovery=True), ["set_point_in_time_recovery"]),
    "encryption": Drift(table(), table(encryption="mine"), ["set_encryption"]),
    "the same key by its id": Drift(table(encryption=KEY), table(encryption="mine")),
    "a key is somebody's managed one": Drift(table(encryption="aws_managed"), table(encryption="aws_managed")),
    "class": Drift(table(), table(table_class="infrequent_access"), ["set_table_class"]),
    "protection": Drift(table(), table(deletion_protection=True), ["enable_deletion_protection"]),
    "no protection": Drift(
        table(deletion_protection=True), table(deletion_protection=False), left=["disable_deletion_protection"]
    ),
    "no protection, allowed": Drift(
        table(deletion_protection=True),
        table(deletion_protection=False),
        ["disable_deletion_protection"],
        ["disable_deletion_protection"],
    ),
    "tags": Drift(
        table(tags={"team": "a", "cost": "1"}),
        table(tags={"team": "b"}),
        ["set_tags"],
        left=["tag cost is 1, and not declared"],
    ),
    "tags, allowed": Drift(
        table(tags={"team": "a", "cost": "1"}), table(tags={"team": "b"}), ["set_tags", "remove_tags"], ["remove_tags"]
    ),
    "a replica brings its stream": Drift(table(), table(**REPLICATED), ["enable_stream", "add_replica us-east-1"]),
    "a replica with another stream": Drift(
        table(stream="keys_only"),
        table(**REPLICATED),
        left=["the replica in us-east-1 needs a stream of new_and_old_images"],
    ),
    "a replica with another stream, allowed": Drift(
        table(stream="keys_only"),
        table(**REPLICATED),
        ["disable_stream", "enable_stream", "add_replica us-east-1"],
        ["disable_stream"],
    ),
    "a policy": Drift(table(), table(resource_policy=POLICY), ["set_resource_policy"]),
    "no policy": Drift(table(resource_policy=POLICY), table(resource_policy=None), left=["remove_resource_policy"]),
    "no policy, allowed": Drift(
        table(resource_policy=POLICY),
        table(resource_policy=None),
        ["remove_resource_policy"],
        ["remove_resource_policy"],
    ),
    "insights": Drift(
        table(A),
        table(
            A,
            contributor_insights="all_keys",
            indexes={"by_a": IndexSettings(contributor_insights="throttled_keys")},
        ),
        ["set_contributor_insights by_a", "set_contributor_insights"],
    ),
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drift_is_planned(drift: Drift) -> None:
    """Steps in their order; what is left alone or refused says what it is, and what would be needed."""
    plan = planned(drift.before, drift.after, *drift.allow)
    assert actions(plan) == list(drift.steps)
    for found, parts in ((plan.left_alone, drift.left), (plan.refused, drift.refused)):
        said = "\n".join(str(one) for one in found)
        assert bool(found) is bool(parts), said
        for part in parts:
            assert part in said
    assert bool(plan.differences) is bool(drift.steps or drift.left or drift.refused)
    for step in plan.steps:
        assert step.permission is None or step.permission in drift.allow


def test_a_table_that_is_not_there() -> None:
    """It is created with all that CreateTable takes, and what that does not take follows."""
    wanted = table(
        A, ttl="until", stream="new_and_old_images", point_in_time_recovery=7, tags={"team": "a"}, **REPLICATED
    )
    plan = plan_table(wanted, "users", None, frozenset())
    assert actions(plan) == ["create_table", "enable_ttl", "set_point_in_time_recovery", "add_replica us-east-1"]
    body = plan.steps[0].params
    assert body["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert body["Tags"] == [{"Key": "team", "Value": "a"}]
    assert [str(one) for one in plan.differences] == ["table users is not there"]


def test_replicas_of_others_are_left() -> None:
    """A replica that is not declared is removed only where that is allowed, after the others were added."""
    control = ControlPlane()
    control.handle("CreateTable", create_table(table(stream="new_and_old_images"), "users"))
    control.tables["users"]["Replicas"] = [{"RegionName": "us-west-2"}, {"RegionName": "eu-west-1"}]
    wanted = table(replicas=(Replica("us-east-1"),))
    assert actions(next_plan(control, wanted)) == ["add_replica us-east-1"]
    assert actions(next_plan(control, wanted, "remove_replica")) == [
        "add_replica us-east-1",
        "remove_replica us-west-2",
    ]
    without = next_plan(control, table(stream="keys_only"), *PERMISSIONS)
    assert (without.steps, len(without.refused)) == ((), 1), "the stream is read by the replicas"


@pytest.mark.parametrize(("days", "now", "less"), [(7, 35, True), (35, 7, False), (False, 7, True), (True, 7, None)])
def test_recovery_of_fewer_days_is_a_loss(days: int, now: int, less: bool | None) -> None:  # noqa: FBT001 - what is expected
    """Fewer days, or none, need a permission; more do not; ``True`` is any number of days."""
    control = ControlPlane()
    control.handle("CreateTable", create_table(table(), "users"))
    control.days["users"] = now
    plan = next_plan(control, table(point_in_time_recovery=days))
    allowed = next_plan(control, table(point_in_time_recovery=days), "reduce_point_in_time_recovery")
    assert (len(plan.steps), len(plan.left_alone)) == ((0, 0) if less is None else (0, 1) if less else (1, 0))
    assert len(allowed.steps) == (0 if less is None else 1)


def test_aws_tags_are_no_difference() -> None:
    """Tags that AWS itself sets can be neither declared nor removed."""
    control = ControlPlane()
    control.handle("CreateTable", create_table(table(), "users"))
    control.tags["users"] = {"aws:cloudformation:stack-name": "x"}
    assert next_plan(control, table(tags={}), "remove_tags").differences == ()


def test_a_replaced_index_says_that_it_fails_meanwhile() -> None:
    """Who reads the plan learns that queries of the index fail until it is made again."""
    plan = planned(table(A), table(GSI("by_a", "a", "b")), "replace_index")
    assert "queries of the index fail until it is made again" in str(plan.steps[0].warning)


def test_a_plan_is_printable() -> None:
    """Steps with numbers and warnings, what is left alone and why, what is refused and what a replacement takes."""
    plan = planned(table(A, LSI("old", "o")), table(B, LSI("local", "l")))
    text = str(Plan(tables=(plan,)))
    for part in (
        "table users\n  1. create index by_b\n     every item that was there is written into it",
        "left alone:\n  - local index old is local on pk (S) + o (S) with all, and not declared",
        'index by_a is global on a (S) with all, and not declared; allow="delete_index" lets the plan do it',
        "refused:\n  - local index local is not there; declared is local on pk (S) + l (S) with all",
        "    1) declare the models with another table than users",
        "1 step, 2 left alone, 1 refused",
    ):
        assert part in text
    same = planned(table(A), table(A))
    assert str(Plan(tables=(same,))) == "the table is as declared"
    assert str(Plan(tables=(same, same))) == "all 2 tables are as declared"


def test_a_plan_is_json() -> None:
    """``as_dict()`` is for JSON: everything that the plan says, with the requests that it would make."""
    import json

    plan = Plan(tables=(planned(table(A), table(B, LSI("local", "l"))),), allowed=frozenset({"remove_tags"}))
    told = json.loads(json.dumps(plan.as_dict()))
    (one,) = told["tables"]
    assert (one["table"], told["allowed"]) == ("users", ["remove_tags"])
    assert one["steps"][0]["operation"] == "UpdateTable"
    assert one["steps"][0]["params"]["TableName"] == "users"
    assert {"differences", "left_alone", "refused"} < one.keys()
    assert one["differences"][0]["text"].startswith("table users: ")


def test_a_permission_that_there_is_not() -> None:
    """A misspelt permission is refused with those that there are."""
    with pytest.raises(UsageError, match=r"allow='drop'.*delete_index"):
        check_permissions(("drop",))
