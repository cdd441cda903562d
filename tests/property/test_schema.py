"""A plan leads to what is declared: on a table of the control plane in memory, which has DynamoDB's rules."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from msgspec import UNSET

from dynamorm_async import (
    GSI,
    LSI,
    IndexSettings,
    OnDemand,
    Provisioned,
    Table,
    TableSettings,
    VectorIndex,
    WarmThroughput,
)
from dynamorm_async.model.settings import Billing, Insights
from dynamorm_async.model.table import Projection
from dynamorm_async.plan.tables import create_table
from dynamorm_async.schema.planning import TablePlan, plan_table
from dynamorm_async.schema.steps import PERMISSIONS, Permission
from dynamorm_async.types import KeyTag
from tests.property.sizing import examples
from tests.unit.schema.control_plane import ControlPlane
from tests.unit.schema.looking import look_at

NAME = "things"
ALL = frozenset(PERMISSIONS)
attributes = st.sampled_from(["a", "b", "c"])
units = st.integers(1, 4)
on_demand: st.SearchStrategy[Billing] = st.builds(OnDemand, max_read=st.none() | units, max_write=st.none() | units)
provisioned: st.SearchStrategy[Billing] = st.builds(Provisioned, read=units, write=units)
projections: st.SearchStrategy[Projection] = st.sampled_from(["all", "keys_only", ("x",), ("x", "y"), ("y", "x")])
insights: st.SearchStrategy[Insights | None] = st.sampled_from([None, "all_keys", "throttled_keys"])
warm = st.builds(WarmThroughput, read=st.integers(11_000, 20_000), write=st.integers(3_000, 9_000))
settings: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.sampled_from([None, "keys_only", "new_image", "new_and_old_images"]),
    "point_in_time_recovery": st.sampled_from([True, False, 7, 35]),
    "encryption": st.sampled_from(["aws_owned", "aws_managed", "one", "two"]),
    "tags": st.dictionaries(st.sampled_from(["team", "cost"]), st.sampled_from(["x", "y"])),
    "table_class": st.sampled_from(["standard", "infrequent_access"]),
    "deletion_protection": st.booleans(),
    "resource_policy": st.sampled_from([None, {"Statement": []}, {"Statement": [{"Effect": "Deny"}]}]),
    "contributor_insights": insights,
    "warm_throughput": warm,
}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A declaration of one table, with some of everything; the type of an attribute is drawn as well."""
    names = draw(st.lists(st.sampled_from(["by_1", "by_2", "by_3"]), unique=True, max_size=3))
    indexes: list[Any] = []
    for name in names:
        keys = draw(st.lists(attributes, unique=True, min_size=1, max_size=2))
        indexes.append(GSI(name, keys[0], keys[1] if len(keys) > 1 else None, projection=draw(projections)))
    if draw(st.booleans()):
        indexes.append(LSI("local", draw(st.sampled_from(["l", "m"]))))
    vector = draw(st.booleans())
    if vector:
        indexes.append(VectorIndex("near", "v", dimensions=draw(st.sampled_from([2, 3])), distance="cosine"))
    given: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=settings))
    replicable = given.get("stream", "new_and_old_images") == "new_and_old_images"
    if replicable and given.get("encryption") not in ("one", "two") and draw(st.booleans()):
        given["replicas"] = tuple(draw(st.lists(st.sampled_from(["us-east-1", "us-west-2"]), unique=True)))
    billing = draw(st.none() | (on_demand if vector else on_demand | provisioned))
    if billing is not None:
        given["billing"] = billing
    own = provisioned if isinstance(billing, Provisioned) else on_demand
    given["indexes"] = {
        name: IndexSettings(contributor_insights=draw(insights), billing=UNSET if billing is None else draw(own))
        for name in names
        if draw(st.booleans())
    }
    tag: KeyTag = draw(st.sampled_from(["S", "N"]))
    return Table(
        NAME,
        partition_key="pk",
        sort_key="sk",
        indexes=indexes,
        ttl=draw(st.sampled_from([None, "until", "expires"])),
        types={"a": tag},
        settings=TableSettings(**given),
    )


def planned(control: ControlPlane, table: Table, allowed: frozenset[Permission] = ALL) -> TablePlan:
    return plan_table(table, NAME, look_at(control, NAME) if NAME in control.tables else None, allowed)


def taken(control: ControlPlane, table: Table, allowed: frozenset[Permission] = ALL) -> TablePlan:
    """The plan of what is left when each step was taken and looked at; every step was in the first plan."""
    first = planned(control, table, allowed)
    left = first
    for _ in range(len(first.steps) + 1):
        if not left.steps:
            return left
        step = left.steps[0]
        assert step.key in {one.key for one in first.steps}, f"{step} was not in the plan"
        control.handle(step.operation, step.params)
        left = planned(control, table, allowed)
        assert step.key not in {one.key for one in left.steps}, f"{step} is to be taken again"
    raise AssertionError("more steps than were planned")


@examples(150)
@given(before=tables(), after=tables())
def test_a_plan_leads_to_what_is_declared(before: Table, after: Table) -> None:
    """Every step is one that DynamoDB takes, all were in the first plan, and what is left cannot be done at all."""
    control = ControlPlane()
    assert taken(control, before).differences == (), "a new table is as declared"
    first = planned(control, after)
    if first.refused:
        event("refused")
        return
    left = taken(control, after)
    assert {one.permission for one in left.left_alone} <= {None}, "everything was allowed"
    assert {one.aspect for one in left.differences} <= {"local_index"}, "an extra local index stays"


@examples(75)
@given(before=tables(), after=tables())
def test_nothing_is_taken_away_unasked(before: Table, after: Table) -> None:
    """Without a permission, no index, stream, tag, replica or protection is taken away (flaw D22)."""
    control = ControlPlane()
    taken(control, before)
    there = look_at(control, NAME)
    plan = planned(control, after, frozenset())
    assert [
        step
        for step in plan.steps
        if step.permission is not None or step.action.startswith(("delete", "remove", "disable"))
    ] == []
    if plan.refused:
        return
    taken(control, after, frozenset())
    now = look_at(control, NAME)
    assert {one.index.name for one in there.description.indexes} <= {one.index.name for one in now.description.indexes}
    assert {*there.tags} <= {*now.tags}  # type: ignore[misc]  # the look reads everything
    assert {one.region for one in there.replicas} <= {one.region for one in now.replicas}
    assert there.stream in (None, now.stream)
    assert now.deletion_protection or not there.deletion_protection
    assert there.ttl in (None, now.ttl)


@examples(30)
@given(wanted=tables())
def test_a_new_table_is_made_in_one_request_where_that_is_enough(wanted: Table) -> None:
    """What CreateTable takes is in it: no step follows that changes what has just been made."""
    plan = plan_table(wanted, NAME, None, frozenset())
    late = {"enable_ttl", "set_point_in_time_recovery", "set_contributor_insights", "add_replica"}
    assert plan.steps[0].action == "create_table"
    assert {step.action for step in plan.steps[1:]} <= late
    assert plan.steps[0].params == create_table(wanted, NAME)
