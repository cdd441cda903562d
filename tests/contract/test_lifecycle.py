"""What the library keeps by itself: created_at, updated_at, version and time to live, on every path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dynamorm_async import NOT_WRITTEN, ConditionFailed, Database, ItemExists, Key, VersionConflict
from tests.contract.differences import differs
from tests.contract.models import Document, changed, connect, put_raw, raw_item, unique
from tests.engines import Lane

pytestmark = pytest.mark.anyio

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(hours=1)


class Clock:
    """A time that moves when the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


async def test_create_and_put_set_everything(store: Database, endpoint: str, lane: Lane) -> None:
    """The first write sets both times and version 1, in the table and on the instance."""
    clock = Clock()
    async with connect(endpoint, lane, clock=clock) as db:
        for write in (db.create, db.put, db.save):
            document = Document(doc_id=unique())
            assert (document.made, document.changed, document.revision) == (NOT_WRITTEN, NOT_WRITTEN, 0)
            await write(document)
            assert (document.made, document.changed, document.revision) == (START, START, 1)
            assert await store.get(Document, document.doc_id, consistent=True) == document


async def test_created_is_kept_and_changed_moves(store: Database, endpoint: str, lane: Lane) -> None:
    """Put, save and update of an item that was read keep created_at, and move updated_at and version (flaw D16)."""
    clock = Clock()
    async with connect(endpoint, lane, clock=clock) as db:
        doc_id = (await db.create(Document(doc_id=unique()))).doc_id
        clock.now = LATER
        document = await db.get(Document, doc_id, consistent=True)
        assert document is not None
        await db.put(document)
        assert (document.made, document.changed, document.revision) == (START, LATER, 2)
        clock.now += timedelta(hours=1)
        document.words = 5
        await db.save(document)
        assert (document.made, document.changed, document.revision) == (START, clock.now, 3)
        clock.now += timedelta(hours=1)
        updated = await db.update(Key(Document, doc_id), Document.words.add(1))
        assert (updated.made, updated.changed, updated.revision, updated.words) == (START, clock.now, 4, 6)
        assert await store.get(Document, doc_id, consistent=True) == updated


async def test_upsert_sets_created_once(endpoint: str, lane: Lane, store: Database) -> None:
    """An upsert sets created_at where it makes the item, and leaves it where there is one (flaw D16)."""
    clock = Clock()
    key = Key(Document, unique())
    async with connect(endpoint, lane, clock=clock) as db:
        made = await db.update(key, Document.words.set(1), upsert=True)
        assert (made.made, made.changed, made.revision) == (START, START, 1)
        clock.now = LATER
        again = await db.update(key, Document.words.set(2), upsert=True)
        assert (again.made, again.changed, again.revision) == (START, LATER, 2)
    assert await store.get(key, consistent=True) == again


async def test_a_created_time_that_was_given_is_kept(store: Database) -> None:
    """An import may bring its own created_at."""
    document = await store.create(Document(doc_id=unique(), made=START))
    assert document.made == START
    assert document.changed > START


async def test_a_save_without_changes_writes_nothing(store: Database) -> None:
    """Neither time nor version moves where nothing else did."""
    document = await store.create(Document(doc_id=unique()))
    before = changed(document)
    await store.save(document)
    assert document == before
    assert await store.get(Document, document.doc_id, consistent=True) == before


async def test_a_stale_version_is_refused(store: Database, engine: str) -> None:
    """Put, save and delete of an instance that somebody else overtook raise VersionConflict with both versions."""
    document = await store.create(Document(doc_id=unique()))
    await store.update(Key(Document, document.doc_id), Document.words.set(9))
    there = await store.get(Document, document.doc_id, consistent=True)
    document.text = "mine"
    for write in (store.put, store.save, store.delete):
        with pytest.raises(VersionConflict) as caught:
            await write(document)
        assert caught.value.expected == 1
        if not differs(engine, "failed-condition-returns-item"):
            assert (caught.value.found, caught.value.item) == (2, there)
            assert "this one has version 1, the table has version 2" in str(caught.value)
    assert document.revision == 1, "a refused write leaves the instance as it was"
    assert await store.get(Document, document.doc_id, consistent=True) == there


