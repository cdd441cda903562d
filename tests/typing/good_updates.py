"""Updates that must be clean in mypy and pyright, both strict, with no ignore; the types of all results are fixed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, NewType, assert_type

from dynamorm_async import (
    Arithmetic,
    Attr,
    Database,
    IfNotExists,
    Key,
    Update,
    UpdatedAttributes,
    attr,
    embedded,
    model,
    partition_key,
    updated_at,
    version,
)

Cents = NewType("Cents", int)


@embedded
class Stock:
    left: Attr[int] = attr(default=0)
    place: Attr[str | None] = attr(default=None)


@model(table="wares")
class Ware:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    maybe: Attr[int | None] = attr(default=None)
    ratio: Attr[float] = attr(default=0.0)
    height: Attr[float | None] = attr(default=None)
    price: Attr[Decimal] = attr(default=Decimal(0))
    rebate: Attr[Decimal | None] = attr(default=None)
    cents: Attr[Cents] = attr(default=Cents(0))
    tip: Attr[Cents | None] = attr(default=None)
    name: Attr[str] = attr(default="")
    note: Attr[str | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    free: Attr[dict[str, Any]] = attr(factory=dict)
    stock: Attr[Stock | None] = attr(default=None)
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


def sums() -> None:
    assert_type(Ware.count + 1, Arithmetic[int])
    assert_type(1 + Ware.count, Arithmetic[int])
    assert_type(Ware.count - 1, Arithmetic[int])
    assert_type(1 - Ware.count, Arithmetic[int])
    assert_type(Ware.count + Ware.count, Arithmetic[int])
    assert_type(Ware.maybe + 1, Arithmetic[int])
    assert_type(1 - Ware.maybe, Arithmetic[int])
    assert_type(Ware.count + Ware.maybe, Arithmetic[int])
    assert_type(Ware.maybe - Ware.count, Arithmetic[int])
    assert_type(Ware.ratio + 1, Arithmetic[float])
    assert_type(Ware.ratio - 0.5, Arithmetic[float])
    assert_type(0.5 - Ware.height, Arithmetic[float])
    assert_type(Ware.ratio + Ware.height, Arithmetic[float])
    assert_type(Ware.ratio + Ware.count, Arithmetic[float])
    assert_type(Ware.count - Ware.ratio, Arithmetic[float])
    assert_type(Ware.maybe - Ware.height, Arithmetic[float])
    assert_type(Ware.price + Ware.rebate, Arithmetic[Decimal])
    assert_type(Ware.price - Decimal("0.5"), Arithmetic[Decimal])
    assert_type(Ware.rebate - 1, Arithmetic[Decimal])
    assert_type(1 - Ware.price, Arithmetic[Decimal])
    assert_type(Ware.price - Ware.count, Arithmetic[Decimal])
    assert_type(Ware.maybe + Ware.price, Arithmetic[Decimal])
    assert_type(Ware.cents + Cents(1), Arithmetic[Cents])
    assert_type(Ware.tip - Cents(1), Arithmetic[Cents])
    assert_type(Ware.cents + Ware.tip, Arithmetic[Cents])
    assert_type(Ware.scores[0] + Ware.count, Arithmetic[int])
    assert_type(Ware.counts["a"] - 1, Arithmetic[int])
    assert_type(Ware.stock / Stock.left + 1, Arithmetic[int])


def defaults() -> None:
    assert_type(Ware.count.if_not_exists(0), IfNotExists[int])
    assert_type(Ware.maybe.if_not_exists(0), IfNotExists[int])
    assert_type(Ware.maybe.if_not_exists(Ware.count), IfNotExists[int])
    assert_type(Ware.note.if_not_exists("x"), IfNotExists[str])
    assert_type(Ware.note.if_not_exists(Ware.name), IfNotExists[str])
    assert_type(Ware.cents.if_not_exists(Cents(0)), IfNotExists[Cents])
    assert_type(Ware.count.if_not_exists(0) + 1, Arithmetic[int])
    assert_type(1 - Ware.maybe.if_not_exists(0), Arithmetic[int])
    assert_type(Ware.count + Ware.maybe.if_not_exists(0), Arithmetic[int])
    assert_type(Ware.count.if_not_exists(0) - Ware.maybe.if_not_exists(0), Arithmetic[int])
    assert_type(Ware.ratio.if_not_exists(0) - 1.5, Arithmetic[float])
    assert_type(Ware.price.if_not_exists(Decimal(0)) - 1, Arithmetic[Decimal])
    assert_type(1 + Ware.price.if_not_exists(Decimal(0)), Arithmetic[Decimal])
    assert_type(Ware.tip.if_not_exists(Cents(0)) + Cents(1), Arithmetic[Cents])


def assignments() -> None:
    assert_type(Ware.count.set(Ware.count + 1), Update)
    assert_type(Ware.maybe.set(Ware.count + 1), Update)
    assert_type(Ware.maybe.set(Ware.count), Update)
    assert_type(Ware.count.set(Ware.maybe + 1), Update)
    assert_type(Ware.count.set(Ware.maybe.if_not_exists(0)), Update)
    assert_type(Ware.maybe.set(Ware.count.if_not_exists(0)), Update)
    assert_type(Ware.height.set(Ware.count), Update)
    assert_type(Ware.ratio.set(Ware.count + 1), Update)
    assert_type(Ware.height.set(Ware.ratio - Ware.count), Update)
    assert_type(Ware.price.set(Ware.price - Ware.rebate), Update)
    assert_type(Ware.cents.set(Ware.cents.if_not_exists(Cents(0)) + Cents(5)), Update)
    assert_type(Ware.count.set(Ware.cents), Update)
    assert_type(Ware.note.set(Ware.name), Update)
    assert_type(Ware.note.set_default(Ware.name), Update)
    assert_type(Ware.tags.set(Ware.tags.if_not_exists({"x"})), Update)
    assert_type(Ware.free["n"].set(Ware.free["n"] + 1), Update)
    assert_type(Ware.count.set(Ware.free["n"] - 1), Update)
    assert_type(Ware.stock / Stock.left.set(Stock.left - 1), Update)
    assert_type((Ware.stock / Stock.left).set(Ware.count - 1), Update)
    assert_type(Ware.tip.add(Cents(1)), Update)
    assert_type(Ware.rebate.add(1), Update)
    assert_type(Ware.height.add(0.5), Update)


def unsent() -> None:
    sums()
    defaults()
    assignments()


async def returned(db: Database) -> None:
    key, change = Key(Ware, "a"), Ware.count.add(1)
    assert_type(await db.update(key, change), Ware)
    assert_type(await db.update(key, change, returns="new", exactly_once=True), Ware)
    assert_type(await db.update(key, change, returns="old"), Ware | None)
    await db.update(key, change, returns="none", exactly_once=True)
    assert_type(await db.update(key, change, returns="updated_old"), UpdatedAttributes)
    updated = await db.update(key, change, upsert=True, where=Ware.count < 3, returns="updated_new")
    assert_type(updated, UpdatedAttributes)
    assert_type(updated[Ware.count], int)
    assert_type(updated[Ware.maybe], int | None)
    assert_type(updated[Ware.tags], set[str])
    assert_type(updated[Ware.stock], Stock | None)
    assert_type(updated[Ware.stock / Stock.left], int)
    assert_type(updated[Ware.counts["x"]], int)
    assert_type(updated[Ware.changed], datetime)
    assert_type(updated.get(Ware.revision), int | None)
    assert_type(updated.get(Ware.note), str | None)
    assert_type(Ware.count in updated, bool)
