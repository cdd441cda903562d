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


class Sealed(msgspec.Struct, frozen=True):
    """The encrypted attributes of the items of one table.

    Attributes:
        table: the table's name, to which their ciphertexts are bound.
        key: the names of its key attributes, to whose values they are bound.
        attributes: the names of the attributes that some model of the table encrypts.
    """

    table: str
    key: tuple[str, ...]
    attributes: frozenset[str]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call to DynamoDB, before it is encoded and signed.

    Attributes:
        operation: the API operation, for example ``GetItem``.
        body: the operation's parameters in DynamoDB's JSON form; binary content as ``bytes``.
        table: the table that it concerns, for errors; ``None`` where there is not one.
        repeatable: whether applying it twice leaves the table as applying it once does. A request that is
            neither repeatable nor ``at_most_once`` is never sent again once its answer may have been lost.
        at_most_once: whether its own condition does not hold any more once it was applied, so that sending it again does
            no harm; should the condition fail then, it may have been by the request's own doing.
        only_reads: whether it is a PartiQL request of nothing but SELECTs, or a control-plane call that changes nothing.
        sealed: what of it, and of its answer, is encrypted, for each table that has encrypted attributes; of a request of
            several statements, which do not tell their tables, for each statement.
    """

    operation: str
    body: dict[str, Any]
    table: str | None = None
    repeatable: bool = True
    at_most_once: bool = False
    only_reads: bool = False
    sealed: tuple[Sealed, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it may change a table: as its name tells, or because applying it twice would not be as once."""
        return not self.only_reads and (self.operation in DATA_WRITES or not self.repeatable)

    def __repr__(self) -> str:  # the body is items and keys, which belong in no log
        return f"<Request {self.operation}{f' on {self.table}' if self.table else ''}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return [("operation", self.operation), ("table", self.table)]


DATA_WRITES: Final = frozenset(
    {
        "BatchExecuteStatement",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "PutItem",
        "TransactWriteItems",
        "UpdateItem",
    }
)
"""The operations that may change items."""


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

    def __repr__(self) -> str:  # as of a Request
        return f"<Response of {len(self.body)} bytes, request id {self.request_id}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return [("request_id", self.request_id)]
