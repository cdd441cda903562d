"""Vector indexes in CreateTable, in descriptions, and in the differences between the two."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dynamorm_async import GSI, OnDemand, Provisioned, Table, UsageError, VectorIndex
from dynamorm_async.model.table import KeyPart
from dynamorm_async.model.vector import TableVectorIndex
from dynamorm_async.plan.tables import create_table, differences, parse_description
from tests.unit.plan.service_model import report

SHOP = Table(
    "shop",
    partition_key="pk",
    types={"year": "N"},
    indexes=[
        GSI("by_year", "year"),
        VectorIndex(
            "by_meaning",
            "embedding",
            dimensions=3,
            distance="cosine",
            partition="kind",
            filters=("year", "shelf"),
            projection=("title", "author"),
        ),
        VectorIndex("plain", "picture", dimensions=512, distance="dot_product", projection="keys_only"),
        VectorIndex("whole", "picture", dimensions=512, distance="euclidean"),
    ],
)


def described(table: Table, **of_each: Any) -> dict[str, Any]:
    """What DynamoDB would describe of a table that was created as declared."""
    raw = create_table(table, table.name, OnDemand())
    indexes = [{"IndexStatus": "ACTIVE", **index, **of_each} for index in raw["VectorIndexes"]]
    return {**raw, "TableStatus": "ACTIVE", "VectorIndexes": indexes}


def test_create_table_has_what_botocore_wants() -> None:
    """The parameters are valid by the service's own model, and say all that was declared."""
    parameters = create_table(SHOP, "shop", OnDemand())
    assert report("CreateTable", parameters) == ""
    by_meaning, plain, whole = parameters["VectorIndexes"]
    assert by_meaning == {
        "IndexName": "by_meaning",
        "VectorAttribute": {"AttributeName": "embedding"},
        "SearchSchema": [
            {"AttributeName": "kind", "SearchSchemaElementType": "HASH"},
            {"AttributeName": "year", "SearchSchemaElementType": "INLINE_FILTER"},
            {"AttributeName": "shelf", "SearchSchemaElementType": "INLINE_FILTER"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title", "author"]},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
    }
    assert (plain["Projection"], plain["DistanceFunction"]) == ({"ProjectionType": "KEYS_ONLY"}, "DOT_PRODUCT")
    assert (whole["Projection"], whole["DistanceFunction"]) == ({"ProjectionType": "ALL"}, "EUCLIDEAN")
    assert "SearchSchema" not in plain


def test_the_search_schema_is_defined_and_the_vector_is_not() -> None:
    """As key attributes are: each once, with its type."""
    definitions = create_table(SHOP, "shop", OnDemand())["AttributeDefinitions"]
    assert {each["AttributeName"]: each["AttributeType"] for each in definitions} == {
        "pk": "S",
        "year": "N",
        "kind": "S",
        "shelf": "S",
    }
    assert len(definitions) == 4


def test_provisioned_throughput_is_refused() -> None:
    """DynamoDB has vector indexes on demand only."""
    with pytest.raises(UsageError, match=r"shop has the vector index by_meaning.*OnDemand"):
        create_table(SHOP, "shop", Provisioned(read=1, write=1))


def test_a_description_reads_back_as_declared() -> None:
    """Names, types, sizes and state."""
    raw = described(SHOP, ItemCount=7, IndexSizeBytes=1234, IndexArn="arn:aws:dynamodb:eu-west-1:1:table/shop/index/x")
    found = parse_description(raw)
    assert [each.index for each in found.vector_indexes] == list(SHOP.vector_indexes)
    assert {(each.item_count, each.size_bytes, each.status) for each in found.vector_indexes} == {(7, 1234, "ACTIVE")}
    assert [each.index.name for each in found.indexes] == ["by_year"]
    assert differences(SHOP, found) == []


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        ({"IndexStatus": "ACTIVE"}, True),
        ({"IndexStatus": "ACTIVE", "Backfilling": False}, True),
        ({"IndexStatus": "ACTIVE", "Backfilling": True}, False),
        ({"IndexStatus": "CREATING"}, False),
        ({"IndexStatus": "CREATING", "Backfilling": True}, False),
    ],
)
def test_a_table_is_ready_when_its_vector_indexes_are(state: dict[str, Any], *, ready: bool) -> None:
    """Active, and with everything in them that was there before."""
    assert parse_description(described(SHOP, **state)).is_ready is ready


def test_order_is_no_difference() -> None:
    """DynamoDB may list filters, projected attributes and indexes in any order."""
    raw = described(SHOP)
    raw["VectorIndexes"].reverse()
    for each in raw["VectorIndexes"]:
        each.get("SearchSchema", []).reverse()
        each["Projection"].get("NonKeyAttributes", []).reverse()
    assert differences(SHOP, parse_description(raw)) == []


def test_differences_are_told() -> None:
    """What is missing, and what is otherwise, in words; indexes that only DynamoDB has are none."""
    declared = Table(
        "shop", partition_key="pk", types={"year": "N"}, indexes=[SHOP.indexes[0], *SHOP.vector_indexes[:2]]
    )
    there = msgspec.structs.replace(
        SHOP.vector_indexes[0],
        dimensions=4,
        distance="euclidean",
        partition=None,
        filters=(KeyPart("year", "N"),),
        projection="all",
    )
    extra = TableVectorIndex(name="extra", attribute="x", dimensions=1, distance="cosine")
    actual = Table("shop", partition_key="pk", types={"year": "N"}, indexes=[SHOP.indexes[0], there, extra])
    changed, missing = differences(declared, parse_description(described(actual)))
    assert changed == (
        "vector index by_meaning is euclidean of embedding (4), filters year (N), with all, "
        "declared is cosine of embedding (3) within kind (S), filters shelf (S), year (N), with author, title"
    )
    assert missing == "it has no vector index plain"
