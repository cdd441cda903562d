"""A server on a real socket that answers from a script, and misbehaves where the script says so."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import msgspec

JSON = "application/x-amz-json-1.0"


class Reply(msgspec.Struct, frozen=True):
    """What to do with one request. ``cut``: promise more bytes than are sent, then close."""

    body: bytes = b"{}"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", JSON),)
    fault: Literal["none", "reset", "hang", "cut", "drip"] = "none"


class Received(msgspec.Struct, frozen=True):
    target: str
    operation: str
    headers: dict[str, str]
    body: dict[str, Any]


def answer(body: Mapping[str, Any], *, status: int = 200, **headers: str) -> Reply:
    """A whole, right answer as DynamoDB sends it."""
    raw = json.dumps(body).encode()
    given = {"content-type": JSON, "x-amzn-requestid": "R1", "x-amz-crc32": str(zlib.crc32(raw))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(raw, status, tuple(given.items()))


def refusal(code: str, **body: Any) -> Reply:  # Any: wire JSON
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **body}, status=400)


class Server:
    def __init__(self) -> None:
        self.script: deque[Reply] = deque()
        self.received: list[Received] = []
        self.arrived = asyncio.Condition()
        self.endpoint = ""
        self._handlers: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def until(self, count: int) -> None:
        """Wait until so many requests have been read."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._handlers[asyncio.current_task()] = writer
        try:
            # The client may leave whenever it likes.
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._one(reader, writer):
                    await writer.drain()
        finally:
            writer.close()
            del self._handlers[asyncio.current_task()]

    async def aclose(self) -> None:
        for writer in self._handlers.values():
            writer.close()
        await asyncio.gather(*(handler for handler in self._handlers if handler))

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        async with self.arrived:
            self.received.append(Received(head[0].split(" ")[1], operation, headers, json.loads(body or b"{}")))
            self.arrived.notify_all()
        reply = self.script.popleft() if self.script else Reply()
        if reply.fault == "hang":
            await reader.read()
            return False
        if reply.fault == "reset":
            writer.transport.abort()
            return False
        promised = len(reply.body) + (10 if reply.fault in ("cut", "drip") else 0)
        lines = [f"HTTP/1.1 {reply.status} X", f"content-length: {promised}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
        if reply.fault == "drip":
            await writer.drain()
            await reader.read()
        return reply.fault == "none"


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncGenerator[Server]:
    server = Server()
    server.script.extend(replies)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.endpoint = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield server
        await server.aclose()
