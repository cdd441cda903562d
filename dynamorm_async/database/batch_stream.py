"""The items of a batch_get, as they arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, final

import anyio

from dynamorm_async.database.gathering import Gathering
from dynamorm_async.database.keyed import KeyReader
from dynamorm_async.database.noting import Note, no_note
from dynamorm_async.database.source import let_go
from dynamorm_async.errors import CallError, DecodeError
from dynamorm_async.model.key import Key
from dynamorm_async.plan.batch_get import BatchGetPlan
from dynamorm_async.plan.keyed import Chunk

R = TypeVar("R")


@final
class BatchGetStream(AsyncIterator[tuple[Key[Any], R | None]], Generic[R]):
    """Pairs of key and item, in whatever order they arrive: every distinct key once, ``None`` where there is no item.

    At most ``concurrency`` chunks of 100 keys are in hand: being read, or read and not consumed yet. A slow consumer
    slows the reading down. A loop that is left early (``break``, an exception) lets go of the stream, which then cancels
    what is being read; to wait until that has ended, use ``async with batch.stream() as pairs:`` or :meth:`aclose`.

    Raises:
        BatchGetFailed: a request failed, or keys stayed unprocessed, at once; an item does not fit its model, after
            everything else was handed out. What was handed out before is not in the error.
    """

    def __init__(
        self, plan: BatchGetPlan, reader: KeyReader, concurrency: int, now: datetime, note: Note = no_note
    ) -> None:
        self._reader = reader
        self._concurrency = concurrency
        self._gathering = Gathering(plan, now, note)
        self._waiting = deque(plan.chunks())
        self._tasks: dict[asyncio.Task[None], Chunk] = {}
        self._present: Iterator[tuple[Key[Any], Any]] = iter(())
        self._ending: list[asyncio.Task[None]] = []
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Key[Any], R | None]:
        while (pair := next(self._present, None)) is None:
            if not await self._arrival():
                raise StopAsyncIteration
        return pair

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream: nothing more is read, and what was being read has ended when this returns."""
        self._end()
        ending, self._ending = self._ending, []
        if ending:
            with anyio.CancelScope(shield=True):  # they were cancelled, so this does not take long
                await asyncio.wait(ending)

    def __del__(self) -> None:
        if any(not task.get_loop().is_closed() for task in self._tasks):
            self._let_go()

    # --- inside -------------------------------------------------------------------------------

    async def _arrival(self) -> bool:
        """Make the next chunk that arrives the present one; whether there is one."""
        if self._over:
            return False
        while self._waiting and len(self._tasks) < self._concurrency:
            chunk = self._waiting.popleft()
            # The task refers to nothing here, so that a stream that nobody holds any more is collected, and cancels it.
            self._tasks[asyncio.ensure_future(self._reader.read(chunk))] = chunk
        if self._tasks:
            chunk = await self._first()
            try:
                await self._reader.hand_over(chunk, self._gathering.add)
            finally:
                self._gathering.add(chunk)  # what is left where that was cancelled: the loop may go on later
        elif not self._gathering.found:
            self._end()
            self._gathering.check()
            return False
        self._present = self._gathering.hand_out()
        return True

    async def _first(self) -> Chunk:
        """The first chunk that is read."""
        try:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            task = next(task for task in self._tasks if task.done())
            task.result()
        except (CallError, DecodeError) as error:
            self._set_aside()
            self._end()
            raise self._gathering.failure(error) from error
        except BaseException:
            self._set_aside()  # a loop that was cancelled may go on later: nothing is lost, nothing comes twice
            raise
        return self._tasks.pop(task)

    def _set_aside(self) -> None:
        """Stop reading; keep what was read, and what is still to be read."""
        chunks = list(self._tasks.values())
        self._let_go()
        for chunk in chunks:
            self._gathering.add(chunk)
        self._waiting.extendleft(chunk for chunk in reversed(chunks) if chunk.left)

    def _end(self) -> None:
        self._over = True
        self._present = iter(())
        self._waiting.clear()
        self._let_go()

    def _let_go(self) -> None:
        for task in self._tasks:
            let_go(task)
        self._ending = [task for task in (*self._ending, *self._tasks) if not task.done()]
        self._tasks.clear()
