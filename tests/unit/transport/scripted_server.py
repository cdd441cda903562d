"""A server on 127.0.0.1 that plays a script of bytes, one script for each test."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, *, ssl_context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Runs the handler for each connection, closes the connection when it returns, and yields the port."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client went away, as many scripts intend
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.ensure_future(play(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=ssl_context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.sleep(0)  # connections that were accepted just now reach their handler
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:  # a handler that was cancelled before it began closed nothing
            writer.transport.abort()
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    """The headers and the body of the next request; IncompleteReadError where the client closed."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    return headers, await reader.readexactly(int(headers["content-length"]))


def answer(body: bytes = b"{}", *, status: str = "200 OK", **headers: str) -> bytes:
    """An answer as DynamoDB sends it; keywords replace or add headers, an empty one leaves it out."""
    fields = {
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": "R1",
        "x-amz-crc32": str(zlib.crc32(body)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until the condition holds; the test's own time limit bounds it."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0)
