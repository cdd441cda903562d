"""A proxy in front of an engine (or alone) that plays faults: what goes wrong with a call is decided by a script."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias, cast

from tests.faults.client_side import ClientSide
from tests.faults.fault import Call, Fault, Moment, Reply
from tests.faults.scripts import Script, plain
from tests.faults.upstream import Upstream
from tests.unit.transport.scripted_server import answer

Engine: TypeAlias = Callable[[Call], Mapping[str, Any]]  # gives wire JSON
_TURNS = 10  # of the loop, in which bytes that were sent to this process arrive


@dataclass(slots=True)
class Record:
    """What became of one call.

    Attributes:
        call: the request.
        connection: which connection of this proxy it came on, from 1.
        fault: what the script said; ``None`` where it was served well.
        forwarded: whether the engine got it, whole or in part.
        reply: what the engine said, also where the client never heard of it.
    """

    call: Call
    connection: int
    fault: Fault | None = None
    forwarded: bool = False
    reply: Reply | None = None


class FaultProxy:
    """The proxy, made by :func:`fault_proxy`.

    Attributes:
        script: which fault a call meets; may be replaced at any time.
        records: every call in the order in which they came; with ``remember``, the last ones.
        calls: how many calls there were.
        played: how often each fault was played, by name.
        bytes_received: from clients.
        connections: how many were accepted.
        most_connections: how many were open at the same time at most.
        foreign_connections: of the origin that redirects point to.
        foreign_bytes: what it received.
        problems: what went wrong with the test itself: the engine failed, or the script did.
    """

    def __init__(self, *, script: Script, upstream: Upstream | None, engine: Engine, remember: int | None) -> None:
        self.script = script
        self.records: list[Record] = []
        self.calls = 0
        self.played: Counter[str] = Counter()
        self.bytes_received = 0
        self.connections = 0
        self.most_connections = 0
        self.foreign_connections = 0
        self.foreign_bytes = 0
        self.problems: list[Exception] = []
        self._upstream = upstream
        self._engine = engine
        self._remember = remember
        self._seen: dict[bytes, int] = {}
        self._sides: set[ClientSide] = set()
        self._lured: list[asyncio.Transport] = []
        self._server: asyncio.Server | None = None
        self._foreign: asyncio.Server | None = None
        self._port = 0
        self._foreign_endpoint = ""
        self._pending = 0
        self._on_connect: Fault | None = None
        self._on_connect_times: int | None = None

    @property
    def endpoint(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The port for clients; it stays the same while nobody listens on it."""
        return self._port

    @property
    def open_connections(self) -> int:
        """How many clients' connections are open."""
        return len(self._sides)

    @property
    def pending(self) -> int:
        """How many requests the engine has not answered yet."""
        return self._pending

    def sent(self, operation: str | None = None) -> list[Record]:
        """The records of an operation; of all without one."""
        return [record for record in self.records if operation is None or record.call.operation == operation]

    async def settle(self) -> None:
        """Wait until everything that was forwarded, or is on its way here, is answered by the engine."""
        quiet = 0
        while quiet < _TURNS:
            await asyncio.sleep(0)
            quiet = 0 if self._pending else quiet + 1

    async def on_connect(self, fault: Fault | None, *, times: int | None = None) -> None:
        """What new connections meet from now on.

        Args:
            fault: one with ``at="connect"``; ``None`` to accept and serve them again.
            times: how many connections; ``None`` for all. Refused ones cannot be counted: end it with ``None``.

        Raises:
            ValueError: the fault happens to requests, or refusals were to be counted.
        """
        if fault is not None and (fault.at != "connect" or (times is not None and fault.then == "refuse")):
            raise ValueError(f"{fault} does not happen to a connection, or cannot be counted")
        self._on_connect, self._on_connect_times = fault, times
        if fault is not None and fault.then == "refuse":
            if self._server is not None:
                self._server.close()
                self._server = None
        elif self._server is None:
            await self._listen()

    def drop_connections(self) -> None:
        """Reset every open connection, as a server does that restarts."""
        for side in self._sides:
            side.reset()

    # --- of the client's side -----------------------------------------------------------------

    def accepted(self, side: ClientSide) -> Fault | None:
        """A connection is there; the fault that it meets, if any."""
        self._sides.add(side)
        self.connections += 1
        side.number = self.connections
        self.most_connections = max(self.most_connections, len(self._sides))
        fault = self._on_connect
        if fault is not None:
            self.played[fault.name] += 1
            if self._on_connect_times is not None:
                self._on_connect_times -= 1
                if not self._on_connect_times:
                    self._on_connect = None
        return fault

    def gone(self, side: ClientSide) -> None:
        self._sides.discard(side)

    def received(self, side: ClientSide, operation: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """A whole request is there."""
        record = self._record(side, operation, body)
        call = record.call
        try:
            fault = self._choose(side, call)
            record.fault = fault
            share: bytes | None = call.body
            if fault is not None:
                self.played[fault.name] += 1
                if fault.applied is not True:
                    share = fault.part(call) if fault.part is not None else None
        except Exception as error:  # noqa: BLE001 - a script's or a fault's mistake is the test's error, told at the end
            self._problem(side, error)
            return
        if share is None:
            self._play(side, record)
            return
        record.forwarded = True
        self._forward(side, record, headers, share)

    def lured(self, transport: asyncio.Transport) -> None:
        """Somebody came to the other origin."""
        self.foreign_connections += 1
        self._lured.append(transport)

    # --- inside -------------------------------------------------------------------------------

    def _record(self, side: ClientSide, operation: str, body: bytes) -> Record:
        self.calls += 1
        mark = blake2b(operation.encode() + b"\0" + body, digest_size=16).digest()
        attempt = self._seen.get(mark, 0) + 1
        self._seen[mark] = attempt
        record = Record(Call(self.calls, operation, body, attempt), side.number)
        self.records.append(record)
        if self._remember is not None:
            if len(self.records) > 2 * self._remember:
                del self.records[: -self._remember]
            if len(self._seen) > self._remember:
                del self._seen[next(iter(self._seen))]
        return record

    def _choose(self, side: ClientSide, call: Call) -> Fault | None:
        fault = self.script(call)
        if fault is None or (fault.reused_only and not side.served):
            return None
        if fault.at == "connect":
            raise ValueError(f"{fault} happens to connections, not to a call: use on_connect()")
        if not fault.fits(call.operation):
            raise ValueError(f"{fault} cannot happen to {call.operation}")
        return fault

    def _forward(self, side: ClientSide, record: Record, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        upstream = self._upstream
        if upstream is None:
            content = json.dumps(self._engine(record.call)).encode()
            raw = answer(content)
            record.reply = Reply(200, {}, content, raw)
            self._play(side, record)
            return
        self._pending += 1

        def done(reply: Reply | Exception) -> None:
            self._pending -= 1
            if isinstance(reply, Exception):
                self._problem(side, reply)
                return
            record.reply = reply
            self._play(side, record)

        kept = b"".join(b"%b: %b\r\n" % header for header in headers)
        host = upstream.authority.encode()
        upstream.send(
            b"POST / HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n%b\r\n%b" % (host, len(body), kept, body), done
        )

    def _play(self, side: ClientSide, record: Record) -> None:
        fault, reply = record.fault, record.reply
        if fault is None:
            side.play(b"" if reply is None else reply.raw, "keep")
            return
        try:
            raw = b"" if fault.make is None else fault.make(Moment(record.call, reply, self._foreign_endpoint))
        except Exception as error:  # noqa: BLE001 - as above
            self._problem(side, error)
            return
        side.play(raw, fault.then)

    def _problem(self, side: ClientSide, error: Exception) -> None:
        self.problems.append(error)
        side.reset()

    # --- open and close -----------------------------------------------------------------------

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: ClientSide(self), "127.0.0.1", self._port, backlog=1024)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        await self._listen()
        loop = asyncio.get_running_loop()
        self._foreign = await loop.create_server(lambda: _Foreign(self), "127.0.0.1", 0)
        self._foreign_endpoint = f"http://127.0.0.1:{self._foreign.sockets[0].getsockname()[1]}"

    async def aclose(self) -> None:
        """Close everything; what clients or the engine have under way is broken off."""
        for server in (self._server, self._foreign):
            if server is not None:
                server.close()
        await asyncio.sleep(0)  # connections that were accepted just now are made
        self.drop_connections()
        for transport in self._lured:
            transport.abort()
        if self._upstream is not None:
            await self._upstream.aclose()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
            self.drop_connections()


class _Foreign(asyncio.Protocol):
    """The origin that redirects point to: it takes everything, and answers so that whoever followed is lured."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._proxy.lured(self._transport)

    def data_received(self, data: bytes) -> None:
        self._proxy.foreign_bytes += len(data)
        self._transport.write(answer(b"{}"))


@asynccontextmanager
async def fault_proxy(
    upstream: str | None = None,
    script: Script = plain,
    *,
    engine: Engine = lambda _: {},
    remember: int | None = None,
) -> AsyncGenerator[FaultProxy]:
    """A proxy on 127.0.0.1.

    Args:
        upstream: the endpoint of the engine that gets what is applied; ``None`` for ``engine``.
        script: which fault a call meets.
        engine: answers calls where there is no upstream.
        remember: how many calls to keep at least, for long runs; ``None`` for all.

    Yields:
        The proxy. Nothing of it is left when the block ends.

    Raises:
        ExceptionGroup: the engine could not be reached or broke off, or the script failed: the test is wrong.
    """
    proxy = FaultProxy(
        script=script, upstream=None if upstream is None else Upstream(upstream), engine=engine, remember=remember
    )
    try:
        await proxy.start()
        yield proxy
    finally:
        await proxy.aclose()
    if proxy.problems:
        raise ExceptionGroup("the test itself failed: its engine or its script", proxy.problems)
