from __future__ import annotations

import asyncio
import base64
import datetime as dt
import socket
from typing import Any

import anyio
import pytest

from dynamorm_async.errors import (
    BadResponse,
    CallTimeout,
    ConditionFailed,
    ConfigurationError,
    ConnectionLost,
    CredentialsError,
    DatabaseClosed,
    DynamormError,
    EndpointUnreachable,
    PoolTimeout,
    ServerError,
    Throttled,
    TransactionCancelled,
    ValidationFailed,
)
from dynamorm_async.transport import sdk, sdk_session
from dynamorm_async.transport.base import CredentialProvider, Credentials, Endpoint, Timeouts
from dynamorm_async.transport.credentials import StaticCredentials
from dynamorm_async.transport.sdk import SdkClient, SdkLane
from dynamorm_async.transport.sdk_loader import SdkSession, open_session
from dynamorm_async.types import Request
from tests.unit.transport.sdk_server import JSON, Reply, Server, answer, refusal, serving

pytestmark = pytest.mark.anyio

GET = Request(operation="GetItem", body={"TableName": "t", "Key": {"k": {"S": "a"}}}, table="t")
B64 = base64.b64encode(b"\x00\xff").decode()
LONG = 30.0


def keys() -> StaticCredentials:
    return StaticCredentials(Credentials("AKID", "secret", "token"), source="the test")


def client_of(
    endpoint: str,
    *,
    credentials: CredentialProvider | None = None,
    timeouts: Timeouts | None = None,
    pool_size: int = 4,
) -> SdkClient:
    _, _, address = endpoint.partition("://")
    host, _, port = address.partition(":")
    return SdkClient(
        endpoint=Endpoint(scheme="http", host=host, port=int(port), region="eu-west-1"),
        credentials=credentials or keys(),
        timeouts=timeouts or Timeouts(),
        pool_size=pool_size,
    )


def lane_of(server: Server, *, timeouts: Timeouts | None = None, pool_size: int = 4) -> SdkLane:
    return SdkLane(client_of(server.endpoint, timeouts=timeouts, pool_size=pool_size))


async def failure_of(server: Server, request: Request = GET, *, timeouts: Timeouts | None = None) -> DynamormError:
    lane = lane_of(server, timeouts=timeouts)
    try:
        await lane.attempt(request, LONG)
    except DynamormError as error:
        return error
    finally:
        await lane.aclose()
    pytest.fail("the attempt succeeded")


async def test_bodies_have_the_wire_form_of_the_direct_lane() -> None:
    """Binary goes out in base64, and an answer comes back as it was sent, type tags unknown to botocore included."""
    item: dict[str, Any] = {
        "b": {"B": B64},
        "bad": {"B": "?"},
        "new": {"ZZ": 1},
        "two": {"S": "a", "N": "1"},
        "l": {"L": []},
    }
    body = {"TableName": "t", "Key": {"k": {"B": b"\x00\xff"}}}
    reply = answer({"Item": item, "New": 1})
    async with serving(reply) as server:
        lane = lane_of(server)
        response = await lane.attempt(Request(operation="GetItem", body=body), LONG)
        await lane.aclose()
    assert server.received[0].body["Key"] == {"k": {"B": B64}}
    assert server.received[0].headers["x-amz-security-token"] == "token"
    assert response.body == reply.body
    assert response.request_id == "R1"


async def test_failed_condition_carries_the_item_in_wire_form() -> None:
    """The item of a failed condition has base64 text for binary, as in the direct lane."""
    item = {"k": {"S": "a"}, "b": {"B": B64}}
    async with serving(refusal("ConditionalCheckFailedException", Item=item)) as server:
        error = await failure_of(server, Request(operation="PutItem", body={"TableName": "t", "Item": {}}, table="t"))
    assert isinstance(error, ConditionFailed)
    assert error.raw_item == item
    assert (error.operation, error.table, error.status, error.request_id) == ("PutItem", "t", 400, "R1")


async def test_cancelled_transaction_carries_every_reason() -> None:
    """Each cancellation reason keeps its place, code and item."""
    reasons: list[dict[str, Any]] = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "m", "Item": {"b": {"B": B64}}},
    ]
    async with serving(refusal("TransactionCanceledException", CancellationReasons=reasons)) as server:
        error = await failure_of(server, Request(operation="TransactWriteItems", body={"TransactItems": []}))
    assert isinstance(error, TransactionCancelled)
    assert list(error.reasons) == reasons


