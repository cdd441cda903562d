"""Raw aiobotocore with boto3's TypeDeserializer: what a service without an ORM runs, into plain dicts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from canned import HOST
from items import TABLE, Values, Wire, get_item_body, query_body, values

# aiobotocore and boto3 have no types; what is taken from a module object is Any.
get_session = import_module("aiobotocore.session").get_session
dynamodb_types = import_module("boto3.dynamodb.types")


class Sdk:
    """The workloads on one shared client, with the SDK's own pool, retries and timeouts."""

    def __init__(self, client: Any) -> None:  # aiobotocore has no types
        self._client = client
        self._serialize = dynamodb_types.TypeSerializer().serialize
        self._deserialize = dynamodb_types.TypeDeserializer().deserialize
        self._get = get_item_body(1)
        self._put = values(2)
        self._query_100 = query_body()

    async def get(self) -> Values:
        answer = await self._client.get_item(**self._get)
        return self._read(answer["Item"])

    async def put(self) -> None:
        item = {name: self._serialize(value) for name, value in self._put.items()}
        await self._client.put_item(TableName=TABLE, Item=item)

    async def query_100(self) -> list[Values]:
        answer = await self._client.query(**self._query_100)
        return [self._read(item) for item in answer["Items"]]

    async def scan_1000(self) -> list[Values]:
        answer = await self._client.scan(TableName=TABLE)
        return [self._read(item) for item in answer["Items"]]

    def values(self, answer: Any) -> list[Values]:  # one dict of a get or the dicts of a list
        return [answer] if isinstance(answer, dict) else answer

    def _read(self, item: Wire) -> Values:
        return {name: self._deserialize(value) for name, value in item.items()}


@asynccontextmanager
async def open_sdk(port: int) -> AsyncGenerator[Sdk]:
    """A client with the SDK's default configuration against the canned server on ``port``."""
    async with get_session().create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=f"http://{HOST}:{port}",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    ) as client:
        yield Sdk(client)
