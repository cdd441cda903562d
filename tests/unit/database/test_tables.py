"""How tables are waited for, checked and given their time to live, over scripted answers."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    AccessDenied,
    BadResponse,
    Database,
    Table,
    TableInUse,
    TableMismatch,
    TableNotFound,
    TableTimeout,
    Throttled,
    UsageError,
    ValidationFailed,
)
from tests.unit.database.recording import RecordingControl, record

pytestmark = pytest.mark.anyio

USERS = Table("users", partition_key="pk", indexes=[GSI("by_name", "name")])
FADING = Table("fading", partition_key="pk", ttl="expires")


def described(status: str = "ACTIVE", index: str | None = "ACTIVE", **more: Any) -> dict[str, Any]:
    """DescribeTable's answer for USERS."""
    table: dict[str, Any] = {
        "TableName": "users",
        "TableStatus": status,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "name", "other")],
        **more,
    }
    if index is not None:
        key = [{"AttributeName": "name", "KeyType": "HASH"}]
        projection = {"ProjectionType": "ALL"}
        table["GlobalSecondaryIndexes"] = [
            {"IndexName": "by_name", "KeySchema": key, "Projection": projection, "IndexStatus": index}
        ]
    return {"Table": table}


def ttl_state(status: str, attribute: str | None = None) -> dict[str, Any]:
    named = {} if attribute is None else {"AttributeName": attribute}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": status, **named}}


def missing() -> TableNotFound:
    return TableNotFound("not there", operation="DescribeTable", table="users")


async def test_ensure_waits_for_every_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is ready when its indexes are: an active table with an index in creation is waited for (flaw D22)."""
    answers: list[dict[str, Any] | Exception] = [
        missing(),
        described("CREATING", "CREATING"),
        described("ACTIVE", "CREATING"),
        described(),
    ]
    script = RecordingControl({"DescribeTable": answers, "CreateTable": [{}]})
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.ensure(USERS)
    assert script.operations == ["DescribeTable", "CreateTable", *["DescribeTable"] * 3]


async def test_a_wait_outlives_a_look_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for was accepted: a throttled look is no failure of it; one that is refused for good is."""
    busy = Throttled("too fast", operation="DescribeTable", table="users")
    denied = AccessDenied("no", operation="DescribeTable", table="users")
    script = RecordingControl({"DescribeTable": [busy, described(), denied], "CreateTable": [{}]})
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.create(USERS)
        with pytest.raises(AccessDenied):
            await db.tables.create(USERS)
    assert script.operations == ["CreateTable", "DescribeTable", "DescribeTable", "CreateTable", "DescribeTable"]


async def test_an_answer_that_describes_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an error of this library, not by a missing key."""
    record(monkeypatch, control=RecordingControl({"DescribeTable": [{}]}))
    async with Database() as db:
        with pytest.raises(BadResponse, match="is no description of a table"):
            await db.tables.describe(USERS)


async def test_ensure_of_a_table_that_is_there_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created or changed where the table is as declared."""
    script = RecordingControl({"DescribeTable": [described()]})
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.ensure(USERS, USERS)
    assert script.operations == ["DescribeTable"]


async def test_somebody_else_may_be_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process creates the table in between, ensure waits for that one and checks it."""
    taken = TableInUse("there", operation="CreateTable", table="users")
    script = RecordingControl(
        {"DescribeTable": [missing(), described("CREATING"), described()], "CreateTable": [taken]}
    )
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.ensure(USERS)
        assert script.operations == ["DescribeTable", "CreateTable", "DescribeTable", "DescribeTable"]
        with pytest.raises(TableInUse):
            await db.tables.create(USERS)


async def test_ttl_may_be_enabled_by_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB refuses to enable time to live twice; where another process was faster, that is fine."""
    refused = ValidationFailed("already enabled", operation="UpdateTimeToLive", table="fading")
    script = RecordingControl(
        {
            "DescribeTable": [described(index=None, TableName="fading")],
            "DescribeTimeToLive": [ttl_state("DISABLED"), ttl_state("ENABLING", "expires")],
            "UpdateTimeToLive": [refused],
        }
    )
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.ensure(FADING)
    assert script.operations[-3:] == ["DescribeTimeToLive", "UpdateTimeToLive", "DescribeTimeToLive"]


async def test_a_refused_ttl_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where time to live is still not enabled, the refusal is raised."""
    refused = ValidationFailed("changed too often", operation="UpdateTimeToLive", table="fading")
    script = RecordingControl(
        {
            "DescribeTable": [described(index=None)],
            "DescribeTimeToLive": [ttl_state("DISABLED")],
            "UpdateTimeToLive": [refused],
        }
    )
    record(monkeypatch, control=script)
    async with Database() as db:
        with pytest.raises(ValidationFailed, match="changed too often"):
            await db.tables.ensure(FADING)


async def test_a_table_that_is_not_ready_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """TableTimeout names the table and the last status, and says that the request was accepted."""
    script = RecordingControl({"DescribeTable": [described("CREATING")], "CreateTable": [{}], "DeleteTable": [{}]})
    record(monkeypatch, control=script)
    async with Database() as db:
        with pytest.raises(TableTimeout, match="table users is not active after 0 seconds") as created:
            await db.tables.create(USERS, timeout=0)
        with pytest.raises(TableTimeout, match="table users is not gone"):
            await db.tables.delete(USERS, timeout=0)
    assert (created.value.table, created.value.status) == ("users", "CREATING")


async def test_an_index_that_is_not_declared_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ensure asks nothing but questions of a table that has more than is declared (flaw D22)."""
    script = RecordingControl({"DescribeTable": [described()]})
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.ensure(Table("users", partition_key="pk"))
    assert set(script.operations) == {"DescribeTable"}


async def test_a_missing_index_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared index that the table lacks is a mismatch, never built silently."""
    script = RecordingControl({"DescribeTable": [described(index=None)]})
    record(monkeypatch, control=script)
    async with Database() as db:
        with pytest.raises(TableMismatch, match="it has no index by_name"):
            await db.tables.ensure(USERS)
    assert set(script.operations) == {"DescribeTable"}


async def test_names_have_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """table_prefix stands before every table's name, in control and data calls."""
    script = RecordingControl({"DescribeTable": [described()]})
    record(monkeypatch, control=script)
    async with Database(table_prefix="staging-") as db:
        await db.tables.describe(USERS)
    assert script.calls == [("DescribeTable", {"TableName": "staging-users"})]


async def test_ensure_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten argument is an error that says what to pass; so is what is no model."""
    record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match="pass models"):
            await db.tables.ensure()
        with pytest.raises(UsageError, match="is not a model"):
            await db.tables.ensure(str)
