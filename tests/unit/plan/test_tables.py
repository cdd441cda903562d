"""Table declarations as CreateTable parameters, DescribeTable answers as records, and the differences."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import GSI, LSI, OnDemand, Provisioned, Table, UsageError
from dynamorm_async.plan.tables import create_table, differences, parse_description

SHOP = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    types={"sk": "N"},
    indexes=[
        GSI("both", ("tenant", "region"), ("round", "match")),
        GSI("some", "tenant", projection=("b", "a")),
        LSI("keys", "round", projection="keys_only"),
    ],
)


def described(table: Table, **more: Any) -> dict[str, Any]:
    """What DynamoDB would describe of a table that was created as declared."""
    parameters = create_table(table, table.name, OnDemand())
    return {**parameters, "TableStatus": "ACTIVE", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}, **more}


def test_each_attribute_is_defined_once() -> None:
    """Attributes that several keys share have one definition, and others none."""
    definitions = create_table(SHOP, "shop", OnDemand())["AttributeDefinitions"]
    names = [definition["AttributeName"] for definition in definitions]
    assert sorted(names) == ["match", "pk", "region", "round", "sk", "tenant"]
    assert {"AttributeName": "sk", "AttributeType": "N"} in definitions


def test_multi_attribute_keys_keep_their_order() -> None:
    """All partition attributes first, then the sort attributes, as declared."""
    both = create_table(SHOP, "shop", OnDemand())["GlobalSecondaryIndexes"][0]
    assert [(part["AttributeName"], part["KeyType"]) for part in both["KeySchema"]] == [
        ("tenant", "HASH"),
        ("region", "HASH"),
        ("round", "RANGE"),
        ("match", "RANGE"),
    ]


def test_throughput_is_for_table_and_global_indexes() -> None:
    """Provisioned capacity goes to each of them; on demand has none."""
    body = create_table(SHOP, "shop", Provisioned(read=3, write=2))
    units = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}
    assert [part["ProvisionedThroughput"] for part in (body, *body["GlobalSecondaryIndexes"])] == [units] * 3
    assert "ProvisionedThroughput" not in body["LocalSecondaryIndexes"][0]
    assert "ProvisionedThroughput" not in create_table(SHOP, "shop", OnDemand())
    with pytest.raises(UsageError, match="1 or more"):
        Provisioned(read=0, write=1)


def test_a_table_as_created_has_no_differences() -> None:
    """What was created from a declaration is recognised as just that, in whatever order DynamoDB lists it."""
    raw = described(SHOP)
    raw["GlobalSecondaryIndexes"].reverse()
    raw["AttributeDefinitions"].reverse()
    for entry in raw["GlobalSecondaryIndexes"]:
        entry["Projection"].get("NonKeyAttributes", []).reverse()
    assert differences(SHOP, parse_description(raw)) == []


@pytest.mark.parametrize(
    ("raw", "billing"),
    [
        ({"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}, OnDemand()),
        ({"BillingModeSummary": None, "ProvisionedThroughput": None}, OnDemand()),
        (
            {"BillingModeSummary": None, "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 4}},
            Provisioned(read=5, write=4),
        ),
        (
            {"BillingModeSummary": None, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}},
            OnDemand(),
        ),
        (
            {
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 4},
            },
            OnDemand(),
        ),
        (
            {
                "BillingModeSummary": {"BillingMode": "PROVISIONED"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 4},
            },
            Provisioned(read=5, write=4),
        ),
    ],
)
def test_billing_of_every_description(raw: dict[str, Any], billing: OnDemand | Provisioned) -> None:
    """Old tables have no summary, and tables on demand report a throughput of zero (flaw D21)."""
    assert parse_description(described(SHOP, **raw)).billing == billing


def test_a_sparse_description_is_enough() -> None:
    """Engines that leave out what is empty are read all the same."""
    raw = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    description = parse_description(raw)
    assert (description.status, description.sort_key, description.indexes) == ("ACTIVE", None, ())
    assert (description.item_count, description.size_bytes, description.arn) == (0, 0, None)
    assert description.is_ready


def test_a_table_is_ready_with_its_last_index() -> None:
    """Any index that is not active keeps the table from being ready (flaw D22)."""
    raw = described(SHOP)
    for status, ready in (("CREATING", False), ("UPDATING", False), ("ACTIVE", True)):
        raw["GlobalSecondaryIndexes"][1]["IndexStatus"] = status
        assert parse_description(raw).is_ready is ready


def test_differences_are_sentences() -> None:
    """Each difference says what is there and what is declared, without internals."""
    there = Table("shop", partition_key="pk", indexes=[GSI("some", "tenant", projection=("a",)), GSI("extra", "x")])
    assert differences(SHOP, parse_description(described(there))) == [
        "the sort key is none, declared is sk (N)",
        "it has no index both",
        "index some is global on tenant (S) with a, declared is global on tenant (S) with a, b",
        "it has no index keys",
    ]
