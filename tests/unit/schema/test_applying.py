"""``apply``: it looks, takes one step, waits until that is done, and looks again; whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    GSI,
    LSI,
    AccessDenied,
    Attr,
    CallError,
    ConnectionLost,
    Database,
    OutcomeUnknown,
    PlanOutdated,
    PlanRefused,
    Provisioned,
    Table,
    TableInUse,
    TableNotFound,
    TableSettings,
    TableTimeout,
    UsageError,
    ValidationFailed,
    model,
    partition_key,
    schema,
    unique,
)
from dynamorm_async.schema import applying
from dynamorm_async.schema.planning import Plan
from tests.unit.database.recording import record
from tests.unit.schema.control_plane import ControlPlane

pytestmark = pytest.mark.anyio

A, B = GSI("by_a", "a"), GSI("by_b", "b")
USERS = Table("users", partition_key="pk", indexes=[A])
GROWN = Table("users", partition_key="pk", indexes=[A, B], ttl="until", settings=TableSettings(stream="new_image"))


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """A control plane, where waiting takes no time."""
    control = ControlPlane(looks=2)
    any_control: Any = control  # it has the methods that are used
    record(monkeypatch, control=any_control)
    monkeypatch.setattr(applying, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(applying, "_LONGEST_PAUSE", 0.0)
    return control


async def made(db: Database, *tables: Table) -> None:
    await schema.apply(db, await schema.plan(db, *tables))


async def test_a_table_becomes_what_is_declared(control: ControlPlane) -> None:
    """One change at a time, each done before the next; then there is no difference."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN)
        applied = await schema.apply(db, plan)
        assert await schema.diff(db, GROWN) == []
    assert control.operations == ["CreateTable", "UpdateTable", "UpdateTimeToLive", "UpdateTable"]
    assert (applied.steps, applied.plan.steps) == (plan.steps, ())


async def test_d22_an_index_is_waited_for_until_it_is_full(control: ControlPlane) -> None:
    """An index that is ACTIVE and still being filled is not done: no step is taken, and apply does not end (flaw D22)."""
    told: list[str] = []

    async def show(progress: schema.Progress) -> None:
        told.append(str(progress))

    async with Database() as db:
        await made(db, USERS)
        await schema.apply(
            db, await schema.plan(db, Table("users", partition_key="pk", indexes=[A, B])), on_progress=show
        )
    assert told == [
        "[1/1] table users: create index by_b: taking",
        "[1/1] table users: create index by_b: waiting (index by_b is CREATING)",
        "[1/1] table users: create index by_b: waiting (index by_b is being filled with the items that were there)",
        "[1/1] table users: create index by_b: done",
    ]
    assert "Backfilling" not in control.tables["users"]["GlobalSecondaryIndexes"][1]


async def test_d22_an_index_of_others_is_left(control: ControlPlane) -> None:
    """An index that nobody declares is told, and stays; with the permission it goes (flaw D22)."""
    bare = Table("users", partition_key="pk")
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, bare)
        applied = await schema.apply(db, plan)
        assert (plan.is_empty, applied.steps, len(applied.plan.left_alone)) == (True, (), 1)
        assert [str(one) for one in await schema.diff(db, bare)] == [
            "table users: index by_a is global on a (S) with all, and not declared"
        ]
        assert [index["IndexName"] for index in control.tables["users"]["GlobalSecondaryIndexes"]] == ["by_a"]
        await schema.apply(db, await schema.plan(db, bare, allow=["delete_index"]))
        assert await schema.diff(db, bare) == []


