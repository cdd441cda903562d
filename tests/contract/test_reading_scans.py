"""Scans: segments, budgets, checkpoints that go on in another process, and scans that stand in for queries."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import anyio
import pytest

from dynamorm_async import Database, ItemStream, NoUsableIndex, UsageError
from tests.contract.reading_models import PARCELS, SECRETS, Parcel, by_key, connect, depots, key, where
from tests.engines import Lane

__all__ = ["depots"]

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]

# Goes on after a checkpoint and prints the keys of what it reads, with the checkpoint after the first of them.
RESUMING = """
import asyncio, json, sys
from tests.contract.reading_models import SECRETS, Parcel, connect, key

async def main(endpoint, lane, segments, checkpoint):
    async with connect(endpoint, lane, secrets=SECRETS) as db:
        scan = db.scan(Parcel).segments(int(segments)).page_size(2)
        async with scan.after(checkpoint).stream() as stream:
            first = [key(await anext(stream)) for _ in range(6)]
            print(json.dumps([first, stream.checkpoint()]))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("segments", [1, 2, 3, 4])
async def test_segments_read_every_item_once(depots: Database, segments: int) -> None:
    """However many segments read at the same time, with whatever page size and filter, each item comes once."""
    scan = depots.scan(Parcel).segments(segments)
    assert len(scan.explain().requests) == segments
    for size in (1, 4, 100):
        assert by_key(await scan.page_size(size)) == where(bool)
        assert by_key([item async for item in scan.page_size(size)]) == where(bool)
        assert by_key([item async for page in scan.page_size(size).pages() for item in page.items]) == where(bool)
    heavy = scan.where(Parcel.weight > 5, Parcel.carrier == "ups")
    expected = where(lambda p: p.weight > 5 and p.carrier == "ups")
    assert by_key(await heavy.page_size(2)) == expected
    assert await heavy.count() == await heavy.page_size(3).count() == len(expected)
    assert sorted(await scan.select(Parcel.depot, Parcel.number)) == [key(p) for p in where(bool)]
    for limit in (1, 5, 100):
        assert len(await scan.page_size(2).limit(limit)) == min(limit, len(PARCELS))
    assert by_key(await scan.using(Parcel.by_carrier)) == where(bool)
    assert by_key(await scan.using(Parcel.by_claim)) == where(lambda p: p.claimed is not None)


@pytest.mark.parametrize("segments", [1, 3])
async def test_a_scan_goes_on_from_every_position(depots: Database, segments: int) -> None:
    """A checkpoint after any item, in any segment's order, leads to exactly the items that did not come yet."""
    scan = depots.scan(Parcel).segments(segments).page_size(2)
    seen: list[Parcel] = []
    async with scan.stream() as stream:
        async for item in stream:
            seen.append(item)
            rest = await scan.after(stream.checkpoint())
            assert by_key([*seen, *rest]) == where(bool)
    assert len(seen) == len(PARCELS)


@pytest.mark.usefixtures("depots")
@pytest.mark.parametrize("segments", [1, 4])
async def test_a_scan_goes_on_in_another_process(endpoint: str, lane: Lane, segments: int) -> None:
    """Three processes share one parallel scan by sealed checkpoints: all items come, exactly once."""
    async with connect(endpoint, lane, secrets=SECRETS) as db:
        scan = db.scan(Parcel).segments(segments).page_size(2)
        async with scan.stream() as stream:
            found = [key(await anext(stream)) for _ in range(7)]
            checkpoint = stream.checkpoint()
        for _ in range(2):
            command = [sys.executable, "-c", RESUMING, endpoint, lane, str(segments), checkpoint]
            done = await anyio.run_process(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
            assert done.returncode == 0, done.stderr.decode()
            keys, checkpoint = json.loads(done.stdout)
            found += [(depot, number) for depot, number in keys]
        found += [key(item) for item in await scan.after(checkpoint)]
    assert set(Counter(found).values()) == {1}
    assert sorted(found) == [key(item) for item in where(bool)]


async def test_a_capacity_budget_changes_nothing_but_the_pace(depots: Database) -> None:
    """A budget asks DynamoDB for what each page costs, and leaves the items as they are."""
    scan = depots.scan(Parcel).page_size(6).capacity(1_000)
    with depots.measure() as meter:
        assert by_key(await scan.segments(2)) == where(bool)
    assert meter.statistics.capacity.read > 0
    assert by_key([item async for item in scan.where(Parcel.weight > 3)]) == where(lambda p: p.weight > 3)
    with pytest.raises(UsageError, match="above 0"):
        scan.capacity(0)


async def test_a_scan_in_the_place_of_a_query_is_asked_for(depots: Database) -> None:
    """What no key or index answers is refused with the ways out, and read whole only where that was allowed."""
    query = depots.query(Parcel).where(Parcel.score > 1, Parcel.weight > 3)
    with depots.measure() as meter:
        for read in (query.first(), query.count(), query.page(), query.sum(Parcel.weight), query):
            with pytest.raises(NoUsableIndex, match="without reading the whole table") as refused:
                await read
        with pytest.raises(NoUsableIndex):
            aiter(query)
    assert meter.statistics.requests == {}
    for index in ("the table", "by_weight", "by_carrier", "by_town", "by_status", "by_claim", "allow_scan()"):
        assert index in str(refused.value)
    allowed = query.allow_scan().page_size(7)
    expected = where(lambda p: (p.score or 0) > 1 and p.weight > 3)
    assert allowed.explain().operation == "Scan"
    assert by_key(await allowed) == expected
    assert await allowed.count() == len(expected)
    assert by_key((await allowed.page(size=100)).items) == expected
    assert by_key(await depots.query(Parcel).allow_scan()) == where(bool)
    with pytest.raises(UsageError, match="no order"):
        await allowed.descending()


async def test_allow_scan_scans_only_where_nothing_else_answers(depots: Database) -> None:
    """Where a key answers, an allowed scan is not made."""
    query = depots.query(Parcel).where(Parcel.depot == "east").allow_scan()
    assert query.explain().operation == "Query"
    assert await query == where(lambda p: p.depot == "east")


async def test_conditions_on_keys_filter_a_scan(depots: Database) -> None:
    """A scan takes any condition on a key, those too that a query's key condition does not know."""
    scan = depots.scan(Parcel)
    assert by_key(await scan.where(Parcel.depot != "east", (Parcel.number < 0) | (Parcel.number > 80))) == where(
        lambda p: p.depot != "east" and not 0 <= p.number <= 80
    )
    assert by_key(
        await scan.where(Parcel.depot.is_in(["east", "north"]), Parcel.number > 3, Parcel.number != 20)
    ) == where(lambda p: p.depot in ("east", "north") and p.number > 3 and p.number != 20)


async def test_leaving_a_parallel_scan_early(depots: Database) -> None:
    """Ten scans broken off at once leave no task (the suite looks) and a database that works."""

    async def three(stream: ItemStream[Parcel]) -> None:
        async with stream:
            for _ in range(3):
                await anext(stream)

    async with anyio.create_task_group() as group:
        for segments in range(1, 11):
            group.start_soon(three, depots.scan(Parcel).segments(segments).page_size(1).stream())
    assert len(await depots.scan(Parcel)) == len(PARCELS)
