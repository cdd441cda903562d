"""BatchWriteItem: many puts and deletes of any tables in one request, none of them conditional."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from dynamorm_async.codec.encrypted import sized
from dynamorm_async.errors import BadResponse
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Request, Sealed

MAX_OPERATIONS: Final = 25
"""DynamoDB's limit for one request."""

MAX_BYTES: Final = 16_000_000
"""What the operations of one request may have as JSON: below DynamoDB's 16 MB, so that the frame fits as well."""


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


def operation_of(write: Write) -> dict[str, Any]:
    """A write as an operation of BatchWriteItem."""
    body = write.request.body
    return {"PutRequest": {"Item": body["Item"]}} if "Item" in body else {"DeleteRequest": {"Key": body["Key"]}}


def size_of(operation: Mapping[str, Any]) -> int:
    """The bytes of an operation in a request."""
    return len(msgspec.json.encode(operation, enc_hook=sized)) + 1  # and a comma


def batch_write(operations: Iterable[tuple[str, Mapping[str, Any]]], sealed: Iterable[Sealed] = ()) -> Request:
    """BatchWriteItem of operations, each with its table. Applying it twice does what once does.

    Args:
        operations: the operations.
        sealed: what of their items is encrypted.
    """
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for table, operation in operations:
        tables.setdefault(table, []).append(operation)
    only = next(iter(tables)) if len(tables) == 1 else None
    return Request(
        operation="BatchWriteItem", body={"RequestItems": tables}, table=only, sealed=tuple(dict.fromkeys(sealed))
    )


def unprocessed_in(body: bytes, sent: Mapping[PlaceId, Write]) -> set[PlaceId]:
    """Which of the operations that were sent an answer calls unprocessed.

    Raises:
        BadResponse: it is no such answer, or calls something unprocessed that was not sent.
    """
    try:
        left = _DECODER.decode(body).UnprocessedItems or {}
        if not left:
            return set()
        identities = {write.table: write.spec.identities for write in sent.values()}
        found: set[PlaceId] = {
            (table, *identities[table].of_key(_key_in(operation)))
            for table, operations in left.items()
            for operation in operations
        }
    except (ValueError, RecursionError, LookupError) as error:  # msgspec's DecodeError is a ValueError
        raise _unreadable(repr(error)) from None
    if not found <= sent.keys():
        raise _unreadable("it names items that were not sent")
    return found


def _key_in(operation: _Operation) -> dict[str, Any]:
    """What has the key among its attributes."""
    put, delete = operation.PutRequest, operation.DeleteRequest
    return put.Item if put is not None else delete.Key if delete is not None else {}


def _unreadable(why: str) -> BadResponse:
    return BadResponse(f"what it left unprocessed cannot be read: {why}", operation="BatchWriteItem", sent=True)