async def test_throttling_carries_reasons_and_the_pause_asked_for() -> None:
    """A throttled call shows which resource was throttled, and how long DynamoDB asks to wait."""
    reasons = [{"reason": "TableReadProvisionedThroughputExceeded", "resource": "arn:t"}]
    body = {"__type": "x#ProvisionedThroughputExceededException", "message": "slow", "ThrottlingReasons": reasons}
    async with serving(answer(body, status=400, x_amz_retry_after="1500")) as server:
        error = await failure_of(server)
        assert len(server.received) == 1, "the SDK must not retry"
    assert isinstance(error, Throttled)
    assert list(error.reasons) == reasons
    assert error.retry_after == pytest.approx(1.5)


GOOD = answer({"Item": {"k": {"S": "a"}}})
HEADERS = (("content-type", JSON),)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(b"<html>hello</html>", 200, (("content-type", "text/html"),)), id="html"),
        pytest.param(Reply(b"<html>hello</html>", 200, HEADERS), id="html-as-json"),
        pytest.param(Reply(b"<html>no</html>", 403, (("content-type", "text/html"),)), id="firewall"),
        pytest.param(Reply(b"", 200, HEADERS), id="empty"),
        pytest.param(Reply(b'{"Item":{"k":{"S"', 200, HEADERS), id="cut-json"),
        pytest.param(Reply(b'{"Item":{"k":{"S":}}}', 200, HEADERS), id="bad-json-in-braces"),
        pytest.param(Reply(b'{"Item":{"k":{"S":"\xff"}}}', 200, HEADERS), id="bad-utf8"),
        pytest.param(Reply(b"[]", 200, HEADERS), id="array"),
        pytest.param(Reply(b'{"Item":5}', 200, HEADERS), id="wrong-shape"),
        pytest.param(Reply(b'{"Item":{"k":' + b'{"L":[' * 3000 + b"]}" * 3000 + b"}}", 200, HEADERS), id="nesting"),
        pytest.param(Reply(GOOD.body, 200, (*HEADERS, ("x-amz-crc32", "1"))), id="crc"),
        pytest.param(Reply(GOOD.body, 200, (*HEADERS, ("x-amz-crc32", "junk"))), id="crc-junk"),
        pytest.param(Reply(b"", 302, (("location", "http://127.0.0.1:9/"),)), id="redirect"),
        pytest.param(Reply(b"{}", 204, HEADERS), id="status-204"),
    ],
)
async def test_answer_that_is_not_whole_is_never_believed(reply: Reply) -> None:
    """D/S: an HTML page, an empty, cut, corrupt or oddly shaped answer is BadResponse, and counts as sent."""
    async with serving(reply) as server:
        error = await failure_of(server)
    assert isinstance(error, BadResponse)
    assert error.sent
    assert (error.operation, error.table) == ("GetItem", "t")
    assert "hello" not in str(error)


async def test_stray_5xx_is_a_server_error_that_does_not_show_the_page() -> None:
    """A load balancer's 503 page is a retryable ServerError; a stranger's page is not repeated."""
    async with serving(Reply(b"<b>secret page</b>", 503, (("content-type", "text/html"),))) as server:
        error = await failure_of(server)
    assert isinstance(error, ServerError)
    assert error.retryable
    assert error.status == 503
    assert error.table == "t"
    assert "secret page" not in str(error)


async def test_oversized_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer over the limit is refused, whether its length is announced or not."""
    monkeypatch.setattr(sdk_session, "MAX_ANSWER", 100)
    big = b"{" + b" " * 200 + b"}"
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(big), big)
    async with serving(Reply(big)) as announced:
        assert isinstance(await failure_of(announced), BadResponse)
    async with serving(Reply(chunk, headers=(*HEADERS, ("transfer-encoding", "chunked")))) as chunked:
        assert isinstance(await failure_of(chunked), BadResponse)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(status: int) -> None:
    """Neither the item nor the session token follows a redirect to another origin."""
    async with serving() as elsewhere, serving(Reply(b"", status, (("location", elsewhere.endpoint),))) as server:
        error = await failure_of(server)
        assert isinstance(error, BadResponse)
        assert elsewhere.received == []


async def test_cookies_are_not_kept() -> None:
    """A cookie that the server sets is not sent back."""
    async with serving(Reply(headers=(*HEADERS, ("set-cookie", "a=b")))) as server:
        lane = lane_of(server)
        await lane.attempt(GET, LONG)
        await lane.attempt(GET, LONG)
        await lane.aclose()
    assert "cookie" not in server.received[1].headers


@pytest.mark.parametrize("fault", ["reset", "cut"])
async def test_connection_lost_after_sending_counts_as_sent(fault: Any) -> None:
    """A reset or cut after the request was read may have been applied: sent is true, whatever botocore calls it."""
    async with serving(Reply(fault=fault)) as server:
        error = await failure_of(server)
    assert isinstance(error, ConnectionLost)
    assert error.sent
    assert error.table == "t"


async def test_refused_connection_counts_as_not_sent() -> None:
    """A closed port is EndpointUnreachable, and nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = client_of(f"http://127.0.0.1:{port}")
    with pytest.raises(EndpointUnreachable) as caught:
        await client.call("ListTables", {})
    await client.aclose()
    assert not caught.value.sent
    assert caught.value.operation == "ListTables"


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_time_for_an_answer_is_bounded(fault: Any) -> None:
    """A peer that never answers, or stops in the middle, ends as CallTimeout that counts as sent."""
    async with serving(Reply(fault=fault)) as server:
        error = await failure_of(server, timeouts=Timeouts(connect=0.05, read=0.05))
    assert isinstance(error, CallTimeout)
    assert error.sent


