"""The stream of items and the rows that it gives: models, partial models, tuples, each as asked."""

from __future__ import annotations

import copy
import pickle

import pytest

from dynamorm_async import DecodeError, UsageError
from dynamorm_async.codec.partial import partial_class
from dynamorm_async.model.spec import spec_of, spec_of_instance
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, filled, query_of, raw_items, scan_of

pytestmark = pytest.mark.anyio
TABLE = spec_of(Event).table


async def test_stop_ends_a_stream_at_once() -> None:
    """stop() needs no await: what follows is the end, and taking it up again is by its checkpoint."""
    table = FakeTable(TABLE, filled(6))
    query = query_of(Event, table.send).where(Event.stream == "a").page_size(2)
    stream = query.stream()
    assert [(await anext(stream)).seq for _ in range(3)] == [0, 1, 2]
    stream.stop()
    assert await anext(stream, None) is None
    assert await stream.rest() == []
    assert await stream.next_page() is None
    assert [event.seq for event in await query.after(stream.checkpoint())] == [3, 4, 5]


async def test_taking_and_the_rest() -> None:
    """take() gives a page of so many, rest() what is left; both go on where the other stopped."""
    table = FakeTable(TABLE, filled(7))
    stream = query_of(Event, table.send).where(Event.stream == "a").page_size(3).stream()
    first = await stream.take(2)
    assert ([event.seq for event in first.items], first.scanned_count, first.has_more) == ([0, 1], 3, True)
    assert [event.seq for event in await stream.rest()] == [2, 3, 4, 5, 6]
    assert not stream.has_more
    assert await stream.rest() == []


async def test_items_may_change_before_the_checkpoint() -> None:
    """A position is the key as it was read, whatever the loop's body does to the item."""
    table = FakeTable(TABLE, filled(4))
    for query in (query_of(Event, table.send).where(Event.stream == "a"), scan_of(Event, table.send)):
        stream = query.stream()
        event = await anext(stream)
        event.seq, event.stream = 99, "other"
        assert [event.seq for event in await query.after(stream.checkpoint())] == [1, 2, 3]


async def test_an_item_that_does_not_fit() -> None:
    """DecodeError with its key and its attribute; by whole models and by tuples."""
    items = raw_items(Event(stream="a", seq=1))
    items[0]["weight"] = {"S": "heavy"}
    query = query_of(Event, FakeTable(TABLE, items).send).where(Event.stream == "a")
    with pytest.raises(DecodeError, match=r"(?s)the item stream='a', seq='1' does not fit model Event:.*weight"):
        await query
    with pytest.raises(DecodeError, match=r"(?s)the item stream='a', seq='1' does not fit model Event:.*weight"):
        await query.select(Event.weight)
    assert await query.select(Event.seq) == [(1,)]


async def test_partial_models() -> None:
    """Of an index that lacks attributes: those that it has can be read, the others are named as missing."""
    query = query_of(Event, FakeTable(TABLE, filled(3)).send).where(Event.kind == "odd").using("keys_by_kind")
    (partial,) = await query
    assert isinstance(partial, Event)
    assert (partial.stream, partial.seq, partial.kind, partial.weight) == ("a", 1, "odd", 0)
    with pytest.raises(AttributeError, match="this Event has no value for note"):
        _ = partial.note
    assert repr(partial) == "<partial Event stream='a', seq=1, kind='odd', weight=0>"
    assert [partial] == await query
    assert partial != Event(stream="a", seq=1, kind="odd")
    with pytest.raises(UsageError, match="this Event was read through an index that does not hold all its attributes"):
        spec_of_instance(partial)
    for copied in (copy.copy(partial), copy.deepcopy(partial)):
        assert copied == partial


def bare(cls: type[object]) -> object:
    return object.__new__(cls)


def test_partial_classes_are_told_apart() -> None:
    """Partial instances of other attributes are not equal, and have no hash, as their values may change."""
    one, other = partial_class(Event, ["seq"]), partial_class(Event, ["seq", "kind"])
    assert bare(one) == bare(one)
    assert bare(one) != bare(other)
    instance = bare(one)
    with pytest.raises(TypeError, match="unhashable"):
        hash(instance)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(instance)


async def test_selected_attributes() -> None:
    """Tuples in the order that was asked for; defaults for what an item has not, None inside what it has not."""
    items = raw_items(Event(stream="a", seq=1, scores=[5, 6], note="n"))
    items.append({"stream": {"S": "a"}, "seq": {"N": "2"}})
    query = query_of(Event, FakeTable(TABLE, items).send).where(Event.stream == "a")
    assert await query.select(Event.note, Event.seq, Event.owner) == [("n", 1, None), ("", 2, None)]
    rows: list[object] = [([5, 6], 6, None), ([], None, None)]
    assert list[object](await query.select(Event.scores, Event.scores[1], Event.scores[7])) == rows
    assert await query.select(Event.region, Event.kind) == [("eu", "odd"), ("eu", "odd")]
    with pytest.raises(UsageError, match=r"select\(\) without attributes: pass some, such as select\(Event.stream\)"):
        query.select()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # what callers without a checker write
