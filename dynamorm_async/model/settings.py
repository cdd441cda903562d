"""What a table has besides keys and indexes: how it is paid for, streams, recovery, encryption, tags and the like.

Source: CreateTable and UpdateTable in DynamoDB's API reference, and its quotas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, final, get_args

import msgspec
from msgspec import UNSET, UnsetType

from dynamorm_async.errors import ModelError, UsageError

if TYPE_CHECKING:
    from dynamorm_async.model.table import Table

StreamView: TypeAlias = Literal["keys_only", "new_image", "old_image", "new_and_old_images"]
"""What a table's stream tells of a changed item."""

TableClass: TypeAlias = Literal["standard", "infrequent_access"]
"""What storage and requests of a table cost."""

Insights: TypeAlias = Literal["all_keys", "throttled_keys"]
"""Which keys CloudWatch Contributor Insights counts: those that are used most, or only those that were throttled."""

_RECOVERY_DAYS: Final = 35
_MOST_TAGS: Final = 50
_TAG_KEY: Final = 128
_TAG_VALUE: Final = 256
_AWS: Final = "aws:"


@final
class OnDemand(msgspec.Struct, frozen=True, kw_only=True):
    """Pay per request (``PAY_PER_REQUEST``).

    Attributes:
        max_read: the most read request units a second; ``None`` is the account's limit.
        max_write: the most write request units a second.
    """

    max_read: int | None = None
    max_write: int | None = None

    def __post_init__(self) -> None:
        for units in (self.max_read, self.max_write):
            if units is not None and units < 1:
                raise UsageError(f"{self!r}: a maximum is 1 request unit a second or more; None is without one")


@final
class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """Provisioned throughput, for the table and for each of its global indexes.

    Attributes:
        read: read capacity units.
        write: write capacity units.
    """

    read: int
    write: int

    def __post_init__(self) -> None:
        if self.read < 1 or self.write < 1:
            raise UsageError(f"Provisioned(read={self.read}, write={self.write}): capacity units are 1 or more")


Billing: TypeAlias = OnDemand | Provisioned


@final
class WarmThroughput(msgspec.Struct, frozen=True, kw_only=True):
    """What a table or index can serve at once. DynamoDB raises it by itself as well, and never lowers it.

    Attributes:
        read: read units a second, at least.
        write: write units a second, at least.
    """

    read: int
    write: int

    def __post_init__(self) -> None:
        if self.read < 1 or self.write < 1:
            raise ModelError(f"{self!r}: units a second are 1 or more")


@final
class IndexSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a global index has besides keys and projection. What is left out is not managed.

    Attributes:
        billing: its throughput, or its maxima on demand, of the table's kind. Left out, it is the table's ``Provisioned``;
            maxima on demand of the table are not those of its indexes.
        warm_throughput: what it can serve at once, at least.
        contributor_insights: which keys are counted; ``None`` is none.
    """

    billing: Billing | UnsetType = UNSET
    warm_throughput: WarmThroughput | UnsetType = UNSET
    contributor_insights: Insights | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        _check_one_of("contributor_insights", self.contributor_insights, get_args(Insights))


@final
class Replica(msgspec.Struct, frozen=True):
    """A replica of a table in another region, for :class:`TableSettings`.

    Attributes:
        region: the region, such as ``eu-central-1``.
        key: the ARN or id of the KMS key there, where ``encryption`` is a key of your own.
    """

    region: str
    key: str | None = None


@final
class TableSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is to be besides its keys and indexes, for :class:`Table` and ``@model(settings=...)``.

    Only what is given is managed: all else ``schema`` neither reads nor changes. ``tables.create`` and ``tables.ensure`` make
    new tables with what CreateTable takes; ``schema.apply`` does the rest, and changes tables that are there.

    Attributes:
        billing: ``OnDemand()``, which is also without maxima, or ``Provisioned(read=…, write=…)``.
        indexes: the settings of global indexes, by their names.
        stream: what the table's stream tells; ``None`` is no stream.
        point_in_time_recovery: ``True``, or the days that it goes back, 1 to 35; ``False`` is none.
        encryption: ``"aws_owned"`` (what tables have by themselves), ``"aws_managed"`` (the account's key ``aws/dynamodb``), or the
            ARN or id of a KMS key of your own. DynamoDB does not tell a managed key from one of your own.
        tags: tags by their keys. Others that the table has are shown, and are removed only where that is allowed.
        table_class: ``"standard"`` or ``"infrequent_access"``.
        deletion_protection: whether DynamoDB refuses to delete it.
        replicas: the regions that it is replicated to, besides its own; with eventual consistency (MREC).
        resource_policy: the policy document; ``None`` is none.
        contributor_insights: which keys of the table are counted; ``None`` is none. Indexes have their own.
        warm_throughput: what the table can serve at once, at least.

    Raises:
        ModelError: a value that DynamoDB would refuse.
    """

    billing: Billing | UnsetType = UNSET
    indexes: Mapping[str, IndexSettings] = {}
    stream: StreamView | UnsetType | None = UNSET
    point_in_time_recovery: bool | int | UnsetType = UNSET
    encryption: str | UnsetType = UNSET
    tags: Mapping[str, str] | UnsetType = UNSET
    table_class: TableClass | UnsetType = UNSET
    deletion_protection: bool | UnsetType = UNSET
    replicas: tuple[str | Replica, ...] | UnsetType = UNSET
    resource_policy: Mapping[str, Any] | UnsetType | None = UNSET  # Any: a policy is as open as JSON
    contributor_insights: Insights | UnsetType | None = UNSET
    warm_throughput: WarmThroughput | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_one_of("stream", self.stream, get_args(StreamView))
        _check_one_of("contributor_insights", self.contributor_insights, get_args(Insights))
        if self.table_class is not UNSET and self.table_class not in get_args(TableClass):
            raise ModelError(f"TableSettings(table_class={self.table_class!r}): {_either(get_args(TableClass))}")
        _check_recovery(self.point_in_time_recovery)
        _check_encryption(self.encryption)
        _check_tags(self.tags)
        _check_replicas(self)

    def index(self, name: str) -> IndexSettings:
        """The settings of an index; without any, nothing of it is managed but what follows from the table's ``billing``."""
        return self.indexes.get(name, _OF_AN_INDEX)

    @property
    def regions(self) -> tuple[Replica, ...]:
        """The replicas as records; none where they are not managed."""
        return () if self.replicas is UNSET else tuple(_replica(one) for one in self.replicas)

    def of_markers(self) -> TableSettings:
        """Those of the table of unique values: what keeps it as safe as the items that it belongs to."""
        return TableSettings(
            billing=self.billing,
            point_in_time_recovery=self.point_in_time_recovery,
            encryption=self.encryption,
            tags=self.tags,
            deletion_protection=self.deletion_protection,
        )


