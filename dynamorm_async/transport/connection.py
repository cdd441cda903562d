"""One keep-alive HTTP/1.1 connection: one request at a time, and its whole answer or a reason why not."""

from __future__ import annotations

import asyncio
import math
import select
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import httptools
import msgspec

from dynamorm_async.errors import BadResponse, CallTimeout, ConnectionLost, TransportError

BODY_LIMIT: Final = 20_000_000
"""Bytes of one answer, headers included, before it is given up. DynamoDB's own limit for a batch is 16 MB."""

HEADER_BYTES: Final = 65_536
"""Bytes of one answer before its body begins; an answer with more is given up."""

_FINAL: Final = 200  # below it an HTTP status announces that another answer follows


class Fault(Exception):
    """Why an exchange failed, before it is known which call it served.

    Attributes:
        kind: the public error that it stands for.
        message: what happened.
        sent: whether the request may have reached the server.
        stale: whether a kept connection turned out closed before any byte of the answer; a new one may well work.
    """

    def __init__(self, kind: type[TransportError], message: str, *, sent: bool, stale: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sent = sent
        self.stale = stale


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One whole HTTP answer, not yet checked.

    Attributes:
        status: the HTTP status.
        headers: by name, as the server spells it; of repeated ones the first.
        first: the body, or the first part of it.
        more: the other parts of a body that came in several.
    """

    status: int
    headers: dict[bytes, bytes]
    first: bytes
    more: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """How many bytes the body has."""
        return len(self.first) + sum(map(len, self.more))

    @property
    def body(self) -> bytes:
        """The whole body. Of one that came in parts they are joined each time: megabytes take a millisecond."""
        return b"".join((self.first, *self.more)) if self.more else self.first

    def __repr__(self) -> str:  # the body is items, which belong in no log
        return f"<Answer {self.status} of {self.size} bytes>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # as of msgspec.Struct
        """What the package rich shows, which otherwise asks for every field."""
        return [("status", self.status)]

    def header(self, name: bytes) -> str | None:
        """A header as text, ``None`` where there is none.

        Args:
            name: in any spelling; that of the server is found at once.
        """
        value = self.headers.get(name)
        if value is None:
            wanted = name.lower()
            value = next((value for other, value in self.headers.items() if other.lower() == wanted), None)
        return None if value is None else value.decode("latin-1")


class Connection(asyncio.Protocol):
    """A connection, from ``create_connection`` on until it is closed.

    Cancelling the future of :meth:`request` leaves the answer unread: the connection is not ``ready`` then, and
    whoever leased it must :meth:`abort` it.

    Args:
        limit: how many bytes an answer may have.

    Attributes:
        ready: whether it is open and between two requests.
        idle_since: when it was last put aside, in the loop's time; the pool keeps it.
    """

    # The methods on_* are httptools' callbacks; the rest of what is public is asyncio.Protocol's, but for request,
    # abort and silent.

    def __init__(self, *, limit: int = BODY_LIMIT) -> None:
        self.ready = False
        self.idle_since = 0.0
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        # Callbacks of the parser that run without a frame of Python: an answer has ten headers.
        self.on_header: Callable[[bytes, bytes], bytes] = self._headers.setdefault
        self.on_body: Callable[[bytes], None] = self._chunks.append
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None
        self._served = 0
        self._received = 0
        self._deadline = math.inf
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    def request(self, data: bytes, deadline: float) -> asyncio.Future[Answer]:
        """Send a request. Never waits; costs no task and, mostly, no timer.

        Args:
            data: the whole request.
            deadline: when the whole answer must be there, in the loop's time.

        Returns:
            A future of the whole answer. It fails with :class:`Fault`.
        """
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        transport = self._transport
        if not self.ready or transport is None:
            waiter.set_exception(
                Fault(ConnectionLost, "the connection was closed before the request was sent", sent=False, stale=True)
            )
            return waiter
        self.ready = False
        self._waiter = waiter
        self._received = 0
        self._deadline = deadline
        if deadline < self._alarm_at:
            self._arm(deadline)
        transport.write(data)
        return waiter

    def abort(self, reason: Exception | None = None) -> None:
        """Close at once. Calling it again does nothing.

        Args:
            reason: the error for the request under way, if there is one.
        """
        self.ready = False
        if self._transport is not None:
            self._transport.abort()
        if reason is not None:
            self._fail(reason)

    def silent(self) -> bool:
        """Whether nothing arrived on the idle socket, end of stream included. Costs one system call.

        The loop may not have run since the server closed, for example in a process that was frozen. Where the
        system cannot tell (Windows), the answer is yes.
        """
        sock = self._socket()
        if sock is None or sock.fileno() < 0:
            return False
        if not hasattr(select, "poll"):
            return True
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN)
        return not poll.poll(0)

    # --- asyncio.Protocol ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the socket's options and become ready."""
        self._transport = cast("asyncio.Transport", transport)
        sock = self._socket()
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.ready = True

    def data_received(self, data: bytes) -> None:
        """Feed the parser; bytes that nobody asked for close the connection."""
        if self._waiter is None:
            self.abort()
            return
        self._received += len(data)
        if self._received > self._limit:
            self.abort(Fault(BadResponse, f"the answer has more than {self._limit} bytes", sent=True))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # Where the answer was complete before these bytes, it stands and only the connection goes.
            fault = Fault(BadResponse, f"the answer is not HTTP/1.1: {error}", sent=True)
            fault.__cause__ = error
            self.abort(fault)
        if self._received > HEADER_BYTES:
            self._bound_headers()

    def eof_received(self) -> None:
        """The server will send no more; asyncio closes the connection next."""
        self.ready = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request under way, and stop the clock."""
        self.ready = False
        if self._alarm is not None:
            self._alarm.cancel()
        if self._waiter is not None:
            how = f"after {self._received} bytes" if self._received else "before the first byte"
            cause = f" ({exc})" if exc else ""
            stale = self._served > 0 and not self._received
            fault = Fault(ConnectionLost, f"the connection broke {how} of the answer{cause}", sent=True, stale=stale)
            fault.__cause__ = exc
            self._fail(fault)

    # --- httptools ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer starts; after a complete one, nobody asked for it."""
        if self._waiter is None:
            self.abort()

    def on_message_complete(self) -> None:
        """Hand over the whole answer."""
        headers, chunks = self._headers.copy(), self._chunks.copy()
        self._headers.clear()
        self._chunks.clear()
        status = self._parser.get_status_code()
        waiter, transport = self._waiter, self._transport
        if status < _FINAL or waiter is None or transport is None:
            return
        self._waiter = None
        self._served += 1
        if waiter.cancelled():
            self.abort()
            return
        # A server that answered before it had the whole request will not read the rest as what it is.
        self.ready = self._parser.should_keep_alive() and not transport.get_write_buffer_size()
        first, *more = chunks or [b""]
        waiter.set_result(Answer(status, headers, first, more))

    # --- inside -------------------------------------------------------------------------------

    def _bound_headers(self) -> None:
        """Give up an answer whose body has not begun after so many bytes."""
        if self._waiter is not None and not self._chunks:
            self.abort(Fault(BadResponse, f"the answer has more than {HEADER_BYTES} bytes of headers", sent=True))

    def _socket(self) -> socket.socket | None:
        transport = self._transport
        return None if transport is None else cast("socket.socket | None", transport.get_extra_info("socket"))

    def _fail(self, reason: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(reason)

    def _arm(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._on_alarm)
        self._alarm_at = when

    def _on_alarm(self) -> None:
        # One alarm outlives many requests: it looks whose deadline is the present one, and moves there.
        self._alarm = None
        self._alarm_at = math.inf
        if self._waiter is None:
            return
        if self._deadline > self._loop.time():
            self._arm(self._deadline)
        else:
            self.abort(Fault(CallTimeout, "the whole answer was not there in time", sent=True))
