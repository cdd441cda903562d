"""Many writers at once, on the engines that judge transactions as DynamoDB does: nothing is lost, made up or shared.

DynamoDB cancels a transaction that meets another one on the same item. What a caller sees then is TransactionCancelled
with TransactionConflict for the operations that met; nothing of it was written, so it can be made again.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import anyio
import pytest

from dynamorm_async import (
    Database,
    Key,
    NotUnique,
    ServiceError,
    TransactionCancelled,
    TransactionConflict,
)
from tests.contract.models import unique
from tests.contract.writing_models import Member, Purse, members, values_of

__all__ = ["members"]  # a fixture

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize(
        "target", [("dynoxide", "direct"), ("dynamodb-local", "direct")], ids="-".join, indirect=True
    ),
]

AT_ONCE = 20


async def together(calls: list[Callable[[], Awaitable[None]]]) -> None:
    """Run all, some at a time."""
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(call: Callable[[], Awaitable[None]]) -> None:
        async with limiter:
            await call()

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(one, call)


def is_conflict(error: ServiceError) -> bool:
    """Whether the operation merely met another transaction."""
    return isinstance(error, TransactionConflict)


async def test_money_is_neither_made_nor_lost(members: Database) -> None:
    """200 transfers between 4 purses: each is made whole or not at all; what was not made met another, and says so."""
    start, names = 1000, [unique() for _ in range(4)]
    for name in names:
        await members.create(Purse(purse_id=name, balance=start))
    expected = dict.fromkeys(names, start)
    refused: list[TransactionCancelled] = []
    order = random.Random(7)  # noqa: S311 - the same run each time

    async def transfer(giver: str, taker: str, amount: int) -> None:
        try:
            async with members.transaction() as tx:
                tx.update(Key(Purse, giver), Purse.balance.add(-amount), where=Purse.balance >= amount)
                tx.update(Key(Purse, taker), Purse.balance.add(amount))
        except TransactionCancelled as error:
            refused.append(error)
            return
        expected[giver] -= amount
        expected[taker] += amount

    def one() -> Callable[[], Awaitable[None]]:
        giver, taker = order.sample(names, 2)
        amount = order.randint(1, 5)
        return lambda: transfer(giver, taker, amount)

    await together([one() for _ in range(200)])
    found = {name: await members.get(Purse, name, consistent=True) for name in names}
    balances = {name: purse.balance for name, purse in found.items() if purse is not None}
    assert balances == expected
    assert sum(balances.values()) == start * 4
    assert len(refused) < 200
    for error in refused:
        assert error.failures
        assert all(is_conflict(failure.error) for failure in error.failures), error


async def test_one_of_a_hundred_gets_the_value(members: Database, endpoint: str) -> None:
    """100 creations of one value at the same time: one is made, all others are told, and the marker is the winner's."""
    club, mail = unique(), unique()
    made: list[int] = []

    async def create(number: int) -> None:
        while True:
            try:
                await members.create(Member(club=club, number=number, email=mail, badge=None))
            except NotUnique:
                return
            except TransactionConflict:
                continue  # it met another one, and neither may have been made
            made.append(number)
            return

    await together([lambda number=number: create(number) for number in range(100)])  # type: ignore[misc]  # each its own number
    assert len(made) == 1
    assert values_of(endpoint, club) == {mail: made[0]}
    found = await members.query(Member).where(Member.club == club).consistent()
    assert [member.number for member in found] == made


KINDS = ("put", "update", "remove", "delete", "move", "save", "delete of an instance")


async def write_somehow(db: Database, kind: str, key: Key[Member], member: Member, other: Member) -> None:
    """One of the ways to write a unique value.

    Args:
        db: the database.
        kind: one of ``KINDS``.
        key: the item.
        member: what it is to become.
        other: what another item is to become, where the value moves there.
    """
    if kind == "put":
        await db.put(member)
    elif kind == "update":
        await db.update(key, Member.email.set(member.email), upsert=True, returns="none")
    elif kind == "remove":
        await db.update(key, Member.email.remove(), returns="none")
    elif kind == "delete":
        await db.delete(key)
    elif kind == "move":
        await db.transaction().delete(key).put(other)
    elif (there := await db.get(key)) is not None:
        there.email = member.email
        await (db.save(there) if kind == "save" else db.delete(there))


async def test_markers_and_items_agree(members: Database, endpoint: str) -> None:
    """Writes of 4 items with 6 values, at random: afterwards each value in use has one marker, its item's, and no other is."""
    club, order = unique(), random.Random(11)  # noqa: S311 - the same run each time
    mails = [f"{club}-{n}" for n in range(6)]
    outcomes: list[str] = []

    async def write(kind: str, numbers: list[int], mail: str) -> None:
        one, other = (Member(club=club, number=number, email=mail, badge=None) for number in numbers)
        try:
            await write_somehow(members, kind, Key(Member, club, one.number), one, other)
        except TransactionCancelled as error:
            outcomes.extend(type(failure.error).__name__ for failure in error.failures)
        except ServiceError as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("made")

    def one() -> Callable[[], Awaitable[None]]:
        kind, numbers, mail = order.choice(KINDS), order.sample(range(4), 2), order.choice(mails)
        return lambda: write(kind, numbers, mail)

    await together([one() for _ in range(150)])
    found = await members.query(Member).where(Member.club == club).consistent()
    emails = [member.email for member in found if member.email is not None]
    assert len(set(emails)) == len(emails)
    assert values_of(endpoint, club) == {member.email: member.number for member in found if member.email is not None}
    assert {"made", "NotUnique"} <= set(outcomes)
    assert set(outcomes) <= {"made", "NotUnique", "ItemNotFound", "TransactionConflict"}