async def test_a_new_instance_never_overwrites(store: Database, engine: str) -> None:
    """Put of a new versioned instance over an item is a VersionConflict; create says ItemExists."""
    there = await store.create(Document(doc_id=unique()))
    with pytest.raises(VersionConflict) as conflict:
        await store.put(Document(doc_id=there.doc_id))
    with pytest.raises(ItemExists):
        await store.create(Document(doc_id=there.doc_id))
    assert conflict.value.expected == 0
    if not differs(engine, "failed-condition-returns-item"):
        assert conflict.value.found == 1
    assert await store.get(Document, there.doc_id, consistent=True) == there


async def test_writes_of_an_item_that_is_gone(store: Database) -> None:
    """Save and put of a deleted versioned item are a conflict without a version; delete is fine."""
    document = await store.create(Document(doc_id=unique()))
    await store.delete(Key(Document, document.doc_id))
    document.text = "back"
    for write in (store.put, store.save):
        with pytest.raises(VersionConflict) as caught:
            await write(document)
        assert (caught.value.expected, caught.value.found) == (1, None)
    assert await store.get(Document, document.doc_id, consistent=True) is None
    await store.delete(document)


async def test_the_callers_condition_is_no_version_conflict(store: Database, engine: str) -> None:
    """Where the version is right and only ``where`` fails, the error is ConditionFailed itself."""
    if differs(engine, "failed-condition-returns-item"):
        return
    document = await store.create(Document(doc_id=unique(), words=1))
    new = Document(doc_id=unique())
    for write, item in ((store.put, document), (store.delete, document), (store.put, new), (store.delete, new)):
        with pytest.raises(ConditionFailed) as caught:
            await write(item, where=Document.words == 2)
        assert type(caught.value) is ConditionFailed


async def test_two_writers_one_wins(store: Database) -> None:
    """Of two saves of the same version, one is applied and the other is told."""
    document = await store.create(Document(doc_id=unique()))
    one = await store.get(Document, document.doc_id, consistent=True)
    two = await store.get(Document, document.doc_id, consistent=True)
    assert one is not None
    assert two is not None
    one.text, two.text = "one", "two"
    await store.save(one)
    with pytest.raises(VersionConflict):
        await store.save(two)
    found = await store.get(Document, document.doc_id, consistent=True)
    assert found is not None
    assert (found.text, found.revision) == ("one", 2)


async def test_an_item_without_a_version_is_taken_over(store: Database, endpoint: str) -> None:
    """Items from before the model had a version are read as version 0, and the next write gives them one."""
    for words, save in ((0, False), (1, True)):
        document = Document(doc_id=unique())
        put_raw(endpoint, "documents", {"doc_id": {"S": document.doc_id}, "words": {"N": "7"}})
        old = await store.get(Document, document.doc_id, consistent=True)
        assert old is not None
        assert (old.revision, old.made, old.words) == (0, NOT_WRITTEN, 7)
        old.words = words
        await (store.save(old) if save else store.put(old))
        assert old.revision == 1
        assert await store.get(Document, document.doc_id, consistent=True) == old


async def test_ttl_is_stored_in_seconds(store: Database, endpoint: str) -> None:
    """Time to live is epoch seconds in the table on every path, and a datetime in Python."""
    document = await store.create(Document(doc_id=unique(), expires=START))
    key = {"doc_id": {"S": document.doc_id}}
    assert raw_item(endpoint, "documents", key)["expires"] == {"N": str(int(START.timestamp()))}
    updated = await store.update(
        Key(Document, document.doc_id), Document.expires.set(LATER), where=Document.expires == START
    )
    assert raw_item(endpoint, "documents", key)["expires"] == {"N": str(int(LATER.timestamp()))}
    assert updated.expires == LATER
