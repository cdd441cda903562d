"""Writing the items of an import: many at once over whatever is there, or each only where nothing is there."""

from __future__ import annotations

import random as random_module
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias, final

import anyio
import msgspec

from dynamorm_async import Database
from dynamorm_async.errors import (
    BadResponse,
    ItemCollectionTooLarge,
    NotUnique,
    Throttled,
    TransactionConflict,
    TransientConflict,
    ValidationFailed,
)
from dynamorm_async.plan.batch_write import MAX_BYTES, MAX_OPERATIONS, batch_write
from dynamorm_async.transfer.creating import create
from dynamorm_async.transfer.decoding import Row
from dynamorm_async.transfer.scope import Scope
from dynamorm_async.types import Request, Response

Mode: TypeAlias = Literal["overwrite", "new"]
"""``overwrite``: an item of a line takes the place of one that is there. ``new``: one that is there stays."""

_ROUNDS: Final = 8  # answers in a row that process nothing, before it is given up
_FIRST_PAUSE: Final = 0.05  # seconds; each round's longest pause is twice that of the one before
_LONGEST_PAUSE: Final = 5.0

# These are about one item: the others go on. Everything else that fails would fail for them as well.
_OF_ONE_ITEM = (ItemCollectionTooLarge, NotUnique, TransactionConflict, TransientConflict, ValidationFailed)


class Outcome:
    """What became of some rows.

    Attributes:
        written: how many DynamoDB has confirmed.
        existing: how many were left out, because their keys are taken.
        replaced: how many were not sent, because another line has the same key.
        failed: those that DynamoDB refused, with its errors.
        unsettled: the lines of those that are not known to be written, where a request failed.
        cause: why; ``None`` where all are settled.
    """

    def __init__(self) -> None:
        self.written = 0
        self.existing = 0
        self.replaced = 0
        self.failed: list[tuple[Row, Exception]] = []
        self.others: dict[Any, list[Row]] = {}  # rows with the key of one that is sent, those to be sent next last
        self.unsettled: set[int] = set()
        self.cause: Exception | None = None


