"""DynamoDB's control plane in memory, with the rules of its API reference. What it begins takes a few looks to be done."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import copy
import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from dynamorm_async.errors import CallError, NotFound, TableInUse, TableNotFound, ValidationFailed

REGION = "eu-west-1"
_CHANGES = (
    "GlobalSecondaryIndexUpdates", "StreamSpecification", "SSESpecification", "ReplicaUpdates", "TableClass",
    "DeletionProtectionEnabled", "OnDemandThroughput", "WarmThroughput", "VectorIndexUpdates", "BillingMode",
)  # fmt: skip


class ControlPlane:
    """Takes the place of the client for control-plane calls.

    Args:
        looks: how many times a table is described until what was begun is done.

    Attributes:
        calls: the operations that changed something, or tried to, in order.
        failures: errors that the next changes end with, before or after they were applied; ``None`` is no failure.
        told: what is called before each operation, with its name.
    """

    def __init__(self, *, looks: int = 0) -> None:
        self.looks = looks
        self.tables: dict[str, dict[str, Any]] = {}
        self.ttl: dict[str, str] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.days: dict[str, int] = {}
        self.policies: dict[str, str] = {}
        self.insights: dict[tuple[str, str | None], str] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.failures: deque[tuple[CallError | None, bool]] = deque()
        self.told: Callable[[str], None] | None = None
        self._ends: dict[str, tuple[int, Callable[[], None]]] = {}

    async def call(
        self, operation: str, params: Mapping[str, Any], *, table: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        del table, timeout
        if self.told is not None:
            self.told(operation)
        await (
            anyio.lowlevel.checkpoint()
        )  # others come in between, and a call can be ended before it is applied, and after
        answer = self._answer(operation, params)
        await anyio.lowlevel.checkpoint()
        return answer

    def _answer(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if operation.startswith(("Describe", "List", "Get")):
            return self.handle(operation, params)
        failure, applied = self.failures.popleft() if self.failures else (None, True)
        if applied:
            self.calls.append((operation, params))
            self.handle(operation, params)
        if failure is not None:
            raise failure
        return {}

    async def aclose(self) -> None:
        return

    @property
    def operations(self) -> list[str]:
        """The operations that changed something, without their parameters."""
        return [operation for operation, _ in self.calls]

    def handle(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One operation, as DynamoDB would do it."""
        handlers: dict[str, Callable[[Any], Any]] = {
            "DescribeTable": self._describe, "CreateTable": self._create, "UpdateTable": self._update,
            "DescribeTimeToLive": self._describe_ttl, "UpdateTimeToLive": self._update_ttl,
            "ListTagsOfResource": self._list_tags, "TagResource": self._tag, "UntagResource": self._untag,
            "DescribeContinuousBackups": self._describe_backups, "UpdateContinuousBackups": self._update_backups,
            "GetResourcePolicy": self._get_policy, "PutResourcePolicy": self._put_policy,
            "DeleteResourcePolicy": self._delete_policy, "DescribeContributorInsights": self._describe_insights,
            "UpdateContributorInsights": self._update_insights,
        }  # fmt: skip
        return handlers[operation](copy.deepcopy(dict(params))) or {}

    # --- tables --------------------------------------------------------------------------------

    def _describe(self, params: Any) -> dict[str, Any]:
        name = params["TableName"]
        table = self._table(name)
        if name in self._ends:
            left, end = self._ends[name]
            if left:
                self._ends[name] = left - 1, end
            else:
                del self._ends[name]
                end()
        return {"Table": copy.deepcopy(table)}

    def _create(self, params: Any) -> None:
        name = params["TableName"]
        if name in self.tables:
            raise TableInUse(f"Table already exists: {name}", operation="CreateTable", table=name)
        mode = params["BillingMode"]
        table: dict[str, Any] = {
            "TableName": name,
            "TableArn": f"arn:aws:dynamodb:{REGION}:000000000000:table/{name}",
            "TableStatus": "ACTIVE",
            "KeySchema": params["KeySchema"],
            "AttributeDefinitions": params["AttributeDefinitions"],
            "BillingModeSummary": {"BillingMode": mode},
            "ProvisionedThroughput": params.get("ProvisionedThroughput", {}),
            "OnDemandThroughput": params.get("OnDemandThroughput", {}),
            "WarmThroughput": params.get("WarmThroughput", {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}),
            "StreamSpecification": params.get("StreamSpecification", {}),
            "SSEDescription": _encrypted(params.get("SSESpecification", {})),
            "TableClassSummary": {"TableClass": params.get("TableClass", "STANDARD")},
            "DeletionProtectionEnabled": params.get("DeletionProtectionEnabled", False),
            "LocalSecondaryIndexes": params.get("LocalSecondaryIndexes", []),
            "GlobalSecondaryIndexes": [],
            "VectorIndexes": [{**index, "IndexStatus": "ACTIVE"} for index in params.get("VectorIndexes", [])],
            "Replicas": [],
        }
        for index in params.get("GlobalSecondaryIndexes", []):
            self._check_throughput(mode, index)
            table["GlobalSecondaryIndexes"].append(_index(index))
        self.tables[name] = table
        self.tags[name] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        if "ResourcePolicy" in params:
            self.policies[name] = params["ResourcePolicy"]
        self._begin(table, "TableStatus", "CREATING")

    def _update(self, params: Any) -> None:
        table = self._table(params.pop("TableName"))
        self._check_quiet(table)
        definitions = params.pop("AttributeDefinitions", None)
        kinds = [kind for kind in _CHANGES if kind in params]
        if set(kinds) - {"BillingMode", "GlobalSecondaryIndexUpdates"} and len(kinds) > 1:
            raise self._invalid(f"only one change at a time: {kinds}")
        if "BillingMode" in params:
            self._switch(table, params)
        elif "ProvisionedThroughput" in params:
            if params["ProvisionedThroughput"] == table["ProvisionedThroughput"]:
                raise self._invalid("The provisioned throughput for the table will not change")
            self._provision(table, params["ProvisionedThroughput"])
        for update in params.get("GlobalSecondaryIndexUpdates", []):
            self._update_index(table, update, definitions)
        for update in params.get("VectorIndexUpdates", []):
            self._update_vector_index(table, update)
        self._set(table, params)
        if not self._ends.get(table["TableName"]):
            self._begin(table, "TableStatus", "UPDATING")

    def _set(self, table: dict[str, Any], params: Any) -> None:
        if "StreamSpecification" in params:
            now, wanted = table["StreamSpecification"].get("StreamEnabled"), params["StreamSpecification"]
            if bool(now) is wanted["StreamEnabled"]:
                raise self._invalid(f"Table {'already has an enabled stream' if now else 'has no stream to disable'}")
            if table["Replicas"]:
                raise self._invalid("replicas need the stream")
            table["StreamSpecification"] = wanted if wanted["StreamEnabled"] else {}
        if "SSESpecification" in params:
            table["SSEDescription"] = _encrypted(params["SSESpecification"])
        if "TableClass" in params:
            table["TableClassSummary"] = {"TableClass": params["TableClass"]}
        if "DeletionProtectionEnabled" in params:
            table["DeletionProtectionEnabled"] = params["DeletionProtectionEnabled"]
        if "OnDemandThroughput" in params:
            self._most(table, table, params["OnDemandThroughput"])
        if "WarmThroughput" in params:
            self._warm(table, params["WarmThroughput"])
        for update in params.get("ReplicaUpdates", []):
            self._update_replica(table, update)

    def _switch(self, table: dict[str, Any], params: Any) -> None:
        table["BillingModeSummary"] = {"BillingMode": params["BillingMode"]}
        table["OnDemandThroughput"] = {}
        if params["BillingMode"] == "PROVISIONED":
            self._provision(table, params["ProvisionedThroughput"])
            given = {update["Update"]["IndexName"] for update in params.get("GlobalSecondaryIndexUpdates", [])}
            missing = [one["IndexName"] for one in table["GlobalSecondaryIndexes"] if one["IndexName"] not in given]
            if missing:
                raise self._invalid(f"ProvisionedThroughput must be specified for index: {','.join(missing)}")
            if table["VectorIndexes"]:
                raise self._invalid("vector indexes need on-demand")
            return
        table["ProvisionedThroughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
        for index in table["GlobalSecondaryIndexes"]:
            index["ProvisionedThroughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
            index["OnDemandThroughput"] = {}

    def _provision(self, table: dict[str, Any], throughput: Any) -> None:
        if table["BillingModeSummary"]["BillingMode"] != "PROVISIONED":
            raise self._invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified on demand")
        table["ProvisionedThroughput"] = throughput

    def _most(self, table: dict[str, Any], what: dict[str, Any], most: Any) -> None:
        if table["BillingModeSummary"]["BillingMode"] == "PROVISIONED":
            raise self._invalid("OnDemandThroughput of a provisioned table")
        what["OnDemandThroughput"] = most

    def _warm(self, what: dict[str, Any], wanted: Any) -> None:
        if any(wanted[unit] < what["WarmThroughput"][unit] for unit in wanted):
            raise self._invalid("warm throughput cannot be lowered")
        what["WarmThroughput"] = wanted

    def _update_index(self, table: dict[str, Any], update: Any, definitions: Any) -> None:
        there = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
        (action, given), *_ = update.items()
        name = given["IndexName"]
        if action == "Create":
            if name in there:
                raise self._invalid(f"Index already exists: {name}")
            self._define(table, given, definitions)
            self._check_throughput(table["BillingModeSummary"]["BillingMode"], given)
            index = _index(given)
            table["GlobalSecondaryIndexes"].append(index)
            self._begin(index, "IndexStatus", "CREATING", table=table)
            return
        if name not in there:
            raise TableNotFound(f"no index {name}", operation="UpdateTable", table=table["TableName"])
        if action == "Delete":

            def end() -> None:
                table["GlobalSecondaryIndexes"].remove(there[name])
                self.insights.pop((table["TableName"], name), None)

            self._begin(there[name], "IndexStatus", "DELETING", table=table, end=end)
            return
        if "ProvisionedThroughput" in given:
            there[name]["ProvisionedThroughput"] = given["ProvisionedThroughput"]
        if "OnDemandThroughput" in given:
            self._most(table, there[name], given["OnDemandThroughput"])
        if "WarmThroughput" in given:
            self._warm(there[name], given["WarmThroughput"])

    def _define(self, table: dict[str, Any], index: Any, definitions: Any) -> None:
        """An attribute has one type in all keys; one that nothing uses any more is forgotten."""
        given = {one["AttributeName"]: one["AttributeType"] for one in definitions or ()}
        of_keys = [*table["KeySchema"], *(k for one in table["LocalSecondaryIndexes"] for k in one["KeySchema"])]
        of_keys += [key for one in table["GlobalSecondaryIndexes"] for key in one["KeySchema"]]
        used = {key["AttributeName"] for key in of_keys}
        known = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
        known = {name: tag for name, tag in known.items() if name in used}
        for name, tag in given.items():
            if known.get(name, tag) != tag:
                raise self._invalid(f"{name} is {known[name]} already")
        wanted = {key["AttributeName"] for key in index["KeySchema"]}
        if wanted - set(given):
            raise self._invalid(f"{wanted - set(given)} are not defined")
        known |= given
        table["AttributeDefinitions"] = [{"AttributeName": n, "AttributeType": t} for n, t in known.items()]

    def _update_vector_index(self, table: dict[str, Any], update: Any) -> None:
        (action, given), *_ = update.items()
        there = {index["IndexName"]: index for index in table["VectorIndexes"]}
        if action == "Create":
            index = {**given, "IndexStatus": "ACTIVE"}
            table["VectorIndexes"].append(index)
            self._begin(index, "IndexStatus", "CREATING", table=table)
            return
        table["VectorIndexes"].remove(there[given["IndexName"]])

    def _update_replica(self, table: dict[str, Any], update: Any) -> None:
        (action, given), *_ = update.items()
        there = {replica["RegionName"]: replica for replica in table["Replicas"]}
        region = given["RegionName"]
        if (action == "Create") is (region in there):
            raise self._invalid(f"replica in {region}: {action}")
        if action == "Delete":
            table["Replicas"].remove(there[region])
            return
        if table["StreamSpecification"].get("StreamViewType") != "NEW_AND_OLD_IMAGES":
            raise self._invalid("replicas need a stream of new and old images")
        table["Replicas"].append({"RegionName": region, "ReplicaStatus": "ACTIVE"})

    # --- what is beside tables -----------------------------------------------------------------

    def _describe_ttl(self, params: Any) -> dict[str, Any]:
        self._table(params["TableName"])
        attribute = self.ttl.get(params["TableName"])
        told = (
            {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}
            if attribute
            else {"TimeToLiveStatus": "DISABLED"}
        )
        return {"TimeToLiveDescription": told}

    def _update_ttl(self, params: Any) -> None:
        name, wanted = params["TableName"], params["TimeToLiveSpecification"]
        self._table(name)
        if wanted["Enabled"]:
            if name in self.ttl:
                raise self._invalid("TimeToLive is already enabled")
            self.ttl[name] = wanted["AttributeName"]
        elif self.ttl.pop(name, None) != wanted["AttributeName"]:
            raise self._invalid("TimeToLive is already disabled")

    def _list_tags(self, params: Any) -> dict[str, Any]:
        tags = self.tags[_name(params)]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tag(self, params: Any) -> None:
        self.tags[_name(params)] |= {tag["Key"]: tag["Value"] for tag in params["Tags"]}

    def _untag(self, params: Any) -> None:
        for key in params["TagKeys"]:
            self.tags[_name(params)].pop(key, None)

    def _describe_backups(self, params: Any) -> dict[str, Any]:
        days = self.days.get(params["TableName"])
        told: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED" if days else "DISABLED"}
        if days:
            told["RecoveryPeriodInDays"] = days
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": told}}

    def _update_backups(self, params: Any) -> None:
        wanted = params["PointInTimeRecoverySpecification"]
        self.days.pop(params["TableName"], None)
        if wanted["PointInTimeRecoveryEnabled"]:
            self.days[params["TableName"]] = wanted.get("RecoveryPeriodInDays", 35)

    def _get_policy(self, params: Any) -> dict[str, Any]:
        if _name(params) not in self.policies:
            raise NotFound("no policy", operation="GetResourcePolicy", table=_name(params))
        return {"Policy": self.policies[_name(params)]}

    def _put_policy(self, params: Any) -> None:
        self.policies[_name(params)] = json.dumps(json.loads(params["Policy"]))

    def _delete_policy(self, params: Any) -> None:
        self.policies.pop(_name(params), None)

    def _describe_insights(self, params: Any) -> dict[str, Any]:
        mode = self.insights.get((params["TableName"], params.get("IndexName")))
        return {"ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": mode} if mode else {}

    def _update_insights(self, params: Any) -> None:
        of = params["TableName"], params.get("IndexName")
        self.insights.pop(of, None)
        if params["ContributorInsightsAction"] == "ENABLE":
            self.insights[of] = params["ContributorInsightsMode"]

    # --- inside --------------------------------------------------------------------------------

    def _table(self, name: str) -> dict[str, Any]:
        if name not in self.tables:
            raise TableNotFound(f"no table {name}", operation="DescribeTable", table=name)
        return self.tables[name]

    def _begin(
        self,
        what: dict[str, Any],
        key: str,
        status: str,
        *,
        table: dict[str, Any] | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        """Let a change take its looks. An index is ACTIVE for the last of them, and still being filled (flaw D22)."""
        filling = key == "IndexStatus" and status == "CREATING"
        what[key] = status

        def done() -> None:
            what[key] = "ACTIVE"
            what.pop("Backfilling", None)
            if end is not None:
                end()

        def fill() -> None:
            what[key], what["Backfilling"] = "ACTIVE", True
            self._ends[name] = 0, done

        name = (what if table is None else table)["TableName"]
        if not self.looks:
            done()
            return
        self._ends[name] = self.looks, fill if filling else done

    def _check_quiet(self, table: dict[str, Any]) -> None:
        busy = [
            index
            for index in table["GlobalSecondaryIndexes"]
            if index["IndexStatus"] != "ACTIVE" or index.get("Backfilling")
        ]
        if table["TableStatus"] != "ACTIVE" or busy:
            raise TableInUse(
                "Attempt to change a resource which is still in use", operation="UpdateTable", table=table["TableName"]
            )

    def _check_throughput(self, mode: str, index: Any) -> None:
        if (mode == "PROVISIONED") is not ("ProvisionedThroughput" in index):
            raise self._invalid(
                f"index {index['IndexName']}: throughput of its own is for provisioned tables, and those need it"
            )

    def _invalid(self, message: str) -> ValidationFailed:
        return ValidationFailed(message, operation="UpdateTable")


def _index(given: Any) -> dict[str, Any]:
    warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}
    return {"WarmThroughput": warm, **given, "IndexStatus": "ACTIVE"}


def _encrypted(specification: Any) -> dict[str, Any]:
    if not specification.get("Enabled"):
        return {}
    key = specification.get("KMSMasterKeyId", f"arn:aws:kms:{REGION}:000000000000:key/managed")
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{REGION}:000000000000:key/{key}"
    return {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": arn}


def _name(params: Any) -> str:
    return str(params["ResourceArn"]).rsplit("/", 1)[-1]
