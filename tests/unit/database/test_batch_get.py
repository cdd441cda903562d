"""batch_get: every key answered, in order, each item read once, nothing lost, whatever fails."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from dynamorm_async import (
    BatchGetFailed,
    CallTimeout,
    CredentialsError,
    Database,
    DatabaseClosed,
    DecodeError,
    InvalidExpression,
    InvalidKey,
    Key,
    Throttled,
    UsageError,
)
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.keyed import KeyReader
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.batch_get import plan_batch_get
from dynamorm_async.types import Request, Response
from tests.property.fake_batch import FakeTables, tables_of
from tests.unit.database.keyed_models import USERS, Address, Blob, Narrow, Order, Strict, User, Wide, user
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]


def keys(*numbers: int) -> list[Key[User]]:
    return [Key(User, "acme", number) for number in numbers]


def sizes(tables: FakeTables) -> list[int]:
    """How many keys each request had."""
    return [sum(len(part["Keys"]) for part in body.values()) for body in tables.bodies]


# --- what comes back ------------------------------------------------------------------------


async def test_results_are_in_the_order_of_the_keys() -> None:
    """One for each key, None for a miss; DynamoDB answers in another order."""
    tables = tables_of(*USERS[:5])
    assert await tables.batch_get(*keys(3, 9, 0, 4)) == [user(3), None, user(0), user(4)]
    assert tables.bodies == [
        {"users": {"Keys": [{"org": {"S": "acme"}, "n": {"N": str(number)}} for number in (3, 9, 0, 4)]}}
    ]
    assert tables.requests[0].table == "users"


async def test_several_models_are_one_request() -> None:
    """Up to 100 keys, of whatever tables; consistency and the prefix hold for each table."""
    stored = [user(1), Order(order_id="o7", total=3), Blob(digest=b"\x00\xff", size=2)]
    tables = tables_of(*stored)
    wanted: list[Key[Any]] = [Key(User, "acme", 1), Key(Order, "o7"), Key(Blob, b"\x00\xff"), Key(Order, "o8")]
    assert await tables.batch_get(*wanted, consistent=True) == [*stored, None]
    (body,) = tables.bodies
    assert {table: part["ConsistentRead"] for table, part in body.items()} == {
        "users": True,
        "orders": True,
        "blobs": True,
    }
    assert tables.requests[0].table is None
    with pytest.raises(KeyError, match="staging-users"):
        await tables.batch_get(*wanted, prefix="staging-")


async def test_an_item_is_read_once() -> None:
    """The same key twice is asked for once; each position gets the item (flaw D11)."""
    tables = tables_of(*USERS[:3])
    found = await tables.batch_get(*keys(1, 2, 1, 2, 9, 9))
    assert found == [user(1), user(2), user(1), user(2), None, None]
    assert found[0] is found[2]
    assert sizes(tables) == [3]


async def test_two_models_of_one_item_read_it_once() -> None:
    """Models that share a table: one item asked for as two models is fetched once, and decoded by each."""
    tables = tables_of(Wide(pk="a", sk="b", text="x", more=3))
    wanted: list[Key[Any]] = [Key(Narrow, "a", "b"), Key(Wide, "a", "b"), Key(Narrow, "a", "b"), Key(Wide, "a", "c")]
    found = await tables.batch_get(*wanted)
    assert found == [Narrow(pk="a", sk="b", text="x"), Wide(pk="a", sk="b", text="x", more=3), found[0], None]
    assert sizes(tables) == [2]
    pairs = [pair async for pair in tables.batch_get(*wanted)]
    assert {key: type(item) for key, item in pairs} == {
        wanted[0]: Narrow,
        wanted[1]: Wide,
        wanted[3]: type(None),
    }
    assert len(pairs) == 3


async def test_no_keys_are_no_request() -> None:
    """An empty call costs nothing, awaited or iterated, selected or not."""
    tables = tables_of()
    assert await tables.batch_get() == []
    assert await tables.batch_get().select(User.email) == []
    assert [pair async for pair in tables.batch_get()] == []
    assert tables.requests == []


async def test_a_hundred_at_a_time_some_at_once() -> None:
    """DynamoDB takes a hundred keys; at most ``concurrency`` requests are under way."""
    for concurrency in (1, 2, 5):
        tables = tables_of(*USERS[:250])
        found = await tables.batch_get(*keys(*range(299, -1, -1), 5), concurrency=concurrency)
        assert found == [*([None] * 50), *(user(number) for number in range(249, -1, -1)), user(5)]
        assert sizes(tables) == [100, 100, 100]
        assert tables.most_in_flight == min(concurrency, 3)


async def test_unknown_attributes_are_as_the_model_says() -> None:
    """``keep`` keeps them, ``forbid`` refuses the item, the others pass over them."""
    tables = tables_of(Wide(pk="a", sk="b"))
    (item,) = tables.items["shared"].values()
    item["colour"] = {"S": "red"}
    found: list[Any] = await tables.batch_get(Key(Wide, "a", "b"), Key(Narrow, "a", "b"))
    kept, narrow = found
    assert spec_of(Wide).codec.encode(kept)["colour"] == {"S": "red"}
    assert narrow == Narrow(pk="a", sk="b")
    with pytest.raises(BatchGetFailed, match="colour"):
        await tables.batch_get(Key(Strict, "a", "b"))


async def test_what_was_read_can_be_saved() -> None:
    """Items know what they were read from, as those of ``get`` do."""
    (found,) = await tables_of(user(1)).batch_get(*keys(1))
    assert found is not None
    assert spec_of(User).codec.stored(found) == spec_of(User).codec.encode(user(1))


async def test_a_builder_can_be_used_again() -> None:
    """Each await and each loop reads anew."""
    tables = tables_of(user(1))
    batch = tables.batch_get(*keys(1, 2))
    assert await batch == await batch == [user(1), None]
    assert len([pair async for pair in batch]) == 2
    assert len(tables.requests) == 3
    assert repr(batch) == "<batch_get of 2 keys>"


# --- select -------------------------------------------------------------------------------------


async def test_selected_attributes_come_as_tuples() -> None:
    """In order; None for a miss. The keys are read beside: an item that has nothing selected is no miss (flaw D11)."""
    tables = tables_of(user(1), User(org="acme", number=2))
    batch = tables.batch_get(*keys(2, 1, 3)).select(User.email, User.age, User.tags)
    del tables.items["users"][next(key for key in tables.items["users"] if ("n", "N", 2) in key)]["email"]
    assert await batch == [("-", None, set()), ("u1@example.com", 1, set()), None]
    (body,) = tables.bodies
    assert body["users"]["ProjectionExpression"] == "#n0, #n1, #n2, #n3, #n4"
    assert list(body["users"]["ExpressionAttributeNames"].values()) == ["email", "age", "tags", "org", "n"]
    assert dict([pair async for pair in tables.batch_get(*keys(1)).select(User.number)]) == {keys(1)[0]: (1,)}


async def test_selected_paths() -> None:
    """Inside embedded classes and lists; a list is asked for whole, since projected lists close their gaps."""
    home = Address(street="Elm", city="Bari")
    tables = tables_of(User(org="acme", number=1, scores=[7, 8], address=home), user(2))
    batch = tables.batch_get(*keys(1, 2), consistent=True)
    rows = await batch.select(User.scores[1], User.address / Address.city, User.org)
    assert rows == [(8, "Bari", "acme"), (None, None, "acme")]
    (body,) = tables.bodies
    assert body["users"]["ProjectionExpression"] == "#n0, #n1.#n2, #n3, #n4"
    assert body["users"]["ConsistentRead"] is True


async def test_a_selection_that_cannot_be_is_refused() -> None:
    """Before anything is sent."""
    tables = tables_of(also=[User, Order])
    batch = tables.batch_get(*keys(1))
    with pytest.raises(UsageError, match=r"select\(\) without attributes"):
        batch.select()  # type: ignore[call-overload]  # the mistake
    with pytest.raises(UsageError, match=r"takes attributes of User, got .*Order\.total"):
        batch.select(Order.total)
    with pytest.raises(UsageError, match="takes attributes of User, got 'email'"):
        batch.select("email")  # type: ignore[call-overload]  # the mistake
    with pytest.raises(UsageError, match="these keys are of User, Order: make one batch_get"):
        tables.batch_get(*keys(1), Key(Order, "o")).select(User.email)
    with pytest.raises(InvalidExpression, match="the ProjectionExpression has 7632 bytes"):
        batch.select(User.email, User.age, User.tags, User.scores, User.org, *(User.notes[str(n)] for n in range(700)))
    assert tables.requests == []


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["acme", User, ("acme", 1), None, user(1), [Key(User, "acme", 1)]])
async def test_what_is_no_key_is_refused(wrong: Any) -> None:
    """With the way to write it; nothing is sent for the others."""
    tables = tables_of(user(1))
    with pytest.raises(UsageError, match=r"batch_get\(\) takes Keys, such as Key\(User, 'acme', 'u1'\), got "):
        tables.batch_get(*keys(1), wrong)
    assert tables.requests == []


@pytest.mark.parametrize("wrong", [Key(User, "acme", "1"), Key(User, "", 1), Key(Order, "x" * 2049), Key(Blob, b"")])
async def test_values_that_cannot_be_a_key_are_refused(wrong: Key[Any]) -> None:
    """By the rules of ``get``, before anything is sent."""
    tables = tables_of(also=[User, Order, Blob])
    with pytest.raises(InvalidKey, match=wrong.model.__name__):
        tables.batch_get(*keys(1), wrong)
    assert tables.requests == []


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "4", None, True])
async def test_a_concurrency_that_cannot_be_is_refused(wrong: Any) -> None:
    """A whole number of 1 or more."""
    db = Database(region="eu-west-1")
    with pytest.raises(UsageError, match=r"concurrency=.*a whole number of 1 or more"):
        db.batch_get(*keys(1), concurrency=wrong)


# --- its time -------------------------------------------------------------------------------------


async def test_the_timeout_is_that_of_the_whole_call() -> None:
    """Each request of an awaited one has what is left; without one, the database's own holds."""
    tables, seen = tables_of(*USERS[:7]), list[float | None]()
    tables.taken = lambda count: min(count, 3)
    answer = tables.send

    async def send(request: Request, timeout: float | None, /) -> Response:
        seen.append(timeout)
        return await answer(request, timeout)

    tables.send = send  # type: ignore[method-assign]  # the fake's own, for this test
    assert await tables.batch_get(*keys(*range(7)), timeout=3600.0) == USERS[:7]
    first, second, third = seen
    assert first is not None
    assert second is not None
    assert third is not None
    assert 3600.0 >= first >= second >= third > 0
    seen.clear()
    assert len([pair async for pair in tables.batch_get(*keys(*range(4)), timeout=5.0).with_hidden()]) == 4
    await tables.batch_get(*keys(1)).select(User.email)
    assert seen == [5.0, 5.0, None]


