"""Money from one account to another: all or nothing, and once, however often the request comes.

Accounts have a version and an email address that is unique. A transfer is a transaction with the token and the time of the
client's request, so that a repeated request moves nothing twice. Statements are imported in batches, and read back in one
call. Run it with `python examples/payments.py`; it starts the embedded engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from dynamorm_async import (
    Attr,
    BatchProgress,
    ConditionFailed,
    Database,
    IdempotentParameterMismatch,
    ItemExists,
    Key,
    NotUnique,
    TransactionCancelled,
    attr,
    created_at,
    model,
    partition_key,
    sort_key,
    unique,
    version,
)
from dynamorm_async.testing import MotoServer


@model(table="accounts")
class Account:
    account_id: Attr[str] = partition_key()
    email: Attr[str] = attr()
    balance: Attr[Decimal] = attr(default=Decimal(0))
    opened: Attr[datetime] = created_at()
    revision: Attr[int] = version()

    one_email = unique("email")


@model(table="transfers")
class Transfer:
    source: Attr[str] = partition_key()
    transfer_id: Attr[str] = sort_key()
    target: Attr[str] = attr()
    amount: Attr[Decimal] = attr()
    made: Attr[datetime] = created_at()


ANOTHER = "this request was made before, and asked for something else"


class Refused(Exception):
    """A transfer that was not made; the message is for the client."""


class Bank:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, account_id: str, email: str, balance: int) -> Account:
        return await self._db.create(Account(account_id=account_id, email=email, balance=Decimal(balance)))

    async def transfer(self, request_id: str, at: datetime, *, source: str, target: str, amount: Decimal) -> None:
        """Move money. The same request may come again: DynamoDB knows its token for ten minutes; after that (and on the
        embedded engine, which knows no tokens) the transfer is found by its key.
        """
        try:
            async with self._db.transaction(token=request_id, at=at) as tx:
                tx.create(Transfer(source=source, transfer_id=request_id, target=target, amount=amount))
                tx.update(Key(Account, source), Account.balance.add(-amount), where=Account.balance >= amount)
                tx.update(Key(Account, target), Account.balance.add(amount))
        except IdempotentParameterMismatch:
            raise Refused(ANOTHER) from None
        except TransactionCancelled as cancelled:
            if cancelled.retryable:  # contention, or too much at once: worth another try
                raise
            errors = [failure.error for failure in cancelled.failures]
            for error in errors:
                if isinstance(error, ItemExists) and (error.item.target, error.item.amount) == (target, amount):
                    return
            raise Refused("; ".join(map(reason, errors))) from cancelled

    async def balances(self, *account_ids: str) -> dict[str, Decimal]:
        """What is on the accounts; those that do not exist are left out."""
        accounts = await self._db.batch_get(*(Key(Account, name) for name in account_ids), consistent=True)
        return {account.account_id: account.balance for account in accounts if account is not None}


def reason(error: Exception) -> str:
    match error:
        case ItemExists():
            return ANOTHER
        case ConditionFailed(item=Account(account_id=name, balance=balance)):
            return f"account {name} has {balance}"
        case ConditionFailed():
            return "there is no such account"
        case _:
            return str(error)


async def main() -> None:
    with MotoServer() as server:
        async with Database(region="eu-west-1", endpoint=server.endpoint, credentials=("local", "local")) as db:
            await db.tables.ensure(Account, Transfer)
            bank = Bank(db)
            await accounts(bank)
            await transfers(bank)
            await statement(db)


async def accounts(bank: Bank) -> None:
    ada = await bank.open("ada", "ada@example.com", 100)
    await bank.open("bob", "bob@example.com", 20)
    print(f"opened    {ada.account_id}, version {ada.revision}")
    try:
        await bank.open("eve", "bob@example.com", 0)
    except NotUnique as error:
        print(f"refused   {' and '.join(error.attributes)} taken by {error.owner!r}")


async def transfers(bank: Bank) -> None:
    request_id, at = uuid4().hex, datetime.now(UTC)
    for attempt in ("moved", "again"):  # the client's network broke, so it asked twice
        await bank.transfer(request_id, at, source="ada", target="bob", amount=Decimal("30.50"))
        print(f"{attempt:9} {show(await bank.balances('ada', 'bob'))}")
    wrong: list[tuple[str, dict[str, Any]]] = [
        (request_id, {"source": "ada", "target": "bob", "amount": Decimal(9)}),
        (uuid4().hex, {"source": "bob", "target": "ada", "amount": Decimal(1000)}),
        (uuid4().hex, {"source": "ada", "target": "nobody", "amount": Decimal(1)}),
    ]
    for token, asked in wrong:
        try:
            await bank.transfer(token, at, **asked)
        except Refused as refused:
            print(f"refused   {refused}")
    together = [
        bank.transfer(uuid4().hex, datetime.now(UTC), source="ada", target="bob", amount=Decimal(1)) for _ in range(10)
    ]
    await asyncio.gather(*together)
    print(f"together  {show(await bank.balances('ada', 'bob', 'nobody'))}")


async def statement(db: Database) -> None:
    """Old transfers come from a file, many at a time; the report reads some of them by their keys."""

    def rows() -> Iterator[Transfer]:
        for year in range(2000, 2026):
            for month in range(1, 13):
                made = datetime(year, month, 1, tzinfo=UTC)
                yield Transfer(
                    source="bob", transfer_id=f"{year}-{month:02}", target="rent", amount=Decimal(year), made=made
                )

    shown = 0

    async def progress(now: BatchProgress) -> None:
        nonlocal shown
        if now.written >= shown + 100:
            shown = now.written - now.written % 100
            print(f"import    {shown} written")

    report = await db.put_many(rows(), on_progress=progress)
    print(f"imported  {report.written}")
    keys = [Key(Transfer, "bob", f"{year}-12") for year in (1999, 2001, 2025)]
    for key, amount in zip(keys, await db.batch_get(*keys).select(Transfer.amount), strict=True):
        print(f"report    {key.values[1]}: {'nothing' if amount is None else amount[0]}")
    total = await db.query(Transfer).where(Transfer.source == "bob").sum(Transfer.amount)
    print(f"total     {total}")


def show(balances: dict[str, Decimal]) -> str:
    return ", ".join(f"{name} {balance}" for name, balance in balances.items())


if __name__ == "__main__":
    asyncio.run(main())
