"""Tables in memory that answer PutItem, DeleteItem and BatchWriteItem as DynamoDB does, and refuse what it refuses.

Written from the API reference ("BatchWriteItem", "PutItem", "DeleteItem"), apart from the code that plans and sends.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import anyio
import msgspec

from dynamorm_async import Attr, ConditionFailed, attr, created_at, model, partition_key, sort_key, updated_at, version
from dynamorm_async.database.access import Send
from dynamorm_async.database.batch_sender import OnProgress
from dynamorm_async.database.batch_write import BatchWrite
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import Request, Response
from tests.property.evaluator import Parser

Raw = dict[str, Any]
Identity = tuple[str, Any, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)


@model(table="rows")
class Row:
    """Goes into BatchWriteItem."""

    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key(default=0)
    text: Attr[str] = attr(default="")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()


@model(table="numbers")
class Number:
    """The key of an item is a number, which can be written in several ways."""

    number: Attr[Decimal] = partition_key()
    text: Attr[str] = attr(default="")


@model(table="blobs")
class Blob:
    """The key is binary, which is base64 in an answer."""

    blob: Attr[bytes] = partition_key()
    text: Attr[str] = attr(default="")


@model(table="kept")
class Kept:
    """Has a version, so that each write insists on one and is sent by itself."""

    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    revision: Attr[int] = version()


KEYS = {"rows": ("pk", "sk"), "numbers": ("number",), "blobs": ("blob",), "kept": ("pk",)}


class Refused(AssertionError):
    """DynamoDB would answer with a ValidationException."""


def content_of(value: Mapping[str, Any]) -> Any:
    ((tag, content),) = value.items()
    return Decimal(content) if tag == "N" else content


def identity(table: str, item: Mapping[str, Any]) -> Identity:
    contents = [content_of(item[name]) for name in KEYS[table]]
    return (table, contents[0], contents[1] if len(contents) > 1 else None)


class FakeStore:
    """The tables.

    Attributes:
        items: what they hold.
        requests: what arrived.
        in_flight: how many requests are being answered.
        most_in_flight: the most requests that were answered at the same time.
        turns: how many turns of the loop an answer takes.
        gate: what answers wait for, where it is set.
        leaves: which of the operations of a BatchWriteItem it leaves unprocessed.
        before: called with each request before anything is applied; may raise.
        after: called with each request when it was applied; may raise: the answer is lost.
    """

    def __init__(self) -> None:
        self.items: dict[Identity, Raw] = {}
        self.requests: list[Request] = []
        self.most_in_flight = 0
        self.turns: Callable[[], int] = lambda: 2
        self.gate: anyio.Event | None = None
        self.leaves: Callable[[list[Identity]], Iterable[Identity]] = lambda _sent: ()
        self.before: Callable[[Request], None] = lambda _request: None
        self.after: Callable[[Request], None] = lambda _request: None
        self._in_flight: list[set[Identity]] = []

    async def send(self, request: Request, _timeout: float | None, /) -> Response:
        # A copy, as it goes over the wire.
        request = msgspec.structs.replace(request, body=copy.deepcopy(request.body))
        self.requests.append(request)
        operations = operations_of(request)
        touched = set(operations)
        if any(touched & other for other in self._in_flight):
            raise Refused("two requests on one item are under way: their order is chance")
        self._in_flight.append(touched)
        self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
        try:
            for _ in range(self.turns()):
                await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            self.before(request)
            answer = self._answer(request, operations)
            self.after(request)
            return Response(body=msgspec.json.encode(answer))
        finally:
            self._in_flight.remove(touched)

    def _answer(self, request: Request, operations: dict[Identity, tuple[str, Raw]]) -> Raw:
        if request.operation != "BatchWriteItem":
            ((target, (_, operation)),) = operations.items()
            self._check_condition(request.body, target)
            self._apply(target, operation)
            return {}
        left = set(self.leaves(list(operations)))
        unprocessed: dict[str, list[Raw]] = {}
        for target, (table, operation) in operations.items():
            if target in left:
                unprocessed.setdefault(table, []).append(operation)
            else:
                self._apply(target, operation)
        return {"UnprocessedItems": unprocessed}

    def _apply(self, target: Identity, operation: Raw) -> None:
        if "PutRequest" in operation:
            self.items[target] = operation["PutRequest"]["Item"]
        else:
            self.items.pop(target, None)

    def _check_condition(self, body: Raw, target: Identity) -> None:
        found = self.items.get(target)
        expression = body.get("ConditionExpression")
        if expression is not None and not Parser(expression, body).condition()(found or {}):
            error = ConditionFailed("the condition does not hold", operation="PutItem", table=body["TableName"])
            error.raw_item = found
            raise error

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    # --- what was sent --------------------------------------------------------------------------

    @property
    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    @property
    def sizes(self) -> list[int]:
        """How many operations each request had."""
        return [len(operations_of(request)) for request in self.requests]

    def texts(self) -> dict[Identity, str]:
        return {target: item["text"]["S"] for target, item in self.items.items()}


def operations_of(request: Request) -> dict[Identity, tuple[str, Raw]]:
    """The operations of a request, each with its table. BatchWriteItem refuses an item twice, and more than 25."""
    body = request.body
    if request.operation == "PutItem":
        found = [(body["TableName"], {"PutRequest": {"Item": body["Item"]}})]
    elif request.operation == "DeleteItem":
        found = [(body["TableName"], {"DeleteRequest": {"Key": body["Key"]}})]
    else:
        found = [(table, operation) for table, listed in body["RequestItems"].items() for operation in listed]
    if not 1 <= len(found) <= 25:
        raise Refused(f"{len(found)} operations")
    if len(msgspec.json.encode(body)) > 16 * 1024 * 1024:
        raise Refused("more than 16 MB")
    operations = {identity(table, key_in(operation)): (table, operation) for table, operation in found}
    if len(operations) != len(found):
        raise Refused("two operations on one item")
    return operations


def key_in(operation: Raw) -> Raw:
    item: Raw = operation["PutRequest"]["Item"] if "PutRequest" in operation else operation["DeleteRequest"]["Key"]
    return item


class Clock:
    """A time that is a second later each time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


async def settled() -> None:
    """Let every task do all that it can do by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


def batch_of(
    store: FakeStore,
    *,
    concurrency: int = 4,
    on_progress: OnProgress | None = None,
    clock: Callable[[], datetime] | None = None,
    pauses: list[float] | None = None,
    random: Callable[[], float] = lambda: 1.0,
    send: Send | None = None,
    pause: Callable[[], Awaitable[object]] = settled,
    timeout: float | None = None,
) -> BatchWrite:
    """A batch into the store, whose pauses are noted, and end when ``pause`` does."""

    async def sleep(seconds: float) -> None:
        if pauses is not None:
            pauses.append(seconds)
        await pause()

    return BatchWrite(
        send or store.send,
        Writes(prefix="", clock=clock or Clock()),
        concurrency=concurrency,
        on_progress=on_progress,
        timeout=timeout,
        sleep=sleep,
        random=random,
    )
