"""boto3's client with its TypeDeserializer and TypeSerializer, called in the loop's thread, into dicts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from importlib import import_module
from typing import Any

from contestant import BATCH_GET, BATCH_WRITE, ENCODED, NEW_BALANCE, NEW_NOTE, TRANSACTION, http_answer
from items import TABLE, Values, Wire, get_item_body, key, query_body, values
from surroundings import ACCESS_KEY, CONNECTIONS, REGION, SECRET_KEY, endpoint

# boto3 has no types; what is taken from a module object is Any.
make_client = import_module("boto3").client
Config = import_module("botocore.config").Config
create_parser = import_module("botocore.parsers").create_parser
create_serializer = import_module("botocore.serialize").create_serializer
dynamodb_types = import_module("boto3.dynamodb.types")


class Boto3:
    """The workloads on one shared client; a call alone stops the loop, those of a crowd go to threads."""

    def __init__(self, client: Any) -> None:  # boto3 has no types
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

    async def get(self) -> Values:
        return self._get()

    async def get_in_crowd(self) -> Values:
        return await asyncio.to_thread(self._get)

    async def put(self) -> None:
        self._client.put_item(TableName=TABLE, Item=self._write(self._items[2]))

    async def update(self) -> Values:
        answer = self._client.update_item(
            TableName=TABLE,
            Key=key(1),
            UpdateExpression="SET #note = :note ADD #balance :more",
            ExpressionAttributeNames={"#note": "note", "#balance": "balance"},
            ExpressionAttributeValues={":note": self._serialize(NEW_NOTE), ":more": self._serialize(NEW_BALANCE)},
            ReturnValues="ALL_NEW",
        )
        return self._read(answer["Attributes"])

    async def query(self, org: str) -> list[Values]:
        return [self._read(item) for item in self._client.query(**query_body(org))["Items"]]

    async def scan(self) -> list[Values]:
        return [self._read(item) for item in self._client.scan(TableName=TABLE)["Items"]]

    async def batch_get(self) -> list[Values]:
        answer = self._client.batch_get_item(RequestItems={TABLE: {"Keys": self._keys}})
        assert not answer["UnprocessedKeys"]
        return [self._read(item) for item in answer["Responses"][TABLE]]

    async def batch_write(self) -> None:
        puts = [{"PutRequest": {"Item": self._write(item)}} for item in self._items[:BATCH_WRITE]]
        answer = self._client.batch_write_item(RequestItems={TABLE: puts})
        assert not answer["UnprocessedItems"]

    async def transact(self) -> None:
        puts = [{"Put": {"TableName": TABLE, "Item": self._write(item)}} for item in self._items[:TRANSACTION]]
        self._client.transact_write_items(TransactItems=puts)

    async def decode(self, body: bytes) -> list[Values]:
        return [self._read(item) for item in self._parser.parse(http_answer(body), self._scanned)["Items"]]

    async def encode(self) -> list[bytes]:
        bodies = [{"TableName": TABLE, "Item": self._write(item)} for item in self._items]
        return [self._serializer.serialize_to_request(body, self._putting)["body"] for body in bodies]

    def values(self, answer: Any) -> list[Values]:  # one dict or the dicts of a list
        return [answer] if isinstance(answer, dict) else answer

    def _get(self) -> Values:
        return self._read(self._client.get_item(**get_item_body(1))["Item"])

    def _read(self, item: Wire) -> Values:
        return {name: self._deserialize(value) for name, value in item.items()}

    def _write(self, item: Values) -> Wire:
        return {name: self._serialize(value) for name, value in item.items()}


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Boto3]:
    """A client with the SDK's default configuration, but the number of connections, against the canned server."""
    client = make_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint(port),
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(max_pool_connections=CONNECTIONS),
    )
    with closing(client):
        yield Boto3(client)
