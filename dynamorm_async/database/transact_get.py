"""``transact_get``: several items as they were at one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, final, overload

from dynamorm_async.codec.slices import made_in_slices
from dynamorm_async.database.access import Send
from dynamorm_async.database.noting import Note, no_note, noting
from dynamorm_async.database.reasons import error_of, explained, failed
from dynamorm_async.database.results import result_maker
from dynamorm_async.database.turns import LARGE, Turns
from dynamorm_async.errors import TransactionCancelled, TransactionFailure
from dynamorm_async.model.key import Key
from dynamorm_async.plan.batch_get import Wanted
from dynamorm_async.plan.hiding import hiding
from dynamorm_async.plan.transact_get import got_items, plan_transact_get, transact_get_items
from dynamorm_async.types import Request

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
Timeout: TypeAlias = float | None


@final
class TransactGet:
    """``db.transact_get(*keys)``: the items of up to 100 keys, all as they were at one moment.

    An object with one method, since the types of its results, position by position, take many signatures.
    """

    __slots__ = ("_clock", "_note", "_prefix", "_send", "_turns")

    def __init__(
        self,
        send: Send,
        prefix: str,
        clock: Callable[[], datetime],
        note: Note = no_note,
        turns: Turns | None = None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._prefix = prefix
        self._note = note
        self._turns = turns or Turns()

    @overload
    async def __call__(self, a: Key[A], /, *, hidden: bool = ..., timeout: Timeout = ...) -> tuple[A | None]: ...
    @overload
    async def __call__(
        self, a: Key[A], b: Key[B], /, *, hidden: bool = ..., timeout: Timeout = ...
    ) -> tuple[A | None, B | None]: ...
    @overload
    async def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], /, *, hidden: bool = ..., timeout: Timeout = ...
    ) -> tuple[A | None, B | None, C | None]: ...
    @overload
    async def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], /, *, hidden: bool = ..., timeout: Timeout = ...
    ) -> tuple[A | None, B | None, C | None, D | None]: ...
    @overload
    async def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], e: Key[E], /, *, hidden: bool = ..., timeout: Timeout = ...
    ) -> tuple[A | None, B | None, C | None, D | None, E | None]: ...
    @overload
    async def __call__(
        self,
        a: Key[A],
        b: Key[B],
        c: Key[C],
        d: Key[D],
        e: Key[E],
        f: Key[F],
        /,
        *,
        hidden: bool = ...,
        timeout: Timeout = ...,
    ) -> tuple[A | None, B | None, C | None, D | None, E | None, F | None]: ...
    @overload
    async def __call__(
        self,
        a: Key[A],
        b: Key[B],
        c: Key[C],
        d: Key[D],
        e: Key[E],
        f: Key[F],
        g: Key[G],
        /,
        *,
        hidden: bool = ...,
        timeout: Timeout = ...,
    ) -> tuple[A | None, B | None, C | None, D | None, E | None, F | None, G | None]: ...
    @overload
    async def __call__(
        self,
        a: Key[A],
        b: Key[B],
        c: Key[C],
        d: Key[D],
        e: Key[E],
        f: Key[F],
        g: Key[G],
        h: Key[H],
        /,
        *,
        hidden: bool = ...,
        timeout: Timeout = ...,
    ) -> tuple[A | None, B | None, C | None, D | None, E | None, F | None, G | None, H | None]: ...
    @overload
    async def __call__(self, *keys: Key[Any], hidden: bool = ..., timeout: Timeout = ...) -> tuple[Any | None, ...]: ...
    async def __call__(self, *keys: Key[Any], hidden: bool = False, timeout: Timeout = None) -> Any:  # as overloaded
        """The items of the keys, in their order; ``None`` for one that is not there.

        Args:
            keys: of one model or several, each item once; together the items have at most 4 MB.
            hidden: also items that reads leave out: soft-deleted ones, and expired ones of models with ``hide_expired``.
            timeout: seconds for the whole call.

        Raises:
            UsageError: something is no Key, an item is asked for twice, or there are more than 100.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
            TransactionCancelled: an item is being written by another call, or capacity is lacking; its ``failures`` say
                which.
            DecodeError: an item does not fit its model.

        Costs one TransactGetItems, at twice the capacity of consistent reads; without keys, nothing.
        """
        wanted = plan_transact_get(keys, self._prefix)
        if not wanted:
            return ()
        request = transact_get_items(wanted)
        try:
            response = await self._send(request, timeout)
        except TransactionCancelled as error:
            raise _cancellation(request, wanted, error) from None
        items = got_items(response.body, len(wanted))
        now = self._clock()
        makers = [
            noting(one.spec, result_maker(one.spec, None, None if hidden else hiding(one.spec, now)), self._note)
            for one in wanted
        ]
        if len(response.body) <= LARGE:
            await self._turns.room.take(len(response.body), LARGE)
            return tuple(None if raw is None else make(raw) for make, raw in zip(makers, items, strict=True))

        def made(index: int) -> Any:  # an instance of any model, or None
            return None if items[index] is None else makers[index](items[index])

        return tuple(await self._turns.run(made_in_slices(made, [len(raw or b"") for raw in items])))


def _cancellation(request: Request, wanted: Sequence[Wanted], error: TransactionCancelled) -> TransactionCancelled:
    failures = [
        TransactionFailure(index, f"get of {wanted[index].key!r}", error_of(error, request, reason))
        for index, reason in failed(error.reasons[: len(wanted)])
    ]
    return explained(error, failures, f"the transaction of {len(wanted)} keys was cancelled")