async def test_a_time_that_is_over_is_an_error_with_what_arrived() -> None:
    """Nothing is sent then; the keys are among the unprocessed, and the cause is CallTimeout."""
    tables = tables_of(*USERS[:3])
    with pytest.raises(BatchGetFailed, match="2 of 2 keys were not read: the call's 1e-09 s are over") as caught:
        await tables.batch_get(*keys(0, 1), timeout=1e-9)
    assert (caught.value.unprocessed, caught.value.found, tables.requests) == (tuple(keys(0, 1)), {}, [])
    assert isinstance(caught.value.__cause__, CallTimeout)


async def test_a_pause_that_does_not_fit_is_not_begun() -> None:
    """What was read before is in the chunk."""
    tables, now = tables_of(*USERS[:7]), [0.0]
    tables.taken = lambda count: min(count, 3)

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    reader = KeyReader(
        tables.send,
        deadline=Deadline(0.12, clock=lambda: now[0]),
        sleep=sleep,
        random=lambda: 1.0,
    )
    (chunk,) = plan_batch_get(keys(*range(12)), "", consistent=False).chunks()
    with pytest.raises(CallTimeout, match=r"the call's 0\.12 s are over"):
        await reader.read(chunk)
    assert (len(chunk.take()), len(chunk.left), sizes(tables)) == (9, 3, [12, 9, 6])


