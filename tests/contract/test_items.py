"""Create, get, put, save and delete, as users call them."""

from __future__ import annotations

import pytest

from dynamorm_async import ConditionFailed, Database, DecodeError, ItemExists, ItemNotFound, Key
from tests.contract.differences import differs
from tests.contract.models import (
    Account,
    Address,
    Forbidding,
    Ignoring,
    Keeping,
    changed,
    put_raw,
    raw_item,
    unique,
)

pytestmark = pytest.mark.anyio

KEPT = {"text": {"S": "old"}, "extra": {"M": {"deep": {"L": [{"N": "1"}, {"B": "AAE="}]}}}}


async def test_what_is_created_is_read_back(store: Database) -> None:
    """An item comes back equal, by key values and by Key, eventually and strongly consistent."""
    account = Account(org=unique(), user="u1", email="ada@example.com", tags={"x", "y"}, scores=[3, 1])
    assert await store.create(account) is account
    key = Key(Account, account.org, "u1")
    assert await store.get(Account, account.org, "u1", consistent=True) == account
    assert await store.get(key) == await store.get(key, consistent=True) == account


async def test_an_item_that_is_not_there_is_none(store: Database) -> None:
    """A miss is None, not an error."""
    assert await store.get(Account, unique(), "nobody") is None


async def test_create_refuses_a_taken_key_with_the_item(store: Database, engine: str) -> None:
    """ItemExists carries the item that was there; nothing is overwritten."""
    first = await store.create(Account(org=unique(), user="u1", name="first"))
    with pytest.raises(ItemExists) as caught:
        await store.create(Account(org=first.org, user="u1", name="second"))
    expected = None if differs(engine, "failed-condition-returns-item") else first
    assert caught.value.item == expected
    assert caught.value.operation == "PutItem"
    assert caught.value.table == "shared-accounts"
    assert await store.get(Account, first.org, "u1") == first


async def test_put_replaces_the_whole_item(store: Database) -> None:
    """Put leaves nothing of the item that was there, and can return it."""
    old = await store.create(Account(org=unique(), user="u1", email="ada@example.com", notes={"a": "b"}))
    new = Account(org=old.org, user="u1", name="Grace")
    assert await store.put(new, returns="old") == old
    assert await store.get(Account, old.org, "u1", consistent=True) == new


async def test_put_of_a_new_item_has_no_old_one(store: Database) -> None:
    """returns="old" is None where there was nothing."""
    assert await store.put(Account(org=unique(), user="u1"), returns="old") is None


async def test_put_under_a_condition(store: Database, engine: str) -> None:
    """A put whose condition does not hold writes nothing and carries the item that was there."""
    old = await store.create(Account(org=unique(), user="u1", age=3))
    await store.put(changed(old, age=4), where=Account.age == 3)
    with pytest.raises(ConditionFailed) as caught:
        await store.put(changed(old, age=5), where=Account.age == 3)
    assert type(caught.value) is ConditionFailed
    found = await store.get(Account, old.org, "u1", consistent=True)
    assert found == changed(old, age=4)
    assert caught.value.item == (None if differs(engine, "failed-condition-returns-item") else found)


async def test_delete_by_key_and_by_instance(store: Database) -> None:
    """Both ways delete, and deleting what is gone is fine."""
    one = await store.create(Account(org=unique(), user="u1"))
    two = await store.create(Account(org=one.org, user="u2"))
    assert await store.delete(Key(Account, one.org, "u1"), returns="old") == one
    assert await store.delete(two, returns="old") == two
    assert await store.delete(two, returns="old") is None
    await store.delete(two)
    assert await store.query(Account).where(Account.org == one.org) == []


async def test_delete_under_a_condition(store: Database, engine: str) -> None:
    """A delete whose condition does not hold deletes nothing."""
    account = await store.create(Account(org=unique(), user="u1", age=3))
    with pytest.raises(ConditionFailed) as caught:
        await store.delete(account, where=Account.age > 3)
    assert caught.value.item == (None if differs(engine, "failed-condition-returns-item") else account)
    await store.delete(account, where=Account.age == 3)
    assert await store.get(Account, account.org, "u1", consistent=True) is None


