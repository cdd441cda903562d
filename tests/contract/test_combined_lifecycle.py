"""One lifecycle, whichever way a write takes: what the table holds and what the instance knows are the same to the byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from dynamorm_async import Database, Key
from dynamorm_async.model.spec import spec_of
from tests.contract.combined_models import LATER, START, Branch, Clock, Detail, Everything, clock, combined, raw
from tests.contract.models import unique

__all__ = ["clock", "combined"]  # fixtures

pytestmark = pytest.mark.anyio

Step: TypeAlias = Callable[[Database, Everything], Awaitable[object]]


def new(org: str, mail: str) -> Everything:
    return Everything(
        org=org,
        number=1,
        email=mail,
        first=mail,
        last="x",
        size=3,
        detail=Detail(count=2),
        tree=Branch("a", [Branch("b")]),
        expires=LATER,
    )


def key_of(item: Everything) -> Key[Everything]:
    return Key(Everything, item.org, item.number)


def stored(endpoint: str, org: str) -> dict[str, Any]:
    """The raw item without what differs from one test to another."""
    item = raw(endpoint, "everything", {"org": {"S": org}, "number": {"N": "1"}})
    return {name: value for name, value in item.items() if name not in ("org", "mail", "first")}


# --- first writes -----------------------------------------------------------------------------------


async def _create_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().create(item)


async def _put_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().put(item)


async def _save_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().save(item)


async def _put_in_batch(db: Database, item: Everything) -> None:
    async with db.batch_write() as batch:
        await batch.put(item)


def _all_of(item: Everything) -> list[Any]:
    return [
        Everything.email.set(item.email),
        Everything.first.set(item.first),
        Everything.last.set(item.last),
        Everything.size.set(item.size),
        Everything.detail.set(item.detail),
        Everything.tree.set(item.tree),
        Everything.expires.set(item.expires),
    ]


async def _upsert(db: Database, item: Everything) -> None:
    await db.update(key_of(item), *_all_of(item), upsert=True)


async def _upsert_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().update(key_of(item), *_all_of(item), upsert=True)


FIRST: dict[str, Step] = {
    "create": lambda db, item: db.create(item),
    "put": lambda db, item: db.put(item),
    "save": lambda db, item: db.save(item),
    "create in a transaction": _create_in_transaction,
    "put in a transaction": _put_in_transaction,
    "save in a transaction": _save_in_transaction,
    "put in a batch": _put_in_batch,
    "put_many": lambda db, item: db.put_many([item]),
    "upsert": _upsert,
    "upsert in a transaction": _upsert_in_transaction,
}


@pytest.mark.parametrize("way", FIRST)
async def test_a_first_write(combined: Database, endpoint: str, way: str) -> None:
    """Both times, version 1 and the time to live; the instance of the write knows all that is in the table."""
    org, mail = unique(), unique()
    item = new(org, mail)
    await FIRST[way](combined, item)
    time = {"S": "2026-01-01T00:00:00.000000Z"}
    assert stored(endpoint, org) == {
        "number": {"N": "1"},
        "last": {"S": "x"},
        "size": {"N": "3"},
        "detail": {"M": {"text": {"S": "text"}, "count": {"N": "2"}}},
        "tree": {
            "M": {
                "name": {"S": "a"},
                "twigs": {"L": [{"M": {"name": {"S": "b"}, "twigs": {"L": []}}}]},
            }
        },
        "made": time,
        "changed": time,
        "expires": {"N": "4102444800"},
        "rev": {"N": "1"},
    }
    read = await combined.get(key_of(item), consistent=True)
    assert read is not None
    if not way.startswith("upsert"):
        assert read == item
        assert spec_of(Everything).codec.stored(item) == spec_of(Everything).codec.stored(read)
    assert await combined.save(read) == read


# --- later writes -----------------------------------------------------------------------------------


async def _update(db: Database, item: Everything) -> None:
    await db.update(key_of(item), Everything.size.set(9), Everything.email.set(item.email))


async def _update_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().update(key_of(item), Everything.size.set(9))


async def _modify(db: Database, item: Everything) -> None:
    def change(found: Everything) -> None:
        found.size = 9

    await db.modify(key_of(item), change)


def _sized(step: Step) -> Step:
    async def sized(db: Database, item: Everything) -> None:
        item.size = 9
        await step(db, item)

    return sized


SECOND: dict[str, Step] = {
    "put": _sized(lambda db, item: db.put(item)),
    "save": _sized(lambda db, item: db.save(item)),
    "put in a transaction": _sized(_put_in_transaction),
    "save in a transaction": _sized(_save_in_transaction),
    "put in a batch": _sized(_put_in_batch),
    "put_many": _sized(lambda db, item: db.put_many([item])),
    "update": _update,
    "update in a transaction": _update_in_transaction,
    "upsert": lambda db, item: db.update(key_of(item), Everything.size.set(9), upsert=True),
    "modify": _modify,
}


@pytest.mark.parametrize("way", SECOND)
async def test_a_later_write(combined: Database, endpoint: str, clock: Clock, way: str) -> None:
    """created_at stays, updated_at and version move; nothing else does but what was changed."""
    org, mail = unique(), unique()
    item = await combined.create(new(org, mail))
    before = stored(endpoint, org)
    clock.move()
    await SECOND[way](combined, item)
    after = {"size": {"N": "9"}, "changed": {"S": "2026-01-01T01:00:00.000000Z"}, "rev": {"N": "2"}}
    assert stored(endpoint, org) == {**before, **after}
    if item.size == 9:
        assert await combined.get(key_of(item), consistent=True) == item


# --- soft delete, and back --------------------------------------------------------------------------


async def _delete_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().delete(item)


async def _delete_in_batch(db: Database, item: Everything) -> None:
    async with db.batch_write() as batch:
        await batch.delete(item)


async def _restore_in_transaction(db: Database, item: Everything) -> None:
    await db.transaction().restore(item)


REMOVED: dict[str, Step] = {
    "delete": lambda db, item: db.delete(item),
    "delete by key": lambda db, item: db.delete(key_of(item)),
    "delete in a transaction": _delete_in_transaction,
    "delete in a batch": _delete_in_batch,
}
RESTORED: dict[str, Step] = {
    "restore": lambda db, item: db.restore(item),
    "restore by key": lambda db, item: db.restore(key_of(item)),
    "restore in a transaction": _restore_in_transaction,
}


@pytest.mark.parametrize(
    ("way", "back"),
    [
        ("delete", "restore in a transaction"),
        ("delete by key", "restore by key"),
        ("delete in a transaction", "restore"),
        ("delete in a batch", "restore"),
    ],
)
async def test_a_soft_delete_and_back(combined: Database, endpoint: str, clock: Clock, way: str, back: str) -> None:
    """The mark comes and goes, updated_at and version move with it, and the instance can be saved at once after each."""
    org = unique()
    item = await combined.create(new(org, unique()))
    before = stored(endpoint, org)
    clock.move()
    await REMOVED[way](combined, item)
    then = {"S": "2026-01-01T01:00:00.000000Z"}
    assert stored(endpoint, org) == {**before, "deleted": then, "changed": then, "rev": {"N": "2"}}
    if way != "delete by key":
        assert (item.deleted, item.changed, item.revision) == (clock.now, clock.now, 2)
    else:
        found = await combined.get(key_of(item), hidden=True, consistent=True)
        assert found is not None
        item = found
    clock.move()
    await RESTORED[back](combined, item)
    assert stored(endpoint, org) == {**before, "changed": {"S": "2026-01-01T02:00:00.000000Z"}, "rev": {"N": "3"}}
    if back != "restore by key":
        item.size = 12
        await combined.save(item)
        assert (item.deleted, item.made, item.revision) == (None, START, 4)
        assert await combined.get(key_of(item), consistent=True) == item
