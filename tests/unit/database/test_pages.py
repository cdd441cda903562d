"""Pages, their cursors, and what cannot be asked of them."""

from __future__ import annotations

import pytest

from dynamorm_async import CursorError, NotOne, Query, UsageError
from dynamorm_async.model.spec import spec_of
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, filled, query_of, scan_of

pytestmark = pytest.mark.anyio
TABLE = spec_of(Event).table


def query_and_table(count: int = 7) -> tuple[Query[Event], FakeTable]:
    table = FakeTable(TABLE, filled(count), natural=3)
    return query_of(Event, table.send).where(Event.stream == "a"), table


async def test_pages_come_as_dynamodb_sends_them() -> None:
    """Empty ones included where a filter drops all; each can be gone on from in another process."""
    query, table = query_and_table()
    pages = [page async for page in query.where(Event.seq > 3, Event.owner == "ada").pages()]
    assert [[event.seq for event in page.items] for page in pages] == [[4, 5, 6], []]
    pages = [page async for page in query.where(Event.weight == 7).pages()]
    assert [(page.items, page.scanned_count, page.has_more) for page in pages][-1] == ([], 0, False)
    first = await anext(query.pages())
    assert first.cursor is not None
    assert [
        event.seq for event in await query_of(Event, table.send).where(Event.stream == "a").after(first.cursor)
    ] == [
        3,
        4,
        5,
        6,
    ]


async def test_merged_pages_have_a_hundred_items() -> None:
    """Merged parts have no pages of their own: they come a hundred at a time."""
    table = FakeTable(TABLE, filled(75, streams="ab"))
    query = query_of(Event, table.send).where(Event.stream.is_in(["a", "b"]))
    assert [page.count async for page in query.pages()] == [100, 50]
    assert [page.count async for page in query.limit(100).pages()] == [100]


async def test_pages_end_with_the_limit() -> None:
    """The last page is cut to it, and its cursor goes on behind it."""
    query, _table = query_and_table()
    pages = [page async for page in query.page_size(3).limit(4).pages()]
    assert [page.count for page in pages] == [3, 1]
    cursor = pages[-1].cursor
    assert cursor is not None
    assert [event.seq for event in await query.after(cursor)] == [4, 5, 6]


async def test_a_page_goes_on_from_after() -> None:
    """page() begins at after() where it has no cursor of its own; an empty cursor is refused, not taken for none."""
    query, table = query_and_table()
    cursor = (await query.page(size=2)).cursor
    assert cursor is not None
    assert [event.seq for event in (await query.after(cursor).page(size=2)).items] == [2, 3]
    sent = len(table.requests)
    with pytest.raises(CursorError, match="this is not a cursor of this library, or it was cut"):
        await query.page(cursor="")
    with pytest.raises(CursorError):
        await query.after("")
    assert len(table.requests) == sent


async def test_a_page_has_one_size() -> None:
    """limit() beside page(size=...) is refused: the pages after the first could not know of it. So is a size of 0."""
    query, table = query_and_table()
    with pytest.raises(UsageError, match=r"page\(\) takes its own size, .*: leave limit\(\) out"):
        await query.limit(5).page(size=3)
    with pytest.raises(UsageError, match=r"page\(size=0\): a whole number of 1 or more"):
        await query.page(size=0)
    for wrong in (lambda: query.limit(0), lambda: query.page_size(-1), lambda: scan_of(Event, table.send).segments(0)):
        with pytest.raises(UsageError, match="a whole number of 1 or more"):
            wrong()
    with pytest.raises(UsageError, match="DynamoDB has at most 1,000,000"):
        scan_of(Event, table.send).segments(1_000_001)
    for units in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="read units a second, above 0"):
            scan_of(Event, table.send).capacity(units)
    assert table.requests == []


async def test_a_filtered_page_is_filled() -> None:
    """As many requests as it takes to find its items; each reads more than one item (flaw D19)."""
    table = FakeTable(TABLE, filled(300))
    query = query_of(Event, table.send).where(Event.stream == "a", Event.kind == "odd")
    page = await query.page(size=60)
    assert [event.seq for event in page.items] == list(range(1, 120, 2))
    assert len(table.requests) == 2
    assert (await query.page(size=10, cursor=page.cursor)).items[0].seq == 121
    assert len(table.requests) == 3


async def test_one() -> None:
    """Exactly one item, or NotOne that says which it was."""
    query, _table = query_and_table()
    assert (await query.where(Event.seq == 3).one()).seq == 3
    with pytest.raises(NotOne, match="<Query of Event> has more than one item, and one") as caught:
        await query.one()
    assert caught.value.found == 2
    with pytest.raises(NotOne, match="has no item") as caught:
        await query.where(Event.seq == 99).one()
    assert caught.value.found == 0


async def test_leaving_pages_early() -> None:
    """``async with query.pages()``: when it is left, nothing is fetched any more."""
    query, table = query_and_table()
    async with query.pages() as pages:
        assert (await anext(pages)).count == 3
    assert table.in_flight == 0
    assert [page async for page in pages] == []
