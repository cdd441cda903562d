"""``vector_index()``: a vector index declared on a model, by the Python names of its attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

import msgspec

from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.errors import ModelError
from dynamorm_async.model.checks import key_part
from dynamorm_async.model.table import KeyPart, Table
from dynamorm_async.model.vector import Distance, TableVectorIndex


@final
class ModelVectorIndex:
    """A vector index of a model's table, as ``vector_index()`` declares it. ``db.search(..., using=...)`` takes it.

    Attributes:
        name: the index's name in DynamoDB.
        attribute: the Python name of the attribute that holds the vector.
        dimensions: how many numbers each vector has.
        distance: ``cosine``, ``euclidean`` or ``dot_product``.
        partition: the Python name of its partition key attribute, if it has one.
        filters: the Python names of the attributes that searches can be filtered on.
        projection: ``all``, ``keys_only``, or the Python names of the attributes that it holds besides keys and filters.
    """

    __slots__ = ("attribute", "dimensions", "distance", "filters", "name", "partition", "projection")

    def __init__(
        self,
        attribute: str,
        dimensions: int,
        distance: Distance,
        *,
        partition: str | None,
        filters: tuple[str, ...],
        projection: Literal["all", "keys_only"] | tuple[str, ...],
        name: str | None,
    ) -> None:
        self.attribute = attribute
        self.dimensions = dimensions
        self.distance: Distance = distance
        self.partition = partition
        self.filters = filters
        self.projection: Literal["all", "keys_only"] | tuple[str, ...] = projection
        self.name = name or ""

    def __set_name__(self, owner: type, name: str) -> None:
        if not self.name:
            self.name = name

    def __repr__(self) -> str:
        return f"<ModelVectorIndex {self.name}>"


def vector_index(
    attribute: str,
    *,
    dimensions: int,
    distance: Distance,
    partition: str | None = None,
    filters: str | Sequence[str] = (),
    projection: Literal["all", "keys_only"] | list[str] | tuple[str, ...] = "all",
    name: str | None = None,
) -> ModelVectorIndex:
    """Declare a vector index of the model's table, for ``db.search``.

    Nothing of it can be changed once it is there. The table has to be on demand.

    Args:
        attribute: the Python name of the attribute that holds the vector, an ``Attr[list[float]]``. Items without a vector
            are not in the index; one of another length is refused, here on every write of a whole item or attribute.
        dimensions: how many numbers each vector has, 1 to 4096: what the embedding model makes.
        distance: ``cosine`` (direction alone), ``euclidean`` or ``dot_product``.
        partition: the Python name of a partition key attribute. Each search is then within one value of it, faster and
            cheaper; items without it are not in the index.
        filters: the Python names of up to 18 attributes that searches can be filtered on: text, numbers or bytes.
        projection: what the index holds: ``all`` attributes, ``keys_only`` (with the filters), or the named ones besides.
        name: the index's name in DynamoDB; the name that it is assigned to by default.

    Raises:
        ModelError: an unknown projection. The rest is checked with the class.
    """
    if isinstance(projection, str):
        if projection not in ("all", "keys_only"):
            raise ModelError(f'projection={projection!r}: write "all", "keys_only", or a list of attribute names')
        held: Literal["all", "keys_only"] | tuple[str, ...] = projection
    else:
        held = tuple(projection)
    filtered = (filters,) if isinstance(filters, str) else tuple(filters)
    return ModelVectorIndex(
        attribute, dimensions, distance, partition=partition, filters=filtered, projection=held, name=name
    )


def table_vector_index(layout: Layout, declared: ModelVectorIndex) -> TableVectorIndex:
    """A declared index with DynamoDB's names and types.

    Raises:
        ModelError: an attribute that the model does not have, or of a type that it cannot be.
    """
    where = f"vector index {declared.name}"
    vector = _member(layout, declared.attribute, where)
    _check_vector(layout, vector, where)
    projection = declared.projection
    if isinstance(projection, tuple):
        projection = tuple(_member(layout, name, where).wire for name in projection)
    return TableVectorIndex(
        name=declared.name,
        attribute=vector.wire,
        dimensions=declared.dimensions,
        distance=declared.distance,
        partition=None if declared.partition is None else _schema_part(layout, declared.partition, where),
        filters=tuple(_schema_part(layout, name, where) for name in declared.filters),
        projection=projection,
    )


def check_vectors(layout: Layout, table: Table) -> None:
    """That a model's attributes are what the vector indexes of a shared table need of them.

    Raises:
        ModelError: an attribute is stored as another type.
    """
    members = {member.wire: member for member in layout.members}
    for index in table.vector_indexes:
        where = f"vector index {index.name} of table {table.name}"
        if index.attribute in members:
            _check_vector(layout, members[index.attribute], where)
        for part in index.schema:
            if part.name in members and _schema_part(layout, members[part.name].name, where) != part:
                raise ModelError(
                    f"{layout.cls.__name__}: {where} wants {part.name} as {part.tag}, "
                    f"but the model stores it as {members[part.name].shape.tag}"
                )


def with_dimensions(layout: Layout, table: Table) -> Layout:
    """The layout with the length of each vector."""
    lengths = {index.attribute: index for index in reversed(table.vector_indexes)}
    members = tuple(
        msgspec.structs.replace(member, dimensions=index.dimensions, key_of=f"the vector of index {index.name}")
        if (index := lengths.get(member.wire))
        else member
        for member in layout.members
    )
    return msgspec.structs.replace(layout, members=members)


def _check_vector(layout: Layout, member: Member, where: str) -> None:
    cls, shape = layout.cls.__name__, member.shape
    if member.storage == "encrypted":
        raise ModelError(
            f"{cls}.{member.name} is the vector of {where}, so it cannot be encrypted(): DynamoDB compares vectors"
        )
    if shape.tag != "L" or shape.item is None or shape.item.tag != "N" or shape.item.nullable:
        raise ModelError(f"{cls}.{member.name} is the vector of {where}: it has to be an Attr[list[float]]")
    _check_null(cls, member, where)


def _schema_part(layout: Layout, name: str, where: str) -> KeyPart:
    part = key_part(layout, name, f"a key of index {where}")
    _check_null(layout.cls.__name__, next(m for m in layout.members if m.name == name), where)
    return part


def _check_null(cls: str, member: Member, where: str) -> None:
    if member.shape.nullable and not member.omits_null:
        raise ModelError(
            f"{cls}.{member.name}: its None would be stored as NULL, which {where} refuses; give it default=None"
        )


def _member(layout: Layout, name: str, where: str) -> Member:
    member = layout.member(name)
    if member is None:
        known = ", ".join(m.name for m in layout.members)
        raise ModelError(
            f"{layout.cls.__name__}: {where} names {name!r}, which is no attribute of the model; it has {known}"
        )
    return member
