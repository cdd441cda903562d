"""Table definitions as CreateTable parameters, descriptions as records, and the differences between the two."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import msgspec
from msgspec import UNSET

from dynamorm_async.errors import UsageError
from dynamorm_async.model.settings import NO_SETTINGS, Billing, OnDemand, Provisioned
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.settings import creation_parameters, of_new_index, throughput_parameter
from dynamorm_async.plan.vector_tables import (
    VectorIndexDescription,
    parse_projection,
    parse_vector_index,
    projection_parameter,
    vector_differences,
    vector_index_parameter,
)


@final
class IndexDescription(msgspec.Struct, frozen=True, kw_only=True):
    """An index as DynamoDB describes it.

    Attributes:
        index: its name, keys and projection.
        status: ``ACTIVE``, ``CREATING``, ``UPDATING`` or ``DELETING``; local indexes are always ``ACTIVE``.
    """

    index: TableIndex
    status: str = "ACTIVE"


@final
class TableDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A table as DynamoDB describes it.

    Attributes:
        name: its name.
        status: ``ACTIVE``, ``CREATING``, ``UPDATING``, ``DELETING`` …
        partition_key: its partition key attribute.
        sort_key: its sort key attribute, if it has one.
        indexes: its indexes.
        billing: how it is paid for.
        item_count: items at DynamoDB's last count, about six hours old at most.
        size_bytes: size at that count, in bytes.
        arn: its Amazon Resource Name.
        vector_indexes: its vector indexes.
    """

    name: str
    status: str
    partition_key: KeyPart
    sort_key: KeyPart | None
    indexes: tuple[IndexDescription, ...]
    billing: Billing
    item_count: int
    size_bytes: int
    arn: str | None
    vector_indexes: tuple[VectorIndexDescription, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether the table and all its indexes are active, and its vector indexes hold what was there before them."""
        active = self.status == "ACTIVE" and all(index.status == "ACTIVE" for index in self.indexes)
        return active and all(index.is_ready for index in self.vector_indexes)


def create_table(table: Table, name: str, billing: Billing | None = None) -> dict[str, Any]:
    """The parameters of CreateTable, with what it takes of the table's settings.

    Args:
        table: the table.
        name: its full name.
        billing: how it is paid for; left out, as its settings say, and on demand where they say nothing.

    Raises:
        UsageError: provisioned throughput of a table that has vector indexes.
    """
    settings = NO_SETTINGS if table.settings is None else table.settings
    if billing is None:
        billing = OnDemand() if settings.billing is UNSET else settings.billing
    if isinstance(billing, Provisioned):
        _check_on_demand(table)
    body: dict[str, Any] = {
        "TableName": name,
        "KeySchema": key_schema((table.partition_key,), (table.sort_key,) if table.sort_key else ()),
        "AttributeDefinitions": definitions(all_parts(table)),
        "BillingMode": "PROVISIONED" if isinstance(billing, Provisioned) else "PAY_PER_REQUEST",
        **throughput_parameter(billing),
        **creation_parameters(settings),
    }
    local = [index_parameter(index) for index in table.indexes if index.local]
    everywhere = [
        index_parameter(index) | of_new_index(settings.index(index.name), billing)
        for index in table.indexes
        if not index.local
    ]
    if local:
        body["LocalSecondaryIndexes"] = local
    if everywhere:
        body["GlobalSecondaryIndexes"] = everywhere
    if table.vector_indexes:
        body["VectorIndexes"] = [vector_index_parameter(index) for index in table.vector_indexes]
    return body


def definitions(parts: Iterable[KeyPart]) -> list[dict[str, str]]:
    """``AttributeDefinitions``, of each attribute once."""
    return [{"AttributeName": p.name, "AttributeType": p.tag} for p in {part.name: part for part in parts}.values()]


def parse_description(raw: Mapping[str, Any]) -> TableDescription:
    """The ``Table`` of a DescribeTable answer. Fields that old engines leave out count as empty."""
    tags = {d["AttributeName"]: d["AttributeType"] for d in raw.get("AttributeDefinitions", ())}
    partition, sort = _keys(raw, tags)
    local = [_described(index, tags, local=True) for index in raw.get("LocalSecondaryIndexes") or ()]
    everywhere = [_described(index, tags, local=False) for index in raw.get("GlobalSecondaryIndexes") or ()]
    return TableDescription(
        name=raw["TableName"],
        status=raw.get("TableStatus", "ACTIVE"),
        partition_key=partition[0],
        sort_key=sort[0] if sort else None,
        indexes=(*local, *everywhere),
        billing=_billing(raw),
        item_count=raw.get("ItemCount", 0),
        size_bytes=raw.get("TableSizeBytes", 0),
        arn=raw.get("TableArn"),
        vector_indexes=tuple(parse_vector_index(index, tags) for index in raw.get("VectorIndexes") or ()),
    )


def differences(table: Table, found: TableDescription) -> list[str]:
    """What of a declared table is not so in DynamoDB. Indexes that only DynamoDB has are no difference."""
    result: list[str] = []
    for what, declared, actual in (
        ("partition key", table.partition_key, found.partition_key),
        ("sort key", table.sort_key, found.sort_key),
    ):
        if declared != actual:
            result.append(f"the {what} is {shown(actual)}, declared is {shown(declared)}")
    indexes = {described.index.name: described.index for described in found.indexes}
    for index in table.indexes:
        there = indexes.get(index.name)
        if there is None:
            result.append(f"it has no index {index.name}")
        elif comparable(there) != comparable(index):
            result.append(f"index {index.name} is {described_as(there)}, declared is {described_as(index)}")
    return result + vector_differences(table.vector_indexes, found.vector_indexes)


def _check_on_demand(table: Table) -> None:
    if table.vector_indexes:
        raise UsageError(
            f"table {table.name} has the vector index {table.vector_indexes[0].name}, so it has to be on demand: "
            "create it with OnDemand(), the default"
        )


def all_parts(table: Table) -> Sequence[KeyPart]:
    """Every attribute that has to be defined with its type; a vector has none."""
    of_indexes = (part for index in table.indexes for part in (*index.partition, *index.sort))
    return (*table.key_parts(), *of_indexes, *(part for index in table.vector_indexes for part in index.schema))


def key_schema(partition: Sequence[KeyPart], sort: Sequence[KeyPart]) -> list[dict[str, str]]:
    """A ``KeySchema``."""
    hashes = [{"AttributeName": part.name, "KeyType": "HASH"} for part in partition]
    return hashes + [{"AttributeName": part.name, "KeyType": "RANGE"} for part in sort]


def index_parameter(index: TableIndex) -> dict[str, Any]:
    """One of CreateTable's indexes, of whichever kind."""
    return {
        "IndexName": index.name,
        "KeySchema": key_schema(index.partition, index.sort),
        "Projection": projection_parameter(index.projection),
    }


def _keys(raw: Mapping[str, Any], tags: Mapping[str, Any]) -> tuple[tuple[KeyPart, ...], tuple[KeyPart, ...]]:
    parts = [
        (key["KeyType"], KeyPart(key["AttributeName"], tags.get(key["AttributeName"], "S"))) for key in raw["KeySchema"]
    ]
    partition = tuple(part for kind, part in parts if kind == "HASH")
    return partition, tuple(part for kind, part in parts if kind == "RANGE")


def _described(raw: Mapping[str, Any], tags: Mapping[str, Any], *, local: bool) -> IndexDescription:
    partition, sort = _keys(raw, tags)
    index = TableIndex(raw["IndexName"], partition, sort, local, parse_projection(raw.get("Projection", {})))
    return IndexDescription(index=index, status=raw.get("IndexStatus", "ACTIVE"))


def _billing(raw: Mapping[str, Any]) -> Billing:
    mode = (raw.get("BillingModeSummary") or {}).get("BillingMode")
    throughput = raw.get("ProvisionedThroughput") or {}
    read, write = throughput.get("ReadCapacityUnits", 0), throughput.get("WriteCapacityUnits", 0)
    # A table that never was on demand has no summary; one on demand reports a throughput of 0.
    if mode == "PAY_PER_REQUEST" or not (read and write):
        return maxima(raw)
    return Provisioned(read=read, write=write)


def maxima(raw: Mapping[str, Any]) -> OnDemand:
    """The ``OnDemandThroughput`` of a described table or index; DynamoDB says -1, or nothing, where there is no maximum."""
    most = raw.get("OnDemandThroughput") or {}
    read, write = most.get("MaxReadRequestUnits"), most.get("MaxWriteRequestUnits")
    return OnDemand(max_read=read if read and read > 0 else None, max_write=write if write and write > 0 else None)


def comparable(index: TableIndex) -> TableIndex:
    """The same index with what has no order in one order."""
    projection = index.projection
    return (
        index if isinstance(projection, str) else msgspec.structs.replace(index, projection=tuple(sorted(projection)))
    )


def described_as(index: TableIndex) -> str:
    """An index in words."""
    keys = " + ".join(shown(part) for part in (*index.partition, *index.sort))
    projection = index.projection if isinstance(index.projection, str) else ", ".join(sorted(index.projection))
    return f"{'local' if index.local else 'global'} on {keys} with {projection}"


def shown(part: KeyPart | None) -> str:
    """A key attribute with its type."""
    return f"{part.name} ({part.tag})" if part else "none"
