"""The small table in which leases, the ledger of migrations and the checkpoints of backfills are kept."""

from __future__ import annotations

from typing import Final, final

from dynamorm_async import Database, Table
from dynamorm_async.leases.record import PARTITION_KEY, SORT_KEY, TABLE, LeaseRecord, in_table
from dynamorm_async.leases.timing import Timing

_TIMING: Final = Timing()


@final
class Bookkeeping:
    """Where leases are kept. One table serves all of an application's; its keys are ``pk`` and ``sk``, both text.

    Args:
        db: the database that the table is in.
        table: its name, without the database's prefix.
        timing: the clocks that leases go by; tests drive their own.

    Raises:
        ModelError: DynamoDB refuses the name.
    """

    def __init__(self, db: Database, *, table: str = TABLE, timing: Timing = _TIMING) -> None:
        self.db = db
        self.timing = timing
        self.table = Table(table, partition_key=PARTITION_KEY, sort_key=SORT_KEY)
        self.record: type[LeaseRecord] = in_table(LeaseRecord, table)

    @property
    def table_name(self) -> str:
        """The full name of the table, with the database's prefix."""
        return self.db.tables.name(self.table)

    async def ensure(self) -> None:
        """Create the table where it is not there yet, and wait until it is active. Several processes may do so at once.

        Raises:
            TableMismatch: there is a table of that name with other keys.
            TableTimeout: it is not active in time.
            CallError: a request failed.

        Costs one DescribeTable, and what :meth:`Tables.create` costs where there was no table.
        """
        await self.db.tables.ensure(self.table)

    def __repr__(self) -> str:
        return f"<Bookkeeping in {self.table_name}>"
