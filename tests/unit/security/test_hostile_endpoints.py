"""Wherever a hostile endpoint or region stands, nothing is resolved, connected or sent."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dynamorm_async import Attr, ConfigurationError, Database, EndpointUnreachable, model, partition_key
from tests.engines import LANES, Lane
from tests.unit.security.hostile import HOSTILE_ENDPOINTS, HOSTILE_REGIONS, PUBLIC_HTTP

pytestmark = pytest.mark.anyio

HOSTILE = len(HOSTILE_ENDPOINTS) + len(PUBLIC_HTTP) + len(HOSTILE_REGIONS)


@model(table="users")
class User:
    id: Attr[str] = partition_key()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name that is looked up and every address that is connected to; none of them works."""
    seen: list[str] = []

    def refuse(host: Any, *_args: Any, **_options: Any) -> NoReturn:  # Any: as the functions that it stands for
        seen.append(str(host))
        raise OSError("no network in this test")

    async def refuse_later(_loop: Any, _factory: Any, host: Any = None, *_args: Any, **_options: Any) -> NoReturn:
        refuse(host)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse_later)
    return seen


async def use(lane: Lane, **options: Any) -> str:  # Any: the options of a Database
    """What the first calls of a Database say, on data plane and control plane."""
    said: list[str] = []
    async with Database(credentials=("AKID", "secret", "token"), lane=lane, **options) as db:
        with pytest.raises(ConfigurationError) as refused:
            await db.get(User, "1")
        said.append(str(refused.value))
        with pytest.raises(ConfigurationError) as refused:
            await db.tables.describe(User)
        said.append(str(refused.value))
    assert said[0] == said[1]
    return said[0]


def test_the_set_is_large_enough() -> None:
    """More than forty hostile settings, none twice."""
    assert HOSTILE >= 40
    assert len({*HOSTILE_ENDPOINTS, *PUBLIC_HTTP, *HOSTILE_REGIONS}) == HOSTILE


@pytest.mark.parametrize("lane", LANES)
async def test_a_hostile_endpoint_is_refused(lane: Lane, network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As argument and in both variables: a ConfigurationError that names the source and no secret; no byte leaves."""
    for url in HOSTILE_ENDPOINTS:
        said = await use(lane, region="eu-west-1", endpoint=url)
        assert "the endpoint URL from the endpoint argument cannot be used" in said, url
        assert "hunter2" not in said
        if not url or "\0" in url:
            continue  # an environment cannot hold it
        for variable in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"):
            monkeypatch.setenv(variable, url)
            said = await use(lane, region="eu-west-1")
            assert f"the endpoint URL from {variable} cannot be used" in said, url
            assert "hunter2" not in said
            monkeypatch.delenv(variable)
    assert network == []


@pytest.mark.parametrize("lane", LANES)
async def test_plain_http_to_a_public_host_must_be_explicit(
    lane: Lane, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment cannot make requests readable on a public network; only the argument can."""
    for url in PUBLIC_HTTP:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        said = await use(lane, region="eu-west-1")
        assert "readable over a public network; use https, or pass Database(endpoint=...)" in said, url
    assert network == []


@pytest.mark.parametrize("lane", LANES)
async def test_a_hostile_region_is_refused(lane: Lane, network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A region goes into the host name, so that only a region's own letters are let in, wherever it stands."""
    for region in HOSTILE_REGIONS:
        assert "is no AWS region" in await use(lane, region=region)
        if "\0" in region:
            continue  # an environment cannot hold it
        for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(variable, region)
            assert "is no AWS region" in await use(lane)
            monkeypatch.delenv(variable)
    assert network == []


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://evil.example", "https://user:hunter2@x.example"])
async def test_a_profile_is_no_way_around(
    url: str, network: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The endpoint of a profile in the shared files is judged like that of the environment."""
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = eu-west-1\nendpoint_url = {url}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    said = await use("direct")
    assert "the endpoint URL from the shared AWS configuration cannot be used" in said
    assert "hunter2" not in said
    assert network == []


@pytest.mark.parametrize("lane", LANES)
async def test_the_network_is_watched(lane: Lane, network: list[str]) -> None:
    """The check sees both lanes: a good endpoint is looked up."""
    async with Database(region="eu-west-1", credentials=("a", "b"), lane=lane) as db:
        with pytest.raises(EndpointUnreachable):
            await db.get(User, "1")
    assert "dynamodb.eu-west-1.amazonaws.com" in network


async def test_a_key_is_no_way_into_the_host(network: list[str]) -> None:
    """Neither key nor table name has any part in where a request goes."""
    evil = "@evil.example/#"
    async with Database(region="eu-west-1", credentials=("a", "b"), lane="direct", table_prefix="evil.example.") as db:
        with pytest.raises(EndpointUnreachable):
            await db.get(User, evil)
    assert set(network) == {"dynamodb.eu-west-1.amazonaws.com"}
