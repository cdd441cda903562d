from __future__ import annotations

import importlib.util
import math
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async.errors import ConfigurationError, DatabaseClosed
from dynamorm_async.transport.base import Credentials, Endpoint
from dynamorm_async.transport.credentials import Fetched, SdkCredentials, StaticCredentials
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.lanes import (
    LaneChoice,
    TransportSettings,
    choose_lane,
    open_control,
    open_lane,
    tls_context,
)
from dynamorm_async.transport.sdk import SdkLane
from dynamorm_async.types import Request
from tests.unit.transport.sdk_server import answer, serving

pytestmark = pytest.mark.anyio

ONE = Credentials("ONE", "secret")
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1"}
HTTPS = Endpoint(scheme="https", host="dynamodb.eu-west-1.amazonaws.com", port=443, region="eu-west-1")
HTTP = Endpoint(scheme="http", host="db.example", port=8000, region="eu-west-1")
GET = Request(operation="GetItem", body={"TableName": "t", "Key": {"k": {"B": b"\xff"}}}, table="t")


class Fixed:
    """A source of keys that do not expire."""

    async def fetch(self, *, anew: bool) -> Fetched:
        assert not anew
        return Fetched(ONE, math.inf)


@pytest.fixture
def plain(tmp_path: Path) -> dict[str, str]:
    return KEYS | {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }


@pytest.mark.parametrize(
    ("proxies", "endpoint", "expected"),
    [
        ({}, HTTPS, "direct"),
        ({"HTTPS_PROXY": "http://p:1"}, HTTPS, "sdk"),
        ({"https_proxy": "http://p:1"}, HTTPS, "sdk"),
        ({"HTTP_PROXY": "http://p:1"}, HTTPS, "direct"),
        ({"HTTP_PROXY": "http://p:1"}, HTTP, "sdk"),
        ({"HTTPS_PROXY": "http://p:1"}, HTTP, "direct"),
        ({"ALL_PROXY": "http://p:1"}, HTTPS, "direct"),
        ({"HTTPS_PROXY": ""}, HTTPS, "direct"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".amazonaws.com"}, HTTPS, "direct"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "db.example:8000"}, HTTP, "direct"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, HTTPS, "direct"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, HTTPS, "sdk"),
    ],
)
def test_lane_is_chosen_by_proxy(
    monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str], endpoint: Endpoint, expected: str
) -> None:
    """The sdk lane is taken exactly where botocore would use a proxy for this endpoint; a named lane is taken as it is."""
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    assert choose_lane("auto", endpoint=endpoint, environ=proxies) == expected
    names: tuple[LaneChoice, ...] = ("direct", "sdk")
    for name in names:
        assert choose_lane(name, endpoint=endpoint, environ=proxies) == name


async def test_plain_environment_opens_the_direct_lane(plain: dict[str, str]) -> None:
    """Keys and region in the environment give the direct lane to the standard endpoint, with the environment's keys."""
    opened = await open_lane(TransportSettings(), environ=plain)
    assert isinstance(opened.lane, DirectLane)
    assert (opened.name, opened.endpoint) == ("direct", HTTPS)
    assert isinstance(opened.credentials, StaticCredentials)
    assert opened.credentials.current() == Credentials("a", "s")
    assert opened.owned is None
    await opened.aclose()


async def test_named_lane_and_profile(plain: dict[str, str]) -> None:
    """A named lane is opened, and credentials that were made for it are closed with it."""
    settings = TransportSettings(lane="sdk", endpoint="http://localhost:8000", profile="p", region="eu-west-1")
    opened = await open_lane(settings, environ=plain)
    assert isinstance(opened.lane, SdkLane)
    assert opened.name == "sdk"
    assert isinstance(opened.owned, SdkCredentials)
    await opened.aclose()
    with pytest.raises(DatabaseClosed):
        await opened.owned.refresh()


async def test_provider_that_was_given_stays_open(plain: dict[str, str]) -> None:
    """A provider that the caller gave is used as it is, and is not closed with the lane."""
    own = SdkCredentials(source=Fixed())
    opened = await open_lane(TransportSettings(credentials=own), environ=plain)
    assert opened.credentials is own
    assert opened.owned is None
    await opened.aclose()
    assert await own.refresh() == ONE
    await own.aclose()


