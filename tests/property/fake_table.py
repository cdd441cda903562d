"""A table in memory that answers Query, Scan and BatchGetItem as DynamoDB does, and refuses what it refuses.

Written from the developer guide ("Query operations", "Scan operations", "Key condition expressions"), apart from the
code that plans. Keys are text and numbers.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from dynamorm_async.model.table import Table, TableIndex
from dynamorm_async.types import Request, Response
from tests.property.evaluator import Parser

Raw = dict[str, Any]

_COMPARISON = re.compile(r"(#n\d+) (=|<|<=|>|>=) (:v\d+)\Z")
_BETWEEN = re.compile(r"(#n\d+) BETWEEN (:v\d+) AND (:v\d+)\Z")
_PREFIX = re.compile(r"begins_with\((#n\d+), (:v\d+)\)\Z")
_CLAUSES = re.compile(r" AND (?=#n\d+ (?:=|<|>|BETWEEN)|begins_with)")
_EXPRESSIONS = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression")


def ordered(value: Mapping[str, Any]) -> Any:
    ((tag, content),) = value.items()
    return Decimal(content) if tag == "N" else content.encode()


class Refused(Exception):
    """DynamoDB would answer with a ValidationException."""


def refuse_unless(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


class FakeTable:
    """One table.

    Attributes:
        requests: what arrived.
        in_flight: how many are being answered.
        most_in_flight: the most that were so at the same time.
        turns: how many turns of the loop an answer takes.
        natural: how many items fit in a page that has no ``Limit`` (DynamoDB's is 1 MB).
        before: called with each request before it is answered; may raise.
    """

    def __init__(self, table: Table, items: list[Raw], *, natural: int = 1000) -> None:
        self.table = table
        self.items = items
        self.natural = natural
        self.requests: list[Request] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.turns = 2
        self.before: Callable[[Request], None] = lambda _request: None

    async def send(self, request: Request, _timeout: float | None, /) -> Response:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            self.before(request)
            return Response(body=msgspec.json.encode(self.answer(request)))
        finally:
            self.in_flight -= 1

    def pages_of_parts(self) -> Counter[str]:
        """How many pages were asked of each part: a key condition's values, or a segment."""
        return Counter(part_of(request) for request in self.requests)

    def answer(self, request: Request) -> dict[str, Any]:
        body = request.body
        if request.operation == "BatchGetItem":
            return self._batch(body["RequestItems"])
        check_request(self.table, request)
        index = self.table.index(body.get("IndexName", "")) if "IndexName" in body else None
        read, last = self._read(body, index, request.operation)
        found = [item for item in read if passes(item, body, "FilterExpression")]
        answer: dict[str, Any] = {"Count": len(found), "ScannedCount": len(read)}
        if body.get("Select") != "COUNT":
            answer["Items"] = [projected(self._held(item, index), body) for item in found]
        if last is not None:
            answer["LastEvaluatedKey"] = last
        if body.get("ReturnConsumedCapacity"):
            answer["ConsumedCapacity"] = {"TableName": self.table.name, "CapacityUnits": float(len(read))}
        return answer

    def _read(self, body: Mapping[str, Any], index: TableIndex | None, operation: str) -> tuple[list[Raw], Raw | None]:
        """The items of one page before the filter, and its LastEvaluatedKey."""
        parts = (*self.table.key_parts(), *((*index.partition, *index.sort) if index else ()))
        names = list(dict.fromkeys(part.name for part in parts))
        place = self._places(index, names, operation)
        there = sorted((i for i in self.items if all(name in i for name in names)), key=place)
        if operation == "Query":
            there = [item for item in there if passes(item, body, "KeyConditionExpression")]
        if "Segment" in body:
            there = [i for i in there if self._hash(i, index) % body["TotalSegments"] == body["Segment"]]
        backward = body.get("ScanIndexForward", True) is False
        if backward:
            there.reverse()
        start = body.get("ExclusiveStartKey")
        if start is not None:
            refuse_unless(set(start) == set(names), f"the start key {start} is not of {names}")
            there = [i for i in there if (place(i) < place(start) if backward else place(i) > place(start))]
        size = body.get("Limit", self.natural)
        page = there[:size]
        # There is a last key whenever a page is full, also where nothing comes after it.
        return page, {name: page[-1][name] for name in names} if len(page) == size else None

    def _places(self, index: TableIndex | None, names: list[str], operation: str) -> Callable[[Raw], tuple[Any, ...]]:
        sort = index.sort if index else self.table.key_parts()[1:]
        whole = [*(part.name for part in sort), *names]
        if operation == "Query":
            return lambda item: tuple(ordered(item[name]) for name in whole)
        return lambda item: (self._hash(item, index), *(ordered(item[name]) for name in whole))

    def _hash(self, item: Raw, index: TableIndex | None) -> int:
        partition = index.partition if index else (self.table.partition_key,)
        return zlib.crc32(repr([item[part.name] for part in partition]).encode())

    def _held(self, item: Raw, index: TableIndex | None) -> Raw:
        return {name: value for name, value in item.items() if name in held_names(self.table, index, set(item))}

    def _batch(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        keys = wanted[self.table.name]["Keys"]
        refuse_unless(1 <= len(keys) <= 100, f"{len(keys)} keys")
        refuse_unless(len({repr(sorted(key.items())) for key in keys}) == len(keys), "a key twice")
        found = [item for item in self.items if any(key.items() <= item.items() for key in keys)]
        return {"Responses": {self.table.name: found[::-1]}, "UnprocessedKeys": {}}


def part_of(request: Request) -> str:
    values = request.body.get("ExpressionAttributeValues")
    return repr((request.body.get("Segment"), values if "KeyConditionExpression" in request.body else None))


def passes(item: Raw, body: Mapping[str, Any], expression: str) -> bool:
    return expression not in body or Parser(body[expression], body).condition()(item)


def projected(item: Raw, body: Mapping[str, Any]) -> Raw:
    if "ProjectionExpression" not in body:
        return item
    wanted = {body["ExpressionAttributeNames"][alias] for alias in body["ProjectionExpression"].split(", ")}
    return {name: value for name, value in item.items() if name in wanted}


def held_names(table: Table, index: TableIndex | None, every: set[str]) -> set[str]:
    if index is None or index.projection == "all":
        return every
    extra = () if index.projection == "keys_only" else index.projection
    return {*(part.name for part in (*table.key_parts(), *index.partition, *index.sort)), *extra}


# --- what DynamoDB takes ----------------------------------------------------------------------------------


def check_request(table: Table, request: Request) -> None:
    """Refuse a Query or Scan that DynamoDB would refuse.

    Raises:
        Refused: it would.
    """
    body = request.body
    index = table.index(body["IndexName"]) if "IndexName" in body else None
    refuse_unless(index is not None or "IndexName" not in body, "there is no such index")
    refuse_unless(not (body.get("ConsistentRead") and index and not index.local), "a consistent read of a global index")
    used = " ".join(body.get(name, "") for name in _EXPRESSIONS)
    for field, pattern in (("ExpressionAttributeNames", r"#n\d+"), ("ExpressionAttributeValues", r":v\d+")):
        refuse_unless(set(re.findall(pattern, used)) == set(body.get(field, {})), f"{field} is not what is used")
    names: Mapping[str, str] = body.get("ExpressionAttributeNames", {})
    asked = {names[alias] for alias in re.findall(r"#n\d+", body.get("ProjectionExpression", ""))}
    refuse_unless(asked <= held_names(table, index, asked), "a projection of what the index does not hold")
    refuse_unless(body.get("Select") in (None, "COUNT"), "Select")
    if request.operation == "Query":
        check_key_condition(table, index, body)
    else:
        refuse_unless("KeyConditionExpression" not in body, "a scan has no key condition")


def check_key_condition(table: Table, index: TableIndex | None, body: Mapping[str, Any]) -> None:
    partition = index.partition if index else (table.partition_key,)
    sort = index.sort if index else table.key_parts()[1:]
    tags = {part.name: part.tag for part in (*partition, *sort)}
    names, values = body["ExpressionAttributeNames"], body["ExpressionAttributeValues"]
    found: dict[str, str] = {}
    for clause in _CLAUSES.split(body["KeyConditionExpression"]):
        match = _COMPARISON.match(clause) or _BETWEEN.match(clause) or _PREFIX.match(clause)
        refuse_unless(match, f"{clause!r} is no key condition")
        assert match is not None
        name = names[match[1]]
        refuse_unless(name in tags, f"{name} is no key attribute")
        refuse_unless(name not in found, f"two conditions on {name}")
        given = [values[alias] for alias in re.findall(r":v\d+", clause)]
        for value in given:
            refuse_unless(list(value) == [tags[name]] and value[tags[name]] != "", f"{name} against {value}")
        if " BETWEEN " in clause:
            refuse_unless(ordered(given[0]) <= ordered(given[1]), "BETWEEN the wrong way round")
        found[name] = "=" if " = " in clause else "range"
    refuse_unless(all(found.get(part.name) == "=" for part in partition), "the partition key is not given")
    order = [found.get(part.name) for part in sort]
    leading = order[: order.index("range") if "range" in order else order.index(None) if None in order else len(order)]
    refuse_unless(set(leading) <= {"="} and not any(order[len(leading) + 1 :]), "sort attributes with a gap")
    refuse_unless(set(order[len(leading) : len(leading) + 1]) <= {"range", None}, "sort attributes with a gap")
    filtered = {names[alias] for alias in re.findall(r"#n\d+", body.get("FilterExpression", ""))}
    refuse_unless(not filtered & set(tags), f"a filter on key attributes {filtered & set(tags)}")