async def test_save_writes_only_what_changed(store: Database) -> None:
    """Two who read the same item and change different attributes both keep their change."""
    account = await store.create(Account(org=unique(), user="u1", scores=[1], address=Address(street="s", city="c")))
    key = Key(Account, account.org, "u1")
    mine, yours = await store.get(key), await store.get(key)
    assert mine is not None
    assert yours is not None
    mine.scores.append(2)
    mine.email = "ada@example.com"
    yours.address = None
    yours.age = 30
    assert await store.save(mine) is mine
    await store.save(yours)
    found = await store.get(key, consistent=True)
    assert found == changed(account, scores=[1, 2], email="ada@example.com", address=None, age=30)


async def test_save_again_writes_the_next_change(store: Database) -> None:
    """What was saved is what the next save compares with."""
    account = await store.create(Account(org=unique(), user="u1"))
    for age in (1, 0, 2):
        account.age = age
        await store.save(account)
        assert await store.get(Account, account.org, "u1", consistent=True) == account


async def test_save_of_a_new_instance_creates_it(store: Database) -> None:
    """An instance that was neither read nor written is created, so a taken key is an error."""
    account = await store.save(Account(org=unique(), user="u1"))
    assert await store.get(Account, account.org, "u1", consistent=True) == account
    with pytest.raises(ItemExists):
        await store.save(Account(org=account.org, user="u1"))


async def test_save_of_an_item_that_is_gone(store: Database) -> None:
    """Save never brings a deleted item back."""
    account = await store.create(Account(org=unique(), user="u1"))
    await store.delete(account)
    account.age = 1
    with pytest.raises(ItemNotFound):
        await store.save(account)
    assert await store.get(Account, account.org, "u1", consistent=True) is None


async def test_update_and_save_leave_unknown_attributes(store: Database, endpoint: str) -> None:
    """An attribute that the model does not have survives update and save, whatever the model's policy."""
    pk = unique()
    put_raw(endpoint, "open", {"pk": {"S": pk}, **KEPT})
    await store.update(Key(Ignoring, pk), Ignoring.text.set("updated"))
    item = await store.get(Ignoring, pk, consistent=True)
    assert item is not None
    assert item == Ignoring(pk=pk, text="updated")
    item.text = "saved"
    await store.save(item)
    assert raw_item(endpoint, "open", {"pk": {"S": pk}}) == {"pk": {"S": pk}, **KEPT, "text": {"S": "saved"}}


async def test_put_keeps_unknown_attributes_where_asked(store: Database, endpoint: str) -> None:
    """unknown="keep" carries them through a put; without it, a put replaces the whole item."""
    pk = unique()
    put_raw(endpoint, "open", {"pk": {"S": pk}, **KEPT})
    kept = await store.get(Keeping, pk, consistent=True)
    assert kept is not None
    kept.text = "new"
    await store.put(kept)
    assert raw_item(endpoint, "open", {"pk": {"S": pk}}) == {"pk": {"S": pk}, **KEPT, "text": {"S": "new"}}
    await store.put(Ignoring(pk=pk))
    assert raw_item(endpoint, "open", {"pk": {"S": pk}}) == {"pk": {"S": pk}, "text": {"S": "text"}}


async def test_a_model_can_forbid_unknown_attributes(store: Database, endpoint: str) -> None:
    """unknown="forbid" raises DecodeError, which names the item and the attribute."""
    pk = unique()
    put_raw(endpoint, "open", {"pk": {"S": pk}, **KEPT})
    with pytest.raises(DecodeError) as caught:
        await store.get(Forbidding, pk)
    assert caught.value.key == {"pk": pk}
    assert [problem.path for problem in caught.value.problems] == ["extra"]


async def test_an_item_that_does_not_fit_lists_every_problem(store: Database, endpoint: str) -> None:
    """DecodeError from get and from query lists each wrong attribute as a path, with the item's key."""
    org = unique()
    homes = {"L": [{"M": {"street": {"S": "s"}, "town": {"S": "t"}}}, {"M": {"street": {"N": "1"}}}]}
    wrong: dict[str, object] = {
        "age": {"S": "old"},
        "tags": {"L": []},
        "notes": {"M": {"k": {"N": "1"}}},
        "homes": homes,
    }
    put_raw(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "u1"}, **wrong})
    paths = {"age", "tags", "notes.k", "homes[1].street", "homes[1].town"}
    with pytest.raises(DecodeError) as by_get:
        await store.get(Account, org, "u1")
    with pytest.raises(DecodeError) as by_query:
        await store.query(Account).where(Account.org == org)
    for error in (by_get.value, by_query.value):
        assert error.key == {"org": org, "user": "u1"}
        assert {problem.path for problem in error.problems} == paths
        assert all(path in str(error) for path in paths)
