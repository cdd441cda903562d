"""What the tests of combined writes write: one model for BatchWriteItem, and one with everything that forbids it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dynamorm_async import (
    Attr,
    attr,
    created_at,
    deleted_at,
    model,
    partition_key,
    unique,
    updated_at,
    version,
)


@model(table="plain")
class Plain:
    """Goes into BatchWriteItem."""

    plain_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    nested: Attr[Any] = attr(default=None)
    made: Attr[datetime] = created_at()


@model(table="kept")
class Kept:
    """Has a version and a unique value, and is deleted softly."""

    kept_id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None)
    text: Attr[str] = attr(default="")
    nested: Attr[Any] = attr(default=None)
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    one_email = unique("email")
