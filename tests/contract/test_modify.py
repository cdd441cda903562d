"""``modify``: read, change, write under the version, again on a conflict."""

from __future__ import annotations

import anyio.lowlevel
import pytest

from dynamorm_async import Database, ItemNotFound, Key, UsageError, VersionConflict
from tests.contract.models import Account, Document, unique

pytestmark = pytest.mark.anyio


async def test_an_item_is_changed(store: Database) -> None:
    """By a function and by an async one; the item that comes back is the one in the table."""
    document = await store.create(Document(doc_id=unique(), words=1))
    key = Key(Document, document.doc_id)

    def add(item: Document) -> None:
        item.words += 1

    async def double(item: Document) -> None:
        await anyio.lowlevel.checkpoint()
        item.words *= 2

    assert (await store.modify(key, add)).words == 2
    changed = await store.modify(key, double, timeout=20.0)
    assert (changed.words, changed.revision) == (4, 3)
    assert changed.changed > document.changed
    assert await store.get(key, consistent=True) == changed


async def test_somebody_elses_write_is_kept(store: Database) -> None:
    """A write between the read and the save makes it read again; both changes are in the table."""
    document = await store.create(Document(doc_id=unique(), words=1))
    key = Key(Document, document.doc_id)
    calls: list[int] = []

    async def change(item: Document) -> None:
        calls.append(item.words)
        if len(calls) < 3:
            await store.update(key, Document.words.add(10), returns="none")
        item.words += 1
        item.text = "mine"

    changed = await store.modify(key, change)
    assert calls == [1, 11, 21]
    assert (changed.words, changed.text, changed.revision) == (22, "mine", 4)
    assert await store.get(key, consistent=True) == changed


async def test_attempts_end(store: Database) -> None:
    """The last conflict is raised with the attempts; nothing of this call was written."""
    document = await store.create(Document(doc_id=unique(), words=1))
    key = Key(Document, document.doc_id)

    async def change(item: Document) -> None:
        await store.update(key, Document.words.add(10), returns="none")
        item.words += 1

    with pytest.raises(VersionConflict) as caught:
        await store.modify(key, change, attempts=2)
    assert (caught.value.expected, caught.value.attempts) == (2, 2)
    found = await store.get(key, consistent=True)
    assert found is not None
    assert (found.words, found.revision) == (21, 3)


async def test_nothing_is_written_where_nothing_changes(store: Database) -> None:
    """Neither after a function that changes nothing, nor after one that raises; a missing item is ItemNotFound."""
    document = await store.create(Document(doc_id=unique()))
    key = Key(Document, document.doc_id)

    def fail(item: Document) -> None:
        item.words = 9
        raise LookupError

    with store.measure() as meter:
        assert await store.modify(key, lambda _item: None) == document
    assert meter.statistics.requests == {"GetItem": 1}
    with pytest.raises(LookupError):
        await store.modify(key, fail)
    assert await store.get(key, consistent=True) == document
    with pytest.raises(ItemNotFound):
        await store.modify(Key(Document, unique()), fail)
    with pytest.raises(UsageError, match="version"):
        await store.modify(Key(Account, "a", "b"), lambda _item: None)
