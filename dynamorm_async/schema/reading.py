"""Reads everything that DynamoDB says of a table."""

from __future__ import annotations

# Answers are as open as DynamoDB's API.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET

from dynamorm_async import Database, ServiceError, TableNotFound
from dynamorm_async.errors import NotFound
from dynamorm_async.model.settings import NO_SETTINGS, TableSettings
from dynamorm_async.model.table import Table
from dynamorm_async.schema.live import LiveTable, parse_insights, parse_live, parse_recovery

# Any, here and below: the attributes of a LiveTable.
Part = Callable[[], Awaitable[Mapping[str, Any]]]


async def look(db: Database, table: Table) -> LiveTable | None:
    """What is there of a table, as far as it is managed; ``None`` where there is no such table.

    Raises:
        CallError: a request failed.

    Costs DescribeTable and DescribeTimeToLive, and one request for each of these that is declared: point-in-time recovery,
    tags, the resource policy, contributor insights of the table and of each index.
    """
    return await _Reading(db, table, managed=NO_SETTINGS if table.settings is None else table.settings).run()


async def look_at_everything(db: Database, table: Table) -> LiveTable | None:
    """As :func:`look`, with all that DynamoDB says, declared or not. What cannot be read is told in ``unread``."""
    return await _Reading(db, table, managed=None).run()


class _Reading:
    """One look at one table.

    Args:
        db: the database.
        table: the table.
        managed: the settings that are read and have to be; ``None`` is all, as far as they can be.
    """

    def __init__(self, db: Database, table: Table, *, managed: TableSettings | None) -> None:
        self._db = db
        self._name = db.tables.name(table)
        self._managed = managed
        self._unread: dict[str, str] = {}

    async def run(self) -> LiveTable | None:
        try:
            answer = await self._call("DescribeTable", TableName=self._name)
            live = parse_live(answer["Table"])
            found: dict[str, Any] = dict(await self._ttl())
            for name, part in self._parts(live):
                found |= await self._read(name, part)
        except TableNotFound:
            return None
        pending = (*live.pending, *found.pop("pending", ()))
        indexes = await self._indexes(live)
        return msgspec.structs.replace(live, **found, indexes=indexes, pending=pending, unread=self._unread)

    def _parts(self, live: LiveTable) -> list[tuple[str, Part]]:
        parts: dict[str, Part] = {
            "point_in_time_recovery": self._recovery,
            "tags": lambda: self._tags(live.resource),
            "resource_policy": lambda: self._policy(live.resource),
            "contributor_insights": self._insights,
        }
        managed = self._managed
        return [(name, part) for name, part in parts.items() if managed is None or getattr(managed, name) is not UNSET]

    async def _read(self, name: str, part: Part) -> Mapping[str, Any]:
        try:
            return await part()
        except TableNotFound:
            raise
        except ServiceError as error:
            if self._managed is not None:
                raise
            self._unread[name] = str(error)
            return {}

    async def _ttl(self) -> Mapping[str, Any]:
        answer = await self._call("DescribeTimeToLive", TableName=self._name)
        told = answer.get("TimeToLiveDescription") or {}
        enabled = told.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
        return {"ttl": told.get("AttributeName") if enabled else None}

    async def _recovery(self) -> Mapping[str, Any]:
        answer = await self._call("DescribeContinuousBackups", TableName=self._name)
        return {"point_in_time_recovery": parse_recovery(answer)}

    async def _tags(self, resource: str) -> Mapping[str, Any]:
        tags: dict[str, str] = {}
        more: dict[str, str] = {}
        while True:
            answer = await self._call("ListTagsOfResource", ResourceArn=resource, **more)
            tags |= {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}
            if not answer.get("NextToken"):
                return {"tags": tags}
            more = {"NextToken": answer["NextToken"]}

    async def _policy(self, resource: str) -> Mapping[str, Any]:
        try:
            answer = await self._call("GetResourcePolicy", ResourceArn=resource)
        except TableNotFound:
            raise
        except NotFound:  # a table without a policy
            return {"resource_policy": None}
        return {"resource_policy": json.loads(answer["Policy"])}

    async def _insights(self) -> Mapping[str, Any]:
        insights, pending = parse_insights(await self._call("DescribeContributorInsights", TableName=self._name))
        return {"contributor_insights": insights, "pending": (pending,) if pending else ()}

    async def _indexes(self, live: LiveTable) -> Mapping[str, Any]:
        indexes = dict(live.indexes)
        for name, index in indexes.items():
            managed = self._managed
            if managed is not None and managed.index(name).contributor_insights is UNSET:
                continue
            found = await self._read(f"contributor_insights of index {name}", partial(self._of_index, name))
            indexes[name] = msgspec.structs.replace(index, **found)
        return indexes

    async def _of_index(self, index: str) -> Mapping[str, Any]:
        answer = await self._call("DescribeContributorInsights", TableName=self._name, IndexName=index)
        return {"contributor_insights": parse_insights(answer)[0]}

    async def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self._db.call(operation, params, table=self._name)
