"""How a batch ends: what is retried and for how long, what stops it, and that its report accounts for everything."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import anyio
import msgspec
import pytest

from dynamorm_async import (
    AccessDenied,
    BadResponse,
    BatchOperation,
    BatchProgress,
    BatchReport,
    BatchWriteFailed,
    CallTimeout,
    CredentialsError,
    Database,
    DatabaseClosed,
    Key,
    OutcomeUnknown,
    Throttled,
    TransactionConflict,
    UsageError,
)
from dynamorm_async.database.batch_write import BatchWrite, put_many
from dynamorm_async.types import Request, Response
from tests.property.fake_writes import FakeStore, Identity, Kept, Number, Row, batch_of, settled
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio


def rows(count: int, *, start: int = 0) -> list[Row]:
    return [Row(pk="a", sk=n, text=str(n)) for n in range(start, start + count)]


def keys(operations: tuple[BatchOperation, ...]) -> list[int]:
    return [operation.key.values[1] for operation in operations]


def denied(_request: Request) -> None:
    raise AccessDenied("no", operation="BatchWriteItem", table="rows", code="AccessDeniedException")


# --- unprocessed items ------------------------------------------------------------------------------


async def test_pauses_grow_and_are_random() -> None:
    """A random part of 50 ms, twice as much each time, at most 5 s; rounds that write something are not bounded."""
    for random, share in ((lambda: 1.0, 1.0), (lambda: 0.25, 0.25), (lambda: 0.0, 0.0)):
        store, pauses = FakeStore(), list[float]()
        store.leaves = lambda sent: sent[1:] if len(sent) > 1 else ()
        batch = batch_of(store, pauses=pauses, random=random)
        assert await put_many(batch, rows(12)) == BatchReport(written=12, replaced=0)
        whole = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]
        assert pauses == pytest.approx([share * seconds for seconds in whole])
        assert store.sizes == list(range(12, 0, -1))


async def test_it_gives_up_after_eight_fruitless_answers() -> None:
    """Not for ever, and what was left is in the report; a round that wrote something starts the count anew."""
    store = FakeStore()

    def leaves(sent: list[Identity]) -> list[Identity]:
        return sent[1:] if len(store.requests) == 5 else sent

    store.leaves = leaves
    batch = batch_of(store)
    with pytest.raises(BatchWriteFailed, match="3 were left unprocessed and 0 failed: Throttled") as caught:
        await put_many(batch, rows(4))
    assert store.sizes == [4] * 5 + [3] * 8
    report = caught.value.report
    assert (report.written, report.failed, keys(report.unprocessed)) == (1, (), [1, 2, 3])
    cause = caught.value.__cause__
    assert isinstance(cause, Throttled)
    assert (cause.code, cause.table, cause.attempts) == ("UnprocessedItems", "rows", 13)
    assert (caught.value.table, caught.value.retryable) == ("rows", True)


@pytest.mark.parametrize(
    "body",
    [
        b'{"UnprocessedItems":{"rows":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"N":"99"}}}}]}}',
        b'{"UnprocessedItems":{"others":[{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"N":"0"}}}}]}}',
        b'{"UnprocessedItems":{"rows":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}}]}}',
        b'{"UnprocessedItems":{"rows":[{"PutRequest":{"Item":{"pk":"a","sk":{"N":"0"}}}}]}}',
        b'{"UnprocessedItems":{"rows":[{"PutRequest":{"Item":{"pk":{"S":"a"},"sk":{"N":"x"}}}}]}}',
        b'{"UnprocessedItems":{"rows":[{}]}}',
        b'{"UnprocessedItems":{"rows":[3]}}',
        b'{"UnprocessedItems":[]}',
        b'{"UnprocessedItems":',
        b"[" * 100_000,
        b'{"UnprocessedItems":{"\xff":[]}}',
    ],
)
async def test_an_answer_that_cannot_be_read_loses_nothing(body: bytes) -> None:
    """What it means is not guessed: all operations of the request count as unprocessed."""
    store = FakeStore()

    async def send(request: Request, timeout: float | None, /) -> Response:
        await store.send(request, timeout)
        return Response(body=body)

    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, send=send), rows(2))
    assert isinstance(caught.value.__cause__, BadResponse)
    assert keys(caught.value.report.unprocessed) == [0, 1]


# --- a request fails -------------------------------------------------------------------------------


async def test_a_failed_request_stops_the_batch() -> None:
    """What is under way ends, nothing new is sent, the next put raises, and so does the end of the block."""
    store, refused = FakeStore(), 0

    def before(request: Request) -> None:
        nonlocal refused
        if len(store.requests) == 2 and not refused:
            refused += 1
            denied(request)

    store.before = before
    store.turns = lambda: 2 if len(store.requests) == 1 else 8
    batch, told = batch_of(store, concurrency=2), list[BatchWriteFailed]()
    with pytest.raises(BatchWriteFailed) as caught:  # noqa: PT012 - the block is what is tested
        async with batch:
            for row in rows(60):
                await batch.put(row)
            await settled()
            for sk in (7, 8):
                with pytest.raises(BatchWriteFailed) as early:
                    await batch.put(Row(pk="late", sk=sk))
                told.append(early.value)
    report = caught.value.report
    assert (report.written, report.failed, keys(report.unprocessed)) == (25, (), [*range(25), *range(50, 60), 7, 8])
    assert store.sizes == [25, 25]
    for error, late in zip((*told, caught.value), (1, 2, 2), strict=True):
        assert error.report == msgspec.structs.replace(report, unprocessed=report.unprocessed[: 35 + late])
        assert isinstance(error.__cause__, AccessDenied)
        assert f"of {60 + late} operations, {35 + late} were left unprocessed and 0 failed: AccessDenied: " in str(
            error
        )


async def test_a_put_that_waits_is_told() -> None:
    """A producer that waits for room when the batch stops gets the error, with a report that is final."""
    store = FakeStore()
    store.gate = anyio.Event()
    batch, caught = batch_of(store, concurrency=1), list[BatchWriteFailed]()

    async def produce() -> None:
        try:
            for row in rows(100):
                await batch.put(row)
        except BatchWriteFailed as error:
            caught.append(error)

    with pytest.raises(BatchWriteFailed):  # noqa: PT012 - the block is what is tested
        async with batch, anyio.create_task_group() as tasks:
            tasks.start_soon(produce)
            await settled()
            store.before = denied
            store.gate.set()
    (error,) = caught
    assert error.report == batch.report
    assert keys(error.report.unprocessed) == list(range(50))


@pytest.mark.parametrize("error", [CredentialsError("none"), RuntimeError("a provider's own")])
async def test_whatever_fails_is_the_cause(error: Exception) -> None:
    """Errors that are no CallError stop the batch in the same way."""
    store = FakeStore()

    def before(_request: Request) -> None:
        raise error

    store.before = before
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store), rows(3))
    assert caught.value.__cause__ is error
    assert keys(caught.value.report.unprocessed) == [0, 1, 2]
    assert not caught.value.retryable


async def test_a_closed_database_is_the_error_where_nothing_was_sent() -> None:
    """DatabaseClosed, and not a batch that failed; the report has every operation as unprocessed, a note says how many."""
    store, error = FakeStore(), DatabaseClosed("closed")

    def before(_request: Request) -> None:
        raise error

    store.before = before
    batch = batch_of(store)
    with pytest.raises(DatabaseClosed) as caught:
        await put_many(batch, [Kept(pk="a"), *rows(30)])
    assert caught.value is error
    report = batch.report
    assert (report.written, len(report.unprocessed) + len(report.failed)) == (0, 31)
    assert "items that put_many() had written: 0" in error.__notes__[0]


async def test_a_database_closed_halfway_is_the_cause() -> None:
    """Once something was sent, the error is BatchWriteFailed, whose report says what was written."""
    store = FakeStore()

    def before(_request: Request) -> None:
        if store.items:
            raise DatabaseClosed("closed")

    store.before = before
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, concurrency=1), rows(50))
    assert isinstance(caught.value.__cause__, DatabaseClosed)
    assert (caught.value.report.written, len(caught.value.report.unprocessed)) == (25, 25)


async def test_a_lost_answer_of_a_single_write_stops_the_batch() -> None:
    """It is a failure of its own operation, since it cannot be made again blindly, and the others are not sent."""
    store = FakeStore()

    def before(request: Request) -> None:
        if request.operation == "PutItem":
            raise OutcomeUnknown("lost", operation="PutItem", table="kept")

    store.before = before
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, concurrency=1), [Kept(pk="a"), Kept(pk="b"), *rows(2)])
    report = caught.value.report
    assert isinstance(caught.value.__cause__, OutcomeUnknown)
    assert [failure.operation.key for failure in report.failed] == [Key(Kept, "a")]
    assert [operation.key for operation in report.unprocessed][:1] == [Key(Kept, "b")]
    assert report.written == 0
    assert store.operations == ["PutItem"]


async def test_what_concerns_one_item_stops_nothing() -> None:
    """An item that a transaction holds fails; the others are written."""
    store = FakeStore()

    def before(request: Request) -> None:
        if request.operation == "PutItem" and request.body["Item"]["pk"] == {"S": "a"}:
            raise TransactionConflict("busy", operation="PutItem", table="kept")

    store.before = before
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, concurrency=1), [Kept(pk="a"), Kept(pk="b"), *rows(2)])
    assert (caught.value.report.written, len(caught.value.report.failed)) == (3, 1)
    assert caught.value.retryable


async def test_no_exception_group_reaches_the_caller() -> None:
    """However many requests fail at the same time, there is one error."""
    store = FakeStore()
    store.before, store.turns = denied, lambda: 50
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store), rows(100))
    assert len(caught.value.report.unprocessed) == 100
    assert store.sizes == [25] * 4


# --- the block raises or is cancelled --------------------------------------------------------------


async def test_a_block_that_raises_sends_nothing_more() -> None:
    """What is under way is waited for, with no further round, and the block's own error passes through."""
    store, pauses, own = FakeStore(), list[float](), ValueError("mine")
    store.leaves = lambda sent: sent[20:]
    batch = batch_of(store, pauses=pauses)
    with pytest.raises(ValueError, match="mine") as caught:  # noqa: PT012 - the block is what is tested
        async with batch:
            for row in rows(40):
                await batch.put(row)
            raise own
    assert caught.value is own
    assert own.__cause__ is own.__context__ is None
    assert store.sizes == [25]
    assert pauses == []
    report = batch.report
    assert (report.written, keys(report.unprocessed)) == (20, list(range(20, 40)))


