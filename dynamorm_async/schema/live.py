"""A table with all its settings as DynamoDB describes them."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast, final, get_args

import msgspec
from msgspec import UNSET, UnsetType

from dynamorm_async.model.settings import (
    Billing,
    Insights,
    OnDemand,
    Provisioned,
    StreamView,
    TableClass,
    TableSettings,
    WarmThroughput,
)
from dynamorm_async.model.table import Table
from dynamorm_async.plan.settings import TABLE_CLASSES
from dynamorm_async.plan.tables import TableDescription, create_table, maxima, parse_description

_FILLING: Final = "being filled with the items that were there"
_MOVING: Final = frozenset({"CREATING", "UPDATING", "DELETING", "ENABLING", "DISABLING", _FILLING})
_INSIGHTS: Final[Mapping[str, Insights]] = {
    "ACCESSED_AND_THROTTLED_KEYS": "all_keys",
    "THROTTLED_KEYS": "throttled_keys",
}
_CLASSES: Final[Mapping[str, TableClass]] = {told: name for name, told in TABLE_CLASSES.items()}
_RECOVERY_DAYS: Final = 35
_ARN_REGION: Final = 3


@final
class LiveIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What DynamoDB says of a global index besides its keys and projection.

    Attributes:
        billing: its throughput, or its maxima on demand; ``None`` where a provisioned table does not tell it.
        warm_throughput: what it can serve at once; ``None`` where DynamoDB does not tell.
        contributor_insights: which keys are counted, ``None`` is none; ``UNSET`` where it was not asked for.
    """

    billing: Billing | None
    warm_throughput: WarmThroughput | None = None
    contributor_insights: Insights | UnsetType | None = UNSET


@final
class LiveReplica(msgspec.Struct, frozen=True, kw_only=True):
    """A replica of a table in another region: its region, its status, and its KMS key where it has one of its own."""

    region: str
    status: str
    key: str | None = None


