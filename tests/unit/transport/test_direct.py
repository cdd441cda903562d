from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dynamorm_async.errors import (
    AccessDenied,
    BadResponse,
    CallError,
    CallTimeout,
    ClockSkew,
    ConfigurationError,
    ConnectionLost,
    CredentialsError,
    DatabaseClosed,
    EndpointUnreachable,
    ExpiredCredentials,
    InvalidValue,
    OutcomeUnknown,
    PoolTimeout,
    Throttled,
    TransportError,
)
from dynamorm_async.transport.base import Credentials, Endpoint, Lane, Timeouts
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request
from tests.unit.transport.scripted_server import answer, read_request, serving, until

pytestmark = pytest.mark.anyio
KEYS = Credentials("AKIDONE", "secret")
NEW_KEYS = Credentials("AKIDTWO", "secret", "token")
GET = Request(operation="GetItem", body={"TableName": "users"}, table="users")
ADD = Request(operation="UpdateItem", body={"TableName": "users"}, table="users", repeatable=False)
PUT = Request(operation="PutItem", body={"TableName": "users"}, table="users")
NOW = 1_700_000_000.0
HOUR_LATER = "Tue, 14 Nov 2023 23:13:20 GMT"  # NOW + 3600


class Keys:
    """Hands out one set of keys, and others after a refresh."""

    def __init__(self, first: Credentials | None = KEYS, then: Credentials | None = NEW_KEYS) -> None:
        self.now = first
        self.then = then
        self.rejected: list[Credentials | None] = []

    def current(self) -> Credentials | None:
        return self.now

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        self.rejected.append(rejected)
        if self.then is None:
            raise CredentialsError("no credentials were found")
        self.now = self.then
        return self.then


class Script:
    """Plays one list of steps for each connection: bytes to send after a request, or None to close instead.

    What comes after the last step is never answered.
    """

    def __init__(self, *connections: list[bytes | None]) -> None:
        self.connections = list(connections)
        self.accepted = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        steps = self.connections[self.accepted] if self.accepted < len(self.connections) else []
        self.accepted += 1
        for step in steps:
            self.requests.append(await read_request(reader))
            if step is None:
                return
            writer.write(step)
        await reader.read()


def make(port: int, keys: Keys | None = None, *, pool_size: int = 2, timeouts: Timeouts | None = None) -> DirectLane:
    return DirectLane(
        endpoint=Endpoint("http", "127.0.0.1", port, "eu-west-1"),
        credentials=keys or Keys(),
        timeouts=timeouts or Timeouts(),
        pool_size=pool_size,
        ssl_context=None,
        user_agent="dynamorm-async/test",
        clock=lambda: NOW,
    )


@asynccontextmanager
async def playing(
    script: Script, keys: Keys | None = None, *, pool_size: int = 2, timeouts: Timeouts | None = None
) -> AsyncGenerator[DirectLane]:
    async with serving(script) as port:
        lane = make(port, keys, pool_size=pool_size, timeouts=timeouts)
        yield lane
        assert lane.statistics().leased == 0
        await lane.aclose()
        assert lane.statistics().open == 0


def refusal(code: str, message: str = "m", **headers: str) -> bytes:
    return answer(json.dumps({"__type": code, "message": message}).encode(), status="400 Bad Request", **headers)


async def failing(lane: DirectLane, request: Request = GET, seconds: float = 5.0) -> CallError:
    with pytest.raises(CallError) as caught:
        await lane.attempt(request, seconds)
    assert (caught.value.operation, caught.value.table) == (request.operation, "users")
    return caught.value


