"""Reading page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Generic, Self, TypeVar, final

import msgspec

from dynamorm_async.database.page import Page
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.plan.reading import Reading, ReadPlan

R = TypeVar("R")

_FILTERED_PAGE = 100


@final
class PageStream(AsyncIterator[Page[R]], Generic[R]):
    """The pages of a query or scan, one by one; the next is fetched while the present one is consumed.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def __init__(self, stream: ItemStream[R]) -> None:
        self._stream = stream

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        page = await self._stream.next_page()
        if page is None:
            raise StopAsyncIteration
        return page

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream; what was fetched ahead has ended when this returns."""
        await self._stream.aclose()


async def read_page(
    reading: Reading,
    size: int,
    planned: Callable[[Reading], ReadPlan],
    opened: Callable[[ReadPlan, Reading], ItemStream[R]],
) -> Page[R]:
    """One page of up to ``size`` items.

    One item more is asked for, so that ``has_more`` is exact where nothing is filtered; the cursor is made from the
    last item that is returned.
    """
    plan = planned(reading)
    ahead = max(size + 1, _FILTERED_PAGE) if plan.filtered else size + 1
    reading = msgspec.structs.replace(reading, limit=None, prefetch=False, page_size=reading.page_size or ahead)
    async with opened(planned(reading), reading) as stream:
        return await stream.take(size)
