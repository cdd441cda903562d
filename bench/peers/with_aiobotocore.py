"""Raw aiobotocore with boto3's TypeDeserializer and TypeSerializer: what a service without an ORM runs, into dicts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from contestant import BATCH_GET, BATCH_WRITE, ENCODED, NEW_BALANCE, NEW_NOTE, TRANSACTION, http_answer
from items import TABLE, Values, Wire, get_item_body, key, query_body, values
from surroundings import ACCESS_KEY, CONNECTIONS, REGION, SECRET_KEY, endpoint

# aiobotocore and boto3 have no types; what is taken from a module object is Any.
get_session = import_module("aiobotocore.session").get_session
AioConfig = import_module("aiobotocore.config").AioConfig
create_parser = import_module("aiobotocore.parsers").create_parser
create_serializer = import_module("botocore.serialize").create_serializer
dynamodb_types = import_module("boto3.dynamodb.types")


class Aiobotocore:
    """The workloads on one shared client, with the SDK's own retries and timeouts."""

    def __init__(self, client: Any) -> None:  # aiobotocore has no types
        self._client = client
        self._serialize = dynamodb_types.TypeSerializer().serialize
        self._deserialize = dynamodb_types.TypeDeserializer().deserialize
        self._items = [values(number) for number in range(ENCODED)]
        self._keys = [key(number) for number in range(BATCH_GET)]
        service = client.meta.service_model
        self._scanned = service.operation_model("Scan").output_shape
        self._putting = service.operation_model("PutItem")
        self._parser = create_parser("json")
        self._serializer = create_serializer("json")
        self.get_in_crowd = self.get

    async def get(self) -> Values:
        answer = await self._client.get_item(**get_item_body(1))
        return self._read(answer["Item"])

    async def put(self) -> None:
        await self._client.put_item(TableName=TABLE, Item=self._write(self._items[2]))

    async def update(self) -> Values:
        answer = await self._client.update_item(
            TableName=TABLE,
            Key=key(1),
            UpdateExpression="SET #note = :note ADD #balance :more",
            ExpressionAttributeNames={"#note": "note", "#balance": "balance"},
            ExpressionAttributeValues={":note": self._serialize(NEW_NOTE), ":more": self._serialize(NEW_BALANCE)},
            ReturnValues="ALL_NEW",
        )
        return self._read(answer["Attributes"])

    async def query(self, org: str) -> list[Values]:
        answer = await self._client.query(**query_body(org))
        return [self._read(item) for item in answer["Items"]]

    async def scan(self) -> list[Values]:
        answer = await self._client.scan(TableName=TABLE)
        return [self._read(item) for item in answer["Items"]]

    async def batch_get(self) -> list[Values]:
        answer = await self._client.batch_get_item(RequestItems={TABLE: {"Keys": self._keys}})
        assert not answer["UnprocessedKeys"]
        return [self._read(item) for item in answer["Responses"][TABLE]]

    async def batch_write(self) -> None:
        puts = [{"PutRequest": {"Item": self._write(item)}} for item in self._items[:BATCH_WRITE]]
        answer = await self._client.batch_write_item(RequestItems={TABLE: puts})
        assert not answer["UnprocessedItems"]

    async def transact(self) -> None:
        puts = [{"Put": {"TableName": TABLE, "Item": self._write(item)}} for item in self._items[:TRANSACTION]]
        await self._client.transact_write_items(TransactItems=puts)

    async def decode(self, body: bytes) -> list[Values]:
        parsed = await self._parser.parse(http_answer(body), self._scanned)
        return [self._read(item) for item in parsed["Items"]]

    async def encode(self) -> list[bytes]:
        bodies = [{"TableName": TABLE, "Item": self._write(item)} for item in self._items]
        return [self._serializer.serialize_to_request(body, self._putting)["body"] for body in bodies]

    async def stream(self, org: str) -> AsyncIterator[Values]:
        async for page in self._client.get_paginator("query").paginate(**query_body(org)):
            for item in page["Items"]:
                yield self._read(item)

    def values(self, answer: Any) -> list[Values]:  # one dict or the dicts of a list
        return [answer] if isinstance(answer, dict) else answer

    def _read(self, item: Wire) -> Values:
        return {name: self._deserialize(value) for name, value in item.items()}

    def _write(self, item: Values) -> Wire:
        return {name: self._serialize(value) for name, value in item.items()}


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Aiobotocore]:
    """A client with the SDK's default configuration, but the number of connections, against the canned server."""
    async with get_session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint(port),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=AioConfig(max_pool_connections=CONNECTIONS),
    ) as client:
        yield Aiobotocore(client)
