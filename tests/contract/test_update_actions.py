"""What DynamoDB computes in an update, what updates return, and the limits of expressions."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Condition,
    ConditionFailed,
    Database,
    InvalidExpression,
    Key,
    Update,
    UpdatedAttributes,
    UsageError,
    ValidationFailed,
)
from tests.contract.differences import differs
from tests.contract.models import Account, Address, Document, changed, unique

pytestmark = pytest.mark.anyio

ADDRESS = Address(street="Elm", city="Rome")


async def stored(store: Database) -> tuple[Account, Key[Account]]:
    account = Account(
        org=unique(),
        user="u1",
        age=30,
        limit=5,
        tags={"a", "b"},
        scores=[1, 2, 3],
        notes={"k": "v"},
        address=ADDRESS,
        homes=[Address(street="Oak", city="Bari")],
        balance=Decimal("10.50"),
    )
    await store.create(account)
    return account, Key(Account, account.org, "u1")


COMPUTED: list[tuple[Update, Attr[Any], object]] = [
    (Account.age.set(Account.age + 1), Account.age, 31),
    (Account.age.set(Account.age - 31), Account.age, -1),
    (Account.age.set(1 + Account.age), Account.age, 31),
    (Account.age.set(100 - Account.age), Account.age, 70),
    (Account.age.set(Account.limit + 1), Account.age, 6),
    (Account.age.set(Account.age - Account.limit), Account.age, 25),
    (Account.age.set(Account.age + Account.age), Account.age, 60),
    (Account.balance.set(Account.balance + Decimal("0.25")), Account.balance, Decimal("10.75")),
    (Account.balance.set(Account.balance - 1), Account.balance, Decimal("9.5")),
    (Account.balance.set(Account.balance - Account.limit), Account.balance, Decimal("5.5")),
    (Account.age.set(Account.age.if_not_exists(7)), Account.age, 30),
    (Account.age.set(Account.age.if_not_exists(7) + 1), Account.age, 31),
    (Account.age.set(1 - Account.limit.if_not_exists(0)), Account.age, -4),
    (Account.email.set(Account.email.if_not_exists("a@b.c")), Account.email, "a@b.c"),
    (Account.email.set(Account.email.if_not_exists(Account.name)), Account.email, "Ada"),
    (Account.email.set_default(Account.name), Account.email, "Ada"),
    (Account.email.set(Account.name), Account.email, "Ada"),
    (Account.scores[0].set(Account.scores[1] + Account.age), Account.scores, [32, 2, 3]),
    (Account.scores[2].set(Account.scores[2] - 1), Account.scores, [1, 2, 2]),
    (Account.scores.set(Account.scores.if_not_exists([])), Account.scores, [1, 2, 3]),
    (Account.tags.set(Account.tags.if_not_exists({"z"})), Account.tags, {"a", "b"}),
    (Account.notes["copy"].set(Account.notes["k"]), Account.notes, {"k": "v", "copy": "v"}),
    (Account.notes["name"].set(Account.name), Account.notes, {"k": "v", "name": "Ada"}),
    (
        Account.address / Address.zip.set(Address.city),
        Account.address,
        Address(street="Elm", city="Rome", zip="Rome"),
    ),
    (
        Account.address / Address.zip.set(Address.zip.if_not_exists("0")),
        Account.address,
        Address(street="Elm", city="Rome", zip="0"),
    ),
    (Account.address.set(Account.homes[0]), Account.address, Address(street="Oak", city="Bari")),
]


async def test_each_computed_value(store: Database) -> None:
    """A sum, a difference, a default and a copy are what DynamoDB stores; nothing else moves."""
    for change, attribute, expected in COMPUTED:
        account, key = await stored(store)
        new = await store.update(key, change)
        name = str(attribute.segments[0])
        assert getattr(new, name) == expected, change
        assert new == changed(account, **{name: expected})
        assert await store.get(key, consistent=True) == new


async def test_operands_are_those_before_the_update(store: Database) -> None:
    """All changes of an update see the item as it was before: two attributes can be swapped."""
    account, key = await stored(store)
    new = await store.update(key, Account.age.set(Account.limit), Account.limit.set(Account.age))
    assert new == changed(account, age=5, limit=30)


async def test_a_missing_operand_is_refused(store: Database) -> None:
    """A sum with an attribute that is not there is ValidationFailed and changes nothing; with a default it is made."""
    org = unique()
    key = Key(Account, org, "u1")
    await store.update(key, Account.name.set("Ada"), upsert=True, returns="none")
    with pytest.raises(ValidationFailed):
        await store.update(key, Account.age.set(Account.age + 1))
    assert await store.get(key, consistent=True) == Account(org=org, user="u1")
    assert (await store.update(key, Account.age.set(Account.age.if_not_exists(0) + 1))).age == 1


async def test_a_computed_value_of_a_new_item(store: Database) -> None:
    """With upsert, defaults stand in for what a new item does not have."""
    key = Key(Account, unique(), "u1")
    for expected in (10, 9):
        new = await store.update(key, Account.limit.set(Account.limit.if_not_exists(11) - 1), upsert=True)
        assert new.limit == expected


RETURNED: list[tuple[Update, Attr[Any], object, object]] = [
    (Account.name.set("Grace"), Account.name, "Ada", "Grace"),
    (Account.age.set(Account.age + 1), Account.age, 30, 31),
    (Account.age.add(2), Account.age, 30, 32),
    (Account.balance.add(Decimal("0.25")), Account.balance, Decimal("10.5"), Decimal("10.75")),
    (Account.email.set("a@b.c"), Account.email, None, "a@b.c"),
    (Account.email.set_default("a@b.c"), Account.email, None, "a@b.c"),
    (Account.age.remove(), Account.age, 30, None),
    (Account.address.set(None), Account.address, ADDRESS, None),
    (Account.tags.add({"c"}), Account.tags, {"a", "b"}, {"a", "b", "c"}),
    (Account.tags.discard({"b"}), Account.tags, {"a", "b"}, {"a"}),
    (Account.tags.discard({"a", "b"}), Account.tags, {"a", "b"}, None),
    (Account.scores.append([4]), Account.scores, [1, 2, 3], [1, 2, 3, 4]),
    (Account.scores.prepend([0]), Account.scores, [1, 2, 3], [0, 1, 2, 3]),
    (Account.scores.set([9, 8]), Account.scores[1], 2, 8),
    (Account.address / Address.city.set("Oslo"), Account.address / Address.city, "Rome", "Oslo"),
    (Account.address.set(Address(street="S", city="C")), Account.address / Address.street, "Elm", "S"),
    (Account.address["zip"].set("1"), Account.address / Address.zip, None, "1"),
    (Account.address["city"].remove(), Account.address / Address.city, "Rome", None),
    (Account.notes["new"].set("n"), Account.notes["new"], None, "n"),
    (Account.notes["k"].remove(), Account.notes["k"], "v", None),
]


async def test_what_was_changed_is_returned(store: Database) -> None:
    """Whatever the action, the changed paths come back, typed, as they were and as they are; what is not there is not."""
    for change, attribute, before, after in RETURNED:
        for returns, expected in (("updated_old", before), ("updated_new", after)):
            _, key = await stored(store)
            updated = await returned(store, key, change, returns)
            assert updated.get(attribute) == expected, (change, returns)
            assert (attribute in updated) is (expected is not None), (change, returns)
            assert updated.get(Account.limit) is None
            if expected is not None:
                assert updated[attribute] == expected


async def returned(store: Database, key: Key[Account], change: Update, returns: str) -> UpdatedAttributes:
    if returns == "updated_old":
        return await store.update(key, change, returns="updated_old")
    return await store.update(key, change, returns="updated_new")


async def test_all_five_return_values(store: Database) -> None:
    """Nothing, the item before and after, and what was changed before and after."""
    account, key = await stored(store)
    await store.update(key, Account.age.add(1), returns="none")
    assert await store.update(key, Account.age.add(1), returns="old") == changed(account, age=31)
    assert await store.update(key, Account.age.add(1), returns="new") == changed(account, age=33)
    assert (await store.update(key, Account.age.add(1), returns="updated_old"))[Account.age] == 33
    assert (await store.update(key, Account.age.add(1), returns="updated_new"))[Account.age] == 35


async def test_what_a_new_item_returns(store: Database) -> None:
    """Of an item that upsert makes, there is nothing old, and what was changed is new."""
    first, second = Key(Account, unique(), "u1"), Key(Account, unique(), "u1")
    old = await store.update(first, Account.age.add(1), upsert=True, returns="updated_old")
    assert (Account.age in old, old.get(Account.age)) == (False, None)
    with pytest.raises(KeyError):
        old[Account.age]
    new = await store.update(second, Account.age.add(1), upsert=True, returns="updated_new")
    assert (new[Account.age], Account.org in new, Account.name in new) == (1, False, False)


async def test_the_version_and_the_time_are_returned(store: Database) -> None:
    """What the library itself changes is among what was changed."""
    key = Key(Document, unique())
    await store.create(Document(doc_id=str(key.values[0]), words=1))
    updated = await store.update(key, Document.words.add(1), returns="updated_new")
    now = await store.get(key, consistent=True)
    assert now is not None
    assert (updated[Document.revision], updated[Document.changed]) == (2, now.changed)
    assert updated[Document.words] == now.words == 2


async def test_an_element_of_a_list_is_not_told(store: Database) -> None:
    """Which elements came back cannot be known, so asking for one is refused; the other changes can be asked for."""
    _, key = await stored(store)
    updated = await store.update(key, Account.scores[1].set(7), Account.age.add(1), returns="updated_new")
    assert updated[Account.age] == 31
    for attribute in (Account.scores[1], Account.scores[0]):
        with pytest.raises(UsageError, match="element of a list"):
            updated[attribute]
    with pytest.raises(UsageError, match="only scores"):
        updated.get(Account.scores)


TEXTS = [
    "a -- b",
    "x; DROP TABLE users",
    "' OR 1=1 --",
    "SET #n0 = :v0",
    ":v0",
    "#n0",
    "NULL",
    "<script>",
    "%s {0}",
    "\\",
    '"',
]


async def test_any_text_is_data(store: Database) -> None:
    """Text that looks like code is stored, computed with and compared like any other (flaw D20)."""
    org = unique()
    for text in TEXTS:
        key = Key(Account, org, text)
        condition = (Account.name == text) | Account.name.not_exists() | Account.notes["k"].begins_with(text)
        changes = Account.name.set(text), Account.notes.set({text: text, "k": text}), Account.tags.add({text})
        await store.update(key, *changes, upsert=True, where=condition)
        new = await store.update(
            key,
            Account.notes[text].set(text * 2),
            Account.email.set(Account.email.if_not_exists(text)),
            where=Account.name.is_in([text]) & Account.tags.contains(text) & (Account.notes[text] == text),
        )
        assert (new.user, new.name, new.email, new.tags) == (text, text, text, {text})
        assert new.notes == {text: text * 2, "k": text}


async def test_long_lists_are_data(store: Database) -> None:
    """Lists and sets of hundreds of elements are stored, appended and compared (flaw D20)."""
    key = Key(Account, unique(), "u1")
    numbers, words = list(range(300)), {f"w{i}" for i in range(300)}
    await store.update(key, Account.scores.set(numbers), Account.tags.set(words), upsert=True, returns="none")
    same = (Account.scores == numbers) & (Account.tags == words)
    new = await store.update(key, Account.scores.append(numbers), Account.tags.discard(words), where=same)
    assert (new.scores, new.tags) == (numbers * 2, set[str]())


def either(one: Condition, other: Condition) -> Condition:
    return one | other


@pytest.mark.parametrize(
    ("part", "operators"),
    [
        (Account.age == 30, 1),
        (Account.age.between(1, 30), 1),
        (Account.age.is_in([30]), 1),
        (Account.name.exists(), 1),
        (~(Account.age != 30), 2),
        (Account.scores.size() >= Account.tags.size(), 3),
    ],
)
async def test_300_operators(store: Database, engine: str, part: Condition, operators: int) -> None:
    """DynamoDB takes as many operators as the library lets through, and not one part more, so the count is its own."""
    _, key = await stored(store)
    most = (300 + 1) // (operators + 1)
    condition = functools.reduce(either, [part] * most)
    await store.update(key, Account.age.set(30), where=condition, upsert=True, returns="none")
    with pytest.raises(InvalidExpression):
        await store.update(key, Account.age.set(30), where=condition | part, upsert=True)
    if not differs(engine, "limit-of-300-operators"):
        with pytest.raises(ValidationFailed, match="too many operators"):
            await unchecked(store, key, condition | part)


def nothing_is_checked(name: str, text: str) -> None:
    assert name
    assert text


async def unchecked(store: Database, key: Key[Account], condition: Condition) -> None:
    """An update with a condition that is not checked for its size, which the library does not send otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dynamorm_async.expressions.placeholders.check_expression", nothing_is_checked)
        await store.update(key, Account.age.set(30), where=condition, upsert=True, returns="none")


async def test_100_levels(store: Database) -> None:
    """The deepest condition that the library lets through is understood."""
    _, key = await stored(store)
    condition = Account.age == 30
    for _ in range(50):
        condition = ~(condition & (Account.limit == 5))
    assert condition.depth == 100
    await store.update(key, Account.age.set(31), where=condition, returns="none")
    with pytest.raises(ConditionFailed):
        await store.update(key, Account.age.set(32), where=condition)
