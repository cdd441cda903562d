"""Schema on engines: create, drift, plan, apply, verify that there is no drift; two at once; ended and run again."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    Database,
    Key,
    OnDemand,
    Provisioned,
    Table,
    TableSettings,
    attr,
    index,
    model,
    partition_key,
    schema,
    ttl,
    unique,
)
from tests.contract.differences import differs
from tests.contract.models import connect
from tests.engines import ENGINES, Lane
from tests.unit.schema.watching import Ending

# One lane is enough: what changes tables goes through the SDK's client in both.
DIRECT = [(engine, "direct") for engine in ENGINES]
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("target", DIRECT, indirect=True, ids="-".join)]

BEFORE = Table(
    "wares", partition_key="pk", sort_key="sk", indexes=[GSI("by_a", "a"), GSI("extra", "x"), LSI("by_l", "l")]
)
AFTER = Table(
    "wares",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("by_a", "a", "b"), GSI("by_c", "c", projection=("x",)), LSI("by_l", "l")],
    ttl="until",
    settings=TableSettings(stream="new_image"),
)
BARE = Table("small", partition_key="pk")
GROWN = Table(
    "small", partition_key="pk", indexes=[GSI("by_a", "a")], ttl="until", settings=TableSettings(stream="new_image")
)
ALLOW: Sequence[schema.Permission] = ("delete_index", "replace_index", "disable_ttl", "disable_stream")


async def apply(db: Database, *tables: type | Table, allow: Sequence[schema.Permission] = ()) -> schema.Applied:
    return await schema.apply(db, await schema.plan(db, *tables, allow=allow), timeout=60)


async def test_create_drift_plan_apply_no_drift(db: Database) -> None:
    """A table is made by a plan; another declaration is a drift, whose plan is applied; then there is none."""
    await apply(db, BEFORE)
    assert await schema.diff(db, BEFORE) == []
    plan = await schema.plan(db, AFTER, allow=ALLOW)
    assert [step.action for step in plan.steps] == [
        "delete_index", "create_index", "create_index", "delete_index", "enable_ttl", "enable_stream",
    ]  # fmt: skip
    applied = await schema.apply(db, plan, timeout=60)
    assert (applied.steps, applied.plan.differences) == (plan.steps, ())
    assert await schema.diff(db, AFTER) == []
    live = await schema.describe(db, AFTER)
    assert (live.ttl, live.stream, live.is_settled, {*live.indexes}) == ("until", "new_image", True, {"by_a", "by_c"})


async def test_without_permission_nothing_is_taken_away(db: Database) -> None:
    """The extra index and the old one stay, and are told; what is only added is added (flaw D22)."""
    await apply(db, BEFORE)
    applied = await apply(db, AFTER)
    assert [step.action for step in applied.steps] == ["create_index", "enable_ttl", "enable_stream"]
    assert [left.permission for left in applied.plan.left_alone] == ["replace_index", "delete_index"]
    description = await db.tables.describe(BEFORE)
    assert {one.index.name for one in description.indexes} == {"by_a", "extra", "by_c", "by_l"}


@model(table="people", settings=TableSettings(stream="new_and_old_images"))
class Person:
    """With unique values, whose table comes along."""

    person_id: Attr[str] = partition_key()
    email: Attr[str]
    city: Attr[str] = attr(default="Paris")

    unique_email = unique("email")


@model(table="people")
class PersonByCity:
    """What people become: found by city."""

    person_id: Attr[str] = partition_key()
    email: Attr[str]
    city: Attr[str] = attr(default="Paris")
    until: Attr[int | None] = ttl(default=None)

    by_city = index(partition="city")


async def test_an_index_is_full_when_apply_ends(db: Database) -> None:
    """Items that were there are found by the new index, and the items themselves are untouched."""
    await apply(db, Person)
    people = [Person(person_id=str(n), email=f"{n}@example.com") for n in range(30)]
    for person in people:
        await db.create(person)
    await apply(db, PersonByCity)
    found = await db.query(PersonByCity).where(PersonByCity.city == "Paris")
    assert {one.person_id for one in found} == {one.person_id for one in people}
    assert await db.get(Key(Person, "7")) == people[7]
    assert [str(left.permission) for left in (await schema.plan(db, Person)).left_alone] == [
        "delete_index",
        "disable_ttl",
    ]


async def test_two_at_once(db: Database, endpoint: str, lane: Lane) -> None:
    """Two that apply the same plan end well, and the table is as declared."""
    await apply(db, BARE)
    prefix = db.tables.name(BARE).removesuffix("small")
    async with connect(endpoint, lane, prefix=prefix) as other, anyio.create_task_group() as group:
        group.start_soon(apply, db, GROWN)
        group.start_soon(apply, other, GROWN)
    assert await schema.diff(db, GROWN) == []


async def test_ended_and_run_again(db: Database) -> None:
    """Ended when one of its steps is taken, and run again: it goes on from there."""
    await apply(db, BARE)
    ending = Ending(1)
    with ending.scope:
        await schema.apply(db, await schema.plan(db, GROWN), on_progress=ending)
    assert ending.scope.cancelled_caught
    await apply(db, GROWN)
    assert await schema.diff(db, GROWN) == []


async def test_throughput(db: Database, engine: str) -> None:
    """Billing is switched, and throughput raised and lowered, of the table and of its indexes."""
    lacks = differs(engine, "throughput-of-indexes-changes")
    indexes = [] if lacks else [GSI("by_a", "a")]

    def billed(billing: OnDemand | Provisioned) -> Table:
        return Table("metered", partition_key="pk", indexes=indexes, settings=TableSettings(billing=billing))

    for billing in (OnDemand(), Provisioned(read=4, write=8), Provisioned(read=8, write=4), OnDemand()):
        await apply(db, billed(billing))
        assert await schema.diff(db, billed(billing)) == []
        assert (await db.tables.describe(billed(billing))).billing == billing


SETTINGS = {
    "tags": ("tags", [TableSettings(tags={"team": "a", "cost": "1"}), TableSettings(tags={"team": "b"})]),
    "protection": (
        "deletion-protection",
        [TableSettings(deletion_protection=True), TableSettings(deletion_protection=False)],
    ),
    "class": ("table-class", [TableSettings(table_class="infrequent_access"), TableSettings(table_class="standard")]),
    "recovery": (
        "point-in-time-recovery",
        [TableSettings(point_in_time_recovery=7), TableSettings(point_in_time_recovery=False)],
    ),
    "policy": (
        "resource-policies",
        [
            TableSettings(resource_policy={"Version": "2012-10-17", "Statement": []}),
            TableSettings(resource_policy=None),
        ],
    ),
    "maximum": (
        "on-demand-maximum",
        [TableSettings(billing=OnDemand(max_read=50)), TableSettings(billing=OnDemand(max_write=9))],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
async def test_a_setting(db: Database, engine: str, name: str) -> None:
    """Where the engine has it: given to a table that is there, changed, and each time there is no difference then."""
    behaviour, settings = SETTINGS[name]
    if differs(engine, behaviour):
        return
    await db.tables.ensure(Table("plain", partition_key="pk"))
    for one in settings:
        wanted = Table("plain", partition_key="pk", settings=one)
        plan = await schema.plan(db, wanted, allow=schema.PERMISSIONS)
        assert len(plan.differences) > 0
        await schema.apply(db, plan, timeout=60)
        assert await schema.diff(db, wanted) == []
