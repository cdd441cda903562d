"""Pages and cursors: every item once, in order, from any position; and no cursor that reads what it should not."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dynamorm_async import CursorError, Database, Page, Query, Scan, UsageError
from tests.contract.reading_models import SECRETS, Badge, Parcel, connect, depots, where
from tests.engines import Lane

__all__ = ["depots"]

pytestmark = pytest.mark.anyio

Reading = Query[Any] | Scan[Any]
EAST = Parcel.depot == "east"

# Each has nine or ten items, and each pages in a way of its own.
READINGS: dict[str, Callable[[Database], Reading]] = {
    "table": lambda db: db.query(Parcel).where(EAST),
    "descending": lambda db: db.query(Parcel).where(EAST).descending(),
    "local index": lambda db: db.query(Parcel).where(EAST).using(Parcel.by_weight),
    "global index": lambda db: db.query(Parcel).where(Parcel.carrier == "ups", Parcel.number < 70),
    "global index, descending": lambda db: db.query(Parcel).where(Parcel.carrier == "dhl", Parcel.number > 20).descending(),
    "partial": lambda db: db.query(Parcel).using(Parcel.by_status).where(Parcel.status == "sent"),
    "hydrated": lambda db: db.query(Parcel).where(Parcel.status == "sent").hydrate(),
    "selected": lambda db: db.query(Parcel).where(EAST).select(Parcel.town),
    "filtered": lambda db: db.query(Parcel).where(Parcel.carrier == "ups", Parcel.town != "Bonn"),
    "filtered to whole empty pages": lambda db: db.query(Parcel).where(Parcel.carrier == "ups", Parcel.score == 0).page_size(1),
    "merged": lambda db: db.query(Parcel).where(Parcel.depot.is_in(["north", "east"]), Parcel.number < 40),
    "merged, descending": lambda db: (
        db.query(Parcel).where(Parcel.depot.is_in(["north", "east"]), Parcel.number > 40).descending()
    ),
    "one after another": lambda db: db.query(Badge).where(Badge.code.is_in(["b3", "b0", "b9", "b5", "b1"])),
    "scan": lambda db: db.scan(Badge),
    "filtered scan": lambda db: db.scan(Parcel).where(EAST),
}  # fmt: skip


@pytest.fixture
async def db(endpoint: str, lane: Lane, depots: Database) -> AsyncIterator[Database]:  # noqa: ARG001 - fills the tables
    """A database on the filled tables; cursors are sealed on one lane and readable on the other: engines see both."""
    async with connect(endpoint, lane, secrets=SECRETS if lane == "direct" else ()) as database:
        yield database


async def walk(reading: Reading, size: int) -> list[Page[Any]]:
    """All the pages, as a web client would go through them."""
    pages = [await reading.page(size=size)]
    while pages[-1].has_more:
        pages.append(await reading.page(size=size, cursor=pages[-1].cursor))
    return pages


@pytest.mark.parametrize("name", READINGS)
async def test_every_page_size_gives_all_items_once(db: Database, name: str) -> None:
    """Pages of any size give what the whole reading gives, in order; all but the last are full."""
    reading = READINGS[name](db)
    everything = await reading
    assert len(everything) > 3
    whole = len(everything)
    for size in (1, 2, 3, whole - 1, whole, whole + 1):
        pages = await walk(reading, size)
        assert list(itertools.chain.from_iterable(page.items for page in pages)) == everything
        assert all(page.count == size for page in pages[:-1])
        assert pages[-1].cursor is None
        assert all(page.scanned_count >= page.count for page in pages[:-1])


@pytest.mark.parametrize("name", READINGS)
async def test_a_cursor_goes_on_from_every_position(db: Database, name: str) -> None:
    """after() any number of items gives the others: from a page's cursor, and from a stream's checkpoint."""
    reading = READINGS[name](db)
    everything = await reading
    async with reading.stream() as stream:
        for position in range(1, len(everything) + 1):
            assert await anext(stream) == everything[position - 1]
            rest = everything[position:]
            checkpoint = stream.checkpoint()
            assert await reading.after(checkpoint) == rest
            assert await reading.after(checkpoint).count() == len(rest)
            page = await reading.page(size=position)
            if page.cursor is not None:
                assert await reading.after(page.cursor).limit(2) == rest[:2]
            else:
                assert rest == []
    assert await reading.after(stream.checkpoint()).first() is None


async def test_without_a_filter_the_last_page_is_known(db: Database) -> None:
    """A page that ends at the last item has no cursor: a client is not sent to an empty page."""
    for name in ("table", "descending", "local index", "global index", "scan"):
        reading = READINGS[name](db)
        count = len(await reading)
        assert [len(page.items) for page in await walk(reading, count)] == [count]
        assert [len(page.items) for page in await walk(reading, count - 1)] == [count - 1, 1]


async def test_pages_come_as_dynamodb_sends_them(db: Database) -> None:
    """pages() gives every page, also those that a filter emptied; each has a cursor from which reading goes on."""
    reading = db.query(Parcel).where(Parcel.carrier == "ups", Parcel.status == "sent").page_size(2)
    everything = await reading
    pages = [page async for page in reading.pages()]
    assert [item for page in pages for item in page.items] == everything
    assert [] in [page.items for page in pages]
    assert sum(page.scanned_count for page in pages) == len(where(lambda p: p.carrier == "ups"))
    assert not pages[-1].has_more
    seen = 0
    for page in pages[:-1]:
        seen += page.count
        assert page.cursor is not None
        assert await reading.after(page.cursor) == everything[seen:]
    limited = [page async for page in reading.limit(3).pages()]
    assert [item for page in limited for item in page.items] == everything[:3]
    merged = READINGS["merged"](db)
    assert [item async for page in merged.pages() for item in page.items] == await merged


async def test_pages_can_be_left(db: Database) -> None:
    """Leaving the pages early, in any way, ends what was fetched ahead."""
    reading = db.query(Parcel).where(EAST).page_size(2)
    async with reading.pages() as pages:
        first = await anext(pages)
    assert first.count == 2
    with pytest.raises(StopAsyncIteration):
        await anext(pages)
    async for page in reading.pages():
        assert page.items == first.items
        break


def others(db: Database) -> dict[str, Reading]:
    """Readings, each of which differs in one thing from the first."""
    query = db.query(Parcel).where(EAST)
    return {
        "the same": query,
        "another tenant": db.query(Parcel).where(Parcel.depot == "north"),
        "another index": query.using(Parcel.by_weight),
        "another direction": query.descending(),
        "another filter": query.where(Parcel.town == "Bonn"),
        "another range": query.where(Parcel.number > 0),
        "another operation": db.scan(Parcel),
        "segments": db.scan(Parcel).segments(2),
        "another table": db.query(Badge).where(Badge.code.is_in(["b1", "b2"])),
        "several tenants": db.query(Parcel).where(Parcel.depot.is_in(["east", "north"])),
        "no tenant": db.query(Parcel).where(EAST, Parcel.depot == "north"),
    }


async def test_a_cursor_is_bound_to_its_query(db: Database) -> None:
    """A cursor of another tenant, index, direction, condition, operation or table is refused before any request."""
    readings = others(db)
    cursors = {name: (await reading.page(size=1)).cursor for name, reading in readings.items()}
    assert [name for name, cursor in cursors.items() if cursor is None] == ["no tenant"]
    with db.measure() as meter:
        for (name, reading), (source, cursor) in itertools.product(readings.items(), cursors.items()):
            if name == source or cursor is None:
                continue
            for read in (reading.after(cursor), reading.page(cursor=cursor), reading.after(cursor).count()):
                with pytest.raises(CursorError):
                    await read
            with pytest.raises(CursorError):
                aiter(reading.after(cursor))
    assert meter.statistics.requests == {}


async def test_page_size_consistency_and_limit_may_change(db: Database) -> None:
    """What does not change which items come may differ between the pages of one reading."""
    east = where(lambda p: p.depot == "east")
    query = db.query(Parcel).where(EAST)
    cursor = (await query.page(size=3)).cursor
    assert cursor is not None
    assert await query.page_size(1).consistent().limit(4).after(cursor) == east[3:7]
    assert await query.prefetch(False).after(cursor) == east[3:]
    with pytest.raises(UsageError, match="a whole number of 1 or more"):
        await query.page(size=0)
