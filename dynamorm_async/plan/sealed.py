"""Where a request has plaintexts, and what their ciphertexts are bound to."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, final

import msgspec

from dynamorm_async.codec.encrypted import ENCRYPTED, Plaintext
from dynamorm_async.codec.identity import Identities
from dynamorm_async.codec.sealing import context_of
from dynamorm_async.types import Request, Sealed


@final
class Part(msgspec.Struct, frozen=True):
    """A part of a request that is about one item and has plaintexts.

    Attributes:
        body: the part.
        field: where in it they are: ``Item``, or ``ExpressionAttributeValues``.
        sealed: what is encrypted of its table.
        key: what has the item's key among its attributes.
        plaintexts: the values.
    """

    body: Mapping[str, Any]
    field: str
    sealed: Sealed
    key: Mapping[str, Any]
    plaintexts: tuple[Plaintext, ...]


def by_table(sealed: Iterable[Sealed]) -> dict[str, Sealed]:
    """What is encrypted, by table: models that are declared apart can share one."""
    found: dict[str, Sealed] = {}
    for one in sealed:
        other = found.get(one.table)
        names = one.attributes if other is None else one.attributes | other.attributes
        found[one.table] = Sealed(one.table, one.key, names)
    return found


def parts_of(request: Request) -> list[Part]:
    """The parts of a request that have plaintexts."""
    tables = by_table(request.sealed)
    return [
        Part(body, field, tables[table], cast("Mapping[str, Any]", body.get("Key") or body["Item"]), found)
        for table, body in _bodies(request)
        if table in tables
        for field in ("Item", "ExpressionAttributeValues")
        if (found := tuple(v[ENCRYPTED] for v in body.get(field, {}).values() if ENCRYPTED in v))
    ]


def _bodies(request: Request) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a request does to each item, with its table."""
    body = request.body
    if request.operation == "TransactWriteItems":
        for action in body["TransactItems"]:
            for part in action.values():
                yield part["TableName"], part
    elif request.operation == "BatchWriteItem":
        for table, operations in body["RequestItems"].items():
            for operation in operations:
                for part in operation.values():
                    yield table, part
    elif "Item" in body or "Key" in body:
        yield body["TableName"], body


def with_parts(request: Request, parts: Mapping[int, Mapping[str, Any]]) -> Request:
    """A request with others in place of some of its parts.

    Args:
        request: the request, which stays as it is.
        parts: what takes the place of a part, by the identity of that.
    """

    def each(of: Mapping[str, Any]) -> dict[str, Any]:
        return {name: parts.get(id(part), part) for name, part in of.items()}

    body = request.body
    if request.operation == "TransactWriteItems":
        body = {**body, "TransactItems": [each(action) for action in body["TransactItems"]]}
    elif request.operation == "BatchWriteItem":
        tables = {table: [each(one) for one in several] for table, several in body["RequestItems"].items()}
        body = {**body, "RequestItems": tables}
    else:
        body = dict(parts.get(id(body), body))
    return msgspec.structs.replace(request, body=body)


def bound_to(sealed: Sealed, item: Mapping[str, Any], attribute: str) -> bytes:
    """What the ciphertext of an attribute is bound to.

    Args:
        sealed: of its table.
        item: what has the item's key among its attributes.
        attribute: its name in DynamoDB.

    Raises:
        ValueError: there is no key.
    """
    return context_of(sealed.table, sealed.key, Identities(sealed.key).of_key(item), attribute)
