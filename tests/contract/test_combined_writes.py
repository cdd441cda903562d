"""What lies between the parts: soft delete, unique values and batches together."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from dynamorm_async import (
    BatchWriteFailed,
    Database,
    ItemExists,
    Key,
    NotUnique,
    TransactionCancelled,
    UsageError,
    VersionConflict,
)
from tests.contract.combined_models import (
    Everything,
    Soft,
    clock,
    combined,
    emails_taken,
)
from tests.contract.models import unique

__all__ = ["clock", "combined"]  # fixtures

pytestmark = pytest.mark.anyio


def key(org: str, number: int = 1) -> Key[Everything]:
    return Key(Everything, org, number)


# --- soft delete and unique values --------------------------------------------------------------------


async def test_a_soft_deleted_item_keeps_its_value(combined: Database, endpoint: str) -> None:
    """Until it is really deleted: nobody else gets it meanwhile, and a restore finds it."""
    org, mail = unique(), unique()
    item = await combined.create(Everything(org=org, number=1, email=mail))
    await combined.delete(item)
    with pytest.raises(NotUnique) as caught:
        await combined.create(Everything(org=org, number=2, email=mail))
    assert caught.value.owner == key(org)
    assert emails_taken(endpoint, org) == {mail: 1}
    assert (await combined.restore(item)).email == mail
    assert emails_taken(endpoint, org) == {mail: 1}
    await combined.delete(item)
    await combined.delete(key(org), hard=True)
    assert emails_taken(endpoint, org) == {}
    await combined.create(Everything(org=org, number=2, email=mail))
    assert emails_taken(endpoint, org) == {mail: 2}


async def test_writes_over_a_soft_deleted_item_move_its_value(combined: Database, endpoint: str) -> None:
    """create is refused and takes nothing; put, save, update and modify change value and marker, and leave the mark."""
    org = unique()
    mails = [unique() for _ in range(5)]
    item = await combined.create(Everything(org=org, number=1, email=mails[0]))
    await combined.delete(item)
    with pytest.raises(ItemExists, match=r"soft-deleted: restore\(\) it, or delete it with hard=True"):
        await combined.create(Everything(org=org, number=1, email=mails[1]))
    assert emails_taken(endpoint, org) == {mails[0]: 1}
    item.email = mails[1]
    await combined.save(item)
    assert emails_taken(endpoint, org) == {mails[1]: 1}
    item.email = mails[2]
    await combined.put(item)
    assert emails_taken(endpoint, org) == {mails[2]: 1}
    new = await combined.update(key(org), Everything.email.set(mails[3]), upsert=True)
    assert emails_taken(endpoint, org) == {mails[3]: 1}

    def change(found: Everything) -> None:
        found.email = mails[4]

    await combined.modify(key(org), change)
    assert emails_taken(endpoint, org) == {mails[4]: 1}
    assert new.deleted == item.deleted is not None
    assert await combined.get(key(org), consistent=True) is None


async def test_a_value_moves_from_a_soft_deleted_item(combined: Database, endpoint: str) -> None:
    """In one transaction with its hard delete; a soft delete in the same place gives nothing up."""
    org, mail = unique(), unique()
    item = await combined.create(Everything(org=org, number=1, email=mail))
    await combined.delete(item)
    with pytest.raises(TransactionCancelled) as caught:
        await combined.transaction().restore(item).create(Everything(org=org, number=2, email=mail))
    assert [(failure.index, type(failure.error)) for failure in caught.value.failures] == [(1, NotUnique)]
    assert item.revision == 2
    await combined.transaction().delete(item, hard=True).create(Everything(org=org, number=2, email=mail))
    assert emails_taken(endpoint, org) == {mail: 2}


@pytest.mark.parametrize("returns", ["new", "none", "old", "updated_old", "updated_new"])
async def test_what_an_update_of_a_unique_model_returns(combined: Database, endpoint: str, returns: Any) -> None:
    """Everything, where no unique attribute is changed; the new item or nothing where one is, and a refusal before I/O."""
    org, mail = unique(), unique()
    before = await combined.create(Everything(org=org, number=1, email=mail))
    update = cast("Callable[..., Awaitable[Any]]", combined.update)  # overloaded by what it returns
    plain = await update(key(org), Everything.size.set(5), returns=returns)
    after: Everything | None = await combined.get(Everything, org, 1, consistent=True)
    assert after is not None
    if returns == "new":
        assert plain == after
    elif returns == "old":
        assert plain == before
    elif returns == "none":
        assert plain is None
    else:
        size = plain[Everything.size]
        assert size == (5 if returns == "updated_new" else 0)
    other = unique()
    change = update(key(org), Everything.email.set(other), returns=returns)
    if returns in ("new", "none"):
        result = await change
        assert emails_taken(endpoint, org) == {other: 1}
        now = await combined.get(Everything, org, 1, consistent=True)
        assert result == (None if returns == "none" else now)
    else:
        with pytest.raises(UsageError, match="returns no attributes"):
            await change
        assert emails_taken(endpoint, org) == {mail: 1}


# --- batches ------------------------------------------------------------------------------------------


async def test_a_batch_of_everything(combined: Database, endpoint: str, engine: str) -> None:
    """Soft deletes that find nothing to do count as written; what is taken or stale fails alone; the rest is done."""
    org = unique()
    mails = [unique() for _ in range(6)]
    items = [Everything(org=org, number=n, email=mails[n]) for n in range(5)]
    report = await combined.put_many(items)
    assert (report.written, report.failed, report.unprocessed) == (5, (), ())
    assert [item.revision for item in items] == [1] * 5
    stale = copy.copy(items[4])
    await combined.update(key(org, 4), Everything.size.add(1))

    async def flush() -> None:
        # moto takes back what others wrote meanwhile when it undoes a transaction.
        async with combined.batch_write(concurrency=1 if engine == "moto" else 4) as batch:
            await batch.delete(items[0])
            await batch.delete(key(org, 0))
            await batch.delete(key(org, 99))
            await batch.delete(items[1], hard=True)
            await batch.put(Everything(org=org, number=7, email=mails[2]))
            await batch.put(Everything(org=org, number=8, email=mails[1]))
            await batch.put(stale)
            await batch.put(Soft(soft_id=org))

    with pytest.raises(BatchWriteFailed) as caught:
        await flush()
    failed = {failure.operation.key: type(failure.error) for failure in caught.value.report.failed}
    # The email of the one that is deleted may or may not be free yet: operations on different items have no order.
    eighth = failed.pop(key(org, 8), None)
    assert eighth in (None, NotUnique)
    assert failed == {key(org, 7): NotUnique, key(org, 4): VersionConflict}
    assert caught.value.report.written == 6 - (eighth is not None)
    assert items[0].revision == 2
    expected = {mails[0]: 0, mails[2]: 2, mails[3]: 3, mails[4]: 4}
    assert emails_taken(endpoint, org) == ({**expected, mails[1]: 8} if eighth is None else expected)
    assert await combined.get(key(org, 99), hidden=True, consistent=True) is None


async def test_one_instance_twice_in_a_batch(combined: Database, endpoint: str) -> None:
    """Put, changed and put again: both are made in order, and what the instance knows is what the table has."""
    org, mails = unique(), [unique(), unique()]
    item = Everything(org=org, number=1, email=mails[0])
    async with combined.batch_write() as batch:
        await batch.put(item)
        item.email = mails[1]
        await batch.put(item)
        await batch.delete(item)
    assert batch.report.written == 3
    assert emails_taken(endpoint, org) == {mails[1]: 1}
    assert item == await combined.get(key(org), hidden=True, consistent=True)
    assert item.revision == 3


async def test_soft_deletes_and_puts_of_one_item_in_a_batch(combined: Database) -> None:
    """In the order in which they were added, though one is a condition and the other is not."""
    one, two, three = (Soft(soft_id=unique()) for _ in range(3))
    await combined.put_many([one, two, three])
    async with combined.batch_write() as batch:
        await batch.delete(Key(Soft, one.soft_id))
        await batch.put(Soft(soft_id=one.soft_id, text="new"))
        await batch.put(Soft(soft_id=two.soft_id, text="new"))
        await batch.delete(Key(Soft, two.soft_id))
        await batch.delete(Key(Soft, three.soft_id))
        await batch.delete(Key(Soft, three.soft_id), hard=True)
    found = await combined.batch_get(*(Key(Soft, item.soft_id) for item in (one, two, three)), consistent=True)
    assert found == [Soft(soft_id=one.soft_id, text="new"), None, None]
    second = await combined.get(Key(Soft, two.soft_id), hidden=True, consistent=True)
    assert second is not None
    assert (second.text, second.deleted is None) == ("new", False)
    assert await combined.get(Key(Soft, three.soft_id), hidden=True, consistent=True) is None


async def test_a_check_of_an_instance_is_under_its_version(combined: Database) -> None:
    """What somebody else wrote since it was read cancels the transaction, with and without other conditions."""
    org = unique()
    item = await combined.create(Everything(org=org, number=1))
    await combined.transaction().check(item).create(Soft(soft_id=f"{org}-1"))
    await combined.update(key(org), Everything.size.add(1))
    for conditions in ([], [Everything.org.exists()]):
        with pytest.raises(TransactionCancelled) as caught:
            await combined.transaction().check(item, *conditions).create(Soft(soft_id=f"{org}-2"))
        (failure,) = caught.value.failures
        assert isinstance(failure.error, VersionConflict)
        assert (failure.index, failure.error.expected, failure.error.found) == (0, 1, 2)
    assert item.revision == 1
    assert await combined.get(Soft, f"{org}-2", consistent=True) is None
