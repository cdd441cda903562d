"""Expired and soft-deleted items are left out of every kind of read, and of nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from dynamorm_async import CursorError, Database, ItemExists, Key, NoUsableIndex, Query, Scan, UsageError
from tests.contract.differences import differs
from tests.contract.hiding_models import (
    KIND,
    PREFIX,
    START,
    USER,
    Clock,
    Note,
    Paper,
    Session,
    Token,
    clock,
    hidden,
    sessions,
)
from tests.contract.models import unique
from tests.engines import call

__all__ = ["clock", "hidden", "sessions"]

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
EPOCH = int(START.timestamp())
GONE = {1, 4, 7}  # these have expired, or do so at this very second
LASTING = (2, 5, 8)  # these never expire


def numbers(items: Sequence[Any]) -> list[int]:
    return sorted(item.number for item in items)


Reading = Query[Any] | Scan[Any]
READINGS: dict[str, Callable[[Database, str, str], Reading]] = {
    "table": lambda db, user, _kind: db.query(Session).where(Session.user == user),
    "filtered": lambda db, user, _kind: db.query(Session).where(Session.user == user, Session.weight > 0),
    "an alternative": lambda db, user, kind: (
        db.query(Session).where(Session.user == user, (Session.weight > 0) | (Session.kind == kind))
    ),
    "merged": lambda db, user, _kind: db.query(Session).where(Session.user == user, Session.number.is_in(range(1, 10))),
    "global index": lambda db, _user, kind: db.query(Session).where(Session.kind == kind).using(Session.by_kind),
    "partial": lambda db, _user, kind: db.query(Session).where(Session.kind == kind).using(Session.with_times),
    "hydrated": lambda db, _user, kind: (
        db.query(Session).where(Session.kind == kind).using(Session.without_times).hydrate()
    ),
    "scan": lambda db, user, _kind: db.scan(Session).where(Session.user == user),
    "parallel scan": lambda db, user, _kind: db.scan(Session).where(Session.user == user).segments(3),
    "scan of an index": lambda db, _user, kind: db.scan(Session).where(Session.kind == kind).using(Session.by_kind),
}  # fmt: skip
KEYED: dict[str, Callable[[Database, str, str], Reading]] = {
    "local index on the time": lambda db, user, _kind: (
        db.query(Session).where(Session.user == user).using(Session.by_expiry)
    ),
    "a range of the time": lambda db, user, _kind: db.query(Session).where(
        Session.user == user, Session.expires < START + timedelta(days=1)
    ),
    "global index on the time": lambda db, _user, kind: (
        db.query(Session).where(Session.kind == kind).using(Session.expiries)
    ),
    "hydrated index on the time": lambda db, _user, kind: (
        db.query(Session).where(Session.kind == kind).using(Session.expiries).hydrate()
    ),
    "scan of an index on the time": lambda db, _user, kind: (
        db.scan(Session).where(Session.kind == kind).using(Session.expiries)
    ),
}


def told(name: str) -> tuple[list[int], list[int]]:
    """Which numbers a reading gives, and which with hidden ones; an index on the time does not have those without."""
    every = [n for n in range(1, 10) if name in READINGS or n not in LASTING]
    return [n for n in every if n not in GONE], every


@pytest.mark.parametrize("name", [*READINGS, *KEYED])
async def test_expired_items_are_left_out(sessions: Database, name: str) -> None:
    """Every way to read leaves out exactly the expired ones, whether DynamoDB can filter them or not."""
    reading = {**READINGS, **KEYED}[name](sessions, USER, KIND)
    alive, every = told(name)
    assert numbers(await reading) == alive
    assert numbers(await reading.with_hidden()) == every
    assert numbers([item async for item in reading]) == alive
    assert numbers(await reading.limit(len(alive))) == alive, "a limit counts what is given, not what is read"
    assert sorted(row[0] for row in await reading.select(Session.number)) == alive
    assert await reading.sum(Session.number) == sum(alive)
    assert await reading.max(Session.number) == max(alive)
    assert (await reading.first()) is not None
    if name != "hydrated":  # what its index holds does not tell
        assert await reading.count() == len(alive), (
            "where DynamoDB counts, and where it cannot leave out what has expired"
        )
        assert await reading.with_hidden().count() == len(every)


@pytest.mark.parametrize("name", [*READINGS, *KEYED])
async def test_pages_of_what_is_not_hidden(sessions: Database, name: str) -> None:
    """Pages of every size give each item that is not hidden once, and none of the hidden ones."""
    reading = {**READINGS, **KEYED}[name](sessions, USER, KIND)
    for size in (1, 4):
        found, cursor = list[Any](), None
        while True:
            page = await reading.page(size=size, cursor=cursor)
            found += page.items
            if page.cursor is None:
                break
            cursor = page.cursor
        assert numbers(found) == told(name)[0]


@pytest.mark.parametrize("name", sorted({*READINGS, *KEYED} - {"parallel scan"}))
async def test_a_cursor_outlives_the_moment(sessions: Database, clock: Clock, name: str) -> None:
    """A cursor made an hour ago still works; what has expired since is not on the pages after it."""
    reading = {**READINGS, **KEYED}[name](sessions, USER, KIND)
    first = await reading.page(size=1)
    clock.move(hours=1)
    second = await reading.page(size=20, cursor=first.cursor)
    assert first.count == 1
    everything = {*numbers(first.items), *numbers(second.items)}
    assert everything - set(numbers(first.items)) <= set(LASTING)
    if name in READINGS:
        assert everything >= set(LASTING)


@pytest.mark.parametrize("name", ["table", "hydrated", "local index on the time"])
async def test_a_cursor_belongs_to_what_is_hidden(sessions: Database, name: str) -> None:
    """A cursor of a reading that hides is not one of a reading that does not: a client cannot look behind it."""
    reading = {**READINGS, **KEYED}[name](sessions, USER, KIND)
    page = await reading.with_hidden().page(size=2)
    with pytest.raises(CursorError, match="conditions or segments differ"):
        await reading.page(size=2, cursor=page.cursor)


async def test_the_very_second(hidden: Database, clock: Clock) -> None:
    """An item is there until the second before it expires, and gone from the second at which it does."""
    token, user = unique(), unique()
    await hidden.put(Token(token=token, expires=EPOCH + 10))
    await hidden.put(Session(user=user, number=1, expires=START + 10 * SECOND))
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: hidden.get(Token, token, consistent=True),
        lambda: hidden.get(Key(Session, user, 1), consistent=True),
        hidden.query(Token).where(Token.token == token).consistent().first,
        hidden.query(Session).where(Session.user == user).consistent().first,
        hidden.query(Session).where(Session.user == user).using(Session.by_expiry).consistent().first,
    ]
    for clock.now, there in ((START + 9.999999 * SECOND, True), (START + 10 * SECOND, False), (START + SECOND, True)):
        assert [await read() is not None for read in reads] == [there] * len(reads)


async def test_get_returns_what_is_hidden_where_asked(hidden: Database) -> None:
    """``hidden=True`` returns expired and soft-deleted items whole; others are returned either way."""
    lasting = await hidden.create(Note(note_id=unique()))
    expired = await hidden.create(Note(note_id=unique(), expires=EPOCH - 5))
    deleted = await hidden.create(Note(note_id=unique()))
    await hidden.delete(deleted)
    for note, there in ((lasting, True), (expired, False), (deleted, False)):
        assert await hidden.get(Note, note.note_id, consistent=True) == (note if there else None)
        assert await hidden.get(Note, note.note_id, consistent=True, hidden=True) == note
        found = await hidden.query(Note).where(Note.note_id == note.note_id).consistent()
        assert found == ([note] if there else [])
        everything = await hidden.query(Note).where(Note.note_id == note.note_id).consistent().with_hidden()
        assert everything == [note]


async def test_null_marks_nothing(hidden: Database, endpoint: str) -> None:
    """Other programs write NULL for no time: such an item neither has expired nor is soft-deleted, by get or query."""
    note_id = unique()
    null = {"NULL": True}
    item = {"note_id": {"S": note_id}, "expires": null, "gone": null}
    assert call(endpoint, "PutItem", {"TableName": f"{PREFIX}notes", "Item": item})[0] == 200
    assert await hidden.get(Note, note_id, consistent=True) == Note(note_id=note_id)
    assert await hidden.query(Note).where(Note.note_id == note_id).consistent() == [Note(note_id=note_id)]
    await hidden.delete(Key(Note, note_id))
    assert await hidden.get(Note, note_id, consistent=True) is None


async def test_soft_deleted_items_are_left_out(hidden: Database) -> None:
    """Query, scan, count and an index leave them out; with_hidden() gives them back."""
    shelf = unique()
    papers = [await hidden.create(Paper(shelf=shelf, number=n, title=shelf)) for n in range(4)]
    await hidden.delete(papers[1])
    await hidden.delete(Key(Paper, shelf, 3))
    on_shelf = Paper.shelf == shelf
    titled = hidden.query(Paper).where(Paper.title == shelf).hydrate()
    readings: list[Reading] = [hidden.query(Paper).where(on_shelf), hidden.scan(Paper).where(on_shelf), titled]
    for reading in readings:
        assert numbers(await reading) == [0, 2]
        assert numbers(await reading.with_hidden()) == [0, 1, 2, 3]
        assert await reading.sum(Paper.number) == 2
    assert [await reading.count() for reading in readings[:2]] == [2, 2]
    assert await titled.with_hidden().count() == 4


async def test_what_was_soft_deleted_can_be_asked_for(hidden: Database, clock: Clock) -> None:
    """Conditions on the mark work with_hidden(), through the index on it; without, nothing is left for them."""
    shelf = unique()
    for number in range(4):
        await hidden.create(Paper(shelf=shelf, number=number))
    for number in (2, 0):
        clock.move(hours=1)
        await hidden.delete(Key(Paper, shelf, number))
    binned = hidden.query(Paper).with_hidden().where(Paper.shelf == shelf, Paper.deleted > START)
    assert binned.explain().target == "index bin"
    assert [paper.number for paper in await binned] == [2, 0]
    assert [paper.number for paper in await binned.descending()] == [0, 2]
    later = START + timedelta(minutes=90)
    scanned = hidden.scan(Paper).where(Paper.shelf == shelf, Paper.deleted > later)
    assert numbers(await scanned.with_hidden()) == [0]
    assert await scanned == []
    unmarked = (
        hidden.query(Paper).with_hidden().where(Paper.shelf == shelf, Paper.number >= 0, Paper.deleted.not_exists())
    )
    assert numbers(await unmarked) == [1, 3]


async def test_the_index_of_the_soft_deleted_needs_with_hidden(hidden: Database) -> None:
    """It holds nothing else, so reading it without is refused before anything is sent, and says what to write."""
    query = hidden.query(Paper).where(Paper.shelf == "x", Paper.deleted > START)
    with hidden.measure() as meter:
        assert "- index bin: holds soft-deleted items only: ask for them with_hidden()" in str(query.explain())
        with pytest.raises(NoUsableIndex, match=r"index bin cannot answer this query: holds soft-deleted items only"):
            await query.using(Paper.bin)
        with pytest.raises(UsageError, match=r"index bin holds soft-deleted items only: ask for them with_hidden\(\)"):
            await hidden.scan(Paper).using(Paper.bin)
    assert meter.statistics.requests == {}


async def test_an_index_without_the_attribute_cannot_hide(sessions: Database) -> None:
    """It is refused as for a condition on an attribute that it does not hold; hydrate() and with_hidden() serve."""
    query = sessions.query(Session).where(Session.kind == KIND, Session.user == USER).using(Session.without_times)
    message = (
        r"index without_times does not hold expires, so it cannot leave out what Session hides: ask it with_hidden\(\)"
    )
    with sessions.measure() as meter:
        scan = sessions.scan(Session).using(Session.without_times)
        for refused in (query, query.hydrate().count(), query.select(Session.weight).first(), scan):
            with pytest.raises(UsageError, match=message):
                await refused
    assert meter.statistics.requests == {}
    assert numbers(await query.hydrate()) == told("table")[0]
    assert numbers(await query.with_hidden()) == list(range(1, 10))
    assert await query.with_hidden().count() == 9


async def test_create_over_a_soft_deleted_item(hidden: Database, engine: str) -> None:
    """The key is still taken: ItemExists says by what, carries it, and names both ways out."""
    paper = await hidden.create(Paper(shelf=unique(), number=1))
    await hidden.delete(paper)
    with pytest.raises(ItemExists) as caught:
        await hidden.create(Paper(shelf=paper.shelf, number=1))
    if not differs(engine, "failed-condition-returns-item"):
        assert caught.value.item == paper
        assert "which is soft-deleted: restore() it, or delete it with hard=True" in str(caught.value)
    await hidden.delete(paper, hard=True)
    await hidden.create(Paper(shelf=paper.shelf, number=1))


async def test_writes_do_not_look_at_what_is_hidden(hidden: Database, clock: Clock) -> None:
    """Put, save and update write expired and soft-deleted items as any other, and leave the mark alone."""
    paper = await hidden.create(Paper(shelf=unique(), number=1))
    await hidden.delete(paper)
    deleted = clock.now
    clock.move(minutes=1)
    paper.title = "saved"
    await hidden.save(paper)
    updated = await hidden.update(Key(Paper, paper.shelf, 1), Paper.title.set("updated"))
    assert (updated.deleted, updated.title, updated.revision) == (deleted, "updated", 4)
    updated.title = "put"
    await hidden.put(updated)
    assert await hidden.get(Paper, paper.shelf, 1, consistent=True) is None
    assert await hidden.get(Paper, paper.shelf, 1, consistent=True, hidden=True) == updated
