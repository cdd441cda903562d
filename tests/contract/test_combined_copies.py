"""What instances and their copies know after each kind of write, and what they save then."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs
import pytest

from dynamorm_async import (
    Database,
    ItemExists,
    Key,
    VersionConflict,
)
from tests.contract.combined_models import (
    Everything,
    Soft,
    clock,
    combined,
    emails_taken,
    put_raw,
    raw,
)
from tests.contract.models import unique

__all__ = ["clock", "combined"]  # fixtures

pytestmark = pytest.mark.anyio


def key(org: str, number: int = 1) -> Key[Everything]:
    return Key(Everything, org, number)


Way: TypeAlias = Callable[[Database, Soft], Awaitable[object]]


async def _in_batch(db: Database, item: Soft) -> None:
    async with db.batch_write() as batch:
        await batch.put(item)


async def _in_transaction(db: Database, item: Soft) -> None:
    async with db.transaction() as tx:
        tx.put(item)


async def _deleted(db: Database, item: Soft) -> None:
    await db.put(item)
    await db.delete(item)


async def _restored(db: Database, item: Soft) -> None:
    await _deleted(db, item)
    await db.restore(item)


WAYS: dict[str, Way] = {
    "create": lambda db, item: db.create(item),
    "put": lambda db, item: db.put(item),
    "batch": _in_batch,
    "transaction": _in_transaction,
    "put_many": lambda db, item: db.put_many([item]),
    "soft delete": _deleted,
    "restore": _restored,
}
COPIES: dict[str, Callable[[Soft], Soft]] = {
    "itself": lambda item: item,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda item: pickle.loads(pickle.dumps(item)),  # noqa: S301 - our own bytes
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_copy_saves_what_changed(combined: Database, endpoint: str, way: str) -> None:
    """After each kind of write, an instance and every copy of it knows what is stored, and saves nothing else."""
    for made in COPIES.values():
        item = Soft(soft_id=unique())
        await WAYS[way](combined, item)
        other = made(item)
        assert other == item
        await combined.update(Key(Soft, item.soft_id), Soft.count.set(7))
        other.text = "changed"
        await combined.save(other)
        found = raw(endpoint, "softies", {"soft_id": {"S": item.soft_id}})
        assert (found["text"], found["count"]) == ({"S": "changed"}, {"N": "7"})
        assert ("deleted" in found) is (way == "soft delete")


async def test_a_default_that_is_not_in_the_table(combined: Database, endpoint: str) -> None:
    """After each write that does not store it, a change inside of it is saved with the whole of it."""
    org = unique()
    time = {"S": "2026-01-01T00:00:00.000000Z"}
    place: dict[str, Any] = {"org": {"S": org}, "number": {"N": "1"}}

    async def deleted(item: Everything) -> None:
        await combined.delete(item)

    async def restored(item: Everything) -> None:
        await combined.delete(item)
        await combined.restore(item)

    async def restored_in_transaction(item: Everything) -> None:
        await combined.transaction().delete(item)
        await combined.transaction().restore(item)

    async def saved(item: Everything) -> None:
        item.size = 4
        await combined.save(item)

    for write in (deleted, restored, restored_in_transaction, saved):
        put_raw(endpoint, {**place, "made": time, "changed": time, "rev": {"N": "1"}})
        item = await combined.get(key(org), consistent=True)
        assert item is not None
        await write(item)
        item.detail.count = 5
        await combined.save(item)
        found = raw(endpoint, "everything", place)
        assert found["detail"] == {"M": {"text": {"S": "text"}, "count": {"N": "5"}}}


async def test_an_evolved_instance_is_new(combined: Database, endpoint: str) -> None:
    """save creates it, so that it is refused where the key is taken; put is under the version that it has."""
    org, mail, other = unique(), unique(), unique()
    item = await combined.create(Everything(org=org, number=1, email=mail))
    evolved = attrs.evolve(item, email=other)  # type: ignore[misc]  # mypy knows only classes of attrs' own decorators
    with pytest.raises(ItemExists):
        await combined.save(evolved)
    assert (evolved.revision, emails_taken(endpoint, org)) == (1, {mail: 1})
    await combined.put(evolved)
    assert (evolved.revision, emails_taken(endpoint, org)) == (2, {other: 1})
    with pytest.raises(VersionConflict):
        await combined.put(attrs.evolve(item, email=mail))  # type: ignore[misc]  # as above
    assert emails_taken(endpoint, org) == {other: 1}
