"""What a failed condition is told as, by the write that was made and the item that was there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    ItemExists,
    ItemNotFound,
    Key,
    VersionConflict,
    attr,
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