# --- unprocessed keys -----------------------------------------------------------------------------


async def test_unprocessed_keys_are_asked_for_again() -> None:
    """Until all are there; a round that brought something does not make the next pause longer."""
    tables = tables_of(*USERS[:7], Order(order_id="o"))
    tables.taken = lambda count: min(count, 3)
    found = await tables.batch_get(*keys(*range(9)), Key(Order, "o"), consistent=True)
    assert found == [*USERS[:7], None, None, Order(order_id="o")]
    assert sizes(tables) == [10, 7, 4, 1]
    assert all(part["ConsistentRead"] is True for body in tables.bodies for part in body.values())
    assert len(tables.pauses) == 3
    assert all(0 <= pause < 0.05 for pause in tables.pauses)


async def test_rounds_with_progress_are_not_counted() -> None:
    """Twenty rounds that bring one key each, with seven fruitless ones before every fourth, are no failure."""
    tables = tables_of(*USERS[:20])
    tables.taken = lambda _count: 1 if len(tables.requests) % 8 == 0 else 0
    assert await tables.batch_get(*keys(*range(20))) == USERS[:20]
    assert len(tables.requests) == 160
    longest = [min(5.0, 0.05 * 2 ** max(0, n % 8 - 1)) for n in range(1, 160)]
    assert all(0 <= pause < most for pause, most in zip(tables.pauses, longest, strict=True))


