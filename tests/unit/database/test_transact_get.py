"""transact_get: one TransactGetItems, its results in order, what DynamoDB would refuse refused before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dynamorm_async import (
    Database,
    DecodeError,
    InvalidKey,
    Key,
    Timeouts,
    TransactGet,
    TransactionCancelled,
    TransactionConflict,
    UsageError,
)
from dynamorm_async.database.access import utc_now
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.unit.database.keyed_models import Blob, Narrow, Order, User, Wide, user
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio


def answer(*items: object, **more: Any) -> bytes:
    """The answer that has some instances, and nothing for None."""
    entries = [{} if item is None else {"Item": spec_of(type(item)).codec.encode(item)} for item in items]
    return msgspec.json.encode({"Responses": entries, **more})


async def test_one_request_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the keys, under the prefix; None for a miss, each item as its own model."""
    lane = record(monkeypatch, answer(user(1), None, Order(order_id="o7", total=3)))
    async with Database(region="eu-west-1", table_prefix="t-") as db:
        found = await db.transact_get(Key(User, "acme", 1), Key(Blob, b"\x00\xff"), Key(Order, "o7"))
    assert found == (user(1), None, Order(order_id="o7", total=3))
    (request,) = lane.requests
    assert (request.operation, request.table, request.repeatable) == ("TransactGetItems", None, True)
    assert request.body == {
        "TransactItems": [
            {"Get": {"TableName": "t-users", "Key": {"org": {"S": "acme"}, "n": {"N": "1"}}}},
            {"Get": {"TableName": "t-blobs", "Key": {"digest": {"B": b"\x00\xff"}}}},
            {"Get": {"TableName": "t-orders", "Key": {"order_id": {"S": "o7"}}}},
        ]
    }


async def test_errors_name_the_table_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of one table is of that table."""
    lane = record(monkeypatch, answer(None, None))
    async with Database(region="eu-west-1") as db:
        assert await db.transact_get(Key(Order, "a"), Key(Order, "b")) == (None, None)
    assert lane.requests[0].table == "orders"


async def test_items_are_decoded_as_get_decodes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """They know what they were read from; unknown attributes are kept where the model says so."""
    kept = {"pk": {"S": "a"}, "sk": {"S": "b"}, "colour": {"S": "red"}}
    record(monkeypatch, msgspec.json.encode({"Responses": [{"Item": kept}]}))
    async with Database(region="eu-west-1") as db:
        (item,) = await db.transact_get(Key(Wide, "a", "b"))
    assert item is not None
    assert spec_of(Wide).codec.encode(item)["colour"] == {"S": "red"}
    assert spec_of(Wide).codec.stored(item) is not None


async def test_no_keys_are_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty call costs nothing."""
    lane = record(monkeypatch)
    async with Database(region="eu-west-1") as db:
        assert await db.transact_get() == ()
    assert lane.requests == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            [Key(Order, "a"), Key(User, "x", 1), Key(Order, "a")],
            r"Key\(Order, 'a'\) and Key\(Order, 'a'\), which are one",
        ),
        (
            [Key(Narrow, "a", "b"), Key(Wide, "a", "b")],
            r"Key\(Narrow, 'a', 'b'\) and Key\(Wide, 'a', 'b'\), which are one",
        ),
        (
            [Key(Order, str(n)) for n in range(101)],
            r"of 101 keys: a transaction has at most 100; batch_get\(\) takes more",
        ),
        ([Key(Order, "a"), "b"], r"transact_get\(\) takes Keys, such as Key\(User, 'acme', 'u1'\), got 'b'"),
        ([User, "acme", 1], r"transact_get\(\) takes Keys"),
    ],
)
async def test_what_dynamodb_refuses_is_refused_before(
    keys: list[Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item twice, by whatever model; too many keys; something that is no Key. Nothing is sent."""
    lane = record(monkeypatch)
    async with Database(region="eu-west-1") as db:
        with pytest.raises(UsageError, match=message):
            await db.transact_get(*keys)
        with pytest.raises(InvalidKey, match=r"User\.number"):
            await db.transact_get(Key(User, "acme", "1"))
    assert lane.requests == []


async def test_a_hundred_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB's own limit."""
    lane = record(monkeypatch, answer(*[None] * 100))
    async with Database(region="eu-west-1") as db:
        assert await db.transact_get(*(Key(Order, str(n)) for n in range(100))) == (None,) * 100
    assert len(lane.bodies[0]["TransactItems"]) == 100


@pytest.mark.parametrize(
    "body", [b"{}", b'{"Responses": []}', b'{"Responses": [{}]}', b'{"Responses": [{}, {}, {}]}', b'{"Responses": 3}']
)
async def test_an_answer_of_another_length_is_none(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are told apart by position only, so a missing entry is an error, never a miss."""
    record(monkeypatch, body)
    async with Database(region="eu-west-1") as db:
        with pytest.raises(DecodeError, match="of the answer"):
            await db.transact_get(Key(Order, "a"), Key(Order, "b"))


@pytest.mark.parametrize("item", [None, 3, {"order_id": {"S": "a"}, "total": {"S": "?"}}])
async def test_an_item_that_does_not_fit_is_an_error(item: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``get``."""
    record(monkeypatch, msgspec.json.encode({"Responses": [{"Item": item}]}))
    async with Database(region="eu-west-1") as db:
        with pytest.raises(DecodeError):
            await db.transact_get(Key(Order, "a"))


async def test_a_cancelled_transaction_tells_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the keys."""
    error = TransactionCancelled("cancelled", operation="TransactGetItems", code="TransactionCanceledException")
    error.reasons = ({"Code": "None"}, {"Code": "TransactionConflict"})
    error.retryable = True
    lane = record(monkeypatch, *[error] * 20)
    async with Database(region="eu-west-1", timeouts=Timeouts(call=0.2)) as db:
        with pytest.raises(TransactionCancelled) as caught:
            await db.transact_get(Key(Order, "a"), Key(Order, "b"))
    assert caught.value.reasons[1]["Code"] == "TransactionConflict"
    (failure,) = caught.value.failures
    assert (failure.index, failure.operation, type(failure.error)) == (1, "get of Key(Order, 'b')", TransactionConflict)
    assert 1 <= len(lane.requests) < 20


async def test_the_timeout_is_that_of_the_whole_call() -> None:
    """It reaches the transport as given; without one, the database's own holds."""
    seen: list[float | None] = []

    async def send(request: Request, timeout: float | None, /) -> Response:
        assert request.operation == "TransactGetItems"
        seen.append(timeout)
        return Response(body=answer(None))

    transact_get = TransactGet(send, "", utc_now)
    assert await transact_get(Key(Order, "a"), timeout=2.5) == (None,)
    assert await transact_get(Key(Order, "a")) == (None,)
    assert seen == [2.5, None]


async def test_capacity_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every table that the transaction read."""
    reports = [{"TableName": "orders", "CapacityUnits": 4.0}, {"TableName": "users", "CapacityUnits": 2.0}]
    record(monkeypatch, answer(None, None, ConsumedCapacity=reports))
    async with Database(region="eu-west-1", capacity="total") as db:
        with db.measure() as meter:
            await db.transact_get(Key(Order, "a"), Key(User, "acme", 1))
    assert meter.statistics.requests == {"TransactGetItems": 1}
    assert (meter.statistics.capacity.read, meter.statistics.capacity.write) == (6.0, 0.0)
    assert meter.statistics.capacity.tables == {"orders": 4.0, "users": 2.0}