async def test_two_at_once(control: ControlPlane) -> None:
    """Two that apply the same plan do no harm: every change is made once, and both end well."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN)
        results: list[schema.Applied] = []

        async def run() -> None:
            results.append(await schema.apply(db, plan))

        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(run)
        assert await schema.diff(db, GROWN) == []
    assert sorted(str(step) for one in results for step in one.steps) == sorted(str(step) for step in plan.steps)
    assert len(control.calls) > 1 + len(plan.steps), "they met"


@pytest.mark.parametrize("after", range(1, 60, 4))
async def test_killed_and_run_again(control: ControlPlane, after: int) -> None:
    """Ended in the middle of whatever request, and run again: nothing is made twice, nothing is missing."""
    async with Database() as db:
        await made(db, Table("users", partition_key="pk"))
        with anyio.CancelScope() as scope:
            control.told = _after(after, scope.cancel)
            await schema.apply(db, await schema.plan(db, GROWN))
        control.told = None
        await schema.apply(db, await schema.plan(db, GROWN))
        assert await schema.diff(db, GROWN) == []
    assert len(control.calls) == 1 + 4


def _after(calls: int, end: Callable[[], None]) -> Callable[[str], None]:
    left = iter(range(calls))

    def told(_operation: str) -> None:
        if next(left, None) is None:
            end()

    return told


async def test_a_step_whose_answer_was_lost(control: ControlPlane) -> None:
    """What was applied is found, and not sent again; what was not is sent again."""
    lost = OutcomeUnknown("lost", operation="UpdateTable")
    async with Database() as db:
        await made(db, USERS)
        control.failures.extend([(lost, True), (lost, False)])
        await schema.apply(db, await schema.plan(db, GROWN))
        assert await schema.diff(db, GROWN) == []
    assert control.operations == ["CreateTable", "UpdateTable", "UpdateTimeToLive", "UpdateTable"]


async def test_a_table_whose_creation_got_no_answer(control: ControlPlane) -> None:
    """``ensure`` finds the table that it made itself, and creates it once; so does a second try that was the first."""
    lost = OutcomeUnknown("lost", operation="CreateTable")
    async with Database() as db:
        control.failures.append((lost, True))
        await db.tables.ensure(USERS)
        control.tables.clear()
        control.failures.extend([(lost, False)] * 3)
        with pytest.raises(OutcomeUnknown):
            await db.tables.ensure(USERS)
        await db.tables.ensure(USERS)
    assert "users" in control.tables


async def test_what_is_under_way_is_waited_for(control: ControlPlane) -> None:
    """A table that somebody else is changing refuses the step, which is taken later."""
    busy = TableInUse("busy", operation="UpdateTable", table="users")
    async with Database() as db:
        await made(db, USERS)
        control.failures.extend([(busy, False)] * 9)
        await schema.apply(db, await schema.plan(db, GROWN))
        assert await schema.diff(db, GROWN) == []


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (AccessDenied("no", operation="UpdateTable"), 1),
        (ValidationFailed("no such thing", operation="UpdateTable"), 1),
        (ConnectionLost("gone", operation="UpdateTable"), 4),
        (OutcomeUnknown("lost", operation="UpdateTable"), 4),
    ],
)
async def test_a_step_that_is_refused(control: ControlPlane, error: CallError, sent: int) -> None:
    """A refusal is raised when the table is as it was; what got no answer is tried a few times."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN)
        control.failures.extend([(error, False)] * 9)
        with pytest.raises(type(error)):
            await schema.apply(db, plan)
    assert len(control.failures) == 9 - sent


async def test_a_refusal_that_another_one_is_the_cause_of(control: ControlPlane) -> None:
    """Whoever was faster made the index that is refused now: that is as good as done."""
    faster = ControlPlane()
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, Table("users", partition_key="pk", indexes=[A, B]))
        faster.tables = control.tables

        def told(operation: str) -> None:
            if operation == "UpdateTable":
                control.told = None
                faster.handle(operation, plan.steps[0].params)

        control.told = told
        applied = await schema.apply(db, plan)
    assert applied.steps == (), "it was the other's"


async def test_what_cannot_be_done_is_refused_before_anything_is(control: ControlPlane) -> None:
    """A plan with a refusal changes nothing; the error says what, and the plan what a replacement takes."""
    wanted = Table("users", partition_key="pk", sort_key="sk", indexes=[A, B, LSI("local", "l")])
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, wanted)
        with pytest.raises(PlanRefused, match="sort key") as caught:
            await schema.apply(db, plan)
    assert len(caught.value.reasons) == 2
    assert control.operations == ["CreateTable"]
    assert "backfills.copy" in " ".join(plan.refused[0].way_out)


