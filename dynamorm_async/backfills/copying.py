"""Copying one item into another model's table, where it is not there yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar, final

from dynamorm_async import (
    Condition,
    ConditionFailed,
    Database,
    ItemExists,
    NotUnique,
    OutcomeUnknown,
    TransactionCancelled,
    TransactionConflict,
    UsageError,
)
from dynamorm_async.backfills.guarding import as_read
from dynamorm_async.backfills.reading import Found, SegmentReader
from dynamorm_async.backfills.work import Done, Poisonous, called, instance_of, poisoning
from dynamorm_async.expressions.conditions import Function, Path
from dynamorm_async.model.spec import ModelSpec, spec_of_instance

S = TypeVar("S")
T = TypeVar("T")

Failure: TypeAlias = ConditionFailed | OutcomeUnknown | TransactionConflict
"""What another attempt may help against."""


@final
class Copy(Generic[S, T]):
    """The work of a copy: create the item that a transform makes of another.

    Args:
        db: the database.
        reader: reads the source's items.
        target: the target's model.
        transform: makes the target's item of the source's, or ``None`` to leave it out.
        guarded: whether the source's item has to be as it was read in the moment that the target's is made.
        attempts: how often an item is read and copied, at most.
        pause: waits before an attempt, whose number it is given.
    """

    def __init__(
        self,
        db: Database,
        reader: SegmentReader[S],
        target: ModelSpec[T],
        transform: Callable[[S], object],
        *,
        guarded: bool,
        attempts: int,
        pause: Callable[[int], Awaitable[object]],
    ) -> None:
        self._db = db
        self._reader = reader
        self._target = target
        self._transform = transform
        self._guarded = guarded
        self._attempts = attempts
        self._pause = pause

    async def __call__(self, found: Found[S], /) -> Done:
        """Copy an item.

        Raises:
            Poisonous: the item is to blame.
            UsageError: the transform returned something else than an item of the target's model.
            CallError: a request failed.
        """
        unknown, attempt = False, 1
        while True:
            item = instance_of(found)
            made = await self._made(item)
            if made is None:
                return Done(False, attempt - 1)
            failure = await self._create(found, item, made)
            if failure is None:
                return Done(True, attempt - 1)
            if isinstance(
                failure, ItemExists
            ):  # made by the target's own writers, or by the request whose answer was lost
                return Done(unknown, attempt - 1)
            unknown |= isinstance(failure, OutcomeUnknown)
            if attempt == self._attempts:
                failure.add_note(f"others wrote the item, or answers were lost, at each of {attempt} attempts")
                raise Poisonous(failure) from failure
            await self._pause(attempt)  # before it is read: what was read should be as new as it can be
            again = await self._reader.item(found.key)
            if again is None:  # deleted meanwhile, so there is nothing to copy
                return Done(False, attempt)
            found, attempt = again, attempt + 1

    async def _made(self, item: S) -> T | None:
        made = await called(self._transform, item)
        if made is not None and not isinstance(made, self._target.cls):
            raise UsageError(
                f"the transform of a copy returns a {self._target.name}, or None to leave the item out; it returned a "
                f"{type(made).__name__}"
            )
        return made

    async def _create(self, found: Found[S], item: S, made: T) -> Failure | None:
        """Create the target's item; the failure that says that it is there, or that another attempt may help against."""
        with poisoning():
            try:
                if self._guarded:
                    await self._db.transaction().create(made).check(item, *self._unchanged(found, item))
                else:
                    await self._db.create(made)
            except NotUnique:
                raise
            except (ConditionFailed, OutcomeUnknown, TransactionConflict) as failure:
                return failure
            except TransactionCancelled as cancelled:
                return _reason(cancelled)
        return None

    def _unchanged(self, found: Found[S], item: S) -> list[Condition]:
        """What a check of the source's item insists on, besides its version: that it is there, and as it was read."""
        own = spec_of_instance(item).python_names
        there = next((name for name in found.raw if name in own), None)
        exists = [] if there is None else [Function("attribute_exists", Path((there,)))]
        condition = as_read(item, found.raw, saved=False)
        return [*exists, *([] if condition is None else [condition])]


def _reason(cancelled: TransactionCancelled) -> Failure:
    """Why a copy was not made: because it is there, before all else.

    Raises:
        NotUnique: another item has a value that is to be unique.
        TransactionCancelled: another reason than a failed condition, or than somebody else who was at it.
    """
    errors = [failure.error for failure in cancelled.failures]
    for error in errors:
        if isinstance(error, NotUnique):
            raise error
    for error in sorted(errors, key=lambda error: not isinstance(error, ItemExists)):
        if isinstance(error, ConditionFailed | TransactionConflict):
            return error
    raise cancelled


def same_attributes(source: ModelSpec[S], target: ModelSpec[T]) -> Callable[[S], T]:
    """The transform that takes over the attributes that both models have, by their Python names.

    The target counts versions of its own; ``created_at``, ``updated_at`` and ``deleted_at`` are taken over.

    Raises:
        UsageError: the target wants attributes that the source does not have.
    """
    shared = [
        name for name, member in target.attributes.items() if name in source.attributes and member is not target.version
    ]
    missing = [member.name for member in target.key if member.name not in source.attributes]
    if missing:
        raise UsageError(
            f"copy of {source.name} to {target.name}: {source.name} has no {' and '.join(missing)}, which {target.name} has as "
            "its key: give a transform"
        )

    def transform(item: S) -> T:
        return target.cls(**{name: getattr(item, name) for name in shared})

    return transform