async def test_timeout_of_the_attempt_is_kept() -> None:
    """The attempt's own timeout ends it, shorter than any other; what it says of sending is right."""
    async with serving(GOOD, Reply(fault="hang")) as server:
        lane = lane_of(server, pool_size=1)
        await lane.attempt(GET, LONG)
        with pytest.raises(CallTimeout) as caught:
            await lane.attempt(GET, 0.05)
        assert caught.value.sent
        assert caught.value.table == "t"
        with pytest.raises(CallTimeout) as unsent:
            await lane.attempt(GET, 0.0)
        assert not unsent.value.sent
        assert (lane.leased, lane.waiting) == (0, 0)
        await lane.aclose()


async def test_wait_for_a_connection_is_bounded() -> None:
    """With every connection busy a call ends as PoolTimeout, not sent."""
    async with serving(Reply(fault="hang")) as server:
        client = client_of(server.endpoint, pool_size=1, timeouts=Timeouts(pool=0.02))
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(ended_by_close(client))
            await server.until(1)
            with pytest.raises(PoolTimeout) as caught:
                await client.call("ListTables", {})
            await client.aclose()
    assert not caught.value.sent
    assert isinstance(first.result(), ConnectionLost)


async def ended_by_close(client: SdkClient) -> DynamormError | None:
    try:
        await client.call("ListTables", {}, table="t")
    except (DatabaseClosed, ConnectionLost) as error:
        return error
    return None


async def test_close_ends_every_call_and_cancels_nobody() -> None:
    """What was sent ends with ConnectionLost that says so, what was not with DatabaseClosed; no task ends cancelled."""
    async with serving(Reply(fault="hang")) as server:
        client = client_of(server.endpoint, pool_size=1)
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(ended_by_close(client)) for _ in range(10)]
            await server.until(1)
            assert (client.leased, client.waiting) == (1, 9)
            await client.aclose()
        sent, *others = [call.result() for call in calls]
        assert isinstance(sent, ConnectionLost)
        assert (sent.sent, sent.operation, sent.table) == (True, "ListTables", "t")
        assert "the database was closed before the whole answer was there" in str(sent)
        assert [type(error) for error in others] == [DatabaseClosed] * 9
        assert isinstance(await ended_by_close(client), DatabaseClosed)
        assert (client.leased, client.waiting, len(server.received)) == (0, 0, 1)
        await client.aclose()


async def test_a_close_that_was_cancelled_can_be_made_again() -> None:
    """Cancelled at every step in turn, a close leaves the rest to the next one, which ends every call and connection."""
    for step in range(1, 9):
        async with serving(GOOD, Reply(fault="hang")) as server:
            client = client_of(server.endpoint, pool_size=1)
            await client.call("GetItem", GET.body)
            call = asyncio.ensure_future(ended_by_close(client))
            await server.until(2)
            closing = asyncio.ensure_future(client.aclose())
            for _ in range(step):
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
            await client.aclose()
            assert isinstance(await call, ConnectionLost)
            assert client.leased == 0