@pytest.mark.parametrize("lane", ["direct", "sdk"])
async def test_both_lanes_give_the_same_answer(plain: dict[str, str], lane: LaneChoice) -> None:
    """The same request gives the same body and request id on both lanes, and the control client works beside them."""
    reply = answer({"Item": {"k": {"B": "/w=="}, "n": {"N": "1"}}})
    async with serving(reply, answer({"TableNames": ["t"]})) as server:
        settings = TransportSettings(endpoint=server.endpoint, lane=lane, credentials=("local", "local"))
        opened = await open_lane(settings, environ=plain)
        control = open_control(settings, opened)
        response = await opened.lane.attempt(GET, 30.0)
        assert (response.body, response.request_id) == (reply.body, "R1")
        assert await control.call("ListTables", {}) == {"TableNames": ["t"]}
        await control.aclose()
        await opened.aclose()
    assert [received.operation for received in server.received] == ["GetItem", "ListTables"]
    assert server.received[0].body["Key"] == {"k": {"B": "/w=="}}
    assert all("Credential=local/" in received.headers["authorization"] for received in server.received)


async def test_sdk_lane_goes_through_the_proxy(plain: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With HTTP_PROXY set the lane chosen by itself sends its request to the proxy, as proxies want it."""
    async with serving(answer({"Item": {}})) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
        settings = TransportSettings(endpoint="http://db.example:8000")
        opened = await open_lane(settings, environ=plain | {"HTTP_PROXY": proxy.endpoint})
        assert opened.name == "sdk"
        await opened.lane.attempt(GET, 30.0)
        await opened.aclose()
    assert proxy.received[0].target == "http://db.example:8000/"


# Any: whatever a caller may write by mistake.
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lane": "fast"}, "there is no lane 'fast'"),
        ({"pool_size": 0}, "pool_size is 0"),
        ({"region": "eu west"}, "no AWS region"),
    ],
)
async def test_wrong_settings_are_refused(plain: dict[str, str], options: dict[str, Any], message: str) -> None:
    """A lane, pool size or region that cannot be is refused before anything is opened."""
    with pytest.raises(ConfigurationError, match=message):
        await open_lane(TransportSettings(**options), environ=plain)


def test_settings_show_no_credentials() -> None:
    """The repr of the settings holds no secret."""
    assert "hunter2" not in repr(TransportSettings(credentials=("AKID", "hunter2", "hunter2")))


def in_settings(path: Path) -> tuple[TransportSettings, dict[str, str]]:
    return TransportSettings(ca_bundle=path), {"AWS_CA_BUNDLE": "/ignored"}


def in_aws_variable(path: Path) -> tuple[TransportSettings, dict[str, str]]:
    return TransportSettings(), {"AWS_CA_BUNDLE": str(path), "REQUESTS_CA_BUNDLE": "/ignored"}


def in_requests_variable(path: Path) -> tuple[TransportSettings, dict[str, str]]:
    return TransportSettings(), {"REQUESTS_CA_BUNDLE": str(path)}


@pytest.mark.parametrize("where", [in_settings, in_aws_variable, in_requests_variable])
@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_unusable_ca_bundle_is_named(
    plain: dict[str, str],
    tmp_path: Path,
    where: Callable[[Path], tuple[TransportSettings, dict[str, str]]],
    content: str | None,
) -> None:
    """A CA bundle that is missing or broken is a ConfigurationError that names its path, in the order of precedence."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    settings, environ = where(path)
    with pytest.raises(ConfigurationError, match=f"the CA bundle '{path}' cannot be used"):
        await open_lane(settings, environ=plain | environ)


async def test_good_ca_bundle_is_used(plain: dict[str, str]) -> None:
    """A CA bundle that holds certificates opens, and is the one that the control client uses."""
    bundle = botocore_bundle()
    opened = await open_lane(TransportSettings(ca_bundle=bundle), environ=plain)
    assert opened.ca_bundle == bundle
    await opened.aclose()


def botocore_bundle() -> Path:
    found = importlib.util.find_spec("botocore")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("cacert.pem")


def test_tls_context_verifies() -> None:
    """Certificates and host names are verified, with and without a bundle."""
    for bundle in (None, botocore_bundle()):
        context = tls_context(bundle)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_machine_without_authorities_uses_those_of_botocore(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the system has no CA certificates, botocore's are loaded."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert ssl.create_default_context().cert_store_stats()["x509_ca"] == 0
    assert tls_context(None).cert_store_stats()["x509_ca"] > 50
