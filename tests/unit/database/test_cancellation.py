"""What DynamoDB's reasons for cancelling a transaction become: one failure for each operation that failed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    ItemCollectionTooLarge,
    ItemExists,
    ItemNotFound,
    Key,
    NotUnique,
    RequestRejected,
    ServiceError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    ValidationFailed,
    VersionConflict,
    attr,
    model,
    partition_key,
    unique,
    version,
)
from dynamorm_async.database.cancellation import cancellation
from dynamorm_async.plan.transactions import plan_transaction
from dynamorm_async.plan.writes import Writes
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

WRITES = Writes(prefix="", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
NONE: Mapping[str, Any] = {"Code": "None"}
FAILED: Mapping[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


@model(table="orders")
class Order:
    order_id: Attr[str] = partition_key()
    total: Attr[int] = attr(default=0)
    revision: Attr[int] = version()


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None)
    one_email = unique("email")
    one_nick = unique("nick")


def error(*reasons: Mapping[str, Any]) -> TransactionCancelled:
    result = TransactionCancelled(
        "Transaction cancelled, please refer cancellation reasons",
        operation="TransactWriteItems",
        table="orders",
        attempts=2,
        code="TransactionCanceledException",
        request_id="r1",
    )
    result.reasons = reasons
    return result


def told(*reasons: Mapping[str, Any], sites: tuple[str, ...] = ()) -> TransactionCancelled:
    """The error of a transaction of five operations, for these reasons."""
    writes = [
        WRITES.create(Order(order_id="o1")),
        WRITES.update(Key(Order, "o2"), [Order.total.add(1)]),
        WRITES.put(Order(order_id="o3", revision=3)),
        WRITES.check(Key(Order, "o4"), [Order.total == 1]),
        WRITES.create(User(user_id="u1", email="a", nick="b")),
    ]
    plan = plan_transaction(writes, {4: None}, "token")
    return cancellation(error(*reasons), writes, plan, sites, busy=())


def order(number: int, **values: str) -> dict[str, Any]:
    return {"order_id": {"S": f"o{number}"}} | {name: {"N": value} for name, value in values.items()}


def test_each_failure_is_the_error_of_its_operation() -> None:
    """By position, "None" passed over; each as the exact kind, with the item that was there decoded."""
    found = told(
        {**FAILED, "Item": order(1, revision="1")},
        FAILED,
        {**FAILED, "Item": order(3, revision="5")},
        {**FAILED, "Item": order(4, total="2")},
        NONE,
        NONE,
        NONE,
    )
    assert [failure.index for failure in found.failures] == [0, 1, 2, 3]
    errors = [failure.error for failure in found.failures]
    assert [type(one) for one in errors] == [ItemExists, ItemNotFound, VersionConflict, ConditionFailed]
    exists, missing, conflict, condition = errors
    assert isinstance(exists, ItemExists)
    assert exists.item == Order(order_id="o1", revision=1)
    assert isinstance(missing, ItemNotFound)
    assert missing.item is None
    assert isinstance(conflict, VersionConflict)
    assert (conflict.expected, conflict.found) == (3, 5)
    assert isinstance(condition, ConditionFailed)
    assert condition.item == Order(order_id="o4", total=2)
    assert {(one.table, one.request_id, one.attempts) for one in errors} == {("orders", "r1", 2)}
    assert [one.operation for one in errors] == ["PutItem", "UpdateItem", "PutItem", "ConditionCheck"]


def test_the_message_says_which_and_why() -> None:
    """How many operations, that nothing was written, and for each that failed its number, item, line and reason."""
    found = told(NONE, FAILED, sites=tuple(f"shop.py:{n}" for n in range(1, 6)))
    assert str(found).startswith(
        "TransactWriteItems on table orders: the transaction of 5 operations was cancelled, nothing was written:\n"
        "  operation 2, update of Order(order_id='o2') at shop.py:2: there is no Order with this key"
    )
    assert "[TransactionCanceledException] (request id r1)" in str(found)
    (failure,) = found.failures
    assert (failure.index, failure.operation) == (1, "update of Order(order_id='o2') at shop.py:2")
    assert repr(failure).startswith(
        "TransactionFailure(1, \"update of Order(order_id='o2') at shop.py:2\", ItemNotFound("
    )


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("TransactionConflict", TransactionConflict, True),
        ("ThrottlingError", Throttled, True),
        ("ProvisionedThroughputExceeded", Throttled, True),
        ("ItemCollectionSizeLimitExceeded", ItemCollectionTooLarge, False),
        ("ValidationError", ValidationFailed, False),
        ("SomethingNew", RequestRejected, False),
    ],
)
def test_reasons_of_other_codes(code: str, kind: type[ServiceError], retryable: bool) -> None:  # noqa: FBT001 - a case
    """Each is the error that it would be alone, with DynamoDB's own words, and says whether it may pass."""
    found = told(NONE, {"Code": code, "Message": "in DynamoDB's words"}, NONE)
    (failure,) = found.failures
    assert type(failure.error) is kind
    assert (failure.error.code, failure.error.retryable) == (code, retryable)
    assert str(failure).endswith("Order(order_id='o2'): in DynamoDB's words")


