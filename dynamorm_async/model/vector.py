"""Vector indexes of physical tables, as frozen records.

Source: "Vector indexes" in DynamoDB's developer guide, and its quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final, get_args

import msgspec

from dynamorm_async.errors import ModelError

if TYPE_CHECKING:
    from dynamorm_async.model.table import KeyPart, Projection

Distance: TypeAlias = Literal["cosine", "euclidean", "dot_product"]
"""How the nearness of two vectors is measured. Of ``cosine`` and ``euclidean`` the lowest scores are nearest, of
``dot_product`` the highest."""

MAX_DIMENSIONS: Final = 4096
MAX_VECTOR_INDEXES: Final = 5
MAX_FILTERS: Final = 18


class _VectorIndex(msgspec.Struct, frozen=True):
    """The fields of a VectorIndex that are given by position as well."""

    name: str
    attribute: str


@final
class VectorIndex(_VectorIndex, frozen=True, kw_only=True):
    """A vector index, for :class:`Table`: finds the items whose vectors are nearest to another.

    Args:
        name: the index's name.
        attribute: the name of the attribute that holds the vector, a list of numbers.
        dimensions: how many numbers each vector has, 1 to 4096.
        distance: ``cosine``, ``euclidean`` or ``dot_product``.
        partition: the name of its partition key attribute, if it has one: each search is then within one value of it, and
            items without it are not in the index.
        filters: the names of up to 18 attributes that searches can be filtered on.
        projection: ``all``, ``keys_only``, or the names of the attributes that it holds besides the keys and filters.
    """

    dimensions: int
    distance: Distance
    partition: str | None = None
    filters: Sequence[str] = ()
    projection: Projection = "all"


@final
class TableVectorIndex(msgspec.Struct, frozen=True, kw_only=True):
    """A vector index of a table.

    Attributes:
        name: the index's name.
        attribute: the name of the attribute that holds the vector.
        dimensions: how many numbers each vector has.
        distance: how nearness is measured.
        partition: its partition key attribute, if it has one.
        filters: the attributes that searches can be filtered on.
        projection: ``all``, ``keys_only``, or the names of the attributes that it holds besides the keys and filters.
    """

    name: str
    attribute: str
    dimensions: int
    distance: Distance
    partition: KeyPart | None = None
    filters: tuple[KeyPart, ...] = ()
    projection: Projection = "all"

    @property
    def schema(self) -> tuple[KeyPart, ...]:
        """Its search schema: the partition key attribute, where there is one, and the filters."""
        return (*(() if self.partition is None else (self.partition,)), *self.filters)


def resolved(index: VectorIndex, part: Callable[[str], KeyPart]) -> TableVectorIndex:
    """A declared index with the types of its attributes.

    Args:
        index: the declaration.
        part: an attribute of the table by its name.
    """
    return TableVectorIndex(
        name=index.name,
        attribute=index.attribute,
        dimensions=index.dimensions,
        distance=index.distance,
        partition=None if index.partition is None else part(index.partition),
        filters=tuple(part(name) for name in ((index.filters,) if isinstance(index.filters, str) else index.filters)),
        projection=index.projection,
    )


def check_vector_indexes(table: str, indexes: Sequence[TableVectorIndex]) -> None:
    """What DynamoDB would refuse.

    Raises:
        ModelError: too many indexes, filters or dimensions, an unknown distance, one attribute twice, or two indexes of
            one attribute with different dimensions.
    """
    dimensions: dict[str, int] = {}
    for index in indexes:
        _check(f"vector index {index.name} of table {table}", index)
        known = dimensions.setdefault(index.attribute, index.dimensions)
        if known != index.dimensions:
            raise ModelError(
                f"table {table}: the vector indexes of {index.attribute} have {known} and {index.dimensions} dimensions; "
                "all indexes of one attribute have the same"
            )
    if len(indexes) > MAX_VECTOR_INDEXES:
        raise ModelError(f"table {table} has {len(indexes)} vector indexes; DynamoDB allows {MAX_VECTOR_INDEXES}")


def _check(where: str, index: TableVectorIndex) -> None:
    if type(index.dimensions) is not int or not 1 <= index.dimensions <= MAX_DIMENSIONS:
        raise ModelError(f"{where}: dimensions={index.dimensions!r}; a vector has 1 to {MAX_DIMENSIONS} of them")
    if index.distance not in get_args(Distance):
        raise ModelError(f'{where}: distance={index.distance!r}; write "cosine", "euclidean" or "dot_product"')
    if len(index.filters) > MAX_FILTERS:
        raise ModelError(f"{where} has {len(index.filters)} filters; DynamoDB allows {MAX_FILTERS}")
    names = [index.attribute, *(part.name for part in index.schema)]
    if len(set(names)) != len(names):
        raise ModelError(f"{where} names an attribute twice: {', '.join(names)}")
