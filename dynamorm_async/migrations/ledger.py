"""The ledger: which migrations were applied. Only who holds its lease can write it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, final

from dynamorm_async import Database, Key, LeaseLost, TableNotFound, Transaction, TransactionCancelled, UsageError
from dynamorm_async.leases import Bookkeeping, Lease
from dynamorm_async.leases.record import in_table
from dynamorm_async.leases.record import partition_of as lease_partition_of
from dynamorm_async.migrations.files import MigrationFile
from dynamorm_async.migrations.record import Direction, LedgerRecord, partition_of, sort_of

LONGEST_LEDGER: Final = 60


@final
class Ledger:
    """The records of one set of migrations in the bookkeeping table.

    Args:
        bookkeeping: where they are kept.
        name: the ledger's name.

    Raises:
        UsageError: the name is empty or too long.
    """

    def __init__(self, bookkeeping: Bookkeeping, name: str) -> None:
        if not 0 < len(name) <= LONGEST_LEDGER:
            raise UsageError(f"ledger={name!r}: the name of a ledger has 1 to {LONGEST_LEDGER} characters")
        self.bookkeeping = bookkeeping
        self.name = name
        self.model: type[LedgerRecord] = in_table(LedgerRecord, bookkeeping.table.name)

    @property
    def lease_name(self) -> str:
        """The name of the lease that whoever writes the ledger holds."""
        return f"migrations/{self.name}"

    async def read(self) -> dict[int, LedgerRecord]:
        """The records by their numbers, as they are now; none where there is no table yet. Costs a Query, consistent."""
        query = self.bookkeeping.db.query(self.model).where(self.model.pk == partition_of(self.name)).consistent()
        try:
            return {record.number: record for record in await query}
        except TableNotFound:
            return {}

    async def find(self, number: int) -> LedgerRecord | None:
        """A record as it is now. Costs a GetItem, consistent."""
        key = Key(self.model, partition_of(self.name), sort_of(number))
        return await self.bookkeeping.db.get(key, consistent=True)

    def record(self, file: MigrationFile, *, token: int, at: datetime, direction: Direction = "up") -> LedgerRecord:
        """A record of a migration that is begun, not written."""
        return self.model(
            pk=partition_of(self.name),
            sk=sort_of(file.number),
            name=file.name,
            checksum=file.checksum,
            state="running",
            direction=direction,
            run=token,
            token=token,
            started=at,
        )


@final
class LedgerWriter:
    """Writes the ledger under a lease. Each write is a transaction that insists on the lease's owner and token.

    So a process that has lost the lease writes nothing any more, also where it has not noticed: not even a migration that
    the new holder has not come to.

    Args:
        ledger: which ledger.
        lease: held by this process.
    """

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self.ledger = ledger
        self.lease = lease
        self._db: Database = ledger.bookkeeping.db

    async def put(self, record: LedgerRecord, fill: Callable[[Transaction], object] | None = None) -> None:
        """Write a record as it was changed, and what else a caller adds to the transaction.

        Raises:
            LeaseLost: somebody else has the lease; nothing was written.
            CallError: the request failed.

        Costs a TransactWriteItems of two actions, and those of the caller.
        """
        record.token = self.lease.token
        record.by = self.lease.owner
        await self._write(lambda tx: tx.put(record), fill)

    async def delete(self, record: LedgerRecord) -> None:
        """Forget a migration: it is not applied any more.

        Raises:
            LeaseLost: somebody else has the lease; nothing was written.
            CallError: the request failed.

        Costs a TransactWriteItems of two actions.
        """
        await self._write(lambda tx: tx.delete(record), None)

    async def _write(
        self, change: Callable[[Transaction], object], fill: Callable[[Transaction], object] | None
    ) -> None:
        self.lease.check()
        leases = self.ledger.bookkeeping.record
        key = Key(leases, lease_partition_of(self.lease.name), "lease")
        try:
            async with self._db.transaction() as tx:
                change(tx)
                tx.check(key, leases.owner == self.lease.owner, leases.token == self.lease.token)
                if fill is not None:
                    fill(tx)
        except TransactionCancelled as error:
            if any(failure.index == 1 for failure in error.failures):
                token, name = self.lease.token, self.lease.name
                raise LeaseLost(
                    f"lease {name!r} with token {token} is lost: somebody else has it, so nothing was written to the ledger",
                    name=name,
                    token=token,
                ) from error
            raise
