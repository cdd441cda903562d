"""Soft delete and restore: the mark, the lifecycle attributes, the version, and what is forgiven."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from dynamorm_async import ConditionFailed, Database, ItemNotFound, Key, UsageError, VersionConflict
from tests.contract.differences import differs
from tests.contract.hiding_models import PREFIX, START, Clock, Note, Paper, Token, clock, hidden
from tests.contract.models import changed, unique
from tests.engines import call

__all__ = ["clock", "hidden"]

pytestmark = pytest.mark.anyio


async def stored(db: Database, paper: Paper) -> Paper | None:
    return await db.get(Paper, paper.shelf, paper.number, consistent=True, hidden=True)


async def new(db: Database, **values: int | str) -> Paper:
    return await db.create(Paper(shelf=unique(), number=1, **values))  # type: ignore[arg-type]  # titles


async def test_a_soft_delete_of_an_instance(hidden: Database, clock: Clock) -> None:
    """The item stays, marked with the time; updated_at and version move, in the table and on the instance."""
    paper = await new(hidden)
    before = changed(paper)
    now = clock.move(hours=1)
    await hidden.delete(paper)
    assert (paper.deleted, paper.made, paper.changed, paper.revision) == (now, START, now, 2)
    assert before.deleted is None
    assert await stored(hidden, paper) == paper == changed(before, deleted=now, changed=now, revision=2)
    assert await hidden.get(Paper, paper.shelf, 1, consistent=True) is None


async def test_a_soft_delete_by_key(hidden: Database, endpoint: str, clock: Clock) -> None:
    """The same without an instance, on any model; the mark is text of fixed width, as created_at is."""
    paper, note = await new(hidden), await hidden.create(Note(note_id=unique()))
    now = clock.move(hours=1)
    await hidden.delete(Key(Paper, paper.shelf, 1))
    await hidden.delete(Key(Note, note.note_id))
    assert await stored(hidden, paper) == changed(paper, deleted=now, changed=now, revision=2)
    key = {"TableName": f"{PREFIX}notes", "Key": {"note_id": {"S": note.note_id}}, "ConsistentRead": True}
    item = call(endpoint, "GetItem", key)[1]["Item"]
    assert item["gone"] == {"S": "2026-01-01T01:00:00.000000Z"}


async def test_an_item_that_is_not_there_is_fine(hidden: Database) -> None:
    """Nothing happens: no error, no answer, and no item that consists of a mark alone."""
    paper, note = Paper(shelf=unique(), number=1, revision=3), Note(note_id=unique())
    for target in (paper, Key(Paper, paper.shelf, 1), note, Key(Note, note.note_id)):
        assert await hidden.delete(target, returns="old") is None
    assert await stored(hidden, paper) is None
    assert await hidden.get(Note, note.note_id, consistent=True, hidden=True) is None
    assert (paper.deleted, paper.revision, note.removed) == (None, 3, None)


async def test_a_second_soft_delete_changes_nothing(hidden: Database, clock: Clock) -> None:
    """The item is soft-deleted already, so its mark and version stay; of an instance with an old version, too."""
    paper, note = await new(hidden), await hidden.create(Note(note_id=unique()))
    stale = changed(paper)
    await hidden.delete(paper)
    await hidden.delete(note)
    before, removed = changed(paper), note.removed
    clock.move(hours=1)
    for target in (stale, paper, Key(Paper, paper.shelf, 1), note, Key(Note, note.note_id)):
        assert await hidden.delete(target, returns="old") is None
    assert await stored(hidden, paper) == before == paper
    assert await hidden.get(Note, note.note_id, consistent=True, hidden=True) == note
    assert (note.removed, stale.deleted, stale.revision) == (removed, None, 1)


async def test_the_callers_condition(hidden: Database, engine: str) -> None:
    """``where`` is not forgiven: where it fails, or there is nothing to delete, the error says which."""
    paper = await new(hidden, title="kept")
    missing = Key(Paper, unique(), 1)
    with pytest.raises(ConditionFailed) as refused:
        await hidden.delete(paper, where=Paper.title == "other")
    with pytest.raises(ConditionFailed):
        await hidden.delete(missing, where=Paper.title.not_exists())
    assert (await stored(hidden, paper), paper.revision) == (paper, 1)
    assert await hidden.get(missing, consistent=True, hidden=True) is None
    await hidden.delete(paper, where=Paper.title == "kept")
    assert paper.deleted is not None
    with pytest.raises(ConditionFailed) as again:
        await hidden.delete(paper, where=Paper.title == "kept")
    for error in (refused.value, again.value):
        assert type(error) is ConditionFailed
    if not differs(engine, "failed-condition-returns-item"):
        assert refused.value.item.deleted is None
        assert "the Paper is soft-deleted already" in str(again.value)
        assert again.value.item == paper


async def test_what_was_deleted_is_returned(hidden: Database) -> None:
    """``returns="old"`` gives the item as it was before it got its mark."""
    paper = await new(hidden)
    before = changed(paper)
    assert await hidden.delete(paper, returns="old") == before
    assert paper.deleted is not None


async def test_an_old_version_is_not_deleted(hidden: Database, engine: str) -> None:
    """A soft delete and a restore of an instance that somebody else overtook change nothing.

    They raise VersionConflict by the item that DynamoDB sends with the refusal. An engine that sends none makes it look
    as if the item were missing.
    """
    paper = await new(hidden)
    stale = changed(paper)
    there = await hidden.update(Key(Paper, paper.shelf, 1), Paper.title.set("theirs"))
    if differs(engine, "failed-condition-returns-item"):
        await hidden.delete(stale)
    else:
        with pytest.raises(VersionConflict) as caught:
            await hidden.delete(stale)
        assert (caught.value.expected, caught.value.found, caught.value.item) == (1, 2, there)
    assert stale == paper
    assert await stored(hidden, paper) == there
    await hidden.delete(there)
    binned = changed(there)
    await hidden.update(Key(Paper, paper.shelf, 1), Paper.title.set("again"))
    with pytest.raises(ItemNotFound if differs(engine, "failed-condition-returns-item") else VersionConflict):
        await hidden.restore(binned)
    assert binned == there


async def test_a_restore(hidden: Database, clock: Clock) -> None:
    """The mark goes, updated_at and version move; the item as it is then comes back, and reads see it."""
    paper, other = await new(hidden), await new(hidden)
    await hidden.delete(paper)
    await hidden.delete(other)
    now = clock.move(hours=1)
    restored = await hidden.restore(paper)
    assert (restored.deleted, restored.made, restored.changed, restored.revision) == (None, START, now, 3)
    assert paper == restored == await hidden.get(Paper, paper.shelf, 1, consistent=True)
    by_key = await hidden.restore(Key(Paper, other.shelf, 1))
    assert by_key == await hidden.get(Paper, other.shelf, 1, consistent=True) == changed(other, **_moved(now, 3))
    note = await hidden.create(Note(note_id=unique(), text="a"))
    await hidden.delete(note)
    note.text = "changed here only"
    assert await hidden.restore(note) == Note(note_id=note.note_id, text="a")
    assert (note.removed, note.text) == (None, "changed here only")


def _moved(now: datetime, revision: int) -> dict[str, object]:
    return {"deleted": None, "changed": now, "revision": revision}


async def test_a_restore_of_what_is_not_deleted(hidden: Database, engine: str) -> None:
    """It comes back unchanged, out of the refusal itself; neither version nor time moves."""
    paper = await new(hidden)
    if differs(engine, "failed-condition-returns-item"):
        with pytest.raises(ItemNotFound):
            await hidden.restore(paper)
        return
    for target in (paper, changed(paper, revision=0), Key(Paper, paper.shelf, 1)):
        assert await hidden.restore(target) == paper
    assert await stored(hidden, paper) == paper
    assert (paper.revision, paper.changed) == (1, START)


async def test_a_restore_of_nothing(hidden: Database) -> None:
    """A missing item is ItemNotFound and stays missing; a model without deleted_at() is refused before any request."""
    with pytest.raises(ItemNotFound, match="there is no Paper with this key"):
        await hidden.restore(Key(Paper, unique(), 1))
    missing = Paper(shelf=unique(), number=1, revision=3)
    with pytest.raises(ItemNotFound, match="there is no Paper with this key"):
        await hidden.restore(missing)
    assert await stored(hidden, missing) is None
    with hidden.measure() as meter, pytest.raises(UsageError, match=r"Token has no deleted_at\(\) attribute"):
        await hidden.restore(Key(Token, "t"))
    assert meter.statistics.requests == {}


async def test_a_hard_delete(hidden: Database) -> None:
    """``hard=True`` really deletes, what is soft-deleted as well; on other models it changes nothing."""
    paper, binned = await new(hidden), await new(hidden)
    await hidden.delete(binned)
    for target in (paper, binned):
        assert await hidden.delete(target, hard=True, returns="old") == target
        assert await stored(hidden, target) is None
    token = await hidden.create(Token(token=unique(), expires=2**40))
    await hidden.delete(token, hard=True)
    assert await hidden.get(Token, token.token, consistent=True) is None


async def test_an_instance_knows_what_was_stored(hidden: Database) -> None:
    """After a soft delete or restore, save() writes what was changed here, and nothing else."""
    paper = await new(hidden, title="first")
    paper.title = "second"
    await hidden.delete(paper)
    there = await stored(hidden, paper)
    assert there is not None
    assert (there.title, there.revision) == ("first", 2)
    await hidden.save(paper)
    there = await stored(hidden, paper)
    assert there is not None
    assert (there.title, there.revision, there.deleted) == ("second", 3, paper.deleted)
    await hidden.restore(paper)
    with hidden.measure() as meter:
        await hidden.save(paper)
    assert meter.statistics.requests == {}, "nothing has changed since"


async def test_two_soft_deletes_at_once(hidden: Database, clock: Clock) -> None:
    """They are all fine with each other; an instance is told of the mark only where it is the one that set it."""
    paper, note = await new(hidden), await hidden.create(Note(note_id=unique()))
    clock.move(hours=1)
    copies = [changed(paper) for _ in range(5)]
    await asyncio.gather(*(hidden.delete(copy) for copy in copies), hidden.delete(Key(Paper, paper.shelf, 1)))
    await asyncio.gather(*(hidden.delete(Key(Note, note.note_id)) for _ in range(5)))
    there = await stored(hidden, paper)
    assert there is not None
    assert there.deleted == clock.now
    assert {(copy.deleted, copy.revision) for copy in copies} <= {(None, 1), (clock.now, 2)}
