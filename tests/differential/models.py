"""The models that generated programs are about, and the names that a program finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from dynamorm_async import (
    Attr,
    Key,
    attr,
    created_at,
    deleted_at,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)

START = datetime(2126, 1, 1, tzinfo=UTC)  # engines delete what has expired by their own clocks
MINUTE = timedelta(minutes=1)


@embedded
class Place:
    city: Attr[str] = attr(default="Rome")
    floor: Attr[int | None] = attr(default=None)
    marks: Attr[dict[str, int]] = attr(factory=dict)


@model(table="wares")
class Ware:
    """Values of every kind, a global and a local index, and nothing that the library keeps."""

    shelf: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    count: Attr[int] = attr(default=0)
    price: Attr[Decimal] = attr(default=Decimal(0))
    note: Attr[str | None] = attr(default=None)
    data: Attr[bytes | None] = attr(default=None)
    flag: Attr[bool] = attr(default=False)
    tags: Attr[set[str]] = attr(factory=set)
    sizes: Attr[set[int]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    labels: Attr[dict[str, int]] = attr(factory=dict)
    place: Attr[Place | None] = attr(default=None)
    other: Attr[Any] = attr(default=None)
    kind: Attr[str | None] = attr(default=None)
    rank: Attr[Decimal | None] = attr(default=None)

    by_kind = index(partition="kind", sort="rank")
    by_rank = index(sort="rank", local=True)


@model(table="papers", hide_expired=True)
class Paper:
    """All that the library keeps: a version, times, soft deletes and expiry."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(default="untitled")
    views: Attr[int] = attr(default=0)
    labels: Attr[dict[str, int]] = attr(factory=dict)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    expires: Attr[datetime | None] = ttl(default=None)
    revision: Attr[int] = version()


@model(table="coins")
class Coin:
    """As small as can be, with a key of bytes alone."""

    coin: Attr[bytes] = partition_key()
    amount: Attr[int] = attr(default=0)


MODELS: tuple[type[Any], ...] = (Ware, Paper, Coin)
NAMES: dict[str, Any] = {
    "START": START,
    "MINUTE": MINUTE,
    "Coin": Coin,
    "Decimal": Decimal,
    "Key": Key,
    "Paper": Paper,
    "Place": Place,
    "Ware": Ware,
}
