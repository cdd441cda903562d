"""aiodynamo over aiohttp, into dicts; its ``numeric_type`` is Decimal, so that numbers are exact."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiodynamo.client import Client, Table
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.expressions import F, HashKey, Parameters
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.models import BatchGetRequest, BatchWriteRequest, ReturnValues
from aiodynamo.operations import Put
from aiodynamo.utils import dy2py, py2dy
from aiohttp import ClientSession, TCPConnector
from contestant import BATCH_GET, BATCH_WRITE, ENCODED, NEW_BALANCE, NEW_NOTE, TRANSACTION
from items import ORG, TABLE, Values, user_id, values
from surroundings import ACCESS_KEY, CONNECTIONS, REGION, SECRET_KEY, endpoint
from yarl import URL


class Aiodynamo:
    """The workloads on one shared client and session."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._table: Table = client.table(TABLE)
        self._items = [values(number) for number in range(ENCODED)]
        self._keys = [{"org": ORG, "user_id": user_id(number)} for number in range(BATCH_GET)]
        self.get_in_crowd = self.get

    async def get(self) -> Values:
        return await self._table.get_item({"org": ORG, "user_id": "u000001"})

    async def put(self) -> None:
        await self._table.put_item(self._items[2])

    async def update(self) -> Values:
        changes = F("note").set(NEW_NOTE) & F("balance").add(NEW_BALANCE)
        found = await self._table.update_item(self._keys[1], changes, return_values=ReturnValues.all_new)
        assert found is not None
        return found

    async def query(self, org: str) -> list[Values]:
        return [item async for item in self._table.query(HashKey("org", org))]

    async def scan(self) -> list[Values]:
        return [item async for item in self._table.scan()]

    async def batch_get(self) -> list[Values]:
        found = await self._client.batch_get({TABLE: BatchGetRequest(keys=self._keys)})
        assert not found.unprocessed_keys
        return found.items[TABLE]

    async def batch_write(self) -> None:
        left = await self._client.batch_write({TABLE: BatchWriteRequest(items_to_put=self._items[:BATCH_WRITE])})
        assert not left

    async def transact(self) -> None:
        await self._client.transact_write_items([Put(table=TABLE, item=item) for item in self._items[:TRANSACTION]])

    async def decode(self, body: bytes) -> list[Values]:
        return [dy2py(item, self._client.numeric_type) for item in json.loads(body)["Items"]]

    async def encode(self) -> list[bytes]:
        bodies = [{"TableName": TABLE, "Item": py2dy(item)} for item in self._items]
        return [json.dumps(body, separators=(",", ":")).encode() for body in bodies]

    async def render(self) -> dict[str, Any]:  # the parameters of UpdateItem
        parameters = Parameters()
        changes = F("note").set(NEW_NOTE) & F("balance").add(NEW_BALANCE) & F("visits").remove()
        where = F("age").gte(18) & F("active").equals(True) & F("email").begins_with("u")
        expressions = {
            "UpdateExpression": changes.encode(parameters),
            "ConditionExpression": where.encode(parameters),
        }
        return {**expressions, **parameters.to_request_payload()}

    def stream(self, org: str) -> AsyncIterator[Values]:
        return self._table.query(HashKey("org", org))

    def values(self, answer: Any) -> list[Values]:  # one dict or the dicts of a list
        return [answer] if isinstance(answer, dict) else answer


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Aiodynamo]:
    """A client on an aiohttp session against the canned server on ``port``."""
    async with ClientSession(connector=TCPConnector(limit=CONNECTIONS)) as session:
        yield Aiodynamo(
            Client(
                AIOHTTP(session),
                StaticCredentials(Key(ACCESS_KEY, SECRET_KEY)),
                REGION,
                endpoint=URL(endpoint(port)),
                numeric_type=Decimal,
            )
        )
