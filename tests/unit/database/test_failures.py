"""What a failed condition is told as, by the write that was made and the item that was there."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    ConditionFailed,
    Database,
    ItemExists,
    ItemNotFound,
    Key,
    Table,
    VersionConflict,
    attr,
    embedded,
    model,
    partition_key,
    version,
)
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)


@model(table="kept")
class Kept:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    revision: Attr[int] = version()


@embedded
class Part:
    sizes: Attr[dict[str, int]] = attr(factory=dict)


@model(table="mapped")
class Mapped:
    pk: Attr[str] = partition_key()
    notes: Attr[dict[str, str]] = attr(factory=dict)
    part: Attr[Part] = attr(factory=Part)


def there(revision: int | None = None, **more: Any) -> dict[str, Any]:
    own = {} if revision is None else {"revision": {"N": str(revision)}}
    return {"pk": {"S": "a"}, **own, **more}


OLD, NEW = Kept(pk="a", revision=2), Kept(pk="a")
WHERE, PLAIN_WHERE = Kept.count == 1, Plain.count == 1
Write = Callable[[Database], Awaitable[object]]
CASES: dict[str, tuple[Write, dict[str, Any] | None, type[ConditionFailed]]] = {
    "create": (lambda db: db.create(Plain(pk="a")), there(), ItemExists),
    "create without the item": (lambda db: db.create(Plain(pk="a")), None, ItemExists),
    "update, no item": (lambda db: db.update(Key(Plain, "a"), Plain.count.set(1)), None, ItemNotFound),
    "update, where": (
        lambda db: db.update(Key(Plain, "a"), Plain.count.set(1), where=PLAIN_WHERE),
        there(),
        ConditionFailed,
    ),
    "upsert, where": (
        lambda db: db.update(Key(Plain, "a"), Plain.count.set(1), where=PLAIN_WHERE, upsert=True),
        None,
        ConditionFailed,
    ),
    "put, where": (lambda db: db.put(Plain(pk="a"), where=PLAIN_WHERE), None, ConditionFailed),
    "delete, where": (lambda db: db.delete(Plain(pk="a"), where=PLAIN_WHERE), None, ConditionFailed),
    "put, other version": (lambda db: db.put(OLD), there(3), VersionConflict),
    "put, other version and where": (lambda db: db.put(OLD, where=WHERE), there(3), VersionConflict),
    "put, same version": (lambda db: db.put(OLD, where=WHERE), there(2), ConditionFailed),
    "put, gone": (lambda db: db.put(OLD, where=WHERE), None, VersionConflict),
    "put, no version there": (lambda db: db.put(OLD), there(), VersionConflict),
    "put new, taken": (lambda db: db.put(NEW, where=WHERE), there(1), VersionConflict),
    "put new, no version there": (lambda db: db.put(NEW, where=WHERE), there(), ConditionFailed),
    "put new, where on nothing": (lambda db: db.put(NEW, where=WHERE), None, ConditionFailed),
    "put new, item not returned": (lambda db: db.put(NEW), None, VersionConflict),
    "delete, other version": (lambda db: db.delete(OLD, where=WHERE), there(3), VersionConflict),
    "delete, where on nothing": (lambda db: db.delete(OLD, where=WHERE), None, ConditionFailed),
    "delete, item not returned": (lambda db: db.delete(OLD), None, VersionConflict),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_failed_condition_is_told_exactly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The kind says which condition failed; item and versions are those that were there."""
    write, raw, kind = CASES[name]
    failed = ConditionFailed("no", operation="PutItem", table="t", code="Code", request_id="r1")
    failed.raw_item = raw
    record(monkeypatch, failed)
    async with Database() as db:
        with pytest.raises(ConditionFailed) as caught:
            await write(db)
    error = caught.value
    assert type(error) is kind
    assert (error.raw_item, error.code, error.request_id) == (raw, "Code", "r1")
    assert (error.item is None) == (raw is None)
    assert (OLD.revision, NEW.revision) == (2, 0)
    if isinstance(error, VersionConflict) and raw is not None:
        assert error.found == int(raw.get("revision", {"N": "0"})["N"])


async def test_an_item_that_does_not_fit_hides_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the item that was there does not fit the model, the refusal is raised all the same, with the raw item."""
    failed = ConditionFailed("no", operation="PutItem", table="t")
    failed.raw_item = there(count={"S": "many"})
    record(monkeypatch, failed)
    async with Database() as db:
        with pytest.raises(ItemExists) as caught:
            await db.create(Plain(pk="a"))
    assert caught.value.item is None
    assert caught.value.raw_item == failed.raw_item


@pytest.mark.parametrize(
    ("inside", "paths"),
    [
        ({}, "notes, part.sizes"),
        ({"notes": {"S": "no map"}, "part": {"M": {}}}, "notes, part.sizes"),
        ({"notes": {"M": {}}}, "part.sizes"),
    ],
)
async def test_a_map_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, inside: dict[str, Any], paths: str) -> None:
    """A save inside of maps that somebody took away says which, and that the item is to be read again."""
    stored: dict[str, Any] = {"notes": {"M": {"k": {"S": "v"}}}, "part": {"M": {"sizes": {"M": {"s": {"N": "1"}}}}}}
    failed = ConditionFailed("no", operation="UpdateItem", table="t")
    failed.raw_item = there(**inside)
    lane = record(monkeypatch, json.dumps({"Item": there(**stored)}).encode(), failed)
    async with Database() as db:
        item = await db.get(Mapped, "a")
        assert item is not None
        item.notes["k"], item.part.sizes["s"] = "w", 2
        with pytest.raises(ConditionFailed) as caught:
            await db.save(item)
    assert len(lane.requests) == 2
    assert type(caught.value) is ConditionFailed
    assert f"no longer in the Mapped ({paths})" in str(caught.value)
    assert "Read the item again" in str(caught.value)


bank = Table("bank", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk")])


@model(bank, type="payment", pk="PAYMENT#{number}", gsi1="STATE#{state}")
class Payment:
    number: Attr[str] = attr()
    state: Attr[str] = attr(default="open")


@model(type="card")
class Card(Payment):
    last4: Attr[str] = attr(default="")


async def test_an_update_of_an_item_of_another_type_says_of_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the error has the item, as the model that it is of."""
    item = {"pk": {"S": "PAYMENT#1"}, "number": {"S": "1"}, "_type": {"S": "payment"}}
    failed = ConditionFailed("no", operation="UpdateItem", table="t")
    failed.raw_item = item
    record(monkeypatch, failed)
    async with Database(region="eu-west-1") as db:
        with pytest.raises(ConditionFailed, match=r"is no Card: it is of type 'payment', by its _type") as caught:
            await db.update(Key(Card, "1"), Card.last4.set("1"))
    assert caught.value.item == Payment(number="1")


async def test_an_upsert_of_an_item_without_its_keys_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """First values are not what the item may have, so its keys are made by a save."""
    item = {"pk": {"S": "PAYMENT#1"}, "number": {"S": "1"}, "state": {"S": "paid"}, "_type": {"S": "card"}}
    failed = ConditionFailed("no", operation="UpdateItem", table="t")
    failed.raw_item = item
    record(monkeypatch, failed)
    async with Database(region="eu-west-1") as db:
        with pytest.raises(ConditionFailed, match=r"first values of state: .*get\(\) it and save\(\) it"):
            await db.update(Key(Card, "1"), Card.state.set_default("new"), upsert=True)
