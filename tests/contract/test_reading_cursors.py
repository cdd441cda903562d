"""Cursors in the hands of strangers: edited, cut, foreign, expired, made with another secret; and what they show."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynamorm_async import CursorError, Database, Query
from dynamorm_async.plan.cursors import CursorCodec, Position, fingerprint
from tests.contract.reading_models import DEPOTS, SECRETS, Parcel, connect, depots, where
from tests.engines import Lane

__all__ = ["depots"]

pytestmark = pytest.mark.anyio

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def tenant(db: Database, depot: str = "east") -> Query[Parcel]:
    return db.query(Parcel).where(Parcel.depot == depot)


def opened(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def forged(query: Query[Parcel], *keys: dict[str, Any]) -> str:
    """A readable cursor for a query that says whatever its maker likes: nothing in it is secret."""
    codec = CursorCodec((), lifetime=60, now=time.time)
    return codec.encode(fingerprint(query.explain().requests), [Position(key=key) for key in keys])


async def cursor_of(query: Query[Parcel]) -> str:
    cursor = (await query.page(size=4)).cursor
    assert cursor is not None
    return cursor


@pytest.mark.usefixtures("depots")
async def test_a_sealed_cursor_cannot_be_changed(endpoint: str, lane: Lane) -> None:
    """Every change of a single letter, every cut, and every addition is refused, with no request."""
    async with connect(endpoint, lane, secrets=SECRETS) as db:
        cursor = await cursor_of(tenant(db))
        changed = [
            cursor[:place] + ALPHABET[(ALPHABET.index(letter) + 1) % 64] + cursor[place + 1 :]
            for place, letter in enumerate(cursor)
        ]
        cut = [cursor[:length] for length in range(1, len(cursor))]
        others = [cursor + "A", cursor + "=", " " + cursor, cursor[::-1], "nothing", "é", "\x00", "A" * 70_000]
        with db.measure() as meter:
            for wrong in (*changed, *cut, *others):
                with pytest.raises(CursorError):
                    await tenant(db).page(cursor=wrong)
        assert meter.statistics.requests == {}
        assert await tenant(db).after(cursor) == where(lambda p: p.depot == "east")[4:]


async def test_a_readable_cursor_never_leads_to_another_tenant(depots: Database) -> None:
    """Also without secrets: a forged position in another partition, or one that is none, is refused unsent."""
    east = {"depot": {"S": "east"}, "number": {"N": "16"}}
    wrong: list[tuple[dict[str, Any], ...]] = [
        (east | {"depot": {"S": "north"}},),
        (east | {"depot": {"N": "1"}},),
        (east | {"weight": {"N": "1"}},),
        ({"depot": {"S": "east"}},),
        (east, east),
        (),
    ]
    query = tenant(depots)
    with depots.measure() as meter:
        for keys in wrong:
            with pytest.raises(CursorError):
                await query.page(cursor=forged(query, *keys))
        with pytest.raises(CursorError):
            await query.page(cursor=forged(tenant(depots, "north"), east))
        cursor = forged(query, east)
        for length in range(1, len(cursor)):
            with pytest.raises(CursorError):
                await query.page(cursor=cursor[:length])
    assert meter.statistics.requests == {}
    # Within the tenant's own partition a client may go where it likes.
    assert await query.after(cursor) == where(lambda p: p.depot == "east" and p.number > 16)


async def test_a_forged_index_cursor_stays_in_its_partition(depots: Database) -> None:
    """On an index the position holds the table's key as well: the index's partition is what may not change."""
    query = depots.query(Parcel).where(Parcel.carrier == "ups")
    key = {"depot": {"S": "east"}, "number": {"N": "-8"}}
    assert await query.after(forged(query, key | {"carrier": {"S": "ups"}})) == sorted(
        where(lambda p: p.carrier == "ups" and p.number > -8), key=lambda p: p.number
    )
    for foreign in (key | {"carrier": {"S": "dhl"}}, key):
        with pytest.raises(CursorError):
            await query.page(cursor=forged(query, foreign))


async def test_a_sealed_cursor_shows_nothing(depots: Database, endpoint: str, lane: Lane) -> None:
    """The key of an item that a filter dropped is in a readable cursor, and not to be seen in a sealed one."""
    scan = depots.scan(Parcel).where(Parcel.depot == "east").page_size(1)
    readable = [opened(page.cursor) async for page in scan.pages() if page.cursor]
    assert any(b"north" in cursor or b"south" in cursor for cursor in readable)
    async with connect(endpoint, lane, secrets=SECRETS) as db:
        scan = db.scan(Parcel).where(Parcel.depot == "east").page_size(1)
        sealed = [page.cursor async for page in scan.pages() if page.cursor]
    assert len(sealed) == len(readable)
    assert not any(depot.encode() in opened(cursor) for cursor in sealed for depot in DEPOTS)
    assert len(set(sealed)) == len(sealed)


@pytest.mark.usefixtures("depots")
async def test_secrets_are_rotated(endpoint: str, lane: Lane) -> None:
    """A new secret in front makes new cursors; old ones are good until their secret is taken away."""
    new, old = SECRETS
    rest = where(lambda p: p.depot == "east")[4:]
    async with (
        connect(endpoint, lane, secrets=[old]) as before,
        connect(endpoint, lane, secrets=[new, old]) as during,
        connect(endpoint, lane, secrets=[new]) as after,
    ):
        first, second = await cursor_of(tenant(before)), await cursor_of(tenant(during))
        assert await tenant(during).after(first) == rest
        assert await tenant(after).after(second) == rest
        for db, cursor in ((before, second), (after, first)):
            with pytest.raises(CursorError, match="secret that is no longer known"):
                await tenant(db).after(cursor)


async def test_secrets_and_none_do_not_mix(depots: Database, endpoint: str, lane: Lane) -> None:
    """With secrets a readable cursor is a forgery; without, a sealed one cannot be read."""
    async with connect(endpoint, lane, secrets=SECRETS) as db:
        with pytest.raises(CursorError, match="not a cursor"):
            await tenant(db).after(await cursor_of(tenant(depots)))
        with pytest.raises(CursorError, match="cursor secrets"):
            await tenant(depots).after(await cursor_of(tenant(db)))


@pytest.mark.parametrize("secrets", [(), SECRETS], ids=["readable", "sealed"])
@pytest.mark.usefixtures("depots")
async def test_cursors_expire(endpoint: str, lane: Lane, secrets: tuple[str, ...]) -> None:
    """A cursor is good for its lifetime, by the clock of the database that takes it."""
    made = datetime(2026, 1, 1, tzinfo=UTC)
    async with connect(endpoint, lane, secrets=secrets, lifetime=60, clock=lambda: made) as db:
        cursor = await cursor_of(tenant(db))
    for seconds, good in ((0, True), (59, True), (61, False)):
        now = made + timedelta(seconds=seconds)
        async with connect(endpoint, lane, secrets=secrets, clock=lambda now=now: now) as later:  # type: ignore[misc]  # mypy does not infer a lambda's default
            if good:
                assert len(await tenant(later).after(cursor)) == 6
            else:
                with pytest.raises(CursorError, match="expired"):
                    await tenant(later).after(cursor)


@pytest.mark.usefixtures("depots")
async def test_a_cursor_works_in_another_process_and_lane(endpoint: str, lane: Lane) -> None:
    """Cursors hold no state of the Database that made them."""
    other: Lane = "sdk" if lane == "direct" else "direct"
    async with connect(endpoint, lane, secrets=SECRETS) as one, connect(endpoint, other, secrets=SECRETS) as two:
        assert await tenant(two).after(await cursor_of(tenant(one))) == where(lambda p: p.depot == "east")[4:]
