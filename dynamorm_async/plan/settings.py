"""Settings of tables as parameters of CreateTable and UpdateTable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET, UnsetType

from dynamorm_async.model.settings import (
    Billing,
    IndexSettings,
    OnDemand,
    Provisioned,
    StreamView,
    TableClass,
    TableSettings,
    WarmThroughput,
)

TABLE_CLASSES: Final[Mapping[TableClass, str]] = {
    "standard": "STANDARD",
    "infrequent_access": "STANDARD_INFREQUENT_ACCESS",
}
NO_MAXIMUM: Final = -1
"""What DynamoDB takes for no maximum on demand."""


# Any, here and below: parameters are as open as DynamoDB's API.
def throughput_parameter(billing: Billing, *, clearing: bool = False) -> dict[str, Any]:
    """The throughput of a table or an index, as its own parameter; nothing where there is nothing to say.

    Args:
        billing: how it is paid for.
        clearing: whether to say that there is no maximum on demand, which takes one off.
    """
    if isinstance(billing, Provisioned):
        return {"ProvisionedThroughput": {"ReadCapacityUnits": billing.read, "WriteCapacityUnits": billing.write}}
    most = {"MaxReadRequestUnits": billing.max_read, "MaxWriteRequestUnits": billing.max_write}
    if not clearing:
        most = {name: units for name, units in most.items() if units is not None}
    told = {name: NO_MAXIMUM if units is None else units for name, units in most.items()}
    return {"OnDemandThroughput": told} if told else {}


def warm_parameter(warm: WarmThroughput) -> dict[str, Any]:
    """A ``WarmThroughput``."""
    return {"WarmThroughput": {"ReadUnitsPerSecond": warm.read, "WriteUnitsPerSecond": warm.write}}


def of_new_index(settings: IndexSettings, billing: Billing) -> dict[str, Any]:
    """The throughput of an index that is made, beside its keys.

    Args:
        settings: the index's own.
        billing: the table's; an index of a provisioned table has to have throughput of its own.
    """
    return {
        **throughput_parameter(index_billing(settings, billing)),
        **({} if settings.warm_throughput is UNSET else warm_parameter(settings.warm_throughput)),
    }


def index_billing(settings: IndexSettings, billing: Billing) -> Billing:
    """How an index is paid for: as it says itself, else as its table is; maxima on demand are not handed down."""
    if settings.billing is not UNSET and type(settings.billing) is type(billing):
        return settings.billing
    return billing if isinstance(billing, Provisioned) else OnDemand()


def stream_parameter(view: StreamView | None) -> dict[str, Any]:
    """A ``StreamSpecification``."""
    if view is None:
        return {"StreamSpecification": {"StreamEnabled": False}}
    return {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view.upper()}}


def wanted_stream(settings: TableSettings) -> StreamView | UnsetType | None:
    """The stream that a table is to have: replication reads one, declared or not."""
    if settings.stream is UNSET and settings.regions:
        return "new_and_old_images"
    return settings.stream


def encryption_parameter(encryption: str) -> dict[str, Any]:
    """An ``SSESpecification``."""
    if encryption == "aws_owned":
        return {"SSESpecification": {"Enabled": False}}
    key = {} if encryption == "aws_managed" else {"KMSMasterKeyId": encryption}
    return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", **key}}


def tags_parameter(tags: Mapping[str, str]) -> dict[str, Any]:
    """``Tags``."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def policy_text(policy: Mapping[str, Any]) -> str:
    """A policy document as DynamoDB takes it, which counts white space."""
    return json.dumps(policy, separators=(",", ":"))


def creation_parameters(settings: TableSettings) -> dict[str, Any]:
    """What CreateTable takes of a table's settings, besides its throughput and indexes."""
    body: dict[str, Any] = {}
    stream = wanted_stream(settings)
    if stream is not UNSET and stream is not None:
        body |= stream_parameter(stream)
    if settings.encryption is not UNSET and settings.encryption != "aws_owned":
        body |= encryption_parameter(settings.encryption)
    if settings.tags is not UNSET and settings.tags:
        body |= tags_parameter(settings.tags)
    if settings.table_class is not UNSET:
        body["TableClass"] = TABLE_CLASSES[settings.table_class]
    if settings.deletion_protection is not UNSET:
        body["DeletionProtectionEnabled"] = settings.deletion_protection
    if settings.warm_throughput is not UNSET:
        body |= warm_parameter(settings.warm_throughput)
    if settings.resource_policy is not UNSET and settings.resource_policy is not None:
        body["ResourcePolicy"] = policy_text(settings.resource_policy)
    return body
