"""A server that answers every request of either lane with the same bytes, and remembers what reached it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.unit.transport.scripted_server import answer


class Peer:
    """A handler for ``scripted_server.serving``.

    Attributes:
        heads: the head of each request, names of headers in lower case.
        bodies: the body of each request.
    """

    def __init__(self, *parts: bytes, close: bool = False) -> None:
        self.parts: Sequence[bytes] = parts or (answer(),)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self._close = close

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)  # so that what was written has gone out before the end
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next((line for line in head.split("\r\n") if line.startswith("content-length:")), ":0")
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(int(length.partition(":")[2])))
            for part in self.parts:
                writer.write(part)
                await writer.drain()
            if self._close:
                return
