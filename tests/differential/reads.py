"""Steps of programs that read: by keys, by queries of the table and its indexes, by scans."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from tests.differential.conditions import Condition, path_text
from tests.differential.models import Coin, Ware
from tests.differential.operations import key_text
from tests.differential.plain import KEYS, Item, instance_of, lifted_attribute
from tests.differential.steps import Returned, Step
from tests.differential.texts import Own, call_text, text_of
from tests.differential.world import World

PARTITION = {"table": "shelf", "by_rank": "shelf", "by_kind": "kind"}


@attrs.frozen
class Get:
    """One item by its key, perhaps into the hand."""

    model: type[Any]
    key: tuple[Any, ...]
    name: str = ""
    hidden: bool = False
    consistent: bool = False

    def text(self) -> list[str]:
        options = {"consistent": "True" if self.consistent else "", "hidden": "True" if self.hidden else ""}
        target = f"{self.name} = result" if self.name else "result"
        call = call_text("db.get", self.model.__name__, key_text(self.model, self.key), **options)
        return [f"{target} = await {call}"]

    def run(self, world: World) -> Returned:
        item = world.find(self.model, world.place(self.key))
        if item is not None and not self.hidden and world.hidden(self.model, item):
            item = None
        if self.name:
            world.take(self.name, self.model, item)
        return Returned(item and instance_of(self.model, item))

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        return iter(())


@attrs.frozen
class GetMany:
    """``batch_get``, of keys that may come twice, or ``transact_get``, of distinct ones."""

    keys: tuple[tuple[type[Any], tuple[Any, ...]], ...]
    transacted: bool = False
    hidden: bool = False

    def text(self) -> list[str]:
        keys = [f"Key({model.__name__}, {key_text(model, key)})" for model, key in self.keys]
        if self.transacted:
            return [f"result = list(await {call_text('db.transact_get', *keys, hidden='True' if self.hidden else '')})"]
        hidden = ".with_hidden()" if self.hidden else ""
        return [f"result = await {call_text('db.batch_get', *keys)}{hidden}"]

    def run(self, world: World) -> Returned:
        items = [(model, world.find(model, world.place(key))) for model, key in self.keys]
        return Returned(
            [
                instance_of(model, item)
                if item is not None and (self.hidden or not world.hidden(model, item))
                else None
                for model, item in items
            ]
        )

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        if len(self.keys) > 1:
            for position in range(len(self.keys)):
                yield attrs.evolve(self, keys=self.keys[:position] + self.keys[position + 1 :])


@attrs.frozen
class Query:
    """A query of the table or an index, ended in one of many ways.

    Attributes:
        model: what is queried.
        index: ``table``, ``by_rank`` or ``by_kind``.
        partition: the value of the partition key.
        ranges: conditions on the sort key.
        filters: all other conditions.
        end: how it is read: ``list``, ``count``, ``first``, ``select``, ``stream`` or ``pages``.
        size: how many items on a page that DynamoDB reads, or that ``pages`` hands out.
    """

    model: type[Any]
    index: str
    partition: Own
    ranges: tuple[Condition, ...] = ()
    filters: tuple[Condition, ...] = ()
    end: str = "list"
    descending: bool = False
    hidden: bool = False
    limit: int | None = None
    size: int | None = None

    @property
    def sort(self) -> str:
        return KEYS[self.model][1] if self.index == "table" else "rank"

    @property
    def selected(self) -> tuple[str, str]:
        return self.sort, "count" if self.model is Ware else "views"

    def text(self) -> list[str]:
        name = self.model.__name__
        equality = f"{name}.{PARTITION[self.index]} == {text_of(self.partition)}"
        query = call_text(
            f"db.query({name}).where", equality, *(part.text(name) for part in (*self.ranges, *self.filters))
        )
        if self.index != "table" and not self.ranges:
            query += f".using({name}.{self.index})"
        query += ".descending()" if self.descending else ""
        return [f"query = {query}{options_text(self)}", *end_text(self, self.selected)]

    def run(self, world: World) -> Returned:
        attribute, wanted = PARTITION[self.index], self.partition.under(world.prefix)
        items = [
            item
            for item in matching(world, self.model, (*self.ranges, *self.filters), hidden=self.hidden)
            if item.get(attribute) == {"S": wanted} and self.sort in item
        ]
        items.sort(key=lambda item: ordered(item[self.sort]), reverse=self.descending)
        return Returned(self.canonical(ended(self, items, self.selected)))

    def canonical(self, value: Any) -> Any:
        """Items of one rank have no order among themselves, so neither has what a limit leaves of them."""
        if self.index == "table" or self.end == "count" or value is None:
            return value
        if self.end == "first":
            return value.rank
        if self.limit is not None:
            return [entry[0] if isinstance(entry, tuple) else entry.rank for entry in value]
        groups = itertools.groupby(value, key=lambda entry: entry[0] if isinstance(entry, tuple) else entry.rank)
        return [sorted(group, key=order_of) for _, group in groups]

    def smaller(self) -> Iterator[Step]:
        for position in range(len(self.filters)):
            yield attrs.evolve(self, filters=self.filters[:position] + self.filters[position + 1 :])
        for position in range(len(self.ranges)):
            if self.index == "table" or len(self.ranges) > 1:
                yield attrs.evolve(self, ranges=self.ranges[:position] + self.ranges[position + 1 :])
        if self.limit is not None:
            yield attrs.evolve(self, limit=None)
        if self.end != "list":
            yield attrs.evolve(self, end="list")


@attrs.frozen
class Scan:
    """A scan of a table that other programs use as well: of what is the program's own, in no order."""

    model: type[Any]
    filters: tuple[Condition, ...] = ()
    end: str = "list"
    hidden: bool = False
    segments: int = 1
    limit: int | None = None
    size: int | None = None

    def text(self) -> list[str]:
        name = self.model.__name__
        prefix = "P.encode()" if self.model is Coin else "P"
        own = f"{name}.{KEYS[self.model][0]}.begins_with({prefix})"
        query = call_text(f"db.scan({name}).where", own, *(part.text(name) for part in self.filters))
        query += f".segments({self.segments})" if self.segments > 1 else ""
        return [f"query = {query}{options_text(self)}", *end_text(self, KEYS[self.model])]

    def run(self, world: World) -> Returned:
        if self.segments > 1 and self.size is not None:  # other programs delete items between two of its pages
            world.told_otherwise.add("segment-goes-on-after-a-deleted-key")
        items = list(matching(world, self.model, self.filters, hidden=self.hidden))
        return Returned(self.canonical(ended(self, items, KEYS[self.model])))

    def canonical(self, value: Any) -> Any:
        return sorted(value, key=order_of) if isinstance(value, list) else value

    def smaller(self) -> Iterator[Step]:
        for position in range(len(self.filters)):
            yield attrs.evolve(self, filters=self.filters[:position] + self.filters[position + 1 :])
        if self.end != "list":
            yield attrs.evolve(self, end="list")


