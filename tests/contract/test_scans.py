"""Scans: whole tables and indexes, filtered, in pages."""

from __future__ import annotations

import pytest

from dynamorm_async import Database
from tests.contract.models import Event, unique

pytestmark = pytest.mark.anyio


async def filled(store: Database) -> tuple[str, dict[tuple[str, int], Event]]:
    """Six events in three partitions, told from those of other tests by their body."""
    body = unique()
    events = [Event(stream=unique(), seq=n, body=body, weight=n) for n in range(3)]
    events += [Event(stream=event.stream, seq=event.seq + 10, body=body, owner=body) for event in events]
    for event in events:
        await store.put(event)
    return body, {(event.stream, event.seq): event for event in events}


def by_key(events: list[Event]) -> dict[tuple[str, int], Event]:
    return {(event.stream, event.seq): event for event in events}


async def test_a_scan_reads_all_partitions(store: Database) -> None:
    """Every item for which the conditions hold is found, once, whatever the pages' size."""
    body, events = await filled(store)
    scan = store.scan(Event).where(Event.body == body)
    for size in (7, 1000):
        found = await scan.page_size(size)
        assert by_key(found) == events
        assert len(found) == len(events)
    assert by_key([event async for event in scan.consistent()]) == events


async def test_a_scan_without_conditions_reads_everything(store: Database) -> None:
    """No condition, no filter: at least what this test put is there."""
    _body, events = await filled(store)
    assert events.items() <= by_key(await store.scan(Event)).items()


async def test_a_scan_may_filter_on_keys(store: Database) -> None:
    """In a scan, a condition on a key is a filter like any other."""
    body, events = await filled(store)
    found = await store.scan(Event).where((Event.seq > 5) | (Event.seq == 0), Event.body == body)
    assert by_key(found) == {key: event for key, event in events.items() if event.seq > 5 or event.seq == 0}


async def test_a_limited_scan(store: Database) -> None:
    """The limit counts items that are returned."""
    body, events = await filled(store)
    scan = store.scan(Event).where(Event.body == body)
    for limit in (1, 4, 100):
        found = await scan.page_size(3).limit(limit)
        assert len(found) == min(limit, 6)
        assert by_key(found).items() <= events.items()
    first = await scan.first()
    assert first in events.values()
    assert await scan.where(Event.weight > 50).first() is None


async def test_a_scan_of_a_sparse_index(store: Database) -> None:
    """Scanning an index reads the items that are in it."""
    body, events = await filled(store)
    found = await store.scan(Event).using(Event.by_owner).where(Event.owner == body)
    assert by_key(found) == {key: event for key, event in events.items() if event.owner == body}
