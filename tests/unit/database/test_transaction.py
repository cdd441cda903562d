"""``db.transaction()``: when it is sent, what it refuses, and that nothing moves before it succeeded."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dynamorm_async import (
    NOT_WRITTEN,
    Attr,
    BadResponse,
    Database,
    EndpointUnreachable,
    InvalidValue,
    Key,
    OutcomeUnknown,
    Throttled,
    Timeouts,
    Transaction,
    TransactionCancelled,
    TransactionInProgress,
    UsageError,
    attr,
    created_at,
    model,
    partition_key,
    updated_at,
    version,
)
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@model(table="notes")
class Note:
    note_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")
    count: Attr[int] = attr(default=0)


@model(table="kept")
class Kept:
    kept_id: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


def note(name: str = "n1") -> Key[Note]:
    return Key(Note, name)


def lost() -> BadResponse:
    return BadResponse("the answer was cut", operation="TransactWriteItems", sent=True)


def cancelled(*reasons: dict[str, Any]) -> TransactionCancelled:
    error = TransactionCancelled("cancelled", operation="TransactWriteItems", code="TransactionCanceledException")
    error.reasons = reasons
    return error


FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


# --- when it is sent ----------------------------------------------------------------------------


async def test_a_block_is_one_request_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent inside the block; then everything, in order, in one TransactWriteItems."""
    lane = record(monkeypatch)
    async with Database() as db, db.transaction() as tx:
        tx.create(Note(note_id="n1")).put(Note(note_id="n2"))
        tx.update(note("n3"), Note.count.add(1), where=Note.count > 3)
        tx.delete(note("n4")).check(note("n5"), Note.count == 1, Note.text.exists())
        assert lane.requests == []
        assert repr(tx) == "<Transaction of 5 operations>"
    (request,) = lane.requests
    assert request.operation == "TransactWriteItems"
    parts = [next(iter(item)) for item in request.body["TransactItems"]]
    assert parts == ["Put", "Put", "Update", "Delete", "ConditionCheck"]
    assert request.body["TransactItems"][4]["ConditionCheck"]["ConditionExpression"].count("AND") == 1


async def test_it_can_be_awaited_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as one expression; also where it is gathered with other calls."""
    lane = record(monkeypatch)
    async with Database() as db:
        await db.transaction().create(Note(note_id="n1")).delete(note("n2"))
        await asyncio.gather(db.transaction().delete(note("n3")), db.transaction().delete(note("n4")))
    assert [len(body["TransactItems"]) for body in lane.bodies] == [2, 1, 1]


async def test_nothing_to_do_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty transaction, and saves of what did not change, cost no request."""
    lane = record(monkeypatch, b'{"Item": {"note_id": {"S": "n1"}}}')
    async with Database() as db:
        there = await db.get(note())
        assert there is not None
        await db.transaction()
        await db.transaction().save(there)
        async with db.transaction() as tx:
            tx.save(there)
    assert len(lane.requests) == 1


async def test_a_block_that_raises_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes out as it is, and the transaction is over."""
    lane = record(monkeypatch)
    async with Database() as db:
        tx = db.transaction()
        with pytest.raises(LookupError, match="mine"):  # noqa: PT012 - the block is what raises
            async with tx:
                tx.create(Note(note_id="n1"))
                raise LookupError("mine")
        with pytest.raises(UsageError, match="its block raised, so it was not sent"):
            tx.create(Note(note_id="n2"))
    assert lane.requests == []


async def test_a_block_that_is_cancelled_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancellation inside the block is not its end."""
    lane = record(monkeypatch)
    async with Database() as db:
        with anyio.CancelScope() as scope:
            async with db.transaction() as tx:
                tx.create(Note(note_id="n1"))
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert scope.cancelled_caught
    assert lane.requests == []


