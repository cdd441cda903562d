"""BatchWriteItem: what a request looks like, and which of its operations an answer calls unprocessed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from dynamorm_async import BadResponse, Key
from dynamorm_async.plan.batch_write import batch_write, size_of, unprocessed_in
from dynamorm_async.plan.capacity import reporting
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.transactions import plan_transaction
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import Prepared
from tests.property.fake_writes import Blob, Kept, Number, Row

WRITES = Writes(prefix="x-", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_operations_are_grouped_by_table() -> None:
    """Puts and deletes of several tables make one request, which may be sent again; its table is named where it is one."""
    writes = [WRITES.put(Blob(blob=b"a")), WRITES.delete(Key(Row, "a", 1)), WRITES.delete(Blob(blob=b"b"))]
    request = batch_write(writes)
    put = {"PutRequest": {"Item": {"blob": {"B": b"a"}, "text": {"S": ""}}}}
    blobs = [put, {"DeleteRequest": {"Key": {"blob": {"B": b"b"}}}}]
    rows = [{"DeleteRequest": {"Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}}}]
    assert request.body == {"RequestItems": {"x-blobs": blobs, "x-rows": rows}}
    assert (request.operation, request.table, request.repeatable) == ("BatchWriteItem", None, True)
    assert batch_write(writes[1:2]).table == "x-rows"


def test_sizes_are_those_of_the_json() -> None:
    """Base64, escapes and the frame of every value count."""
    put = WRITES.put(Blob(blob=b"\xff" * 9, text="\x01"))
    for write in (put, WRITES.delete(Blob(blob=b"b"))):
        both, alone = batch_write([write, write]), batch_write([write])
        assert size_of(write) == len(msgspec.json.encode(both.body)) - len(msgspec.json.encode(alone.body))


def test_what_is_json_already_is_the_same_json() -> None:
    """The lane that writes JSON sends the items as they were measured; a body that is made of it with a change is a plain one."""
    writes = [
        WRITES.put(Blob(blob=b"\xff\x00", text='"é\u2028')),
        WRITES.delete(Key(Row, "a", 1)),
        WRITES.put(Kept(pk="a")),
    ]
    for request in (batch_write(writes[:2]), plan_transaction(writes, {}, "token").request):
        assert isinstance(request.body, Prepared)
        assert msgspec.json.encode(request.body.json) == msgspec.json.encode(request.body)
        reported = reporting(request, "total").body
        assert type(reported) is dict
        assert reported == {**request.body, "ReturnConsumedCapacity": "TOTAL"}


def test_conditional_writes_are_no_part_of_it() -> None:
    """A versioned instance insists on its version, which BatchWriteItem cannot; a Key of the same model does not."""
    assert not WRITES.put(Kept(pk="a")).batchable
    assert not WRITES.delete(Kept(pk="a")).batchable
    assert WRITES.delete(Key(Kept, "a")).batchable


def sent(*writes: Write) -> list[tuple[PlaceId, Write]]:
    return [(write.place, write) for write in writes]


def test_unprocessed_operations_are_found_by_their_keys() -> None:
    """However DynamoDB writes a number or bytes; the rest of the item does not matter."""
    number, blob, row = (
        WRITES.put(Number(number=Decimal("1.50"), text="a")),
        WRITES.put(Blob(blob=b"\xff\x00")),
        WRITES.delete(Key(Row, "a", 1)),
    )
    answer = (
        b'{"UnprocessedItems":{"x-numbers":[{"PutRequest":{"Item":{"number":{"N":"1.5"},"new":{"NULL":true}}}}],'
        b'"x-blobs":[{"PutRequest":{"Item":{"text":{"S":""},"blob":{"B":"/wA="}}}}]},"ConsumedCapacity":[]}'
    )
    assert unprocessed_in(answer, sent(number, blob, row)) == {number.place, blob.place}
    for whole in (b"{}", b'{"UnprocessedItems":{}}', b'{"UnprocessedItems":null}'):
        assert unprocessed_in(whole, sent(row)) == set()


def test_an_answer_about_something_else_is_no_answer() -> None:
    """It is not guessed which operations it means."""
    answer = b'{"UnprocessedItems":{"x-rows":[{"DeleteRequest":{"Key":{"pk":{"S":"b"},"sk":{"N":"1"}}}}]}}'
    with pytest.raises(BadResponse, match="it names items that were not sent") as caught:
        unprocessed_in(answer, sent(WRITES.delete(Key(Row, "a", 1))))
    assert (caught.value.operation, caught.value.sent) == ("BatchWriteItem", True)
