"""Many tasks that write one item or a few in every way: nothing is lost, and markers agree with items."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

import pytest

from dynamorm_async import (
    BatchWriteFailed,
    ConditionFailed,
    Database,
    Key,
    NotUnique,
    TransactionCancelled,
    TransactionConflict,
    UsageError,
)
from tests.contract.combined_models import (
    Everything,
    clock,
    combined,
    emails_taken,
    whole_table,
)
from tests.contract.models import unique
from tests.engines import LANES

__all__ = ["clock", "combined"]  # fixtures

pytestmark = pytest.mark.anyio


def key(org: str, number: int = 1) -> Key[Everything]:
    return Key(Everything, org, number)


# moto's server runs its requests in threads and has no isolation: one write may fall into another there.
isolated = pytest.mark.parametrize(
    "target",
    [(engine, lane) for engine in ("dynoxide", "dynamodb-local") for lane in LANES],
    ids="-".join,
    indirect=True,
)

REFUSALS = (ConditionFailed, NotUnique, TransactionCancelled, TransactionConflict, BatchWriteFailed, UsageError)


class Chaos:
    """Random writes of a few items with a few values, of many tasks at once."""

    def __init__(self, db: Database, org: str, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - which write comes next
        self.db = db
        self.org = org
        self.mails = [f"{n}-{org}" for n in range(4)]

    @property
    def mail(self) -> str | None:
        return self.random.choice([*self.mails, None])

    @property
    def place(self) -> Key[Everything]:
        return key(self.org, self.random.randrange(3))

    @property
    def new(self) -> Everything:
        return Everything(org=self.org, number=self.random.randrange(3), email=self.mail, size=self.random.randrange(9))

    async def run(self) -> None:
        for _ in range(12):
            step = self.random.choice([self.one, self.changed, self.batch, self.transaction, self.modify])
            # Each is refused for a reason, or made whole: what the reasons are is for other tests.
            with contextlib.suppress(*REFUSALS):
                await step()

    async def one(self) -> None:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: self.db.create(self.new),
            lambda: self.db.delete(self.place),
            lambda: self.db.delete(self.place, hard=True),
            lambda: self.db.restore(self.place),
            lambda: self.db.update(self.place, Everything.email.set(self.mail), upsert=True),
            lambda: self.db.update(self.place, Everything.size.add(1)),
        ]
        await self.random.choice(calls)()

    async def changed(self) -> None:
        item = await self.db.get(self.place, hidden=True)
        if item is None:
            return
        item.email = self.mail
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: self.db.save(item),
            lambda: self.db.put(item),
            lambda: self.db.delete(item, hard=self.random.random() < 0.5),
        ]
        await self.random.choice(calls)()

    async def modify(self) -> None:
        def change(found: Everything) -> None:
            found.email = self.mail

        await self.db.modify(self.place, change, attempts=2)

    async def batch(self) -> None:
        async with self.db.batch_write() as batch:
            await batch.put(self.new)
            await batch.delete(self.place, hard=self.random.random() < 0.5)

    async def transaction(self) -> None:
        tx = self.db.transaction()
        tx.delete(self.place, hard=True).create(self.new)
        await tx


@isolated
async def test_one_instance_saved_twice_at_once(combined: Database, endpoint: str) -> None:
    """One is made and the other is told; the instance ends as what is known to be in the table."""
    org, mail = unique(), unique()
    item = await combined.create(Everything(org=org, number=1, email=unique()))
    item.email = mail
    results = await asyncio.gather(combined.save(item), combined.save(item), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Everything", "VersionConflict"]
    assert (item.revision, emails_taken(endpoint, org)) == (2, {mail: 1})
    assert await combined.save(item) == await combined.get(key(org), consistent=True)


@isolated
async def test_markers_and_items_agree_after_chaos(combined: Database, endpoint: str) -> None:
    """Of 16 tasks that do everything to 3 items: each email in use has one marker, its item's, and there is no other."""
    org = unique()
    await asyncio.gather(*(Chaos(combined, org, seed).run() for seed in range(16)))
    found = [item for item in whole_table(endpoint, "everything") if item["org"] == {"S": org}]
    assert emails_taken(endpoint, org) == {
        item["mail"]["S"]: int(item["number"]["N"]) for item in found if "mail" in item
    }