def options_text(step: Query | Scan) -> str:
    """The calls that a query and a scan have in common."""
    text = ".with_hidden()" if step.hidden else ""
    if step.limit is not None:
        text += f".limit({step.limit})"
    return text + (f".page_size({step.size})" if step.size is not None and step.end != "pages" else "")


def end_text(step: Query | Scan, selected: Iterable[str]) -> list[str]:
    """How the items are read."""
    name = step.model.__name__
    if step.end == "pages":
        return [
            f"page = await query.page(size={step.size})",
            "result = list(page.items)",
            "while page.has_more:",
            f"    page = await query.page(size={step.size}, cursor=page.cursor)",
            "    result += page.items",
        ]
    calls = {
        "list": "await query",
        "count": "await query.count()",
        "first": "await query.first()",
        "stream": "[item async for item in query]",
        "select": f"await {call_text('query.select', *(path_text(name, (attribute,)) for attribute in selected))}",
    }
    return [f"result = {calls[step.end]}"]


def ended(step: Query | Scan, items: list[Item], selected: Iterable[str]) -> Any:
    """What the way of reading makes of the items."""
    items = items[: step.limit]
    if step.end == "count":
        return len(items)
    if step.end == "select":
        defaults = step.model(**dict.fromkeys(KEYS[step.model]))
        return [
            tuple(lifted_attribute(name, item[name]) if name in item else getattr(defaults, name) for name in selected)
            for item in items
        ]
    instances = [instance_of(step.model, item) for item in items]
    return (instances[0] if instances else None) if step.end == "first" else instances


def matching(world: World, model: type[Any], conditions: Iterable[Condition], *, hidden: bool) -> Iterator[Item]:
    """The items of a table that the conditions hold of, without hidden ones unless they are asked for."""
    wanted = list(conditions)
    for item in world.tables.get(model, {}).values():
        if (hidden or not world.hidden(model, item)) and all(condition.holds(item) for condition in wanted):
            yield item


def ordered(value: dict[str, Any]) -> Any:
    """What sorts as a sort key does: texts by their UTF-8 bytes."""
    ((_, content),) = value.items()
    return content.encode() if isinstance(content, str) else content


def order_of(entry: Any) -> str:
    """Any order, the same for the same entries."""
    if isinstance(entry, tuple):
        return repr(entry)
    return repr([getattr(entry, name) for name in KEYS[type(entry)]])
