"""What a batch sends and when: full chunks, one operation an item, the last one wins, the rules of single writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    BatchFailure,
    BatchProgress,
    BatchReport,
    BatchWriteFailed,
    Capacity,
    Database,
    InvalidValue,
    Key,
    UsageError,
    VersionConflict,
)
from dynamorm_async.database.batch_write import put_many
from dynamorm_async.model.spec import spec_of
from tests.property.fake_writes import (
    START,
    Blob,
    Clock,
    FakeStore,
    Kept,
    Number,
    Row,
    batch_of,
    identity,
    operations_of,
    settled,
)
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio


def rows(count: int, *, start: int = 0) -> list[Row]:
    return [Row(pk="a", sk=n, text=str(n)) for n in range(start, start + count)]


def at(sk: int) -> tuple[str, Any, Any]:
    return ("rows", "a", Decimal(sk))


async def test_chunks_fill_up_and_the_rest_goes_at_the_end() -> None:
    """Twenty-five operations a request, over several tables; less than that only at the end of the block."""
    store = FakeStore()
    async with batch_of(store) as batch:
        for n, row in enumerate(rows(60)):
            await batch.put(row)
            if n < 12:
                await batch.put(Number(number=Decimal(n)))
        await settled()
        assert store.sizes == [25, 25]
    assert store.sizes == [25, 25, 22]
    assert [set(request.body["RequestItems"]) for request in store.requests[:2]] == [{"rows", "numbers"}, {"rows"}]
    assert [request.table for request in store.requests] == [None, "rows", "rows"]
    assert all(request.repeatable for request in store.requests)
    assert batch.report == BatchReport(written=72, replaced=0)
    assert len(store.items) == 72


async def test_an_empty_batch_costs_nothing() -> None:
    """No operation, no request."""
    store = FakeStore()
    async with batch_of(store) as batch:
        pass
    assert batch.report == BatchReport(written=0, replaced=0)
    assert store.requests == []


async def test_large_items_make_smaller_requests() -> None:
    """A request stays under 16 MB as JSON, which for some values is many times the size of the item."""
    store = FakeStore()
    large = "\x01" * 390_000  # six bytes each as JSON
    async with batch_of(store) as batch:
        for n in range(10):
            await batch.put(Row(pk="a", sk=n, text=large))
    assert store.sizes == [6, 4]
    assert batch.report.written == 10


async def test_put_waits_while_enough_is_under_way() -> None:
    """No more requests at once than asked for, and no more than one full chunk waits for its turn."""
    store = FakeStore()
    store.gate = anyio.Event()
    added = 0
    async with batch_of(store, concurrency=2) as batch, anyio.create_task_group() as tasks:

        async def produce() -> None:
            nonlocal added
            for row in rows(200):
                await batch.put(row)
                added += 1

        tasks.start_soon(produce)
        await settled()
        assert added == 74  # two chunks are under way, and the put that filled the third waits
        assert store.sizes == [25, 25]
        store.gate.set()
    assert store.most_in_flight == 2
    assert batch.report == BatchReport(written=200, replaced=0)
    assert store.sizes == [25] * 8


async def test_several_tasks_may_feed_a_batch() -> None:
    """Producers inside the block share its bound, and nothing of theirs is lost."""
    store = FakeStore()
    async with batch_of(store, concurrency=2) as batch, anyio.create_task_group() as tasks:

        async def produce(start: int) -> None:
            for row in rows(100, start=start):
                await batch.put(row)

        for start in range(0, 500, 100):
            tasks.start_soon(produce, start)
    assert batch.report == BatchReport(written=500, replaced=0)
    assert set(store.items) == {at(n) for n in range(500)}
    assert store.most_in_flight == 2


async def test_what_is_put_is_the_instance_as_it_was() -> None:
    """Later changes of an instance are not part of the batch, and times come to it after success."""
    store, row = FakeStore(), Row(pk="a", text="then")
    async with batch_of(store) as batch:
        await batch.put(row)
        row.text = "now"
        assert row.made < START
    assert store.texts() == {at(0): "then"}
    assert (row.text, row.made, row.changed) == ("now", row.changed, Clock()())
    stored = spec_of(Row).codec.stored(row)
    assert stored is not None
    assert stored["text"] == {"S": "then"}  # so that save() knows what it has to change


async def test_bad_input_is_no_part_of_the_batch() -> None:
    """It raises where it is put; the others go their way."""
    store = FakeStore()
    async with batch_of(store) as batch:
        await batch.put(Row(pk="a"))
        with pytest.raises(InvalidValue):
            await batch.put(Row(pk="a", sk=1, text=3))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is refused
        for wrong in (3, Row, Key(Row, "a", 1), None):
            with pytest.raises(UsageError):
                await batch.put(wrong)
            if not isinstance(wrong, Key):
                with pytest.raises(UsageError):
                    await batch.delete(wrong)
    assert batch.report == BatchReport(written=1, replaced=0)
    assert list(store.items) == [at(0)]


async def test_the_last_operation_on_an_item_wins() -> None:
    """Earlier ones that still wait are not sent, and counted as replaced."""
    store = FakeStore()
    store.items[at(3)] = {"text": {"S": "old"}}
    async with batch_of(store) as batch:
        await batch.put(Row(pk="a", sk=1, text="first"))
        await batch.delete(Key(Row, "a", 1))
        await batch.put(Row(pk="a", sk=1, text="last"))
        await batch.put(Row(pk="a", sk=2, text="gone"))
        await batch.delete(Row(pk="a", sk=2))
        await batch.delete(Key(Row, "a", 3))
    assert store.sizes == [3]
    assert store.texts() == {at(1): "last"}
    assert batch.report == BatchReport(written=3, replaced=3)


async def test_an_operation_waits_for_one_on_its_item_that_is_under_way() -> None:
    """Otherwise chance would decide which of the two comes last."""
    store = FakeStore()
    store.gate = anyio.Event()
    async with batch_of(store) as batch:
        for row in rows(25):
            await batch.put(row)
        await batch.put(Row(pk="a", sk=7, text="later"))
        await batch.put(Row(pk="a", sk=7, text="last"))
        for row in rows(24, start=100):
            await batch.put(row)
        await settled()
        assert store.sizes == [25]
        store.gate.set()
        await settled()
    assert store.sizes == [25, 25]
    assert store.texts()[at(7)] == "last"
    assert batch.report == BatchReport(written=50, replaced=1)


async def test_items_are_told_apart_as_dynamodb_does() -> None:
    """Numbers by value, exact to 38 digits; the same key in another table is another item."""
    store, digits = FakeStore(), "1234567890123456789012345678901234567"
    async with batch_of(store) as batch:
        await batch.put(Number(number=Decimal(1), text="one"))
        await batch.put(Number(number=Decimal("1.00"), text="also one"))
        await batch.put(Number(number=Decimal("1E+1"), text="ten"))
        await batch.delete(Key(Number, Decimal(10)))
        await batch.put(Number(number=Decimal(digits + "8")))
        await batch.put(Number(number=Decimal(digits + "9")))
        await batch.put(Row(pk="a"))
        await batch.put(Row(pk="b"))
    assert batch.report == BatchReport(written=6, replaced=2)
    assert store.texts()["numbers", Decimal(1), None] == "also one"
    assert len(store.items) == 5


@pytest.mark.parametrize("cls", [Row, Number, Blob])
async def test_what_is_left_unprocessed_is_found_again(cls: type[Any]) -> None:
    """Whatever the type of the key: an answer has binary content in base64, and numbers in its own form."""
    store = FakeStore()
    keys: dict[type[Any], Callable[[int], Any]] = {
        Row: lambda n: Row(pk=f"é{n}"),
        Number: lambda n: Number(number=Decimal(f"{n}.50")),
        Blob: lambda n: Blob(blob=bytes([n, 255])),
    }
    store.leaves = lambda sent: sent[1:] if len(sent) > 1 else ()
    async with batch_of(store) as batch:
        for n in range(5):
            await batch.put(keys[cls](n))
            await batch.delete(keys[cls](n + 100))
    assert store.sizes == list(range(10, 0, -1))
    assert batch.report == BatchReport(written=10, replaced=0)
    assert len(store.items) == 5


async def test_versioned_items_go_by_themselves() -> None:
    """Under their version, as db.put and db.delete write them, beside the chunks of the others."""
    store, kept = FakeStore(), Kept(pk="a")
    async with batch_of(store, concurrency=3) as batch:
        await batch.put(kept)
        await batch.put(Kept(pk="b"))
        await batch.put(Row(pk="a"))
        await batch.delete(Kept(pk="c"))
        await batch.delete(Key(Kept, "d"))
    assert sorted(store.operations) == ["BatchWriteItem", "DeleteItem", "PutItem", "PutItem"]
    assert kept.revision == 1
    assert store.items["kept", "a", None]["revision"] == {"N": "1"}
    assert batch.report == BatchReport(written=5, replaced=0)
    assert store.most_in_flight <= 3


async def test_a_versioned_instance_can_be_put_again() -> None:
    """The second put is planned when the first has moved the version: no conflict with oneself."""
    store, kept = FakeStore(), Kept(pk="a")
    async with batch_of(store) as batch:
        for text in ("first", "second", "third"):
            kept.text = text
            await batch.put(kept)
    assert kept.revision == 3
    assert store.items["kept", "a", None] == {"pk": {"S": "a"}, "text": {"S": "third"}, "revision": {"N": "3"}}
    assert batch.report == BatchReport(written=3, replaced=0)


async def test_a_conditional_write_sees_what_went_before() -> None:
    """A waiting operation on its item is sent first, without waiting for its chunk to fill up."""
    store = FakeStore()
    store.items["kept", "a", None] = {"pk": {"S": "a"}, "text": {"S": "old"}, "revision": {"N": "9"}}
    async with batch_of(store) as batch:
        await batch.put(Row(pk="a"))
        await batch.delete(Key(Kept, "a"))
        await batch.put(Kept(pk="a", text="new"))
        assert store.operations[0] == "BatchWriteItem"
        assert list(operations_of(store.requests[0])) == [("kept", "a", None)]
    assert store.items["kept", "a", None]["text"] == {"S": "new"}
    assert batch.report == BatchReport(written=3, replaced=0)


async def test_a_stale_version_fails_alone() -> None:
    """The others are written; the end of the block raises, with the error that db.put would have raised."""
    store = FakeStore()
    store.items["kept", "a", None] = {"pk": {"S": "a"}, "text": {"S": "theirs"}, "revision": {"N": "4"}}
    stale = Kept(pk="a", text="mine", revision=3)
    batch = batch_of(store, concurrency=1)
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch, [stale, Kept(pk="b"), *rows(30)])
    report = caught.value.report
    assert report == batch.report
    assert (report.written, report.replaced, report.unprocessed) == (31, 0, ())
    (failure,) = report.failed
    assert isinstance(failure, BatchFailure)
    assert isinstance(failure.error, VersionConflict)
    assert (failure.error.expected, failure.error.found, failure.error.item.text) == (3, 4, "theirs")
    assert caught.value.__cause__ is failure.error
    assert failure.operation.key == Key(Kept, "a")
    assert failure.operation.item is stale
    assert stale.revision == 3
    assert "Key(Kept, 'a')" in str(caught.value)
    assert not caught.value.retryable


async def test_created_at_is_not_moved_by_a_second_put() -> None:
    """A put of an instance whose first put is under way keeps the time that the first one gives it (flaw D16)."""
    store, row = FakeStore(), Row(pk="a", sk=0)
    store.gate = anyio.Event()
    async with batch_of(store) as batch, anyio.create_task_group() as tasks:
        await batch.put(row)
        for other in rows(24, start=1):
            await batch.put(other)
        tasks.start_soon(batch.put, row)
        await settled()
        store.gate.set()
    assert (row.made, row.changed > row.made) == (Clock()(), True)
    item = store.items[at(0)]
    assert item["made"] != item["changed"]
    assert batch.report == BatchReport(written=26, replaced=0)


async def test_a_loop_of_puts_leaves_the_others_their_turn() -> None:
    """Puts that never wait, such as those of one item, still let other tasks run."""
    store, turns = FakeStore(), 0
    async with batch_of(store) as batch, anyio.create_task_group() as tasks:

        async def tick() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        tasks.start_soon(tick)
        for n in range(500):
            await batch.put(Row(pk="a", text=str(n)))
        assert turns > 10
        tasks.cancel_scope.cancel()
    assert batch.report == BatchReport(written=1, replaced=499)


# --- put_many -------------------------------------------------------------------------------------


async def test_put_many_takes_any_iterable() -> None:
    """Lists, generators and async generators of instances of any models; it returns the report."""

    async def arriving() -> AsyncIterator[object]:
        for row in rows(30):
            await asyncio.sleep(0)
            yield row
        yield Number(number=Decimal(1))

    for items, count in ((rows(30), 30), ((row for row in rows(3)), 3), (arriving(), 31), ([], 0)):
        store = FakeStore()
        assert await put_many(batch_of(store), items) == BatchReport(written=count, replaced=0)
        assert len(store.items) == count


async def test_put_many_takes_no_more_than_there_is_room_for() -> None:
    """A generator is not run ahead of what can be sent."""
    store, taken = FakeStore(), 0
    store.gate = anyio.Event()

    def endless() -> Iterator[Row]:
        nonlocal taken
        for taken in range(1, 10_000):
            yield Row(pk="a", sk=taken)

    with anyio.move_on_after(5) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(put_many, batch_of(store, concurrency=2), endless())
            await settled()
            assert taken == 75
            tasks.cancel_scope.cancel()
    assert not scope.cancelled_caught


async def test_put_many_says_how_far_it_came() -> None:
    """An item that cannot be stored is raised as itself, with a note of what was written until then."""
    store = FakeStore()
    with pytest.raises(UsageError, match="is not a model") as caught:
        await put_many(batch_of(store), [*rows(30), "no item"])
    assert caught.value.__notes__ == ["items that put_many() had written: 25; taken and not sent: 5"]
    assert store.sizes == [25]
    with pytest.raises(UsageError) as first:
        await put_many(batch_of(store), ["no item"])
    assert not hasattr(first.value, "__notes__")


async def test_put_many_wants_an_iterable() -> None:
    """One instance is told from many."""
    wrong: Any = Row(pk="a")
    with pytest.raises(UsageError, match=r"put_many\(\) takes an iterable of instances, got Row"):
        await put_many(batch_of(FakeStore()), wrong)


# --- through the database -------------------------------------------------------------------------


async def test_the_database_sends_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its prefix and clock, and what they consume is measured."""
    consumed = (
        b'"ConsumedCapacity":[{"TableName":"x-rows","CapacityUnits":2},{"TableName":"x-numbers","CapacityUnits":1.5}]'
    )
    lane = record(monkeypatch, b'{"UnprocessedItems":{},' + consumed + b"}")
    seen: list[BatchProgress] = []

    async def tell(progress: BatchProgress) -> None:
        seen.append(progress)

    async with Database(table_prefix="x-", clock=lambda: START, capacity="total") as db:
        with db.measure() as meter:
            report = await db.put_many([Row(pk="a"), Number(number=Decimal(2))], on_progress=tell)
        async with db.batch_write(concurrency=1) as batch:
            await batch.delete(Key(Row, "a", 1))
    assert report == BatchReport(written=2, replaced=0)
    assert seen == [BatchProgress(written=2, replaced=0, failed=0, pending=0)]
    assert meter.statistics.capacity == Capacity(write=3.5, tables={"x-rows": 2, "x-numbers": 1.5})
    put, delete = (body["RequestItems"] for body in lane.bodies)
    stamp = {"S": "2026-01-01T00:00:00.000000Z"}
    item = {"pk": {"S": "a"}, "sk": {"N": "0"}, "text": {"S": ""}, "made": stamp, "changed": stamp}
    assert put["x-rows"] == [{"PutRequest": {"Item": item}}]
    assert set(put) == {"x-rows", "x-numbers"}
    assert delete == {"x-rows": [{"DeleteRequest": {"Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}}}]}
    assert identity("rows", put["x-rows"][0]["PutRequest"]["Item"]) == at(0)
