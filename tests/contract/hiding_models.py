"""What the suites of hiding and of soft delete read and write: sessions that expire, and papers that are put in a bin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from dynamorm_async import (
    Attr,
    Database,
    OnDemand,
    attr,
    created_at,
    deleted_at,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import create_table
from tests.contract.models import connect
from tests.engines import Lane, call

PREFIX = "hiding-"
START = datetime(2026, 1, 1, tzinfo=UTC)
USER, KIND = "reader", "read"


@model(table="sessions", hide_expired=True)
class Session:
    """What expires, with an index of every kind: with the time as its key, without it, and with nothing else."""

    user: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="web")
    weight: Attr[int] = attr(default=1)
    expires: Attr[datetime | None] = ttl(default=None, name="ttl")

    by_expiry = index(sort="expires", local=True)
    by_kind = index(partition="kind", sort="number")
    expiries = index(partition="kind", sort="expires", projection="keys_only")
    with_times = index(partition="kind", sort="weight", projection=["expires"])
    without_times = index(partition="kind", sort="user", projection=["weight"])


@model(table="tokens", hide_expired=True)
class Token:
    """One whose time is a plain number, and always there."""

    token: Attr[str] = partition_key()
    expires: Attr[int] = ttl()


@model(table="papers")
class Paper:
    """One with everything that the library itself keeps, and an index of what was soft-deleted."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(default="untitled")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    bin = index(sort="deleted", local=True)
    by_title = index(partition="title", projection="keys_only")


@model(table="notes", hide_expired=True)
class Note:
    """One that can expire and be soft-deleted, without version and times."""

    note_id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="text")
    expires: Attr[int | None] = ttl(default=None)
    removed: Attr[datetime | None] = deleted_at(name="gone")


class Clock:
    """A time that moves when the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def hidden(endpoint: str, lane: Lane, prepared: set[str], clock: Clock) -> AsyncIterator[Database]:
    """An open database with the tables of these models, whose time the test moves; each test uses keys of its own."""
    async with connect(endpoint, lane, clock=clock, prefix=PREFIX) as db:
        if (mark := f"{endpoint} {PREFIX}") not in prepared:
            _create_tables(endpoint)
            prepared.add(mark)
        yield db


def _create_tables(endpoint: str) -> None:
    """Make the tables without time to live: an engine that deletes in time has nothing for reads to hide."""
    for cls in (Session, Token, Paper, Note):
        table = spec_of(cls).table
        status, answer = call(endpoint, "CreateTable", create_table(table, PREFIX + table.name, OnDemand()))
        assert status == 200, answer


def reading_sessions() -> list[Session]:
    """Nine sessions: three gone, one of them at this very second; three that last; three that have an hour left."""
    times = (START - timedelta(days=2), None, START + timedelta(hours=1))
    rows = [Session(user=USER, number=n, kind=KIND, weight=10 * n, expires=times[(n - 1) % 3]) for n in range(1, 10)]
    rows[6].expires = START
    return rows


@pytest.fixture
async def sessions(hidden: Database, endpoint: str, prepared: set[str]) -> Database:
    """The same database, with the nine sessions. Nothing writes to them."""
    if (mark := f"{endpoint} {PREFIX} sessions") not in prepared:
        await asyncio.gather(*(hidden.put(row) for row in reading_sessions()))
        prepared.add(mark)
    return hidden
