"""``query`` and ``scan``: immutable builders that are awaitable and async-iterable."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Any, Generic, Self, TypeVar, final, overload

import msgspec

from dynamorm_async.database.access import Access
from dynamorm_async.database.aggregates import Average, Fold, Groups, Highest, Lowest, N, Sum, fold, zero_of
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.counting import count_items
from dynamorm_async.database.page import Page
from dynamorm_async.database.pages import PageStream, read_page
from dynamorm_async.database.running import open_stream
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import NotOne, UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.expressions.selftypes import Reads
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.arguments import check_positive
from dynamorm_async.plan.explain import Explanation, explain
from dynamorm_async.plan.hiding import Hiding, hiding
from dynamorm_async.plan.projection import check_selected
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan
from dynamorm_async.plan.targets import check_roots

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class Reader(Generic[R]):
    """What queries and scans share. Every method that narrows returns a new builder; nothing is sent before it is
    awaited or iterated. One that is dropped without either, nor explained, nor made another of, warns.
    """

    def __init__(self, spec: ModelSpec[Any], table: str, access: Access, reading: Reading | None = None) -> None:
        self._spec = spec
        self._table = table
        self._access = access
        self._reading = reading or Reading()
        self._used = False

    def __del__(self) -> None:
        if not self._used:
            warn_unawaited(f"the {type(self).__name__.lower()} of {self._spec.name}")

    def where(self, *conditions: Condition) -> Self:
        """Only items for which all the conditions hold, these and those of earlier calls.

        Raises:
            UsageError: something is not a condition, or is about another model.
        """
        self._used = True  # also where it is refused: the error says enough
        condition = all_of(conditions)
        if condition is not None:
            check_roots(self._spec, condition)
        return self._with(conditions=(*self._reading.conditions, *conditions))

    def using(self, index: Index | str) -> Self:
        """Read this index, rather than what the planner would choose.

        Of an index that does not hold all attributes come partial models: reading an attribute that it does not hold
        raises ``AttributeError``, and they cannot be written. ``select`` and ``hydrate`` are the other ways.
        """
        return self._with(using=index)

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

    def hydrate(self) -> Self:
        """Whole items, also through an index that does not hold them: read from the table, 100 at a time, in order."""
        return self._with(hydrate=True)

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
        return open_stream(self._spec, self._access, self._plan(), self._reading)

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
        self._used = True
        reading = msgspec.structs.replace(self._reading, counting=True)
        return await count_items(open_stream(self._spec, self._access, self._planned(reading), reading))

    def pages(self) -> PageStream[R]:
        """The items page by page, as DynamoDB sends them; pages may be empty where a filter drops items."""
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
        self._positive(size, f"page(size={size!r})")
        if self._reading.limit is not None:
            raise UsageError(
                "page() takes its own size, and the pages after it cannot know of a limit: leave limit() out"
            )
        reading = msgspec.structs.replace(self._reading, after=self._reading.after if cursor is None else cursor)
        return await read_page(self._spec, self._access, reading, size, self._planned)

    def explain(self) -> Explanation:
        """The requests that would be sent, why, and what a page may cost. Sends nothing.

        Raises:
            NoUsableIndex: only a scan could answer.
        """
        return explain(self._plan())

    # --- aggregates, folded while the items stream by --------------------------------------------

    async def sum(self, attribute: Reads[N | None], /) -> N:
        """The sum of a number, exact; 0 where no item has it. Reads all the items.

        Raises:
            UsageError: the attribute is no number.
        """
        self._used = True
        result: N = await self._fold(attribute, Sum(zero_of(attribute)))
        return result

    async def average(self, attribute: Attr[Any], /) -> Decimal | None:
        """The average of a number, to 38 digits; ``None`` where no item has it. Reads all the items.

        Raises:
            UsageError: the attribute is no number.
        """
        result: Decimal | None = await self._fold(attribute, Average())
        return result

    async def min(self, attribute: Attr[A], /) -> A | None:
        """The lowest value of an attribute; ``None`` where no item has it. Reads all the items."""
        result: A | None = await self._fold(attribute, Lowest())
        return result

    async def max(self, attribute: Attr[A], /) -> A | None:
        """The highest value of an attribute; ``None`` where no item has it. Reads all the items."""
        result: A | None = await self._fold(attribute, Highest())
        return result

    def group_by(self, attribute: Attr[A], /) -> Groups[A]:
        """The items by the value of an attribute: ``await query.group_by(User.plan).count()``. One fold a group."""
        self._used = True
        return Groups(attribute, self._values)

    # --- inside -------------------------------------------------------------------------------

    async def _collect(self) -> list[R]:
        async with self.stream() as stream:
            return await stream.rest()

    async def _fold(self, attribute: Any, into: Fold) -> Any:  # what the fold comes to
        return await fold(self._values(attribute), into)

    def _values(self, *attributes: Attr[Any]) -> ItemStream[tuple[Any, ...]]:
        reading = self._selected(attributes)
        return open_stream(self._spec, self._access, self._planned(reading), reading)

    def _selected(self, attributes: tuple[Attr[Any], ...]) -> Reading:
        self._used = True
        check_selected(self._spec, attributes)
        return msgspec.structs.replace(self._reading, select=attributes)

    def _plan(self) -> ReadPlan:
        self._used = True
        return self._planned(self._reading)

    def _positive(self, value: int, given: str) -> int:
        self._used = True
        return check_positive(value, given)

    def _planned(self, reading: Reading) -> ReadPlan:
        raise NotImplementedError

    def _hiding(self, reading: Reading) -> Hiding | None:
        return hiding(self._spec, self._access.clock()) if self._spec.hides and not reading.with_hidden else None

    def _with(self, **changes: Any) -> Self:  # the fields of Reading
        self._used = True
        return type(self)(self._spec, self._table, self._access, msgspec.structs.replace(self._reading, **changes))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._spec.name}>"


@final
class Query(Reader[R]):
    """Items of one partition key, or of several. Built by ``db.query(Model)``.

    The planner chooses the table or an index from all the conditions, never from their order. Items come in order of
    the sort key of what was read.

    Raises:
        NoUsableIndex: on await or iteration, where only a scan could answer.
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def descending(self) -> Self:
        """The highest sort key first."""
        return self._with(descending=True)

    def allow_scan(self) -> Self:
        """Read the whole table where no key or index answers."""
        return self._with(allow_scan=True)

    @overload
    def select(self, a: Attr[A], /) -> Query[tuple[A]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], /) -> Query[tuple[A, B]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], /) -> Query[tuple[A, B, C]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], /) -> Query[tuple[A, B, C, D]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], e: Attr[E], /) -> Query[tuple[A, B, C, D, E]]: ...
    @overload
    def select(
        self, a: Attr[Any], b: Attr[Any], c: Attr[Any], d: Attr[Any], e: Attr[Any], /, *more: Attr[Any]
    ) -> Query[tuple[Any, ...]]: ...
    def select(self, *attributes: Attr[Any]) -> Query[Any]:
        """Only these attributes, as tuples. Saves transfer and decoding, not capacity.

        Raises:
            UsageError: none, or of another model.
        """
        return Query(self._spec, self._table, self._access, self._selected(attributes))

    def _planned(self, reading: Reading) -> ReadPlan:
        return plan_query(self._spec, self._table, reading, self._hiding(reading))


