"""Unique values: who has one keeps it, whoever writes how; every value in use has one marker, owned by its item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    ConditionFailed,
    Database,
    ItemExists,
    ItemNotFound,
    Key,
    NotUnique,
    TransactionCancelled,
    VersionConflict,
)
from dynamorm_async.model.spec import spec_of
from tests.contract.differences import differs
from tests.contract.models import unique
from tests.contract.writing_models import PREFIX, Club, Member, members, taken, values_of
from tests.engines import call

__all__ = ["members"]  # a fixture

pytestmark = pytest.mark.anyio


def member(club: str, number: int, **values: Any) -> Member:
    return Member(club=club, number=number, badge=values.pop("badge", None), **values)


def key(club: str, number: int) -> Key[Member]:
    return Key(Member, club, number)


async def test_a_value_has_one_owner(members: Database, endpoint: str) -> None:
    """Every way of writing takes it, and no way takes it twice; the error names the owner, and nothing is written."""
    club, mail = unique(), unique()
    await members.create(member(club, 1, email=mail))
    there = await members.create(member(club, 2))
    there.email = mail
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: members.create(member(club, 3, email=mail)),
        lambda: members.put(member(club, 3, email=mail)),
        lambda: members.save(member(club, 3, email=mail)),
        lambda: members.save(there),
        lambda: members.put(there),
        lambda: members.update(key(club, 2), Member.email.set(mail)),
        lambda: members.update(key(club, 3), Member.email.set(mail), upsert=True),
    ]
    for write in calls:
        with pytest.raises(NotUnique) as caught:
            await write()
        assert (caught.value.owner, caught.value.attributes) == (key(club, 1), ("email",))
        assert f"another Member has this email: Key(Member, '{club}', 1)" in str(caught.value)
    assert values_of(endpoint, club) == {mail: 1}
    assert await members.get(key(club, 3), consistent=True) is None
    assert await members.get(key(club, 2), consistent=True) == member(club, 2)


async def test_a_value_is_given_up(members: Database, endpoint: str) -> None:
    """By every write that changes or removes it, and by delete; then another item can have it."""
    club = unique()
    mails = [unique() for _ in range(8)]
    item = await members.create(member(club, 1, email=mails[0]))
    item.email = mails[1]
    await members.save(item)
    assert values_of(endpoint, club) == {mails[1]: 1}
    item.email = mails[2]
    await members.put(item)
    assert values_of(endpoint, club) == {mails[2]: 1}
    new = await members.update(key(club, 1), Member.email.set(mails[3]), Member.age.add(3))
    assert new == member(club, 1, email=mails[3], age=3)
    assert values_of(endpoint, club) == {mails[3]: 1}
    await members.put(member(club, 1, email=mails[4]))
    assert values_of(endpoint, club) == {mails[4]: 1}
    await members.update(key(club, 1), Member.email.remove(), returns="none")
    assert values_of(endpoint, club) == {}
    await members.update(key(club, 1), Member.email.set(mails[5]))
    await members.delete(key(club, 1))
    assert values_of(endpoint, club) == {}
    for mail in mails:
        await members.create(member(unique(), 1, email=mail))


async def test_writes_of_other_attributes_leave_the_markers(members: Database, endpoint: str) -> None:
    """And conditions, return values and arithmetic on them are as everywhere."""
    club, mail = unique(), unique()
    item = await members.create(member(club, 1, email=mail))
    assert (await members.update(key(club, 1), Member.age.add(3), where=Member.email == mail)).age == 3
    item.age = 9
    await members.save(item)
    old = await members.update(key(club, 1), Member.age.add(1), returns="old")
    assert old == member(club, 1, email=mail, age=9)
    assert values_of(endpoint, club) == {mail: 1}


async def test_an_item_keeps_its_own_value(members: Database, endpoint: str) -> None:
    """Writing it again is no conflict, by whichever way, and from a snapshot that is stale as well."""
    club, mail, other = unique(), unique(), unique()
    item = await members.create(member(club, 1, email=mail))
    await members.put(item)
    await members.put(member(club, 1, email=mail, age=2))
    await members.update(key(club, 1), Member.email.set(mail))
    await members.update(key(club, 1), Member.email.set(other))
    item.age = 5
    await members.put(item)
    assert values_of(endpoint, club) == {mail: 1}
    assert await members.get(key(club, 1), consistent=True) == item


async def test_a_stale_instance_gives_up_what_is_there(members: Database, endpoint: str) -> None:
    """Not what it was read with: save, put and delete look at the present values."""
    writes: list[tuple[Callable[[Member], Awaitable[object]], bool]] = [
        (members.save, True),
        (members.put, True),
        (members.delete, False),
    ]
    for write, stays in writes:
        club, mine = unique(), unique()
        item = await members.create(member(club, 1, email=unique()))
        await members.update(key(club, 1), Member.email.set(unique()))
        item.email = mine
        await write(item)
        assert values_of(endpoint, club) == ({mine: 1} if stays else {})


async def test_an_item_that_was_deleted_meanwhile(members: Database, endpoint: str) -> None:
    """put writes it anew, save does not, delete is content; the markers agree each time."""
    club, mail = unique(), unique()
    item = await members.create(member(club, 1, email=mail))
    await members.delete(key(club, 1))
    item.email = unique()
    with pytest.raises(ItemNotFound):
        await members.save(item)
    await members.delete(item)
    assert values_of(endpoint, club) == {}
    await members.put(item)
    assert values_of(endpoint, club) == {item.email: 1}


async def test_several_attributes_together(members: Database) -> None:
    """The pair is unique, each of the two is not; without one of them there is no value."""
    club, country = unique(), unique()
    await members.create(member(club, 1, country=country, passport=1))
    await members.create(member(club, 2, country=country, passport=2))
    await members.create(member(club, 3, country=unique(), passport=1))
    await members.create(member(club, 4, country=country))
    await members.create(member(club, 5, country=country))
    with pytest.raises(NotUnique) as caught:
        await members.update(key(club, 4), Member.passport.set(2))
    assert (caught.value.owner, caught.value.attributes) == (key(club, 2), ("country", "passport"))
    await members.update(key(club, 2), Member.country.set(None))
    await members.update(key(club, 4), Member.passport.set(2))
    item = await members.get(key(club, 5), consistent=True)
    assert item is not None
    item.passport = 2
    with pytest.raises(NotUnique):
        await members.save(item)


async def test_numbers_and_bytes(members: Database) -> None:
    """A number is one value however it is written; None that is stored as NULL takes none; bytes are compared whole."""
    club = unique()
    whole = int(unique(), 16) % 10**30
    await members.create(member(club, 1, badge=Decimal(whole)))
    with pytest.raises(NotUnique):
        await members.create(member(club, 2, badge=Decimal(f"{whole}.00")))
    await members.create(member(club, 2, badge=Decimal(whole * 10**8 + 1)))
    await members.create(member(club, 3, badge=Decimal(whole * 10**8 + 2)))
    await members.create(member(club, 4))
    await members.update(key(club, 4), Member.badge.set(Decimal(whole + 1)))
    await members.update(key(club, 4), Member.badge.set(None))
    await members.update(key(club, 4), Member.badge.set(Decimal(whole + 2)))
    finger = unique().encode()
    await members.create(member(club, 5, finger=finger))
    with pytest.raises(NotUnique) as caught:
        await members.put(member(club, 6, finger=finger))
    assert caught.value.owner == key(club, 5)
    await members.update(key(club, 5), Member.finger.set(finger + b"\x00"))
    await members.put(member(club, 6, finger=finger))


async def test_it_is_under_the_version(members: Database, endpoint: str) -> None:
    """Versions guard and move as without the constraint; a refused write leaves the instance as it was."""
    name = unique()
    club = await members.create(Club(club_id=unique(), name=name))
    assert club.revision == 1
    await members.update(Key(Club, club.club_id), Club.name.set(unique()))
    club.name = unique()
    for write in (members.put, members.save, members.delete):
        with pytest.raises(VersionConflict) as caught:
            await write(club)
        assert (caught.value.expected, caught.value.found) == (1, 2)
    there = await members.get(Key(Club, club.club_id), consistent=True)
    assert there is not None
    other = await members.create(Club(club_id=unique(), name=unique()))
    there.name = other.name
    with pytest.raises(NotUnique):
        await members.save(there)
    assert there.revision == 2
    there.name = name
    await members.save(there)
    assert there.revision == 3
    await members.delete(there)
    owners = [owner for owner in taken(endpoint, "clubs").values() if owner["club_id"]["S"] == club.club_id]
    assert owners == []


async def test_other_refusals_are_what_they_are(members: Database, endpoint: str) -> None:
    """A taken key, a missing item and the caller's condition are not about uniqueness, and change no marker."""
    club, mail = unique(), unique()
    there = await members.create(member(club, 1, email=mail))
    with pytest.raises(ItemExists) as exists:
        await members.create(member(club, 1, email=unique()))
    assert exists.value.item == there
    with pytest.raises(ItemNotFound):
        await members.update(key(club, 2), Member.email.set(unique()))
    for write in (
        members.put(member(club, 1, email=unique()), where=Member.age > 5),
        members.update(key(club, 1), Member.email.set(unique()), where=Member.age > 5),
        members.delete(key(club, 1), where=Member.age > 5),
    ):
        with pytest.raises(ConditionFailed) as caught:
            await write
        assert type(caught.value) is ConditionFailed
        assert caught.value.item == there
    assert values_of(endpoint, club) == {mail: 1}


