"""The items of a query or scan, one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar, final

from dynamorm_async.codec.page import PageContent
from dynamorm_async.database.source import Source
from dynamorm_async.plan.capacity import Capacity, parse_capacity
from dynamorm_async.plan.cursors import Position

if TYPE_CHECKING:
    from dynamorm_async.database.page import Page

R = TypeVar("R")

_MERGED_PAGE = 100
_TURN_AFTER = 64  # items that were merged: each takes as long as to decode some


@final
class ItemStream(AsyncIterator[R], Generic[R]):
    """The items of a query or scan, one by one.

    Between two items it holds no connection, and at most one task for each part, which fetches one page ahead. A loop
    that is left early (``break``, an exception) lets go of the stream, which then cancels that task; to wait until it has
    ended, use ``async with query.stream() as items:`` or :meth:`aclose`.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def __init__(
        self,
        sources: Sequence[Source[R]],
        *,
        limit: int | None,
        prefetch: bool,
        merge_by: tuple[str, ...],
        descending: bool,
        unordered: bool,
        seal: Callable[[Sequence[Position]], str],
    ) -> None:
        self._sources = list(sources)
        self._waiting = deque(self._sources)  # those that may have more than their present page
        self._present: Source[R] | None = None  # the one whose page is consumed; unless they are merged
        self._left = limit
        self._prefetch = prefetch
        self._merge_by = merge_by
        self._descending = descending
        self._unordered = unordered and len(self._sources) > 1
        self._seal = seal
        self._ending: list[asyncio.Task[PageContent[R]]] = []
        self._scanned = 0
        self._merged_items = 0
        self._capacity = Capacity()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        if self._left == 0:
            self.stop()
            raise StopAsyncIteration
        source = self._present
        if source is None or source.index >= len(source.items):  # else there is no need to wait, nor for a coroutine
            source = await self._ready()
            if source is None:
                raise StopAsyncIteration
        item = source.items[source.index]
        source.index += 1
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._drop()
        return item

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream: nothing more is read, and what was fetched ahead has ended when this returns."""
        self.stop()
        ending, self._ending = self._ending, []
        if ending:
            await asyncio.wait(ending)

    def stop(self) -> None:
        """End the stream without waiting for what is fetched ahead: it is cancelled."""
        self._left = 0
        self._drop()

    async def rest(self) -> list[R]:
        """All that is left, as a list."""
        items: list[R] = []
        while self._left != 0 and (source := await self._ready()) is not None:
            items += self._consume(source, 1 if self._merge_by else len(source.items))
        self._drop()
        return items

    async def take(self, size: int) -> Page[R]:
        """The next items, up to ``size`` of them, as a page."""
        items: list[R] = []
        while len(items) < size and (item := await anext(self, None)) is not None:
            items.append(item)
        return self._page(items)

    async def next_page(self) -> Page[R] | None:
        """What DynamoDB sends next, as a page; ``None`` at the end. Merged parts give a hundred items at a time."""
        if self._merge_by:
            page = await self.take(_MERGED_PAGE)
            return page if page.items else None
        if self._left == 0:
            return None
        try:
            source = await self._arrival()
        except BaseException:
            self._drop()
            raise
        return None if source is None else self._page(self._consume(source, len(source.items)))

    def _page(self, items: list[R]) -> Page[R]:
        from dynamorm_async.database.page import Page  # noqa: PLC0415 - loaded when first used

        scanned, self._scanned = self._scanned, 0
        capacity, self._capacity = self._capacity, Capacity()
        cursor = self.checkpoint() if self.has_more else None
        return Page(items=items, cursor=cursor, scanned_count=scanned, capacity=capacity)

    def checkpoint(self) -> str:
        """A cursor after the last item that was consumed, for ``after()``, in this process or another."""
        return self._seal(self.positions())

    def positions(self) -> list[Position]:
        """How far each part was consumed."""
        return [source.position() for source in self._sources]

    @property
    def has_more(self) -> bool:
        """Whether there may be more items after the last one that was consumed."""
        return any(not source.exhausted for source in self._sources)

    # --- inside -------------------------------------------------------------------------------

    def _drop(self) -> None:
        dropped = [task for source in self._sources if (task := source.drop()) is not None]
        self._ending = [task for task in (*self._ending, *dropped) if not task.done()]

    def _consume(self, source: Source[R], most: int) -> list[R]:
        """The next items of a source's page, within the limit."""
        end = min(source.index + most, len(source.items))
        if self._left is not None:
            end = min(end, source.index + self._left)
            self._left -= end - source.index
            if self._left == 0:
                self._drop()
        items = source.items[source.index : end]
        source.index = end
        return items

    async def _ready(self) -> Source[R] | None:
        """The source whose next item is the next of the stream; ``None`` at the end."""
        try:
            if self._merge_by:
                return await self._merged()
            source = self._present
            while source is None or source.index >= len(source.items):
                source = await self._arrival()
                if source is None:
                    return None
        except BaseException:
            self._drop()  # the siblings of what fails, or is cancelled, do not go on
            raise
        return source

    async def _arrival(self) -> Source[R] | None:
        """The source that gets the next page, which may be empty; ``None`` at the end."""
        self._present = await (self._whichever() if self._unordered else self._in_turn())
        return self._present

    async def _advance(self, source: Source[R]) -> bool:
        """The next page of a source; the one after it begins to be fetched where it is surely wanted."""
        page = await source.advance()
        if page is None:
            return False
        self._scanned += page.scanned_count
        if page.capacity is not None:
            self._capacity += parse_capacity("Query", page.capacity)
        in_turn = not self._unordered and not self._merge_by
        if self._prefetch and (self._left is None or (in_turn and self._left > len(source.items))):
            source.start()
        return True

    async def _in_turn(self) -> Source[R] | None:
        """The first that is not at its end. All begin at the same time, unless a limit may make some of them needless."""
        if len(self._waiting) > 1 and self._left is None:
            for source in self._waiting:
                source.start()
        while self._waiting:
            if await self._advance(self._waiting[0]):
                return self._waiting[0]
            self._waiting.popleft()
        return None

    async def _whichever(self) -> Source[R] | None:
        """The first that gets a page; it goes to the end of the queue, so that all have their turn."""
        tasks = {task: source for source in self._waiting if (task := source.start()) is not None}
        if not tasks:
            return None
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        source = next(source for task, source in tasks.items() if task.done())
        await self._advance(source)
        self._waiting.remove(source)
        self._waiting.append(source)
        return source

    async def _merged(self) -> Source[R] | None:
        """The source with the lowest (or highest) next sort key; of equal ones the first."""
        dry = [source for source in self._waiting if source.index >= len(source.items)]
        for source in dry:
            source.start()
        for source in dry:
            while source.index >= len(source.items):
                if not await self._advance(source):
                    self._waiting.remove(source)
                    break
        if not self._waiting:
            return None
        self._merged_items += 1
        if self._merged_items % _TURN_AFTER == 0:
            await asyncio.sleep(0)
        choose = max if self._descending else min
        return choose(self._waiting, key=lambda source: source.sort_key(self._merge_by))
