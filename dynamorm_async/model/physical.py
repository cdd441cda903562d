"""From a model's declaration to its physical table, or what must hold of it in a table that models share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from dynamorm_async.codec.layout import Layout
from dynamorm_async.errors import ModelError
from dynamorm_async.model.checks import key_part
from dynamorm_async.model.declared import declarations, members_by_role
from dynamorm_async.model.derived import KeyTemplate
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import DISCRIMINATOR, Table, TableIndex
from dynamorm_async.model.templating import KEY_BYTES, GivenKey
from dynamorm_async.model.upcast import GivenSchema
from dynamorm_async.model.vector_index import ModelVectorIndex, check_vectors, table_vector_index

if TYPE_CHECKING:
    from dynamorm_async.model.settings import TableSettings


def own_table(
    cls: type,
    name: str,
    layout: Layout,
    templates: Mapping[str, GivenKey],
    schema: GivenSchema,
    *,
    settings: TableSettings | None = None,
) -> Table:
    """The table of a model that has one for itself, from its keys and ``index()`` declarations."""
    if templates:
        raise ModelError(
            f"{cls.__name__}: templates make the keys of a Table that models share: declare Table({name!r}, "
            f'partition_key="pk", sort_key="sk"), and write @model(that_table, {next(iter(templates))}=...)'
        )
    keys = {role: member for role, member in members_by_role(layout) if role in ("partition_key", "sort_key")}
    partition = key_part(layout, keys["partition_key"].name, "the partition key")
    sort = key_part(layout, keys["sort_key"].name, "the sort key") if "sort_key" in keys else None
    indexes = [_table_index(layout, declared, partition.name, schema) for declared in declarations(cls, Index)]
    vectors = [table_vector_index(layout, declared) for declared in declarations(cls, ModelVectorIndex)]
    parts = [partition, *([sort] if sort else []), *(part for i in indexes for part in (*i.partition, *i.sort))]
    expiry = next((member.wire for role, member in members_by_role(layout) if role == "ttl"), None)
    try:
        return Table(
            name,
            partition_key=partition.name,
            sort_key=sort.name if sort else None,
            indexes=[*indexes, *vectors],
            ttl=expiry,
            types={part.name: part.tag for part in parts},
            settings=settings,
        )
    except ModelError as error:
        raise ModelError(f"{cls.__name__}: {error}") from None


def check_shared(
    cls: type, table: Table, layout: Layout, table_keys: Mapping[str, KeyTemplate], base: ModelSpec[Any] | None
) -> None:
    """What must hold of a model in a table that several models share."""
    kinds = (Index, ModelVectorIndex)
    of_bases = [] if base is None else [declared for kind in kinds for declared in declarations(base.cls, kind)]
    if any(declared not in of_bases for kind in kinds for declared in declarations(cls, kind)):
        raise ModelError(f"{cls.__name__}: declare the indexes on Table({table.name!r}), which several models share")
    wanted = {"partition_key": table.partition_key, "sort_key": table.sort_key}
    found = {
        role: key_part(layout, member.name, f"the {role}") for role, member in members_by_role(layout) if role in wanted
    }
    for role, part in wanted.items():
        has = found.get(role)
        if part is not None and part.name in table_keys:
            if has is not None:
                name = next(member.name for member in layout.members if member.wire == has.name)
                raise ModelError(
                    f"{cls.__name__}: {part.name} is made by a template, so no attribute can be {role}(): write "
                    f"{name}: Attr[...] = attr()"
                )
        elif has != part:
            advice = f'; give it a template, {part.name}="...", or an attribute' if part and not has else ""
            raise ModelError(
                f"{cls.__name__}: the {role.replace('_', ' ')} of table {table.name} is "
                f"{f'{part.name} ({part.tag})' if part else 'none'}, but the model's is "
                f"{f'{has.name} ({has.tag})' if has else 'none'}{advice}"
            )
    _check_index_parts(cls, table, layout)


def _check_index_parts(cls: type, table: Table, layout: Layout) -> None:
    """Key attributes of indexes that the model has are of their types, and can be read by DynamoDB."""
    tags = {member.wire: member.shape.tag for member in layout.members}
    encrypted = {member.wire: member.name for member in layout.members if member.storage == "encrypted"}
    for index in table.indexes:
        for part in (*index.partition, *index.sort):
            if part.name in encrypted:
                raise ModelError(
                    f"{cls.__name__}.{encrypted[part.name]} is a key of index {index.name} of table {table.name}, so it cannot be "
                    "encrypted(): DynamoDB finds items by their keys"
                )
            if tags.get(part.name, part.tag) != part.tag:
                raise ModelError(
                    f"{cls.__name__}: index {index.name} of table {table.name} wants {part.name} as {part.tag}, "
                    f"but the model stores it as {tags[part.name]}"
                )
    check_vectors(layout, table)
    expiry = next((member.wire for role, member in members_by_role(layout) if role == "ttl"), None)
    if expiry not in (None, table.ttl):
        raise ModelError(
            f"{cls.__name__}: its ttl() attribute is {expiry!r}, but table {table.name} has ttl={table.ttl!r}"
        )


def with_key_limits(layout: Layout, table: Table) -> Layout:
    """The layout with what each key attribute is a key of, and how long it may be."""
    limits: dict[str, tuple[int, str]] = {}
    for name, kind, what in _key_uses(table):
        limit = KEY_BYTES[kind]
        if name not in limits or limit < limits[name][0]:
            limits[name] = limit, f"the {kind} key of {what}"
    members = tuple(
        msgspec.structs.replace(member, key_limit=limits[member.wire][0], key_of=limits[member.wire][1])
        if member.wire in limits
        else member
        for member in layout.members
    )
    return msgspec.structs.replace(layout, members=members)


def _table_index(layout: Layout, declared: Index, table_partition: str, schema: GivenSchema) -> TableIndex:
    what = f"a key of index {declared.name}"
    sort = tuple(key_part(layout, name, what) for name in declared.sort)
    partition = tuple(key_part(layout, name, what) for name in declared.partition)
    if declared.local:
        partition = tuple(key_part(layout, m.name, what) for m in layout.members if m.wire == table_partition)
    projection = declared.projection
    if isinstance(projection, tuple):
        projection = tuple(
            name if name in (schema.attribute, DISCRIMINATOR) else _projected(layout, name, declared)
            for name in projection
        )
    return TableIndex(declared.name, partition, sort, declared.local, projection)


def _projected(layout: Layout, name: str, declared: Index) -> str:
    member = layout.member(name)
    if member is None:
        raise ModelError(
            f"{layout.cls.__name__}: index {declared.name} projects {name!r}, which is no attribute of the model"
        )
    return member.wire


def _key_uses(table: Table) -> Iterator[tuple[str, str, str]]:
    for part, kind in zip(table.key_parts(), ("partition", "sort"), strict=False):
        yield part.name, kind, f"table {table.name}"
    for index in table.indexes:
        for part in index.partition:
            yield part.name, "partition", f"index {index.name}"
        for part in index.sort:
            yield part.name, "sort", f"index {index.name}"
    for vectors in table.vector_indexes:
        if vectors.partition is not None:
            yield vectors.partition.name, "partition", f"vector index {vectors.name}"