@final
class Scan(Reader[R]):
    """All items of a table or index. Built by ``db.scan(Model)``; reads, and costs, the whole table.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    def segments(self, number: int) -> Self:
        """Read this many segments at the same time; items come as they arrive.

        Each segment has at most one page in hand and one fetched ahead: a slow consumer slows the reading down.

        Raises:
            UsageError: less than 1, or more than DynamoDB's 1,000,000.
        """
        if self._positive(number, f"segments({number!r})") > _MOST_SEGMENTS:
            raise UsageError(f"segments({number}): DynamoDB has at most {_MOST_SEGMENTS:,}")
        return self._with(segments=number)

    def capacity(self, units_per_second: float) -> Self:
        """Consume no more read capacity units a second than this, on average, by what DynamoDB reports.

        Raises:
            UsageError: not above 0.
        """
        self._used = True
        if not units_per_second > 0:
            raise UsageError(f"capacity({units_per_second}): read units a second, above 0")
        return self._with(capacity=units_per_second)

    @overload
    def select(self, a: Attr[A], /) -> Scan[tuple[A]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], /) -> Scan[tuple[A, B]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], /) -> Scan[tuple[A, B, C]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], /) -> Scan[tuple[A, B, C, D]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], e: Attr[E], /) -> Scan[tuple[A, B, C, D, E]]: ...
    @overload
    def select(
        self, a: Attr[Any], b: Attr[Any], c: Attr[Any], d: Attr[Any], e: Attr[Any], /, *more: Attr[Any]
    ) -> Scan[tuple[Any, ...]]: ...
    def select(self, *attributes: Attr[Any]) -> Scan[Any]:
        """Only these attributes, as tuples. Saves transfer and decoding, not capacity.

        Raises:
            UsageError: none, or of another model.
        """
        return Scan(self._spec, self._table, self._access, self._selected(attributes))

    def _planned(self, reading: Reading) -> ReadPlan:
        return plan_scan(self._spec, self._table, reading, self._hiding(reading))


_MOST_SEGMENTS = 1_000_000