async def test_requests_share_a_kept_connection() -> None:
    """Calls one after another use one connection; each sends its body, signed, and gets its own answer."""
    script = Script([answer(b'{"n": %d}' % number) for number in range(3)])
    async with playing(script) as direct:
        lane: Lane = direct
        request = Request(operation="PutItem", body={"B": b"\x00\xff", "S": "é"})
        for number in range(3):
            response = await lane.attempt(request, 5.0)
            assert (response.body, response.request_id) == (b'{"n": %d}' % number, "R1")
        assert script.accepted == 1
        assert direct.statistics().reused_total == 2
    headers, body = script.requests[0]
    assert json.loads(body) == {"B": "AP8=", "S": "é"}
    assert headers["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert headers["user-agent"] == "dynamorm-async/test"
    assert headers["x-amz-date"] == "20231114T221320Z"
    assert "Credential=AKIDONE/20231114/eu-west-1/dynamodb/" in headers["authorization"]


async def test_ten_calls_at_once_keep_to_the_pool_size() -> None:
    """More calls than connections all succeed, over no more connections than the pool may have."""
    script = Script([answer()] * 10, [answer()] * 10)
    async with playing(script) as lane:
        responses = await asyncio.gather(*(lane.attempt(GET, 5.0) for _ in range(10)))
        assert len(responses) == 10
        assert script.accepted == 2


CASES: list[tuple[bytes | None, type[TransportError], str]] = [
    (None, ConnectionLost, "before the first byte"),
    (answer(b'{"a": 1}')[:-1], CallTimeout, "no whole answer"),
    (b"", CallTimeout, "no whole answer"),
    (answer(x_amz_crc32="1"), BadResponse, "CRC32"),
    (answer(b"", status="307 Temporary Redirect", Location="http://evil.invalid/"), BadResponse, "redirect"),
    (answer(b"<html>hello</html>", Content_Type="text/html"), BadResponse, "proxy"),
    (answer(b"<html>no</html>", status="403 Forbidden", Content_Type="text/html"), BadResponse, "firewall"),
    (answer(b"x" * 20_000_001), BadResponse, "more than 20000000 bytes"),
    (b"\x16\x03\x01\r\n\r\n", BadResponse, "not HTTP"),
]


@pytest.mark.parametrize(("data", "kind", "words"), CASES)
@pytest.mark.parametrize("request_", [GET, ADD])
async def test_no_half_answer_is_believed(
    data: bytes | None, kind: type[TransportError], words: str, request_: Request
) -> None:
    """What is not a whole answer of DynamoDB fails with sent=True, is asked for once, and follows no redirect."""
    script = Script([data], [answer()])
    async with playing(script, timeouts=Timeouts(read=0.3 if kind is CallTimeout else 5.0)) as lane:
        error = await failing(lane, request_)
        assert type(error) is kind
        assert isinstance(error, TransportError)
        assert error.sent
        assert words in str(error)
    assert (script.accepted, len(script.requests)) == (1, 1)


async def test_a_stale_connection_is_replaced_within_the_attempt() -> None:
    """A kept connection that turns out closed costs one new connection; others as old are not even tried."""
    script = Script([answer(), None], [answer(), None], [answer(b'{"fresh": 1}')])
    async with playing(script) as lane:
        await asyncio.gather(lane.attempt(GET, 5.0), lane.attempt(GET, 5.0))
        assert lane.statistics().idle == 2
        assert (await lane.attempt(GET, 5.0)).body == b'{"fresh": 1}'
        assert lane.statistics().open == 1
    assert (script.accepted, len(script.requests)) == (3, 4)


async def test_a_server_that_always_closes_is_given_up() -> None:
    """A connection that breaks before its first answer is no stale one: the attempt ends, it does not go round."""
    script = Script([answer(), None], [None], [answer()])
    async with playing(script) as lane:
        await lane.attempt(GET, 5.0)
        assert isinstance(await failing(lane), ConnectionLost)
    assert (script.accepted, len(script.requests)) == (2, 3)


async def test_one_attempt_reconnects_once() -> None:
    """A call that comes upon a second stale connection ends: an attempt never goes round in circles."""
    script = Script([answer(), None], [answer(), None], [answer()])
    async with playing(script, pool_size=1) as lane:
        await lane.attempt(GET, 5.0)
        unlucky = asyncio.ensure_future(lane.attempt(GET, 5.0))
        await asyncio.sleep(0)
        # It is next in the queue when the first connection breaks, and leaves its own to the unlucky call.
        assert (await lane.attempt(GET, 5.0)).body == b"{}"
        with pytest.raises(ConnectionLost):
            await unlucky
    assert (script.accepted, len(script.requests)) == (2, 4)


@pytest.mark.parametrize("write", [ADD, PUT], ids=["once", "repeatable"])
async def test_a_stale_connection_is_not_replaced_for_a_write(write: Request) -> None:
    """A write may have been applied on the connection that closed: it is for the sender to know, and to send it again."""
    script = Script([answer(), None], [answer()])
    async with playing(script) as lane:
        await lane.attempt(GET, 5.0)
        error = await failing(lane, write)
        assert isinstance(error, ConnectionLost)
        assert error.sent
        assert (await lane.attempt(write, 5.0)).body == b"{}"
    assert (script.accepted, len(script.requests)) == (2, 3)


async def test_a_write_lost_on_a_stale_connection_is_not_told_as_what_came_next() -> None:
    """A put whose answer was lost, and that was throttled when it was sent again, may have been applied."""
    throttled = refusal("ProvisionedThroughputExceededException")
    script = Script([answer(), None], [throttled] * 3)

    async def pause(_seconds: float) -> None:
        return

    async with playing(script) as lane:
        sender = Sender(lane, timeouts=Timeouts(), sleep=pause)
        await sender.send(PUT)
        with pytest.raises(OutcomeUnknown) as caught:
            await sender.send(PUT)
    assert isinstance(caught.value.__cause__, Throttled)
    assert caught.value.retryable
    assert (script.accepted, len(script.requests)) == (2, 5)


async def test_a_close_seen_while_idle_costs_nothing() -> None:
    """Where the server's close was seen in time, even a request that is not repeatable goes over a new connection."""
    script = Script([answer(Connection="close")], [answer()])
    async with playing(script) as lane:
        await lane.attempt(GET, 5.0)
        assert (await lane.attempt(ADD, 5.0)).body == b"{}"
    assert script.accepted == 2


async def test_the_deadline_is_the_smaller_of_attempt_and_read() -> None:
    """A server that never answers costs what is left of the attempt, or the read timeout; the message says how long."""
    for read, seconds in ((0.05, 5.0), (5.0, 0.05)):
        async with playing(Script([]), timeouts=Timeouts(read=read)) as lane:
            error = await failing(lane, seconds=seconds)
            assert isinstance(error, CallTimeout)
            assert error.sent
            assert "no whole answer within 0.0" in str(error)
            assert lane.statistics().open == 0


async def test_no_free_connection_is_a_pool_timeout() -> None:
    """A call that finds every connection busy gives up by its own time, unsent."""
    async with playing(Script([]), pool_size=1) as lane:
        busy = asyncio.ensure_future(lane.attempt(GET, 60.0))
        await until(lambda: lane.statistics().open == 1)
        error = await failing(lane, seconds=0.05)
        assert isinstance(error, PoolTimeout)
        assert not error.sent
        busy.cancel()
        await asyncio.wait([busy])


async def test_an_unreachable_endpoint_is_named() -> None:
    """A refused connection is EndpointUnreachable, unsent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await failing(make(port))
    assert isinstance(error, EndpointUnreachable)
    assert not error.sent
    assert f"refused by 127.0.0.1:{port}" in str(error)


async def test_cancelling_mid_flight_leaves_nothing() -> None:
    """A cancelled call frees its slot at once, and its connection with the unread answer is never used again."""
    script = Script([answer(), b"HTTP/1.1 200 OK\r\n"], [answer(b'{"other": 1}')])
    async with playing(script, pool_size=1) as lane:
        await lane.attempt(GET, 5.0)
        call = asyncio.ensure_future(lane.attempt(GET, 5.0))
        await until(lambda: len(script.requests) == 2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        now = lane.statistics()
        assert (now.open, now.idle, now.leased, now.waiting) == (0, 0, 0, 0)
        assert (await lane.attempt(GET, 5.0)).body == b'{"other": 1}'
    assert script.accepted == 2


async def test_closing_with_calls_in_flight() -> None:
    """What was sent ends with ConnectionLost that says so, what was not with DatabaseClosed; nobody is cancelled."""
    script = Script([])
    async with serving(script) as port:
        lane = make(port, pool_size=1)
        calls = [asyncio.ensure_future(lane.attempt(GET, 60.0)) for _ in range(3)]
        await until(lambda: script.accepted == 1 and lane.statistics().waiting == 2)
        await lane.aclose()
        with pytest.raises(ConnectionLost, match="the database was closed before the whole answer") as caught:
            await calls[0]
        assert caught.value.sent
        for call in calls[1:]:
            with pytest.raises(DatabaseClosed, match="before this request was sent"):
                await call
        with pytest.raises(DatabaseClosed):
            await lane.attempt(GET, 5.0)
        assert lane.statistics().open == 0


async def test_expired_credentials_are_replaced_once() -> None:
    """A token that DynamoDB calls expired is refreshed, naming the rejected keys, and the request is sent again."""
    keys = Keys()
    script = Script([refusal("ExpiredTokenException"), answer()])
    async with playing(script, keys) as lane:
        assert (await lane.attempt(ADD, 5.0)).body == b"{}"
    assert keys.rejected == [KEYS]
    assert script.requests[1][0]["x-amz-security-token"] == "token"


async def test_credentials_that_stay_expired_are_an_error() -> None:
    """Where new keys are refused as well, the refusal is raised after one refresh."""
    keys = Keys()
    script = Script([refusal("ExpiredTokenException")] * 2)
    async with playing(script, keys) as lane:
        assert isinstance(await failing(lane), ExpiredCredentials)
    assert len(keys.rejected) == 1


async def test_credentials_are_fetched_where_none_are_at_hand() -> None:
    """Without keys at hand they are fetched first; where there are none, the error is the provider's own."""
    keys = Keys(None)
    async with playing(Script([answer()]), keys) as lane:
        await lane.attempt(GET, 5.0)
    assert keys.rejected == [None]
    async with playing(Script([]), Keys(None, None)) as lane:
        with pytest.raises(CredentialsError, match="no credentials were found"):
            await lane.attempt(GET, 5.0)
        assert lane.statistics().opened_total == 0


class HangingKeys(Keys):
    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        await asyncio.Event().wait()
        return await super().refresh(rejected=rejected)


async def test_credentials_are_not_waited_for_for_ever() -> None:
    """A provider that hangs costs the attempt's time: CallTimeout, unsent."""
    async with playing(Script([]), HangingKeys(None)) as lane:
        error = await failing(lane, seconds=0.05)
        assert isinstance(error, CallTimeout)
        assert not error.sent


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RequestTimeTooSkewed", "m"),
        ("RequestExpired", "m"),
        ("InvalidSignatureException", "Signature expired: 2023 is now earlier than 2024"),
        ("InvalidSignatureException", "Signature not yet current: 2024 is still later than 2023"),
    ],
)
async def test_a_wrong_clock_is_set_by_the_answers_date(code: str, message: str) -> None:
    """After a complaint about the time, DynamoDB's own is used, for this request and for later ones."""
    script = Script([refusal(code, message, Date=HOUR_LATER), answer(), answer()])
    async with playing(script) as lane:
        await lane.attempt(ADD, 5.0)
        await lane.attempt(ADD, 5.0)
    dates = [headers["x-amz-date"] for headers, _ in script.requests]
    assert dates == ["20231114T221320Z", "20231114T231320Z", "20231114T231320Z"]


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([refusal("RequestTimeTooSkewed", Date=HOUR_LATER)] * 2, ClockSkew),
        ([refusal("RequestTimeTooSkewed")], ClockSkew),
        ([refusal("RequestTimeTooSkewed", Date="yesterday")], ClockSkew),
        ([refusal("InvalidSignatureException", "The request signature does not match", Date=HOUR_LATER)], AccessDenied),
    ],
)
async def test_other_refusals_of_the_signature_stand(steps: list[bytes | None], kind: type[CallError]) -> None:
    """The clock is set once, only from a readable date, and only where the complaint is about time."""
    script = Script(steps)
    async with playing(script) as lane:
        assert type(await failing(lane)) is kind
    assert len(script.requests) == len(steps)