async def test_close_while_the_client_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that waits for the client to be made ends with DatabaseClosed when it is closed."""
    started = anyio.Event()

    async def never(**_: str | None) -> SdkSession:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(sdk, "open_session", never)
    client = client_of("http://127.0.0.1:9")
    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(ended_by_close(client))
        await started.wait()
        await client.aclose()
    assert isinstance(call.result(), DatabaseClosed)


async def test_cancelled_call_gives_its_connection_back() -> None:
    """After a cancel in the middle of a call, a pool of one still serves the next."""
    async with serving(Reply(fault="hang"), GOOD) as server:
        client = client_of(server.endpoint, pool_size=1)
        call = asyncio.create_task(client.call("ListTables", {}))
        await server.until(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.call("ListTables", {})
        await client.aclose()


async def test_client_is_made_once_and_survives_a_cancelled_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls at the same time share one client; the first caller's cancellation does not end its making."""
    opened: list[str | None] = []
    started, go = anyio.Event(), anyio.Event()

    async def slow(*, profile: str | None) -> SdkSession:
        opened.append(profile)
        started.set()
        await go.wait()
        return await open_session(profile=profile)

    monkeypatch.setattr(sdk, "open_session", slow)
    async with serving() as server:
        client = client_of(server.endpoint)
        first = asyncio.create_task(client.call("ListTables", {}))
        await started.wait()
        others = [asyncio.create_task(client.call("ListTables", {})) for _ in range(5)]
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        go.set()
        await asyncio.gather(*others)
        await client.aclose()
    assert opened == [None]


class Renewing:
    """A provider whose first keys are expired for DynamoDB."""

    def __init__(self) -> None:
        self.keys = Credentials("OLD", "secret", "t1")
        self.rejected: list[Credentials | None] = []

    def current(self) -> Credentials | None:
        return self.keys

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        self.rejected.append(rejected)
        self.keys = Credentials("NEW", "secret", "t2")
        return self.keys


async def test_expired_token_is_refreshed_once_and_the_call_made_again() -> None:
    """Keys that DynamoDB calls expired are replaced, and the refused call is made again with the new ones."""
    provider = Renewing()
    async with serving(refusal("ExpiredTokenException"), answer({"TableNames": ["t"]})) as server:
        client = client_of(server.endpoint, credentials=provider)
        assert await client.call("ListTables", {}) == {"TableNames": ["t"]}
        await client.aclose()
    assert provider.rejected == [Credentials("OLD", "secret", "t1")]
    used = [received.headers["authorization"] for received in server.received]
    assert ["Credential=OLD/" in used[0], "Credential=NEW/" in used[1]] == [True, True]


async def test_expired_static_token_says_so() -> None:
    """Static keys that have expired end as CredentialsError that names their source."""
    async with serving(refusal("ExpiredTokenException")) as server:
        error = await failure_of(server)
    assert isinstance(error, CredentialsError)
    assert "the session token of the test has expired" in str(error)


class Missing:
    """A provider without keys."""

    def current(self) -> Credentials | None:
        return None

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        raise CredentialsError(f"none at all, {rejected}")


async def test_missing_credentials_send_nothing() -> None:
    """Without keys a call ends with the provider's own error, before anything is sent."""
    async with serving() as server:
        client = client_of(server.endpoint, credentials=Missing())
        with pytest.raises(CredentialsError, match="none at all"):
            await client.call("ListTables", {})
        await client.aclose()
        assert server.received == []


async def test_control_call_gives_python_values() -> None:
    """A control-plane answer has timestamps as datetime and no metadata."""
    table = {"TableName": "t", "CreationDateTime": 1700000000.0, "TableStatus": "ACTIVE"}
    async with serving(answer({"Table": table})) as server:
        client = client_of(server.endpoint)
        found = await client.call("DescribeTable", {"TableName": "t"}, table="t")
        await client.aclose()
    assert found.keys() == {"Table"}
    assert found["Table"]["CreationDateTime"] == dt.datetime.fromtimestamp(1700000000, dt.UTC)


async def test_unknown_operation_is_named() -> None:
    """An operation that botocore does not know is a ConfigurationError, before anything is sent."""
    async with serving() as server:
        client = client_of(server.endpoint)
        with pytest.raises(ConfigurationError, match="no operation 'MakeCoffee'"):
            await client.call("MakeCoffee", {})
        await client.aclose()
        assert server.received == []


async def test_environment_does_not_move_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """FIPS, dual-stack, account-id, retry and endpoint variables neither move the settled endpoint nor add attempts."""
    for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    async with serving(refusal("ValidationException")) as server:
        error = await failure_of(server)
        assert len(server.received) == 1
    assert isinstance(error, ValidationFailed)
    assert error.message == "no"


async def test_broken_ca_bundle_sends_nothing(tmp_path: Any) -> None:
    """A CA bundle that vanished after opening is EndpointUnreachable that names the cause, not sent."""
    client = SdkClient(
        endpoint=Endpoint(scheme="https", host="127.0.0.1", port=9, region="eu-west-1"),
        credentials=keys(),
        timeouts=Timeouts(),
        ca_bundle=tmp_path / "gone.pem",
    )
    with pytest.raises(EndpointUnreachable, match="no connection can be set up") as caught:
        await client.call("ListTables", {})
    await client.aclose()
    assert not caught.value.sent
