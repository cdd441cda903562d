from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dynamorm_async.errors import (
    ConfigurationError,
    ConnectionLost,
    DatabaseClosed,
    EndpointUnreachable,
    PoolTimeout,
    UsageError,
)
from dynamorm_async.transport.base import Endpoint, Timeouts
from dynamorm_async.transport.connection import Connection, Fault
from dynamorm_async.transport.pool import Pool, PoolStatistics
from tests.unit.transport.scripted_server import answer, serving, until

pytestmark = pytest.mark.anyio


async def hold(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Keeps the connection open until the client closes it."""
    await reader.read()


@asynccontextmanager
async def pooling(limit: int = 1, timeouts: Timeouts | None = None) -> AsyncGenerator[Pool]:
    async with serving(hold) as port:
        pool = make(port, limit=limit, timeouts=timeouts)
        yield pool
        await pool.aclose()
        assert counts(pool) == (0, 0, 0, 0)


def make(
    port: int,
    *,
    limit: int = 1,
    timeouts: Timeouts | None = None,
    host: str = "127.0.0.1",
    ssl_context: ssl.SSLContext | None = None,
) -> Pool:
    endpoint = Endpoint("https" if ssl_context else "http", host, port, "eu-west-1")
    return Pool(endpoint=endpoint, timeouts=timeouts or Timeouts(), limit=limit, ssl_context=ssl_context)


def counts(pool: Pool) -> tuple[int, int, int, int]:
    now = pool.statistics()
    return now.open, now.idle, now.leased, now.waiting


def later(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def queue(pool: Pool, deadline: float | None = None) -> asyncio.Task[Connection]:
    return asyncio.ensure_future(pool.acquire(later() if deadline is None else deadline))


def lease(pool: Pool, *, after: float = 0.0) -> Connection | None:
    return pool.lease(asyncio.get_running_loop(), later(after))


async def refused(pool: Pool) -> Fault:
    with pytest.raises(Fault) as caught:
        await pool.acquire(later())
    assert counts(pool) == (0, 0, 0, 0)
    return caught.value


async def test_idle_connections_are_leased_at_once_last_used_first() -> None:
    """A kept connection is leased without a turn of the loop, the most recently used one, and counted."""
    async with pooling(limit=3) as pool:
        assert lease(pool) is None
        first, second = await pool.acquire(later()), await pool.acquire(later())
        pool.release(first)
        pool.release(second)
        assert lease(pool) is second
        assert lease(pool) is first
        assert lease(pool) is None
        pool.release(first)
        assert await pool.acquire(later()) is first
        assert pool.statistics() == PoolStatistics(open=2, idle=0, leased=2, waiting=0, opened_total=2, reused_total=3)
        pool.release(first)
        pool.release(second)
        assert counts(pool) == (2, 2, 0, 0)


async def test_the_limit_holds_and_waiters_are_served_in_turn() -> None:
    """Never more connections than the limit; those who wait get one in the order in which they came."""
    async with pooling(limit=2) as pool:
        served: list[int] = []

        async def call(number: int) -> None:
            connection = await pool.acquire(later())
            served.append(number)
            assert pool.statistics().open <= 2
            await asyncio.sleep(0)
            pool.release(connection)

        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(call(number))
        assert sorted(served[:2]) == [0, 1]  # these two opened theirs at the same time
        assert served[2:] == list(range(2, 50))
        assert pool.statistics().opened_total == 2
        assert counts(pool) == (2, 2, 0, 0)


async def test_ten_thousand_wait_in_turn() -> None:
    """Ten thousand callers and fifty connections: never more, everyone is served, in the order in which they came."""
    async with pooling(limit=50, timeouts=Timeouts(connect=100.0, pool=100.0)) as pool:
        served: list[int] = []

        async def call(number: int) -> None:
            connection = await pool.acquire(later(100.0))
            served.append(number)
            assert pool.statistics().open <= 50
            await asyncio.sleep(0)
            if number % 100 == 0:
                connection.abort()  # a broken one gives its slot to the next
            pool.release(connection)

        async with asyncio.TaskGroup() as group:
            for number in range(10_000):
                group.create_task(call(number))
        assert sorted(served) == list(range(10_000))
        # Who is granted a slot opens a connection first: some rounds of fifty go ahead meanwhile, and no more.
        assert max(place - number for place, number in enumerate(served)) <= 50 * 10
        assert pool.statistics().leased == pool.statistics().waiting == 0


async def test_a_broken_connection_gives_its_slot_to_the_next() -> None:
    """A connection that is not ready is closed, and the first who waits opens one in its place."""
    async with pooling() as pool:
        broken = await pool.acquire(later())
        waiting = queue(pool)
        await until(lambda: pool.statistics().waiting == 1)
        broken.abort()
        pool.release(broken)
        connection = await waiting
        assert connection is not broken
        assert counts(pool) == (1, 0, 1, 0)
        pool.release(connection)


@pytest.mark.parametrize("broken", [False, True])
async def test_a_grant_to_a_cancelled_waiter_is_passed_on(*, broken: bool) -> None:
    """A waiter cancelled in the round in which it is served passes its connection or slot to the next."""
    async with pooling() as pool:
        connection = await pool.acquire(later())
        first, second = queue(pool), queue(pool)
        await until(lambda: pool.statistics().waiting == 2)
        if broken:
            connection.abort()
        pool.release(connection)
        first.cancel()
        granted = await second
        assert first.cancelled()
        assert (granted is connection) is not broken
        assert counts(pool) == (1, 0, 1, 0)
        pool.release(granted)


async def test_cancelled_waiters_lose_no_slot() -> None:
    """Cancelling all who wait, before or in the round of the release, leaves the connection idle."""
    async with pooling() as pool:
        connection = await pool.acquire(later())
        waiting = [queue(pool) for _ in range(3)]
        await until(lambda: pool.statistics().waiting == 3)
        waiting[0].cancel()
        pool.release(connection)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert counts(pool) == (1, 1, 0, 0)


async def test_cancelling_while_connecting_gives_the_slot_back() -> None:
    """A caller that is cancelled while its connection opens leaves neither slot nor socket behind."""
    async with pooling() as pool:
        opening = queue(pool)
        await until(lambda: pool.statistics().leased == 1)
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
        assert counts(pool) == (0, 0, 0, 0)
        pool.release(await pool.acquire(later()))


@pytest.mark.parametrize(("pool_timeout", "seconds"), [(0.05, 60.0), (60.0, 0.05)])
async def test_the_wait_is_bounded(pool_timeout: float, seconds: float) -> None:
    """Waiting ends by the pool timeout or by the attempt's deadline, whichever is sooner, with nothing sent."""
    async with pooling(timeouts=Timeouts(pool=pool_timeout)) as pool:
        connection = await pool.acquire(later())
        with pytest.raises(Fault, match="all 1 connections were busy") as caught:
            await pool.acquire(later(seconds))
        assert (caught.value.kind, caught.value.sent) == (PoolTimeout, False)
        assert counts(pool) == (1, 0, 1, 0)
        pool.release(connection)
        assert counts(pool) == (1, 1, 0, 0)


async def test_connections_idle_for_too_long_are_not_used() -> None:
    """At the lease, a connection over its idle time is closed instead."""
    async with pooling(timeouts=Timeouts(idle=20.0)) as pool:
        connection = await pool.acquire(later())
        pool.release(connection)
        assert lease(pool, after=19.0) is connection
        pool.release(connection)
        assert lease(pool, after=21.0) is None
        assert counts(pool) == (0, 0, 0, 0)


async def test_idle_connections_are_closed_in_time() -> None:
    """A timer closes connections that nobody asks for, and starts again for the next."""
    async with pooling(limit=2, timeouts=Timeouts(idle=0.03)) as pool:
        for _ in range(2):
            connection = await pool.acquire(later())
            pool.release(connection)
            assert counts(pool) == (1, 1, 0, 0)
            await until(lambda: pool.statistics().open == 0)
            assert not connection.ready


async def test_a_connection_that_the_server_closed_unseen_is_not_used() -> None:
    """After a second of idleness the socket is looked at: a close that the loop has not seen yet is found."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pool = make(listener.getsockname()[1])
        connection = await pool.acquire(later())
        peer, _ = listener.accept()
        pool.release(connection)
        assert lease(pool, after=2.0) is connection
        pool.release(connection)
        peer.close()
        assert lease(pool, after=2.0) is None
        assert counts(pool) == (0, 0, 0, 0)
        await pool.aclose()


async def test_drop_idle_keeps_what_is_leased() -> None:
    """Dropping the idle connections closes them all, and none that serves a call."""
    async with pooling(limit=2) as pool:
        kept, idle = await pool.acquire(later()), await pool.acquire(later())
        pool.release(idle)
        pool.drop_idle()
        assert (kept.ready, idle.ready) == (True, False)
        assert counts(pool) == (1, 0, 1, 0)
        pool.release(kept)


async def test_closing_ends_everybody() -> None:
    """Waiters and connecting callers end with DatabaseClosed, requests that were sent say so; nobody is cancelled."""
    async with serving(hold) as port:
        pool = make(port, limit=2)
        connection = await pool.acquire(later())
        asking = connection.request(b"ask", later())
        connecting, waiting = queue(pool), queue(pool)
        await until(lambda: pool.statistics().waiting == 1)
        closing = asyncio.ensure_future(pool.aclose())
        with pytest.raises(Fault, match="the database was closed before the whole answer") as caught:
            await asking
        assert (caught.value.kind, caught.value.sent, caught.value.stale) == (ConnectionLost, True, False)
        for ending in (connecting, waiting):
            with pytest.raises(DatabaseClosed):
                await ending
        assert not closing.done()  # a connection is still leased
        pool.release(connection)
        await closing
        assert counts(pool) == (0, 0, 0, 0)
        with pytest.raises(DatabaseClosed):
            await pool.acquire(later())
        await pool.aclose()


async def test_closing_does_not_wait_for_a_handshake() -> None:
    """A connection that is being opened is given up at once by a close, not after the connect timeout."""
    async with serving(hold) as port:
        pool = make(port, timeouts=Timeouts(connect=60.0), ssl_context=ssl.create_default_context())
        connecting = queue(pool, later(60.0))
        await until(lambda: pool.statistics().leased == 1)
        async with asyncio.timeout(10):
            await pool.aclose()
        with pytest.raises(DatabaseClosed):
            await connecting


async def test_a_grant_in_the_round_of_the_close_is_refused() -> None:
    """A waiter that was served just before the close gets a connection that refuses, unsent, and must give it back."""
    async with serving(hold) as port:
        pool = make(port)
        connection = await pool.acquire(later())
        waiting = queue(pool)
        await until(lambda: pool.statistics().waiting == 1)
        pool.release(connection)
        closing = asyncio.ensure_future(pool.aclose())
        granted = await waiting
        await until(lambda: not granted.ready)
        with pytest.raises(Fault) as caught:
            await granted.request(b"ask", later())
        assert not caught.value.sent
        pool.release(granted)
        await closing


async def test_a_refused_port_is_named() -> None:
    """Where nothing listens, the error says so and names host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failed = await refused(make(port))
    assert (failed.kind, failed.sent) == (EndpointUnreachable, False)
    assert failed.message == f"refused by 127.0.0.1:{port}; is anything listening there?"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".invalid"])
