"""Every way to read the same items gives the same items, once each, in order, and reads no more pages than it needs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import NotOne, Page, Query
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, Read, event_lists, filled, query_of, raw_items, scan_of
from tests.property.shared_table import Note, shared_items
from tests.property.sizing import examples

pytestmark = pytest.mark.anyio
TABLE = spec_of(Event).table
Key: TypeAlias = tuple[str, int]


def by_seq(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.seq)


def by_place(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.weight, event.seq, event.stream))


QUERIES: dict[str, tuple[Callable[[Query[Event]], Query[Event]], Callable[[list[Event]], list[Event]]]] = {
    "one partition": (
        lambda query: query.where(Event.stream == "a"),
        lambda events: by_seq([e for e in events if e.stream == "a"]),
    ),
    "descending": (
        lambda query: query.where(Event.stream == "a", Event.seq > 4).descending(),
        lambda events: by_seq([e for e in events if e.stream == "a" and e.seq > 4])[::-1],
    ),
    "a filter": (
        lambda query: query.where(Event.stream == "b", Event.owner == "ada"),
        lambda events: by_seq([e for e in events if e.stream == "b" and e.owner == "ada"]),
    ),
    "several sort keys": (
        lambda query: query.where(Event.stream == "a", Event.seq.is_in([7, 3, 3, 12, 1])),
        lambda events: by_seq([e for e in events if e.stream == "a" and e.seq in (1, 3, 7, 12)]),
    ),
    "a global index": (
        lambda query: query.where(Event.region == "eu", Event.kind.is_in(["odd", "even"])).using(Event.by_place),
        by_place,
    ),
    "a filter on a global index, descending": (
        lambda query: (
            query.where(Event.region == "eu", Event.kind.is_in(["odd", "even"]), Event.owner == "bob")
            .using(Event.by_place)
            .descending()
        ),
        lambda events: by_place([e for e in events if e.owner == "bob"])[::-1],
    ),
    "whole items of a keys-only index": (
        lambda query: query.where(Event.kind == "odd").using("keys_by_kind").hydrate(),
        lambda events: sorted([e for e in events if e.kind == "odd"], key=lambda e: (e.weight, e.stream, e.seq)),
    ),
}


def keys(events: list[Event]) -> list[Key]:
    return [(event.stream, event.seq) for event in events]


async def pages_of(read: Read, size: int) -> list[Page[Event]]:
    pages = [await read.page(size=size)]
    while pages[-1].cursor is not None:
        pages.append(await read.page(size=size, cursor=pages[-1].cursor))
    return pages


async def resumed_everywhere(read: Read) -> list[Event]:
    """All items, with a new stream from a checkpoint after each of them."""
    found: list[Event] = []
    resumed = read
    while True:
        async with resumed.stream() as stream:
            event = await anext(stream, None)
            if event is None:
                return found
            found.append(event)
            resumed = read.after(stream.checkpoint())


def joined(pages: list[Page[Event]]) -> list[Event]:
    return [event for page in pages for event in page.items]


@examples(120)
@given(event_lists(), st.sampled_from(sorted(QUERIES)), st.integers(1, 5), st.integers(1, 4), st.integers(1, 6))
async def test_a_query_reads_the_same_in_every_way(
    events: list[Event], name: str, page_size: int, natural: int, limit: int
) -> None:
    """await, async for, pages(), page(), checkpoints, first(), one(), count() agree, whatever the pages' size."""
    asked, expected_of = QUERIES[name]
    table = FakeTable(TABLE, raw_items(*events), natural=natural)
    whole, expected = asked(query_of(Event, table.send)), expected_of(events)
    for query in (whole, whole.page_size(page_size), whole.prefetch(False)):
        assert await query == expected
        assert [event async for event in query] == expected
        assert joined([page async for page in query.pages()]) == expected
        assert joined(await pages_of(query, limit)) == expected
        assert await resumed_everywhere(query) == expected
        assert await query.count() == len(expected)
        assert await query.limit(limit) == expected[:limit]
        assert [event async for event in query.limit(limit)] == expected[:limit]
        assert joined([page async for page in query.limit(limit).pages()]) == expected[:limit]
        assert await query.limit(limit).count() == len(expected[:limit])
        assert await query.first() == next(iter(expected), None)
        if len(expected) == 1:
            assert await query.one() == expected[0]
        else:
            with pytest.raises(NotOne) as caught:
                await query.one()
            assert caught.value.found == min(len(expected), 2)
    assert table.in_flight == 0