async def test_in_a_transaction(members: Database, endpoint: str) -> None:
    """Claims and releases of several items and tables; a taken value cancels it all, at its operation."""
    club, mail = unique(), unique()
    await members.create(member(club, 1, email=mail))
    async with members.transaction() as tx:
        tx.create(member(club, 2, email=f"{mail}-2"))
        tx.update(key(club, 1), Member.email.set(f"{mail}-1"))
        tx.create(Club(club_id=club, name=mail))
    assert values_of(endpoint, club) == {f"{mail}-1": 1, f"{mail}-2": 2}
    with pytest.raises(TransactionCancelled) as caught:
        await (
            members.transaction()
            .update(key(club, 1), Member.age.add(1))
            .put(member(club, 3, email=f"{mail}-2"))
            .delete(key(club, 9))
        )
    (failure,) = caught.value.failures
    assert failure.index == 1
    assert isinstance(failure.error, NotUnique)
    assert failure.error.owner == key(club, 2)
    assert values_of(endpoint, club) == {f"{mail}-1": 1, f"{mail}-2": 2}
    assert await members.get(key(club, 3), consistent=True) is None


async def test_a_value_moves_and_values_are_swapped(members: Database, endpoint: str) -> None:
    """In one transaction: from an item that is deleted to a new one, and between two items."""
    club, mail = unique(), unique()
    await members.create(member(club, 1, email=mail))
    await members.transaction().delete(key(club, 1)).create(member(club, 2, email=mail))
    assert values_of(endpoint, club) == {mail: 2}
    await members.create(member(club, 3, email=f"{mail}-3"))
    await (
        members.transaction()
        .update(key(club, 2), Member.email.set(f"{mail}-3"))
        .update(key(club, 3), Member.email.set(mail))
    )
    assert values_of(endpoint, club) == {mail: 3, f"{mail}-3": 2}