async def test_what_stays_unprocessed_is_told() -> None:
    """After eight fruitless rounds: what arrived, what did not, and why."""
    tables = tables_of(*USERS[:5])
    tables.taken = lambda count: 3 if count == 6 else 0
    with pytest.raises(BatchGetFailed) as caught:
        await tables.batch_get(*keys(4, 9, 0, 1, 2, 3, 1))
    error = caught.value
    assert error.found == {keys(4)[0]: user(4), keys(9)[0]: None, keys(0)[0]: user(0)}
    assert error.unprocessed == tuple(keys(1, 2, 3))
    assert error.misfits == {}
    assert str(error) == (
        "BatchGetItem on table users: 3 of 6 keys were not read: 3 keys were left unprocessed 8 times in a row; read less "
        "at once, or later (after 9 attempts)"
    )
    assert error.retryable
    cause = error.__cause__
    assert isinstance(cause, Throttled)
    assert (cause.code, cause.attempts) == ("UnprocessedKeys", 9)
    assert len(tables.pauses) == 8  # none before giving up


# --- failures -----------------------------------------------------------------------------------


def failing_at(tables: FakeTables, number: int, error: Exception) -> None:
    """Let the request of that number fail."""

    async def fail(request: Request) -> None:
        if len(tables.requests) >= number and request is tables.requests[number - 1]:
            raise error

    tables.before = fail


