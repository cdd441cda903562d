"""Requests on one item, as they are sent: what each holds, under which condition, and whether it may be repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import Attr, attr, created_at, model, partition_key, updated_at, version
from dynamorm_async.codec.stored import Stored
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.deleting import delete_item
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.putting import create_item, put_item
from dynamorm_async.plan.saving import save_item
from dynamorm_async.plan.updating import update_item

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
STAMP = {"S": "2026-01-02T03:04:05.000006Z"}


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    note: Attr[str | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    log: Attr[list[str]] = attr(factory=list)


@model(table="kept")
class Kept:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at(name="touched")
    revision: Attr[int] = version()


PLAIN, KEPT = spec_of(Plain), spec_of(Kept)
KEY: dict[str, Any] = {"pk": {"S": "a"}}


def shown(body: dict[str, Any], parameter: str) -> str:
    """An expression with its names and values put in."""
    text: str = body.get(parameter, "")
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        text = text.replace(alias, name)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = text.replace(alias, str(next(iter(value.values()))))
    return text


def test_get_asks_for_consistency_only_where_wanted() -> None:
    """A plain read has the table and the key alone."""
    assert get_item("t", KEY, consistent=False).body == {"TableName": "t", "Key": KEY}
    assert get_item("t", KEY, consistent=True).body == {"TableName": "t", "Key": KEY, "ConsistentRead": True}


def test_a_plain_put_is_unconditional_and_repeatable() -> None:
    """Nothing but table and item is sent, and sending it twice is harmless."""
    write = put_item(PLAIN, "t", Plain(pk="a", count=3), NOW, where=None, returns="none")
    item: dict[str, Any] = {"pk": {"S": "a"}, "count": {"N": "3"}, "log": {"L": []}}
    assert write.request.body == {"TableName": "t", "Item": item}
    assert write.request.repeatable


def test_create_insists_on_a_free_key() -> None:
    """The condition asks for the item that is there, and the request is not repeatable."""
    write = create_item(PLAIN, "t", Plain(pk="a"), NOW)
    assert shown(write.request.body, "ConditionExpression") == "attribute_not_exists(pk)"
    assert write.request.body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert not write.request.repeatable
    assert write.must_not_exist


@pytest.mark.parametrize("revision", [0, 4])
def test_lifecycle_of_whole_items(revision: int) -> None:
    """Put and create move version and time in the item and in what the instance will get; the version guards put."""
    instance = Kept(pk="a", made=NOW, revision=revision)
    put = put_item(KEPT, "t", instance, NOW, where=Kept.count < 3, returns="none")
    assert put.item is not None
    assert (put.item["revision"], put.item["touched"], put.item["made"]) == ({"N": str(revision + 1)}, STAMP, STAMP)
    assert put.changes == {"changed": NOW, "revision": revision + 1}
    guard = f"revision = {revision}" if revision else "attribute_not_exists(revision)"
    assert shown(put.request.body, "ConditionExpression") == f"{guard} AND count < 3"
    assert (put.expected, instance.revision) == (revision, revision)
    assert create_item(KEPT, "t", instance, NOW).item == put.item


def test_created_at_is_set_once() -> None:
    """A new instance gets it; one that has it keeps it (flaw D16)."""
    fresh = put_item(KEPT, "t", Kept(pk="a"), NOW, where=None, returns="none")
    assert fresh.changes["made"] == NOW
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    read = put_item(KEPT, "t", Kept(pk="a", made=earlier), NOW, where=None, returns="none")
    assert read.item is not None
    assert read.item["made"] == {"S": "2020-01-01T00:00:00.000000Z"}
    assert "made" not in read.changes


def test_lifecycle_of_updates() -> None:
    """An update moves version and time once, and sets created_at only where an upsert makes the item."""
    plain = update_item(KEPT, "t", KEY, [Kept.count.add(2)], NOW, where=None, upsert=False, returns="new")
    body = plain.request.body
    assert shown(body, "UpdateExpression") == f"ADD count 2, revision 1 SET touched = {STAMP['S']}"
    assert shown(body, "ConditionExpression") == "attribute_exists(pk)"
    assert body["ReturnValues"] == "ALL_NEW"
    upsert = update_item(KEPT, "t", KEY, [Kept.count.set(2)], NOW, where=None, upsert=True, returns="none")
    text = shown(upsert.request.body, "UpdateExpression")
    assert f"made = if_not_exists(made, {STAMP['S']})" in text
    assert "ConditionExpression" not in upsert.request.body
    assert "ReturnValues" not in upsert.request.body


def test_a_time_that_is_set_by_hand_is_set_once() -> None:
    """An update that sets updated_at itself does not touch it twice, which DynamoDB would refuse."""
    change = Kept.changed.set(datetime(2020, 1, 1, tzinfo=UTC))
    body = update_item(KEPT, "t", KEY, [change], NOW, where=None, upsert=False, returns="new").request.body
    assert shown(body, "UpdateExpression") == "SET touched = 2020-01-01T00:00:00.000000Z ADD revision 1"


def test_what_may_be_repeated() -> None:
    """Only what leaves the same when applied twice is sent again after a lost answer."""

    def repeatable(*changes: Any, **more: Any) -> bool:
        options: dict[str, Any] = {"where": None, "upsert": False, "returns": "new", **more}
        return update_item(PLAIN, "t", KEY, changes, NOW, **options).request.repeatable

    assert repeatable(Plain.count.set(3), Plain.note.remove(), Plain.tags.add({"x"}))
    assert repeatable(Plain.tags.discard({"y"}))
    assert repeatable(Plain.count.set_default(1), upsert=True)
    assert not repeatable(Plain.count.set(3), returns="old")
    assert not repeatable(Plain.count.set(3), where=Plain.count == 1)
    assert not repeatable(Plain.count.add(1))
    assert not repeatable(Plain.log.append(["x"]))
    assert not repeatable(Plain.log.prepend(["x"]))
    assert not repeatable(Plain.note.set("x"), Plain.count.add(1))
    versioned = update_item(KEPT, "t", KEY, [Kept.count.set(1)], NOW, where=None, upsert=False, returns="new")
    assert not versioned.request.repeatable, "the version would count twice"


def test_deletes() -> None:
    """By key unconditional; of a versioned instance under its version, or where the item is gone already."""
    by_key = delete_item(KEPT, "t", KEY, where=None, returns="none")
    assert by_key.request.body == {"TableName": "t", "Key": KEY}
    assert by_key.request.repeatable
    assert not delete_item(KEPT, "t", KEY, where=None, returns="old").request.repeatable
    instance = Kept(pk="a", revision=2)
    guarded = delete_item(KEPT, "t", KEY, where=Kept.count > 1, returns="none", instance=instance)
    expected = "(attribute_not_exists(pk) OR revision = 2) AND count > 1"
    assert shown(guarded.request.body, "ConditionExpression") == expected


def test_save_writes_what_differs() -> None:
    """Changed attributes are set, those that became None or empty removed, equal ones left alone."""
    instance = Plain(pk="a", count=2, note=None, tags=set(), log=["x"])
    stored: dict[str, Any] = {"pk": {"S": "a"}, "count": {"N": "2.0"}, "note": {"S": "n"}, "tags": {"SS": ["t"]}}
    write = save_item(PLAIN, "t", instance, Stored(stored, stored), NOW)
    assert write is not None
    assert shown(write.request.body, "UpdateExpression") == "REMOVE note, tags SET log = [{'S': 'x'}]"
    assert shown(write.request.body, "ConditionExpression") == "attribute_exists(pk)"
    assert write.request.repeatable, "it sets the same values again"
    assert write.must_exist


def test_save_of_nothing_is_nothing() -> None:
    """Without a difference there is no request, whatever the lifecycle attributes say."""
    instance = Kept(pk="a", made=NOW, changed=NOW, revision=2)
    stored = KEPT.codec.encode(instance)
    assert save_item(KEPT, "t", instance, Stored(stored, stored), datetime.now(UTC)) is None


def test_save_under_a_version() -> None:
    """The version that was read guards the write and moves by one."""
    instance = Kept(pk="a", count=1, made=NOW, changed=NOW, revision=2)
    stored = KEPT.codec.encode(instance)
    instance.count = 5
    write = save_item(KEPT, "t", instance, Stored(stored, stored), NOW)
    assert write is not None
    assert shown(write.request.body, "UpdateExpression") == f"SET count = 5, revision = 3, touched = {STAMP['S']}"
    assert shown(write.request.body, "ConditionExpression") == "attribute_exists(pk) AND revision = 2"
    assert write.changes == {"changed": NOW, "revision": 3}
    assert not write.request.repeatable, "its own write would look like somebody else's"
    assert instance.revision == 2, "the instance moves after success"
