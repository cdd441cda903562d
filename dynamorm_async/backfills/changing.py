"""Bringing one item up to date: change it, write it under what it was made from, and again where somebody else wrote it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Literal, TypeVar, final

from dynamorm_async import (
    Condition,
    ConditionFailed,
    Database,
    NotUnique,
    OutcomeUnknown,
    TransactionConflict,
    UsageError,
)
from dynamorm_async.backfills.guarding import adopt, as_read, same_item, was_changed
from dynamorm_async.backfills.reading import Found, SegmentReader
from dynamorm_async.backfills.work import Done, Poisonous, called, instance_of, poisoning
from dynamorm_async.codec.layout import STORED, Member
from dynamorm_async.codec.stored import was_upcast
from dynamorm_async.expressions.conditions import Comparison, Either, Function, Literally, Path, all_of

M = TypeVar("M")

Outcome = Literal["changed", "skipped"]


@final
class Change(Generic[M]):
    """The work of a backfill: change an item and write it.

    Args:
        db: the database.
        reader: reads the items.
        change: makes the item what it is to be; ``None`` saves what was upcast.
        where: which items need it.
        marker: the attribute that says that it was done; ``None`` without any.
        name: what the marker is set to.
        attempts: how often an item is changed and written, at most.
        pause: waits before an attempt, whose number it is given.
    """

    def __init__(
        self,
        db: Database,
        reader: SegmentReader[M],
        change: Callable[[M], object] | None,
        *,
        where: Condition | None,
        marker: Member | None,
        name: str,
        attempts: int,
        pause: Callable[[int], Awaitable[object]],
    ) -> None:
        self._db = db
        self._reader = reader
        self._change = change
        self._marker = marker
        self._name = name
        self._attempts = attempts
        self._pause = pause
        self._conditions = [
            *([] if where is None else [where]),
            *([] if marker is None else [not_marked(marker, name)]),
        ]

    async def __call__(self, found: Found[M], /) -> Done:
        """Change and write an item.

        Raises:
            Poisonous: the item is to blame.
            UsageError: the change returned something else than an item of the model, or nothing of an item that it changed.
            CallError: a request failed.
        """
        conflicts, unmoved, attempt = 0, 0, 1
        while True:
            done = await self._once(found)
            if isinstance(done, str):
                return Done(done == "changed", conflicts)
            if attempt == self._attempts:
                done.add_note(f"others wrote the item, or answers were lost, at each of {attempt} attempts")
                raise Poisonous(done) from done
            await self._pause(attempt)  # before it is read: what was read should be as new as it can be
            again = await self._reader.item(found.key)
            if again is None:  # somebody else deleted it
                return Done(False, conflicts)
            unmoved = unmoved + 1 if same_item(found.raw, again.raw) else 0
            if unmoved > 1 and isinstance(done, ConditionFailed):
                return Done(False, conflicts)  # nobody else writes it: it is where= that does not hold any more
            conflicts += not unmoved
            found, attempt = again, attempt + 1

    async def _once(self, found: Found[M]) -> Outcome | ConditionFailed | OutcomeUnknown | TransactionConflict:
        """Change an item as it was read, and write it; the failure that another attempt may help against."""
        item = instance_of(found)
        if self._marker is not None and getattr(item, self._marker.name) == self._name:
            return "changed"
        guard = as_read(item, found.raw)
        changed = await self._changed(item)
        if changed is None:
            return "skipped"
        if self._marker is not None:
            setattr(changed, self._marker.name, self._name)
        before = vars(changed).get(STORED)
        with poisoning():
            try:
                await self._db.save(changed, where=all_of([*self._conditions, *([] if guard is None else [guard])]))
            except NotUnique:
                raise
            except (ConditionFailed, OutcomeUnknown, TransactionConflict) as failure:
                return failure
        return "skipped" if vars(changed).get(STORED) is before else "changed"

    async def _changed(self, item: M) -> M | None:
        """What the caller's function makes of an item; ``None`` where it leaves it alone."""
        if self._change is None:
            return item
        result = await called(self._change, item)
        spec = self._reader.spec
        if result is None:
            if not was_upcast(item) and was_changed(item):
                raise UsageError(
                    f"the change of the backfill {self._name!r} changed a {spec.name} in place and returned None, which "
                    "leaves it alone: return the item"
                )
            return None
        if not isinstance(result, spec.cls):
            raise UsageError(
                f"the change of the backfill {self._name!r} returns the changed {spec.name}, or None to leave it alone; it "
                f"returned a {type(result).__name__}"
            )
        held = vars(result).get(STORED)
        if held is not None and held is not vars(item).get(STORED):
            raise UsageError(
                f"the change of the backfill {self._name!r} returned a {spec.name} that it read itself, where the one that it was "
                "given is to be changed: copy what it needs of the other into that one"
            )
        adopt(result, item)
        return result


def not_marked(marker: Member, name: str) -> Condition:
    """The item was not done by the backfill of this name."""
    path = Path((marker.wire,))
    return Either((Function("attribute_not_exists", path), Comparison(path, "<>", Literally({"S": name}))))


def marked(marker: Member, name: str) -> Condition:
    """The item was done by the backfill of this name."""
    return Comparison(Path((marker.wire,)), "=", Literally({"S": name}))
