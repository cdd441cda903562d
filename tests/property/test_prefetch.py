"""What a stream reads, and when: nothing beyond its limit, at most one page ahead, all parts at the same time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from dynamorm_async import BadResponse
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.property.fake_table import FakeTable, part_of
from tests.property.reading_models import (
    Event,
    Plain,
    Read,
    collect,
    filled,
    iterate,
    page_by_page,
    query_of,
    raw_items,
    scan_of,
)

pytestmark = pytest.mark.anyio
TABLE = spec_of(Event).table


@pytest.mark.parametrize("kind", [None, "odd"])
@pytest.mark.parametrize("page_size", [None, 1, 2, 3, 7])
@pytest.mark.parametrize("limit", range(1, 10))
async def test_a_limit_fetches_no_page_that_is_not_needed(limit: int, page_size: int | None, kind: str | None) -> None:
    """With limit(n) the last page asked for has the n-th item, by every way to read (flaw D19)."""
    table = FakeTable(TABLE, filled(8), natural=4)
    query = query_of(Event, table.send).where(Event.stream == "a").limit(limit)
    if page_size is not None:
        query = query.page_size(page_size)
    if kind:
        query = query.where(Event.kind == kind)
    matching = [n for n in range(8) if n % 2 or not kind]
    size = page_size or (4 if kind else limit)  # where nothing is filtered, DynamoDB is asked for just so many
    size = size if kind else min(size, limit)
    read = matching[limit - 1] + 1 if limit <= len(matching) else 9  # the eighth item does not tell that it is the last
    needed = -(-read // size)
    reads = (
        lambda: collect(query),
        lambda: iterate(query),
        lambda: page_by_page(query),
        query.count,
    )
    for run in reads:
        table.requests.clear()
        await run()
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(table.requests) == needed
        assert table.in_flight == 0


@pytest.mark.parametrize("parts", ["one", "merged", "segments", "in turn"])
async def test_at_most_one_page_is_fetched_ahead(parts: str) -> None:
    """However slow the consumer: each part has its present page and at most one more, fetched or in flight."""
    table = FakeTable(TABLE, filled(9, streams="abc"))
    size = 2
    reads: dict[str, Callable[[], Read]] = {
        "one": lambda: query_of(Event, table.send).where(Event.stream == "a"),
        "merged": lambda: query_of(Event, table.send).where(Event.stream.is_in(["a", "b", "c"])),
        "segments": lambda: scan_of(Event, table.send).segments(3),
        "in turn": lambda: (
            query_of(Event, table.send).where(Event.region.is_in(["eu", "us"]), Event.note == "").using("by_region")
        ),
    }
    consumed = Counter[str]()
    found = 0
    async for event in reads[parts]().page_size(size):
        found += 1
        consumed[event.stream] += 1
        for _ in range(20):
            await asyncio.sleep(0)
        if parts in ("one", "merged"):
            for part, pages in table.pages_of_parts().items():
                stream = next(s for s in "abc" if f"'{s}'" in part)
                # A merge has to see the next item of each part, so it opens a part's next page when one is used up.
                used_up = consumed[stream] - (1 if parts == "one" and consumed[stream] else 0)
                assert pages <= used_up // size + 2
        # In all: the pages that were consumed, and for each part the present one and one more.
        assert len(table.requests) <= found // size + 2 * len(table.pages_of_parts())
    assert found == (9 if parts == "one" else 27)


async def test_without_prefetch_nothing_is_fetched_ahead() -> None:
    """prefetch(False): the next page is asked for only once the present one is consumed."""
    table = FakeTable(TABLE, filled(6))
    query = query_of(Event, table.send).where(Event.stream == "a").page_size(2).prefetch(False)
    seen = 0
    async for _event in query:
        seen += 1
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(table.requests) == (seen + 1) // 2


async def test_parts_are_read_at_the_same_time() -> None:
    """The parts of is_in, of segments and of a count are in flight together."""
    table = FakeTable(TABLE, filled(2, streams="abcd"))
    query = query_of(Event, table.send).where(Event.stream.is_in(["a", "b", "c", "d"]))
    scan = scan_of(Event, table.send).segments(4)
    plain = FakeTable(spec_of(Plain).table, raw_items(*(Plain(plain_id=i) for i in "abcd")))
    in_turn = query_of(Plain, plain.send).where(Plain.plain_id.is_in(["d", "a", "c", "b"]))
    for run, used in ((lambda: collect(query), table), (query.count, table), (lambda: collect(scan), table)):
        used.most_in_flight = 0
        await run()
        assert used.most_in_flight == 4
    assert [item.plain_id for item in await in_turn] == ["d", "a", "c", "b"]
    assert plain.most_in_flight == 4
    plain.requests.clear()
    assert [item.plain_id for item in await in_turn.limit(2)] == ["d", "a"]
    assert len(plain.requests) == 2  # with a limit, parts may be needless


@pytest.mark.parametrize(("limit", "needed"), [(1, 2), (2, 2), (3, 2), (4, 3), (5, 4), (16, 9)])
async def test_merged_parts_with_a_limit_open_a_page_only_when_one_is_used_up(limit: int, needed: int) -> None:
    """Nothing is fetched ahead that the limit may make needless: a part's next page is asked for to see its head."""
    table = FakeTable(TABLE, filled(8, streams="ab"))
    query = query_of(Event, table.send).where(Event.stream.is_in(["a", "b"]), Event.owner == "ada").page_size(2)
    await iterate(query.limit(limit))
    assert len(table.requests) == needed


