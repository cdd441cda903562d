"""Plans of tables and their settings, as users write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from dynamorm_async import (
    GSI,
    Attr,
    Database,
    IndexSettings,
    OnDemand,
    Provisioned,
    Replica,
    Table,
    TableSettings,
    WarmThroughput,
    attr,
    index,
    model,
    partition_key,
    schema,
)

shop = Table(
    "shop",
    partition_key="pk",
    indexes=[GSI("gsi1", "a")],
    settings=TableSettings(
        billing=Provisioned(read=5, write=5),
        indexes={"gsi1": IndexSettings(billing=Provisioned(read=1, write=1), contributor_insights="throttled_keys")},
        stream="new_and_old_images",
        point_in_time_recovery=True,
        replicas=("eu-central-1", Replica("us-east-1")),
        resource_policy=None,
        warm_throughput=WarmThroughput(read=20_000, write=5_000),
    ),
)


@model(table="users", settings=TableSettings(billing=OnDemand(max_read=100), tags={"team": "a"}))
class User:
    user_id: Attr[str] = partition_key()
    email: Attr[str] = attr()

    by_email = index(partition="email")


@model(table="people")
class Person:
    person_id: Attr[str] = partition_key()


async def show(progress: object) -> None:
    assert str(progress)


async def migrate(db: Database) -> None:
    differences = await schema.diff(db, User, shop)
    assert_type(differences, list[schema.Difference])
    plan = await schema.plan(db, User, shop, allow=["delete_index"])
    assert_type(plan, schema.Plan)
    assert_type(plan.steps, tuple[schema.Step, ...])
    assert_type(plan.as_dict(), dict[str, Any])
    applied = await schema.apply(db, plan, on_progress=show, timeout=60)
    assert_type(applied.steps, tuple[schema.Step, ...])
    live = await schema.describe(db, User)
    assert_type(live.indexes, Mapping[str, schema.LiveIndex])
    done = await schema.auto_migrate(
        db,
        Person,
        source=User,
        transform=lambda user: Person(person_id=user.user_id),
        backup=schema.OnDemandBackup(name="before"),
        on_progress=show,
    )
    assert_type(done.backups, tuple[schema.Backup, ...])
    await schema.auto_migrate(db, Person, backup=schema.CopyBackup(table="{table}-copy"))
