"""Sending the operations of a batch: round after round, until all are processed, refused, or it is stopped."""

from __future__ import annotations

import asyncio
import inspect
import random as random_module
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import anyio

from dynamorm_async.database.access import Send
from dynamorm_async.database.batch_operations import BatchProgress, Entry, Operations
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.succeeded import settle
from dynamorm_async.database.unprocessed import Rounds
from dynamorm_async.database.writing import send_write
from dynamorm_async.errors import (
    BatchReport,
    BatchWriteFailed,
    CallError,
    ConditionFailed,
    ItemCollectionTooLarge,
    TransactionCancelled,
    TransactionConflict,
    TransientConflict,
    UsageError,
)
from dynamorm_async.plan.batch_write import batch_write, unprocessed_in
from dynamorm_async.types import Request, Response

OnProgress: TypeAlias = Callable[[BatchProgress], Awaitable[object]]
"""What is told how far a batch is."""

# These are about one item. Everything else that fails would fail, or go on failing, for the others as well.
_OF_ONE_ITEM = (ConditionFailed, ItemCollectionTooLarge, TransactionCancelled, TransactionConflict, TransientConflict)


class BatchSender:
    """Sends the operations of one batch.

    Args:
        send: sends a request.
        operations: the batch's; it is told what became of them.
        on_progress: is told how far it is.
        sleep: waits for a number of seconds.
        random: a number from 0 up to 1, each time another.

    Attributes:
        deadline: of the whole batch.
        stopped: whether nothing new is sent.
        changed: called whenever some of them have an outcome, or the batch stops.
    """

    def __init__(
        self,
        send: Send,
        operations: Operations,
        *,
        on_progress: OnProgress | None = None,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._given_send = send
        self._sent = False  # whether any request may have been
        self._operations = operations
        self._on_progress = on_progress
        self._sleep = sleep
        self._random = random
        self._cause: Exception | None = None
        self._raised: Exception | None = None  # by on_progress
        self._pauses: set[anyio.CancelScope] = set()
        self._telling = anyio.Lock()
        self._teller: asyncio.Task[object] | None = None
        self.deadline = Deadline(None)
        self.stopped = False
        self.changed: Callable[[], None] = lambda: None

    @property
    def is_telling(self) -> bool:
        """Whether the running task is inside ``on_progress``."""
        return self._teller is not None and self._teller is asyncio.current_task()

    async def run(self, unit: list[Entry]) -> None:
        """Send the operations of one request, or the one that is sent alone. What fails stops the batch; nothing is raised."""
        try:
            if unit[0].size is None:
                await self._send_alone(unit[0])
            else:
                await self._send_chunk(unit)
        except Exception as error:  # noqa: BLE001 - whatever it is, it stops the batch and is its cause
            self.stop(error)
        except BaseException:  # cancelled
            self.stop()
            raise

    def stop(self, cause: Exception | None = None) -> None:
        """Send nothing new. What is in flight ends, without another round."""
        self.stopped = True
        if self._cause is None:
            self._cause = cause
        for pause in self._pauses:
            pause.cancel()
        self.changed()

    def failure(self) -> Exception | None:
        """Why not everything was written; ``None`` where everything was.

        Where nothing was sent because the database cannot be used (it is closed, or of another loop or process), that alone
        is the error.
        """
        operations = self._operations
        if self._raised is not None:
            return self._raised
        if isinstance(self._cause, UsageError) and not self._sent:
            return self._cause
        if not operations.pending and not operations.errors and self._cause is None:
            return None
        cause = self._cause or next(iter(operations.errors), None)
        return _failure(operations.report(), operations.added, cause)

    # --- inside -----------------------------------------------------------------------------------

    async def _send(self, request: Request, timeout: float | None, /) -> Response:
        try:
            response = await self._given_send(request, timeout)
        except UsageError:  # raised before anything is sent
            raise
        except BaseException:
            self._sent = True
            raise
        self._sent = True
        return response

    async def _send_alone(self, entry: Entry) -> None:
        if self.stopped:
            return
        try:
            await send_write(self._send, entry.write, self.deadline.left(entry.write.request))
        except Exception as error:
            self._operations.fail(entry, error)
            if not isinstance(error, _OF_ONE_ITEM):
                raise
        else:
            self._operations.wrote([entry])
        self.changed()
        await self._tell()

    async def _send_chunk(self, unit: list[Entry]) -> None:
        """Send operations until all are processed.

        Raises:
            Throttled: round after round, none of them was.
            CallTimeout: the batch's time is over, or would be before the next round.
        """
        rounds = Rounds("writes", self._random)
        while not self.stopped:
            request = batch_write(entry.write for entry in unit)
            response = await self._send(request, self.deadline.left(request))
            left = self._sort_out(unit, response)
            await self._tell()
            if not left:
                return
            seconds = rounds.pause(request, response, left=len(left), fruitless=len(left) == len(unit))
            if not self.deadline.fits(seconds):
                raise self.deadline.over(request)
            if not self.stopped:
                await self._pause(seconds)
            unit = left

    def _sort_out(self, unit: list[Entry], response: Response) -> list[Entry]:
        """Note what was written; what was left unprocessed."""
        left = unprocessed_in(response.body, ((entry.place, entry.write) for entry in unit))
        written = [entry for entry in unit if entry.place not in left] if left else unit
        self._operations.wrote(written)
        for entry in written:
            settle(entry.write)
        self.changed()
        return [entry for entry in unit if entry.place in left] if left else []

    async def _pause(self, seconds: float) -> None:
        with anyio.CancelScope() as scope:
            self._pauses.add(scope)
            try:
                await self._sleep(seconds)
            finally:
                self._pauses.discard(scope)

    async def _tell(self) -> None:
        if self._on_progress is None:
            return
        async with self._telling:
            if self._raised is not None:
                return
            self._teller = asyncio.current_task()
            try:
                await _awaitable(self._on_progress(self._operations.progress()))
            except Exception as error:  # noqa: BLE001 - the caller's own, which is handed back to the caller
                self._raised = error
                self.stop()
            finally:
                self._teller = None


def _failure(report: BatchReport, added: int, cause: Exception | None) -> BatchWriteFailed:
    first = f" (first the {report.failed[0].operation})" if report.failed else ""
    why = "its block ended before they were sent" if cause is None else f"{type(cause).__name__}: {cause}"
    error = BatchWriteFailed(
        f"of {added} operations, {len(report.unprocessed)} were left unprocessed and {len(report.failed)} failed{first}: {why}",
        operation="BatchWriteItem",
        table=cause.table if isinstance(cause, CallError) else None,
        report=report,
    )
    error.retryable = isinstance(cause, CallError) and cause.retryable
    error.__cause__ = cause
    return error


def _awaitable(told: object) -> Awaitable[object]:
    if not inspect.isawaitable(told):
        raise UsageError(f"on_progress is awaited, but it returned {told!r}: make it an async function")
    return told
