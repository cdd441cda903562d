"""Files of items as users write them; both type checkers must accept every line."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, assert_type

import anyio

from dynamorm_async import Attr, Database, Table, model, partition_key
from dynamorm_async.transfer import (
    Change,
    ExportDescription,
    ExportResult,
    ImportResult,
    export_items,
    import_items,
    read_changes,
    read_export,
    start_export,
)
from dynamorm_async.types import AttributeValue

shop = Table("shop", partition_key="pk")


@model("wares")
class Ware:
    ware_id: Attr[str] = partition_key()


async def pieces() -> AsyncIterator[bytes]:
    yield b""


async def show(result: ExportResult) -> None:
    assert_type(result.items, int)


async def files(db: Database, path: Path) -> None:
    assert_type(await export_items(db, Ware, path), ExportResult)
    await export_items(db, shop, "shop.jsonl.gz", format="dynamodb", on_progress=show)
    await export_items(db, db.query(Ware).where(Ware.ware_id == "w1"), io.BytesIO(), format="json")
    await export_items(db, db.scan(Ware).limit(3), path)
    async with await anyio.open_file(path, "wb") as file:
        await export_items(db, Ware, file, gzip=True)
    with path.open("rb") as opened:
        assert_type(await import_items(db, Ware, opened), ImportResult)
    await import_items(db, shop, pieces(), mode="new", on_error="collect")
    assert_type(await db.query(Ware).where(Ware.ware_id == "w1").stored(), list[dict[str, AttributeValue]])


async def exports(db: Database) -> None:
    job = await start_export(db, Ware, bucket="b")
    assert_type(await job.wait(), ExportDescription)
    async with read_export("folder", Ware) as wares:
        async for ware in wares:
            assert_type(ware, Ware)
    async with read_changes(Path, Ware, manifest="k") as changes:
        async for change in changes:
            assert_type(change, Change[Ware])
            assert_type(change.new, Ware | None)
    async with read_export("folder", shop) as everything:
        assert_type(await anext(everything), Any)
    async with read_export("folder") as raw:
        assert_type(await anext(raw), dict[str, AttributeValue])
