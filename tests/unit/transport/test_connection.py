from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.errors import BadResponse, CallTimeout, ConnectionLost, DatabaseClosed, TransportError
from dynamorm_async.transport.connection import Answer, Connection, Fault
from tests.unit.transport.scripted_server import answer, until

pytestmark = pytest.mark.anyio
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport without a socket: keeps what is written, and closes as asyncio's does."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.written: list[object] = []
        self.unsent = 0
        self.aborted = False
        connection.connection_made(self)

    def write(self, data: object) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)


@pytest.fixture
async def wire() -> Wire:
    return Wire(Connection(limit=10_000))


def ask(wire: Wire) -> asyncio.Future[Answer]:
    return wire.connection.request(b"ask", math.inf)


async def fault(waiter: asyncio.Future[Answer]) -> Fault:
    with pytest.raises(Fault) as caught:
        await waiter
    return caught.value


def cuts(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """The same bytes in any pieces."""
    places = st.lists(st.integers(1, len(data) - 1), unique=True, max_size=8).map(sorted)
    return places.map(lambda at: [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)])


@given(first=cuts(answer(b'{"a": 1}')), second=cuts(CHUNKED))
def test_answers_are_whole_however_they_arrive(first: list[bytes], second: list[bytes]) -> None:
    """Any cutting of the stream gives the same answers, and the connection serves one request after another."""

    async def exchange() -> tuple[Answer, Answer]:
        wire = Wire(Connection())
        answers: list[Answer] = []
        for pieces in (first, second):
            waiter = ask(wire)
            for piece in pieces:
                assert not wire.connection.ready
                wire.connection.data_received(piece)
            answers.append(await waiter)
            assert wire.connection.ready
        assert wire.written == [b"ask", b"ask"]
        return answers[0], answers[1]

    one, two = asyncio.run(exchange())
    assert (one.status, one.body, one.header(b"x-amzn-requestid")) == (200, b'{"a": 1}', "R1")
    assert (two.body, two.header(b"content-type"), two.header(b"x-amz-crc32")) == (b"abcde", "a/b", None)


@pytest.mark.parametrize("spelled", [b"x-amzn-RequestId", b"X-Amzn-Requestid", b"x-amzn-requestid"])
async def test_headers_are_found_however_they_are_spelled(wire: Wire, spelled: bytes) -> None:
    """A proxy may spell headers in its own way; those of one answer are not those of the next."""
    head = b"HTTP/1.1 200 OK\r\n" + spelled + b": R7\r\nContent-Length: 2\r\n\r\n{}"
    waiter = ask(wire)
    wire.connection.data_received(head)
    first = await waiter
    waiter = ask(wire)
    wire.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    second = await waiter
    assert [each.header(b"x-amzn-RequestId") for each in (first, second)] == ["R7", None]
    assert first.header(b"X-AMZN-REQUESTID") == "R7"


async def test_an_interim_answer_is_passed_over(wire: Wire) -> None:
    """A 1xx announces the answer; it is not taken for it, nor are its headers."""
    waiter = ask(wire)
    wire.connection.data_received(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(b"{}"))
    got = await waiter
    assert (got.status, got.body, got.header(b"link")) == (200, b"{}", None)


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", ConnectionLost, "before the first byte"),
        (answer(b'{"a": 1}')[:-1], ConnectionLost, "after"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", ConnectionLost, "after"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", ConnectionLost, "after"),
        (CHUNKED[:-5], ConnectionLost, "after"),
        (b"SMTP ready\r\n", BadResponse, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", BadResponse, "not HTTP"),
        (b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", BadResponse, "not HTTP"),
        (answer(b"x" * 10_001), BadResponse, "more than 10000 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 2000, BadResponse, "more than 10000 bytes"),
    ],
)
async def test_half_answers_are_never_taken_for_whole(
    wire: Wire, data: bytes, kind: type[TransportError], words: str
) -> None:
    """Cut, unframed, malformed and oversized answers fail with sent=True, and the connection is done."""
    waiter = ask(wire)
    if data:
        wire.connection.data_received(data)
    wire.connection.eof_received()
    wire.abort()
    failed = await fault(waiter)
    assert (failed.kind, failed.sent, failed.stale) == (kind, True, False)
    assert words in failed.message
    assert not wire.connection.ready


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"junk", b"\x00"])
async def test_bytes_behind_an_answer_end_the_connection(wire: Wire, extra: bytes) -> None:
    """An answer with more bytes behind it stands, but those bytes are never taken for the next answer."""
    waiter = ask(wire)
    wire.connection.data_received(answer(b"{}") + extra)
    assert (await waiter).body == b"{}"
    assert wire.aborted
    assert not wire.connection.ready


async def test_bytes_while_idle_end_the_connection(wire: Wire) -> None:
    """What arrives without a request is never read as an answer."""
    wire.connection.data_received(answer(b"{}"))
    assert wire.aborted
    assert not wire.connection.ready


@pytest.mark.parametrize("data", [answer(Connection="close"), answer().replace(b"HTTP/1.1", b"HTTP/1.0")])
async def test_a_server_that_closes_is_not_asked_again(wire: Wire, data: bytes) -> None:
    """After ``Connection: close`` or an HTTP/1.0 answer the connection is not ready."""
    waiter = ask(wire)
    wire.connection.data_received(data)
    assert (await waiter).status == 200
    assert not wire.connection.ready


