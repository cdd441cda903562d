"""Doing the same work in several tasks, of which the first error ends all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def together(tasks: int, work: Callable[[], Awaitable[None]]) -> None:
    """Run several tasks of the same work; all have ended when this returns.

    Raises:
        Exception: what the first of them raised, by itself; the others are cancelled.
    """
    failures: list[Exception] = []

    async def one() -> None:
        try:
            await work()
        except Exception as failure:  # noqa: BLE001 - raised below, not wrapped in a group
            failures.append(failure)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(one)
    if failures:
        raise failures[0]


async def for_each(values: Iterable[T], work: Callable[[T], Awaitable[None]], *, tasks: int) -> None:
    """Do work for each value, several at the same time. Raises as :func:`together`."""
    left = iter(values)

    async def until_none_is_left() -> None:
        for value in left:
            await work(value)

    await together(tasks, until_none_is_left)
