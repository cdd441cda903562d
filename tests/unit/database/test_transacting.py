"""Writes that touch unique values, as item calls and in transactions: what is read and sent, again and how often."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dynamorm_async import (
    Attr,
    BadResponse,
    CallTimeout,
    ConditionFailed,
    ConnectionLost,
    Database,
    DecodeError,
    InvalidKey,
    ItemExists,
    ItemNotFound,
    Key,
    NotUnique,
    OutcomeUnknown,
    TransactionCancelled,
    TransactionConflict,
    UsageError,
    VersionConflict,
    attr,
    model,
    partition_key,
    unique,
    updated_at,
    version,
)
from dynamorm_async.database.transacting import transact
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NONE: Mapping[str, Any] = {"Code": "None"}
FAILED: Mapping[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None)
    age: Attr[int] = attr(default=0)

    one_email = unique("email")


@model(table="kept")
class Kept:
    kept_id: Attr[str] = partition_key()
    email: Attr[str] = attr()
    age: Attr[int] = attr(default=0)
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()

    one_email = unique("email")


KEY = Key(User, "u1")


def stored(user_id: str = "u1", **values: str) -> dict[str, Any]:
    return {"user_id": {"S": user_id}, **{name: {"S": value} for name, value in values.items()}}


def got(**values: str) -> bytes:
    return json.dumps({"Item": stored(**values)}).encode()


def failed(item: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    return FAILED if item is None else {**FAILED, "Item": item}


def taken(value: str, owner: str = "u9") -> Mapping[str, Any]:
    return failed({"value": {"S": f'User.one_email#[{{"S":"{value}"}}]'}, "owner": {"M": {"user_id": {"S": owner}}}})


def cancelled(*reasons: Mapping[str, Any]) -> TransactionCancelled:
    error = TransactionCancelled(
        "cancelled", operation="TransactWriteItems", code="TransactionCanceledException", request_id="r1"
    )
    error.reasons = reasons
    return error


def operations(lane: RecordingLane) -> list[str]:
    return [request.operation for request in lane.requests]


def moves(body: Mapping[str, Any]) -> list[str]:
    """The markers that a transaction moves: ``+a`` for a claim, ``-a`` for a release, ``?a`` for a check."""
    signs = {"Put": "+", "Delete": "-", "ConditionCheck": "?"}
    found: list[str] = []
    for item in body["TransactItems"]:
        ((part, action),) = item.items()
        if action["TableName"].endswith("-unique"):
            value = (action.get("Key") or action["Item"])["value"]["S"]
            found.append(signs[part] + json.loads(value.partition("#")[2])[0]["S"])
    return found


# --- item calls ---------------------------------------------------------------------------------


async def test_item_calls_claim_and_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """create, put, save, update and delete are transactions where they touch the value, with one action a marker."""
    lane = record(monkeypatch)
    async with Database() as db:
        user = await db.create(User(user_id="u1", email="a"))
        user.email = "b"
        await db.save(user)
        user.email = "c"
        await db.put(user)
        lane.script.append(got(email="c"))
        await db.update(KEY, User.email.set("d"), returns="none")
        lane.script.append(got(email="d"))
        await db.delete(KEY)
        await db.put(User(user_id="u2"))
    transactions = [request.body for request in lane.requests if request.operation == "TransactWriteItems"]
    assert [moves(body) for body in transactions] == [["+a"], ["-a", "+b"], ["-b", "+c"], ["-c", "+d"], ["-d"], []]
    assert operations(lane).count("GetItem") == 2
    assert all(request.body["ConsistentRead"] for request in lane.requests if request.operation == "GetItem")


async def test_what_does_not_touch_it_is_one_plain_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads, and updates and saves of other attributes, cost what they cost without the constraint."""
    lane = record(monkeypatch, b'{"Attributes": {"user_id": {"S": "u1"}}}', got(email="a"))
    async with Database() as db:
        await db.update(KEY, User.age.add(1))
        user = await db.get(KEY)
        assert user is not None
        user.age = 7
        await db.save(user)
    assert operations(lane) == ["UpdateItem", "GetItem", "UpdateItem"]


