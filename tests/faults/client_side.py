"""The proxy's side of one client's connection: reads requests, writes what is to be played."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol, cast

import httptools

from tests.faults.fault import Fault, Then

DRIP = 0.01
"""Seconds between two drops."""

_FLOOD = b" " * 65536
_NO_LINGER = struct.pack("ii", 1, 0)
_OWN = frozenset({b"host", b"content-length", b"connection", b"accept-encoding", b"expect"})  # of each hop


class Owner(Protocol):
    """What it needs of the proxy."""

    bytes_received: int

    def accepted(self, side: ClientSide) -> Fault | None: ...
    def gone(self, side: ClientSide) -> None: ...
    def received(self, side: ClientSide, operation: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None: ...


class ClientSide(asyncio.Protocol):
    """One connection. The methods ``on_*`` are httptools' callbacks.

    Attributes:
        number: which connection of the proxy it is.
        served: how many whole answers went over it.
    """

    def __init__(self, owner: Owner) -> None:
        self.number = 0
        self.served = 0
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._operation = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._next: asyncio.Handle | None = None
        self._flooding = False
        self._full = False
        self._deaf = False

    def play(self, raw: bytes, then: Then) -> None:
        """Write the bytes, then do as told; nothing where the client has gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if raw:
            transport.write(raw)
        match then:
            case "keep":
                self.served += 1
            case "close":
                transport.close()
            case "reset":
                self.reset()
            case "drip":
                self._drip()
            case "flood":
                self._flooding = True
                self._flood()
            case "hold" | "refuse":  # what still comes is read, as else its end would not be seen
                self._deaf = True

    def reset(self) -> None:
        """Break the connection, so that the client sees a reset."""
        transport = self._transport
        if transport is None:
            return
        sock = cast("socket.socket", transport.get_extra_info("socket"))
        if sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()

    # --- asyncio.Protocol ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        fault = self._owner.accepted(self)
        if fault is not None:
            self.play(b"", fault.then)

    def data_received(self, data: bytes) -> None:
        self._owner.bytes_received += len(data)
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.reset()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._flooding = False
        if self._next is not None:
            self._next.cancel()
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._flooding:
            self._flood()

    # --- httptools ----------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"x-amz-target":
            self._operation = value.decode("latin-1").rpartition(".")[2]
        if lowered not in _OWN:
            self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        headers, self._headers = self._headers, []
        body, self._body = b"".join(self._body), []
        self._owner.received(self, self._operation, headers, body)

    # --- inside -------------------------------------------------------------------------------

    def _drip(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(b" ")
            self._next = self._loop.call_later(DRIP, self._drip)

    def _flood(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing() and not self._full:
            transport.write(_FLOOD)
            self._next = self._loop.call_soon(self._flood)
