"""Tables in memory that answer BatchGetItem as DynamoDB does, and refuse what it refuses.

Written from the API reference of BatchGetItem, apart from the code that plans and reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from dynamorm_async import Key
from dynamorm_async.database.access import Access
from dynamorm_async.database.batch_get import BatchGet
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.batch_get import plan_batch_get
from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.types import Request, Response

Raw = dict[str, Any]


class Refused(Exception):
    """DynamoDB would answer with a ValidationException."""


def refuse_unless(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


def same_key(one: Mapping[str, Any]) -> frozenset[tuple[str, str, object]]:
    """What is equal for equal keys; numbers by value."""
    parts = ((name, *next(iter(value.items()))) for name, value in one.items())
    return frozenset((name, tag, Decimal(content) if tag == "N" else content) for name, tag, content in parts)


class FakeTables:
    """Tables by name.

    Attributes:
        requests: what arrived.
        bodies: the tables' parts of what arrived, as JSON.
        in_flight: how many are being answered.
        most_in_flight: the most that were so at the same time.
        turns: how many turns of the loop an answer takes.
        taken: how many of so many keys are processed.
        before: called with each request before it is answered; may raise, or wait.
    """

    def __init__(self, items: Mapping[str, Sequence[Raw]], keys: Mapping[str, Sequence[str]]) -> None:
        wire: dict[str, list[Raw]] = msgspec.json.decode(msgspec.json.encode(items))
        self.items = {
            table: {same_key({name: item[name] for name in keys[table]}): item for item in found}
            for table, found in wire.items()
        }
        self.keys = keys
        self.requests: list[Request] = []
        self.bodies: list[dict[str, Any]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.turns = 2
        self.taken: Callable[[int], int] = lambda count: count
        self.before: Callable[[Request], Awaitable[None]] = _nothing
        self.pauses: list[float] = []

    async def send(self, request: Request, _timeout: float | None, /) -> Response:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(self.turns):
                await asyncio.sleep(0)
            await self.before(request)
            return Response(body=self.answer(request))
        finally:
            self.in_flight -= 1

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    @property
    def access(self) -> Access:
        return Access(send=self.send, cursors=CursorCodec((), lifetime=60.0, now=lambda: 0.0), sleep=self.sleep)

    def batch_get(
        self,
        *keys: Key[Any],
        consistent: bool = False,
        concurrency: int = 4,
        timeout: float | None = None,
        prefix: str = "",
    ) -> BatchGet[Any]:
        plan = plan_batch_get(keys, prefix, consistent=consistent)
        return BatchGet(plan, self.access, concurrency=concurrency, timeout=timeout)

    def answer(self, request: Request) -> bytes:
        assert request.operation == "BatchGetItem"
        assert set(request.body) == {"RequestItems"}
        wanted: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request.body["RequestItems"]))
        self.bodies.append(wanted)
        asked = [(table, key) for table, part in wanted.items() for key in part["Keys"]]
        refuse_unless(1 <= len(asked) <= 100, f"{len(asked)} keys")
        refuse_unless(len({(table, same_key(key)) for table, key in asked}) == len(asked), "a key twice")
        refuse_unless(all(set(key) == set(self.keys[table]) for table, key in asked), "no key of the table")
        taken = self.taken(len(asked))
        responses: dict[str, list[Raw]] = {table: [] for table in wanted}
        for table, key in reversed(asked[:taken]):  # in an order of their own
            item = self.items[table].get(same_key(key))
            if item is not None:
                responses[table].append(projected(item, wanted[table]))
        unprocessed: dict[str, Any] = {}
        for table, key in asked[taken:]:
            unprocessed.setdefault(table, {**wanted[table], "Keys": []})["Keys"].append(key)
        return msgspec.json.encode({"Responses": responses, "UnprocessedKeys": unprocessed})


async def _nothing(_request: Request) -> None:
    pass


def projected(item: Raw, body: Mapping[str, Any]) -> Raw:
    """What a projection leaves of an item; of names only, as the planner makes them."""
    if "ProjectionExpression" not in body:
        refuse_unless("ExpressionAttributeNames" not in body, "names without a use")
        return item
    aliases: Mapping[str, str] = body["ExpressionAttributeNames"]
    paths = [path.split(".") for path in body["ProjectionExpression"].split(", ")]
    refuse_unless({alias for path in paths for alias in path} == set(aliases), "names without a use")
    left: Raw = {}
    for path in paths:
        source, target = item, left
        for position, alias in enumerate(path):
            value = source.get(aliases[alias])
            if value is None or (position < len(path) - 1 and "M" not in value):
                break
            if position == len(path) - 1:
                target[aliases[alias]] = value
            else:
                source, target = value["M"], target.setdefault(aliases[alias], {"M": {}})["M"]
    return left


def tables_of(*items: object, also: Sequence[type[Any]] = ()) -> FakeTables:
    """Tables that hold some instances, and the empty tables of some models."""
    specs: list[ModelSpec[Any]] = [spec_of(type(item)) for item in items]
    every: list[ModelSpec[Any]] = [*specs, *map(spec_of, also)]  # pyright: ignore[reportUnknownArgumentType]  # of any class
    stored: dict[str, list[Raw]] = {spec.table.name: [] for spec in every}
    for spec, item in zip(specs, items, strict=True):
        stored[spec.table.name].append(dict(spec.codec.encode(item)))
    return FakeTables(stored, {spec.table.name: [part.name for part in spec.table.key_parts()] for spec in every})
