"""Queries and scans as builders and streams, over scripted pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    BadResponse,
    Database,
    EndpointUnreachable,
    UsageError,
    ValidationFailed,
    attr,
    model,
    partition_key,
    sort_key,
)
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="a")


def page(*numbers: int, last: int | None = None) -> bytes:
    """A page of things, and the key that it ended at."""
    answer: dict[str, Any] = {
        "Items": [{"pk": {"S": "p"}, "sk": {"N": str(n)}} for n in numbers],
        "Count": len(numbers),
        "ScannedCount": len(numbers),
    }
    if last is not None:
        answer["LastEvaluatedKey"] = {"pk": {"S": "p"}, "sk": {"N": str(last)}}
    return json.dumps(answer).encode()


def starts(lane: RecordingLane) -> list[object]:
    return [body.get("ExclusiveStartKey", {}).get("sk", {}).get("N") for body in lane.bodies]


async def test_pages_are_followed_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page begins where the one before ended; empty pages are no end."""
    lane = record(monkeypatch, page(1, 2, last=2), page(last=5), page(6))
    async with Database() as db:
        found = await db.query(Thing).where(Thing.pk == "p")
    assert [thing.sk for thing in found] == [1, 2, 6]
    assert starts(lane) == [None, "2", "5"]


async def test_a_page_that_ends_where_it_began_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that repeats its key is told apart from a long table: no endless loop."""
    record(monkeypatch, page(1, last=1), page(1, last=1))
    async with Database() as db:
        with pytest.raises(BadResponse, match="does not page correctly"):
            await db.scan(Thing)


async def test_builders_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every narrowing makes a new builder: one base serves many queries."""
    lane = record(monkeypatch)
    async with Database() as db:
        base = db.query(Thing).where(Thing.pk == "p")
        await base.where(Thing.kind == "b").limit(3).descending().consistent()
        await base
    assert lane.bodies[1] == {
        "TableName": "things",
        "KeyConditionExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "pk"},
        "ExpressionAttributeValues": {":v0": {"S": "p"}},
    }
    assert lane.bodies[0]["ScanIndexForward"] is False
    assert lane.bodies[0]["ConsistentRead"] is True


async def test_a_stream_reads_only_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is requested when its first item is, and none after the limit or a break."""
    lane = record(monkeypatch, page(1, 2, last=2), page(3, 4, last=4), page(5))
    async with Database() as db:
        stream = aiter(db.scan(Thing))
        assert lane.requests == []
        assert [(await anext(stream)).sk for _ in range(2)] == [1, 2]
        assert len(lane.requests) == 1
        assert (await anext(stream)).sk == 3
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert len(lane.requests) == 2


async def test_a_limit_that_ends_with_a_page_reads_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the limit is reached, no further page is asked for, by list or by stream."""
    lane = record(monkeypatch, page(1, 2, last=2), page(1, 2, last=2))
    async with Database() as db:
        assert len(await db.scan(Thing).limit(2)) == 2
        assert len([thing async for thing in db.scan(Thing).limit(2)]) == 2
    assert starts(lane) == [None, None]


async def test_a_limit_inside_a_page_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has more items than are wanted is cut, by list and by stream."""
    record(monkeypatch, page(1, 2, 3), page(1, 2, 3))
    async with Database() as db:
        scan = db.scan(Thing).where(Thing.kind == "a").limit(2)
        assert [thing.sk for thing in await scan] == [1, 2]
        assert [thing.sk async for thing in scan] == [1, 2]


async def test_a_stream_can_go_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that failed is asked for again by the next step; nothing is skipped."""
    broken = ValidationFailed("no", operation="Scan", table="things")
    lane = record(monkeypatch, page(1, last=1), broken, page(2))
    async with Database() as db:
        stream = aiter(db.scan(Thing))
        assert (await anext(stream)).sk == 1
        with pytest.raises(ValidationFailed):
            await anext(stream)
        assert (await anext(stream)).sk == 2
    assert starts(lane) == [None, "1", "1"]


async def test_reads_are_repeated_after_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads are safe to repeat, so they are."""
    lost = EndpointUnreachable("down", operation="Query", table="things")
    lane = record(monkeypatch, lost, page(1))
    async with Database() as db:
        assert len(await db.query(Thing).where(Thing.pk == "p")) == 1
    assert len(lane.requests) == 2


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "3", None])
async def test_a_limit_is_a_positive_whole_number(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    """limit() and page_size() refuse anything else before a request is made."""
    lane = record(monkeypatch)
    async with Database() as db:
        for narrow in (db.scan(Thing).limit, db.scan(Thing).page_size):
            with pytest.raises(UsageError, match=r"(limit|page_size)\(.*\): a whole number of 1 or more"):
                narrow(value)
    assert lane.requests == []


async def test_an_unknown_index_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the table, the index and what there is."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match="table things of Thing has no index 'nope'; it has none"):
            await db.scan(Thing).using("nope")
    assert lane.requests == []
