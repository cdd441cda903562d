"""Aggregates as folds: what they hold does not grow with the number of items."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Context, Decimal, Inexact
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, final

from dynamorm_async.codec.hidden import shown
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.selftypes import Reads

G = TypeVar("G")
T = TypeVar("T")
N = TypeVar("N", int, Decimal, float, timedelta)

# DynamoDB's numbers have 38 digits, from 1E-130 to 1E+126: no sum of a trillion of them has more digits than this.
_EXACT = Context(prec=320, traps=[Inexact])
_AVERAGE = Context(prec=38)


class Fold(Protocol):
    """Takes values one by one and has a result at any time."""

    def add(self, value: Any, /) -> None:
        """Take one value; never ``None``."""
        ...

    def result(self) -> Any:
        """What the values so far come to."""
        ...


class Sum:
    """The exact sum of ints, Decimals, floats (of their shortest texts) or timedeltas.

    Args:
        zero: the sum of none.
    """

    def __init__(self, zero: Any) -> None:
        self._zero = zero
        self._total: Any = None
        self._is_float = False

    def add(self, value: Any, /) -> None:
        """Take one number."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal | float | timedelta):
            raise UsageError(f"a {type(value).__name__} is no number: it cannot be added up")
        self._is_float = self._is_float or isinstance(value, float)
        exact = Decimal(repr(value)) if isinstance(value, float) else value
        self._total = exact if self._total is None else _exact_sum(self._total, exact)

    def result(self) -> Any:
        """The sum so far."""
        if self._total is None:
            return self._zero
        return float(self._total) if self._is_float else self._total


def _exact_sum(one: Any, other: Any) -> Any:  # ints, Decimals or timedeltas
    decimal = isinstance(one, Decimal) or isinstance(other, Decimal)
    return _EXACT.add(Decimal(one), Decimal(other)) if decimal else one + other


def zero_of(attribute: Any) -> Any:  # an Attr, as the overloads of the builders narrow it
    """Zero as a number attribute has it: an int, a float, a Decimal or a timedelta; 0 of another attribute."""
    try:
        return attribute.shape.decode({"N": "0"})
    except Exception:  # noqa: BLE001 - hooks of the user's raise what they like
        return 0


class Average:
    """The average of numbers, to 38 digits, or of timedeltas."""

    def __init__(self) -> None:
        self._sum = Sum(0)
        self._count = 0

    def add(self, value: Any, /) -> None:
        """Take one number."""
        self._sum.add(Decimal(repr(value)) if isinstance(value, float) else value)
        self._count += 1

    def result(self) -> Any:
        """The average so far; ``None`` of none."""
        total = self._sum.result()
        if not self._count:
            return None
        return total / self._count if isinstance(total, timedelta) else _AVERAGE.divide(Decimal(total), self._count)


class _Extreme:
    """The value that is chosen over all others."""

    def __init__(self, choose: Callable[[Any, Any], Any]) -> None:
        self._choose = choose
        self._value: Any = None

    def add(self, value: Any, /) -> None:
        """Take one value."""
        if issubclass(type(value), AbstractSet):  # they compare, but by what they contain
            raise _without_order(value)
        try:
            # The first is compared with itself: whether there is an order does not hang on how many there are.
            self._value = self._choose(value if self._value is None else self._value, value)
        except TypeError:
            raise _without_order(value) from None

    def result(self) -> Any:
        """The value so far; ``None`` of none."""
        return self._value


def _without_order(value: Any) -> UsageError:
    return UsageError(f"a {type(value).__name__} has no order: there is no lowest or highest of such values")


class Count:
    """How many values there are."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, _value: Any, /) -> None:
        """Count one."""
        self._count += 1

    def result(self) -> int:
        """How many so far."""
        return self._count


Lowest = partial(_Extreme, builtins.min)
Highest = partial(_Extreme, builtins.max)


async def fold(stream: AbstractAsyncContextManager[ItemStream[tuple[Any, ...]]], into: Fold) -> Any:
    """What the first column of a stream comes to; ``None`` values are passed over."""
    async with stream as rows:
        async for row in rows:
            if row[0] is not None:
                into.add(row[0])
    return into.result()


@final
class Groups(Generic[G]):
    """Items by the value of an attribute. Built by ``query.group_by(...)``; each method reads all the items.

    Items without the attribute form the group ``None``.
    """

    def __init__(self, attribute: Attr[G], values: Callable[..., ItemStream[tuple[Any, ...]]]) -> None:
        self._attribute = attribute
        self._values = values

    async def count(self) -> dict[G, int]:
        """How many items each group has."""
        return await self._fold(self._attribute, Count, keep_none=True)

    async def sum(self, attribute: Reads[N | None], /) -> dict[G, N]:
        """The exact sum of an attribute in each group."""
        return await self._fold(attribute, partial(Sum, zero_of(attribute)))

    async def average(self, attribute: Attr[Any], /) -> dict[G, Decimal | None]:
        """The average of a number in each group."""
        return await self._fold(attribute, Average)

    async def min(self, attribute: Attr[T], /) -> dict[G, T | None]:
        """The lowest value of an attribute in each group."""
        return await self._fold(attribute, Lowest)

    async def max(self, attribute: Attr[T], /) -> dict[G, T | None]:
        """The highest value of an attribute in each group."""
        return await self._fold(attribute, Highest)

    async def _fold(self, attribute: Any, make: Callable[[], Fold], *, keep_none: bool = False) -> dict[G, Any]:
        folds: dict[Any, Fold] = {}
        async with self._values(self._attribute, attribute) as rows:
            async for group, value in rows:
                if not isinstance(group, Hashable):
                    raise UsageError(
                        f"{self._attribute!r} has the value {shown(self._attribute, group)}, which cannot name a group"
                    )
                fold_of_group = folds.get(group) or folds.setdefault(group, make())
                if value is not None or keep_none:
                    fold_of_group.add(value)
        return {group: fold_of_group.result() for group, fold_of_group in folds.items()}
