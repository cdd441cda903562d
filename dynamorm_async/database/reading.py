"""``query`` and ``scan``: immutable builders that are awaitable and async-iterable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Generic, Protocol, Self, TypeVar, final

import attrs

from dynamorm_async.codec.item import PageContent
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.reading import Reading, next_page, query_request, scan_request
from dynamorm_async.plan.targets import check_roots
from dynamorm_async.types import Request, Response

M = TypeVar("M")


class Send(Protocol):
    """How a builder sends: the database's own way."""

    async def __call__(self, request: Request, timeout: float | None, /) -> Response:
        """Send a request."""
        ...


class _Reader(Generic[M]):
    """What queries and scans share. Every method that narrows returns a new builder."""

    def __init__(self, spec: ModelSpec[M], table: str, send: Send, reading: Reading | None = None) -> None:
        self._spec = spec
        self._table = table
        self._send = send
        self._reading = reading or Reading()

    def where(self, *conditions: Condition) -> Self:
        """Only items for which all the conditions hold, these and those of earlier calls.

        Raises:
            UsageError: something is not a condition, or is about another model.
        """
        condition = all_of(conditions)
        if condition is not None:
            check_roots(self._spec, condition)
        return self._with(conditions=(*self._reading.conditions, *conditions))

    def using(self, index: Index | str) -> Self:
        """Read this index rather than what the planner would choose."""
        return self._with(using=index)

    def limit(self, items: int) -> Self:
        """At most this many items in all, after conditions.

        Raises:
            UsageError: no whole number, or less than 1.
        """
        return self._with(limit=_positive(items, "limit"))

    def page_size(self, items: int) -> Self:
        """At most this many items read for one page (DynamoDB's ``Limit``, before filters).

        Raises:
            UsageError: no whole number, or less than 1.
        """
        return self._with(page_size=_positive(items, "page_size"))

    def consistent(self) -> Self:
        """Strongly consistent reads: twice the capacity; not for global indexes."""
        return self._with(consistent=True)

    def __await__(self) -> Generator[Any, Any, list[M]]:
        """All the items, as a list. One request a page."""
        return self._collect().__await__()

    def __aiter__(self) -> ItemStream[M]:
        """The items one by one; one page in memory at a time."""
        return ItemStream(self._spec, self._send, self._request(), self._reading.limit)

    async def first(self) -> M | None:
        """The first item, or ``None``. One request where its first page has an item."""
        return next(iter(await self.limit(1)), None)

    async def _collect(self) -> list[M]:
        items: list[M] = []
        limit = self._reading.limit
        request: Request | None = self._request()
        while request is not None:
            page = await _fetch(self._spec, self._send, request)
            items.extend(page.items)
            if limit is not None and len(items) >= limit:
                return items[:limit]
            request = None if page.last_key is None else next_page(request, page.last_key)
        return items

    def _with(self, **changes: Any) -> Self:  # the fields of Reading
        return type(self)(self._spec, self._table, self._send, attrs.evolve(self._reading, **changes))

    def _request(self) -> Request:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._spec.name}>"


@final
class Query(_Reader[M]):
    """Items of one partition key. Built by ``db.query(Model)``; nothing is sent until it is awaited or iterated.

    Raises:
        NoUsableIndex: on await or iteration, where only a scan could answer.
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def descending(self) -> Self:
        """The highest sort key first."""
        return self._with(descending=True)

    def _request(self) -> Request:
        return query_request(self._spec, self._table, self._reading)


@final
class Scan(_Reader[M]):
    """All items of a table or index. Built by ``db.scan(Model)``; reads, and costs, the whole table.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def _request(self) -> Request:
        return scan_request(self._spec, self._table, self._reading)


@final
class ItemStream(AsyncIterator[M]):
    """The items of a query or scan, one by one. Holds no connection and no task between two items."""

    def __init__(self, spec: ModelSpec[M], send: Send, request: Request, limit: int | None) -> None:
        self._spec = spec
        self._send = send
        self._request: Request | None = request
        self._left = limit
        self._items: list[M] = []
        self._position = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> M:
        while self._position >= len(self._items):
            if self._request is None:
                raise StopAsyncIteration
            page = await _fetch(self._spec, self._send, self._request)
            self._items, self._position = page.items, 0
            self._request = None if page.last_key is None else next_page(self._request, page.last_key)
        if self._left is not None:
            if self._left == 0:
                raise StopAsyncIteration
            self._left -= 1
            if self._left == 0:
                self._request = None
        item = self._items[self._position]
        self._position += 1
        return item

    async def aclose(self) -> None:
        """End the stream: nothing more is read."""
        self._request, self._items, self._position = None, [], 0


async def _fetch(spec: ModelSpec[M], send: Send, request: Request) -> PageContent[M]:
    response = await send(request, None)
    return spec.codec.decode_page(response.body)


def _positive(value: int, what: str) -> int:
    if type(value) is not int or value < 1:
        raise UsageError(f"{what}({value!r}): a whole number of 1 or more")
    return value
