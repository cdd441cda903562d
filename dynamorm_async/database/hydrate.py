"""Whole items for keys that an index gave, in order."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import anyio

from dynamorm_async.codec.compare import key_identity
from dynamorm_async.codec.item import answer_json, bytes_in
from dynamorm_async.database.access import Send
from dynamorm_async.errors import Throttled
from dynamorm_async.types import AttributeValue, Request

R = TypeVar("R")

_MAX_KEYS = 100
_ROUNDS = 8
_BASE = 0.05
_CAP = 5.0

Key = dict[str, AttributeValue]


class Hydrator(Generic[R]):
    """Reads the items of keys from the table.

    Args:
        send: sends a request.
        table: the table's name.
        key_names: the attributes of its key.
        make: what becomes of an item, in DynamoDB's JSON form.
        consistent: strongly consistent reads.
    """

    def __init__(
        self,
        send: Send,
        table: str,
        key_names: tuple[str, ...],
        make: Callable[[Mapping[str, Any]], R],
        *,
        consistent: bool,
    ) -> None:
        self._send = send
        self._table = table
        self._key_names = key_names
        self._make = make
        self._options = {"ConsistentRead": True} if consistent else {}
        self.reports: list[Any] = []  # what the answers report of consumed capacity

    async def whole_items(self, keys: Sequence[Key]) -> list[R | None]:
        """The items of some keys, in their order; ``None`` for one that is gone by now.

        Raises:
            Throttled: DynamoDB left keys unprocessed again and again.
            CallError: a request failed.
            DecodeError: an item does not fit the model.

        Costs one BatchGetItem for each 100 keys, and one for what was left unprocessed.
        """
        unique = list({key_identity(key): key for key in keys}.values())  # DynamoDB refuses a key twice
        found: dict[bytes, R] = {}
        for start in range(0, len(unique), _MAX_KEYS):
            for raw in await self._batch(unique[start : start + _MAX_KEYS]):
                found[key_identity({name: raw[name] for name in self._key_names})] = self._make(raw)
        return [found.get(key_identity(key)) for key in keys]

    async def _batch(self, keys: list[Key]) -> list[dict[str, Any]]:
        """The raw items of at most 100 keys, in whatever order."""
        items: list[dict[str, Any]] = []
        for attempt in range(_ROUNDS):
            body = {"RequestItems": {self._table: {"Keys": keys, **self._options}}}
            response = await self._send(Request(operation="BatchGetItem", body=body, table=self._table), None)
            answer = answer_json(response.body)
            self.reports += answer.get("ConsumedCapacity") or []
            items += answer.get("Responses", {}).get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not left:
                return items
            keys = [bytes_in(key) for key in left]
            await anyio.sleep(random.random() * min(_CAP, _BASE * 2**attempt))  # noqa: S311 - jitter
        raise Throttled(
            f"{len(keys)} keys were left unprocessed {_ROUNDS} times; read less at once, or later",
            operation="BatchGetItem",
            table=self._table,
            attempts=_ROUNDS,
            code="UnprocessedKeys",
        )
