"""Queries on the table and its indexes: what comes back, in which order, over how many pages."""

from __future__ import annotations

import pytest

from dynamorm_async import Database, NoUsableIndex, Query, UsageError
from tests.contract.models import Account, Event, unique

pytestmark = pytest.mark.anyio

KINDS = ("odd", "even")


async def filled(store: Database, *, count: int = 10, suffix: str = "") -> list[Event]:
    """Events 0 … count-1 of a stream of its own, even and odd, heavier towards the beginning."""
    stream = unique()
    events = [Event(stream=stream, seq=n, kind=f"{KINDS[n % 2 == 0]}{suffix}", weight=100 - n) for n in range(count)]
    for event in events:
        await store.put(event)
    return events


def of(store: Database, events: list[Event]) -> Query[Event]:
    return store.query(Event).where(Event.stream == events[0].stream)


async def test_a_partition_comes_in_order(store: Database) -> None:
    """All items of a partition key, by sort key, both ways; numbers sort as numbers."""
    events = await filled(store, count=12)
    assert await of(store, events) == events
    assert await of(store, events).descending() == events[::-1]
    assert await of(store, events).consistent() == events


async def test_nothing_found_is_an_empty_list(store: Database) -> None:
    """An empty partition is no error, however it is read."""
    query = store.query(Event).where(Event.stream == unique())
    assert await query == []
    assert await query.first() is None
    assert [event async for event in query] == []


async def test_every_condition_on_a_sort_key(store: Database) -> None:
    """Each operator that DynamoDB takes on a sort key."""
    events = await filled(store)
    for condition, expected in (
        (Event.seq == 3, events[3:4]),
        (Event.seq < 3, events[:3]),
        (Event.seq <= 3, events[:4]),
        (Event.seq > 7, events[8:]),
        (Event.seq >= 7, events[7:]),
        (Event.seq.between(2, 4), events[2:5]),
        ((Event.seq >= 2) & (Event.seq <= 4), events[2:5]),
    ):
        assert await of(store, events).where(condition) == expected


async def test_a_filter_and_the_order_of_conditions(store: Database) -> None:
    """Other attributes filter; in which order conditions are given does not matter (flaw D1)."""
    events = await filled(store)
    expected = [event for event in events[4:] if event.kind == "even"]
    conditions = [Event.kind == "even", Event.stream == events[0].stream, Event.seq >= 4]
    assert await store.query(Event).where(*conditions) == expected
    assert await store.query(Event).where(*conditions[::-1]) == expected
    assert await store.query(Event).where(conditions[2]).where(conditions[0] & conditions[1]) == expected


async def test_a_local_index(store: Database) -> None:
    """An LSI sorts by another attribute, and reads consistently."""
    events = await filled(store)
    query = of(store, events).using(Event.by_weight)
    assert await query == events[::-1]
    assert await query.consistent().where(Event.weight > 97).descending() == events[:3]


async def test_a_global_index(store: Database) -> None:
    """A GSI is found by its partition key, or named; its sort key orders."""
    suffix = unique()
    events = await filled(store, suffix=suffix)
    expected = [event for event in events if event.kind == f"even{suffix}"]
    query = store.query(Event).where(Event.kind == f"even{suffix}")
    assert await query == expected
    assert await query.using("by_kind").descending().where(Event.seq > 2) == expected[:1:-1]


async def test_a_sparse_index_where_asked_for(store: Database) -> None:
    """An index on an attribute that may be absent holds only the items that have it."""
    owner, stream = unique(), unique()
    owned = Event(stream=stream, seq=1, owner=owner)
    await store.put(owned)
    await store.put(Event(stream=stream, seq=2))
    assert await store.query(Event).using(Event.by_owner).where(Event.owner == owner) == [owned]