@pytest.mark.parametrize("limit", [1, 4])
async def test_segments_with_a_limit_read_no_second_pages(limit: int) -> None:
    """Where the first page that arrives has all that is wanted, each segment was asked for one page at most."""
    table = FakeTable(TABLE, filled(4, streams="abcdefgh"))
    await iterate(scan_of(Event, table.send).segments(3).page_size(4).limit(limit))
    assert set(table.pages_of_parts().values()) == {1}


async def test_all_segments_have_their_turn() -> None:
    """A slow consumer goes round the segments: none is read to its end while others wait."""
    table = FakeTable(TABLE, filled(9, streams="abcdefgh"))
    spread: list[int] = []
    async for page in scan_of(Event, table.send).segments(3).page_size(3).pages():
        for _ in range(20):
            await asyncio.sleep(0)
        pages = table.pages_of_parts().values()
        if page.has_more and len(table.requests) <= 9:
            spread.append(max(pages) - min(pages))
    assert len(spread) >= 5
    assert max(spread) <= 1


async def test_a_slow_segment_holds_up_no_other() -> None:
    """Items come as they arrive: those of the other segments while one has not answered yet."""
    table, go = FakeTable(TABLE, filled(3, streams="abcdefgh")), asyncio.Event()

    async def slow_at_first(request: Request, timeout: float | None, /) -> Response:
        if request.body["Segment"] == 0:
            await go.wait()
        return await table.send(request, timeout)

    async with scan_of(Event, slow_at_first).segments(3).stream() as stream:
        first = await anext(stream)
        others = [await anext(stream) for _ in range(8)]
        assert {request.body["Segment"] for request in table.requests} == {1, 2}
        go.set()
        assert len([first, *others, *[event async for event in stream]]) == 24


async def test_pages_of_segments_are_read_at_the_same_time() -> None:
    """pages() of a scan with segments has all of them in flight, and gives the empty pages of filters too."""
    table = FakeTable(TABLE, filled(4, streams="abcd"))
    pages = [page async for page in scan_of(Event, table.send).segments(4).page_size(2).where(Event.seq == 3).pages()]
    assert table.most_in_flight == 4
    assert sum(page.count for page in pages) == 4
    assert sum(page.scanned_count for page in pages) == 16
    assert any(page.count == 0 and page.has_more for page in pages)


async def test_the_same_last_key_twice_is_refused() -> None:
    """An endpoint that does not get on is an error, not an endless loop; by every way to read."""
    last = {"stream": {"S": "a"}, "seq": {"N": "1"}}

    async def stuck(_request: Request, _timeout: float | None, /) -> Response:
        return Response(body=msgspec.json.encode({"Items": [], "Count": 0, "LastEvaluatedKey": last}))

    query = query_of(Event, stuck).where(Event.stream == "a")
    scan = scan_of(Event, stuck).segments(2)
    for run in (
        lambda: collect(query),
        query.count,
        lambda: iterate(query),
        lambda: page_by_page(query),
        lambda: collect(scan),
    ):
        with pytest.raises(BadResponse, match="a page ended at the key after which it began"):
            await run()


async def test_parts_are_told_apart() -> None:
    """The helper of this file that counts pages by part does."""
    one, other = (Request(operation="Scan", body={"Segment": n}, table="t") for n in range(2))
    assert part_of(one) != part_of(other)
