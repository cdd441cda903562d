"""BatchWriteItem: many puts and deletes of any tables in one request, none of them conditional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from dynamorm_async.codec.encrypted import sized
from dynamorm_async.errors import BadResponse
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Prepared, Request, Sealed

MAX_OPERATIONS: Final = 25
"""DynamoDB's limit for one request."""

MAX_BYTES: Final = 16_000_000
"""What the operations of one request may have as JSON: below DynamoDB's 16 MB, so that the frame fits as well."""

_PUT_BYTES: Final = len('{"PutRequest":{"Item":}},')
"""What the operation of a put has beside its item, and the comma after it."""


class _Ready(msgspec.Struct, gc=False):
    Item: msgspec.Raw


class _ReadyPut(msgspec.Struct, gc=False):
    PutRequest: _Ready


class _Put(msgspec.Struct):
    Item: dict[str, Any]  # AttributeValues in JSON form


class _Delete(msgspec.Struct):
    Key: dict[str, Any]  # AttributeValues in JSON form


class _Operation(msgspec.Struct):
    PutRequest: _Put | None = None
    DeleteRequest: _Delete | None = None


class _Answer(msgspec.Struct):
    UnprocessedItems: dict[str, list[_Operation]] | None = None


_DECODER: Final = msgspec.json.Decoder(_Answer)


def size_of(write: Write) -> int:
    """The bytes of a write as an operation of BatchWriteItem."""
    if write.json is not None:
        return _PUT_BYTES + len(write.json)
    return len(msgspec.json.encode(_operation_of(write.request.body), enc_hook=sized)) + 1  # and a comma


def batch_write(writes: Iterable[Write]) -> Request:
    """BatchWriteItem of some writes. Applying it twice does what once does."""
    tables: dict[str, list[dict[str, Any]]] = {}
    ready: dict[str, list[dict[str, Any] | _ReadyPut]] = {}
    sealed: dict[Sealed, None] = {}
    for write in writes:
        body = write.request.body
        table, operation = body["TableName"], _operation_of(body)
        if table not in tables:
            tables[table], ready[table] = [], []
        tables[table].append(operation)
        ready[table].append(operation if write.json is None else _ReadyPut(_Ready(msgspec.Raw(write.json))))
        if write.request.sealed:
            sealed |= dict.fromkeys(write.request.sealed)
    return Request(
        operation="BatchWriteItem",
        body=Prepared({"RequestItems": tables}, {"RequestItems": ready}),
        table=next(iter(tables)) if len(tables) == 1 else None,
        sealed=tuple(sealed),
    )


def _operation_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PutItem or DeleteItem as an operation."""
    return {"PutRequest": {"Item": body["Item"]}} if "Item" in body else {"DeleteRequest": {"Key": body["Key"]}}


def unprocessed_in(body: bytes, sent: Iterable[tuple[PlaceId, Write]]) -> set[PlaceId]:
    """Which of the operations that were sent an answer calls unprocessed.

    Raises:
        BadResponse: it is no such answer, or calls something unprocessed that was not sent.
    """
    try:
        left = _DECODER.decode(body).UnprocessedItems or {}
        if not left:
            return set()
        known = dict(sent)
        identities = {write.table: write.spec.identities for write in known.values()}
        found: set[PlaceId] = {
            (table, *identities[table].of_key(_key_in(operation)))
            for table, operations in left.items()
            for operation in operations
        }
    except (ValueError, RecursionError, LookupError) as error:  # msgspec's DecodeError is a ValueError
        raise _unreadable(repr(error)) from None
    if not found <= known.keys():
        raise _unreadable("it names items that were not sent")
    return found


def _key_in(operation: _Operation) -> dict[str, Any]:
    """What has the key among its attributes."""
    put, delete = operation.PutRequest, operation.DeleteRequest
    return put.Item if put is not None else delete.Key if delete is not None else {}


def _unreadable(why: str) -> BadResponse:
    return BadResponse(f"what it left unprocessed cannot be read: {why}", operation="BatchWriteItem", sent=True)
