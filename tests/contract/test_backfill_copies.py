"""Copies and dual writes: one model takes the place of another, and nothing is lost on the way."""

from __future__ import annotations

import pytest

from dynamorm_async import ConditionFailed, Database, ItemExists, Key, UsageError, VersionConflict
from dynamorm_async.backfills import DualWrite, copy
from tests.contract.backfill_models import Account, Member, Person, PersonCopy, people

pytestmark = pytest.mark.anyio

# The two engines that count, each through one lane; what stands without this is tried on all.
TRUSTED = pytest.mark.parametrize(
    "target", [("dynoxide", "direct"), ("dynamodb-local", "sdk")], ids="-".join, indirect=True
)


def to_member(person: Person) -> Member:
    return Member(member_id=f"m-{person.person_id}", name=person.first)


def to_person(member: Member) -> Person:
    return Person(person_id=member.member_id.removeprefix("m-"), first=member.name)


async def members(db: Database) -> dict[str, Member]:
    return {member.member_id: member async for member in db.scan(Member).consistent()}


@TRUSTED
@pytest.mark.parametrize("guarded", [True, False])
async def test_all_items_are_copied_and_counted(db: Database, *, guarded: bool) -> None:
    """Each item becomes one of the target; what the target has already, and what is left out, stays as it is."""
    await people(db, 12)
    await db.tables.ensure(Member)
    await db.create(Member(member_id="m-p3", name="Theirs"))

    async def transform(person: Person) -> Member | None:
        return None if person.person_id == "p4" else to_member(person)

    async def copied() -> tuple[int, int, int | None]:
        result = await copy(db, Person, Member, transform, guarded=guarded, segments=2, page_size=5)
        assert (result.source_items, result.target_items) == (12, 11)
        return result.copied, result.skipped, result.missing

    assert await copied() == (10, 2, 1)
    found = await members(db)
    assert (found["m-p3"].name, found["m-p5"].name, len(found)) == ("Theirs", "First5", 11)
    assert await copied() == (10, 2, 1)


@TRUSTED
async def test_the_same_attributes_are_taken_over(db: Database) -> None:
    """Without a transform, the attributes that both models have are copied, of those that ``where`` lets through."""
    await people(db, 4)
    await db.tables.ensure(PersonCopy)
    await db.update(Key(Person, "p1"), Person.changes.set(7))
    result = await copy(db, Person, PersonCopy, where=Person.changes == 7, segments=1)
    assert [(one.person_id, one.first, one.changes) for one in await db.scan(PersonCopy)] == [("p1", "First1", 7)]
    assert (result.copied, result.source_items, result.target_items, result.missing) == (1, 1, 1, 0)


@TRUSTED
async def test_a_deleted_item_does_not_come_back(db: Database) -> None:
    """An item that is deleted, or written, after it was read for the copy is not copied as it was."""
    await people(db, 3)
    await db.tables.ensure(Member)
    calls: list[str] = []

    async def transform(person: Person) -> Member:
        calls.append(person.person_id)
        if person.person_id == "p0":
            await db.delete(Key(Person, "p0"))
        if person.person_id == "p1" and calls.count("p1") == 1:
            await db.update(Key(Person, "p1"), Person.first.set("Grace"))
        return to_member(person)

    result = await copy(db, Person, Member, transform, segments=1)
    assert {key: member.name for key, member in (await members(db)).items()} == {"m-p1": "Grace", "m-p2": "First2"}
    assert (result.copied, result.skipped, result.missing) == (2, 1, 0)


