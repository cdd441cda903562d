"""Certificates and host names are verified, and nothing in the environment turns that off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dynamorm_async import Attr, Database, EndpointUnreachable, Timeouts, model, partition_key
from tests.engines import LANES, Lane
from tests.unit.security.certificates import Authority
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import serving

pytestmark = pytest.mark.anyio

PLACEBOS = {
    "AWS_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "CURL_CA_BUNDLE": "",
    "PYTHONHTTPSVERIFY": "0",
    "AWS_VERIFY_SSL": "false",
    "AWS_S3_VERIFY": "false",
    "SSL_VERIFY": "0",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "true",
}
"""Switches of this and other tools, and empty paths, which some libraries take for "do not verify"."""


@model(table="users")
class User:
    id: Attr[str] = partition_key()


@pytest.fixture(autouse=True)
async def quiet_loop() -> None:
    """In debug mode asyncio reports the handshakes that our server sees refused, which these tests want."""
    asyncio.get_running_loop().set_debug(False)


async def get(db: Database) -> object:
    return await db.get(User, "1")


async def exists(db: Database) -> object:
    return await db.tables.exists(User)


CALLS: tuple[Callable[[Database], Awaitable[object]], ...] = (get, exists)


async def refused(lane: Lane, server: ssl.SSLContext, bundle: Path | None) -> None:
    peer = Peer()
    async with serving(peer, ssl_context=server) as port:
        for call in CALLS:
            async with Database(
                endpoint=f"https://localhost:{port}",
                region="eu-west-1",
                credentials=("AKID", "secret", "token"),
                lane=lane,
                ca_bundle=bundle,
                timeouts=Timeouts(call=0.9),
            ) as db:
                with pytest.raises(EndpointUnreachable) as failed:
                    await call(db)
            assert not failed.value.sent
            assert "certificate" in str(failed.value).lower()
    assert peer.heads == []


@pytest.mark.parametrize("lane", LANES)
async def test_a_server_of_a_trusted_authority_is_reached(lane: Lane, tmp_path: Path) -> None:
    """With its authority's bundle a server answers, so that the refusals below are those of its certificate."""
    authority, peer = Authority(tmp_path), Peer()
    async with (
        serving(peer, ssl_context=authority.server("localhost")) as port,
        Database(
            endpoint=f"https://localhost:{port}",
            region="eu-west-1",
            credentials=("a", "b"),
            lane=lane,
            ca_bundle=authority.bundle,
        ) as db,
    ):
        assert await db.get(User, "1") is None
    assert len(peer.heads) == 1


@pytest.mark.parametrize("lane", LANES)
async def test_an_unknown_authority_is_refused(lane: Lane, tmp_path: Path) -> None:
    """A certificate of an authority that is not in the bundle ends the connection before the request."""
    stranger = Authority(tmp_path, "A stranger").server("localhost")
    await refused(lane, stranger, Authority(tmp_path).bundle)


@pytest.mark.parametrize("lane", LANES)
async def test_another_hosts_certificate_is_refused(lane: Lane, tmp_path: Path) -> None:
    """A trusted authority's certificate for another name ends the connection before the request."""
    authority = Authority(tmp_path)
    await refused(lane, authority.server("dynamodb.example"), authority.bundle)


@pytest.mark.parametrize("lane", LANES)
async def test_an_expired_certificate_is_refused(lane: Lane, tmp_path: Path) -> None:
    """A certificate that was good yesterday ends the connection before the request."""
    authority = Authority(tmp_path)
    await refused(lane, authority.server("localhost", expired=True), authority.bundle)


@pytest.mark.parametrize("lane", LANES)
async def test_the_environment_cannot_turn_verification_off(
    lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the switches of other tools, nor empty paths, nor a profile: an unknown authority stays refused."""
    for name, value in PLACEBOS.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "config"
    config.write_text("[default]\nca_bundle =\nverify_ssl = false\nverify = false\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    await refused(lane, Authority(tmp_path).server("localhost"), None)
