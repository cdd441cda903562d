"""A client that knows nothing but HTTP: it sends a request and gives back bytes as they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.faults.proxy import FaultProxy

TURNS = 20  # of the loop, in which bytes that this process has sent arrive


class Socket:
    """A connection that sends requests and gives back bytes as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.interim: list[int] = []

    def send(self, operation: str, body: dict[str, Any]) -> None:  # wire JSON
        content = json.dumps(body).encode()
        scope = "test/20260101/eu-west-1/dynamodb/aws4_request"
        head = (
            "POST / HTTP/1.1\r\nHost: proxy\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: DynamoDB_20120810.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self.writer.write(head.encode() + content)

    async def read(self) -> tuple[int, dict[str, str], bytes]:
        """The next whole answer; those that only announce it are in ``interim``."""
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            status = int(head[0].split(" ")[1])
            if status >= 200:
                break
            self.interim.append(status)
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        return status, headers, await self.reader.readexactly(int(headers["content-length"]))

    async def waiting(self) -> bytes:
        """What is there now."""
        waiter = asyncio.ensure_future(self.reader.read(65536))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if waiter.done():
            return waiter.result()
        waiter.cancel()
        await asyncio.wait([waiter])
        return b""

    async def rest(self) -> bytes:
        """Everything until the connection ends; ``ConnectionResetError`` where it is broken."""
        return await self.reader.read()


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncGenerator[Socket]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, limit=2**26)
    try:
        yield Socket(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