def test_mixed_reasons() -> None:
    """A conflict and a failed condition are both there."""
    found = told({"Code": "TransactionConflict"}, NONE, NONE, FAILED)
    assert [type(failure.error) for failure in found.failures] == [TransactionConflict, ConditionFailed]
    assert "DynamoDB gave no reason" in str(found.failures[0])


def test_a_markers_reason_is_that_of_its_operation() -> None:
    """The actions behind the operations are markers; the first that failed speaks for the operation."""
    nick = {"value": {"S": "x"}, "owner": {"M": {"user_id": {"S": "u7"}}}}
    found = told(NONE, NONE, NONE, NONE, NONE, NONE, {**FAILED, "Item": nick})
    (failure,) = found.failures
    assert isinstance(failure.error, NotUnique)
    assert (failure.index, failure.error.attributes, failure.error.owner) == (4, ("nick",), Key(User, "u7"))
    both = told(NONE, NONE, NONE, NONE, NONE, FAILED, FAILED).failures
    assert [(one.index, type(one.error)) for one in both] == [(4, NotUnique)]


NO_REASONS: list[tuple[Mapping[str, Any], ...]] = [
    (),
    (NONE,) * 7,
    ({},) * 7,
    ({"Code": None},) * 7,
    (*(NONE,) * 7, FAILED),
]


@pytest.mark.parametrize("reasons", NO_REASONS, ids=str)
def test_without_reasons_the_error_stays(reasons: tuple[Mapping[str, Any], ...]) -> None:
    """An answer without reasons, with empty ones, or with more than there are operations, keeps DynamoDB's message."""
    found = told(*reasons)
    assert found.failures == ()
    assert found.message == "Transaction cancelled, please refer cancellation reasons"


def test_an_item_that_does_not_fit_is_there_raw() -> None:
    """What matters is the refusal."""
    raw = {"order_id": {"S": "o1"}, "total": {"S": "many"}}
    (failure,) = told({**FAILED, "Item": raw}).failures
    assert isinstance(failure.error, ItemExists)
    assert (failure.error.item, failure.error.raw_item) == (None, raw)


def test_it_can_be_pickled_and_copied() -> None:
    """With all its failures, as every error."""
    marker = {"owner": {"M": {"user_id": {"S": "u7"}}}}
    found = told({**FAILED, "Item": order(1)}, NONE, NONE, NONE, NONE, {**FAILED, "Item": marker})
    for same in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301 - our own bytes
        assert str(same) == str(found)
        assert [type(failure.error) for failure in same.failures] == [ItemExists, NotUnique]
        exists, taken = (failure.error for failure in same.failures)
        assert isinstance(exists, ItemExists)
        assert exists.item == Order(order_id="o1")
        assert isinstance(taken, NotUnique)
        assert taken.owner == Key(User, "u7")


async def test_the_callers_lines_are_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line on which an operation was written, in a block as in a chain."""
    record(monkeypatch, error(NONE, FAILED))
    async with Database() as db:
        with pytest.raises(TransactionCancelled) as caught:  # noqa: PT012 - the block's end raises
            async with db.transaction() as tx:
                tx.delete(Key(Order, "o1"))
                tx.update(Key(Order, "o2"), Order.total.add(1))
    line = test_the_callers_lines_are_in_the_error.__code__.co_firstlineno + 7
    (failure,) = caught.value.failures
    assert failure.operation == f"update of Order(order_id='o2') at test_cancellation.py:{line}"
    assert caught.value.__cause__ is None
