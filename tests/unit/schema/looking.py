"""What is there of a table of the control plane in memory, with all settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from dynamorm_async.errors import NotFound
from dynamorm_async.schema.live import LiveTable, parse_insights, parse_live, parse_recovery
from tests.unit.schema.control_plane import ControlPlane


def look_at(control: ControlPlane, name: str) -> LiveTable:
    live = parse_live(control.handle("DescribeTable", {"TableName": name})["Table"])
    told = control.handle("DescribeTimeToLive", {"TableName": name})["TimeToLiveDescription"]
    return msgspec.structs.replace(
        live,
        ttl=told.get("AttributeName"),
        tags=dict(control.tags[name]),
        point_in_time_recovery=parse_recovery(control.handle("DescribeContinuousBackups", {"TableName": name})),
        resource_policy=_policy(control, name),
        contributor_insights=_insights(control, TableName=name),
        indexes={
            index: msgspec.structs.replace(
                one, contributor_insights=_insights(control, TableName=name, IndexName=index)
            )
            for index, one in live.indexes.items()
        },
    )


def _policy(control: ControlPlane, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = json.loads(control.handle("GetResourcePolicy", {"ResourceArn": name})["Policy"])
    except NotFound:
        return None
    return found


def _insights(control: ControlPlane, **params: str) -> Any:
    return parse_insights(control.handle("DescribeContributorInsights", params))[0]
