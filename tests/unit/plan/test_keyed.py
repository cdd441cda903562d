"""Chunks of keys: what they ask for, and what an answer leaves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dynamorm_async import DecodeError
from dynamorm_async.codec.identity import Identities
from dynamorm_async.plan.keyed import Chunk, Place, TableRead, chunks

IDENTITIES = Identities(["pk"])
TABLES = {"t": TableRead(IDENTITIES, {"ConsistentRead": True}), "u": TableRead(IDENTITIES, {})}


def place(table: str, text: str) -> Place:
    return Place(table, {"pk": {"S": text}}, (table, text))


def item(text: str) -> dict[str, Any]:
    return {"pk": {"S": text}, "x": {"N": "1"}}


def chunk() -> Chunk:
    return Chunk([place("t", "a"), place("u", "a"), place("t", "b")], TABLES)


def answer(**parts: Any) -> bytes:
    return msgspec.json.encode(parts)


def test_a_request_names_each_table_once() -> None:
    """With its keys in order, and its own options."""
    request = chunk().request()
    assert request.body == {
        "RequestItems": {
            "t": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}], "ConsistentRead": True},
            "u": {"Keys": [{"pk": {"S": "a"}}]},
        }
    }
    assert (request.operation, request.table, request.repeatable) == ("BatchGetItem", None, True)


def test_an_answer_takes_away_what_it_processed() -> None:
    """Items by key, None for what is neither in the answer nor unprocessed; the rest is asked for again."""
    reading = chunk()
    left = {"t": {"Keys": [{"pk": {"S": "b"}}], "ConsistentRead": True}}
    body = answer(Responses={"t": [item("a")]}, UnprocessedKeys=left, ConsumedCapacity=[{"CapacityUnits": 1}])
    assert reading.receive(body)
    read = dict(reading.take())
    assert msgspec.json.decode(read["t", "a"] or b"") == item("a")
    assert read["u", "a"] is None
    assert len(read) == 2
    assert reading.take() == []
    assert reading.reports == [{"CapacityUnits": 1}]
    assert reading.request().body == {"RequestItems": left}
    assert reading.request().table == "t"
    assert not reading.receive(answer(Responses={}, UnprocessedKeys=left))
    assert reading.receive(answer(Responses={"t": [item("b")]}))
    assert not reading.left


def test_an_item_that_is_unprocessed_as_well_is_read_again() -> None:
    """The key is not read until DynamoDB says so."""
    reading = Chunk([place("t", "a")], TABLES)
    assert not reading.receive(
        answer(Responses={"t": [item("a")]}, UnprocessedKeys={"t": {"Keys": [{"pk": {"S": "a"}}]}})
    )
    assert (reading.take(), len(reading.left)) == ([], 1)


def test_of_a_wrong_answer_nothing_counts() -> None:
    """The chunk is as before, whatever of the answer was right."""
    reading = chunk()
    for wrong in ({"t": [item("a"), item("z")]}, {"t": [item("a")], "v": []}, {"t": [{"x": {"S": "a"}}]}):
        with pytest.raises(DecodeError, match="has something that was not asked for"):
            reading.receive(answer(Responses=wrong))
        assert (reading.take(), len(reading.left)) == ([], 3)
    with pytest.raises(DecodeError, match="not readable JSON"):
        reading.receive(b"{")
    for none in (b"{}", b'{"Item":{}}'):  # taken for an answer, every item would be missing
        with pytest.raises(DecodeError, match=r"^the shape of the answer is not DynamoDB's:\n  Responses: is missing$"):
            reading.receive(none)
    assert (reading.take(), len(reading.left)) == ([], 3)


def test_chunks_have_a_hundred_keys() -> None:
    """In order; the last has the rest."""
    places = [place("t", str(n)) for n in range(201)]
    made = chunks(places, TABLES)
    assert [len(part.left) for part in made] == [100, 100, 1]
    assert [one for part in made for one in part.left] == places
    assert chunks([], TABLES) == []