@pytest.mark.parametrize(("header", "seconds"), [("1500", 1.5), ("soon", None), ("-1", None), ("", None)])
async def test_the_pause_that_dynamodb_asks_for_is_told(header: str, seconds: float | None) -> None:
    """x-amz-retry-after, in milliseconds, is on the error; nonsense is passed over."""
    async with playing(Script([refusal("ThrottlingException", x_amz_retry_after=header)])) as lane:
        error = await failing(lane)
    assert isinstance(error, Throttled)
    assert error.retry_after == seconds


async def test_a_lone_surrogate_is_refused_before_sending() -> None:
    """Text that is not Unicode is the caller's mistake: InvalidValue, and the connection stays good."""
    script = Script([answer()])
    async with playing(script) as lane:
        body: dict[str, Any] = {"S": "a\ud800b"}  # Any: a request's body
        with pytest.raises(InvalidValue, match="PutItem: a text has the lone surrogate"):
            await lane.attempt(Request(operation="PutItem", body=body), 5.0)
        assert lane.statistics().idle == 1
        await lane.attempt(GET, 5.0)
    assert (script.accepted, len(script.requests)) == (1, 1)


@pytest.mark.parametrize(
    ("host", "required"),
    [
        ("dynamodb.eu-west-1.amazonaws.com", True),
        ("dynamodb.cn-north-1.amazonaws.com.cn", True),
        ("dynamodb.eu-west-1.api.aws", True),
        ("amazonaws.com.evil.example", False),
        ("127.0.0.1", False),
    ],
)
async def test_dynamodb_itself_must_send_a_crc(*, host: str, required: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From AWS's own hosts an answer without CRC32 is refused; engines elsewhere may leave it out."""
    async with serving(Script([answer(x_amz_crc32="")])) as port:
        connect = asyncio.get_running_loop().create_connection

        async def connect_here(factory: Callable[[], asyncio.Protocol], *_: object, **__: object) -> object:
            return await connect(factory, "127.0.0.1", port)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect_here)
        lane = DirectLane(
            endpoint=Endpoint("http", host, 80, "eu-west-1"),
            credentials=Keys(),
            timeouts=Timeouts(),
            pool_size=1,
            ssl_context=None,
            user_agent="a",
        )
        if required:
            assert isinstance(await failing(lane), BadResponse)
        else:
            assert (await lane.attempt(GET, 5.0)).body == b"{}"
        await lane.aclose()


def test_https_needs_a_context() -> None:
    """An https endpoint without an SSL context is refused, never quietly spoken to in plain text."""
    with pytest.raises(ConfigurationError, match="https://h needs an SSL context"):
        DirectLane(
            endpoint=Endpoint("https", "h", 443, "eu-west-1"),
            credentials=Keys(),
            timeouts=Timeouts(),
            pool_size=1,
            ssl_context=None,
            user_agent="a",
        )
