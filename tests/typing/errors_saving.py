"""Mistakes in saving and modifying: each marked line is reported by the checkers that it names, and no other line."""

from __future__ import annotations

from dynamorm_async import Attr, Database, Key, attr, model, partition_key, version


@model(table="counters")
class Counter:
    name: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    revision: Attr[int] = version()


@model(table="others")
class Other:
    name: Attr[str] = partition_key()


def takes(*_values: object) -> None: ...


def add(counter: Counter) -> None:
    counter.n += 1


def other(item: Other) -> None:
    item.name = "x"


def two(counter: Counter, amount: int) -> None:
    counter.n += amount


async def modifying(db: Database) -> None:
    key = Key(Counter, "a")
    await db.modify(key, other)  # error: mypy pyright
    await db.modify(key, two)  # error: mypy pyright
    await db.modify(key)  # error: mypy pyright
    await db.modify(Counter, add)  # error: mypy pyright
    await db.modify(key, lambda counter: counter.nope)  # error: mypy pyright
    await db.modify(key, add, attempts="3")  # error: mypy pyright
    await db.modify(key, Counter.n.add(1))  # error: mypy pyright
    text: str = (await db.modify(key, add)).n  # error: mypy pyright
    takes(text)