async def test_what_came_up_since_and_takes_nothing_away_is_done(control: ControlPlane) -> None:
    """An index that was deleted since the plan was made is made again; one that came up is not deleted unseen."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN, allow=["delete_index"])
        control.tables["users"]["GlobalSecondaryIndexes"].clear()
        await schema.apply(db, plan)
        assert await schema.diff(db, GROWN) == []
        control.tables["users"]["StreamSpecification"] = {}
        plan = await schema.plan(db, GROWN, allow=["delete_index"])
        with_another = Table("users", partition_key="pk", indexes=[A, B, GSI("by_c", "c")], ttl="until")
        await made(db, with_another)
        with pytest.raises(PlanOutdated, match="delete index by_c"):
            await schema.apply(db, plan)
        assert len(control.tables["users"]["GlobalSecondaryIndexes"]) == 3


async def test_more_than_the_plan_takes_away_is_not_taken(control: ControlPlane) -> None:
    """A tag that came up, another attribute of time to live, or a recovery that was made longer since: nobody has read of it."""

    def table(**settings: Any) -> Table:
        return Table("users", partition_key="pk", settings=TableSettings(**settings))

    async with Database() as db:
        await made(db, table(tags={}))
        control.tags["users"] = {"old": "1"}
        plan = await schema.plan(db, table(tags={}), allow=["remove_tags"])
        control.tags["users"]["cost"] = "2"
        with pytest.raises(PlanOutdated, match="cost"):
            await schema.apply(db, plan)
        assert control.tags["users"] == {"old": "1", "cost": "2"}
        both = await schema.plan(db, table(tags={}), allow=["remove_tags"])
        del control.tags["users"]["old"]
        await schema.apply(db, both)  # less than the plan is fine
        assert control.tags["users"] == {}
        week = table(point_in_time_recovery=7)
        plan = await schema.plan(db, week, allow=["reduce_point_in_time_recovery"])
        assert plan.destroys == ()
        await made(db, table(point_in_time_recovery=35))
        with pytest.raises(PlanOutdated, match="recovery"):
            await schema.apply(db, plan)
        assert await schema.diff(db, table(point_in_time_recovery=35)) == []


async def test_a_table_that_was_deleted_since(control: ControlPlane) -> None:
    """It is not made anew, empty, behind the back of whoever deleted it."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN)
        control.tables.clear()
        with pytest.raises(PlanOutdated, match="create the table"):
            await schema.apply(db, plan)
    assert control.tables == {}


async def test_a_step_that_takes_too_long(control: ControlPlane) -> None:
    """TableTimeout names the table, the step and what DynamoDB is at, and says how to go on."""
    async with Database() as db:
        await made(db, USERS)
        plan = await schema.plan(db, GROWN)
        control.looks = 1_000_000
        with pytest.raises(
            TableTimeout, match=r"create index by_b: not done after 0.05 seconds.*CREATING.*goes on from there"
        ):
            await schema.apply(db, plan, timeout=0.05)


async def test_everything_that_is_said_of_a_table(control: ControlPlane) -> None:
    """``describe`` asks for all of it; a table that is not there is an error."""
    wanted = Table(
        "users", partition_key="pk", ttl="until",
        settings=TableSettings(point_in_time_recovery=7, tags={"team": "a"}, contributor_insights="all_keys"),
    )  # fmt: skip
    async with Database() as db:
        with pytest.raises(TableNotFound):
            await schema.describe(db, wanted)
        await made(db, wanted)
        live = await schema.describe(db, wanted)
    assert (live.ttl, live.point_in_time_recovery, live.tags, live.contributor_insights) == (
        "until",
        7,
        {"team": "a"},
        "all_keys",
    )
    assert (live.resource_policy, live.is_settled, live.unread) == (None, True, {})
    assert control.tables["users"]["TableStatus"] == "ACTIVE"


@model(table="people", settings=TableSettings(billing=Provisioned(read=2, write=2), deletion_protection=True))
class Person:
    person_id: Attr[str] = partition_key()
    email: Attr[str]

    unique_email = unique("email")


async def test_the_table_of_unique_values_comes_with_its_model(control: ControlPlane) -> None:
    """It is planned and made with the model's, as safe and paid for in the same way."""
    async with Database() as db:
        plan = await schema.plan(db, Person)
        await schema.apply(db, plan)
        assert await schema.diff(db, Person) == []
    assert [one.name for one in plan.tables] == ["people", "people-unique"]
    for made_table in control.tables.values():
        assert (made_table["BillingModeSummary"]["BillingMode"], made_table["DeletionProtectionEnabled"]) == (
            "PROVISIONED",
            True,
        )


async def test_what_is_asked_wrongly(control: ControlPlane) -> None:
    """No tables, two declarations of one, a permission that there is not, and progress that nobody can await."""
    async with Database() as db:
        with pytest.raises(UsageError, match="no tables"):
            await schema.plan(db)
        with pytest.raises(UsageError, match="table users is declared twice"):
            await schema.diff(db, USERS, GROWN)
        wrong: Any = "everything"
        with pytest.raises(UsageError, match="no such permission"):
            await schema.plan(db, USERS, allow=[wrong])
        not_async: Any = print
        with pytest.raises(UsageError, match="async function"):
            await schema.apply(db, await schema.plan(db, USERS), on_progress=not_async)
    assert control.calls == []
    assert isinstance(Plan(tables=()), Plan)