@pytest.mark.parametrize("concurrency", [1, 2, 4])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_failed_request_ends_the_others(number: int, concurrency: int) -> None:
    """What arrived is in the error, what did not as well; the error is in no group, and its cause is the request's."""
    tables = tables_of(*USERS[:250])
    cause = Throttled("too fast", operation="BatchGetItem", table="users", attempts=4)
    failing_at(tables, number, cause)
    with pytest.raises(BatchGetFailed, match="keys were not read: too fast") as caught:
        await tables.batch_get(*keys(*range(300)), concurrency=concurrency)
    error = caught.value
    assert error.__cause__ is cause
    assert (error.table, error.attempts, error.retryable) == ("users", 4, True)
    assert {*error.found, *error.unprocessed} == {*keys(*range(300))}
    assert len(error.found) + len(error.unprocessed) == 300
    assert len(error.unprocessed) >= 100
    assert all(item == (user(item.number) if item else None) for item in error.found.values())
    assert tables.in_flight == 0


async def test_what_is_no_failed_call_comes_as_it_is() -> None:
    """Missing credentials and a closed database: in no group, and not as a failed batch."""
    for error in (CredentialsError("none"), DatabaseClosed("closed")):
        tables = tables_of(*USERS[:250])
        failing_at(tables, 2, error)
        with pytest.raises(type(error)) as caught:
            await tables.batch_get(*keys(*range(250)))
        assert caught.value is error
        assert tables.in_flight == 0


async def test_an_item_that_does_not_fit_hides_no_other() -> None:
    """Everything is read; the error has what fits, and for each misfit the attribute."""
    tables = tables_of(*USERS[:150])
    for number in (3, 120):
        tables.items["users"][next(key for key in tables.items["users"] if ("n", "N", number) in key)]["age"] = {
            "S": "?"
        }
    with pytest.raises(BatchGetFailed) as caught:
        await tables.batch_get(*keys(*range(151)))
    error = caught.value
    assert list(error.misfits) == keys(3, 120)
    assert all(misfit.problems[0].path == "age" for misfit in error.misfits.values())
    assert error.__cause__ is error.misfits[keys(3)[0]]
    assert error.unprocessed == ()
    fitting = [number for number in range(151) if number not in (3, 120)]
    assert error.found == {keys(n)[0]: user(n) if n < 150 else None for n in fitting}
    assert not error.retryable
    assert str(error).startswith("BatchGetItem: 2 items do not fit their models; the item org='acme', n='3'")


async def test_misfits_beside_a_failure_are_told() -> None:
    """The three parts hold every key once."""
    tables = tables_of(*USERS[:250])
    for item in list(tables.items["users"].values())[:5]:
        item["age"] = {"S": "?"}
    failing_at(tables, 2, Throttled("too fast", operation="BatchGetItem"))
    with pytest.raises(BatchGetFailed) as caught:
        await tables.batch_get(*keys(*range(250)), concurrency=1)
    error = caught.value
    assert (len(error.found), len(error.unprocessed), len(error.misfits)) == (95, 150, 5)
    assert isinstance(error.__cause__, Throttled)


async def test_the_error_can_be_copied_and_pickled() -> None:
    """With everything that it carries."""
    tables = tables_of(user(1))
    tables.taken = lambda _count: 0
    with pytest.raises(BatchGetFailed) as caught:
        await tables.batch_get(*keys(1, 2))
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - our own
        assert isinstance(twin, BatchGetFailed)
        assert (twin.unprocessed, twin.found, str(twin)) == (tuple(keys(1, 2)), {}, str(caught.value))