async def test_an_answer_before_the_request_was_sent_ends_the_connection(wire: Wire) -> None:
    """Where a part of the request is still unsent, the connection is out of step and not ready."""
    waiter = ask(wire)
    wire.unsent = 1
    wire.connection.data_received(answer())
    assert (await waiter).status == 200
    assert not wire.connection.ready


async def test_end_of_stream_while_idle_is_seen(wire: Wire) -> None:
    """As soon as the server closes, the connection is not ready, and a request fails unsent."""
    wire.connection.eof_received()
    assert not wire.connection.ready
    failed = await fault(ask(wire))
    assert (failed.kind, failed.sent, failed.stale) == (ConnectionLost, False, True)
    assert wire.written == []


async def test_stale_means_kept_and_silent(wire: Wire) -> None:
    """Only a connection that served before, and broke before any byte of this answer, is called stale."""
    waiter = ask(wire)
    wire.connection.data_received(answer())
    await waiter
    waiter = ask(wire)
    reason = ConnectionResetError("reset")
    wire.connection.connection_lost(reason)
    failed = await fault(waiter)
    assert (failed.kind, failed.sent, failed.stale) == (ConnectionLost, True, True)
    assert failed.__cause__ is reason


async def test_a_kept_connection_that_began_to_answer_is_not_stale(wire: Wire) -> None:
    """One byte of the answer shows that the server had the request."""
    waiter = ask(wire)
    wire.connection.data_received(answer())
    await waiter
    waiter = ask(wire)
    wire.connection.data_received(b"H")
    wire.connection.connection_lost(None)
    failed = await fault(waiter)
    assert (failed.sent, failed.stale) == (True, False)


async def test_a_cancelled_request_spoils_the_connection(wire: Wire) -> None:
    """After a cancellation the connection is not ready, and the late answer does not make it so."""
    waiter = ask(wire)
    waiter.cancel()
    assert not wire.connection.ready
    wire.connection.data_received(answer())
    assert wire.aborted
    assert not wire.connection.ready


async def test_the_deadline_holds_against_a_drip(wire: Wire) -> None:
    """The deadline is for the whole answer: bytes that trickle in do not move it."""
    loop = asyncio.get_running_loop()
    waiter = wire.connection.request(b"ask", loop.time() + 0.05)
    wire.connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
    drip = iter(b"x" * 8000)
    while not waiter.done():
        dripped = next(drip, None)
        wire.connection.data_received(b"" if dripped is None else b"x")
        await asyncio.sleep(0)
    failed = await fault(waiter)
    assert (failed.kind, failed.sent) == (CallTimeout, True)
    assert wire.aborted


async def test_each_request_has_its_own_deadline(wire: Wire) -> None:
    """An earlier deadline is kept after a later one, a later one after an earlier; idleness has none."""
    loop = asyncio.get_running_loop()
    for seconds in (60.0, 0.05, 60.0):
        waiter = wire.connection.request(b"ask", loop.time() + seconds)
        wire.connection.data_received(answer())
        assert (await waiter).status == 200
    passed = loop.time() + 0.06
    await until(lambda: loop.time() > passed)
    assert wire.connection.ready
    waiter = wire.connection.request(b"ask", loop.time() + 0.05)
    wire.connection.data_received(answer())
    await waiter
    waiter = wire.connection.request(b"ask", loop.time() + 0.1)
    assert (await fault(waiter)).kind is CallTimeout


class CountingLoop:
    """Counts the timers that a loop is asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop, patch: pytest.MonkeyPatch) -> None:
        self.timers = 0
        original = loop.call_at

        def call_at(*arguments: object, **options: object) -> asyncio.TimerHandle:
            self.timers += 1
            return original(*arguments, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - handed through

        patch.setattr(loop, "call_at", call_at)


async def test_requests_share_one_timer(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand requests, each with a later deadline, ask the loop for one timer, not for a thousand."""
    loop = asyncio.get_running_loop()
    counter = CountingLoop(loop, monkeypatch)
    for _ in range(1000):
        waiter = wire.connection.request(b"ask", loop.time() + 60.0)
        wire.connection.data_received(answer())
        await waiter
    assert counter.timers == 1
    wire.abort()


async def test_abort_names_the_reason(wire: Wire) -> None:
    """Whoever waits learns why the connection was closed; closing twice is harmless."""
    waiter = ask(wire)
    wire.connection.abort(DatabaseClosed("closed"))
    wire.connection.abort()
    with pytest.raises(DatabaseClosed):
        await waiter


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


async def test_a_close_that_the_loop_has_not_seen_is_seen(listener: socket.socket) -> None:
    """A server's close is noticed on the socket itself, before the loop has turned."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, *listener.getsockname())
    peer, _ = listener.accept()
    assert connection.ready
    assert connection.silent()
    peer.close()
    assert connection.ready
    assert not connection.silent()
    connection.abort()
    await asyncio.sleep(0)
    assert not connection.silent()


async def test_socket_options(listener: socket.socket) -> None:
    """Small requests go out at once, and the system watches idle connections."""
    loop = asyncio.get_running_loop()
    transport, connection = await loop.create_connection(Connection, *listener.getsockname())
    sock = transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    connection.abort()
    await until(transport.is_closing)
