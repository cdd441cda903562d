"""One piece of work at a time, shared by everybody who wants its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from dynamorm_async.errors import DatabaseClosed

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs ``work`` in a task of its own, which callers at the same time share.

    A caller that is cancelled leaves; the work goes on for the others. A failure is given to all who waited,
    and the next caller starts anew. The task belongs to this object and ends with :meth:`aclose`.

    Args:
        work: what to do; called without arguments, never twice at the same time.
    """

    # Any stands for what the coroutine yields and is sent, which asyncio alone knows.
    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None
        self._closed = False

    def start(self) -> asyncio.Task[T]:
        """Start the work unless it is under way, without waiting for it.

        Returns:
            The task, to wait for and never to cancel.

        Raises:
            DatabaseClosed: after :meth:`aclose`.
        """
        if self._closed:
            raise DatabaseClosed("the database was closed before this call was made; open it again with `async with`")
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
            self._task.add_done_callback(self._landed)
        return self._task

    async def run(self) -> T:
        """The result of the work under way, or of new work.

        Raises:
            DatabaseClosed: closed before, or while waiting.
            Exception: whatever the work raised.
        """
        task = self.start()
        # asyncio.wait neither cancels the task when this caller is cancelled, nor passes the task's own
        # cancellation (by aclose) on to callers that nobody cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            raise DatabaseClosed("the database was closed while this call was waiting")
        return task.result()

    async def aclose(self) -> None:
        """Cancel the work under way and wait until it has ended; whoever waits for it gets ``DatabaseClosed``."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _landed(self, task: asyncio.Task[T]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled():
            task.exception()  # marks it as seen: all who waited may be gone