async def test_both_are_written_or_neither(db: Database) -> None:
    """In the phase ``both``, each write goes to both models, by instances of either; a failure is that of the call alone."""
    await db.tables.ensure(Person, Member)
    both = DualWrite(db, Person, Member, forward=to_member, backward=to_person)
    ada = Person(person_id="p1", first="Ada")
    await both.create(ada)
    assert (await members(db))["m-p1"].name == "Ada"
    with pytest.raises(ItemExists):
        await both.create(Person(person_id="p1", first="Eve"))
    ada.first = "Augusta"
    await both.save(ada)
    member = (await members(db))["m-p1"]
    assert (member.name, member.revision) == ("Augusta", 2)
    member.name = "Ada"
    await both.save(member)
    person = await db.get(Person, "p1", consistent=True)
    assert person is not None
    assert person.first == "Ada"
    with pytest.raises(VersionConflict):
        await both.save(_stale(member))
    await both.put(Person(person_id="p2", first="Grace"))
    await both.delete(person)
    assert (set(await members(db)), [one.person_id for one in await db.scan(Person)]) == ({"m-p2"}, ["p2"])


def _stale(member: Member) -> Member:
    """The same member, as an instance that does not know of the last write."""
    member.revision -= 1
    member.name = "stale"
    return member


@TRUSTED
async def test_a_save_of_what_others_changed_is_refused(db: Database) -> None:
    """Without a version, a save is made of the whole item, so it insists that nobody changed any of it."""
    await db.tables.ensure(Person, Member)
    both = DualWrite(db, Person, Member, forward=to_member, backward=to_person)
    await both.create(Person(person_id="p1", first="Ada"))
    ours, theirs = await db.get(Person, "p1", consistent=True), await db.get(Person, "p1", consistent=True)
    assert ours is not None
    assert theirs is not None
    theirs.by_others = 1
    await both.save(theirs)
    ours.first = "Augusta"
    with pytest.raises(ConditionFailed):
        await both.save(ours)
    assert (await members(db))["m-p1"].name == "Ada"


@TRUSTED
async def test_one_phase_after_another(db: Database) -> None:
    """Before and after the window one model is written alone, whichever the instance is of; the copy fills what is left."""
    await db.tables.ensure(Person, Member)

    def phase(name: str) -> DualWrite[Person, Member]:
        return DualWrite(db, Person, Member, forward=to_member, backward=to_person, phase=name)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a name of a list

    await phase("old").create(Person(person_id="p1", first="Ada"))
    await phase("old").put(Member(member_id="m-p2", name="Grace"))
    assert await members(db) == {}
    await phase("both").create(Person(person_id="p3", first="Mary"))
    result = await copy(db, Person, Member, to_member, segments=1)
    assert (result.copied, result.skipped, result.missing) == (2, 1, 0)
    new = phase("new")
    await new.put(Person(person_id="p1", first="Augusta"))
    await new.delete(Person(person_id="p2"))
    mary = (await members(db))["m-p3"]
    mary.name = "Maria"
    await new.save(mary)
    assert {key: member.name for key, member in (await members(db)).items()} == {"m-p1": "Augusta", "m-p3": "Maria"}
    assert {person.first for person in await db.scan(Person)} == {"Ada", "Grace", "Mary"}


async def test_what_cannot_be_dual_is_refused() -> None:
    """Soft deletes, one model twice, an unknown phase and a missing function are told before anything is sent."""
    db = Database(region="eu-west-1")
    with pytest.raises(UsageError, match="Account, which has deleted_at"):
        DualWrite(db, Account, Member, forward=lambda _: Member(member_id="m", name="n"))
    with pytest.raises(UsageError, match="DualWrite of Person to itself"):
        DualWrite(db, Person, Person, forward=lambda person: person)
    with pytest.raises(UsageError, match="phase='all'"):
        DualWrite(db, Person, Member, forward=to_member, phase="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as callers without a checker do
    one_way = DualWrite(db, Person, Member, forward=to_member)
    with pytest.raises(UsageError, match="needs backward="):
        await one_way.create(Member(member_id="m", name="n"))
    with pytest.raises(UsageError, match="takes instances of these, got Account"):
        await one_way.create(Account(org="a", number=1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
    with pytest.raises(UsageError, match="both are the same items of table people"):
        await copy(db, Person, Person)
    with pytest.raises(UsageError, match="Person has no member_id"):
        await copy(db, Person, Member)
    assert db.lane is None
