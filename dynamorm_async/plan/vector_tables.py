"""Vector indexes as CreateTable parameters, as DescribeTable tells them, and how they differ."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, final

import msgspec

from dynamorm_async.model.table import KeyPart, Projection
from dynamorm_async.model.vector import Distance, TableVectorIndex

_FUNCTIONS: Final[Mapping[Distance, str]] = {
    "cosine": "COSINE",
    "euclidean": "EUCLIDEAN",
    "dot_product": "DOT_PRODUCT",
}
_DISTANCES: Final[Mapping[str, Distance]] = {function: distance for distance, function in _FUNCTIONS.items()}


@final
class VectorIndexDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A vector index as DynamoDB describes it.

    Attributes:
        index: its name, vectors, search schema and projection.
        status: ``ACTIVE``, ``CREATING`` or ``DELETING``.
        backfilling: whether items that were there before are still being put in; until then it cannot be searched.
        item_count: items at DynamoDB's last count, about six hours old at most.
        size_bytes: size at that count, in bytes.
    """

    index: TableVectorIndex
    status: str = "ACTIVE"
    backfilling: bool = False
    item_count: int = 0
    size_bytes: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether it is active and has all items. The search endpoint may need a moment longer."""
        return self.status == "ACTIVE" and not self.backfilling


def projection_parameter(projection: Projection) -> dict[str, Any]:
    """A ``Projection``, of an index of any kind."""
    if projection == "all":
        return {"ProjectionType": "ALL"}
    if projection == "keys_only":
        return {"ProjectionType": "KEYS_ONLY"}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(projection)}


def parse_projection(raw: Mapping[str, Any]) -> Projection:
    """A ``Projection`` as it was described."""
    kinds: dict[str, Literal["all", "keys_only"]] = {"ALL": "all", "KEYS_ONLY": "keys_only"}
    return kinds.get(raw.get("ProjectionType", "ALL")) or tuple(raw.get("NonKeyAttributes", ()))


def vector_index_parameter(index: TableVectorIndex) -> dict[str, Any]:
    """One of CreateTable's ``VectorIndexes``."""
    roles = [] if index.partition is None else [(index.partition, "HASH")]
    roles += [(part, "INLINE_FILTER") for part in index.filters]
    schema = [{"AttributeName": part.name, "SearchSchemaElementType": role} for part, role in roles]
    return {
        "IndexName": index.name,
        "VectorAttribute": {"AttributeName": index.attribute},
        **({"SearchSchema": schema} if schema else {}),
        "Projection": projection_parameter(index.projection),
        "Dimensions": index.dimensions,
        "DistanceFunction": _FUNCTIONS[index.distance],
    }


def parse_vector_index(raw: Mapping[str, Any], tags: Mapping[str, Any]) -> VectorIndexDescription:
    """One of the ``VectorIndexes`` of a description.

    Args:
        raw: the index.
        tags: the type tags of the table's defined attributes, by name.
    """
    parts = [
        (element["SearchSchemaElementType"], KeyPart(element["AttributeName"], tags.get(element["AttributeName"], "S")))
        for element in raw.get("SearchSchema") or ()
    ]
    index = TableVectorIndex(
        name=raw["IndexName"],
        attribute=raw["VectorAttribute"]["AttributeName"],
        dimensions=raw["Dimensions"],
        distance=_DISTANCES[raw["DistanceFunction"]],
        partition=next((part for role, part in parts if role == "HASH"), None),
        filters=tuple(part for role, part in parts if role != "HASH"),
        projection=parse_projection(raw.get("Projection") or {}),
    )
    return VectorIndexDescription(
        index=index,
        status=raw.get("IndexStatus", "ACTIVE"),
        backfilling=bool(raw.get("Backfilling")),
        item_count=raw.get("ItemCount", 0),
        size_bytes=raw.get("IndexSizeBytes", 0),
    )


def vector_differences(declared: Iterable[TableVectorIndex], found: Sequence[VectorIndexDescription]) -> list[str]:
    """What of the declared indexes is not so in DynamoDB."""
    there = {described.index.name: described.index for described in found}
    result: list[str] = []
    for index in declared:
        actual = there.get(index.name)
        if actual is None:
            result.append(f"it has no vector index {index.name}")
        elif comparable_vectors(actual) != comparable_vectors(index):
            result.append(f"vector index {index.name} is {shown_vectors(actual)}, declared is {shown_vectors(index)}")
    return result


def comparable_vectors(index: TableVectorIndex) -> TableVectorIndex:
    """The same index with what has no order in one order."""
    held = index.projection if isinstance(index.projection, str) else tuple(sorted(index.projection))
    return msgspec.structs.replace(
        index, filters=tuple(sorted(index.filters, key=lambda part: part.name)), projection=held
    )


def shown_vectors(index: TableVectorIndex) -> str:
    """A vector index in words."""
    within = "" if index.partition is None else f" within {index.partition.name} ({index.partition.tag})"
    filters = ", ".join(sorted(f"{part.name} ({part.tag})" for part in index.filters)) or "none"
    held = index.projection if isinstance(index.projection, str) else ", ".join(sorted(index.projection))
    return f"{index.distance} of {index.attribute} ({index.dimensions}){within}, filters {filters}, with {held}"
