"""How the parts of an export or import run together."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

from dynamorm_async.errors import UsageError

P = TypeVar("P")


async def run_all(calls: Iterable[Callable[[], Awaitable[object]]]) -> None:
    """Make some calls at the same time. The first that fails ends the others, and its error is raised as it is."""
    failure: Exception | None = None

    async def run(call: Callable[[], Awaitable[object]]) -> None:
        nonlocal failure
        try:
            await call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised below
            if failure is None:
                failure = error
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(run, call)
    if failure is not None:
        raise failure


async def tell(on_progress: Callable[[P], Awaitable[object]] | None, progress: P) -> None:
    """Tell a caller's function how far it is, where there is one.

    Raises:
        UsageError: it is no async function.
    """
    if on_progress is None:
        return
    told: object = on_progress(progress)
    if not inspect.isawaitable(told):
        raise UsageError(f"on_progress is awaited, but it returned {told!r}: make it an async function")
    await told
