"""Records of plain values in the bookkeeping table: one partition for each backfill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

from dynamorm_async import ConditionFailed, Database, OutcomeUnknown
from dynamorm_async.codec.answers import answer_json, bytes_in
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.native import from_attribute_value, to_attribute_value
from dynamorm_async.plan.items import get_item
from dynamorm_async.types import AttributeValue, Request

Record = dict[str, Any]  # plain values of any type

PARTITION: Final = "pk"
SORT: Final = "sk"
_SEVERAL: Final = 3
"""How often a write whose answer is lost is looked at, and made again where it was not applied."""


@final
class Store:
    """The records of one partition, each known by its sort key.

    Args:
        db: the database.
        table: the full name of the bookkeeping table.
        partition: the partition key of all the records.
    """

    def __init__(self, db: Database, table: str, partition: str) -> None:
        self._db = db
        self._table = table
        self._partition = partition

    async def get(self, sort: str) -> Record | None:
        """A record, as it is now. Costs one GetItem, consistent."""
        response = await self._db.send(get_item(self._table, self._key(sort), consistent=True))
        raw = answer_json(response.body).get("Item")
        return None if raw is None else _plain(raw)

    async def all(self) -> dict[str, Record]:
        """Every record by its sort key, as they are now. Costs one Query for each megabyte, consistent."""
        body: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "#p = :p",
            "ExpressionAttributeNames": {"#p": PARTITION},
            "ExpressionAttributeValues": {":p": {"S": self._partition}},
            "ConsistentRead": True,
        }
        found: dict[str, Record] = {}
        while True:
            response = await self._db.send(Request(operation="Query", body=body, table=self._table))
            answer = answer_json(response.body)
            found |= {raw[SORT]["S"]: _plain(raw) for raw in answer["Items"]}
            if not answer.get("LastEvaluatedKey"):
                return found
            body = {**body, "ExclusiveStartKey": bytes_in(answer["LastEvaluatedKey"])}

    async def create(self, sort: str, record: Record) -> Record:
        """Write a record where there is none; the one that is there then, whoever made it."""
        request = self._put(sort, record, {"ConditionExpression": "attribute_not_exists(#p)"}, repeatable=False)
        try:
            await self._db.send(request)
        except (ConditionFailed, OutcomeUnknown):
            found = await self.get(sort)
            if found is None:  # not applied, or deleted since: nothing is known of it
                raise
            return found
        return record

    async def put(self, sort: str, record: Record) -> None:
        """Write a record over whatever is there."""
        await self._db.send(self._put(sort, record, {}, repeatable=True))

    async def delete(self, sort: str) -> None:
        """Delete a record."""
        body = {"TableName": self._table, "Key": self._key(sort)}
        await self._db.send(Request(operation="DeleteItem", body=body, table=self._table))

    async def change(self, sort: str, values: Record, condition: str, *absent: str, **compared: Any) -> bool:
        """Set attributes of a record on a condition that does not hold any more once they are set.

        Args:
            sort: which record; it is made where there is none.
            values: the attributes to set.
            condition: as DynamoDB takes it, with ``#name`` for attributes and ``:name`` for values.
            absent: the attributes in it that are compared with nothing.
            compared: the values in it, by the attributes in it that they are compared with.

        Returns:
            Whether the record has these values now by this call, also where an answer was lost.
        """
        names = {f"#s{i}": name for i, name in enumerate(values)}
        body: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(sort),
            "UpdateExpression": "SET " + ", ".join(f"#s{i} = :s{i}" for i in range(len(values))),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names | {f"#{name}": name for name in (*absent, *compared)},
            "ExpressionAttributeValues": {
                f":s{i}": to_attribute_value(value) for i, value in enumerate(values.values())
            }
            | {f":{name}": to_attribute_value(value) for name, value in compared.items()},
        }
        request = Request(operation="UpdateItem", body=body, table=self._table, repeatable=False, at_most_once=True)
        for attempt in range(_SEVERAL):
            try:
                await self._db.send(request)
            except ConditionFailed as failed:
                return failed.maybe_applied and await self._has(sort, values)
            except OutcomeUnknown:
                if await self._has(sort, values):
                    return True
                if attempt == _SEVERAL - 1:
                    raise
            else:
                return True
        return False

    async def _has(self, sort: str, values: Record) -> bool:
        found = await self.get(sort)
        return found is not None and all(
            same_value(to_attribute_value(found.get(name)), to_attribute_value(value)) for name, value in values.items()
        )

    def _put(self, sort: str, record: Record, condition: Mapping[str, Any], *, repeatable: bool) -> Request:
        item = self._key(sort) | {name: to_attribute_value(value) for name, value in record.items()}
        body: dict[str, Any] = {"TableName": self._table, "Item": item, **condition}
        if condition:
            body["ExpressionAttributeNames"] = {"#p": PARTITION}
        return Request(
            operation="PutItem", body=body, table=self._table, repeatable=repeatable, at_most_once=not repeatable
        )

    def _key(self, sort: str) -> dict[str, AttributeValue]:
        return {PARTITION: {"S": self._partition}, SORT: {"S": sort}}


def _plain(raw: Mapping[str, Any]) -> Record:
    return {name: from_attribute_value(value) for name, value in raw.items() if name not in (PARTITION, SORT)}
