"""Backups before a change: nothing that is there is deleted or overwritten (flaw D21)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    BackupRefused,
    Database,
    Key,
    OutcomeUnknown,
    PlanRefused,
    Table,
    TableSettings,
    TableTimeout,
    UsageError,
    attr,
    index,
    model,
    partition_key,
    schema,
    sort_key,
)
from dynamorm_async.schema import backup
from tests.contract.models import connect, unique
from tests.engines import call
from tests.unit.database.recording import RecordingControl, record

pytestmark = pytest.mark.anyio


@model(table="readings")
class Reading:
    sensor: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    value: Attr[Decimal] = attr(default=Decimal(0))
    raw: Attr[bytes] = attr(default=b"")


@model(table="readings")
class IndexedReading:
    sensor: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    value: Attr[Decimal] = attr(default=Decimal(0))

    by_value = index(partition="value")


@model(table="measurements")
class Measurement:
    sensor: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    celsius: Attr[Decimal] = attr(default=Decimal(0))


COPY = schema.CopyBackup(table="{table}-before")


async def filled(db: Database) -> list[Reading]:
    readings = [Reading(sensor=f"s{n % 3}", at=n, value=Decimal(n) / 10, raw=bytes([n])) for n in range(40)]
    await db.tables.ensure(Reading)
    await db.put_many(readings)
    return readings


@pytest.fixture
async def db(dynoxide_endpoint: str) -> Any:
    async with connect(dynoxide_endpoint, "direct", prefix=f"{unique()}-") as database:
        yield database


def raw_items(db: Database, endpoint: str, table: str) -> list[dict[str, Any]]:
    answer = call(endpoint, "Scan", {"TableName": db.tables.name(Table(table, partition_key="pk"))})[1]
    return sorted(answer["Items"], key=lambda item: json.dumps(item, sort_keys=True))


async def test_a_copy_is_made_before_the_change(db: Database, dynoxide_endpoint: str) -> None:
    """Every item, attributes that no model has included, as it is stored; counted and compared; then the change is made."""
    await filled(db)
    name = db.tables.name(Reading)
    odd = {"sensor": {"S": "odd"}, "at": {"N": "1"}, "other": {"L": [{"NULL": True}, {"NS": ["1.5", "2"]}]}}
    call(dynoxide_endpoint, "PutItem", {"TableName": name, "Item": odd})
    done = await schema.auto_migrate(db, IndexedReading, backup=COPY, batch_size=10)
    (made,) = done.backups
    assert made.copy_table == f"{name}-before"
    assert made.copied is not None
    assert (made.copied.source_items, made.copied.target_items) == (41, 41)
    assert raw_items(db, dynoxide_endpoint, "readings-before") == raw_items(db, dynoxide_endpoint, "readings")
    assert [step.action for step in done.applied.steps] == ["create_index"]
    assert await schema.diff(db, IndexedReading) == []


async def test_d21_a_table_that_has_the_backups_name_is_never_touched(db: Database, dynoxide_endpoint: str) -> None:
    """Flaw D21: another table of that name is neither deleted nor written to, and nothing else is changed either."""
    await filled(db)
    precious = Table("readings-before", partition_key="pk")
    await db.tables.ensure(precious)
    call(dynoxide_endpoint, "PutItem", {"TableName": db.tables.name(precious), "Item": {"pk": {"S": "precious"}}})
    with pytest.raises(
        BackupRefused, match=r"readings-before: there is such a table, and it is nothing that this library made"
    ):
        await schema.auto_migrate(db, IndexedReading, backup=COPY)
    assert raw_items(db, dynoxide_endpoint, "readings-before") == [{"pk": {"S": "precious"}}]
    assert [one.aspect for one in await schema.diff(db, IndexedReading)] == ["index"]


async def test_d21_a_finished_backup_is_not_taken_for_a_new_one(db: Database) -> None:
    """Flaw D21: what an earlier run copied is neither overwritten, nor is it a backup of what is there now."""
    await filled(db)
    await schema.auto_migrate(db, IndexedReading, backup=COPY)
    more = Table(
        "readings", partition_key="sensor", sort_key="at", types={"at": "N", "value": "N"},
        indexes=[GSI("by_value", "value"), GSI("by_at", "at")],
    )  # fmt: skip
    with pytest.raises(BackupRefused, match="it is a finished backup of this table"):
        await schema.auto_migrate(db, more, backup=COPY)
    done = await schema.auto_migrate(db, more, backup=schema.CopyBackup(table="readings-again"))
    assert len(done.backups) == len(done.applied.steps) == 1


async def test_d21_an_interrupted_copy_goes_on(db: Database, dynoxide_endpoint: str) -> None:
    """Flaw D21: a copy that was ended in the middle is gone on with by the next run, which makes the change then."""
    await filled(db)

    class Ended(Exception):
        pass

    async def end(progress: object) -> None:
        if not isinstance(progress, schema.Progress) and getattr(progress, "scanned", 0) >= 10:
            raise Ended

    with pytest.raises((Ended, ExceptionGroup)):
        await schema.auto_migrate(db, IndexedReading, backup=COPY, batch_size=5, on_progress=end)
    assert [one.aspect for one in await schema.diff(db, IndexedReading)] == ["index"], "no backup, no change"
    done = await schema.auto_migrate(db, IndexedReading, backup=COPY, batch_size=5)
    assert raw_items(db, dynoxide_endpoint, "readings-before") == raw_items(db, dynoxide_endpoint, "readings")
    assert len(done.applied.steps) == 1


async def test_nothing_to_do_is_no_backup(db: Database) -> None:
    """Tables that are as declared, and those that are only now created, are not backed up."""
    assert (await schema.auto_migrate(db, Reading, backup=COPY)).backups == ()
    done = await schema.auto_migrate(db, Reading, backup=COPY)
    assert (done.backups, done.applied.steps, done.copied) == ((), (), None)


async def test_items_of_another_model_are_copied(db: Database) -> None:
    """With a source, its items become items of the target; what the target has already stays."""
    readings = await filled(db)

    def transform(old: Reading) -> Measurement | None:
        return None if old.at == 0 else Measurement(sensor=old.sensor, at=old.at, celsius=old.value)

    await db.tables.ensure(Measurement)
    mine = await db.create(Measurement(sensor="s1", at=1, celsius=Decimal(99)))
    done = await schema.auto_migrate(db, Measurement, source=Reading, transform=transform)
    assert done.copied is not None
    assert await db.get(Key(Measurement, "s1", 1)) == mine
    assert len(await db.scan(Measurement)) == len(readings) - 1


async def test_what_cannot_be_done_is_refused_before_the_backup(db: Database) -> None:
    """Neither a refusal nor something that is declared and not allowed ends halfway; an index of others is no hindrance."""
    await db.tables.ensure(IndexedReading)
    other = Table(
        "readings", partition_key="sensor", sort_key="at", types={"at": "N"}, indexes=[GSI("by_value", "value")]
    )
    with pytest.raises(PlanRefused, match='allow="replace_index"'):
        await schema.auto_migrate(db, other, backup=COPY)
    with pytest.raises(PlanRefused, match="cannot change the key of a table"):
        await schema.auto_migrate(db, Table("readings", partition_key="id"), backup=COPY)
    assert not await db.tables.exists(Table("readings-before", partition_key="pk"))
    assert (await schema.auto_migrate(db, Reading)).applied.steps == ()


async def test_what_is_asked_wrongly(db: Database) -> None:
    """A source without its one target, a transform without a source, one copy for two tables: refused before anything is done."""
    await db.tables.ensure(Reading, Measurement)
    streams = [
        Table(
            spec, partition_key="sensor", sort_key="at", types={"at": "N"}, settings=TableSettings(stream="new_image")
        )
        for spec in ("readings", "measurements")
    ]
    with pytest.raises(UsageError, match="copies to one model"):
        await schema.auto_migrate(db, Reading, Measurement, source=Reading)
    with pytest.raises(UsageError, match="without source="):
        await schema.auto_migrate(db, Reading, transform=print)
    with pytest.raises(UsageError, match=r"\{table\}"):
        await schema.auto_migrate(db, *streams, backup=schema.CopyBackup(table="copy"))


ARN = "arn:backup"


async def test_a_backup_whose_answer_was_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An on-demand backup is made once, though its answer was lost, and is waited for until it is available."""
    summary = {"BackupSummaries": [{"BackupName": "safe", "BackupArn": ARN}, {"BackupName": "other", "BackupArn": "x"}]}
    control = RecordingControl(
        {
            "ListBackups": [{"BackupSummaries": []}, summary],
            "CreateBackup": [OutcomeUnknown("lost", operation="CreateBackup")],
            "DescribeBackup": [
                {"BackupDescription": {"BackupDetails": {"BackupStatus": status}}}
                for status in ("CREATING", "AVAILABLE")
            ],
        }
    )
    monkeypatch.setattr(control, "call", _without_a_table(control))
    monkeypatch.setattr(backup, "_PAUSE", 0.0)
    record(monkeypatch, control=control)
    async with Database() as db:
        made = await backup.back_up(db, Table("users", partition_key="pk"), schema.OnDemandBackup(name="safe"))
    assert made == schema.Backup(table="users", arn=ARN)
    assert control.operations == ["ListBackups", "CreateBackup", "ListBackups", "DescribeBackup", "DescribeBackup"]


