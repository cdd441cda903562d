"""Soft delete and restore are the same in a transaction, but for what only a call of its own can forgive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dynamorm_async import ConditionFailed, Database, ItemNotFound, Key, Transaction, TransactionCancelled
from tests.contract.hiding_models import Clock, Paper, clock, hidden
from tests.contract.models import changed, unique

__all__ = ["clock", "hidden"]

pytestmark = pytest.mark.anyio


async def new(db: Database) -> Paper:
    return await db.create(Paper(shelf=unique(), number=1))


async def stored(db: Database, paper: Paper) -> Paper | None:
    found = await db.batch_get(Key(Paper, paper.shelf, paper.number), consistent=True).with_hidden()
    return found[0]


async def test_soft_delete_and_restore(hidden: Database, clock: Clock) -> None:
    """The mark, updated_at and the version move as in calls of their own, in the table and on the instances."""
    one, two = await new(hidden), await new(hidden)
    before = changed(one)
    later = clock.move(hours=1)
    async with hidden.transaction() as tx:
        tx.delete(one)
        tx.delete(Key(Paper, two.shelf, 1))
    assert await stored(hidden, one) == one == changed(before, deleted=later, changed=later, revision=2)
    assert await hidden.batch_get(Key(Paper, one.shelf, 1), Key(Paper, two.shelf, 1), consistent=True) == [None, None]
    assert await hidden.transact_get(Key(Paper, one.shelf, 1), Key(Paper, two.shelf, 1)) == (None, None)
    assert await hidden.transact_get(Key(Paper, one.shelf, 1), hidden=True) == (one,)
    again = clock.move(hours=1)
    await hidden.transaction().restore(one).restore(Key(Paper, two.shelf, 1))
    assert await stored(hidden, one) == one == changed(before, changed=again, revision=3)
    assert await hidden.get(Paper, two.shelf, 1, consistent=True) is not None


async def test_a_hard_delete(hidden: Database) -> None:
    """It leaves nothing to restore."""
    paper = await new(hidden)
    await hidden.transaction().delete(paper, hard=True)
    assert await stored(hidden, paper) is None


async def test_nothing_to_do_cancels_the_transaction(hidden: Database) -> None:
    """An item that is missing, soft-deleted already, or not soft-deleted: named, and nothing else is written."""
    gone, live, bystander = await new(hidden), await new(hidden), Paper(shelf=unique(), number=1)
    await hidden.delete(gone)
    refused: list[tuple[Callable[[Transaction], object], type[Exception], str]] = [
        (lambda tx: tx.delete(Key(Paper, unique(), 1)), ConditionFailed, "condition did not hold"),
        (lambda tx: tx.delete(Key(Paper, gone.shelf, 1)), ConditionFailed, "soft-deleted already"),
        (lambda tx: tx.restore(Key(Paper, live.shelf, 1)), ConditionFailed, "is not soft-deleted"),
        (lambda tx: tx.restore(Key(Paper, unique(), 1)), ItemNotFound, "there is no Paper"),
    ]
    for add, kind, text in refused:
        tx = hidden.transaction().create(bystander)
        add(tx)
        with pytest.raises(TransactionCancelled) as caught:
            await tx
        (failure,) = caught.value.failures
        assert (failure.index, type(failure.error)) == (1, kind)
        assert text in str(failure)
    assert await stored(hidden, bystander) is None


async def test_a_projection_of_a_hidden_item(hidden: Database) -> None:
    """What tells whether an item is left out is read beside what was selected."""
    gone, live = await new(hidden), await new(hidden)
    await hidden.delete(gone)
    keys = [Key(Paper, gone.shelf, 1), Key(Paper, live.shelf, 1)]
    assert await hidden.batch_get(*keys, consistent=True).select(Paper.title) == [None, ("untitled",)]
    assert [key async for key, item in hidden.batch_get(*keys, consistent=True) if item is None] == keys[:1]
    both = hidden.batch_get(*keys, consistent=True).with_hidden().select(Paper.title)
    assert await both == [("untitled",), ("untitled",)]
