"""Whole items for the keys of an index: in order, a hundred at a time, each once, nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from dynamorm_async import DecodeError, Throttled
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.identity import Identities
from dynamorm_async.codec.page import RawKey
from dynamorm_async.database.hydrate import Hydrator
from dynamorm_async.database.keyed import KeyReader
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.property.fake_table import FakeTable
from tests.property.reading_models import Event, filled, query_of

pytestmark = pytest.mark.anyio
SPEC = spec_of(Event)


class Batches:
    """Answers BatchGetItem: some keys at a time, in another order; the rest is unprocessed."""

    def __init__(self, items: Sequence[dict[str, Any]], *, at_once: int = 100) -> None:
        self.items = list(items)
        self.at_once = at_once
        self.bodies: list[dict[str, Any]] = []

    async def send(self, request: Request, _timeout: float | None, /) -> Response:
        assert request.operation == "BatchGetItem"
        self.bodies.append(msgspec.json.decode(msgspec.json.encode(request.body["RequestItems"]["events"])))
        keys = self.bodies[-1]["Keys"]
        taken, left = keys[: self.at_once], keys[self.at_once :]
        found = [i for i in self.items if any(all(same_value(i[name], key[name]) for name in key) for key in taken)]
        answer = {"Responses": {"events": found[::-1]}, "UnprocessedKeys": {"events": {"Keys": left}} if left else {}}
        return Response(body=msgspec.json.encode(answer))


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were made, none of which takes time."""
    return []


def reader(batches: Batches, pauses: list[float]) -> KeyReader:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return KeyReader(batches.send, sleep=sleep, random=lambda: 1.0)


def hydrator(batches: Batches, pauses: list[float] | None = None, *, consistent: bool = False) -> Hydrator[Any]:
    made: list[float] = [] if pauses is None else pauses
    return Hydrator(reader(batches, made), "events", SPEC.identities, SPEC.codec.decode_item, consistent=consistent)


def key(n: int | str) -> RawKey:
    return {"stream": {"S": "a"}, "seq": {"N": str(n)}}


def seqs(events: list[Any]) -> list[int | None]:
    return [None if event is None else event.seq for event in events]


async def test_items_come_in_the_order_of_their_keys() -> None:
    """Whatever order DynamoDB answers in; None for an item that is gone."""
    batches = Batches(filled(5))
    found = await hydrator(batches).whole_items([key(3), key(9), key(0), key(4)])
    assert seqs(found) == [3, None, 0, 4]
    assert batches.bodies == [{"Keys": [key(3), key(9), key(0), key(4)]}]


async def test_no_keys_are_no_request() -> None:
    """An empty page costs nothing."""
    batches = Batches([])
    assert await hydrator(batches).whole_items([]) == []
    assert batches.bodies == []


async def test_a_hundred_at_a_time() -> None:
    """DynamoDB takes a hundred keys; 250 are three requests."""
    batches = Batches(filled(250))
    found = await hydrator(batches).whole_items([key(n) for n in range(249, -1, -1)])
    assert seqs(found) == list(range(249, -1, -1))
    assert [len(body["Keys"]) for body in batches.bodies] == [100, 100, 50]


async def test_long_numbers_are_keys_of_their_own() -> None:
    """Numbers of 38 digits that differ in the last one are two keys."""
    numbers = ["1" * 37 + "1", "1" * 37 + "2"]
    batches = Batches([{**key(n), "owner": {"S": n}} for n in numbers])
    found = await hydrator(batches).whole_items([key(n) for n in numbers])
    assert [event.owner for event in found if event is not None] == numbers
    assert len(batches.bodies[0]["Keys"]) == 2


async def test_a_key_is_asked_for_once() -> None:
    """DynamoDB refuses a key twice; numbers of one value are one key, however they are written (flaw D11)."""
    batches = Batches(filled(3))
    found = await hydrator(batches).whole_items([key(1), key(2), key(1), key("2.0")])
    assert seqs(found) == [1, 2, 1, 2]
    assert sum(len(body["Keys"]) for body in batches.bodies) == 2


async def test_unprocessed_keys_are_asked_for_again(pauses: list[float]) -> None:
    """Until all are there, with a pause of at most the backoff's in between; consistency is asked for each time."""
    batches = Batches(filled(7), at_once=2)
    found = await hydrator(batches, pauses, consistent=True).whole_items([key(n) for n in range(7)])
    assert seqs(found) == list(range(7))
    assert [len(body["Keys"]) for body in batches.bodies] == [7, 5, 3, 1]
    assert all(body["ConsistentRead"] is True for body in batches.bodies)
    assert pauses == [0.05] * 3  # each round brought something, so the pauses do not grow


