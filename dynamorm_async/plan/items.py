"""GetItem."""

from __future__ import annotations

from typing import Any

from dynamorm_async.types import AttributeValue, Request, Sealed


def get_item(
    table: str, key: dict[str, AttributeValue], *, consistent: bool, sealed: tuple[Sealed, ...] = ()
) -> Request:
    """GetItem."""
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if consistent:
        body["ConsistentRead"] = True
    return Request(operation="GetItem", body=body, table=table, sealed=sealed)
