"""The records and aliases that every layer shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, final

import msgspec

# A wire value is a one-entry mapping from type tag to content; its content is as open as DynamoDB's own format.
AttributeValue: TypeAlias = Mapping[str, Any]
"""One DynamoDB value as sent: ``{"S": "x"}``, ``{"N": "1"}``, ``{"M": {...}}`` … Binary content is ``bytes``."""

RawItem: TypeAlias = Mapping[str, AttributeValue]
"""An item as sent: attribute name to AttributeValue."""

KeyTag: TypeAlias = Literal["S", "N", "B"]
"""The type tag of a key attribute: text, number or bytes."""


@final
class Unset:
    """The type of :data:`UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset()
"""Stands for an argument that was not given, where ``None`` is a value."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call to DynamoDB, before it is encoded and signed.

    Attributes:
        operation: the API operation, for example ``GetItem``.
        body: the operation's parameters in DynamoDB's JSON form; binary content as ``bytes``.
        table: the table that it concerns, for errors; ``None`` where there is not one.
        repeatable: whether applying it twice leaves the table as applying it once does. A request that is
            not repeatable is never sent again once its answer may have been lost.
    """

    operation: str
    body: dict[str, Any]
    table: str | None = None
    repeatable: bool = True


class Response(msgspec.Struct, frozen=True):
    """One whole, checked answer.

    Attributes:
        body: the JSON object, as sent; binary content in base64.
        request_id: DynamoDB's id of the request.
        attempts: how many attempts it took.
    """

    body: bytes
    request_id: str | None = None
    attempts: int = 1