async def test_what_stays_unprocessed_is_throttled(pauses: list[float]) -> None:
    """Eight rounds without success are an error that says how many keys are left: never a shorter list."""
    batches = Batches(filled(3), at_once=0)
    with pytest.raises(
        Throttled, match=r"^BatchGetItem on table events: 3 keys were left unprocessed 8 times"
    ) as caught:
        await hydrator(batches, pauses).whole_items([key(n) for n in range(3)])
    assert (caught.value.code, caught.value.attempts) == ("UnprocessedKeys", 8)
    assert len(batches.bodies) == 8
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]  # none before giving up


async def test_binary_keys_go_out_as_they_came(pauses: list[float]) -> None:
    """Unprocessed binary keys come back in base64 and are sent again as bytes; items are found by them."""
    raw = {"k": {"B": "AP8="}, "v": {"S": "x"}}
    seen: list[Any] = []

    async def send(request: Request, _timeout: float | None, /) -> Response:
        keys = request.body["RequestItems"]["t"]["Keys"]
        seen.append(keys)
        if len(seen) == 1:
            return Response(body=msgspec.json.encode({"Responses": {}, "UnprocessedKeys": {"t": {"Keys": keys}}}))
        return Response(body=msgspec.json.encode({"Responses": {"t": [raw]}}))

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    whole: Hydrator[Any] = Hydrator(
        KeyReader(send, sleep=sleep), "t", Identities(["k"]), msgspec.json.decode, consistent=False
    )
    assert await whole.whole_items([{"k": {"B": b"\x00\xff"}}]) == [raw]
    assert seen == [[{"k": {"B": b"\x00\xff"}}]] * 2
    assert len(pauses) == 1


async def test_an_item_that_does_not_fit_is_an_error() -> None:
    """As everywhere: DecodeError with the attribute, not a gap."""
    batches = Batches([{**key(1), "weight": {"S": "heavy"}}])
    with pytest.raises(DecodeError, match="weight"):
        await hydrator(batches).whole_items([key(1)])


async def test_a_query_hydrates_its_pages() -> None:
    """Whole items, or what is selected of them, in the index's order; items that went meanwhile are left out."""
    table = FakeTable(SPEC.table, filled(6))
    query = query_of(Event, table.send).where(Event.kind == "odd").using("keys_by_kind").hydrate()
    assert [(event.seq, event.owner) for event in await query] == [(1, "ada"), (3, "ada"), (5, "ada")]
    assert await query.select(Event.owner, Event.seq) == [("ada", 1), ("ada", 3), ("ada", 5)]
    assert await query.sum(Event.seq) == 9
    assert await query.count() == 3
    vanished = [item for item in table.items if item["seq"] != {"N": "3"}]

    def vanish(request: Request) -> None:
        if request.operation == "BatchGetItem":
            table.items = vanished

    table.before = vanish
    assert [event.seq for event in await query] == [1, 5]


async def test_a_consistent_local_index_is_hydrated_consistently() -> None:
    """consistent() holds for both reads."""
    table = FakeTable(SPEC.table, filled(2))
    query = query_of(Event, table.send).where(Event.stream == "a").using("by_note_only").hydrate().consistent()
    assert len(await query) == 2
    index, items = table.requests
    assert index.body["ConsistentRead"] is True
    assert items.body["RequestItems"]["events"]["ConsistentRead"] is True


async def test_capacity_of_both_reads_is_told() -> None:
    """A page's capacity is that of the index and of the table."""

    async def send(request: Request, _timeout: float | None, /) -> Response:
        used = {"TableName": "events", "CapacityUnits": 0.5}
        if request.operation == "Query":
            keys = {**key(1), "kind": {"S": "odd"}, "weight": {"N": "0"}}
            return Response(body=msgspec.json.encode({"Items": [keys], "ScannedCount": 1, "ConsumedCapacity": used}))
        answer = {"Responses": {"events": filled(2)[1:]}, "ConsumedCapacity": [{**used, "CapacityUnits": 4.0}]}
        return Response(body=msgspec.json.encode(answer))

    page = await query_of(Event, send).where(Event.kind == "odd").using("keys_by_kind").hydrate().page()
    assert (page.count, page.capacity.read, page.has_more) == (1, 4.5, False)
