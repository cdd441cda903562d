"""Mistakes in updates, one a line, each with the checkers that must report it; no other line may be reported."""

from __future__ import annotations

from decimal import Decimal
from typing import NewType

from dynamorm_async import Attr, Database, Key, attr, embedded, model, partition_key

Cents = NewType("Cents", int)


@embedded
class Stock:
    left: Attr[int] = attr(default=0)
    place: Attr[str] = attr(default="")


@model(table="wares")
class Ware:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    maybe: Attr[int | None] = attr(default=None)
    ratio: Attr[float] = attr(default=0.0)
    price: Attr[Decimal] = attr(default=Decimal(0))
    cents: Attr[Cents] = attr(default=Cents(0))
    active: Attr[bool] = attr(default=True)
    name: Attr[str] = attr(default="")
    note: Attr[str | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    stock: Attr[Stock | None] = attr(default=None)


def takes(*values: object) -> None:
    """Uses expressions that stand for themselves."""


def sums() -> None:
    takes(Ware.name + "x")  # error: mypy pyright
    takes(Ware.name + 1)  # error: mypy pyright
    takes(Ware.name + Ware.name)  # error: mypy pyright
    takes("x" + Ware.name)  # error: mypy pyright
    takes(Ware.note + "x")  # error: mypy pyright
    takes(Ware.active + 1)  # error: mypy pyright
    takes(1 + Ware.active)  # error: mypy pyright
    takes(Ware.tags - {"x"})  # error: mypy pyright
    takes(Ware.scores + 1)  # error: mypy pyright
    takes(Ware.stock + 1)  # error: mypy pyright
    takes(Ware.count + "x")  # error: mypy pyright
    takes("x" - Ware.count)  # error: mypy pyright
    takes(Ware.count + 0.5)  # error: mypy pyright
    takes(0.5 - Ware.count)  # error: mypy pyright
    takes(Ware.count + Decimal(1))  # error: mypy pyright
    takes(Ware.count + None)  # error: mypy pyright
    takes(Ware.maybe + None)  # error: mypy pyright
    takes(Ware.count + Ware.name)  # error: mypy pyright
    takes(Ware.count - Ware.tags)  # error: mypy pyright
    takes(Ware.price + 0.5)  # error: mypy pyright
    takes(Ware.price - Ware.ratio)  # error: mypy pyright
    takes(Ware.cents + 1)  # error: mypy pyright
    takes(Ware.counts["x"] + "y")  # error: mypy pyright
    takes(Ware.stock / Stock.place + 1)  # error: mypy pyright
    takes(Ware.count * 2)  # error: mypy pyright
    takes(Ware.count / 2)  # error: mypy pyright
    takes(-Ware.count)  # error: mypy pyright
    takes(Ware.tags.size() + 1)  # error: mypy pyright


def chains() -> None:
    takes(Ware.count + Ware.count + 1)  # error: mypy pyright
    takes(Ware.count - 1 - 1)  # error: mypy pyright
    takes(1 + (Ware.count + 1))  # error: mypy pyright
    takes(Ware.count + (Ware.count + 1))  # error: mypy pyright
    takes(Ware.count.if_not_exists(0) + 1 + 1)  # error: mypy pyright
    takes(Ware.count.if_not_exists(0) + (Ware.count + 1))  # error: mypy pyright


def defaults() -> None:
    takes(Ware.count.if_not_exists("x"))  # error: mypy pyright
    takes(Ware.count.if_not_exists(None))  # error: mypy pyright
    takes(Ware.count.if_not_exists(Ware.name))  # error: mypy pyright
    takes(Ware.count.if_not_exists(Ware.maybe))  # error: mypy pyright
    takes(Ware.count.if_not_exists(Ware.count + 1))  # error: mypy pyright
    takes(Ware.count.if_not_exists(Ware.count.if_not_exists(0)))  # error: mypy pyright
    takes(Ware.count.if_not_exists(0) + "x")  # error: mypy pyright
    takes(Ware.count.if_not_exists(0) - Ware.name)  # error: mypy pyright
    takes(Ware.tags.if_not_exists({3}))  # error: mypy pyright
    Ware.count.set_default(Ware.count + 1)  # error: mypy pyright
    Ware.count.set_default(Ware.count.if_not_exists(0))  # error: mypy pyright
    Ware.count.set_default(Ware.name)  # error: mypy pyright


def assignments() -> None:
    Ware.count.set(Ware.ratio + 1)  # error: mypy pyright
    Ware.count.set(Ware.count + Ware.ratio)  # error: mypy pyright
    Ware.count.set(Ware.price - 1)  # error: mypy pyright
    Ware.count.set(Ware.maybe)  # error: mypy pyright
    Ware.count.set(Ware.name)  # error: mypy pyright
    Ware.count.set(Ware.name.if_not_exists("x"))  # error: mypy pyright
    Ware.cents.set(Ware.count + 1)  # error: mypy pyright
    Ware.name.set(Ware.count + 1)  # error: mypy pyright
    Ware.name.set(Ware.note)  # error: mypy pyright
    Ware.tags.set(Ware.scores)  # error: mypy pyright
    Ware.count.set(Ware.tags.size())  # error: mypy pyright
    takes(Ware.stock / Stock.left.set(Stock.place))  # error: mypy pyright


def elsewhere() -> None:
    takes(Ware.count < Ware.count + 1)  # error: mypy pyright
    takes(Ware.count >= Ware.count.if_not_exists(0))  # error: mypy pyright
    takes(Ware.count.between(Ware.count + 1, 5))  # error: mypy pyright
    takes(Ware.count.is_in([Ware.count + 1]))  # error: mypy pyright
    takes(Ware.count + 1 < 5)  # error: mypy pyright
    takes(Ware.count.if_not_exists(0) > 5)  # error: mypy pyright
    Ware.count.add(Ware.count + 1)  # error: mypy pyright
    Ware.count.add(Ware.count)  # error: mypy pyright
    Ware.maybe.add(None)  # error: mypy pyright
    Ware.scores.append([Ware.count + 1])  # error: mypy pyright


async def returned(db: Database) -> None:
    key, change = Key(Ware, "a"), Ware.count.add(1)
    await db.update(key, change, returns="ALL_NEW")  # error: mypy pyright
    await db.update(key, change, returns="updated")  # error: mypy pyright
    await db.update(key, change, returns="old", exactly_once=True)  # error: mypy pyright
    await db.update(key, Ware.count + 1)  # error: mypy pyright
    await db.update(key, change, where=Ware.count == Ware.count + 1)  # error: mypy pyright
    updated = await db.update(key, change, returns="updated_new")
    takes(updated.count)  # error: mypy pyright
    takes(updated["count"])  # error: mypy pyright
    takes(updated[0])  # error: mypy pyright
    takes(updated[Ware.count].upper())  # error: mypy pyright
    takes(updated[Ware.maybe] + 1)  # error: mypy pyright
    takes(updated.get(Ware.count) + 1)  # error: mypy pyright
    takes(updated.get(Ware.count, 0))  # error: mypy pyright
    takes(*updated)  # error: mypy pyright
    updated[Ware.count] = 3  # error: mypy pyright
