"""From a difference of settings to the steps that settle it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from dynamorm_async.model.settings import (
    NO_SETTINGS,
    Insights,
    OnDemand,
    TableSettings,
    WarmThroughput,
)
from dynamorm_async.model.table import Table
from dynamorm_async.plan.settings import (
    TABLE_CLASSES,
    encryption_parameter,
    index_billing,
    policy_text,
    stream_parameter,
    throughput_parameter,
    wanted_stream,
    warm_parameter,
)
from dynamorm_async.schema.diff import Aspect, Difference
from dynamorm_async.schema.live import LiveTable
from dynamorm_async.schema.steps import Item, Maker, Step

Planner: TypeAlias = Callable[[Maker, Difference, Table, LiveTable], Iterator[Item]]
_MODES: Final[Mapping[Insights, str]] = {
    "all_keys": "ACCESSED_AND_THROTTLED_KEYS",
    "throttled_keys": "THROTTLED_KEYS",
}
_REPLICATED: Final = "new_and_old_images"


def settings_of(table: Table) -> TableSettings:
    """What is declared, or nothing."""
    return NO_SETTINGS if table.settings is None else table.settings


def _ttl(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    if found.live is not None:
        if not make.may("disable_ttl"):
            yield make.left(found.sentence, "disable_ttl", is_extra=found.is_extra)
            return
        yield make.step(
            "disable_ttl",
            f"disable time to live by {found.live}",
            "UpdateTimeToLive",
            {"TableName": make.table, "TimeToLiveSpecification": {"Enabled": False, "AttributeName": found.live}},
            warning="items are not deleted any more when they expire; DynamoDB takes another change of it after an hour",
            permission="disable_ttl",
        )
    if table.ttl is not None:
        yield make.step(
            "enable_ttl",
            f"enable time to live by {table.ttl}",
            "UpdateTimeToLive",
            {"TableName": make.table, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": table.ttl}},
            warning=f"items whose {table.ttl} has passed are deleted",
        )


def _stream(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    wanted = wanted_stream(settings_of(table))
    assert wanted is not UNSET, "it differs, so it is managed"  # noqa: S101 - what the difference says
    if live.stream is not None:
        if live.replicas:
            regions = ", ".join(one.region for one in live.replicas)
            yield make.refused(
                f"{found.sentence}, and its replicas ({regions}) read the stream",
                ("remove the replicas, or declare no other stream",),
            )
            return
        if not make.may("disable_stream"):
            yield make.left(found.sentence, "disable_stream", is_extra=False)
            return
        yield make.update(
            "disable_stream",
            f"disable the stream of {live.stream}",
            stream_parameter(None),
            warning="what reads the stream gets nothing more of it; a new stream has another ARN",
            permission="disable_stream",
        )
    if wanted is not None:
        yield make.update("enable_stream", f"enable a stream of {wanted}", stream_parameter(wanted))


def _recovery(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    days = settings_of(table).point_in_time_recovery
    now = live.point_in_time_recovery or 0
    less = bool(now) and (not days or (days is not True and days < now))
    if less and not make.may("reduce_point_in_time_recovery"):
        yield make.left(found.sentence, "reduce_point_in_time_recovery", is_extra=False)
        return
    specification: dict[str, Any] = {"PointInTimeRecoveryEnabled": bool(days)}
    if days and days is not True:
        specification["RecoveryPeriodInDays"] = days
    yield make.step(
        "set_point_in_time_recovery",
        f"set point-in-time recovery: {found.declared}",
        "UpdateContinuousBackups",
        {"TableName": make.table, "PointInTimeRecoverySpecification": specification},
        warning="what could be restored from longer ago cannot be any more" if less else None,
        permission="reduce_point_in_time_recovery" if less else None,
    )


def _encryption(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    wanted = settings_of(table).encryption
    yield make.update("set_encryption", f"encrypt with {found.declared}", encryption_parameter(str(wanted)))


def _table_class(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    wanted = settings_of(table).table_class
    assert wanted is not UNSET, "it differs, so it is managed"  # noqa: S101 - what the difference says
    yield make.update(
        "set_table_class",
        f"change the table class to {found.declared}",
        {"TableClass": TABLE_CLASSES[wanted]},
        warning="DynamoDB takes two changes of the class in 30 days",
    )


def _deletion_protection(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    if settings_of(table).deletion_protection is True:
        yield make.update("enable_deletion_protection", "protect it from deletion", {"DeletionProtectionEnabled": True})
    elif make.may("disable_deletion_protection"):
        yield make.update(
            "disable_deletion_protection",
            "protect it from deletion no more",
            {"DeletionProtectionEnabled": False},
            permission="disable_deletion_protection",
        )
    else:
        yield make.left(found.sentence, "disable_deletion_protection", is_extra=False)


def _replica(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    region = str(found.subject)
    if not found.is_extra:
        if live.stream not in (None, _REPLICATED) and not make.may("disable_stream"):
            reason = f"the replica in {region} needs a stream of {_REPLICATED}, and the table has one of {live.stream}"
            yield make.left(reason, "disable_stream", is_extra=False)
            return
        key = next((one.key for one in settings_of(table).regions if one.region == region), None)
        create = {"RegionName": region, **({"KMSMasterKeyId": key} if key else {})}
        yield make.update(
            "add_replica",
            f"add a replica in {region}",
            {"ReplicaUpdates": [{"Create": create}]},
            subject=region,
            warning="the whole table is copied there, which costs replicated writes and storage",
        )
    elif make.may("remove_replica"):
        yield make.update(
            "remove_replica",
            f"remove the replica in {region}",
            {"ReplicaUpdates": [{"Delete": {"RegionName": region}}]},
            subject=region,
            warning=f"the table in {region} is deleted with all its items",
            permission="remove_replica",
        )
    else:
        yield make.left(found.sentence, "remove_replica", is_extra=True)


def _policy(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    policy = settings_of(table).resource_policy
    if policy is not UNSET and policy is not None:
        yield make.step(
            "set_resource_policy",
            "set its resource policy",
            "PutResourcePolicy",
            {"ResourceArn": live.resource, "Policy": policy_text(policy)},
            warning="it takes the place of the present one" if found.live else None,
        )
    elif make.may("remove_resource_policy"):
        yield make.step(
            "remove_resource_policy",
            "remove its resource policy",
            "DeleteResourcePolicy",
            {"ResourceArn": live.resource},
            permission="remove_resource_policy",
        )
    else:
        yield make.left(found.sentence, "remove_resource_policy", is_extra=True)


def _insights(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    yield insights_step(make, table, found.subject)


def insights_step(make: Maker, table: Table, index: str | None) -> Step:
    """The step that sets the contributor insights of a table, or of an index, as declared."""
    settings = settings_of(table)
    wanted = settings.contributor_insights if index is None else settings.index(index).contributor_insights
    params: dict[str, Any] = {"TableName": make.table, "ContributorInsightsAction": "ENABLE" if wanted else "DISABLE"}
    if index is not None:
        params["IndexName"] = index
    if wanted is not UNSET and wanted is not None:
        params["ContributorInsightsMode"] = _MODES[wanted]
    summary = f"set contributor insights{f' of index {index}' if index else ''}: {wanted or 'off'}"
    return make.step("set_contributor_insights", summary, "UpdateContributorInsights", params, subject=index)


def _warm(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    settings = settings_of(table)
    name = found.subject
    wanted = settings.warm_throughput if name is None else settings.index(name).warm_throughput
    now = live.warm_throughput if name is None else live.indexes[name].warm_throughput
    assert wanted is not UNSET, "it differs, so it is managed"  # noqa: S101 - what the difference says
    if now is not None:  # DynamoDB refuses to lower either of the two
        wanted = WarmThroughput(read=max(now.read, wanted.read), write=max(now.write, wanted.write))
    params = warm_parameter(wanted)
    yield make.update(
        "raise_warm_throughput",
        f"raise the {found.what} to {found.declared}",
        params if name is None else {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": name, **params}}]},
        subject=name,
        warning="it costs once, and cannot be lowered again",
    )


def _maximum(make: Maker, found: Difference, table: Table, live: LiveTable) -> Iterator[Item]:
    del live
    settings = settings_of(table)
    assert settings.billing is not UNSET, "it differs, so it is managed"  # noqa: S101 - what the difference says
    name = found.subject
    billing = settings.billing if name is None else index_billing(settings.index(name), settings.billing)
    assert isinstance(billing, OnDemand), "maxima are of tables on demand"  # noqa: S101 - what the difference says
    params = throughput_parameter(billing, clearing=True)
    yield make.update(
        "set_on_demand_maximum",
        f"set the {found.what}: {found.declared}",
        params if name is None else {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": name, **params}}]},
        subject=name,
    )


PLANNERS: Final[Mapping[Aspect, Planner]] = {
    "ttl": _ttl,
    "stream": _stream,
    "point_in_time_recovery": _recovery,
    "encryption": _encryption,
    "table_class": _table_class,
    "deletion_protection": _deletion_protection,
    "replica": _replica,
    "resource_policy": _policy,
    "contributor_insights": _insights,
    "warm_throughput": _warm,
    "on_demand_maximum": _maximum,
}
