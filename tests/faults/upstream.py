"""Kept connections from the proxy to the engine, and the engine's answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeAlias, cast

import httptools

from tests.faults.fault import Reply

Done: TypeAlias = Callable[[Reply | Exception], None]

MOST = 32
"""Connections to the engine at the same time."""


class Upstream:
    """Sends whole requests to an engine, over at most :data:`MOST` kept connections; the rest waits in line.

    Nothing is ever sent twice: where a connection breaks, its request has failed.

    Args:
        endpoint: the engine's address, ``http://host:port``.
    """

    def __init__(self, endpoint: str) -> None:
        self.authority = endpoint.removeprefix("http://").rstrip("/")
        host, _, port = self.authority.partition(":")
        self._address = host, int(port)
        self._loop = asyncio.get_running_loop()
        self._idle: list[_Line] = []
        self._open: set[_Line] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[bytes, Done]] = deque()
        self._closed = False

    def send(self, request: bytes, done: Done) -> None:
        """Send a request. Never waits.

        Args:
            request: all of its bytes.
            done: gets the answer, or the error that there is instead.
        """
        if self._idle:
            self._idle.pop().send(request, done)
            return
        self._waiting.append((request, done))
        self._grow()

    async def aclose(self) -> None:
        """Close every connection; requests under way get no answer."""
        self._closed = True
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for line in self._open:
            line.abort()
        while self._open:  # noqa: ASYNC110 - asyncio tells of a closed connection in a later turn
            await asyncio.sleep(0)

    # --- of the connections -------------------------------------------------------------------

    def opened(self, line: _Line) -> None:
        self._open.add(line)
        if self._closed:
            line.abort()
        else:
            self.free(line)

    def free(self, line: _Line) -> None:
        """The connection can take the next request."""
        if self._waiting:
            line.send(*self._waiting.popleft())
        else:
            self._idle.append(line)

    def gone(self, line: _Line) -> None:
        self._open.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        self._grow()

    def _grow(self) -> None:
        wanted = 0 if self._closed else min(len(self._waiting), MOST - len(self._open))
        while len(self._opening) < wanted:
            self._opening.add(self._loop.create_task(self._connect()))

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: _Line(self), *self._address)
        except OSError as error:
            if self._waiting:
                self._waiting.popleft()[1](error)
        finally:
            self._opening.discard(cast("asyncio.Task[None]", asyncio.current_task()))


class _Line(asyncio.Protocol):
    """One connection to the engine: one request at a time. The methods ``on_*`` are httptools' callbacks."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None
        self._raw: list[bytes] = []
        self._body: list[bytes] = []
        self._headers: dict[str, str] = {}

    def send(self, request: bytes, done: Done) -> None:
        self._done = done
        cast("asyncio.Transport", self._transport).write(request)

    def abort(self) -> None:
        self._done = None
        cast("asyncio.Transport", self._transport).abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._upstream.opened(self)

    def data_received(self, data: bytes) -> None:
        self._raw.append(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.gone(self)
        self._fail(exc or ConnectionError("the engine closed the connection before it had answered"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        done, self._done = self._done, None
        reply = Reply(self._parser.get_status_code(), self._headers, b"".join(self._body), b"".join(self._raw))
        self._headers, self._body, self._raw = {}, [], []
        if self._parser.should_keep_alive():
            self._upstream.free(self)
        else:
            self.abort()
        if done is not None:
            done(reply)

    def _fail(self, error: Exception) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(error)