async def test_a_pause_ends_when_the_batch_stops() -> None:
    """Nobody waits for a pause after which nothing would be sent."""
    store, paused = FakeStore(), anyio.Event()
    store.leaves = lambda sent: sent

    async def pause() -> None:
        paused.set()
        await anyio.sleep_forever()

    batch = batch_of(store, pause=pause)
    with pytest.raises(ValueError, match="mine"):  # noqa: PT012 - the block is what is tested
        async with batch:
            for row in rows(25):
                await batch.put(row)
            await paused.wait()
            raise ValueError("mine")
    assert len(batch.report.unprocessed) == 25


@pytest.mark.parametrize("scoped", [True, False], ids=["scope", "task"])
@pytest.mark.parametrize("where", ["block", "put", "end"])
async def test_cancelling_cancels_what_is_under_way(scoped: bool, where: str) -> None:  # noqa: FBT001 - a parameter
    """At once, in the block, in a put that waits, and at the end; no task stays, and the report is still there."""
    store = FakeStore()
    store.gate = anyio.Event()  # which nothing opens
    batch, reached = batch_of(store, concurrency=1), anyio.Event()

    async def run() -> None:
        async with batch:
            for row in rows(49):
                await batch.put(row)
            reached.set()
            if where == "put":
                await batch.put(Row(pk="a", sk=49))
            if where == "block":
                await anyio.sleep_forever()

    if scoped:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await reached.wait()
            await settled()
            tasks.cancel_scope.cancel()
    else:
        task = asyncio.create_task(run())
        await reached.wait()
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert store.sizes == [25]
    assert store.in_flight == 0
    assert keys(batch.report.unprocessed) == list(range(50 if where == "put" else 49))


