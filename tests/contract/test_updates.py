"""Every update action, on whole attributes and on paths inside them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import Attr, ConditionFailed, Database, ItemNotFound, Key, Update, ValidationFailed
from tests.contract.differences import differs
from tests.contract.models import Account, Address, Awkward, changed, raw_item, unique

pytestmark = pytest.mark.anyio


CHANGES: list[tuple[Update, Attr[Any], object]] = [
    (Account.name.set("Grace"), Account.name, "Grace"),
    (Account.email.set("a@b.c"), Account.email, "a@b.c"),
    (Account.email.set(None), Account.email, None),
    (Account.age.set(Account.limit), Account.age, 5),
    (Account.age.set_default(1), Account.age, 30),
    (Account.email.set_default("d@e.f"), Account.email, "d@e.f"),
    (Account.age.add(3), Account.age, 33),
    (Account.age.add(-31), Account.age, -1),
    (Account.age.add(0), Account.age, 30),
    (Account.balance.add(Decimal("0.25")), Account.balance, Decimal("10.75")),
    (Account.age.remove(), Account.age, 0),
    (Account.tags.add({"b", "c"}), Account.tags, {"a", "b", "c"}),
    (Account.tags.discard({"b", "z"}), Account.tags, {"a"}),
    (Account.tags.discard({"a", "b"}), Account.tags, set[str]()),
    (Account.tags.set(set()), Account.tags, set[str]()),
    (Account.tags.set({"z"}), Account.tags, {"z"}),
    (Account.scores.append([4, 5]), Account.scores, [1, 2, 3, 4, 5]),
    (Account.scores.prepend([0]), Account.scores, [0, 1, 2, 3]),
    (Account.scores[0].set(9), Account.scores, [9, 2, 3]),
    (Account.scores[1].remove(), Account.scores, [1, 3]),
    (Account.scores[2].add(4), Account.scores, [1, 2, 7]),
    (Account.scores[0].set(Account.age), Account.scores, [30, 2, 3]),
    (Account.scores.set([]), Account.scores, list[int]()),
    (Account.notes["k"].set("w"), Account.notes, {"k": "w", "dotted.key": "x"}),
    (Account.notes["dotted.key"].remove(), Account.notes, {"k": "v"}),
    (Account.notes["a new.one"].set("n"), Account.notes, {"k": "v", "dotted.key": "x", "a new.one": "n"}),
    (Account.address / Address.city.set("Paris"), Account.address, Address(street="Elm", city="Paris")),
    ((Account.address / Address.zip).set("1"), Account.address, Address(street="Elm", city="Rome", zip="1")),
    (Account.address["city"].set("Oslo"), Account.address, Address(street="Elm", city="Oslo")),
    (Account.address.set(None), Account.address, None),
]


async def stored(store: Database) -> tuple[Account, Key[Account]]:
    account = Account(
        org=unique(),
        user="u1",
        age=30,
        limit=5,
        tags={"a", "b"},
        scores=[1, 2, 3],
        notes={"k": "v", "dotted.key": "x"},
        address=Address(street="Elm", city="Rome"),
        homes=[Address(street="Oak", city="Bari"), Address(street="Fir", city="Como")],
        balance=Decimal("10.50"),
    )
    await store.create(account)
    return account, Key(Account, account.org, "u1")


async def test_each_change(store: Database) -> None:
    """A change does what it says, returns the item as it is then in the table, and moves nothing else."""
    for change, attribute, expected in CHANGES:
        account, key = await stored(store)
        new = await store.update(key, change)
        name = str(attribute.segments[0])
        assert getattr(new, name) == expected, change
        assert await store.get(key, consistent=True) == new
        assert new == changed(account, **{name: expected})


async def test_a_change_inside_a_list_of_classes(store: Database) -> None:
    """A path through a list element into a nested class changes that attribute alone."""
    account, key = await stored(store)
    new = await store.update(key, (Account.homes[1] / Address.city).set("Pisa"), Account.homes[0]["zip"].set("7"))
    assert new.homes == [Address(street="Oak", city="Bari", zip="7"), Address(street="Fir", city="Pisa")]
    assert new.address == account.address


async def test_many_changes_are_one(store: Database, endpoint: str) -> None:
    """All kinds of action in one call are applied together; add() and append() make what is absent."""
    org = unique()
    await store.create(Account(org=org, user="u1", scores=[1]))
    new = await store.update(
        Key(Account, org, "u1"),
        Account.name.set("Grace"),
        Account.tags.add({"x"}),
        Account.age.add(2),
        Account.scores.append([2]),
        Account.email.set_default("a@b.c"),
        Account.limit.remove(),
    )
    expected = Account(org=org, user="u1", name="Grace", tags={"x"}, age=2, scores=[1, 2], email="a@b.c", limit=0)
    assert new == expected
    assert "limit" not in raw_item(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "u1"}})


async def test_what_is_returned(store: Database) -> None:
    """The new item by default, the old one on demand, or nothing."""
    account, key = await stored(store)
    assert await store.update(key, Account.age.set(31), returns="old") == account
    await store.update(key, Account.age.set(32), returns="none")
    assert (await store.update(key, Account.name.set("x"))).age == 32


async def test_an_item_that_is_not_there_is_not_made(store: Database) -> None:
    """Without upsert, an update of a missing item is ItemNotFound, and makes none."""
    key = Key(Account, unique(), "nobody")
    with pytest.raises(ItemNotFound) as caught:
        await store.update(key, Account.age.add(1))
    assert caught.value.item is None
    assert await store.get(key, consistent=True) is None


async def test_upsert_makes_it(store: Database, engine: str) -> None:
    """With upsert, it is made with the changed attributes; there is no old item."""
    org = unique()
    key = Key(Account, org, "u1")
    old = await store.update(key, Account.age.add(1), upsert=True, returns="old")
    assert old == (Account(org=org, user="u1") if differs(engine, "no-old-item-of-an-upsert") else None)
    assert await store.update(key, Account.age.add(1), upsert=True) == Account(org=org, user="u1", age=2)


async def test_an_update_under_a_condition(store: Database, engine: str) -> None:
    """A condition that does not hold changes nothing; the error carries the item that was there."""
    account, key = await stored(store)
    await store.update(key, Account.age.add(1), where=(Account.age < 31) & Account.name.exists())
    with pytest.raises(ConditionFailed) as caught:
        await store.update(key, Account.age.add(1), where=Account.age < 31)
    account.age = 31
    assert await store.get(key, consistent=True) == account
    if not differs(engine, "failed-condition-returns-item"):
        assert type(caught.value) is ConditionFailed
        assert caught.value.item == account


async def test_a_path_whose_parent_is_missing_is_refused(store: Database) -> None:
    """DynamoDB's refusal comes through as ValidationFailed, and nothing changes."""
    org = unique()
    account = await store.create(Account(org=org, user="u1"))
    with pytest.raises(ValidationFailed) as caught:
        await store.update(Key(Account, org, "u1"), Account.address / Address.city.set("Paris"))
    assert caught.value.operation == "UpdateItem"
    assert await store.get(Account, org, "u1", consistent=True) == account


async def test_awkward_names_can_be_changed(store: Database) -> None:
    """Reserved words, dots, dashes, spaces, # and : are names like any other."""
    pk = unique()
    await store.create(Awkward(pk=pk, bits={"a.b": "1", "and": "2"}))
    new = await store.update(
        Key(Awkward, pk),
        Awkward.size.add(2),
        Awkward.dotted.set("d"),
        Awkward.dashed.set(Awkward.spaced),
        Awkward.hashed.remove(),
        Awkward.coloned.set("c"),
        Awkward.bits["a.b"].set("3"),
        Awkward.bits["and"].remove(),
    )
    assert new == Awkward(pk=pk, size=2, dotted="d", dashed="-", coloned="c", bits={"a.b": "3"})


async def test_names_that_differ_in_case_are_two(store: Database) -> None:
    """``status`` and ``Status`` are changed, each with its own value, in one update (flaw D6)."""
    pk = unique()
    await store.create(Awkward(pk=pk, status="a", Status="b"))
    new = await store.update(
        Key(Awkward, pk),
        Awkward.status.set("c"),
        Awkward.Status.set("d"),
        where=(Awkward.status == "a") & (Awkward.Status == "b"),
    )
    assert (new.status, new.Status) == ("c", "d")