@final
class LiveTable(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that DynamoDB says of a table. ``UNSET`` is what was not asked for, or could not be read.

    Attributes:
        description: its name, status, keys, indexes, vector indexes, billing, size and ARN.
        indexes: the settings of its global indexes, by name.
        ttl: its time-to-live attribute, ``None`` where that is off.
        stream: what its stream tells, ``None`` without one.
        stream_arn: the ARN of its latest stream.
        encryption: ``"aws_owned"``, or the ARN of its KMS key.
        table_class: what storage and requests cost.
        deletion_protection: whether DynamoDB refuses to delete it.
        warm_throughput: what it can serve at once; ``None`` where DynamoDB does not tell.
        replicas: its replicas in other regions.
        tags: its tags.
        point_in_time_recovery: how many days it goes back; ``None`` where it is off.
        resource_policy: its policy document; ``None`` without one.
        contributor_insights: which keys are counted; ``None`` is none.
        pending: what is still being changed, in words; the table takes no other change meanwhile.
        unread: what could not be read, with the reason.
    """

    description: TableDescription
    indexes: Mapping[str, LiveIndex]
    stream: StreamView | None
    stream_arn: str | None
    encryption: str
    table_class: TableClass
    deletion_protection: bool
    warm_throughput: WarmThroughput | None
    replicas: tuple[LiveReplica, ...]
    pending: tuple[str, ...]
    ttl: str | UnsetType | None = UNSET
    tags: Mapping[str, str] | UnsetType = UNSET
    point_in_time_recovery: int | UnsetType | None = UNSET
    resource_policy: Mapping[str, Any] | UnsetType | None = UNSET  # Any: a policy is as open as JSON
    contributor_insights: Insights | UnsetType | None = UNSET
    unread: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """Its full name, prefix and all."""
        return self.description.name

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is being changed: the table is active, and its indexes hold every item."""
        return not self.pending

    @property
    def resource(self) -> str:
        """What names it where DynamoDB wants an ARN."""
        return self.description.arn or self.name


def parse_live(raw: Mapping[str, Any]) -> LiveTable:
    """The ``Table`` of a DescribeTable answer."""
    description = parse_description(raw)
    provisioned = isinstance(description.billing, Provisioned)
    stream = raw.get("StreamSpecification") or {}
    view = str(stream.get("StreamViewType", "")).lower()
    known_view = stream.get("StreamEnabled") and view in get_args(StreamView)
    table_class = (raw.get("TableClassSummary") or {}).get("TableClass", "STANDARD")
    return LiveTable(
        description=description,
        indexes={
            index["IndexName"]: LiveIndex(
                billing=_index_billing(index, provisioned=provisioned), warm_throughput=_warm(index)
            )
            for index in raw.get("GlobalSecondaryIndexes") or ()
        },
        stream=cast("StreamView", view) if known_view else None,
        stream_arn=raw.get("LatestStreamArn"),
        encryption=_encryption(raw.get("SSEDescription") or {}),
        table_class=_CLASSES.get(table_class, "standard"),
        deletion_protection=bool(raw.get("DeletionProtectionEnabled")),
        warm_throughput=_warm(raw),
        replicas=_replicas(raw),
        pending=tuple(_pending(raw)),
    )


def parse_recovery(answer: Mapping[str, Any]) -> int | None:
    """The days of a DescribeContinuousBackups answer; ``None`` where recovery is off."""
    told = (answer.get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    if told.get("PointInTimeRecoveryStatus") != "ENABLED":
        return None
    return int(told.get("RecoveryPeriodInDays") or _RECOVERY_DAYS)


def parse_insights(answer: Mapping[str, Any]) -> tuple[Insights | None, str | None]:
    """What a DescribeContributorInsights answer says, and what is still being changed of it, in words."""
    status = answer.get("ContributorInsightsStatus", "DISABLED")
    of = f"index {answer['IndexName']}" if answer.get("IndexName") else "the table"
    pending = f"contributor insights of {of} are {status}" if status in _MOVING else None
    if status not in ("ENABLED", "ENABLING"):
        return None, pending
    return _INSIGHTS.get(answer.get("ContributorInsightsMode") or "", "all_keys"), pending


def created(table: Table, name: str) -> LiveTable:
    """A table as CreateTable will have made it, with all that CreateTable takes."""
    body = create_table(table, name)
    settings = TableSettings() if table.settings is None else table.settings
    encryption = body.get("SSESpecification")
    raw: dict[str, Any] = {
        **body,
        "TableStatus": "ACTIVE",
        "BillingModeSummary": {"BillingMode": body["BillingMode"]},
        "TableClassSummary": {"TableClass": body.get("TableClass", "STANDARD")},
        "SSEDescription": None
        if encryption is None
        else {"Status": "ENABLED", "KMSMasterKeyArn": encryption.get("KMSMasterKeyId", "aws_managed")},
    }
    live = parse_live(raw)
    return msgspec.structs.replace(
        live,
        ttl=None,
        tags=settings.tags,
        resource_policy=settings.resource_policy,
        point_in_time_recovery=None,
        contributor_insights=None,
        indexes={index: msgspec.structs.replace(one, contributor_insights=None) for index, one in live.indexes.items()},
    )


def _index_billing(raw: Mapping[str, Any], *, provisioned: bool) -> Billing | None:
    if not provisioned:
        return maxima(raw)
    told = raw.get("ProvisionedThroughput") or {}
    read, write = told.get("ReadCapacityUnits", 0), told.get("WriteCapacityUnits", 0)
    return Provisioned(read=read, write=write) if read and write else None


def _warm(raw: Mapping[str, Any]) -> WarmThroughput | None:
    told = raw.get("WarmThroughput") or {}
    read, write = told.get("ReadUnitsPerSecond"), told.get("WriteUnitsPerSecond")
    return WarmThroughput(read=read, write=write) if read and write else None


def _encryption(told: Mapping[str, Any]) -> str:
    if told.get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return "aws_owned"
    return str(told.get("KMSMasterKeyArn") or "aws_managed")


def _replicas(raw: Mapping[str, Any]) -> tuple[LiveReplica, ...]:
    own = str(raw.get("TableArn") or "").split(":")
    region = own[_ARN_REGION] if len(own) > _ARN_REGION else None
    return tuple(
        LiveReplica(region=one["RegionName"], status=one.get("ReplicaStatus", "ACTIVE"), key=one.get("KMSMasterKeyId"))
        for one in raw.get("Replicas") or ()
        if one["RegionName"] != region
    )


def _pending(raw: Mapping[str, Any]) -> Iterator[str]:
    """What is still being changed, in words."""
    statuses = [
        ("the table", raw.get("TableStatus")),
        ("its encryption", (raw.get("SSEDescription") or {}).get("Status")),
        ("its warm throughput", (raw.get("WarmThroughput") or {}).get("Status")),
        *((f"the replica in {one['RegionName']}", one.get("ReplicaStatus")) for one in raw.get("Replicas") or ()),
    ]
    for kind, key in (("index", "GlobalSecondaryIndexes"), ("vector index", "VectorIndexes")):
        for index in raw.get(key) or ():
            what = f"{kind} {index['IndexName']}"
            statuses.append((what, index.get("IndexStatus")))
            statuses.append((f"the warm throughput of {what}", (index.get("WarmThroughput") or {}).get("Status")))
            # DynamoDB calls the table active, and an index may be, too, while items that were there are still put into it.
            statuses.append((what, _FILLING if index.get("Backfilling") else None))
    yield from (f"{what} is {status}" for what, status in statuses if status in _MOVING)


def switched(live: LiveTable, billing: Billing) -> LiveTable:
    """A table as it will be after its billing was switched: every index has the throughput that the switch gives it.

    Args:
        live: the table as it is.
        billing: how it is to be paid for; maxima on demand are not part of a switch.
    """
    plain = OnDemand() if isinstance(billing, OnDemand) else billing
    indexes = {name: msgspec.structs.replace(one, billing=plain) for name, one in live.indexes.items()}
    return msgspec.structs.replace(
        live, description=msgspec.structs.replace(live.description, billing=plain), indexes=indexes
    )