async def test_a_timeout_bounds_a_batch() -> None:
    """A deadline of the caller's holds for the whole of it."""
    store = FakeStore()
    store.gate = anyio.Event()
    batch = batch_of(store)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await put_many(batch, rows(30))
    assert len(batch.report.unprocessed) == 30


async def test_a_batch_has_one_deadline() -> None:
    """A pause that would not end in time is not begun; the report of the error has what was written, and what was not."""
    store, pauses = FakeStore(), list[float]()
    store.leaves = lambda sent: sent[1:]
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, pauses=pauses, timeout=0.15), rows(4))
    assert isinstance(caught.value.__cause__, CallTimeout)
    assert pauses == [0.05, 0.1]
    assert caught.value.report.written == 3
    assert keys(caught.value.report.unprocessed) == [3]


async def test_each_request_of_a_batch_has_what_is_left_of_its_time() -> None:
    """Also one that is sent by itself: nothing is under way when the time is over."""
    store, given = FakeStore(), list[float | None]()

    async def send(request: Request, timeout: float | None, /) -> Response:
        given.append(timeout)
        return await store.send(request, timeout)

    async with batch_of(store, send=send, timeout=60.0) as batch:
        await batch.put(Row(pk="a", sk=1))
        await batch.put(Kept(pk="a"))
    assert all(timeout is not None and 59 < timeout <= 60 for timeout in given)
    assert len(given) == 2


# --- progress --------------------------------------------------------------------------------------


