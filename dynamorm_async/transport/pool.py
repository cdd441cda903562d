"""A bounded pool of connections to one endpoint: fair to those who wait, quick for those who need not."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from typing import Final

import msgspec

from dynamorm_async.errors import ConfigurationError, ConnectionLost, EndpointUnreachable, PoolTimeout, UsageError
from dynamorm_async.transport.base import Endpoint, Timeouts
from dynamorm_async.transport.closing import CLOSED_UNDER_WAY, database_closed
from dynamorm_async.transport.connection import Connection, Fault
from dynamorm_async.transport.line import WaitingLine

_TRUSTED_IDLE: Final = 1.0
"""Seconds of idleness after which a connection's socket is looked at before it is used again."""


class PoolStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool holds now, and what it did since it was made.

    Attributes:
        open: connections that are idle or leased, those being opened included.
        idle: connections that wait for a call.
        leased: connections that serve a call, those being opened included.
        waiting: calls that wait for a connection.
        opened_total: connections opened so far.
        reused_total: how often a kept connection served another call.
    """

    open: int
    idle: int
    leased: int
    waiting: int
    opened_total: int
    reused_total: int


class Pool:
    """Connections to one endpoint. All bookkeeping is synchronous; it belongs to the loop that first uses it.

    Every connection that :meth:`lease` or :meth:`acquire` returns must be given to :meth:`release`, whatever
    happened to it.

    Args:
        endpoint: where to connect.
        timeouts: ``connect``, ``pool`` and ``idle`` are used.
        limit: how many connections may be open.
        ssl_context: for an ``https`` endpoint; ``None`` for plain TCP.
    """

    def __init__(
        self, *, endpoint: Endpoint, timeouts: Timeouts, limit: int = 50, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        if limit < 1:
            raise ConfigurationError(f"the pool size is {limit}; it must be at least 1")
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._limit = limit
        self._ssl = ssl_context
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[Connection] = []  # the longest idle first
        self._open: set[Connection] = set()
        self._leased = 0
        self._connecting: set[asyncio.Timeout] = set()
        # A waiter is granted a connection, or None: the right to open one.
        self._line: WaitingLine[Connection | None] = WaitingLine(give_back=self._take_back)
        self._sweeper: asyncio.TimerHandle | None = None
        self._drained: asyncio.Event = asyncio.Event()
        self._closed = False
        self._opened_total = 0
        self._reused_total = 0

    def statistics(self) -> PoolStatistics:
        """Counts at this moment. Costs a look at each idle connection."""
        idle = sum(connection.ready for connection in self._idle)
        return PoolStatistics(
            open=idle + self._leased,
            idle=idle,
            leased=self._leased,
            waiting=len(self._line),
            opened_total=self._opened_total,
            reused_total=self._reused_total,
        )

    def lease(self, loop: asyncio.AbstractEventLoop, now: float) -> Connection | None:
        """A kept connection at once, the one used last. Never waits.

        Args:
            loop: the running loop.
            now: the loop's time.

        Returns:
            The connection; ``None`` where there is none, then :meth:`acquire` is next.
        """
        if loop is not self._loop:
            return None
        while self._idle:
            connection = self._idle.pop()
            age = now - connection.idle_since
            if connection.ready and (age < _TRUSTED_IDLE or (age < self._timeouts.idle and connection.silent())):
                self._leased += 1
                self._reused_total += 1
                return connection
            self._discard(connection)
        return None

    async def acquire(self, deadline: float) -> Connection:
        """A kept connection, or a new one as soon as the limit allows; first come, first served.

        Args:
            deadline: when the caller's attempt ends, in the loop's time.

        Raises:
            Fault: ``PoolTimeout`` or ``EndpointUnreachable``; nothing was sent.
            DatabaseClosed: the pool was closed.
            UsageError: the pool is used from another event loop than the first time.
        """
        loop = self._check_usable()
        connection = self.lease(loop, loop.time())
        if connection is not None:
            return connection
        if self._leased < self._limit:
            self._leased += 1
        else:
            granted = await self._line.wait(min(deadline - loop.time(), self._timeouts.pool), self._busy)
            if granted is not None:
                self._reused_total += 1
                return granted
        try:
            return await self._connect(loop, deadline)
        except BaseException:
            self._give_up_slot()
            raise

    def release(self, connection: Connection) -> None:
        """Give a connection back: to the first in the queue, else among the idle; closed where it is not ready."""
        if not connection.ready or self._closed:
            self._discard(connection)
            self._give_up_slot()
        elif not self._line.grant(connection):
            self._leased -= 1
            self._put_aside(connection)

    def drop_idle(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._discard(self._idle.pop())

    async def aclose(self) -> None:
        """Close every connection, and return when those who leased them are done with them.

        Requests that were sent end with ``Fault`` (``ConnectionLost``, ``sent``); connections being opened and callers in
        the queue with ``DatabaseClosed``. What a close that was cancelled left open, another one closes.
        """
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._line.refuse(database_closed)
        for scope in self._connecting:
            if not scope.expired():
                scope.reschedule(0.0)
        self._idle.clear()
        for connection in self._open:
            connection.abort(Fault(ConnectionLost, CLOSED_UNDER_WAY, sent=True))
        self._open.clear()
        if self._leased:
            await self._drained.wait()
        # Aborted transports close their sockets in the loop's next round.
        await asyncio.sleep(0)

    # --- inside -------------------------------------------------------------------------------

    def _check_usable(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise database_closed()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise UsageError(
                "this database's connections belong to another event loop; make one Database for each event loop"
            )
        return loop

    def _busy(self, seconds: float) -> Fault:
        message = f"all {self._limit} connections were busy for {seconds:.3g} s; raise pool_size or call less at once"
        return Fault(PoolTimeout, message, sent=False)

    def _take_back(self, granted: Connection | None) -> None:
        if granted is None:
            self._give_up_slot()
        else:
            self.release(granted)

    def _give_up_slot(self) -> None:
        if self._closed or not self._line.grant(None):
            self._leased -= 1
            if self._closed and not self._leased:
                self._drained.set()

    def _discard(self, connection: Connection) -> None:
        connection.abort()
        self._open.discard(connection)

    def _put_aside(self, connection: Connection) -> None:
        loop = self._loop
        assert loop is not None, "acquire() has set it"  # noqa: S101 - an invariant of this class
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._timeouts.idle, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        oldest = loop.time() - self._timeouts.idle
        expired = [connection for connection in self._idle if not connection.ready or connection.idle_since <= oldest]
        for connection in expired:
            self._idle.remove(connection)
            self._discard(connection)
        self._sweeper = None
        if self._idle:
            self._sweeper = loop.call_at(self._idle[0].idle_since + self._timeouts.idle, self._sweep, loop)

    async def _connect(self, loop: asyncio.AbstractEventLoop, deadline: float) -> Connection:
        if self._closed:
            raise database_closed()
        now = loop.time()
        endpoint = self._endpoint
        scope = asyncio.timeout_at(min(now + self._timeouts.connect, deadline))
        self._connecting.add(scope)
        name = endpoint.host if self._ssl is not None else None
        try:
            async with scope:
                _, connection = await loop.create_connection(
                    Connection, endpoint.host, endpoint.port, ssl=self._ssl, server_hostname=name
                )
        except (OSError, UnicodeError) as error:
            if self._closed:
                raise database_closed() from None
            message = _why_unreachable(endpoint, error, waited=loop.time() - now if scope.expired() else None)
            raise Fault(EndpointUnreachable, message, sent=False) from error
        finally:
            self._connecting.discard(scope)
        if self._closed:
            connection.abort()
            raise database_closed()
        self._opened_total += 1
        self._open.add(connection)
        return connection


def _why_unreachable(endpoint: Endpoint, error: Exception, *, waited: float | None) -> str:
    """What kept a connection from opening, and what to look at.

    Args:
        endpoint: where it was going.
        error: what the system said.
        waited: seconds, where the time ran out.
    """
    host, where = endpoint.host, f"{endpoint.host}:{endpoint.port}"
    if waited is not None:
        return f"no connection to {where} within {waited:.3g} s; is a firewall, a security group or a route in the way?"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"the name {host} does not resolve; is the region ({endpoint.region}) or the endpoint right?"
    # asyncio folds the refusals of several addresses into one OSError that has no number of its own.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return f"refused by {where}; is anything listening there?"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the TLS certificate of {where} is not trusted: {error.verify_message}; "
            "is there a proxy between that needs its CA in AWS_CA_BUNDLE?"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {where}: {error}; does the endpoint speak https?"
    return f"no connection to {where}: {str(error) or type(error).__name__}"