async def test_the_instance_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version and time move after success; a save after it has nothing to do; after a refusal nothing has moved."""
    lane = record(monkeypatch, cancelled(NONE, taken("a")))
    kept = Kept(kept_id="k1", email="a")
    async with Database(clock=lambda: NOON) as db:
        with pytest.raises(NotUnique):
            await db.create(kept)
        assert kept.revision == 0
        await db.create(kept)
        assert (kept.revision, kept.changed) == (1, NOON)
        await db.save(kept)
    assert operations(lane) == ["TransactWriteItems"] * 2


async def test_update_returns_the_new_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction returns none, so it is read consistently afterwards."""
    lane = record(monkeypatch, got(email="a"), b"{}", got(email="b"))
    async with Database() as db:
        assert await db.update(KEY, User.email.set("b")) == User(user_id="u1", email="b")
    assert operations(lane) == ["GetItem", "TransactWriteItems", "GetItem"]
    assert lane.bodies[2] == {"TableName": "users", "Key": {"user_id": {"S": "u1"}}, "ConsistentRead": True}


async def test_update_whose_item_cannot_be_read_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the change was made: deleted meanwhile, or the read failed; never one that says it was not."""
    record(monkeypatch, got(email="a"), b"{}", b"{}")
    async with Database() as db:
        with pytest.raises(ItemNotFound, match=r"the update was made, but User\(user_id='u1'\) was deleted before"):
            await db.update(KEY, User.email.set("b"))
    lost = [ConnectionLost("cut", operation="GetItem", sent=True) for _ in range(4)]
    record(monkeypatch, got(email="a"), b"{}", *lost)
    async with Database() as db:
        with pytest.raises(
            OutcomeUnknown, match=r"the update was made, but its item could not be read.*: cut"
        ) as caught:
            await db.update(KEY, User.email.set("b"))
    assert (caught.value.key, caught.value.retryable) == (KEY, False)
    record(monkeypatch, got(email="a"), b"{}", b'{"Item":{"user_id":{"S":"u1"}}')
    async with Database() as db:
        with pytest.raises(OutcomeUnknown, match=r"(?s)the update was made, but .*not readable"):
            await db.update(KEY, User.email.set("b"))


async def test_present_values_that_are_not_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was written yet; the error is of this library."""
    lane = record(monkeypatch, b'{"Item":{"user_id":{"S":"u1"}}')
    async with Database() as db:
        with pytest.raises(DecodeError, match="not readable JSON"):
            await db.update(KEY, User.email.set("b"))
    assert operations(lane) == ["GetItem"]


async def test_errors_are_those_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of a transaction: taken key, missing item, stale version and the caller's condition, with the item that was there."""
    there = stored(email="x")
    kept = {"kept_id": {"S": "k1"}, "email": {"S": "x"}, "revision": {"N": "7"}}
    async with Database() as db:
        record(monkeypatch, cancelled(failed(there), NONE))
        with pytest.raises(ItemExists) as exists:
            await db.create(User(user_id="u1", email="a"))
        assert exists.value.item == User(user_id="u1", email="x")
        assert (exists.value.operation, exists.value.table, exists.value.request_id) == ("PutItem", "users", "r1")
    async with Database() as db:
        record(monkeypatch, b"{}", cancelled(failed()))
        with pytest.raises(ItemNotFound):
            await db.update(KEY, User.email.set("b"))
    async with Database() as db:
        record(monkeypatch, cancelled(failed(kept), NONE))
        with pytest.raises(VersionConflict) as conflict:
            await db.put(Kept(kept_id="k1", email="b", revision=3))
        assert (conflict.value.expected, conflict.value.found) == (3, 7)
    async with Database() as db:
        lane = record(monkeypatch, got(email="x"), cancelled(failed(there), NONE, NONE))
        with pytest.raises(ConditionFailed, match="condition did not hold") as condition:
            await db.update(KEY, User.email.set("b"), where=User.age > 3)
        assert type(condition.value) is ConditionFailed
        assert condition.value.item == User(user_id="u1", email="x")
        assert len(lane.requests) == 2


