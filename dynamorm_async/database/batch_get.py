"""``batch_get``: an immutable builder that is awaitable and async-iterable."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeVar, final, overload

import msgspec

from dynamorm_async.database.access import Access
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.batch_stream import BatchGetStream
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.gathering import Gathering
from dynamorm_async.database.keyed import KeyReader
from dynamorm_async.errors import CallError, DecodeError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.plan.batch_get import BatchGetPlan, selecting

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


@final
class BatchGet(Generic[R]):
    """Items of some keys. Built by ``db.batch_get(*keys)``; nothing is sent before it is awaited or iterated.

    Raises:
        BatchGetFailed: on await or iteration, where something is missing; it carries everything that arrived.
    """

    def __init__(self, plan: BatchGetPlan, access: Access, *, concurrency: int, timeout: float | None) -> None:
        self._plan = plan
        self._access = access
        self._concurrency = concurrency
        self._timeout = timeout
        self._used = False

    @overload
    def select(self, a: Attr[A], /) -> BatchGet[tuple[A]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], /) -> BatchGet[tuple[A, B]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], /) -> BatchGet[tuple[A, B, C]]: ...
    @overload
    def select(self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], /) -> BatchGet[tuple[A, B, C, D]]: ...
    @overload
    def select(
        self, a: Attr[A], b: Attr[B], c: Attr[C], d: Attr[D], e: Attr[E], /
    ) -> BatchGet[tuple[A, B, C, D, E]]: ...
    @overload
    def select(
        self, a: Attr[Any], b: Attr[Any], c: Attr[Any], d: Attr[Any], e: Attr[Any], /, *more: Attr[Any]
    ) -> BatchGet[tuple[Any, ...]]: ...
    def select(self, *attributes: Attr[Any]) -> BatchGet[Any]:
        """Only these attributes, as tuples; of one model. Saves transfer and decoding, not capacity.

        The keys are read with them, so an item that has none of the attributes is a tuple of defaults, not a miss.

        Raises:
            UsageError: no attributes, attributes of another model, or keys of several models.
            InvalidExpression: so many that DynamoDB would refuse the projection.
        """
        self._used = True
        return self._with(selecting(self._plan, attributes))

    def with_hidden(self) -> BatchGet[R]:
        """Also items that reads leave out: soft-deleted ones, and expired ones of models with ``hide_expired``."""
        self._used = True
        return self._with(msgspec.structs.replace(self._plan, hidden=True))

    def __await__(self) -> Generator[Any, Any, list[R | None]]:
        """The items, one for each key, in the order of the keys; ``None`` where there is none. ``timeout`` is for all."""
        self._used = True
        return self._collect().__await__()

    def __aiter__(self) -> BatchGetStream[R]:
        """Pairs of key and item, as they arrive; ``timeout`` is for each request."""
        return self.stream()

    def stream(self) -> BatchGetStream[R]:
        """Pairs of key and item, to be used with ``async with``, which waits until what is being read has ended."""
        self._used = True
        reader = KeyReader(self._access.send, timeout=self._timeout, sleep=self._access.sleep, turns=self._access.turns)
        return BatchGetStream(self._plan, reader, self._concurrency, self._access.clock(), self._access.note)

    async def _collect(self) -> list[R | None]:
        chunks, gathering = self._plan.chunks(), Gathering(self._plan, self._access.clock(), self._access.note)
        reader = KeyReader(
            self._access.send, deadline=Deadline(self._timeout), sleep=self._access.sleep, turns=self._access.turns
        )
        try:
            await reader.read_all(chunks, self._concurrency, gathering.add)
        except (CallError, DecodeError) as error:
            for chunk in chunks:
                gathering.add(chunk)
            raise gathering.failure(error) from error
        gathering.check()
        return gathering.results()

    def _with(self, plan: BatchGetPlan) -> BatchGet[Any]:
        return BatchGet(plan, self._access, concurrency=self._concurrency, timeout=self._timeout)

    def __repr__(self) -> str:
        return f"<batch_get of {_count(self._plan)}>"

    def __del__(self) -> None:
        if not self._used:
            warn_unawaited(f"batch_get of {_count(self._plan)}")


def _count(plan: BatchGetPlan) -> str:
    count = len(plan.positions)
    return f"{count} key{'' if count == 1 else 's'}"
