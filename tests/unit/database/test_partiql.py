"""``db.partiql`` over scripted answers: what is sent, how often, and what becomes of the answers."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from dynamorm_async import (
    AccessDenied,
    Attr,
    BadResponse,
    BatchStatementsFailed,
    CallTimeout,
    ConditionFailed,
    ConnectionLost,
    Database,
    DecodeError,
    DuplicateItem,
    InvalidValue,
    ItemCollectionTooLarge,
    OutcomeUnknown,
    RequestRejected,
    ServerError,
    ServiceError,
    Statement,
    TableNotFound,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    UsageError,
    ValidationFailed,
    attr,
    index,
    model,
    partition_key,
)
from dynamorm_async.database import execution
from dynamorm_async.database.deadline import Deadline
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio

SELECT = 'SELECT * FROM "users" WHERE org = ?'
UPDATE = 'UPDATE "users" SET age = ? WHERE org = ?'


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)
    email: Attr[str] = attr(default="x")

    by_email = index(partition="email")


def item(org: str, age: int = 0) -> dict[str, Any]:
    return {"org": {"S": org}, "age": {"N": str(age)}}


def rows(*items: dict[str, Any], token: str | None = None) -> bytes:
    return json.dumps({"Items": items} | ({} if token is None else {"NextToken": token})).encode()


def responses(*answers: dict[str, Any]) -> bytes:
    return json.dumps({"Responses": answers}).encode()


def lost() -> ConnectionLost:
    return ConnectionLost("gone", operation="ExecuteStatement", sent=True)


def refused(code: str, message: str = "no") -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}, "TableName": "users"}


def tokens(lane: RecordingLane) -> list[object]:
    return [body.get("NextToken") for body in lane.bodies]


# --- one statement ------------------------------------------------------------------------------


async def test_awaited_it_gives_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As models where one is named, as plain values else; empty pages are no end."""
    lane = record(monkeypatch, rows(item("a"), token="1"), rows(token="2"), rows(item("b"), item("c")), rows(item("d")))
    async with Database() as db:
        users = await db.partiql.execute(SELECT, "x", into=User, consistent=True, page_size=5)
        plain = await db.partiql.execute(SELECT, "x")
    assert [user.org for user in users] == ["a", "b", "c"]
    assert tokens(lane) == [None, "1", "2", None]
    assert {body.get("Limit") for body in lane.bodies[:3]} == {5}
    assert plain == [{"org": "d", "age": 0}]


async def test_iterated_it_holds_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page is asked for once the present one is consumed; leaving the loop early asks for no more."""
    lane = record(monkeypatch, rows(item("a"), item("b"), token="1"), rows(item("c"), token="2"), rows(item("d")))
    seen: list[tuple[str, int]] = []
    async with Database() as db:
        async for user in db.partiql.execute(SELECT, "x", into=User):
            seen.append((user.org, len(lane.requests)))
            if user.org == "c":
                break
    assert seen == [("a", 1), ("b", 1), ("c", 2)]
    assert len(lane.requests) == 2


async def test_a_stream_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After aclose, or the end of its block, nothing is read and nothing comes."""
    lane = record(monkeypatch, rows(item("a"), item("b"), token="1"))
    async with Database() as db:
        async with aiter(db.partiql.execute(SELECT, "x", into=User)) as stream:
            assert (await anext(stream)).org == "a"
        assert [row async for row in stream] == []
    assert len(lane.requests) == 1


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (2, 1), (3, 2), (4, 3)])
async def test_a_limit_counts_rows(monkeypatch: pytest.MonkeyPatch, limit: int, requests: int) -> None:
    """So many rows and no page more than they take; DynamoDB's own Limit is page_size alone."""
    script = [rows(item("a"), item("b"), token="1"), rows(item("c"), token="2"), rows(item("d"))]
    lane = record(monkeypatch, *script, *script)
    async with Database() as db:
        execution = db.partiql.execute(SELECT, "x", into=User, limit=limit)
        assert [user.org for user in await execution] == ["a", "b", "c", "d"][:limit]
        assert len(lane.requests) == requests
        lane.script.clear()
        lane.script.extend(script)
        assert [user.org async for user in execution] == ["a", "b", "c", "d"][:limit]
    assert len(lane.requests) == 2 * requests
    assert not any("Limit" in body for body in lane.bodies)


