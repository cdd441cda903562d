"""One cancellation, delivered after a given number of steps of an operation's tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Literal, cast

import anyio
import msgspec

How = Literal["task.cancel", "scope", "task.cancel twice"]
"""The ways of a cancellation: of the task; of an anyio scope around the operation; of the task, and again while it cleans up."""

HOWS: tuple[How, ...] = ("task.cancel", "scope", "task.cancel twice")


class Ending(msgspec.Struct, frozen=True):
    """How an operation ended.

    Attributes:
        reached: whether the cancellation was delivered before the end.
        cancelled: whether it ended the operation.
        error: what the operation raised, besides.
    """

    reached: bool
    cancelled: bool
    error: Exception | None


class _Stepped(Coroutine[Any, Any, Any]):
    """A coroutine that tells each of its suspensions."""

    # anyio asks a task's coroutine for its state, as inspect.getcoroutinestate does.
    def __init__(self, inner: Coroutine[Any, Any, Any], on_step: Callable[[], None]) -> None:
        self._inner = inner
        self._on_step = on_step

    def send(self, value: Any) -> Any:  # what a coroutine yields is asyncio's alone
        yielded = self._inner.send(value)
        self._on_step()
        return yielded

    # Any: the three forms of throw() that Python has had.
    def throw(self, kind: Any, error: object = None, _trace: TracebackType | None = None, /) -> Any:
        yielded = self._inner.throw(cast("BaseException", kind if error is None else error))
        self._on_step()
        return yielded

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    def __getattr__(self, name: str) -> Any:  # cr_running, cr_frame …
        return getattr(self._inner, name)


async def cancelled_at(step: int, how: How, operation: Callable[[], Awaitable[object]]) -> Ending:
    """Run an operation, and cancel it once its tasks together were suspended so many times; 0 is before it begins.

    Counting suspensions rather than turns of the loop makes it the same however long threads and sockets take.
    """
    loop, scope, steps = asyncio.get_running_loop(), anyio.CancelScope(), 0

    def cancel() -> None:
        if how == "scope":
            scope.cancel()
        else:
            task.cancel()

    def on_step() -> None:
        nonlocal steps
        steps += 1
        if steps == step or (how == "task.cancel twice" and steps == step + 1):
            loop.call_soon(cancel)

    def stepped(
        loop: asyncio.AbstractEventLoop, inner: Any, **options: Any
    ) -> asyncio.Task[Any]:  # asyncio's own types
        return asyncio.Task(_Stepped(inner, on_step), loop=loop, **options)

    async def whole() -> None:
        with scope:
            await operation()

    loop.set_task_factory(stepped)
    try:
        task = loop.create_task(whole())
        if step == 0:
            cancel()
        await asyncio.wait([task])
    finally:
        loop.set_task_factory(None)
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return Ending(reached=steps >= step, cancelled=task.cancelled() or scope.cancelled_caught, error=error)
