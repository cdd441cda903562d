"""``db.batch_write()`` and ``db.put_many()``: many puts and deletes, in as few requests as they fit in."""

from __future__ import annotations

import random as random_module
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Literal, Self, final

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from dynamorm_async.database.access import Send
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.batch_operations import Entry, Operations, entry_of
from dynamorm_async.database.batch_sender import BatchSender, OnProgress
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.errors import BatchReport, BatchWriteFailed, UsageError
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.plan.batch_write import MAX_OPERATIONS
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes

_State = Literal["new", "open", "left"]


@final
class BatchWrite:
    """Puts and deletes of any models and tables, sent 25 in a request::

        async with db.batch_write() as batch:
            for user in users:
                await batch.put(user)
        print(batch.report)

    The rules are those of ``db.put`` and ``db.delete``: the same times, versions and conditions. An operation that
    BatchWriteItem cannot carry (of a versioned instance, with unique attributes, a soft delete) is sent by itself.
    Operations are not one transaction, and those on different items have no order. On one item the last one wins: one
    that still waits is replaced by a later one, and a later one waits for one that is under way.

    Requests are sent while the block runs, as soon as 25 operations are together, ``concurrency`` at the same time;
    the rest when it ends. ``put`` and ``delete`` wait while that many are under way and the next is full, so that
    memory stays bounded. What DynamoDB leaves unprocessed is sent again after a growing random pause; after 8 answers in
    a row that processed nothing the batch gives up.

    If the block raises, nothing more is sent: what is under way is waited for, or cancelled where the block was
    cancelled. The same block may be fed by several tasks, as long as they end before it does.

    Raises:
        BatchWriteFailed: at the end of the block; its report says what was not written, and its cause why.
    """

    def __init__(
        self,
        send: Send,
        writes: Writes,
        *,
        concurrency: int,
        on_progress: OnProgress | None,
        timeout: float | None = None,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._state: _State = "left"  # nothing to warn of where the arguments are refused
        self._concurrency = check_positive(concurrency, f"concurrency={concurrency!r}")
        self._writes = writes
        self._timeout = timeout
        self._operations = Operations()
        self._sender = BatchSender(send, self._operations, on_progress=on_progress, sleep=sleep, random=random)
        self._tasks: TaskGroup  # while the block runs
        self._in_flight = 0
        self._flushing = False
        self._changed = anyio.Event()
        self._state = "new"

    @property
    def report(self) -> BatchReport:
        """What became of the operations so far; final once the block has ended."""
        return self._operations.report()

    def __repr__(self) -> str:
        now = self._operations.progress()
        return f"<BatchWrite {now.written} written, {now.pending} pending, {now.failed} failed>"

    async def put(self, item: object, /) -> None:
        """Add a put of an instance as it is now: what is changed on it later is not part of it.

        Returns once there is room for another operation. Where it is cancelled while it waits, the operation stays.

        Args:
            item: an instance of a model. It takes its version and times when DynamoDB has confirmed it.

        Raises:
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored; it is not part of the batch.
            BatchWriteFailed: a request failed, and the batch has stopped; the operation is in its report.
            UsageError: it is no instance of a model, or this is not inside the block.
        """
        await self._add("put", item, lambda: self._writes.put(item))

    async def delete(self, target: object, /, *, hard: bool = False) -> None:
        """Add a delete, which is a soft one where ``db.delete`` would make it so. Returns as :meth:`put` does.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.
            hard: really delete the item, soft-deleted or not.

        Raises:
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
            BatchWriteFailed: a request failed, and the batch has stopped; the operation is in its report.
            UsageError: it is neither a Key nor an instance of a model, or this is not inside the block.
        """
        await self._add("delete", target, lambda: self._writes.delete(target, hard=hard))

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise UsageError("this batch_write was entered already: make another with db.batch_write()")
        self._state = "open"
        self._tasks = anyio.create_task_group()
        self._sender.changed = self._go_on
        self._sender.deadline = Deadline(self._timeout)
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state = "left"
        if error is None:
            self._flushing = True
            self._start()
        else:
            self._sender.stop()
        try:
            await _leave(self._tasks, error)
        finally:
            self._in_flight = 0  # a task that was cancelled before it began did not count itself out
            if self._operations.pending:
                self._sender.stop()
            self._go_on()
        failure = self._sender.failure() if error is None else None
        if failure is not None:
            raise failure

    def __del__(self) -> None:
        if self._state == "new":
            warn_unawaited("batch_write", "entered")

    # --- adding -----------------------------------------------------------------------------------

    async def _add(self, kind: Literal["put", "delete"], target: object, plan: Callable[[], Write]) -> None:
        self._check_open()
        operations = self._operations
        entry = entry_of(kind, target, plan())
        while operations.must_wait(entry) and await self._has_waited(entry):
            entry = entry_of(kind, target, plan())  # what went before may have moved the version
        if self._sender.stopped:
            operations.add_unsent(entry)
        else:
            operations.add(entry)
        if operations.ready:
            await self._make_room()
        if self._sender.stopped:
            await self._raise_failure()
        if operations.added % MAX_OPERATIONS == 0:
            await anyio.lowlevel.checkpoint()  # a loop of puts that never wait does not starve the other tasks

    async def _has_waited(self, entry: Entry) -> bool:
        """Wait for the operations on the item that the new one depends on; ``False`` where the batch has stopped."""
        while not self._sender.stopped and self._operations.must_wait(entry):
            self._operations.hurry(entry.place)
            self._start()
            await self._changed.wait()
            self._check_open()
        return not self._sender.stopped

    async def _make_room(self) -> None:
        """Send what is ready, and wait until nothing is any more."""
        self._start()
        while self._operations.ready and not self._sender.stopped:
            await self._changed.wait()

    def _check_open(self) -> None:
        if self._sender.is_telling:
            raise UsageError("on_progress cannot add to its own batch: put() would wait for on_progress itself")
        if self._state == "new":
            raise UsageError("this batch_write was not entered: use `async with db.batch_write() as batch:`")
        if self._state == "left":
            raise UsageError("the block of this batch_write has ended: begin another with db.batch_write()")

    async def _raise_failure(self) -> None:
        """Raise what stopped the batch, where anything is left to be told."""
        while self._in_flight:  # so that the report of the error is final
            await self._changed.wait()
        failure = self._sender.failure()
        if failure is not None:
            raise failure

    # --- sending ----------------------------------------------------------------------------------

    def _start(self) -> None:
        """Send whatever can be sent now."""
        while not self._sender.stopped and self._in_flight < self._concurrency:
            unit = self._operations.take(partial=self._flushing)
            if not unit:
                break
            self._in_flight += 1
            self._tasks.start_soon(self._run, unit)

    async def _run(self, unit: list[Entry]) -> None:
        try:
            await self._sender.run(unit)
        finally:
            self._in_flight -= 1
            self._go_on()

    def _go_on(self) -> None:
        """Something has an outcome: send what that let go, and wake those that wait for room."""
        self._start()
        self._changed.set()
        self._changed = anyio.Event()


async def put_many(batch: BatchWrite, items: Iterable[object] | AsyncIterable[object]) -> BatchReport:
    """Put every item of an iterable, and take no more from it than there is room for."""
    try:
        async with batch:
            await _put_all(batch, items)
    except BatchWriteFailed:
        raise
    except Exception as error:
        report = batch.report
        if report.written or report.unprocessed:
            error.add_note(
                f"items that put_many() had written: {report.written}; taken and not sent: {len(report.unprocessed)}"
            )
        raise
    return batch.report


async def _put_all(batch: BatchWrite, items: Iterable[object] | AsyncIterable[object]) -> None:
    if isinstance(items, AsyncIterable):
        async for item in items:
            await batch.put(item)
    elif isinstance(items, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # not checked by a caller without types
        for item in items:
            await batch.put(item)
    else:
        raise UsageError(f"put_many() takes an iterable of instances, got {items!r}: db.put() writes one")


async def _leave(tasks: TaskGroup, error: BaseException | None) -> None:
    """Wait for the tasks; where the block was cancelled, cancel them."""
    if isinstance(error, anyio.get_cancelled_exc_class()):
        await tasks.__aexit__(type(error), error, error.__traceback__)
        return
    if error is not None and not isinstance(error, Exception):
        tasks.cancel_scope.cancel()
    # Without the error: the task group would wrap it into an ExceptionGroup.
    await tasks.__aexit__(None, None, None)
