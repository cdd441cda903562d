"""``query`` and ``scan``: immutable builders that are awaitable and async-iterable."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self, TypeVar, final, overload

import msgspec

from dynamorm_async.database.access import Access
from dynamorm_async.database.reader import Reader
from dynamorm_async.database.running import open_stream
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.hiding import Hiding, hiding
from dynamorm_async.plan.projection import check_selected
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query, plan_scan
from dynamorm_async.plan.targets import check_roots
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.database.aggregates import Fold, Groups, N
    from dynamorm_async.expressions.selftypes import Reads

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class ModelReader(Reader[R]):
    """What queries and scans share: readings of one model."""

    def __init__(self, spec: ModelSpec[Any], table: str, access: Access, reading: Reading | None = None) -> None:
        super().__init__(access, reading)
        self._spec = spec
        self._table = table

    @property
    def model(self) -> type[Any]:
        """The model whose items are read."""
        model: type[Any] = self._spec.cls
        return model

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

    def hydrate(self) -> Self:
        """Whole items, also through an index that does not hold them: read from the table, 100 at a time, in order."""
        return self._with(hydrate=True)

    # --- aggregates, folded while the items stream by --------------------------------------------

    async def sum(self, attribute: Reads[N | None], /) -> N:
        """The sum of a number, exact; 0 where no item has it. Reads all the items.

        Raises:
            UsageError: the attribute is no number.
        """
        from dynamorm_async.database.aggregates import Sum, zero_of  # noqa: PLC0415 - loaded when first used

        self._used = True
        result: N = await self._fold(attribute, Sum(zero_of(attribute)))
        return result

    async def average(self, attribute: Attr[Any], /) -> Decimal | None:
        """The average of a number, to 38 digits; ``None`` where no item has it. Reads all the items.

        Raises:
            UsageError: the attribute is no number.
        """
        from dynamorm_async.database.aggregates import Average  # noqa: PLC0415 - loaded when first used

        result: Decimal | None = await self._fold(attribute, Average())
        return result

    async def min(self, attribute: Attr[A], /) -> A | None:
        """The lowest value of an attribute; ``None`` where no item has it. Reads all the items."""
        from dynamorm_async.database.aggregates import Lowest  # noqa: PLC0415 - loaded when first used

        result: A | None = await self._fold(attribute, Lowest())
        return result

    async def max(self, attribute: Attr[A], /) -> A | None:
        """The highest value of an attribute; ``None`` where no item has it. Reads all the items."""
        from dynamorm_async.database.aggregates import Highest  # noqa: PLC0415 - loaded when first used

        result: A | None = await self._fold(attribute, Highest())
        return result

    def group_by(self, attribute: Attr[A], /) -> Groups[A]:
        """The items by the value of an attribute: ``await query.group_by(User.plan).count()``. One fold a group."""
        from dynamorm_async.database.aggregates import Groups  # noqa: PLC0415 - loaded when first used

        self._used = True
        return Groups(attribute, self._values)

    # --- inside -------------------------------------------------------------------------------

    async def _fold(self, attribute: Any, into: Fold) -> Any:  # what the fold comes to
        from dynamorm_async.database.aggregates import fold  # noqa: PLC0415 - loaded when first used

        return await fold(self._values(attribute), into)

    def _values(self, *attributes: Attr[Any]) -> ItemStream[tuple[Any, ...]]:
        reading = self._selected(attributes)
        return open_stream(self._spec, self._access, self._planned(reading), reading)

    def _selected(self, attributes: tuple[Attr[Any], ...]) -> Reading:
        self._used = True
        check_selected(self._spec, attributes)
        return msgspec.structs.replace(self._reading, select=attributes)

    def _stored(self) -> Reading:
        self._used = True
        if self._reading.select is not None:
            raise UsageError(f"{self._described()} selects attributes, and whole items are wanted: leave select() out")
        return msgspec.structs.replace(self._reading, stored=True, hydrate=True)

    def _hiding(self, reading: Reading) -> Hiding | None:
        return hiding(self._spec, self._access.clock()) if self._spec.hides and not reading.with_hidden else None

    def _opened(self, plan: ReadPlan, reading: Reading) -> ItemStream[Any]:
        return open_stream(self._spec, self._access, plan, reading)

    def _again(self, reading: Reading) -> Self:
        return type(self)(self._spec, self._table, self._access, reading)

    def _described(self) -> str:
        return f"the {type(self).__name__.lower()} of {self._spec.name}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._spec.name}>"


@final
class Query(ModelReader[R]):
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

    def stored(self) -> Query[dict[str, AttributeValue]]:
        """Items as DynamoDB has them, in its JSON form: no models, nothing decoded or decrypted; binary content in base64.

        Items are whole: through an index that does not hold them they are read from the table.

        Raises:
            UsageError: the query selects attributes.
        """
        return Query(self._spec, self._table, self._access, self._stored())

    def _planned(self, reading: Reading) -> ReadPlan:
        return plan_query(self._spec, self._table, reading, self._hiding(reading))


@final
class Scan(ModelReader[R]):
    """All items of a table or index. Built by ``db.scan(Model)``; reads, and costs, the whole table.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed.
    """

    _operation = "Scan"

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

    def stored(self) -> Scan[dict[str, AttributeValue]]:
        """Items as DynamoDB has them, in its JSON form: no models, nothing decoded or decrypted; binary content in base64.

        Items are whole: through an index that does not hold them they are read from the table.

        Raises:
            UsageError: the scan selects attributes.
        """
        return Scan(self._spec, self._table, self._access, self._stored())

    def _planned(self, reading: Reading) -> ReadPlan:
        return plan_scan(self._spec, self._table, reading, self._hiding(reading))


_MOST_SEGMENTS = 1_000_000