async def test_an_unknown_name_asks_for_the_region(host: str) -> None:
    """A name that does not resolve, or cannot, points to the region and the endpoint."""
    failed = await refused(make(1, host=host))
    assert (failed.kind, failed.sent) == (EndpointUnreachable, False)
    assert f"the name {host} does not resolve; is the region (eu-west-1)" in failed.message


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody signed but itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_tls_reaches_a_trusted_server_only(tmp_path: Path) -> None:
    """A certificate that the context trusts is accepted; any other is refused with what to do."""
    # In debug mode asyncio reports the handshakes that our server sees refused, which the test wants.
    asyncio.get_running_loop().set_debug(False)
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    accepted = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()

    async with serving(accept, ssl_context=context) as port:
        pool = make(port, host="localhost", ssl_context=ssl.create_default_context(cafile=str(path)))
        pool.release(await pool.acquire(later()))
        assert counts(pool) == (1, 1, 0, 0)
        await accepted.wait()  # the server ends its half of the handshake later than we do
        await pool.aclose()
        failed = await refused(make(port, host="localhost", ssl_context=ssl.create_default_context()))
        assert (failed.kind, failed.sent) == (EndpointUnreachable, False)
        assert "certificate of localhost" in failed.message
        assert "AWS_CA_BUNDLE" in failed.message


