"""Vector searches go where botocore's endpoint rules send them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import create_loader

from dynamorm_async.errors import BadResponse
from dynamorm_async.transport import direct
from dynamorm_async.transport.base import Credentials, Endpoint, Timeouts
from dynamorm_async.transport.credentials import StaticCredentials
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.lanes import LaneChoice, OpenLane, TransportSettings, open_search
from dynamorm_async.transport.sdk import SdkLane
from dynamorm_async.transport.search import is_search_host, search_endpoint
from dynamorm_async.types import Request
from tests.unit.transport.sdk_server import Reply, answer, serving

pytestmark = pytest.mark.anyio

REGIONS = ("eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1")


@pytest.fixture(scope="module")
def rules() -> EndpointProvider:
    """botocore's own rules, of the version that is installed."""
    loader = create_loader()
    return EndpointProvider(
        loader.load_service_model("dynamodb", "endpoint-rule-set-1"), loader.load_data("partitions")
    )


def variants() -> Iterator[Mapping[str, Any]]:
    for region, dual, fips, account in itertools.product(REGIONS, (False, True), (False, True), (None, "123456789012")):
        of_account = {"AccountId": account, "AccountIdEndpointMode": "preferred"} if account else {}
        yield {"Region": region, "UseDualStack": dual, "UseFIPS": fips, **of_account}


@pytest.mark.parametrize("variant", list(variants()), ids=lambda variant: "-".join(map(str, variant.values())))
async def test_every_endpoint_of_aws_has_one_for_searches(rules: EndpointProvider, variant: Mapping[str, Any]) -> None:
    """In each partition: plain, FIPS, dual-stack and account endpoints, to the letter."""

    def host(**more: bool) -> str:
        url: str = rules.resolve_endpoint(**variant, **more).url
        return url.removeprefix("https://")

    endpoint = Endpoint(scheme="https", host=host(), port=443, region=variant["Region"])
    found = search_endpoint(endpoint)
    assert (found.host, found.region, found.port) == (host(IsSearchOperation=True), endpoint.region, 443)
    assert is_search_host(found.host)
    assert not is_search_host(endpoint.host)
    assert search_endpoint(found) == found


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "dynamodb",
        "dynamodb.eu-west-1.example.com",
        "vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com",
        "dynamodb.eu-west-1.amazonaws.com.example.com",
    ],
)
async def test_any_other_endpoint_serves_searches_itself(host: str) -> None:
    """Local engines, VPC endpoints and proxies have one address for everything."""
    endpoint = Endpoint(scheme="https", host=host, port=443, region="eu-west-1")
    assert search_endpoint(endpoint) == endpoint
    assert not is_search_host(host)


def lane_to(endpoint: Endpoint) -> DirectLane:
    return DirectLane(
        endpoint=endpoint,
        credentials=StaticCredentials(Credentials("AKID", "secret"), source="the test"),
        timeouts=Timeouts(),
        pool_size=1,
        ssl_context=None,
        user_agent="test",
    )


def opened(endpoint: Endpoint) -> OpenLane:
    keys = StaticCredentials(Credentials("AKID", "secret"), source="the test")
    lane = lane_to(Endpoint(scheme="http", host="localhost", port=1, region="eu-west-1"))
    return OpenLane(lane=lane, name="direct", endpoint=endpoint, credentials=keys, owned=None, ca_bundle=None)


@pytest.mark.parametrize(
    ("choice", "proxies", "kind"),
    [
        ("direct", {}, DirectLane),
        ("sdk", {}, SdkLane),
        ("auto", {}, DirectLane),
        ("auto", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "dynamodb.eu-west-1.amazonaws.com"}, SdkLane),
    ],
)
async def test_a_lane_is_opened_for_searches(
    monkeypatch: pytest.MonkeyPatch,
    choice: LaneChoice,
    proxies: dict[str, str],
    kind: type[DirectLane | SdkLane],
) -> None:
    """Beside a lane to AWS itself, as was asked for; a proxy may apply to one host and not to the other."""
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    aws = Endpoint(scheme="https", host="dynamodb.eu-west-1.amazonaws.com", port=443, region="eu-west-1")
    lane = await open_search(TransportSettings(lane=choice), opened(aws), environ=proxies)
    assert isinstance(lane, kind)
    await lane.aclose()


async def test_no_lane_is_opened_where_there_is_one() -> None:
    """A local engine serves searches where it serves everything."""
    local = Endpoint(scheme="http", host="localhost", port=8000, region="eu-west-1")
    assert await open_search(TransportSettings(), opened(local), environ={}) is None


async def test_an_answer_without_a_checksum_is_taken_from_a_search_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """That search hosts send a CRC32 is not documented; where one comes, it has to be right."""
    body = b'{"SearchResults":[]}'
    bare = Reply(body=body)
    wrong = Reply(body=body, headers=(*bare.headers, ("x-amz-crc32", "1")))
    right = answer({"SearchResults": []})
    search = Request(operation="SearchVectors", body={"TableName": "t"}, table="t")
    async with serving(bare, right, wrong) as server:
        monkeypatch.setattr(direct, "is_search_host", bool)  # any host is one
        monkeypatch.setattr(direct, "_AWS", ("127.0.0.1", "localhost"))
        host, _, port = server.endpoint.removeprefix("http://").partition(":")
        lane = lane_to(Endpoint(scheme="http", host=host, port=int(port), region="eu-west-1"))
        assert (await lane.attempt(search, 5)).body == body
        assert (await lane.attempt(search, 5)).body == right.body
        with pytest.raises(BadResponse, match="CRC32"):
            await lane.attempt(search, 5)
        await lane.aclose()
