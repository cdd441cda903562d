"""Tables: made, ensured, described, checked and deleted, with every kind of index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

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
    TableInUse,
    TableMismatch,
    TableNotFound,
    attr,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
)
from tests.contract.models import connect, unique
from tests.engines import Lane, call

pytestmark = pytest.mark.anyio


@model(table="full")
class Full:
    """Keys of every type, indexes of every kind and projection, and time to live."""

    tenant: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    code: Attr[bytes] = attr(default=b"-")
    rank: Attr[int] = attr(default=0)
    label: Attr[str] = attr(default="-", name="the label")
    until: Attr[datetime | None] = ttl(default=None)

    by_rank = index(sort="rank", local=True)
    by_label = index(sort="label", local=True, projection="keys_only")
    by_code = index(partition="code")
    by_code_rank = index(partition="code", sort="rank", projection="keys_only")
    labels = index(partition="label", sort="number", projection=["rank"])


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()


async def test_a_table_with_everything(db: Database) -> None:
    """What is declared is what DynamoDB describes: keys, types, indexes, projections, billing."""
    made = await db.tables.create(Full)
    description = await db.tables.describe(Full)
    assert made == description
    assert description.is_ready
    assert (description.partition_key.name, description.partition_key.tag) == ("tenant", "S")
    assert description.sort_key is not None
    assert (description.sort_key.name, description.sort_key.tag) == ("number", "N")
    assert description.billing == OnDemand()
    found = {
        described.index.name: (
            [(part.name, part.tag) for part in described.index.partition],
            [(part.name, part.tag) for part in described.index.sort],
            described.index.local,
            described.index.projection,
        )
        for described in description.indexes
    }
    assert found == {
        "by_rank": ([("tenant", "S")], [("rank", "N")], True, "all"),
        "by_label": ([("tenant", "S")], [("the label", "S")], True, "keys_only"),
        "by_code": ([("code", "B")], [], False, "all"),
        "by_code_rank": ([("code", "B")], [("rank", "N")], False, "keys_only"),
        "labels": ([("the label", "S")], [("number", "N")], False, ("rank",)),
    }
    await db.tables.ensure(Full)


async def test_every_index_answers(db: Database) -> None:
    """Items are found through each index that holds them whole, by bytes, numbers and text."""
    await db.tables.ensure(Full)
    item = Full(tenant="t", number=1, code=b"\x00\xff", rank=3, label="l")
    await db.put(item)
    await db.put(Full(tenant="t", number=2))
    assert await db.get(Full, "t", 1, consistent=True) == item
    assert await db.query(Full).where(Full.code == b"\x00\xff") == [item]
    assert await db.query(Full).using(Full.by_rank).where(Full.tenant == "t", Full.rank > 0) == [item]
    assert await db.query(Full).using(Full.by_code).where(Full.code == b"\x00\xff") == [item]


async def test_ensure_is_repeatable_and_enables_ttl(db: Database, endpoint: str, lane: Lane) -> None:
    """Ensure twice, and by another process, makes one table, whose time to live is enabled."""
    prefix = f"{unique()}-"
    async with connect(endpoint, lane, prefix=prefix) as one, connect(endpoint, lane, prefix=prefix) as two:
        await one.tables.ensure(Full, Plain)
        await one.tables.ensure(Full)
        await two.tables.ensure(Plain, Full)
    _status, answer = call(endpoint, "DescribeTimeToLive", {"TableName": f"{prefix}full"})
    assert answer["TimeToLiveDescription"]["AttributeName"] == "until"
    assert answer["TimeToLiveDescription"]["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    assert not await db.tables.exists(Full), "another prefix is another table"


async def test_ensure_at_the_same_time(db: Database) -> None:
    """Several tasks ensure the same tables at once; all of them end well, with one table."""
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(db.tables.ensure, Full, Plain)
    assert (await db.tables.describe(Full)).is_ready
    await db.put(Plain(pk="a"))
    assert await db.scan(Plain) == [Plain(pk="a")]


async def test_provisioned_throughput(db: Database) -> None:
    """Provisioned billing is for the table and its global indexes."""
    billing = Provisioned(read=3, write=2)
    await db.tables.ensure(Full, billing=billing)
    assert (await db.tables.describe(Full)).billing == billing


async def test_create_refuses_a_table_that_is_there(db: Database) -> None:
    """create() is for new tables; the error names the table."""
    await db.tables.create(Plain)
    with pytest.raises(TableInUse) as caught:
        await db.tables.create(Plain)
    assert caught.value.operation == "CreateTable"
    assert str(caught.value.table).endswith("-plain")


async def test_delete_and_exists(db: Database) -> None:
    """A deleted table is gone when delete() returns; a missing one is an error unless that is fine."""
    assert not await db.tables.exists(Plain)
    await db.tables.ensure(Plain)
    assert await db.tables.exists(Plain)
    await db.tables.delete(Plain)
    assert not await db.tables.exists(Plain)
    await db.tables.delete(Plain, missing_ok=True)
    with pytest.raises(TableNotFound) as deleted:
        await db.tables.delete(Plain)
    with pytest.raises(TableNotFound) as described:
        await db.tables.describe(Plain)
    assert (deleted.value.operation, described.value.operation) == ("DeleteTable", "DescribeTable")


async def test_a_missing_table_is_named(db: Database) -> None:
    """Each call on a missing table is TableNotFound, which names table and operation."""
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "GetItem": lambda: db.get(Plain, "x"),
        "PutItem": lambda: db.put(Plain(pk="x")),
        "UpdateItem": lambda: db.update(Key(Full, "t", 1), Full.rank.set(1)),
        "DeleteItem": lambda: db.delete(Plain(pk="x")),
        "Query": lambda: db.query(Plain).where(Plain.pk == "x").first(),
        "Scan": lambda: db.scan(Plain).first(),
    }
    for operation, run in calls.items():
        with pytest.raises(TableNotFound) as caught:
            await run()
        assert caught.value.operation == operation
        name = "full" if operation == "UpdateItem" else "plain"
        assert str(caught.value).startswith(f"{operation} on table {caught.value.table}: ")
        assert str(caught.value.table).endswith(f"-{name}")


async def test_a_table_that_is_not_what_is_declared(db: Database) -> None:
    """TableMismatch lists every difference, and nothing is changed."""
    there = Table("mixed", partition_key="pk", sort_key="sk", indexes=[GSI("kept", "a", "b"), LSI("other", "c")])
    await db.tables.ensure(there)
    before = await db.tables.describe(there)
    declared = Table(
        "mixed",
        partition_key="id",
        sort_key="sk",
        types={"sk": "N"},
        indexes=[GSI("kept", "a"), GSI("missing", "d")],
    )
    with pytest.raises(TableMismatch) as caught:
        await db.tables.ensure(declared)
    assert len(caught.value.differences) == 4
    message = str(caught.value)
    for part in ("the partition key is pk (S), declared is id (S)", "sort key", "no index missing", "index kept"):
        assert part in message
    assert await db.tables.describe(there) == before


async def test_an_index_that_only_the_table_has_is_left(db: Database) -> None:
    """An index that is not declared is no mismatch, and is never dropped (flaw D22)."""
    await db.tables.ensure(Table("grown", partition_key="pk", indexes=[GSI("extra", "a")]))
    await db.tables.ensure(Table("grown", partition_key="pk"))
    description = await db.tables.describe(Table("grown", partition_key="pk"))
    assert [described.index.name for described in description.indexes] == ["extra"]


async def test_another_time_to_live_is_a_mismatch(db: Database) -> None:
    """A table whose time to live is another attribute is not changed silently."""
    await db.tables.ensure(Table("fading", partition_key="pk", ttl="expires"))
    with pytest.raises(TableMismatch, match="its time to live is expires, declared is until"):
        await db.tables.ensure(Table("fading", partition_key="pk", ttl="until"))
