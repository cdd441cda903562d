"""Saving and modifying that must be clean in mypy and pyright, both strict; the types of all results are fixed."""

from __future__ import annotations

from typing import assert_type

from dynamorm_async import Attr, Database, Key, attr, model, partition_key, version


@model(table="counters")
class Counter:
    name: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(factory=set)
    revision: Attr[int] = version()


def add(counter: Counter) -> None:
    counter.n += 1


async def add_later(counter: Counter) -> None:
    counter.n += 1


def give_back(counter: Counter) -> Counter:
    return counter


class Adder:
    def __call__(self, counter: Counter) -> int:
        counter.n += 1
        return counter.n


async def modifying(db: Database) -> None:
    key = Key(Counter, "a")
    assert_type(await db.modify(key, add), Counter)
    assert_type(await db.modify(key, add_later, attempts=3, timeout=2.5), Counter)
    assert_type(await db.modify(key, give_back), Counter)
    assert_type(await db.modify(key, Adder()), Counter)
    assert_type(await db.modify(key, lambda counter: counter.tags.add("x")), Counter)
    assert_type(await db.save(Counter(name="a")), Counter)