async def test_not_unique_names_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attributes, the key of the item that has the value, and the marker as it is."""
    record(monkeypatch, cancelled(NONE, taken("a", "u7")))
    async with Database() as db:
        with pytest.raises(NotUnique, match=r"another User has this email: Key\(User, 'u7'\)") as caught:
            await db.create(User(user_id="u1", email="a"))
    error = caught.value
    assert (error.attributes, error.owner, error.item) == (("email",), Key(User, "u7"), None)
    assert error.raw_item is not None
    assert error.raw_item["value"] == {"S": 'User.one_email#[{"S":"a"}]'}


@pytest.mark.parametrize("marker", [None, {}, {"owner": {"S": "u7"}}, {"owner": {"M": {}}}, {"owner": {"M": {"x": 3}}}])
async def test_not_unique_without_a_known_owner(monkeypatch: pytest.MonkeyPatch, marker: dict[str, Any] | None) -> None:
    """A marker that did not come back, or that something else wrote, is a taken value all the same."""
    record(monkeypatch, cancelled(NONE, failed(marker)))
    async with Database() as db:
        with pytest.raises(NotUnique, match=r"another User has this email \[") as caught:
            await db.create(User(user_id="u1", email="a"))
    assert caught.value.owner is None


async def test_refused_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arithmetic on the value, a value that is too long, and the old item."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match="must be known beforehand"):
            await db.update(KEY, User.email.set_default("a"))
        with pytest.raises(InvalidKey, match="too long"):
            await db.update(KEY, User.email.set("x" * 2048))
        with pytest.raises(UsageError, match="returns no attributes"):
            await db.delete(KEY, returns="old")
    assert lane.requests == []


# --- guesses ------------------------------------------------------------------------------------


async def test_a_stale_guess_is_replaced_by_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item that comes back with the refusal says what it has now; no further read, and a token of its own."""
    lane = record(monkeypatch, cancelled(failed(stored(email="z")), NONE))
    async with Database() as db:
        await db.put(User(user_id="u1", email="a"))
    assert [moves(body) for body in lane.bodies] == [["+a"], ["-z", "+a"]]
    assert lane.bodies[0]["ClientRequestToken"] != lane.bodies[1]["ClientRequestToken"]
    guards = [body["TransactItems"][0]["Put"]["ConditionExpression"] for body in lane.bodies]
    assert guards == ["attribute_not_exists(#un0)", "#un0 = :uv0"]


async def test_an_item_that_is_gone_is_a_stale_guess_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A put of an instance that was read writes it anew where somebody deleted it."""
    lane = record(monkeypatch, got(email="a"), cancelled(failed(), NONE, NONE))
    async with Database() as db:
        user = await db.get(KEY)
        assert user is not None
        user.email = "b"
        await db.put(user)
    assert [moves(body) for body in lane.bodies[1:]] == [["-a", "+b"], ["+b"]]


async def test_guessing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten rounds, with an error that says why; no pause is spent here."""

    async def at_once(_seconds: float) -> None:
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(anyio, "sleep", at_once)
    busy = [cancelled(failed(stored(email=f"e{n}")), NONE) for n in range(10)]
    between: list[bytes | Exception] = []
    for turn, error in enumerate(busy):
        between += [got(email="z"), error] if turn >= 2 else [error]
    lane = record(monkeypatch, *between)
    async with Database() as db:
        with pytest.raises(TransactionConflict, match="others changed the unique values of the User again") as caught:
            await db.put(User(user_id="u1", email="a"))
    assert caught.value.retryable
    assert operations(lane) == ["TransactWriteItems"] * 2 + ["GetItem", "TransactWriteItems"] * 8


