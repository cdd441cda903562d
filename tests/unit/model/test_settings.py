"""Settings of tables: checked when they are declared, and what CreateTable takes of them."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    IndexSettings,
    ModelError,
    OnDemand,
    Provisioned,
    Replica,
    Table,
    TableSettings,
    UsageError,
    VectorIndex,
    WarmThroughput,
    model,
    partition_key,
    unique,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import create_table
from tests.unit.model.refusals import refused

KEY = "arn:aws:kms:eu-west-1:000000000000:key/mine"


@pytest.mark.parametrize(
    ("wrong", "parts"),
    [
        ({"stream": "everything"}, ("stream", "new_image")),
        ({"table_class": "cheap"}, ("table_class", "infrequent_access")),
        ({"contributor_insights": True}, ("contributor_insights", "throttled_keys")),
        ({"point_in_time_recovery": 36}, ("36", "1 to 35 days")),
        ({"point_in_time_recovery": 0}, ("1 to 35 days",)),
        ({"encryption": "alias/mine"}, ("alias", "ARN or id")),
        ({"encryption": ""}, ("ARN or id",)),
        ({"tags": {"": "x"}}, ("tags",)),
        ({"tags": {"k" * 129: "x"}}, ("128",)),
        ({"tags": {"k": "x" * 257}}, ("256",)),
        ({"tags": {"AWS:team": "x"}}, ("for AWS",)),
        ({"tags": {str(n): "x" for n in range(51)}}, ("51 tags", "50")),
        ({"replicas": ("eu-central-1", "eu-central-1")}, ("eu-central-1", "twice")),
        ({"replicas": ("eu-central-1",), "stream": "keys_only"}, ("new_and_old_images",)),
        ({"replicas": ("eu-central-1",), "encryption": KEY}, ('Replica("eu-central-1", key="...")',)),
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any], parts: tuple[str, ...]) -> None:
    """What DynamoDB would refuse, or what could never be compared, is refused at once, with what to write."""
    with refused(*parts):
        TableSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"max_read": 0}, {"max_write": -1}])
def test_a_maximum_is_one_or_more(wrong: dict[str, int]) -> None:
    """A maximum of nothing would be a table that nobody can use."""
    with pytest.raises(UsageError, match="1 request unit a second or more"):
        OnDemand(**wrong)
    with refused("1 or more"):
        WarmThroughput(read=0, write=1)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (TableSettings(indexes={"by_b": IndexSettings()}), ("by_b", "its global indexes are: by_a")),
        (TableSettings(indexes={"local": IndexSettings()}), ("local", "no settings of its own")),
        (TableSettings(indexes={"by_a": IndexSettings(billing=OnDemand())}), ("by_a", "billing=OnDemand(...)")),
        (
            TableSettings(billing=OnDemand(), indexes={"by_a": IndexSettings(billing=Provisioned(read=1, write=1))}),
            ("by_a", "billing=Provisioned(...)"),
        ),
    ],
)
def test_settings_fit_the_table(settings: TableSettings, parts: tuple[str, ...]) -> None:
    """Settings of an index that is not there, is local, or is paid for in another way than the table are refused."""
    with refused("table users", *parts):
        Table(
            "users", partition_key="pk", sort_key="sk", indexes=[GSI("by_a", "a"), LSI("local", "l")], settings=settings
        )


def test_vector_indexes_are_of_tables_on_demand() -> None:
    """Provisioned throughput and a vector index are refused where they are declared."""
    near = VectorIndex("near", "v", dimensions=3, distance="cosine")
    with refused("near", "on demand"):
        Table("users", partition_key="pk", indexes=[near], settings=TableSettings(billing=Provisioned(read=1, write=1)))


def test_settings_are_of_the_models_own_table() -> None:
    """Models that share a table cannot each have settings for it."""
    shared = Table("shared", partition_key="pk")
    with refused("Table(settings=...)"):
        model(shared, settings=TableSettings())


def test_the_table_of_unique_values_is_as_safe() -> None:
    """It is paid for, encrypted, tagged, protected and kept as its model's, and has no stream or replicas of its own."""

    @model(table="people", settings=TableSettings(encryption=KEY, deletion_protection=True, stream="new_image"))
    class Person:
        person_id: Attr[str] = partition_key()
        email: Attr[str]

        unique_email = unique("email")

    markers = spec_of(Person).marker_table
    assert markers is not None
    assert markers.settings == TableSettings(encryption=KEY, deletion_protection=True)


def test_what_create_table_takes() -> None:
    """Every setting that CreateTable knows is in its parameters; index throughput is the index's own, or the table's."""
    settings = TableSettings(
        billing=Provisioned(read=2, write=3),
        indexes={
            "by_b": IndexSettings(billing=Provisioned(read=5, write=6), warm_throughput=WarmThroughput(read=7, write=8))
        },
        stream="keys_only",
        encryption=KEY,
        tags={"team": "a"},
        table_class="infrequent_access",
        deletion_protection=True,
        resource_policy={"Statement": []},
        warm_throughput=WarmThroughput(read=9, write=10),
    )
    table = Table("users", partition_key="pk", indexes=[GSI("by_a", "a"), GSI("by_b", "b")], settings=settings)
    body = create_table(table, "x-users")
    by_a, by_b = body["GlobalSecondaryIndexes"]
    assert (
        by_a["ProvisionedThroughput"]
        == {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3}
        == body["ProvisionedThroughput"]
    )
    assert by_b["ProvisionedThroughput"] == {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
    assert by_b["WarmThroughput"] == {"ReadUnitsPerSecond": 7, "WriteUnitsPerSecond": 8}
    assert {name: body[name] for name in body if name not in ("GlobalSecondaryIndexes", "ProvisionedThroughput")} == {
        "TableName": "x-users",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "a", "b")],
        "BillingMode": "PROVISIONED",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
        "Tags": [{"Key": "team", "Value": "a"}],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "DeletionProtectionEnabled": True,
        "ResourcePolicy": '{"Statement":[]}',
        "WarmThroughput": {"ReadUnitsPerSecond": 9, "WriteUnitsPerSecond": 10},
    }
    assert "ProvisionedThroughput" not in create_table(table, "users", OnDemand()), "what is asked for wins"


def test_replicas_bring_their_stream() -> None:
    """A table that is created with replicas to come has the stream that replication reads; regions may be records."""
    settings = TableSettings(replicas=("us-east-1", Replica("us-west-2")))
    body = create_table(Table("users", partition_key="pk", settings=settings), "users")
    assert body["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert [one.region for one in settings.regions] == ["us-east-1", "us-west-2"]


def test_nothing_is_said_of_what_is_not_declared() -> None:
    """Without settings, CreateTable has keys, attributes and billing, as ever."""
    assert create_table(Table("users", partition_key="pk"), "users").keys() == {
        "TableName", "KeySchema", "AttributeDefinitions", "BillingMode",
    }  # fmt: skip
    with pytest.raises(ModelError):
        TableSettings(tags={"aws:x": "y"})
