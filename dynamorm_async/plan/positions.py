"""Where a reading goes on: after the key at which a page ended, or at the positions that a cursor holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.numbers import parse_decimal
from dynamorm_async.errors import BadResponse, CursorError
from dynamorm_async.model.table import KeyPart
from dynamorm_async.model.templating import KEY_BYTES
from dynamorm_async.plan.cursors import Position
from dynamorm_async.plan.reading import ReadPlan
from dynamorm_async.types import AttributeValue, Request

_MAX_KEY: Final = max(KEY_BYTES.values())


def next_page(request: Request, last_key: dict[str, AttributeValue]) -> Request:
    """The request of the page after a key.

    Raises:
        BadResponse: that key did not move, so reading would never end.
    """
    if request.body.get("ExclusiveStartKey") == last_key:
        raise BadResponse(
            "a page ended at the key after which it began: the endpoint does not page correctly",
            operation=request.operation,
            table=request.table,
            sent=True,
        )
    return _after(request, last_key)


def _after(request: Request, key: dict[str, AttributeValue]) -> Request:
    return msgspec.structs.replace(request, body={**request.body, "ExclusiveStartKey": key})


def start_at(plan: ReadPlan, positions: Sequence[Position]) -> list[Request | None]:
    """The request with which each part goes on; ``None`` for a part that is done.

    Raises:
        CursorError: the positions are not of this plan.
    """
    if len(positions) != len(plan.requests):
        raise CursorError("the cursor belongs to another query")
    return [_start_at(plan, r, p) for r, p in zip(plan.requests, positions, strict=True)]


def _start_at(plan: ReadPlan, request: Request, position: Position) -> Request | None:
    if position.done:
        return None
    if position.key is None:
        return request
    if set(position.key) != set(plan.key_names) or not all(_is_key(position.key[p.name], p) for p in plan.key_parts):
        raise CursorError("the cursor belongs to another table or index")
    for name, value in _fixed(request).items():
        if name in position.key and not same_value(position.key[name], value):
            raise CursorError("the cursor belongs to another partition")
    return _after(request, position.key)


def _is_key(value: AttributeValue, part: KeyPart) -> bool:
    """Whether what a cursor says, which anybody may have written where there is no secret, is a key's value."""
    if not isinstance(value, dict) or list(value) != [part.tag]:  # pyright: ignore[reportUnknownArgumentType]  # any
        return False
    content: Any = value[part.tag]
    if part.tag == "B":
        return isinstance(content, bytes) and 0 < len(content) <= _MAX_KEY
    if not isinstance(content, str):
        return False
    return _is_number(content) if part.tag == "N" else 0 < len(content.encode()) <= _MAX_KEY


def _is_number(text: str) -> bool:
    try:
        parse_decimal(text)
    except ValueError:
        return False
    return True


def _fixed(request: Request) -> Mapping[str, AttributeValue]:
    """The key values that a query's key condition fixes."""
    fixed: dict[str, AttributeValue] = {}
    names, values = request.body.get("ExpressionAttributeNames", {}), request.body.get("ExpressionAttributeValues", {})
    for clause in request.body.get("KeyConditionExpression", "").split(" AND "):
        name, equals, value = clause.partition(" = ")
        if equals and name in names and value in values:
            fixed[names[name]] = values[value]
    return fixed
