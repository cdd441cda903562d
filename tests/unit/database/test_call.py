"""``db.call``: what it passes on, and what it names in errors."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import Attr, Database, DatabaseClosed, model, partition_key
from tests.unit.database.recording import RecordingControl, record

pytestmark = pytest.mark.anyio


@model(table="users")
class User:
    name: Attr[str] = partition_key()


async def test_parameters_and_answer_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's parameters go out as they are, and its answer comes back; the table is taken from the parameters."""
    backup: dict[str, Any] = {"BackupDetails": {"BackupName": "b"}}
    control = RecordingControl({"CreateBackup": [backup]})
    record(monkeypatch, control=control)
    async with Database(table_prefix="staging-") as db:
        params = {"TableName": db.tables.name(User), "BackupName": "b"}
        assert await db.call("CreateBackup", params) == backup
    assert control.calls == [("CreateBackup", {"TableName": "staging-users", "BackupName": "b"})]


async def test_the_table_of_errors_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations that take an ARN, or no table at all, are called as well."""
    control = RecordingControl({"ListTagsOfResource": [{}]})
    seen: list[tuple[str | None, float | None]] = []
    call = control.call

    async def look(operation: str, params: Any, *, table: str | None, timeout: float | None) -> dict[str, Any]:
        seen.append((table, timeout))
        return await call(operation, params, table=params.get("TableName"), timeout=timeout)

    monkeypatch.setattr(control, "call", look)
    record(monkeypatch, control=control)
    async with Database() as db:
        await db.call("ListTagsOfResource", {"ResourceArn": "arn:x"}, table="users", timeout=3.0)
        await db.call("ListTagsOfResource", {"ResourceArn": "arn:x"}, timeout=3.0)
    assert [table for table, _ in seen] == ["users", None]
    assert all(timeout is not None and 0 < timeout <= 3.0 for _, timeout in seen)


async def test_a_closed_database_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every other call."""
    control = RecordingControl({})
    record(monkeypatch, control=control)
    db = Database()
    await db.aclose()
    with pytest.raises(DatabaseClosed):
        await db.call("ListTables", {})
    assert control.calls == []