async def test_cancelled_while_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancellation at the commit goes through; instances stay as they are, and the transaction is over."""
    lane = record(monkeypatch)
    lane.gate = anyio.Event()
    kept = Kept(kept_id="k1")
    async with Database() as db:
        tx = db.transaction()
        with anyio.CancelScope() as scope:
            async with tx:
                tx.create(kept)
                asyncio.get_running_loop().call_soon(scope.cancel)
        assert scope.cancelled_caught
        assert (kept.revision, kept.made) == (0, NOT_WRITTEN)
        with pytest.raises(UsageError, match="it was sent already"):
            await tx
        lane.gate.set()
        await db.transaction().create(kept)  # the task is in no block any more, and the instance can be used
    assert (kept.revision, len(lane.requests)) == (1, 1)


async def test_what_follows_the_add_is_not_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation is what the instance was when it was added."""
    lane = record(monkeypatch)
    async with Database() as db, db.transaction() as tx:
        item = Note(note_id="n1", text="then")
        tx.put(item)
        item.text = "later"
    assert lane.bodies[0]["TransactItems"][0]["Put"]["Item"]["text"] == {"S": "then"}


# --- tokens, times ------------------------------------------------------------------------------


async def test_our_own_token_stays_over_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt whose answer was lost is repeated under the same token; another transaction has another."""
    lane = record(monkeypatch, lost(), lost())
    async with Database() as db:
        await db.transaction().create(Note(note_id="n1"))
        await db.transaction().create(Note(note_id="n1"))
    tokens = [body["ClientRequestToken"] for body in lane.bodies]
    assert len(tokens) == 4
    assert tokens[0] == tokens[1] == tokens[2] != tokens[3]
    assert all(1 <= len(token) <= 36 for token in tokens)


async def test_the_callers_token_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the time that goes with it: two calls with both are the same to the byte."""
    lane = record(monkeypatch)
    times = iter(NOON + timedelta(hours=n) for n in range(9))
    async with Database(clock=lambda: next(times)) as db:
        for _ in range(2):
            await db.transaction(token="t-1", at=NOON).create(Kept(kept_id="k1")).update(note(), Note.count.add(1))
        await db.transaction(token="t-1").create(Kept(kept_id="k1"))
    assert lane.bodies[0] == lane.bodies[1]
    item = lane.bodies[0]["TransactItems"][0]["Put"]["Item"]
    assert item["made"] == item["changed"] == {"S": "2026-01-01T12:00:00.000000Z"}
    assert [body["ClientRequestToken"] for body in lane.bodies] == ["t-1"] * 3


@pytest.mark.parametrize("token", ["", "t" * 37])
async def test_a_bad_token_is_refused_at_once(token: str) -> None:
    """Where it is given, not when the block ends."""
    async with Database() as db:
        with pytest.raises(UsageError, match="1 to 36 characters"):
            db.transaction(token=token)