@pytest.mark.parametrize(
    "answer",
    [
        {"Responses": {"users": [{"org": {"S": "acme"}, "n": {"N": "2"}}]}},
        {"Responses": {"users": [{"org": {"S": "acme"}}]}},
        {"Responses": {"users": [3]}},
        {"Responses": {"others": [{"org": {"S": "acme"}, "n": {"N": "1"}}]}},
        {"Responses": [], "UnprocessedKeys": {}},
        {"UnprocessedKeys": {"users": {"Keys": [{"org": {"S": "acme"}, "n": {"N": "2"}}]}}},
        {"UnprocessedKeys": {"users": {"Keys": [{"org": {"S": "acme"}}]}}},
        {"UnprocessedKeys": {"others": {"Keys": []}}},
    ],
)
async def test_an_answer_to_another_question_is_no_miss(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item or key that was not asked for is an error: passed over, it would make an item a missing one."""
    record(monkeypatch, msgspec.json.encode(answer))
    async with Database(region="eu-west-1") as db:
        with pytest.raises(BatchGetFailed, match=r"1 of 1 keys were not read: .* of the answer") as caught:
            await db.batch_get(*keys(1))
    assert isinstance(caught.value.__cause__, DecodeError)
    assert caught.value.unprocessed == tuple(keys(1))


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_cancelled_anywhere_it_leaves_nothing(turns: int) -> None:
    """No request is under way when the cancelled call has ended."""
    tables = tables_of(*USERS[:250])
    tables.taken = lambda count: (count + 1) // 2
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def read() -> None:
                await tables.batch_get(*keys(*range(250)), concurrency=2)

            group.start_soon(read)
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            assert tables.requests or turns < 3
            scope.cancel()
    assert tables.in_flight == 0
    sent = len(tables.requests)
    for _ in range(10):
        await anyio.lowlevel.checkpoint()
    assert len(tables.requests) == sent


# --- a builder that is forgotten -----------------------------------------------------------------


@pytest.mark.filterwarnings("always")
def test_a_forgotten_batch_warns() -> None:
    """Neither awaited nor iterated: nothing was read, and the line that made it is named."""
    db = Database(region="eu-west-1")
    with pytest.warns(RuntimeWarning, match="^batch_get of 3 keys was never awaited, so nothing was sent$") as caught:
        db.batch_get(*keys(1, 2, 3))
    assert caught[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="^batch_get of 1 key was never awaited, so nothing was sent$"):
        db.batch_get(*keys(1)).select(User.email)


async def test_a_used_batch_does_not_warn() -> None:
    """Awaited, iterated, opened as a stream, or refused."""
    tables = tables_of(user(1))  # warnings are errors here
    await tables.batch_get(*keys(1))
    await tables.batch_get(*keys(1)).select(User.age)
    async for _pair in tables.batch_get(*keys(1)):
        pass
    async with tables.batch_get(*keys(1)).stream():
        pass
    with pytest.raises(UsageError):
        tables.batch_get(*keys(1)).select(Order.total)


def test_the_end_of_the_program_is_quiet() -> None:
    """A batch that is still there when the interpreter ends is passed over, without a complaint."""
    program = (
        "from dynamorm_async import *\n"
        "@model(table='users')\nclass User:\n    org: Attr[str] = partition_key()\n"
        "import sys\n"
        "sys.kept = Database(region='eu-west-1').batch_get(Key(User, 'a'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- through the database ----------------------------------------------------------------------------


async def test_the_database_reads_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the prefix; capacity of every table is counted."""
    answer = {
        "Responses": {
            "t-users": [{"org": {"S": "acme"}, "n": {"N": "1"}}],
            "t-orders": [{"order_id": {"S": "o"}}],
        },
        "UnprocessedKeys": {},
        "ConsumedCapacity": [
            {"TableName": "t-users", "CapacityUnits": 1.5},
            {"TableName": "t-orders", "CapacityUnits": 0.5},
        ],
    }
    lane = record(monkeypatch, msgspec.json.encode(answer))
    async with Database(region="eu-west-1", table_prefix="t-", capacity="total") as db:
        with db.measure() as meter:
            found = await db.batch_get(*keys(1), Key(Order, "o"))
    assert found == [User(org="acme", number=1), Order(order_id="o")]
    assert lane.bodies[0]["ReturnConsumedCapacity"] == "TOTAL"
    assert meter.statistics.requests == {"BatchGetItem": 1}
    assert meter.statistics.capacity.read == 2.0
    assert meter.statistics.capacity.tables == {"t-users": 1.5, "t-orders": 0.5}
