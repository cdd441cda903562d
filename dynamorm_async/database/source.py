"""One chain of pages, at most one of them fetched ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from dynamorm_async.codec.page import PageContent
from dynamorm_async.plan.cursors import Position
from dynamorm_async.plan.keyrange import ordered
from dynamorm_async.plan.positions import next_page
from dynamorm_async.types import Request

R = TypeVar("R")
Fetch = Callable[[Request], Awaitable[PageContent[R]]]


class Source(Generic[R]):
    """The pages of one request, and how far they were consumed.

    Owns at most one task, which fetches the next page while the present one is consumed. The task refers to nothing
    here, so that a source that is dropped is collected, and cancels it.

    Args:
        fetch: sends a request and decodes its page.
        request: the first request; ``None`` where there is nothing to read.
        key_names: the attributes of a position.
    """

    def __init__(self, fetch: Fetch[R], request: Request | None, key_names: tuple[str, ...]) -> None:
        self._fetch = fetch
        self._key_names = key_names
        self._request = request
        self._task: asyncio.Task[PageContent[R]] | None = None
        self._page: PageContent[R] | None = None
        self._start = _start_of(request)
        self._sort_key: tuple[int, tuple[Any, ...]] | None = None  # of the item of that index
        self.items: list[R] = []
        self.index = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left: neither in the present page nor beyond it."""
        return self.index >= len(self.items) and self._request is None and self._task is None

    def start(self) -> asyncio.Task[PageContent[R]] | None:
        """Begin to fetch the next page, where there is one; the task."""
        if self._task is None and self._request is not None:
            self._task = asyncio.ensure_future(_run(self._fetch, self._request))
        return self._task

    async def advance(self) -> PageContent[R] | None:
        """Make the next page the present one; ``None`` where there is none. Cancelling ends the fetch."""
        if self._request is None:
            return None
        task, self._task = self._task, None
        request = self._request
        page = await (self._fetch(request) if task is None else task)
        self._start = _start_of(request)
        self._page, self.items, self.index, self._sort_key = page, page.items, 0, None
        self._request = None if page.last_key is None else next_page(request, page.last_key)
        return page

    def sort_key(self, names: tuple[str, ...]) -> tuple[Any, ...]:
        """The named attributes of the next item, to be compared with those of another source."""
        page = self._page
        assert page is not None, "there is a present page"  # noqa: S101 - an invariant of merging
        known = self._sort_key
        if known is None or known[0] != self.index:
            key = page.key_at(self.index, names)
            known = self._sort_key = self.index, tuple(ordered(key[name]) for name in names)
        return known[1]

    def drop(self) -> asyncio.Task[PageContent[R]] | None:
        """Cancel what is fetched ahead; the task, which ends in the next turns of the loop."""
        task, self._task = self._task, None
        if task is not None:
            let_go(task)
        return task

    def position(self) -> Position:
        """After the last item that was consumed."""
        page = self._page
        if page is None:
            return self._start
        if self.index >= len(self.items):  # of an empty page, too: what it read is behind us
            return Position(done=True) if page.last_key is None else Position(key=page.last_key)
        return self._start if self.index == 0 else Position(key=page.key_at(self.index - 1, self._key_names))

    def __del__(self) -> None:
        if self._task is not None and not self._task.get_loop().is_closed():
            self.drop()


async def _run(fetch: Fetch[R], request: Request) -> PageContent[R]:
    return await fetch(request)


def let_go(task: asyncio.Task[Any]) -> None:
    """Cancel a task that nobody waits for any more; it ends in the next turns of the loop."""
    task.cancel()
    task.add_done_callback(_forget)


def _forget(task: asyncio.Task[Any]) -> None:
    """Look at a dropped task's error, so that the loop does not complain of one that nobody looked at."""
    if not task.cancelled():
        task.exception()


def _start_of(request: Request | None) -> Position:
    if request is None:
        return Position(done=True)
    return Position(key=request.body.get("ExclusiveStartKey"))
