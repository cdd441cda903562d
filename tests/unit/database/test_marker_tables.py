"""The second table of models with unique values comes and goes with the first."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import Attr, Database, Table, TableMismatch, TableNotFound, attr, model, partition_key, unique
from tests.unit.database.recording import RecordingControl, record

pytestmark = pytest.mark.anyio

SHARED = Table("shared", partition_key="pk")


@model(SHARED)
class Customer:
    pk: Attr[str] = partition_key()
    email: Attr[str] = attr(default="")
    one_email = unique("email")


@model(SHARED)
class Supplier:
    pk: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")
    one_name = unique("name")


def described(key: str) -> dict[str, Any]:
    return {
        "Table": {
            "TableName": "any",
            "TableStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        }
    }


def tables(script: RecordingControl, operation: str) -> list[str]:
    return [params["TableName"] for called, params in script.calls if called == operation]


async def test_ensure_makes_both_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of one table share its second one as well; names have the prefix; the Table alone has no second one."""
    missing = TableNotFound("not there", operation="DescribeTable", table="any")
    answers: list[dict[str, Any] | Exception] = [missing, described("pk"), missing, described("value"), described("pk")]
    script = RecordingControl({"DescribeTable": answers, "CreateTable": [{}]})
    record(monkeypatch, control=script)
    async with Database(table_prefix="t-") as db:
        await db.tables.ensure(Customer, Supplier)
        assert tables(script, "CreateTable") == ["t-shared", "t-shared-unique"]
        schema = [params["KeySchema"] for called, params in script.calls if called == "CreateTable"][1]
        assert schema == [{"AttributeName": "value", "KeyType": "HASH"}]
        await db.tables.ensure(SHARED)
    assert tables(script, "CreateTable") == ["t-shared", "t-shared-unique"]


async def test_a_second_table_of_another_kind_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that has the name by chance is named, before anything is written to it."""
    script = RecordingControl({"DescribeTable": [described("pk"), described("id")]})
    record(monkeypatch, control=script)
    async with Database() as db:
        with pytest.raises(TableMismatch, match="shared-unique"):
            await db.tables.ensure(Customer)


async def test_delete_takes_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Markers without items would take values for ever."""
    gone = TableNotFound("not there", operation="DescribeTable", table="any")
    script = RecordingControl({"DeleteTable": [{}], "DescribeTable": [gone]})
    record(monkeypatch, control=script)
    async with Database() as db:
        await db.tables.delete(Customer)
    assert sorted(tables(script, "DeleteTable")) == ["shared", "shared-unique"]
