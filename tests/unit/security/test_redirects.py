"""A redirect is an error on every lane and plane: nobody but the endpoint sees the item or the session token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from dynamorm_async import Attr, BadResponse, Database, DynamormError, OutcomeUnknown, attr, model, partition_key
from tests.engines import LANES, Lane
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import answer, serving

pytestmark = pytest.mark.anyio
STATUSES = (300, 301, 302, 303, 305, 307, 308)


@model(table="users")
class User:
    id: Attr[str] = partition_key()
    secret: Attr[str] = attr(default="")


async def get(db: Database) -> object:
    return await db.get(User, "1")


async def put(db: Database) -> None:
    await db.put(User(id="1", secret="what nobody else may read"))


async def exists(db: Database) -> object:
    return await db.tables.exists(User)


CALLS: tuple[Callable[[Database], Awaitable[object]], ...] = (get, put, exists)


def database(port: int, lane: Lane) -> Database:
    keys = ("AKID", "secret", "session-token")
    return Database(endpoint=f"http://127.0.0.1:{port}", region="eu-west-1", credentials=keys, lane=lane)


@pytest.mark.parametrize("lane", LANES)
async def test_redirects_are_never_followed(lane: Lane) -> None:
    """Reads, writes and control-plane calls, each status: an error, and not a byte to the other origin."""
    elsewhere, endpoint = Peer(), Peer()
    async with serving(elsewhere) as foreign, serving(endpoint) as port, database(port, lane) as db:
        target = f"http://127.0.0.1:{foreign}/"
        for status in STATUSES:
            refresh = f"0; url={target}"
            endpoint.parts = [
                answer(b"", status=f"{status} Elsewhere", Location=target, Refresh=refresh, x_amz_crc32="")
            ]
            for call in CALLS:
                before = len(endpoint.heads)
                with pytest.raises((BadResponse, OutcomeUnknown)) as failed:
                    await call(db)
                assert "redirect" in str(failed.value) or "redirect" in str(failed.value.__cause__)
                assert len(endpoint.heads) > before
    assert elsewhere.heads == []


@pytest.mark.parametrize("lane", LANES)
async def test_a_redirect_inside_an_error_is_not_followed(lane: Lane) -> None:
    """An error that names another region or endpoint in body and headers moves nothing: DynamoDB sends no such thing."""
    elsewhere = Peer()
    async with serving(elsewhere) as foreign:
        body = b'{"__type":"x#PermanentRedirect","Endpoint":"127.0.0.1:%d","message":"use the other"}' % foreign
        refusal = answer(body, status="400 Bad Request", x_amz_bucket_region="us-east-1")
        async with serving(Peer(refusal)) as port, database(port, lane) as db:
            for call in CALLS:
                with pytest.raises(DynamormError):
                    await call(db)
    assert elsewhere.heads == []


@pytest.mark.parametrize("lane", LANES)
async def test_cookies_are_off(lane: Lane) -> None:
    """What a server sets is not sent back to it, on either plane."""
    peer = Peer(answer(Set_Cookie="session=1; Path=/", Table="x"))
    async with serving(peer) as port, database(port, lane) as db:
        for _ in range(2):
            await db.get(User, "1")
            with pytest.raises(DynamormError):
                await db.tables.describe(User)
    assert len(peer.heads) >= 4
    assert not any("cookie" in head for head in peer.heads)


@pytest.mark.parametrize("lane", LANES)
async def test_the_foreign_server_would_be_seen(lane: Lane) -> None:
    """The check can fail: what is sent to the other server is counted, token and item included."""
    elsewhere = Peer()
    async with serving(elsewhere) as port, database(port, lane) as db:
        await put(db)
    assert "session-token" in elsewhere.heads[0]
    assert b"what nobody else may read" in elsewhere.bodies[0]