async def test_progress_is_told_after_each_answer() -> None:
    """In order, one call at a time, with numbers that add up."""
    store, seen, inside = FakeStore(), list[BatchProgress](), 0

    async def tell(progress: BatchProgress) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        await asyncio.sleep(0)
        seen.append(progress)
        inside -= 1

    store.leaves = lambda sent: sent[24:] if len(sent) == 25 else ()
    async with batch_of(store, on_progress=tell) as batch:
        for row in rows(100):
            await batch.put(row)
        await batch.put(Row(pk="a", sk=200))
        await batch.delete(Key(Row, "a", 200))
        await batch.put(Kept(pk="a"))
    assert len(seen) == len(store.requests) == 10
    assert [progress.written for progress in seen] == sorted(progress.written for progress in seen)
    assert seen[-1] == BatchProgress(written=102, replaced=1, failed=0, pending=0)
    assert all(p.written + p.replaced + p.pending + p.failed <= 103 for p in seen)


async def test_an_error_in_progress_stops_the_batch() -> None:
    """It passes through as it is, from the put that comes next or from the end of the block."""
    own = LookupError("the caller's own")

    async def tell(_progress: BatchProgress) -> None:
        raise own

    for count in (25, 60):
        store = FakeStore()
        batch = batch_of(store, concurrency=1, on_progress=tell)
        with pytest.raises(LookupError) as caught:
            await put_many(batch, rows(count))
        assert caught.value is own
        assert store.sizes == [25]
        assert (batch.report.written, len(batch.report.unprocessed)) == (25, 0 if count == 25 else 25)


async def test_progress_is_an_async_function() -> None:
    """A plain function is told from one, in words."""

    def tell(_progress: BatchProgress) -> Any:  # what is refused
        return None

    with pytest.raises(UsageError, match="make it an async function"):
        await put_many(batch_of(FakeStore(), on_progress=tell), rows(1))


async def test_progress_cannot_add_to_its_own_batch() -> None:
    """It would wait for itself."""
    batch: BatchWrite

    async def tell(_progress: BatchProgress) -> None:
        await batch.put(Row(pk="b"))

    batch = batch_of(FakeStore(), on_progress=tell)
    with pytest.raises(UsageError, match="on_progress cannot add to its own batch"):
        await put_many(batch, rows(1))


# --- misuse ----------------------------------------------------------------------------------------


async def test_operations_belong_inside_the_block() -> None:
    """Before and after it they are refused, and so is a second block."""
    store = FakeStore()
    batch = batch_of(store)
    with pytest.raises(UsageError, match="was not entered"):
        await batch.put(Row(pk="a"))
    async with batch:
        with pytest.raises(UsageError, match="entered already"):
            await batch.__aenter__()
    for operation in (batch.put, batch.delete):
        with pytest.raises(UsageError, match="has ended"):
            await operation(Row(pk="a"))
    with pytest.raises(UsageError, match="entered already"):
        await batch.__aenter__()
    assert store.requests == []


async def test_a_producer_that_outlives_the_block_is_told() -> None:
    """Its put does not hang, and does not vanish."""
    store = FakeStore()
    store.gate = anyio.Event()
    kept = Kept(pk="a")

    async def late() -> None:
        await batch.put(kept)

    async with batch_of(store) as batch:
        await batch.put(kept)
        task = asyncio.create_task(late())
        await settled()
        asyncio.get_running_loop().call_soon(store.gate.set)
    with pytest.raises(UsageError, match="has ended"):
        await task
    assert batch.report == BatchReport(written=1, replaced=0)


def test_a_batch_that_was_not_entered_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten ``async with`` is told at once, as Python tells of forgotten awaits."""
    record(monkeypatch)
    db = Database()
    with pytest.warns(RuntimeWarning, match="batch_write was never entered, so nothing was sent"):
        db.batch_write()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrong in (0, -1, 1.5, True, None, "4"):
            concurrency: Any = wrong
            with pytest.raises(UsageError, match="concurrency"):
                db.batch_write(concurrency=concurrency)


# --- reprs -----------------------------------------------------------------------------------------


async def test_reprs_name_items_by_their_keys() -> None:
    """Never by their content, and only the first few of many."""
    store = FakeStore()
    store.before = denied
    batch = batch_of(store, concurrency=1)
    with pytest.raises(BatchWriteFailed):
        await put_many(batch, [*rows(5), Number(number=1)])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # ints are read as Decimals
    put = "BatchOperation(put Key(Row, 'a', {}))"
    shown = ", ".join(put.format(n) for n in range(3))
    assert repr(batch.report) == f"BatchReport(written=0, replaced=0, unprocessed=({shown}, … 3 more), failed=())"
    assert repr(batch) == "<BatchWrite 0 written, 6 pending, 0 failed>"
    assert str(batch.report.unprocessed[0]) == "put of Key(Row, 'a', 0)"
    operation = batch.report.unprocessed[0]
    assert (operation.kind, operation.model, operation.item) == ("put", Row, Row(pk="a", sk=0, text="0"))