@final
class Writer:
    """Writes rows of one table.

    Args:
        db: sends the requests.
        scope: the table.
        mode: what becomes of items that are there.
        concurrency: requests under way at the same time.
        sleep: waits for a number of seconds.
        random: a number from 0 up to 1, each time another.
    """

    def __init__(
        self,
        db: Database,
        scope: Scope,
        mode: Mode,
        *,
        concurrency: int,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._db = db
        self._scope = scope
        self._table = scope.name
        self._identities = scope.identities
        self._mode: Mode = mode
        self._concurrency = concurrency
        self._sleep = sleep
        self._random = random

    async def write(self, rows: Sequence[Row]) -> Outcome:
        """Write some rows; where a request fails, those under way are waited for, and nothing else is sent.

        Of rows with one key, the last is written, or with ``new`` the first.

        Costs one BatchWriteItem for each 25 rows, and for what was left unprocessed; with ``new`` one PutItem for each row, or
        one TransactWriteItems where its model has unique values.
        """
        outcome = Outcome()
        units = deque(self._units(self._distinct(rows, outcome)))
        outcome.unsettled = {row.line for unit in units for row in unit}

        async def work() -> None:
            while units and outcome.cause is None:
                unit = units.popleft()
                try:
                    await self._send(unit, outcome)
                except Exception as error:  # noqa: BLE001 - whatever it is, it stops the import and is its cause
                    outcome.cause = error

        async with anyio.create_task_group() as tasks:
            for _ in range(min(self._concurrency, len(units))):
                tasks.start_soon(work)
        return outcome

    def _distinct(self, rows: Sequence[Row], outcome: Outcome) -> Iterable[Row]:
        """One row for each key: DynamoDB refuses a key twice in a request, and requests have no order."""
        found: dict[Any, Row] = {}
        # In either mode the first of these is sent; should DynamoDB refuse it, the one that is left stands.
        for row in rows if self._mode == "new" else reversed(rows):
            if row.place not in found:
                found[row.place] = row
            else:
                outcome.others.setdefault(row.place, []).insert(0, row)
                self._leave_out(outcome, 1)
        return found.values() if self._mode == "new" else reversed(found.values())

    def _leave_out(self, outcome: Outcome, number: int) -> None:
        """Count rows that are not sent, because another one with their key is."""
        if self._mode == "new":
            outcome.existing += number
        else:
            outcome.replaced += number

    def _units(self, rows: Iterable[Row]) -> Iterable[list[Row]]:
        """What goes into one request each."""
        if self._mode == "new":
            yield from ([row] for row in rows)
            return
        unit: list[Row] = []
        size = 0
        for row in rows:
            if unit and (len(unit) == MAX_OPERATIONS or size + row.size > MAX_BYTES):
                yield unit
                unit, size = [], 0
            unit.append(row)
            size += row.size
        if unit:
            yield unit

    async def _send(self, unit: list[Row], outcome: Outcome) -> None:
        if self._mode == "new":
            await self._alone(unit[0], outcome)
            return
        try:
            await self._send_batch(unit, outcome)
        except (ValidationFailed, ItemCollectionTooLarge):
            # DynamoDB refuses the whole request where one item of it is wrong, and does not say which.
            for row in [row for row in unit if row.line in outcome.unsettled]:
                await self._alone(row, outcome)

    async def _alone(self, row: Row, outcome: Outcome) -> None:
        """Write one row by a request of its own."""
        try:
            if self._mode == "overwrite":
                body: dict[str, Any] = {"TableName": self._table, "Item": row.item}
                await self._db.send(Request(operation="PutItem", body=body, table=self._table, sealed=row.sealed))
                is_new = True
            else:
                is_new = await create(self._db, self._scope, row)
        except _OF_ONE_ITEM as error:
            outcome.failed.append((row, error))
            outcome.unsettled.discard(row.line)
            if others := outcome.others.get(row.place):
                self._leave_out(outcome, -1)
                outcome.unsettled.add(others[-1].line)
                await self._alone(others.pop(), outcome)
            return
        outcome.written += is_new
        outcome.existing += not is_new
        outcome.unsettled.discard(row.line)

    # --- over whatever is there -------------------------------------------------------------------

    async def _send_batch(self, unit: list[Row], outcome: Outcome) -> None:
        """Send rows until all are processed.

        Raises:
            Throttled: round after round, none of them was.
        """
        left = {row.place: row for row in unit}
        fruitless = made = 0
        while left:
            sealed = (each for row in left.values() for each in row.sealed)
            request = batch_write(((self._table, {"PutRequest": {"Item": row.item}}) for row in left.values()), sealed)
            response = await self._db.send(request)
            unprocessed = self._unprocessed(response)
            if not unprocessed <= left.keys():
                raise _unreadable("it names items that were not sent", self._table)
            for place in left.keys() - unprocessed:
                outcome.written += 1
                outcome.unsettled.discard(left[place].line)
            fruitless = fruitless + 1 if len(unprocessed) == len(left) else 0
            left = {place: row for place, row in left.items() if place in unprocessed}
            made += 1
            if fruitless == _ROUNDS:
                raise _given_up(len(left), self._table, made, response)
            if left:
                await self._sleep(self._random() * min(_FIRST_PAUSE * 2**made, _LONGEST_PAUSE))

    def _unprocessed(self, response: Response) -> set[Any]:
        try:
            left = _ANSWER.decode(response.body).UnprocessedItems or {}
            return {
                self._identities.of_key(operation.PutRequest.Item)
                for operations in left.values()
                for operation in operations
            }
        except (ValueError, RecursionError) as error:  # msgspec's DecodeError is a ValueError
            raise _unreadable(repr(error), self._table) from None


class _Put(msgspec.Struct):
    Item: dict[str, Any]  # AttributeValues in JSON form


class _Operation(msgspec.Struct):
    PutRequest: _Put


class _Answer(msgspec.Struct):
    UnprocessedItems: dict[str, list[_Operation]] | None = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def _unreadable(why: str, table: str) -> BadResponse:
    return BadResponse(
        f"what it left unprocessed cannot be read: {why}", operation="BatchWriteItem", table=table, sent=True
    )


def _given_up(left: int, table: str, attempts: int, response: Response) -> Throttled:
    return Throttled(
        f"{left} items were left unprocessed {_ROUNDS} times in a row; import with less concurrency, or later",
        operation="BatchWriteItem",
        table=table,
        attempts=attempts,
        code="UnprocessedItems",
        status=200,
        request_id=response.request_id,
    )