@examples(120)
@given(event_lists(), st.integers(1, 5), st.integers(1, 5), st.sampled_from([None, "ada", "bob"]), st.integers(1, 6))
async def test_a_scan_reads_the_same_in_every_way(
    events: list[Event], segments: int, page_size: int, owner: str | None, limit: int
) -> None:
    """Each item once, over any number of segments, by every way to read, and with checkpoints anywhere."""
    table = FakeTable(TABLE, raw_items(*events), natural=3)
    scan = scan_of(Event, table.send)
    if page_size < 4:
        scan = scan.page_size(page_size)
    if segments > 1:
        scan = scan.segments(segments)
    if owner:
        scan = scan.where(Event.owner == owner)
    expected = Counter(keys([event for event in events if owner in (None, event.owner)]))
    assert Counter(keys(await scan)) == expected
    assert Counter(keys([event async for event in scan])) == expected
    assert Counter(keys(joined([page async for page in scan.pages()]))) == expected
    assert Counter(keys(joined(await pages_of(scan, limit)))) == expected
    assert Counter(keys(await resumed_everywhere(scan))) == expected
    assert await scan.count() == expected.total()
    limited = keys(await scan.limit(limit))
    assert len(limited) == min(limit, expected.total())
    assert Counter(limited) <= expected
    assert await scan.limit(limit).count() == len(limited)


@examples(60)
@given(event_lists(), st.integers(0, 12), st.integers(1, 4), st.sampled_from(sorted(QUERIES)))
async def test_a_checkpoint_at_any_position_goes_on_there(
    events: list[Event], at: int, page_size: int, name: str
) -> None:
    """What was consumed and what comes after the checkpoint are all items once, also in another process's query."""
    asked, expected_of = QUERIES[name]
    table, expected = FakeTable(TABLE, raw_items(*events)), expected_of(events)
    query = asked(query_of(Event, table.send)).page_size(page_size)
    async with query.stream() as stream:
        first = [event for _ in range(at) if (event := await anext(stream, None)) is not None]
        cursor = stream.checkpoint()
    assert first == expected[:at]
    assert await asked(query_of(Event, table.send)).after(cursor) == expected[at:]
    assert await asked(query_of(Event, table.send)).after(cursor).count() == len(expected[at:])
    assert joined([page async for page in query.after(cursor).pages()]) == expected[at:]


async def test_a_stream_that_has_ended_stays_ended() -> None:
    """After the last item every further anext() ends at once, and sends nothing."""
    for items in ([], raw_items(Event(stream="a", seq=1))):
        table = FakeTable(TABLE, items)
        stream = query_of(Event, table.send).where(Event.stream == "a").stream()
        assert len([event async for event in stream]) == len(items)
        assert [await anext(stream, None) for _ in range(3)] == [None] * 3
        assert (await stream.take(5)).items == []
        assert await stream.next_page() is None
        assert len(table.requests) == 1


async def test_equal_sort_keys_keep_their_parts_order() -> None:
    """Merged parts with equal sort keys come in the order in which the values were given, both ways."""
    table = FakeTable(TABLE, filled(3, streams="abc"))
    query = query_of(Event, table.send).where(Event.stream.is_in(["c", "a"])).page_size(1)
    assert keys(await query) == [(s, n) for n in range(3) for s in "ca"]
    assert keys(await query.descending()) == [(s, n) for n in (2, 1, 0) for s in "ca"]


async def test_pages_tell_what_was_read() -> None:
    """A page has its items, how many were read for them, what that cost, and a cursor where there may be more."""
    table = FakeTable(TABLE, filled(5))

    async def reporting(request: Request, timeout: float | None, /) -> Response:
        body = {**request.body, "ReturnConsumedCapacity": "TOTAL"}
        return await table.send(Request(operation=request.operation, body=body, table=request.table), timeout)

    query = query_of(Event, reporting).where(Event.stream == "a", Event.kind == "odd")
    pages = [page async for page in query.page_size(2).pages()]
    assert [(page.count, page.scanned_count, page.capacity.read, page.has_more) for page in pages] == [
        (1, 2, 2.0, True),
        (1, 2, 2.0, True),
        (0, 1, 1.0, False),
    ]
    assert [page.cursor is None for page in pages] == [False, False, True]


@pytest.mark.parametrize("count", range(5))
async def test_has_more_is_exact_without_a_filter(count: int) -> None:
    """page() has a cursor just where there is another item, also where the items end with the page."""
    table = FakeTable(TABLE, filled(count))
    query = query_of(Event, table.send).where(Event.stream == "a")
    for size in range(1, 6):
        table.requests.clear()
        page = await query.page(size=size)
        assert (page.count, page.has_more) == (min(count, size), count > size)
        assert len(table.requests) == 1


async def test_a_page_in_the_middle_of_a_shared_tables_index() -> None:
    """Cursors hold index key attributes that the model does not have."""
    table = FakeTable(spec_of(Note).table, shared_items(5))
    query = query_of(Note, table.send).where(Note.topic == "t").using("by_topic")
    first = await query.page(size=2)
    second = await query.page(size=2, cursor=first.cursor)
    third = await query.page(size=2, cursor=second.cursor)
    found = itertools.chain(first.items, second.items, third.items)
    assert [note.note_id for note in found] == ["4", "3", "2", "1", "0"]
    assert third.cursor is None