def check_settings(table: Table, settings: TableSettings) -> None:
    """What the settings say fits the table.

    Raises:
        ModelError: settings of an index that is not there, is local, or is billed in another way than the table; provisioned
            throughput of a table with vector indexes.
    """
    if table.vector_indexes and isinstance(settings.billing, Provisioned):
        raise ModelError(
            f"table {table.name} has the vector index {table.vector_indexes[0].name}, so it has to be on demand: "
            "write billing=OnDemand(), or leave it out"
        )
    for name, of_index in settings.indexes.items():
        index = table.index(name)
        if index is None:
            known = ", ".join(sorted(one.name for one in table.indexes if not one.local)) or "none"
            raise ModelError(f"table {table.name}: settings of the index {name!r}, but its global indexes are: {known}")
        if index.local:
            raise ModelError(f"table {table.name}: the index {name} is local, so it has no settings of its own")
        if of_index.billing is UNSET:
            continue
        if settings.billing is UNSET or type(of_index.billing) is not type(settings.billing):
            kind = type(of_index.billing).__name__
            raise ModelError(
                f"table {table.name}: index {name} is billed as {kind}, so write billing={kind}(...) for the table, too"
            )


def _check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value is not UNSET and value is not None and value not in allowed:
        raise ModelError(f"{name}={value!r}: {_either(allowed)}, or None for none")


def _either(allowed: tuple[str, ...]) -> str:
    return "write " + " or ".join(f'"{value}"' for value in allowed)


def _check_recovery(days: bool | int | UnsetType) -> None:  # noqa: FBT001 - a setting, not a switch
    if days is UNSET or isinstance(days, bool):
        return
    if not 1 <= days <= _RECOVERY_DAYS:
        raise ModelError(f"TableSettings(point_in_time_recovery={days}): True, False, or 1 to {_RECOVERY_DAYS} days")


def _check_encryption(key: str | UnsetType) -> None:
    if key is UNSET or key in ("aws_owned", "aws_managed"):
        return
    if not key or key.startswith("alias/") or ":alias/" in key:
        raise ModelError(
            f"TableSettings(encryption={key!r}): DynamoDB tells the ARN of a table's key, never an alias, so the two cannot be "
            'compared: give the ARN or id of the key, or "aws_owned" or "aws_managed"'
        )


def _check_tags(tags: Mapping[str, str] | UnsetType) -> None:
    if tags is UNSET:
        return
    if len(tags) > _MOST_TAGS:
        raise ModelError(f"TableSettings(tags=...): {len(tags)} tags; a table has {_MOST_TAGS} at most")
    for key, value in tags.items():
        if not 1 <= len(key) <= _TAG_KEY or len(value) > _TAG_VALUE:
            raise ModelError(
                f"TableSettings(tags=...): {key!r} has a key of more than {_TAG_KEY} characters, of none, or a value of more "
                f"than {_TAG_VALUE}"
            )
        if key.lower().startswith(_AWS):
            raise ModelError(f"TableSettings(tags=...): {key!r}: keys that begin with {_AWS} are for AWS")


def _check_replicas(settings: TableSettings) -> None:
    regions = [one.region for one in settings.regions]
    repeated = next(iter(_repeated(regions)), None)
    if repeated is not None:
        raise ModelError(f"TableSettings(replicas=...) names the region {repeated} twice")
    if not regions:
        return
    if settings.stream is not UNSET and settings.stream != "new_and_old_images":
        raise ModelError(
            f"TableSettings(replicas=..., stream={settings.stream!r}): a table with replicas has the stream "
            '"new_and_old_images": replication reads it'
        )
    own_key = settings.encryption is not UNSET and settings.encryption not in ("aws_owned", "aws_managed")
    bare = [one.region for one in settings.regions if one.key is None]
    if own_key and bare:
        raise ModelError(
            f"TableSettings(replicas=...): the table is encrypted with a key of your own, so each replica needs one of its "
            f'region: write Replica("{bare[0]}", key="...")'
        )


def _repeated(names: list[str]) -> Iterator[str]:
    return (name for place, name in enumerate(names) if name in names[:place])


def _replica(given: str | Replica) -> Replica:
    return Replica(given) if isinstance(given, str) else given


_OF_AN_INDEX: Final = IndexSettings()
NO_SETTINGS: Final = TableSettings()
"""Those of a table that was declared without any: nothing is managed."""