@pytest.mark.parametrize("token", [None, "mine"])
async def test_a_lost_answer_names_the_token(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """OutcomeUnknown says how to find out, or how to send it again without harm; instances stay as they were."""
    lane = record(monkeypatch, *[lost() for _ in range(4)])
    kept = Kept(kept_id="k1")
    async with Database() as db:
        with pytest.raises(OutcomeUnknown) as caught:
            await db.transaction(token=token).create(kept)
    sent = lane.bodies[0]["ClientRequestToken"]
    assert f"'{sent}'" in str(caught.value)
    assert ("same at=" if token else "Read the items consistently") in str(caught.value)
    assert isinstance(caught.value.__cause__, BadResponse)
    assert (caught.value.attempts, caught.value.table) == (4, "kept")
    assert (kept.revision, kept.made) == (0, NOT_WRITTEN)


async def test_an_answer_that_was_lost_before_the_last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first attempt under way, or lost before others were refused or not sent, leaves the outcome unknown as well."""
    busy = [TransactionInProgress("busy", operation="TransactWriteItems") for _ in range(20)]
    gone = [EndpointUnreachable("no", operation="TransactWriteItems") for _ in range(3)]
    slow = [Throttled("slow", operation="TransactWriteItems") for _ in range(3)]
    for errors in (busy, gone, slow):
        record(monkeypatch, lost(), *errors)
        async with Database(timeouts=Timeouts(call=0.2)) as db:
            with pytest.raises(OutcomeUnknown):
                await db.transaction().create(Note(note_id="n1"))


async def test_a_cancellation_after_a_lost_answer_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Had the first attempt been applied, the second, under the same token, would have succeeded."""
    record(monkeypatch, lost(), TransactionCancelled("no", operation="TransactWriteItems"))
    async with Database() as db:
        with pytest.raises(TransactionCancelled):
            await db.transaction().create(Note(note_id="n1"))


async def test_what_was_never_sent_is_not_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttling, and an endpoint that was never reached, come out as what they are."""
    throttled = Throttled("slow", operation="TransactWriteItems")
    record(monkeypatch, *[throttled for _ in range(4)])
    async with Database() as db:
        with pytest.raises(Throttled):
            await db.transaction().create(Note(note_id="n1"))
    unreachable = EndpointUnreachable("no", operation="TransactWriteItems")
    record(monkeypatch, *[unreachable for _ in range(4)])
    async with Database() as db:
        with pytest.raises(EndpointUnreachable):
            await db.transaction().create(Note(note_id="n1"))


# --- what moves in memory, and when -------------------------------------------------------------


async def test_instances_move_after_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions and times are in the request, and on the instances only once it succeeded; save then has nothing to do."""
    lane = record(monkeypatch)
    async with Database(clock=lambda: NOON) as db:
        new, put = Kept(kept_id="k1"), Kept(kept_id="k2")
        async with db.transaction() as tx:
            tx.create(new).put(put)
            assert (new.revision, put.changed) == (0, NOT_WRITTEN)
        assert [(item.revision, item.made, item.changed) for item in (new, put)] == [(1, NOON, NOON)] * 2
        new.count = 5
        async with db.transaction() as tx:
            tx.save(new).delete(put)
        assert (new.revision, put.revision) == (2, 1)
        await db.transaction().save(new)
    assert len(lane.requests) == 2
    save, delete = lane.bodies[1]["TransactItems"]
    assert {"N": "5"} in save["Update"]["ExpressionAttributeValues"].values()
    assert {"N": "1"} in delete["Delete"]["ExpressionAttributeValues"].values()


async def test_instances_stay_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, also those whose operations did not fail; they can be used in the next transaction."""
    lane = record(monkeypatch, cancelled({"Code": "None"}, FAILED))
    one, two = Kept(kept_id="k1"), Kept(kept_id="k2")
    async with Database(clock=lambda: NOON) as db:
        with pytest.raises(TransactionCancelled):
            await db.transaction().create(one).create(two)
        assert [(item.revision, item.made) for item in (one, two)] == [(0, NOT_WRITTEN)] * 2
        await db.transaction().create(one).create(two)
    assert [item.revision for item in (one, two)] == [1, 1]
    assert lane.bodies[0]["TransactItems"] == lane.bodies[1]["TransactItems"]


# --- misuse -------------------------------------------------------------------------------------


async def test_two_operations_on_one_item_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are; the error names the item, both operations, and the lines that they were written on."""
    lane = record(monkeypatch)
    async with Database() as db:
        tx = db.transaction().create(Note(note_id="n1"))
        pairs: list[Callable[[], object]] = [
            lambda: tx.put(Note(note_id="n1")),
            lambda: tx.update(note(), Note.count.add(1)),
            lambda: tx.delete(note()),
            lambda: tx.check(note(), Note.count == 1),
        ]
        for second, word in zip(pairs, ("put", "update", "delete", "check"), strict=True):
            with pytest.raises(UsageError) as caught:
                second()
            text = str(caught.value)
            assert "two operations on Note(note_id='n1') in one transaction: create at test_transaction.py:" in text
            assert f"and {word} at test_transaction.py:{second.__code__.co_firstlineno}" in text
        tx.delete(note("n2"))
        await tx
    assert len(lane.bodies[0]["TransactItems"]) == 2


async def test_more_than_a_hundred_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the operation that is one too many; the hundred are sent."""
    lane = record(monkeypatch)
    async with Database() as db, db.transaction() as tx:
        for number in range(100):
            tx.delete(note(f"n{number}"))
        with pytest.raises(UsageError, match="at most 100 operations"):
            tx.delete(note("n100"))
    assert len(lane.bodies[0]["TransactItems"]) == 100


async def test_await_inside_the_block_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be sent twice; the error says what to write, and nothing is sent."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match="leave the await out"):
            async with db.transaction() as tx:
                await tx.create(Note(note_id="n1"))
    assert lane.requests == []


async def test_it_is_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second await, block or operation is refused, and says why."""
    lane = record(monkeypatch)
    async with Database() as db:
        awaited = db.transaction().create(Note(note_id="n1"))
        await awaited
        async with db.transaction() as entered:
            entered.create(Note(note_id="n2"))
            with pytest.raises(UsageError, match="entered already"):
                await entered.__aenter__()
        for tx in (awaited, entered):
            with pytest.raises(UsageError, match=r"cannot be used any more: it was sent already\. Begin another"):
                await tx
            with pytest.raises(UsageError, match="sent already"):
                tx.create(Note(note_id="n3"))
            with pytest.raises(UsageError, match="sent already"):
                tx.save(Note(note_id="n3"))
            with pytest.raises(UsageError, match="sent already"):
                await tx.__aenter__()
    assert len(lane.requests) == 2


async def test_blocks_do_not_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inner block would be sent before the outer one, whatever becomes of that; the outer one goes on."""
    lane = record(monkeypatch)
    async with Database() as db:
        async with db.transaction() as outer:
            with pytest.raises(UsageError, match="do not nest"):
                async with db.transaction():
                    raise AssertionError("not entered")
            outer.create(Note(note_id="n1"))
        async with db.transaction() as second:
            second.create(Note(note_id="n2"))
    assert len(lane.requests) == 2


async def test_another_task_may_have_its_own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is started inside a block is in no block."""
    lane = record(monkeypatch)

    async def other(db: Database) -> None:
        async with db.transaction() as tx:
            tx.create(Note(note_id="other"))

    async with Database() as db, db.transaction() as tx:
        async with anyio.create_task_group() as group:
            group.start_soon(other, db)
        assert len(lane.requests) == 1
        tx.create(Note(note_id="n1"))
    assert [body["TransactItems"][0]["Put"]["Item"]["note_id"]["S"] for body in lane.bodies] == ["other", "n1"]


async def test_another_task_cannot_add(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation from another task, or thread, could come after the end; it is refused."""
    lane = record(monkeypatch)

    async def add(tx: Transaction) -> None:
        tx.delete(note("n2"))

    def refused_in_a_thread(tx: Transaction) -> None:
        with pytest.raises(UsageError, match="belongs to the task"):
            tx.delete(note("n3"))

    async with Database() as db, db.transaction() as tx:
        tx.delete(note("n1"))
        with pytest.raises(UsageError, match="belongs to the task that entered its block"):
            await asyncio.create_task(add(tx))
        thread = threading.Thread(target=refused_in_a_thread, args=(tx,))
        thread.start()
        thread.join()
    assert len(lane.bodies[0]["TransactItems"]) == 1


async def test_entered_by_one_task_and_left_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As fixtures and dependencies may do: nothing is sent, the error says so, and the first task can begin another."""
    lane = record(monkeypatch)
    async with Database() as db:
        tx = db.transaction()
        await tx.__aenter__()
        tx.delete(note())

        async def leave() -> None:
            await tx.__aexit__(None, None, None)

        with pytest.raises(UsageError, match="entered by one task and left by another, so nothing was sent"):
            await asyncio.create_task(leave())
        assert lane.requests == []
        async with db.transaction() as second:
            second.delete(note())
        with pytest.raises(UsageError, match="left by another task"):
            await tx
    assert len(lane.requests) == 1


async def test_a_naive_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere, before anything is sent."""
    lane = record(monkeypatch)
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    async with Database() as db:
        with pytest.raises(InvalidValue, match="has no time zone"):
            await db.transaction(at=naive).create(Kept(kept_id="k1"))
    assert lane.requests == []


async def test_wrong_operations_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are written; those before stay, and a block that catches the error goes on."""
    lane = record(monkeypatch)
    wrong: Any = "users"
    async with Database() as db, db.transaction() as tx:
        tx.delete(note("n1"))
        calls: list[Callable[[], object]] = [
            lambda: tx.create(wrong),
            lambda: tx.put(wrong),
            lambda: tx.update(wrong, Note.count.add(1)),
            lambda: tx.update(note("n2")),
            lambda: tx.delete(wrong),
            lambda: tx.check(note("n3")),
            lambda: tx.delete(note("n4"), where=Kept.made.exists()),
        ]
        for call in calls:
            with pytest.raises(UsageError):
                call()
        with pytest.raises(InvalidValue):
            tx.create(Note(note_id="n5", count=wrong))
    assert len(lane.bodies[0]["TransactItems"]) == 1


async def test_never_awaited_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python does for coroutines: with the first operation and its line, and how many more there are."""
    lane = record(monkeypatch)

    def forget(db: Database, *names: str) -> None:
        tx = db.transaction()
        for name in names:
            tx.delete(note(name))
        del tx
        gc.collect()

    async with Database() as db:
        with pytest.warns(
            RuntimeWarning, match=r"transaction with delete\(\) at test_transaction.py:\d+ and 1 more was"
        ):
            forget(db, "n1", "n2")
        with pytest.warns(RuntimeWarning, match=r"test_transaction.py:\d+ was never awaited, so nothing was sent"):
            forget(db, "n1")
    assert lane.requests == []


async def test_nothing_else_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one that was sent, failed, raised in its block, was empty, or got an error instead of its last operation."""
    record(monkeypatch, b"{}", cancelled(FAILED))

    async def sent(db: Database) -> None:
        await db.transaction().delete(note())

    async def failed(db: Database) -> None:
        await db.transaction().delete(note())

    async def raised(db: Database) -> None:
        async with db.transaction() as tx:
            tx.delete(note())
            raise LookupError

    async def empty(db: Database) -> None:
        db.transaction()

    async def refused(db: Database) -> None:
        await db.transaction().delete(note()).delete(note())

    async def invalid(db: Database) -> None:
        await db.transaction().delete(note()).update(note("n2"))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with Database() as db:
            uses: list[Callable[[Database], Awaitable[None]]] = [sent, failed, raised, empty, refused, invalid]
            for use in uses:
                try:
                    await use(db)
                except (LookupError, UsageError, TransactionCancelled):
                    continue
                finally:
                    gc.collect()
            gc.collect()
    assert [str(warning.message) for warning in caught if "transaction" in str(warning.message)] == []


async def test_the_lane_is_the_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics, prefix and timeout are those of the database that made it."""
    lane: RecordingLane = record(monkeypatch)
    async with Database(table_prefix="t-", capacity="total") as db:
        await db.transaction(timeout=5).delete(note())
        assert db.statistics().requests == {"TransactWriteItems": 1}
    (request,) = lane.requests
    assert request.body["TransactItems"][0]["Delete"]["TableName"] == "t-notes"
    assert request.body["ReturnConsumedCapacity"] == "TOTAL"
    assert request.table == "t-notes"