async def test_a_write_returns_what_returning_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows where the text has RETURNING, else none."""
    record(monkeypatch, rows(item("a", 4)), b"{}")
    async with Database() as db:
        (user,) = await db.partiql.execute(f"{UPDATE} RETURNING ALL NEW *", 4, "a", into=User)
        assert user.age == 4
        assert await db.partiql.execute(UPDATE, 4, "a") == []


async def test_a_lost_select_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a later page."""
    lane = record(monkeypatch, lost(), rows(item("a"), token="1"), lost(), rows(item("b")))
    async with Database() as db:
        assert len(await db.partiql.execute(SELECT, "x")) == 2
    assert tokens(lane) == [None, None, "1", "1"]


@pytest.mark.parametrize(
    "text", [UPDATE, "INSERT INTO users VALUE {'a': ?, 'b': ?}", "DELETE FROM u WHERE a=? AND b=?"]
)
async def test_a_lost_write_is_not(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Whether it was applied is not known: it is told, and never sent again."""
    lane = record(monkeypatch, lost())
    async with Database() as db:
        with pytest.raises(OutcomeUnknown):
            await db.partiql.execute(text, 1, "a")
    assert len(lane.requests) == 1


async def test_a_write_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second await, or a loop after it, is refused; a SELECT just reads again."""
    lane = record(monkeypatch)
    async with Database() as db:
        write = db.partiql.execute(UPDATE, 1, "a")
        await write
        with pytest.raises(UsageError, match="was sent already"):
            await write
        with pytest.raises(UsageError, match="was sent already"):
            aiter(write)
        read = db.partiql.execute(SELECT, "a")
        assert await read == await read
    assert len(lane.requests) == 3


async def test_a_stream_that_failed_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that failed while it was iterated is not sent again by the next step."""
    lane = record(monkeypatch, DuplicateItem("taken", operation="ExecuteStatement"), rows(item("a")))
    async with Database() as db:
        stream = aiter(db.partiql.execute("INSERT INTO users VALUE {'org': ?}", "a"))
        with pytest.raises(DuplicateItem):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert len(lane.requests) == 1


def failed_condition(raw: dict[str, Any] | None) -> ConditionFailed:
    error = ConditionFailed("no", operation="ExecuteStatement", code="ConditionalCheckFailedException")
    error.raw_item = raw
    return error


@pytest.mark.parametrize(
    ("into", "raw", "expected"),
    [
        (User, item("a", 7), User(org="a", age=7)),
        (None, item("a", 7), {"org": "a", "age": 7}),
        (User, {"age": {"N": "7"}}, None),  # it does not fit
        (User, None, None),
    ],
)
async def test_a_failed_condition_carries_the_item(
    monkeypatch: pytest.MonkeyPatch, into: Any, raw: Any, expected: object
) -> None:
    """As the statement's model, else as plain values; as DynamoDB sent it in any case."""
    record(monkeypatch, failed_condition(raw))
    async with Database() as db:
        with pytest.raises(ConditionFailed) as caught:
            await db.partiql.execute(UPDATE, 1, "a", into=into)
    assert caught.value.item == expected
    assert caught.value.raw_item == raw


async def test_a_page_that_ends_where_it_began_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that repeats its token is no endless loop."""
    record(monkeypatch, rows(token="1"), rows(token="1"))
    async with Database() as db:
        with pytest.raises(BadResponse):
            await db.partiql.execute(SELECT, "a")


async def test_the_timeout_is_for_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Awaited, each page has what the ones before left; iterated, each has the whole."""
    now = [100.0]
    monkeypatch.setattr(execution, "Deadline", partial(Deadline, clock=lambda: now[0]))
    waits: list[float] = []
    lane = record(monkeypatch)

    async def attempt(request: Any, timeout: float) -> Any:
        waits.append(timeout)
        now[0] += 1.5
        return await RecordingLane.attempt(lane, request, timeout)

    monkeypatch.setattr(lane, "attempt", attempt)
    async with Database() as db:
        lane.script.extend([rows(token="1"), rows(token="2"), rows(token="3")])
        with pytest.raises(CallTimeout):
            await db.partiql.execute(SELECT, "a", timeout=4)
        assert waits == pytest.approx([4.0, 2.5, 1.0], abs=0.1)
        lane.script.clear()
        lane.script.extend([rows(token="1"), rows(token="2"), rows(token="3")])
        assert [row async for row in db.partiql.execute(SELECT, "a", timeout=4)] == []
    assert waits[3:] == [4.0, 4.0, 4.0, 4.0]


NO_PARAMETER: Any = object()
WRONG: list[Callable[[Database], object]] = [
    lambda db: db.partiql.execute(""),
    lambda db: db.partiql.execute(SELECT),
    lambda db: db.partiql.execute(SELECT, NO_PARAMETER),
    lambda db: db.partiql.execute(SELECT, float("nan")),
    lambda db: db.partiql.execute(SELECT, "a", into=int),
    lambda db: db.partiql.execute(SELECT, "a", limit=0),
    lambda db: db.partiql.execute(SELECT, "a", limit=True),
    lambda db: db.partiql.execute(SELECT, "a", page_size=-1),
    lambda db: db.partiql.execute(UPDATE, 1, "a", limit=1),
    lambda db: db.partiql.execute(UPDATE, 1, "a", page_size=1),
    lambda db: db.partiql.execute(UPDATE, 1, "a", consistent=True),
    lambda db: db.partiql.execute("EXISTS(SELECT 1)"),
    lambda db: db.partiql.table(User, index="nope"),
]


@pytest.mark.parametrize("call", WRONG)
async def test_wrong_use_is_refused_at_the_call(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Database], object]
) -> None:
    """Before anything is awaited, and nothing is sent."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises((UsageError, InvalidValue)):
            call(db)
    assert lane.opened == 0


async def test_names_have_the_prefix() -> None:
    """The name of a table as this database has it."""
    db = Database(table_prefix="staging-")
    assert db.partiql.table(User) == '"staging-users"'
    assert db.partiql.table(User, index=User.by_email) == '"staging-users"."by_email"'


async def test_what_is_never_awaited_warns() -> None:
    """A forgotten await of a write is told, since nothing was sent; the parameters are not."""
    db = Database()
    with pytest.warns(RuntimeWarning, match=r"<Execution 'UPDATE .*' parameters=2> was never awaited") as caught:
        db.partiql.execute(UPDATE, "secret", "a")
    assert "secret" not in str(caught[0].message)
    assert caught[0].filename == __file__


async def test_what_is_awaited_or_iterated_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what fails, or was refused."""
    record(monkeypatch, rows(), rows(), ValidationFailed("no", operation="ExecuteStatement"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        async with Database() as db:
            await db.partiql.execute(SELECT, "a")
            assert [row async for row in db.partiql.execute(SELECT, "a")] == []
            with pytest.raises(ValidationFailed):
                await db.partiql.execute(SELECT, "a")
            with pytest.raises(UsageError):
                db.partiql.execute(SELECT)
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


async def test_it_is_an_awaitable_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """gather and wait_for take it."""
    record(monkeypatch, rows(item("a")), rows(item("b")))
    async with Database() as db:
        both = await asyncio.gather(
            db.partiql.execute(SELECT, "a"), asyncio.wait_for(db.partiql.execute(SELECT, "b"), 5)
        )
    assert sorted(str(row["org"]) for page in both for row in page) == ["a", "b"]


async def test_cancelling_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled statement is over: no task stays, a write is not sent again, and the database works on."""
    lane, under_way = record(monkeypatch), anyio.Event()

    async def never(_request: Any, _timeout: float) -> Any:
        under_way.set()
        await anyio.sleep_forever()

    async with Database() as db:
        write = db.partiql.execute(UPDATE, 1, "a")

        async def run() -> None:
            await write

        with monkeypatch.context() as patch:
            patch.setattr(lane, "attempt", never)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
                await under_way.wait()
                tasks.cancel_scope.cancel()
        with pytest.raises(UsageError, match="was sent already"):
            await write
        assert await db.partiql.execute(SELECT, "a") == []


# --- batches ------------------------------------------------------------------------------------


async def test_a_batch_gives_each_its_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, each as its own model; None for a miss."""
    lane = record(monkeypatch, responses({"Item": item("a", 1), "TableName": "users"}, {}, {"Item": item("c", 3)}))
    async with Database() as db:
        found = await db.partiql.batch(
            Statement(SELECT, "a", into=User),
            Statement(SELECT, "b", into=User),
            Statement(SELECT, "c"),
            consistent=True,
        )
    assert found == (User(org="a", age=1), None, {"org": "c", "age": 3})
    assert [entry["ConsistentRead"] for entry in lane.bodies[0]["Statements"]] == [True] * 3


async def test_a_batch_of_which_some_failed_raises_with_all_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure is lost: the error has each statement's item or error; nothing is sent again."""
    condition = {
        "Error": {"Code": "ConditionalCheckFailed", "Message": "no", "Item": item("c", 7)},
        "TableName": "users",
    }
    lane = record(monkeypatch, responses(refused("DuplicateItem"), {"TableName": "users"}, condition))
    insert = "INSERT INTO users VALUE {'org': ?}"
    async with Database() as db:
        with pytest.raises(BatchStatementsFailed, match="2 of 3 statements failed, the others were executed") as caught:
            await db.partiql.batch(Statement(insert, "a"), Statement(insert, "b"), Statement(UPDATE, 1, "c", into=User))
    duplicate, none, failed = caught.value.results
    assert (type(duplicate), none, type(failed)) == (DuplicateItem, None, ConditionFailed)
    assert caught.value.failures == {0: duplicate, 2: failed}
    assert (duplicate.operation, duplicate.table, duplicate.code) == ("BatchExecuteStatement", "users", "DuplicateItem")
    assert failed.item == User(org="c", age=7)
    assert "statement 1:" in str(caught.value)
    assert "statement 3:" in str(caught.value)
    assert not caught.value.retryable
    assert len(lane.requests) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", AccessDenied),
        ("ConditionalCheckFailed", ConditionFailed),
        ("DuplicateItem", DuplicateItem),
        ("InternalServerError", ServerError),
        ("ItemCollectionSizeLimitExceeded", ItemCollectionTooLarge),
        ("ProvisionedThroughputExceeded", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("ResourceNotFound", TableNotFound),
        ("ThrottlingError", Throttled),
        ("TransactionConflict", TransactionConflict),
        ("ValidationError", ValidationFailed),
        ("ConditionalCheckFailedException", ConditionFailed),
        ("DuplicateItemException", DuplicateItem),
        ("SomethingNew", RequestRejected),
    ],
)
async def test_every_code_of_a_statement_has_its_class(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: type[ServiceError]
) -> None:
    """All of DynamoDB's codes for statements of a batch, with the suffix and without."""
    record(monkeypatch, responses(refused(code)))
    async with Database() as db:
        with pytest.raises(BatchStatementsFailed) as caught:
            await db.partiql.batch(Statement(UPDATE, 1, "a"))
    assert type(caught.value.results[0]) is kind


async def test_an_item_that_does_not_fit_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failure of its own statement alone."""
    record(monkeypatch, responses({"Item": {"age": {"N": "1"}}}, {"Item": item("b")}))
    async with Database() as db:
        with pytest.raises(BatchStatementsFailed) as caught:
            await db.partiql.batch(Statement(SELECT, "a", into=User), Statement(SELECT, "b", into=User))
    error, user = caught.value.results
    assert isinstance(error, DecodeError)
    assert user == User(org="b")


async def test_a_lost_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of reads it is sent again; of writes it is not known what became of them."""
    lane = record(monkeypatch, lost(), responses({"Item": item("a")}), lost())
    async with Database() as db:
        assert await db.partiql.batch(Statement(SELECT, "a")) == ({"org": "a", "age": 0},)
        with pytest.raises(OutcomeUnknown):
            await db.partiql.batch(Statement(UPDATE, 1, "a"), Statement(UPDATE, 1, "b"))
    assert len(lane.requests) == 3


async def test_an_answer_of_another_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results could not be told apart."""
    record(monkeypatch, responses({}))
    async with Database() as db:
        with pytest.raises(BadResponse, match="1 responses to 2 statements"):
            await db.partiql.batch(Statement(SELECT, "a"), Statement(SELECT, "b"))


# --- transactions -------------------------------------------------------------------------------


async def test_a_transaction_of_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The items by position; without a token of ours."""
    lane = record(monkeypatch, responses({"Item": item("a", 1)}, {}))
    async with Database() as db:
        found = await db.partiql.transact(Statement(SELECT, "a", into=User), Statement(SELECT, "b"))
    assert found == (User(org="a", age=1), None)
    assert "ClientRequestToken" not in lane.bodies[0]


async def test_a_transaction_of_writes_has_one_token_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer is followed by the same bytes; another call has another token; a token of the caller's is kept."""
    lane = record(monkeypatch, lost(), b'{"Responses": [{}, {}]}')
    writes = (Statement(UPDATE, 1, "a"), Statement(UPDATE, 1, "b"))
    async with Database() as db:
        assert await db.partiql.transact(*writes) == (None, None)
        assert await db.partiql.transact(*writes) == (None, None)
        assert await db.partiql.transact(*writes, token="mine") == (None, None)
    sent = [body["ClientRequestToken"] for body in lane.bodies]
    assert lane.bodies[0] == lane.bodies[1]
    assert len(sent[0]) == 36
    assert len(set(sent)) == 3
    assert sent[3] == "mine"


async def test_a_cancelled_transaction_says_which_statements_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By position, each with the error that it would have had by itself, and the item that was there, as its model."""
    error = TransactionCancelled("cancelled", operation="ExecuteTransaction")
    there = {"Code": "ConditionalCheckFailed", "Message": "no", "Item": item("c", 7)}
    error.reasons = ({"Code": "None"}, {"Code": "DuplicateItem", "Message": "taken"}, there)
    record(monkeypatch, error)
    insert = Statement("INSERT INTO users VALUE {'org': 'b'}")
    async with Database() as db:
        with pytest.raises(TransactionCancelled) as caught:
            await db.partiql.transact(Statement(UPDATE, 1, "a"), insert, Statement(UPDATE, 1, "c", into=User))
    assert caught.value.reasons == error.reasons
    duplicate, condition = caught.value.failures
    assert (duplicate.index, type(duplicate.error), duplicate.error.message) == (1, DuplicateItem, "taken")
    assert (condition.index, condition.operation) == (2, UPDATE)
    assert isinstance(condition.error, ConditionFailed)
    assert condition.error.item == User(org="c", age=7)
    assert "of 3 statements was cancelled, nothing was written:\n  operation 2, INSERT INTO" in str(caught.value)


@pytest.mark.parametrize("token", [None, "mine"])
async def test_a_transaction_whose_answers_were_lost_is_unknown(
    monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    """As that of db.transaction(): sent again under its token, and in the end the error has the token."""
    lost = BadResponse("cut", operation="ExecuteTransaction", sent=True)
    slow = Throttled("slow", operation="ExecuteTransaction")
    lane = record(monkeypatch, lost, slow, slow, slow)
    async with Database() as db:
        with pytest.raises(OutcomeUnknown, match="Send the same statements again with token=") as caught:
            await db.partiql.transact(Statement(UPDATE, 1, "a"), token=token)
    tokens = {body["ClientRequestToken"] for body in lane.bodies}
    assert len(tokens) == 1
    assert token is None or tokens == {token}
    assert repr(tokens.pop()) in str(caught.value)
    record(monkeypatch, *[slow] * 4)
    async with Database() as db:
        with pytest.raises(Throttled):
            await db.partiql.transact(Statement(UPDATE, 1, "a"), token=token)


async def test_a_cancelled_transaction_without_reasons_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made up, and reasons beyond the statements are nobody's."""
    for reasons in ((), ({"Code": "None"}, {"Code": "ValidationError"})):
        error = TransactionCancelled("cancelled", operation="ExecuteTransaction")
        error.reasons = reasons
        record(monkeypatch, error)
        async with Database() as db:
            with pytest.raises(TransactionCancelled) as caught:
                await db.partiql.transact(Statement(UPDATE, 1, "a"))
        assert (caught.value.failures, caught.value.message) == ((), "cancelled")


async def test_statements_that_cannot_go_together_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before a lane is opened."""
    lane = record(monkeypatch)
    read, write = Statement(SELECT, "a"), Statement(UPDATE, 1, "a")
    async with Database() as db:
        for statements in ([], [read, write], [read] * 26):
            with pytest.raises(UsageError):
                await db.partiql.batch(*statements)
        for statements in ([], [read, write], [write] * 101):
            with pytest.raises(UsageError):
                await db.partiql.transact(*statements)
        with pytest.raises(UsageError, match="token"):
            await db.partiql.transact(write, token="")
        with pytest.raises(UsageError, match="consistent"):
            await db.partiql.batch(write, consistent=True)
    assert lane.opened == 0


# --- capacity -----------------------------------------------------------------------------------


async def test_what_statements_consume_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of SELECT are read units, those of others write units; batches and transactions report lists."""

    def report(units: float, **more: float) -> dict[str, Any]:
        return {"TableName": "users", "CapacityUnits": units, **more}

    lane = record(
        monkeypatch,
        json.dumps({"Items": [], "ConsumedCapacity": report(0.5)}).encode(),
        json.dumps({"ConsumedCapacity": report(1)}).encode(),
        json.dumps({"Responses": [{}], "ConsumedCapacity": [report(2)]}).encode(),
        json.dumps({"Responses": [{}], "ConsumedCapacity": [report(4), report(8)]}).encode(),
        json.dumps({"ConsumedCapacity": [report(16, WriteCapacityUnits=16)]}).encode(),
        json.dumps({"ConsumedCapacity": [report(32, ReadCapacityUnits=32)]}).encode(),
    )
    async with Database(capacity="total") as db:
        with db.measure() as meter:
            await db.partiql.execute(f"/* age */ {SELECT}", "a")
            await db.partiql.execute(UPDATE, 1, "a")
            await db.partiql.batch(Statement(SELECT, "a"))
            await db.partiql.batch(Statement(UPDATE, 1, "a"))
            await db.partiql.transact(Statement(UPDATE, 1, "a"))
            await db.partiql.transact(Statement(UPDATE, 1, "a"))  # as repeated by its token: it only reads
    assert {body["ReturnConsumedCapacity"] for body in lane.bodies} == {"TOTAL"}
    capacity = meter.statistics.capacity
    assert (capacity.read, capacity.write, capacity.tables) == (34.5, 29.0, {"users": 63.5})
    assert meter.statistics.requests == {"ExecuteStatement": 2, "BatchExecuteStatement": 2, "ExecuteTransaction": 2}
