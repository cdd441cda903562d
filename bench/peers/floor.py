"""The bare floor: what one signed call costs on asyncio at the least, with nothing of the library in it.

One asyncio Protocol, httptools as parser, SigV4 with the day's key cached, CRC32 checked. No retries, no
timeouts, no error mapping; request bodies are built beforehand. An answer with one item is not decoded, those with
many go through ``json.loads``, or in ``floor + msgspec`` through msgspec without types.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import httptools
from contestant import BATCH_GET, BATCH_WRITE, NEW_BALANCE, NEW_NOTE, TRANSACTION
from items import TABLE, Values, Wire, compact, get_item_body, key, plain, query_body, values, wire
from surroundings import ACCESS_KEY, CONNECTIONS, HOST, REGION, SECRET_KEY

SIGNED = "content-type;host;x-amz-date;x-amz-target"


class Signer:
    """SigV4 with the signing key kept for the day and the time stamp kept for the second."""

    def __init__(self, access_key: str, secret_key: str, *, host: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._host = host
        self._second = 0
        self._stamp = self._scope = ""
        self._key = b""

    def request(self, operation: str, body: bytes) -> bytes:
        """A whole signed HTTP request."""
        second = int(time.time())
        if second != self._second:
            self._renew(second)
        target = f"DynamoDB_20120810.{operation}"
        canonical = (
            f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:{self._host}\nx-amz-date:{self._stamp}\n"
            f"x-amz-target:{target}\n\n{SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{self._stamp}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        head = (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Date: {self._stamp}\r\nX-Amz-Target: {target}\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={self._access_key}/{self._scope}, "
            f"SignedHeaders={SIGNED}, Signature={signature}\r\n\r\n"
        )
        return head.encode() + body

    def _renew(self, second: int) -> None:
        self._second = second
        self._stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        scope = f"{self._stamp[:8]}/{REGION}/dynamodb/aws4_request"
        if scope == self._scope:
            return
        self._scope = scope
        self._key = f"AWS4{self._secret_key}".encode()
        for part in scope.split("/"):
            self._key = hmac.digest(self._key, part.encode(), "sha256")


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._chunks: list[bytes] = []
        self._crc = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's, so isinstance would not hold.
        self.transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(exc or ConnectionResetError("the canned server closed the connection."))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amz-crc32":
            self._crc = value

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        assert self._answer is not None
        answer, self._answer = self._answer, None
        body = b"".join(self._chunks)
        self._chunks.clear()
        if self._parser.get_status_code() != 200 or zlib.crc32(body) != int(self._crc):
            answer.set_exception(ValueError(f"the canned server refused or garbled an answer: {body[:200]!r}"))
        else:
            answer.set_result(body)

    def send(self, request: bytes) -> asyncio.Future[bytes]:
        """Write a request; the future gives the body of its answer."""
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer


class Floor:
    """The floor's workloads over as many connections as calls are under way at once, up to the limit."""

    def __init__(self, port: int, decode: Callable[[bytes], Any]) -> None:  # JSON without a type
        self._port = port
        self.decode_body = decode
        self._signer = Signer(ACCESS_KEY, SECRET_KEY, host=f"{HOST}:{port}")
        self._idle: list[Connection] = []
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._bodies = _bodies()

    async def call(self, operation: str, body: bytes) -> bytes:
        """Send one request and wait for the body of its answer."""
        connection = self._idle.pop() if self._idle else await self._connect()
        answer = await connection.send(self._signer.request(operation, body))
        self._idle.append(connection)
        return answer

    async def get(self) -> bytes:
        return await self.call("GetItem", self._bodies["GetItem"])

    async def get_in_crowd(self) -> bytes:
        async with self._turns:
            return await self.get()

    async def put(self) -> bytes:
        return await self.call("PutItem", self._bodies["PutItem"])

    async def update(self) -> bytes:
        return await self.call("UpdateItem", self._bodies["UpdateItem"])

    async def query(self, org: str) -> Wire:
        return await self._decoded("Query", self._bodies.get(org) or compact(query_body(org)))

    async def scan(self) -> Wire:
        return await self._decoded("Scan", self._bodies["Scan"])

    async def batch_get(self) -> Wire:
        return await self._decoded("BatchGetItem", self._bodies["BatchGetItem"])

    async def batch_write(self) -> bytes:
        return await self.call("BatchWriteItem", self._bodies["BatchWriteItem"])

    async def transact(self) -> bytes:
        return await self.call("TransactWriteItems", self._bodies["TransactWriteItems"])

    async def decode(self, body: bytes) -> Wire:
        return cast("Wire", self.decode_body(body))

    def values(self, answer: Wire | bytes) -> list[Values]:
        body: Wire = self.decode_body(answer) if isinstance(answer, bytes) else answer
        items = body.get("Items") or body.get("Responses", {}).get(TABLE) or [body.get("Item") or body["Attributes"]]
        return [plain(item) for item in items]

    def close(self) -> None:
        """Close every connection."""
        for connection in self._idle:
            assert connection.transport is not None
            connection.transport.close()

    async def _decoded(self, operation: str, body: bytes) -> Wire:
        return cast("Wire", self.decode_body(await self.call(operation, body)))

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, self._port)
        return connection


def _bodies() -> dict[str, bytes]:
    puts = [{"PutRequest": {"Item": wire(values(number))}} for number in range(BATCH_WRITE)]
    transaction = [{"Put": {"TableName": TABLE, "Item": wire(values(number))}} for number in range(TRANSACTION)]
    update = {
        "TableName": TABLE,
        "Key": key(1),
        "UpdateExpression": "SET note = :note ADD balance :more",
        "ExpressionAttributeValues": {":note": {"S": NEW_NOTE}, ":more": {"N": str(NEW_BALANCE)}},
        "ReturnValues": "ALL_NEW",
    }
    return {
        "GetItem": compact(get_item_body(1)),
        "PutItem": compact({"TableName": TABLE, "Item": wire(values(2))}),
        "UpdateItem": compact(update),
        "Scan": compact({"TableName": TABLE}),
        "BatchGetItem": compact({"RequestItems": {TABLE: {"Keys": [key(number) for number in range(BATCH_GET)]}}}),
        "BatchWriteItem": compact({"RequestItems": {TABLE: puts}}),
        "TransactWriteItems": compact({"TransactItems": transaction}),
    }


@asynccontextmanager
async def open_contestant(port: int, decode: Callable[[bytes], Any] = json.loads) -> AsyncGenerator[Floor]:
    """The floor against the canned server on ``port``."""
    floor = Floor(port, decode)
    try:
        yield floor
    finally:
        floor.close()
