"""``save`` of what changed inside of maps: what others wrote, and what the model does not know, stays."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    ConditionFailed,
    Database,
    InvalidValue,
    ItemNotFound,
    Key,
    TransactionCancelled,
    UsageError,
    VersionConflict,
)
from tests.contract.differences import differs
from tests.contract.models import Account, Address, Document, Kinds, Point, put_raw, raw_item, unique

pytestmark = pytest.mark.anyio

HOME: dict[str, Any] = {"street": {"S": "Elm"}, "town": {"S": "Rome"}, "floor": {"N": "3"}}


def key_of(account: Account) -> dict[str, Any]:
    return {"org": {"S": account.org}, "user": {"S": account.user}}


async def read(store: Database, endpoint: str, **more: Mapping[str, Any]) -> Account:
    """An account as it was stored by somebody else."""
    org = unique()
    put_raw(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "u1"}, **more})
    account = await store.get(Account, org, "u1", consistent=True)
    assert account is not None
    return account


async def test_unknown_attributes_of_a_nested_class_survive(store: Database, endpoint: str) -> None:
    """A nested attribute is set by its path, and another is removed, under their stored names."""
    account = await read(store, endpoint, address={"M": {**HOME, "zip": {"S": "1"}}})
    assert account.address is not None
    account.address.city, account.address.zip = "Paris", None
    await store.save(account)
    assert raw_item(endpoint, "accounts", key_of(account))["address"] == {"M": HOME | {"town": {"S": "Paris"}}}
    account.address.street = "Oak"
    await store.save(account)
    assert raw_item(endpoint, "accounts", key_of(account))["address"]["M"] == {
        **HOME,
        "street": {"S": "Oak"},
        "town": {"S": "Paris"},
    }


async def test_another_writers_entries_survive(store: Database, endpoint: str) -> None:
    """Two instances of one item that change different entries of a dict are both heard, also without a version."""
    one = await read(store, endpoint, notes={"M": {"a": {"S": "1"}, "b": {"S": "2"}}})
    two = await store.get(Account, one.org, "u1", consistent=True)
    assert two is not None
    one.notes["a.new"] = "one"
    two.notes["other"] = "two"
    del two.notes["b"]
    await store.save(one)
    await store.save(two)
    found = await store.get(Account, one.org, "u1", consistent=True)
    assert found is not None
    assert found.notes == {"a": "1", "a.new": "one", "other": "two"}


async def test_a_map_that_the_table_lacks_is_written_whole(store: Database, endpoint: str) -> None:
    """An attribute that has its default because the table has none is set as a whole, not inside of nothing."""
    account = await read(store, endpoint, name={"S": "Grace"})
    account.notes["a"] = "1"
    await store.save(account)
    account.name = "Ada"
    await store.save(account)
    account.notes["b"] = "2"
    await store.save(account)
    raw = raw_item(endpoint, "accounts", key_of(account))
    assert raw["notes"] == {"M": {"a": {"S": "1"}, "b": {"S": "2"}}}
    assert "scores" not in raw, "a default that was not changed is not stored"


async def test_what_comes_and_goes_is_whole(store: Database, endpoint: str) -> None:
    """A nested instance that appears is set, one that disappears is removed, and a list is replaced."""
    account = await read(store, endpoint, homes={"L": [{"M": HOME}]})
    account.address = Address(street="Fir", city="Como")
    account.homes[0].city = "Pisa"
    await store.save(account)
    raw = raw_item(endpoint, "accounts", key_of(account))
    assert raw["address"] == {"M": {"street": {"S": "Fir"}, "town": {"S": "Como"}}}
    assert raw["homes"] == {"L": [{"M": {"street": {"S": "Elm"}, "town": {"S": "Pisa"}}}]}
    account.address = None
    await store.save(account)
    assert "address" not in raw_item(endpoint, "accounts", key_of(account))


async def test_plain_classes_dicts_of_lists_and_any(store: Database, endpoint: str) -> None:
    """Maps of every kind are changed inside; a dict in an attribute without a type as well."""
    pk = unique()
    stored = {
        "pk": {"S": pk},
        "point": {"M": {"x": {"N": "1"}, "y": {"N": "2"}, "z": {"N": "3"}}},
        "table": {"M": {"a": {"L": [{"N": "1"}]}, "b": {"L": [{"N": "2"}]}}},
        "anything": {"M": {"deep": {"M": {"one": {"N": "1"}, "two": {"NULL": True}}}}},
    }
    put_raw(endpoint, "kinds", stored)
    item = await store.get(Kinds, pk, consistent=True)
    assert item is not None
    assert item.table is not None
    item.point = Point(x=5, y=2)
    item.table["a"].append(Decimal(7))
    item.anything["deep"]["one"] = 9
    await store.update(Key(Kinds, pk), Kinds.table["c"].set([Decimal(3)]), Kinds.anything["deep"]["three"].set("3"))
    await store.save(item)
    raw = raw_item(endpoint, "kinds", {"pk": {"S": pk}})
    assert raw["point"] == {"M": {"x": {"N": "5"}, "y": {"N": "2"}, "z": {"N": "3"}}}
    assert raw["table"]["M"] == {
        "a": {"L": [{"N": "1"}, {"N": "7"}]},
        "b": {"L": [{"N": "2"}]},
        "c": {"L": [{"N": "3"}]},
    }
    assert raw["anything"]["M"]["deep"]["M"] == {"one": {"N": "9"}, "two": {"NULL": True}, "three": {"S": "3"}}


async def test_a_map_that_somebody_took_away(store: Database, endpoint: str, engine: str) -> None:
    """Where the map is gone, or no map any more, nothing is written; the error names it and carries the item."""
    for value in (None, {"S": "no map"}):
        account = await read(store, endpoint, address={"M": HOME}, notes={"M": {}})
        assert account.address is not None
        account.address.city = "Paris"
        account.notes["a"] = "1"
        gone: dict[str, Any] = {"notes": {"M": {}}, **({} if value is None else {"address": value})}
        put_raw(endpoint, "accounts", key_of(account) | gone)
        with pytest.raises(ConditionFailed) as caught:
            await store.save(account)
        assert raw_item(endpoint, "accounts", key_of(account)) == key_of(account) | gone
        if differs(engine, "failed-condition-returns-item"):
            assert isinstance(caught.value, ItemNotFound), "without the item it cannot be told apart"
        else:
            assert type(caught.value) is ConditionFailed
            assert "(address)" in str(caught.value)
            assert caught.value.raw_item is not None


async def test_so_many_entries_that_paths_do_not_fit(store: Database, endpoint: str) -> None:
    """A save of more entries than an expression of 4 KB holds writes the attribute whole, in one request."""
    account = await read(store, endpoint, notes={"M": {"old": {"S": "1"}}}, address={"M": HOME})
    account.notes.update({f"note {n}": str(n) for n in range(400)})
    await store.save(account)
    found = await store.get(Account, account.org, "u1", consistent=True)
    assert found is not None
    assert found == account
    assert len(found.notes) == 401
    assert found.address is not None
    found.address.city = "Paris"
    found.notes["old"] = "2"
    await store.save(found)
    raw = raw_item(endpoint, "accounts", key_of(account))
    assert raw["address"] == {"M": HOME | {"town": {"S": "Paris"}}}
    assert raw["notes"]["M"]["old"] == {"S": "2"}


async def test_a_versioned_save_moves_its_version_once(store: Database, endpoint: str) -> None:
    """The rules of whole items hold: version and time move, and a stale instance is refused."""
    document = await store.create(Document(doc_id=unique()))
    stale = await store.get(Document, document.doc_id, consistent=True)
    assert stale is not None
    document.words, stale.words = 1, 2
    await store.save(document)
    with pytest.raises(VersionConflict):
        await store.save(stale)
    assert raw_item(endpoint, "documents", {"doc_id": {"S": document.doc_id}})["revision"] == {"N": "2"}


async def test_the_deepest_value_that_is_accepted(store: Database, endpoint: str) -> None:
    """31 lists and maps around a value are stored by every write; one more is refused before anything is sent."""
    deep: Any = "leaf"
    for level in range(31):
        deep = [deep] if level % 2 else {"k": deep}
    item = await store.create(Kinds(pk=unique(), anything=deep))
    item.anything = None
    await store.save(item)
    await store.update(Key(Kinds, item.pk), Kinds.anything.set(deep), where=Kinds.text != "x")
    found = await store.get(Kinds, item.pk, consistent=True)
    assert found is not None
    assert found.anything == deep
    raw = raw_item(endpoint, "kinds", {"pk": {"S": item.pk}})
    found.anything = [deep]
    with store.measure() as meter:
        for write in (store.put, store.save):
            with pytest.raises(InvalidValue, match=r"Kinds\.anything: .*32 levels"):
                await write(found)
        with pytest.raises(InvalidValue, match=r"Kinds\.anything.*32 levels"):
            await store.update(Key(Kinds, item.pk), Kinds.anything["k"].set(deep))
    assert not meter.statistics.requests
    assert raw_item(endpoint, "kinds", {"pk": {"S": item.pk}}) == raw


async def test_a_save_under_a_condition(store: Database, endpoint: str) -> None:
    """``where`` has to hold of the item that is there, alone and in a transaction; a new instance takes none."""
    document = await store.create(Document(doc_id=unique(), words=3))
    document.words = 4
    with pytest.raises(ConditionFailed):
        await store.save(document, where=Document.words > 100)
    with pytest.raises(TransactionCancelled):
        await store.transaction().save(document, where=Document.words > 100)
    await store.save(document, where=Document.words == 3)
    document.words = 5
    await store.transaction().save(document, where=Document.words == 4)
    raw = raw_item(endpoint, "documents", {"doc_id": {"S": document.doc_id}})
    assert (raw["words"], raw["revision"]) == ({"N": "5"}, {"N": "3"})
    with store.measure() as meter:
        await store.save(document, where=Document.words > 100)  # nothing changed, so nothing is asked
        with pytest.raises(UsageError, match="neither read nor written: it is created"):
            await store.save(Document(doc_id=unique()), where=Document.words == 1)
    assert meter.statistics.requests == {}