async def test_tls_to_a_plain_server_is_named() -> None:
    """Speaking TLS to a server that does not is not called a certificate problem."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())
        await writer.drain()

    async with serving(plain) as port:
        failed = await refused(make(port, ssl_context=ssl.create_default_context()))
        assert failed.kind is EndpointUnreachable
        assert "does the endpoint speak https?" in failed.message


async def test_the_connect_timeout_covers_the_handshake() -> None:
    """A server that accepts but never shakes hands costs the connect timeout, not more."""
    async with serving(hold) as port:
        pool = make(port, timeouts=Timeouts(connect=0.05), ssl_context=ssl.create_default_context())
        failed = await refused(pool)
        assert (failed.kind, failed.sent) == (EndpointUnreachable, False)
        assert f"no connection to 127.0.0.1:{port} within" in failed.message


def test_one_loop_only() -> None:
    """A pool that is used from a second event loop refuses with a sentence that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pool = make(listener.getsockname()[1])

        async def use() -> None:
            pool.release(await pool.acquire(later()))
            pool.drop_idle()
            await asyncio.sleep(0)

        asyncio.run(use())
        with pytest.raises(UsageError, match="another event loop"):
            asyncio.run(use())


def test_the_limit_must_be_positive() -> None:
    """A pool without room is a mistake in the configuration."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        make(1, limit=0)
