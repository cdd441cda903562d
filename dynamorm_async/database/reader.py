"""What all readings of many items share: builders that are awaitable and async-iterable."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import msgspec

from dynamorm_async.database.access import Access
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import NotOne, UsageError
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.plan.reading import Reading, ReadPlan

if TYPE_CHECKING:
    from dynamorm_async.database.page import Page
    from dynamorm_async.database.pages import PageStream
    from dynamorm_async.plan.explain import Explanation

R = TypeVar("R")


class Reader(Generic[R]):
    """What queries, scans and collections share. Every method that narrows returns a new builder; nothing is sent before
    it is awaited or iterated. One that is dropped without either, nor explained, nor made another of, warns.
    """

    _operation: ClassVar[str] = "Query"  # for errors before anything is planned

    def __init__(self, access: Access, reading: Reading | None) -> None:
        self._access = access
        self._reading = reading or Reading()
        self._used = False

    def __del__(self) -> None:
        if not self._used:
            warn_unawaited(self._described())

    def limit(self, items: int) -> Self:
        """At most this many items in all, after conditions.

        Raises:
            UsageError: less than 1.
        """
        return self._with(limit=self._positive(items, f"limit({items!r})"))

    def page_size(self, items: int) -> Self:
        """At most this many items read for one page (DynamoDB's ``Limit``, before filters).

        Raises:
            UsageError: less than 1.
        """
        return self._with(page_size=self._positive(items, f"page_size({items!r})"))

    def consistent(self) -> Self:
        """Strongly consistent reads: twice the capacity; not for global indexes."""
        return self._with(consistent=True)

    def prefetch(self, enabled: bool = True, /) -> Self:  # noqa: FBT001, FBT002 - prefetch(False) reads as what it does
        """Whether iterating fetches the next page while the present one is consumed. It does unless told otherwise."""
        return self._with(prefetch=enabled)

    def after(self, cursor: str) -> Self:
        """Go on after a cursor of the same query: of a page, or of ``stream.checkpoint()``.

        Raises:
            CursorError: on await or iteration, where the cursor is not one, or of another query.
        """
        return self._with(after=cursor)

    def timeout(self, seconds: float) -> Self:
        """One deadline for all requests and pauses together, from the await or the start of the iteration on.

        The time that an iteration's consumer takes counts as well. Without it, each request has ``Timeouts.call``.

        Raises:
            UsageError: not above 0.
            CallTimeout: on await or iteration, when the time is over.
        """
        self._used = True
        if not seconds > 0:
            raise UsageError(f"timeout({seconds!r}): seconds, above 0")
        return self._with(timeout=seconds)

    def with_hidden(self) -> Self:
        """Expired and soft-deleted items, too, of a model that hides them."""
        return self._with(with_hidden=True)

    # --- results ------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, Any, list[R]]:
        """All the items, as a list. One request a page."""
        self._used = True
        return self._collect().__await__()

    def __aiter__(self) -> ItemStream[R]:
        """The items one by one; at most two pages in memory."""
        return self.stream()

    def stream(self) -> ItemStream[R]:
        """The items one by one, to be used with ``async with``, which waits until what was fetched ahead has ended."""
        return self._opened(self._plan(), self._reading)

    async def first(self) -> R | None:
        """The first item, or ``None``. One request where its first page has an item."""
        return next(iter(await self.limit(1)), None)

    async def one(self) -> R:
        """The only item.

        Raises:
            NotOne: there is none, or more than one.
        """
        found = await self.limit(2)
        if len(found) != 1:
            raise NotOne(
                f"{self!r} has {'more than one item' if found else 'no item'}, and one() wants exactly one",
                found=len(found),
            )
        return found[0]

    async def count(self) -> int:
        """How many items there are. DynamoDB counts; it reads, and charges, as for the items."""
        from dynamorm_async.database.counting import count_items  # noqa: PLC0415 - loaded when first used

        reading = msgspec.structs.replace(await self._begun(), counting=True)
        return await count_items(self._opened(self._planned(reading), reading))

    def pages(self) -> PageStream[R]:
        """The items page by page, as DynamoDB sends them; pages may be empty where a filter drops items."""
        from dynamorm_async.database.pages import PageStream  # noqa: PLC0415 - loaded when first used

        return PageStream(self.stream())

    async def page(self, *, size: int = 20, cursor: str | None = None) -> Page[R]:
        """One page of up to ``size`` items, and a cursor to the next.

        Args:
            size: how many items at most.
            cursor: the cursor of the page before; ``None`` for the first page.

        Raises:
            CursorError: the cursor is not one, was changed, has expired, or is of another query.
            UsageError: ``size`` is less than 1, or the query has a ``limit()`` as well.

        Costs one request where nothing is filtered; else as many as it takes to find ``size`` items.
        """
        from dynamorm_async.database.pages import read_page  # noqa: PLC0415 - loaded when first used

        self._positive(size, f"page(size={size!r})")
        if self._reading.limit is not None:
            raise UsageError(
                "page() takes its own size, and the pages after it cannot know of a limit: leave limit() out"
            )
        reading = await self._begun()
        reading = msgspec.structs.replace(reading, after=reading.after if cursor is None else cursor)
        return await read_page(reading, size, self._planned, self._opened)

    def explain(self) -> Explanation:
        """The requests that would be sent, why, and what a page may cost. Sends nothing.

        Raises:
            NoUsableIndex: only a scan could answer.
        """
        return self._explained(self._plan())

    # --- inside -------------------------------------------------------------------------------

    async def _collect(self) -> list[R]:
        reading = await self._begun()
        async with self._opened(self._planned(reading), reading) as stream:
            return await stream.rest()

    async def _begun(self) -> Reading:
        """The reading, once it may begin, with what is left of its time."""
        self._used = True
        left = await self._access.begin(self._operation, self._reading.timeout)
        return msgspec.structs.replace(self._reading, timeout=left)

    def _plan(self) -> ReadPlan:
        self._used = True
        return self._planned(self._reading)

    def _positive(self, value: int, given: str) -> int:
        self._used = True
        return check_positive(value, given)

    def _with(self, **changes: Any) -> Self:  # the fields of Reading
        self._used = True
        return self._again(msgspec.structs.replace(self._reading, **changes))

    def _explained(self, plan: ReadPlan) -> Explanation:
        from dynamorm_async.plan.explain import explain  # noqa: PLC0415 - loaded when first used

        return explain(plan)

    def _planned(self, reading: Reading) -> ReadPlan:
        raise NotImplementedError

    def _opened(self, plan: ReadPlan, reading: Reading) -> ItemStream[Any]:
        raise NotImplementedError

    def _again(self, reading: Reading) -> Self:
        raise NotImplementedError

    def _described(self) -> str:
        raise NotImplementedError
