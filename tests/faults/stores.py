"""What the clients of histories work on: models, and the few calls that raw aiobotocore can make as well."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Literal, Protocol, TypeAlias
from unittest.mock import patch

from dynamorm_async import (
    Attr,
    CallError,
    CredentialProvider,
    Database,
    ItemExists,
    Key,
    OutcomeUnknown,
    Timeouts,
    attr,
    created_at,
    model,
    partition_key,
    unique,
    updated_at,
    version,
)
from dynamorm_async.database import connection
from dynamorm_async.transport.sender import Sender
from tests.engines import Lane
from tests.faults.history import Outcome

PREFIX = "histories-"
SHARE = 0.02  # of each pause between attempts that is really waited
IMPATIENT = Timeouts(call=20.0, connect=2.0, read=0.3, pool=10.0)
"""Bounds for attempts that are never answered; a call still has time for all of its attempts."""
PATIENT = Timeouts(call=300.0, connect=60.0, read=60.0, pool=60.0)
"""Bounds for what is prepared and looked at without faults, however busy the machine is."""

Creation: TypeAlias = Literal["done", "failed", "unknown", "taken"]


@model(table="registers")
class Register:
    """A value under a version."""

    register_id: Attr[str] = partition_key()
    value: Attr[str] = attr(default="")
    revision: Attr[int] = version()
    written: Attr[datetime] = updated_at()


@model(table="notes")
class Note:
    """A value that nothing guards."""

    note_id: Attr[str] = partition_key()
    value: Attr[str] = attr(default="")


@model(table="counters")
class Counter:
    """A number that is only added to."""

    counter_id: Attr[str] = partition_key()
    number: Attr[int] = attr(default=0)


@model(table="purses")
class Purse:
    """Money that moves."""

    purse_id: Attr[str] = partition_key()
    balance: Attr[int] = attr(default=0)


@model(table="tickets")
class Ticket:
    """What the first to create it owns."""

    ticket_id: Attr[str] = partition_key()
    owner: Attr[str] = attr()
    revision: Attr[int] = version()
    made: Attr[datetime] = created_at()


@model(table="members")
class Member:
    """Somebody with a unique name."""

    member_id: Attr[str] = partition_key()
    name: Attr[str] = attr()

    one_name = unique("name")


MODELS = (Register, Note, Counter, Purse, Ticket, Member)


class Store(Protocol):
    """What both our database and raw aiobotocore can do, each answer as its client is told."""

    async def add(self, name: str, amount: int, *, exactly_once: bool) -> tuple[Outcome, int | None]:
        """Add to a counter; the new value where the answer has it."""
        ...

    async def count(self, name: str) -> int | None:
        """Read a counter consistently; ``None`` without an answer."""
        ...

    async def claim(self, name: str, owner: str, *, exactly_once: bool) -> Creation:
        """Create a ticket."""
        ...

    async def owner(self, name: str) -> tuple[str | None] | None:
        """Read a ticket's owner consistently; ``None`` without an answer."""
        ...


class OurStore:
    """The store through this library."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def add(self, name: str, amount: int, *, exactly_once: bool) -> tuple[Outcome, int | None]:
        try:
            if exactly_once:
                await self.db.update(Key(Counter, name), Counter.number.add(amount), returns="none", exactly_once=True)
                return "done", None
            counter = await self.db.update(Key(Counter, name), Counter.number.add(amount))
        except CallError as error:
            return outcome_of(error), None
        return "done", counter.number

    async def count(self, name: str) -> int | None:
        try:
            counter = await self.db.get(Counter, name, consistent=True)
        except CallError:
            return None
        assert counter is not None
        return counter.number

    async def claim(self, name: str, owner: str, *, exactly_once: bool) -> Creation:
        try:
            await self.db.create(Ticket(ticket_id=name, owner=owner), exactly_once=exactly_once)
        except ItemExists:
            return "taken"
        except CallError as error:
            return outcome_of(error)
        return "done"

    async def owner(self, name: str) -> tuple[str | None] | None:
        try:
            ticket = await self.db.get(Ticket, name, consistent=True)
        except CallError:
            return None
        return (None if ticket is None else ticket.owner,)


def outcome_of(error: CallError) -> Outcome:
    """What an error says of a write: every one but ``OutcomeUnknown`` promises that it was not applied."""
    return "unknown" if isinstance(error, OutcomeUnknown) else "failed"


@contextmanager
def short_pauses() -> Generator[None]:
    """Databases that are opened within wait only a share of each pause between attempts."""

    async def nap(seconds: float) -> None:
        await asyncio.sleep(seconds * SHARE)

    with patch.object(connection, "Sender", partial(Sender, sleep=nap)):
        yield


def connect(
    endpoint: str, lane: Lane, *, timeouts: Timeouts | None = None, credentials: CredentialProvider | None = None
) -> Database:
    """A database with the tables of histories."""
    return Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=credentials or ("test", "test"),
        lane=lane,
        table_prefix=PREFIX,
        timeouts=timeouts,
        pool_size=100,
    )
