"""Queries and scans as builders and streams, over scripted pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    Attr,
    BadResponse,
    CallTimeout,
    Database,
    DynamormError,
    EndpointUnreachable,
    Scan,
    Timeouts,
    UsageError,
    ValidationFailed,
    attr,
    model,
    partition_key,
    sort_key,
)
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import RecordingLane, record
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="a")


@model(table="others")
class Other:
    pk: Attr[str] = partition_key()
    flavour: Attr[str] = attr()


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
    lane = record(monkeypatch, page(), page())
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


# --- builders that nobody uses --------------------------------------------------------------------


def warned(use: Use) -> list[str]:
    """The warnings of a use of builders, none of which is awaited."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(DynamormError):
            use(Database())
    assert all((warning.category, warning.filename) == (RuntimeWarning, __file__) for warning in caught)
    return [str(warning.message) for warning in caught]


Use = Callable[[Database], object]
FORGOTTEN: list[tuple[Use, str]] = [
    (lambda db: db.query(Thing), "query"),
    (lambda db: db.query(Thing).where(Thing.pk == "p").descending().limit(3), "query"),
    (lambda db: db.query(Thing).select(Thing.kind), "query"),
    (lambda db: db.scan(Thing).segments(8), "scan"),
]


@pytest.mark.parametrize(("use", "what"), FORGOTTEN)
def test_a_builder_that_is_never_awaited_warns(use: Use, what: str) -> None:
    """Where it is dropped, and once: the builders that it was made of are used."""

    def dropped(db: Database) -> None:
        use(db)

    assert warned(dropped) == [f"the {what} of Thing was never awaited, so nothing was sent"]


def untyped(value: object) -> Any:  # what a caller without a type checker may pass
    return value


USED: list[Use] = [
    lambda db: db.query(Thing).where(Thing.pk == "p").explain(),
    lambda db: db.scan(Thing).stream(),
    lambda db: aiter(db.scan(Thing)),
    lambda db: db.scan(Thing).pages(),
    lambda db: db.scan(Thing).group_by(Thing.kind),
    # What is refused has an error, which says enough.
    lambda db: db.query(Thing).explain(),
    lambda db: db.query(Thing).where(Thing.pk == "p").limit(0),
    lambda db: db.query(Thing).page_size(untyped("1")),
    lambda db: db.query(Thing).where(Other.flavour == "x"),
    lambda db: db.query(Thing).where(untyped("pk")),
    lambda db: db.query(Thing).select(*untyped(())),
    lambda db: db.query(Thing).select(Other.flavour),
    lambda db: db.scan(Thing).select(*untyped(())),
    lambda db: db.scan(Thing).segments(0),
    lambda db: db.scan(Thing).segments(1_000_001),
    lambda db: db.scan(Thing).capacity(0),
    lambda db: db.scan(Thing).timeout(0),
]


@pytest.mark.parametrize("use", USED)
def test_a_builder_that_was_used_or_refused_does_not_warn(use: Use) -> None:
    """Iterated, explained, made another of, or refused: nobody forgot it."""
    assert warned(use) == []


async def test_results_of_every_kind_use_the_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to ask for results; a base query may stay unasked, as long as others are made of it."""
    record(monkeypatch, *[page(1)] * 8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with Database() as db:
            await db.scan(Thing)
            await db.scan(Thing).first()
            await db.scan(Thing).one()
            await db.scan(Thing).count()
            await db.scan(Thing).page(size=1)
            await db.scan(Thing).max(Thing.sk)
            await db.scan(Thing).sum(Thing.sk)
            base = db.scan(Thing)
            await base.limit(1)
            with pytest.raises(UsageError):
                await db.scan(Thing).page(size=0)
            del base
    assert caught == []


Read = Callable[[Scan[Thing]], Awaitable[object]]
READS: list[Read] = [
    lambda scan: scan,
    lambda scan: scan.count(),
    lambda scan: scan.page(size=2),
    lambda scan: scan.max(Thing.sk),
    lambda scan: scan.group_by(Thing.kind).count(),
    lambda scan: scan.pages().__anext__(),
]


@pytest.mark.parametrize("read", READS)
async def test_a_reading_has_one_deadline(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    """The answer that does not come ends the reading when its time is over, however long a request may take."""
    lane = record(monkeypatch)

    async def hang(_request: Request, timeout: float) -> Response:
        await anyio.sleep_forever()
        raise AssertionError(timeout)

    monkeypatch.setattr(lane, "attempt", hang)
    before = len(asyncio.all_tasks())
    async with Database() as db:
        with pytest.raises(CallTimeout, match=r"the call's 0.02 s are over before this request was answered"):
            await read(db.scan(Thing).timeout(0.02))
        assert len(asyncio.all_tasks()) == before


async def test_a_pause_for_capacity_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan that waits until it may read on does not wait beyond its time."""
    answer = json.loads(page(1, last=1)) | {"ConsumedCapacity": {"TableName": "things", "CapacityUnits": 1000.0}}
    record(monkeypatch, json.dumps(answer).encode())
    async with Database() as db:
        with pytest.raises(CallTimeout):
            await db.scan(Thing).capacity(1).timeout(0.02)


@pytest.mark.parametrize("read", READS[:3])
async def test_the_wait_behind_a_crowd_counts(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    """A reading that is not let in before its time is over ends then, and was not sent."""
    lane = record(monkeypatch)

    async def hang(request: Request, timeout: float) -> Response:
        lane.requests.append(request)
        await anyio.sleep_forever()
        raise AssertionError(timeout)

    monkeypatch.setattr(lane, "attempt", hang)
    async with Database(pool_size=1, timeouts=Timeouts(call=60.0, pool=60.0)) as db, anyio.create_task_group() as tasks:
        for number in range(2):  # one that is served, and one that waits for the connection
            tasks.start_soon(db.get, Thing, "p", number)
        await until(lambda: len(lane.requests) == 2)
        with anyio.fail_after(10), pytest.raises(CallTimeout, match=r"Scan: .* over before its turn came"):
            await read(db.scan(Thing).timeout(0.02))
        tasks.cancel_scope.cancel()
    assert [request.operation for request in lane.requests] == ["GetItem", "GetItem"]
