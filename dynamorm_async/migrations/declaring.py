"""A table's declaration as source, so that a file of a migration stands on its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dynamorm_async.migrations.source import Group, Source, call, literal, quoted
from dynamorm_async.model.table import DISCRIMINATOR, KeyPart, Table, TableIndex
from dynamorm_async.model.vector import TableVectorIndex


def declaration(table: Table, names: set[str]) -> Group:
    """``Table(...)`` as it would be written by hand.

    Args:
        table: the table.
        names: takes the names that the source needs of the package.
    """
    names.add("Table")
    indexes = [
        *(_index(index, names) for index in table.indexes),
        *(_vector_index(index, names) for index in table.vector_indexes),
    ]
    named: dict[str, Source] = {"partition_key": quoted(table.partition_key.name)}
    if table.sort_key is not None:
        named["sort_key"] = quoted(table.sort_key.name)
    if indexes:
        named["indexes"] = Group("[", tuple(("", index) for index in indexes), "]")
    if table.ttl is not None:
        named["ttl"] = quoted(table.ttl)
    tags = {part.name: part.tag for part in _parts(table) if part.tag != "S"}
    if tags:
        named["types"] = literal(tags, names)
    if table.discriminator != DISCRIMINATOR:
        named["discriminator"] = literal(table.discriminator, names)
    if table.settings is not None:
        named["settings"] = literal(table.settings, names)
    return call("Table", quoted(table.name), **named)


def _parts(table: Table) -> Iterator[KeyPart]:
    yield from table.key_parts()
    for index in table.indexes:
        yield from (*index.partition, *index.sort)
    for vector in table.vector_indexes:
        yield from vector.schema


def _index(index: TableIndex, names: set[str]) -> Source:
    named = {} if index.projection == "all" else {"projection": literal(index.projection, names)}
    if index.local:
        names.add("LSI")
        return call("LSI", quoted(index.name), quoted(index.sort[0].name), **named)
    names.add("GSI")
    keys = [_key(index.partition, names), *([_key(index.sort, names)] if index.sort else [])]
    return call("GSI", quoted(index.name), *keys, **named)


def _key(parts: tuple[KeyPart, ...], names: set[str]) -> Source:
    return quoted(parts[0].name) if len(parts) == 1 else literal(tuple(part.name for part in parts), names)


def _vector_index(index: TableVectorIndex, names: set[str]) -> Source:
    names.add("VectorIndex")
    named: dict[str, Source] = {
        "dimensions": literal(index.dimensions, names),
        "distance": literal(index.distance, names),
    }
    if index.partition is not None:
        named["partition"] = quoted(index.partition.name)
    if index.filters:
        named["filters"] = literal([part.name for part in index.filters], names)
    if index.projection != "all":
        named["projection"] = literal(index.projection, names)
    return call("VectorIndex", quoted(index.name), quoted(index.attribute), **named)
