"""``db.tables``: create, ensure, describe and delete tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import anyio

from dynamorm_async.database.connection import Connection
from dynamorm_async.errors import (
    BadResponse,
    CallError,
    OutcomeUnknown,
    TableInUse,
    TableMismatch,
    TableNotFound,
    TableTimeout,
    UsageError,
    ValidationFailed,
)
from dynamorm_async.model.settings import Billing
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.plan.tables import (
    TableDescription,
    create_table,
    differences,
    parse_description,
)

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_WAIT = 300.0
_CREATIONS = 3
"""How often a table is created whose creation got no whole answer."""


@final
class Tables:
    """The tables of a database. Every method takes model classes or :class:`Table` objects.

    A model with ``unique()`` constraints has a second table, of the values that are taken; ``create``, ``ensure`` and
    ``delete`` of the model include it.

    All calls go through the aiobotocore client. Waiting never blocks the event loop.
    """

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix

    def name(self, target: type | Table) -> str:
        """The full name of a table, with the prefix of ``Database(table_prefix=...)``. Costs no request."""
        return self._table(target)[1]

    async def create(
        self, target: type | Table, *, billing: Billing | None = None, timeout: float = _WAIT
    ) -> TableDescription:
        """Create a table with its indexes and time to live, and wait until it is active.

        Args:
            target: a model class or a table.
            billing: ``OnDemand()`` or ``Provisioned(read=…, write=…)``; left out, as the table's settings say, else on demand.
            timeout: seconds to wait until it is active.

        Raises:
            TableInUse: there is such a table already.
            TableTimeout: it was created, but is not active in time.
            CallError: a request failed.

        Costs CreateTable, DescribeTable until active, and UpdateTimeToLive where the table has a ttl attribute.
        """
        (table, name), *others = self._all(target)
        description = await self._create(table, name, billing, timeout)
        for other, its_name in others:
            await self._ensure(its_name, other, billing, timeout)
        return description

    async def ensure(self, *targets: type | Table, billing: Billing | None = None, timeout: float = _WAIT) -> None:
        """Create each table that is not there yet, wait until it is active, and enable its time to live.

        A table that is there is checked against the declaration and never changed, except that time to live is
        enabled; ``schema.plan`` and ``schema.apply`` change tables. Several processes may do this at the same time.

        Args:
            targets: model classes or tables; models that share a table count once.
            billing: for tables that are created; left out, as the table's settings say, else on demand.
            timeout: seconds to wait for each table.

        Raises:
            TableMismatch: a table that is there has other keys, or lacks an index; all differences are listed.
            TableTimeout: a table is not active in time.
            CallError: a request failed.

        Costs, for each table, DescribeTable, DescribeTimeToLive where there is a ttl attribute, and what
        :meth:`create` costs where there was none.
        """
        tables = {name: table for target in targets for table, name in self._all(target)}
        if not tables:
            raise UsageError("tables.ensure() without tables: pass models, such as tables.ensure(User)")
        for name, table in tables.items():
            await self._ensure(name, table, billing, timeout)

    async def describe(self, target: type | Table) -> TableDescription:
        """What DynamoDB says of a table.

        Raises:
            TableNotFound: there is no such table.
            CallError: the request failed.

        Costs one DescribeTable.
        """
        _, name = self._table(target)
        return await self._describe(name)

    async def exists(self, target: type | Table) -> bool:
        """Whether there is such a table, in whatever state. Costs one DescribeTable."""
        _, name = self._table(target)
        return await self._find(name) is not None

    async def delete(self, target: type | Table, *, missing_ok: bool = False, timeout: float = _WAIT) -> None:
        """Delete a table with all its items, and wait until it is gone.

        Args:
            target: a model class or a table.
            missing_ok: no error where there is no such table.
            timeout: seconds to wait until it is gone.

        Raises:
            TableNotFound: there is no such table.
            TableInUse: it is being created or changed.
            TableTimeout: it is not gone in time.
            CallError: a request failed.

        Costs DeleteTable, and DescribeTable until it is gone.
        """
        (_, name), *others = self._all(target)
        await self._delete(name, timeout, missing_ok=missing_ok)
        for _, its_name in others:
            await self._delete(its_name, timeout, missing_ok=True)

    # --- inside ------------------------------------------------------------------------------

    async def _create(self, table: Table, name: str, billing: Billing | None, timeout: float) -> TableDescription:
        await self._connection.call("CreateTable", create_table(table, name, billing), table=name)
        description = await self._wait(name, lambda found: found is not None and found.is_ready, "active", timeout)
        assert description is not None, "it is active"  # noqa: S101 - what was just waited for
        await self._ensure_ttl(table, name)
        return description

    async def _delete(self, name: str, timeout: float, *, missing_ok: bool) -> None:
        try:
            await self._connection.call("DeleteTable", {"TableName": name}, table=name)
        except TableNotFound:
            if not missing_ok:
                raise
            return
        await self._wait(name, lambda found: found is None, "gone", timeout)

    async def _ensure(self, name: str, table: Table, billing: Billing | None, timeout: float) -> None:
        found = await self._find(name)
        if found is None:
            await self._create_or_find(table, name, billing)
        if found is None or not found.is_ready:
            found = await self._wait(name, lambda found: found is not None and found.is_ready, "active", timeout)
        assert found is not None, "it is active"  # noqa: S101 - what was just waited for
        unlike = differences(table, found)
        if unlike:
            raise TableMismatch(name, unlike)
        await self._ensure_ttl(table, name)

    async def _create_or_find(self, table: Table, name: str, billing: Billing | None) -> None:
        params = create_table(table, name, billing)
        for left in reversed(range(_CREATIONS)):
            try:
                await self._connection.call("CreateTable", params, table=name)
            except TableInUse:
                # Another process was faster, or this one was, without an answer; it is checked like any table that was there.
                await anyio.lowlevel.checkpoint()
            except OutcomeUnknown:
                if not left:
                    raise
                # Whether it was created shows when it is created again.
                continue
            return

    async def _ensure_ttl(self, table: Table, name: str) -> None:
        if table.ttl is None or await self._has_ttl(name, table.ttl):
            return
        specification = {"Enabled": True, "AttributeName": table.ttl}
        params = {"TableName": name, "TimeToLiveSpecification": specification}
        try:
            await self._connection.call("UpdateTimeToLive", params, table=name)
        except ValidationFailed:
            # DynamoDB refuses to enable it twice: another process may have been faster.
            if not await self._has_ttl(name, table.ttl):
                raise

    async def _has_ttl(self, name: str, attribute: str) -> bool:
        answer = await self._connection.call("DescribeTimeToLive", {"TableName": name}, table=name)
        state: dict[str, Any] = answer.get("TimeToLiveDescription") or {}
        if state.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
            return False
        if state.get("AttributeName") != attribute:
            raise TableMismatch(name, [f"its time to live is {state.get('AttributeName')}, declared is {attribute}"])
        return True

    async def _wait(
        self,
        name: str,
        done: Callable[[TableDescription | None], bool],
        wanted: str,
        timeout: float,
    ) -> TableDescription | None:
        pause = _FIRST_PAUSE
        status = "not known"
        with anyio.move_on_after(timeout):
            while True:
                try:
                    found = await self._find(name)
                except CallError as error:
                    # What was asked for was accepted: a look that failed for a moment says nothing of it.
                    if not error.retryable:
                        raise
                else:
                    if done(found):
                        return found
                    status = "missing" if found is None else found.status
                await anyio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        raise TableTimeout(
            f"table {name} is not {wanted} after {timeout:g} seconds; its status is {status}. "
            "The request was accepted: wait longer with timeout=..., or look again later",
            table=name,
            status=status,
        )

    async def _find(self, name: str) -> TableDescription | None:
        try:
            return await self._describe(name)
        except TableNotFound:
            return None

    async def _describe(self, name: str) -> TableDescription:
        answer = await self._connection.call("DescribeTable", {"TableName": name}, table=name)
        try:
            return parse_description(answer["Table"])
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:  # what is no description fails anywhere in it
            raise BadResponse(
                f"the answer is no description of a table ({type(error).__name__}); is the endpoint DynamoDB?",
                operation="DescribeTable",
                table=name,
                sent=True,
            ) from error

    def _all(self, target: type | Table) -> list[tuple[Table, str]]:
        """A model's table, and that of the markers of its unique values."""
        own = self._table(target)
        markers = None if isinstance(target, Table) else spec_of(target).marker_table
        return [own] if markers is None else [own, (markers, self._prefix + markers.name)]

    def _table(self, target: type | Table) -> tuple[Table, str]:
        table = target if isinstance(target, Table) else spec_of(target).table
        return table, self._prefix + table.name
