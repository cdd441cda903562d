"""TransactWriteItems as it is planned: the same writes as elsewhere, in order, within DynamoDB's limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import Attr, Key, UsageError, attr, model, partition_key, unique, updated_at, version
from dynamorm_async.plan.transactions import MAX_ACTIONS, plan_transaction
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WRITES = Writes(prefix="x-", clock=lambda: NOON)


@model(table="orders")
class Order:
    order_id: Attr[str] = partition_key()
    total: Attr[int] = attr(default=0)
    blob: Attr[bytes] = attr(default=b"-")
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model(table="users")
class User:
    user_id: Attr[str] = partition_key()
    email: Attr[str] = attr(default="a")
    one_email = unique("email")


def key(order: str = "o1") -> Key[Order]:
    return Key(Order, order)


def body(*writes: Write) -> dict[str, Any]:
    return plan_transaction(writes, {}, "token").request.body


def test_each_operation_has_its_part() -> None:
    """Put, Update, Delete and ConditionCheck carry what the same call carries alone, in the order given."""
    order = Order(order_id="o1")
    writes = [
        WRITES.create(order),
        WRITES.put(Order(order_id="o2"), where=Order.total > 3),
        WRITES.update(key("o3"), [Order.total.add(1)]),
        WRITES.delete(key("o4")),
        WRITES.check(key("o5"), [Order.total == 1]),
    ]
    items = body(*writes)["TransactItems"]
    assert [next(iter(item)) for item in items] == ["Put", "Put", "Update", "Delete", "ConditionCheck"]
    assert [next(iter(item.values())) for item in items] == [write.request.body for write in writes]
    assert [write.action for write in writes] == ["create", "put", "update", "delete", "check"]


def test_nothing_is_returned() -> None:
    """ReturnValues is no parameter of a transaction's parts; the item of a failed condition is asked for."""
    write = WRITES.update(key(), [Order.total.add(1)], returns="new")
    (item,) = body(write)["TransactItems"]
    assert "ReturnValues" not in item["Update"]
    assert item["Update"]["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert write.request.body["ReturnValues"] == "ALL_NEW"


def test_the_request_is_safe_to_repeat_and_names_its_tables() -> None:
    """Because of its token; for errors it is about all its tables, those of markers included."""
    writes = [WRITES.create(User(user_id="u1")), WRITES.delete(key())]
    request = plan_transaction(writes, {0: None}, "token").request
    assert request.operation == "TransactWriteItems"
    assert request.repeatable
    assert request.body["ClientRequestToken"] == "token"
    assert request.table == "x-orders, x-users, x-users-unique"


def test_markers_follow_the_writes() -> None:
    """Every action knows the operation that it belongs to, in the order of DynamoDB's reasons."""
    writes = [WRITES.create(User(user_id="u1")), WRITES.delete(key()), WRITES.create(User(user_id="u2", email="b"))]
    actions = plan_transaction(writes, {0: None, 2: None}, "token").actions
    assert [(action.index, action.marker is not None) for action in actions] == [
        (0, False),
        (1, False),
        (2, False),
        (0, True),
        (2, True),
    ]


def test_a_hundred_actions_and_no_more() -> None:
    """DynamoDB's limit, told before anything is sent; markers count, and the error says so."""
    deletes = [WRITES.delete(key(f"o{n}")) for n in range(MAX_ACTIONS + 1)]
    assert MAX_ACTIONS == 100
    assert len(body(*deletes[:100])["TransactItems"]) == 100
    with pytest.raises(UsageError, match="has 101 actions; DynamoDB allows 100"):
        body(*deletes)
    creates = [WRITES.create(User(user_id=f"u{n}", email=f"e{n}")) for n in range(51)]
    with pytest.raises(UsageError, match=r"has 102 actions: 51 operations, and the markers .* allows 100"):
        plan_transaction(creates, dict.fromkeys(range(51)), "token")


def test_four_megabytes_and_no_more() -> None:
    """The items of a transaction have at most 4 MB in all; ten of the largest fit."""
    large = [WRITES.create(Order(order_id=f"o{n}", blob=b"x" * 390_000)) for n in range(11)]
    assert len(body(*large[:10])["TransactItems"]) == 10
    with pytest.raises(UsageError, match=r"items have 4,2\d\d,\d\d\d bytes; DynamoDB allows 4,194,304"):
        body(*large)


def test_there_must_be_something_to_check() -> None:
    """A check of a key without conditions, or of an instance without version, would always hold."""
    with pytest.raises(UsageError, match=r"check\(\) of Order without conditions: .*Order.order_id.exists\(\)"):
        WRITES.check(key(), [])
    with pytest.raises(UsageError, match="check"):
        WRITES.check(User(user_id="u1"), [])
    wrong: Any = [True]
    with pytest.raises(UsageError, match="True"):
        WRITES.check(key(), wrong)
    with pytest.raises(UsageError, match="email"):
        WRITES.check(key(), [User.email == "a"])


def test_a_check_of_an_instance_is_under_its_version() -> None:
    """What was read must still be what is there; with conditions besides, where there are any."""
    order = Order(order_id="o1", revision=3)
    check = WRITES.check(order, [Order.total > 1])
    assert check.expected == 3
    assert sorted(value["N"] for value in check.request.body["ExpressionAttributeValues"].values()) == ["1", "3"]
    assert WRITES.check(order, []).request.body["ConditionExpression"] == "#n0 = :v0"
