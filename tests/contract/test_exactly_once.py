"""``exactly_once=True``: the same write as without, as a transaction of its own."""

from __future__ import annotations

import pytest

from dynamorm_async import ConditionFailed, Database, ItemExists, ItemNotFound, Key, VersionConflict
from tests.contract.models import Account, Document, unique

pytestmark = pytest.mark.anyio


async def test_an_update_takes_effect_and_returns_the_item(store: Database) -> None:
    """A counter and a list move once; the item comes as it is then, or not at all."""
    org = unique()
    await store.create(Account(org=org, user="a", age=1))
    key = Key(Account, org, "a")
    new = await store.update(key, Account.age.add(2), Account.scores.append([7]), exactly_once=True)
    assert (new.age, new.scores) == (3, [7])
    await store.update(key, Account.age.add(2), returns="none", exactly_once=True)
    there = await store.get(key)
    assert there is not None
    assert there.age == 5
    with pytest.raises(ConditionFailed) as caught:
        await store.update(key, Account.age.add(1), where=Account.age > 5, exactly_once=True)
    assert type(caught.value) is ConditionFailed
    with pytest.raises(ItemNotFound):
        await store.update(Key(Account, org, "b"), Account.age.add(1), exactly_once=True)


async def test_every_write_of_an_instance_keeps_its_rules(store: Database) -> None:
    """Versions and times move on the instance, and failures are those of the write alone."""
    document = Document(doc_id=unique())
    await store.create(document, exactly_once=True)
    stale = await store.get(Document, document.doc_id)
    assert stale is not None
    document.text = "new"
    await store.save(document, exactly_once=True)
    await store.put(document, exactly_once=True)
    there = await store.get(Document, document.doc_id)
    assert there == document
    assert there is not None
    assert there.revision == stale.revision + 2
    with pytest.raises(ItemExists):
        await store.create(Document(doc_id=document.doc_id), exactly_once=True)
    with pytest.raises(VersionConflict):
        await store.delete(stale, exactly_once=True)
    await store.delete(document, exactly_once=True)
    assert await store.get(Document, document.doc_id) is None