async def test_the_callers_token_is_the_same_in_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another one, a transaction whose answer was lost could be applied twice when the caller repeats it."""
    lane = record(monkeypatch, cancelled(failed(stored(email="z")), NONE))
    async with Database() as db:
        await db.transaction(token="mine").put(User(user_id="u1", email="a"))
    assert [body["ClientRequestToken"] for body in lane.bodies] == ["mine", "mine"]


async def test_a_marker_of_another_item_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item from before the constraint can leave a value whose marker another has: it is checked, not deleted."""
    lane = record(monkeypatch, got(email="a"), cancelled(NONE, taken("a"), NONE))
    async with Database() as db:
        await db.update(KEY, User.email.set("b"), returns="none")
    assert [moves(body) for body in lane.bodies[1:]] == [["-a", "+b"], ["?a", "+b"]]


async def test_a_marker_that_became_its_own_is_released_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the check of a foreign marker fails, it is the item's own by now."""
    lane = record(monkeypatch, got(email="a"), cancelled(NONE, taken("a")), cancelled(NONE, failed()))
    async with Database() as db:
        await db.delete(KEY)
    assert [moves(body) for body in lane.bodies[1:]] == [["-a"], ["?a"], ["-a"]]


async def test_the_timeout_is_for_the_whole_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and rounds share it; a call that has none left is not sent."""
    given: list[float | None] = []
    answers: list[bytes | Exception] = [got(email="a"), cancelled(failed(stored(email="z")), NONE, NONE), b"{}"]

    async def send(_request: Request, timeout: float | None) -> Response:
        await anyio.lowlevel.checkpoint()
        given.append(timeout)
        answer = answers[len(given) - 1]
        if isinstance(answer, Exception):
            raise answer
        return Response(answer)

    write = Writes(prefix="", clock=lambda: NOON).update(KEY, [User.email.set("b")])
    await transact(send, [write], timeout=5)
    left = [seconds for seconds in given if seconds is not None]
    assert 5 >= left[0] > left[1] > left[2] > 0
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(CallTimeout, match="before this request was answered"):
            await db.put(User(user_id="u1", email="a"), timeout=1e-9)
    assert lane.requests == []


# --- lost answers, cancellation -----------------------------------------------------------------


async def test_a_lost_answer_is_repeated_under_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item call that touches a unique value is safe to repeat, unlike the plain one, because it is a transaction."""
    lane = record(monkeypatch, BadResponse("cut", operation="TransactWriteItems", sent=True))
    async with Database() as db:
        await db.create(User(user_id="u1", email="a"))
    assert lane.bodies[0] == lane.bodies[1]


async def test_an_item_call_whose_outcome_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error does not speak of a token, which an item call does not take."""
    record(monkeypatch, *[BadResponse("cut", operation="TransactWriteItems", sent=True) for _ in range(4)])
    async with Database() as db:
        with pytest.raises(OutcomeUnknown, match="Read the item consistently to find out") as caught:
            await db.create(User(user_id="u1", email="a"))
    assert "token" not in str(caught.value)


async def test_a_unique_write_that_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the read and the transaction: nothing is written, the instance is as it was."""
    lane = record(monkeypatch, got(email="a"))
    lane.gate = anyio.Event()
    kept = Kept(kept_id="k1", email="b")
    calls: list[Callable[[Database], Awaitable[object]]] = [
        lambda db: db.create(kept),
        lambda db: db.update(KEY, User.email.set("b")),
    ]
    async with Database() as db:
        for call in calls:
            with anyio.move_on_after(0.01) as scope:
                await call(db)
            assert scope.cancelled_caught
    assert (lane.requests, kept.revision) == ([], 0)


# --- in transactions ----------------------------------------------------------------------------


async def test_a_transaction_moves_values_between_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value that one item gives up is taken by another, in one action on the marker."""
    lane = record(monkeypatch, got(email="a"))
    async with Database() as db, db.transaction() as tx:
        tx.delete(KEY)
        tx.create(User(user_id="u2", email="a"))
    assert operations(lane) == ["GetItem", "TransactWriteItems"]
    assert moves(lane.bodies[1]) == ["+a"]


async def test_two_items_of_a_transaction_with_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before it is sent, naming both."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match=r"'u1'\) and User\(user_id='u2'\) are given the same email"):
            await db.transaction().create(User(user_id="u1", email="a")).create(User(user_id="u2", email="a"))
    assert lane.requests == []
