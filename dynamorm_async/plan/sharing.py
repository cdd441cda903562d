"""Models whose items share partitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import msgspec

from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import Table
from dynamorm_async.plan.membership import KeySource, Membership


@final
class ItemCollection(msgspec.Struct, frozen=True, kw_only=True):
    """Models whose items share partitions, so that one query reads them together.

    Attributes:
        table: the table's name.
        index: the index's name; ``None`` for the table itself.
        key: the partition key that they share.
        models: the models, without the variants of one among them.
    """

    table: str
    index: str | None
    key: tuple[str, ...]
    models: tuple[type, ...]


def collections(specs: Sequence[ModelSpec[Any]], held: Mapping[type, Sequence[Membership]]) -> Iterator[ItemCollection]:
    """Which models share partitions, by table, then by index.

    Args:
        specs: the models, without variants of each other.
        held: the tables and indexes that hold the items of each.
    """
    tables = {id(spec.table): spec.table for spec in specs}
    for table in tables.values():
        of_table = [spec for spec in specs if spec.table is table]
        for index in (None, *sorted(table.indexes, key=lambda index: not index.local)):
            if index is None and table.sort_key is None:
                continue  # a partition is one item
            partitions = {
                spec.cls: membership.partition
                for spec in of_table
                for membership in held[spec.cls]
                if membership.index == index
            }
            yield from _sharing(table, None if index is None else index.name, partitions)


def _sharing(
    table: Table, index: str | None, partitions: Mapping[type, tuple[KeySource, ...]]
) -> Iterator[ItemCollection]:
    """The models that can have items in one partition, for each way in which their partition keys are made."""
    seen: set[tuple[type, ...]] = set()
    for sources in partitions.values():
        models = tuple(
            cls
            for cls, others in partitions.items()
            if all(one.meets(other) for one, other in zip(sources, others, strict=True))
        )
        if len(models) > 1 and models not in seen:
            seen.add(models)
            key = tuple(f"{source.part.name} = {source.text}" for source in sources)
            yield ItemCollection(table=table.name, index=index, key=key, models=models)