async def test_a_filter_over_several_pages(store: Database) -> None:
    """The limit counts items that are returned, so a filter does not shrink it (flaw D19)."""
    events = await filled(store)
    query = of(store, events).where(Event.kind == "odd")
    expected = [event for event in events if event.kind == "odd"]
    for size in (1, 2, 3, 10):
        for limit in (1, 2, 5, 100):
            assert await query.page_size(size).limit(limit) == expected[:limit]
            assert [event async for event in query.page_size(size).limit(limit)] == expected[:limit]
    assert await query.page_size(1).first() == expected[0]
    assert await query.page_size(2).descending().first() == expected[-1]
    assert await query.where(Event.seq > 100).page_size(1).first() is None


async def test_limits_and_pages_without_a_filter(store: Database) -> None:
    """Limits below, at and above a page's size, and a page that ends exactly at the last item."""
    events = await filled(store, count=4)
    query = of(store, events)
    for size in (1, 2, 3, 4, 5):
        for limit in (1, 2, 3, 4, 5):
            assert await query.page_size(size).limit(limit) == events[:limit]
        assert await query.page_size(size) == events
        assert [event async for event in query.page_size(size)] == events
    assert await query.first() == events[0]
    assert await query.limit(3).first() == events[0]


async def test_iteration_can_stop_and_start_again(store: Database) -> None:
    """A break ends the reading; the query itself can be read any number of times, by several at once."""
    events = await filled(store)
    query = of(store, events).page_size(2)
    seen: list[Event] = []
    async for event in query:
        seen.append(event)
        if len(seen) == 3:
            break
    assert seen == events[:3]
    one, two = aiter(query), aiter(query)
    assert [await anext(one), await anext(two), await anext(one)] == [events[0], events[0], events[1]]
    await one.aclose()
    assert [event async for event in one] == []
    assert [event async for event in two] == events[1:]


async def test_pages_of_a_megabyte(store: Database) -> None:
    """More than 1 MB comes in several pages, and whole."""
    org = unique()
    large = [Account(org=org, user=str(n), name="x" * 300_000, age=n) for n in range(5)]
    for account in large:
        await store.put(account)
    query = store.query(Account).where(Account.org == org)
    assert await query == large
    assert await query.where(Account.age >= 4) == large[4:]
    assert await query.where(Account.age.is_in([0, 2, 4])).limit(2) == large[:4:2]
    assert [account.age async for account in query.descending()] == [4, 3, 2, 1, 0]


async def test_what_only_a_scan_could_answer_is_refused(store: Database) -> None:
    """No silent scan: the error says which attributes would serve."""
    with pytest.raises(NoUsableIndex, match=r"(?s)Event\.stream == \.\.\..*index by_kind: needs Event\.kind == \.\.\."):
        await store.query(Event).where(Event.weight > 3)


async def test_a_global_index_is_not_consistent(store: Database) -> None:
    """A consistent read of a GSI is refused, and none is chosen for one (flaw D2)."""
    query = store.query(Event).where(Event.kind == "even").consistent()
    with pytest.raises(NoUsableIndex):
        await query
    with pytest.raises(
        UsageError, match="index by_kind cannot answer this query: is read eventually consistently only"
    ):
        await query.using(Event.by_kind)


async def test_what_a_key_does_not_take_is_never_sent_as_one(store: Database) -> None:
    """DynamoDB takes one condition on a sort key: two become one range, or are refused before sending (flaw D3)."""
    query = of(store, await filled(store)).consistent()
    assert len(await query.where(Event.seq >= 2, Event.seq <= 4)) == 3
    assert [event.seq for event in await query.where(Event.seq.is_in([4, 2, 99]))] == [2, 4]
    for conditions, expected in (
        ([Event.seq > 1, Event.seq < 5], {2, 3, 4}),
        ([Event.seq != 3, Event.seq < 5], {0, 1, 2, 4}),
    ):
        other = query.where(*conditions)
        assert other.explain().target == "index by_weight"  # where seq is no key, and can be filtered
        assert {event.seq for event in await other} == expected