async def test_items_from_before_the_constraint(members: Database, endpoint: str) -> None:
    """They have no markers: a put of each gives it one; a value that two of them have stays the first one's."""
    club, mail = unique(), unique()
    for number in (1, 2):
        raw = {"club": {"S": club}, "number": {"N": str(number)}, "mail": {"S": mail}}
        assert call(endpoint, "PutItem", {"TableName": f"{PREFIX}members", "Item": raw})[0] == 200
    one = await members.get(key(club, 1), consistent=True)
    two = await members.get(key(club, 2), consistent=True)
    assert one is not None
    assert two is not None
    one.badge = two.badge = None  # an absent one reads as its default, which is a value
    await members.put(one)
    assert values_of(endpoint, club) == {mail: 1}
    with pytest.raises(NotUnique) as caught:
        await members.put(two)
    assert caught.value.owner == key(club, 1)
    two.email = f"{mail}-2"
    await members.save(two)
    assert values_of(endpoint, club) == {mail: 1, f"{mail}-2": 2}
    await members.delete(two)
    assert values_of(endpoint, club) == {mail: 1}


async def test_the_tables_come_and_go_together(db: Database) -> None:
    """create, ensure and delete of the model include the markers' table; it is there for the first write."""
    await db.tables.create(Club)
    await db.create(Club(club_id="c1", name="one"))
    await db.tables.ensure(Club)
    with pytest.raises(NotUnique):
        await db.create(Club(club_id="c2", name="one"))
    await db.tables.delete(Club)
    markers = spec_of(Club).marker_table
    assert markers is not None
    assert not await db.tables.exists(Club)
    assert not await db.tables.exists(markers)


async def test_an_empty_text_is_a_value(members: Database, engine: str) -> None:
    """Unlike None."""
    if differs(engine, "empty-values"):
        return
    club = unique()
    await members.update(key(club, 1), Member.email.set(""), upsert=True)
    try:
        with pytest.raises(NotUnique):
            await members.update(key(club, 2), Member.email.set(""), upsert=True)
    finally:
        await members.delete(key(club, 1))
