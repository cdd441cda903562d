"""Every condition, as a filter (which items come back) and as a guard (whether a write is made)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dynamorm_async import Condition, ConditionFailed, Database, Key
from tests.contract.differences import differs
from tests.contract.models import Account, Address, Awkward, put_raw, unique

pytestmark = pytest.mark.anyio

CONDITIONS: dict[str, tuple[Condition, bool]] = {
    "equal": (Account.name == "Ada", True),
    "equal number": (Account.age == 30, True),
    "not equal": (Account.name != "Ada", False),
    "not equal holds of an absent attribute": (Account.email != "a@b.c", True),
    "less": (Account.age < 30, False),
    "at most": (Account.age <= 30, True),
    "more": (Account.age > 29, True),
    "at least": (Account.age >= 31, False),
    "between": (Account.age.between(30, 31), True),
    "not between": (Account.age.between(31, 40), False),
    "between attributes": (Account.age.between(Account.limit, 30), True),
    "in": (Account.name.is_in(["Bob", "Ada"]), True),
    "not in": (Account.age.is_in([1, 2]), False),
    "exists": (Account.age.exists(), True),
    "exists not": (Account.email.exists(), False),
    "not exists": (Account.email.not_exists(), True),
    "is None": (Account.email == None, True),  # noqa: E711 - an operator of conditions
    "is not None": (Account.email != None, False),  # noqa: E711 - an operator of conditions
    "is None, but is not": (Account.address == None, False),  # noqa: E711 - an operator of conditions
    "begins with": (Account.name.begins_with("Ad"), True),
    "begins with other": (Account.name.begins_with("ad"), False),
    "begins with bytes": (Account.photo.begins_with(b"\x00\x01"), True),
    "text contains": (Account.name.contains("da"), True),
    "set contains": (Account.tags.contains("a"), True),
    "set contains not": (Account.tags.contains("c"), False),
    "list contains": (Account.scores.contains(2), True),
    "attribute type": (Account.age.attribute_type("N"), True),
    "attribute type set": (Account.tags.attribute_type("SS"), True),
    "attribute type other": (Account.age.attribute_type("S"), False),
    "size of text": (Account.name.size() == 3, True),
    "size of a set": (Account.tags.size() >= 3, False),
    "size of a list": (Account.scores.size() > 2, True),
    "size of bytes": (Account.photo.size() != 3, False),
    "size against size": (Account.tags.size() < Account.scores.size(), True),
    "attribute against attribute": (Account.age > Account.limit, True),
    "attribute against itself inside": (Account.scores[0] == Account.scores[1], False),
    "nested": (Account.address / Address.city == "Rome", True),
    "nested by name": (Account.address["city"] == "Rome", True),
    "nested condition": (Account.address / (Address.city == "Rome"), True),
    "nested group": (Account.address / ((Address.city == "x") | Address.zip.not_exists()), True),
    "nested in a list": (Account.homes[1] / Address.street == "Fir", True),
    "beyond the list": (Account.homes[7].exists(), False),
    "list element": (Account.scores[2] == 3, True),
    "map entry": (Account.notes["dotted.key"] == "x", True),
    "map entry missing": (Account.notes["no"].exists(), False),
    "whole list": (Account.scores == [1, 2, 3], True),
    "whole set, in any order": (Account.tags == {"b", "a"}, True),
    "whole map": (Account.notes == {"dotted.key": "x", "k": "v"}, True),
    "whole class": (Account.address == Address(street="Elm", city="Rome"), True),
    "decimal by value": (Account.balance == Decimal("10.5000"), True),
    "not": (~(Account.name == "Ada"), False),
    "not of a group": (~((Account.age > 40) | (Account.name == "Bob")), True),
    "and": ((Account.age == 30) & (Account.limit == 6), False),
    "or": ((Account.age == 3) | (Account.limit == 5), True),
    "or then and": (((Account.age == 30) | (Account.age == 31)) & (Account.name == "Bob"), False),
    "and then or": ((Account.age == 31) & (Account.name == "Bob") | (Account.limit == 5), True),
    "or inside or inside and": (
        (Account.age == 30) & ((Account.name == "x") | ((Account.limit == 5) & ~Account.email.exists())),
        True,
    ),
    "not binds tighter than and": (~(Account.age == 31) & (Account.name == "Ada"), True),
}


async def stored(store: Database) -> Account:
    return await store.create(
        Account(
            org=unique(),
            user="u1",
            age=30,
            limit=5,
            tags={"a", "b"},
            scores=[1, 2, 3],
            notes={"k": "v", "dotted.key": "x"},
            address=Address(street="Elm", city="Rome"),
            homes=[Address(street="Oak", city="Bari"), Address(street="Fir", city="Como")],
            photo=b"\x00\x01\x02",
            balance=Decimal("10.5"),
        )
    )


def cases(engine: str) -> list[tuple[str, Condition, bool]]:
    """Each condition by name, and whether it holds on this engine."""
    unlike = {"begins with bytes"} if differs(engine, "begins-with-of-bytes") else set[str]()
    return [(name, condition, holds is (name not in unlike)) for name, (condition, holds) in CONDITIONS.items()]


async def test_conditions_as_filters(store: Database, engine: str) -> None:
    """Each condition lets the item through exactly where it holds of it."""
    account = await stored(store)
    wrong: list[str] = []
    for name, condition, holds in cases(engine):
        found = await store.query(Account).where(Account.org == account.org).where(condition)
        if found != ([account] if holds else []):
            wrong.append(name)
    assert wrong == []


async def test_conditions_as_guards(store: Database, engine: str) -> None:
    """Each condition lets the write pass exactly where it holds of the item that is there."""
    account = await stored(store)
    key = Key(Account, account.org, "u1")
    for name, condition, holds in cases(engine):
        passed = True
        try:
            await store.update(key, Account.name.set("Ada"), where=condition)
        except ConditionFailed:
            passed = False
        assert passed == holds, name


async def test_a_hundred_values(store: Database, engine: str) -> None:
    """is_in() takes as many values as DynamoDB does."""
    account = await stored(store)
    values = range(99 if differs(engine, "in-of-100-values") else 100)
    query = store.query(Account).where(Account.org == account.org)
    assert await query.where(Account.age.is_in(values)) == [account]
    assert await query.where(~Account.age.is_in(values)) == []


async def test_none_is_absent_or_null(store: Database, endpoint: str) -> None:
    """``== None`` finds an attribute that is not there and one that is NULL; ``!= None`` any other."""
    org = unique()
    absent = await store.create(Account(org=org, user="absent"))
    given = await store.create(Account(org=org, user="given", email="a@b.c"))
    put_raw(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "null"}, "email": {"NULL": True}})
    of_org = store.query(Account).where(Account.org == org)
    assert await of_org.where(Account.email == None) == [absent, Account(org=org, user="null")]  # noqa: E711 - an operator of conditions
    assert await of_org.where(Account.email != None) == [given]  # noqa: E711 - an operator of conditions


async def test_awkward_names_in_conditions(store: Database) -> None:
    """Reserved words, dots, dashes, spaces, # and : are names like any other, and case tells them apart (D6)."""
    pk = unique()
    item = Awkward(pk=pk, size=2, dotted="d", coloned="c", status="low", Status="High", bits={"a.b": "1"})
    await store.create(item)
    matching = [
        Awkward.size == 2,
        Awkward.dotted == "d",
        Awkward.dashed == Awkward.spaced,
        Awkward.hashed.exists(),
        Awkward.coloned.begins_with("c"),
        Awkward.status > Awkward.dotted,
        (Awkward.status == "low") & (Awkward.Status == "High"),
        Awkward.bits["a.b"] == "1",
        Awkward.bits.size() == 1,
    ]
    query = store.query(Awkward).where(Awkward.pk == pk)
    assert await query.where(*matching) == [item]
    for condition in matching:
        assert await query.where(~condition) == []