async def test_a_backup_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, and the change is not made."""
    control = RecordingControl(
        {
            "ListBackups": [{}],
            "CreateBackup": [{"BackupDetails": {"BackupArn": ARN}}],
            "DescribeBackup": [{"BackupDescription": {"BackupDetails": {"BackupStatus": "CREATING"}}}],
        }
    )
    monkeypatch.setattr(control, "call", _without_a_table(control))
    record(monkeypatch, control=control)
    async with Database() as db:
        with pytest.raises(TableTimeout, match=r"the backup safe of table users is not available after 0\.05 seconds"):
            await backup.back_up(
                db, Table("users", partition_key="pk"), schema.OnDemandBackup(name="safe"), timeout=0.05
            )


def _without_a_table(control: RecordingControl) -> Any:
    """Its ``call`` for operations that name no table."""
    original = control.call

    async def called(operation: str, params: Any, **more: Any) -> dict[str, Any]:
        return await original(operation, params, **{**more, "table": params.get("TableName")})

    return called


async def test_an_on_demand_backup_on_an_engine(moto_endpoint: str) -> None:
    """On an engine that has backups, there is one, and the change follows."""
    async with connect(moto_endpoint, "direct", prefix=f"{unique()}-") as db:
        await db.tables.ensure(Reading)
        done = await schema.auto_migrate(db, IndexedReading, backup=schema.OnDemandBackup(name="before-indexes"))
        found = await db.call("ListBackups", {"TableName": db.tables.name(Reading)})
        assert [one["BackupArn"] for one in found["BackupSummaries"]] == [one.arn for one in done.backups]
        assert await schema.diff(db, IndexedReading) == []
