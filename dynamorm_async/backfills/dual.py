"""``DualWrite``: each write to two models at once, while one takes the place of the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, Literal, TypeVar, cast, final

from dynamorm_async import Database, Key, Transaction, TransactionCancelled, UsageError, VersionConflict
from dynamorm_async.backfills.guarding import as_read, check_guardable, was_changed
from dynamorm_async.backfills.job import jittered_pause
from dynamorm_async.model.spec import ModelSpec, spec_of, spec_of_instance

A = TypeVar("A")
B = TypeVar("B")

Phase = Literal["old", "both", "new"]
"""Where writes go: to the old model alone, to both in one transaction, or to the new one alone."""

_PHASES: Final = ("old", "both", "new")
_ATTEMPTS: Final = 10


@final
class DualWrite(Generic[A, B]):
    """Writes each item to two models at once, while one takes the place of the other::

        users = DualWrite(db, User, Person, forward=to_person, backward=to_user, phase="both")
        await users.save(user)  # User and Person, or neither

    It is rolled out in four steps, each of which has to be everywhere before the next begins:

    1. Phase ``old``: programs read and write the old model alone.
    2. Phase ``both``: they still read it and write its instances; each write goes to both. Once this is everywhere,
       :func:`copy` brings over what nobody writes.
    3. One by one, programs change over to reading the new model and writing its instances.
    4. Phase ``new``: the new model is written alone. The old one can be deleted.

    An item is given as an instance of either model; what it is written as in the other one is made by ``forward`` or
    ``backward``. The rules of its own model hold: ``create`` insists on a free key, ``put``, ``save`` and ``delete`` on its
    version; and the errors are those of the same calls of the database. The other model's item is replaced whole, whatever
    was there: attributes that only the other model has are those that the function gives it.

    Args:
        db: the database.
        old: the model that is to go.
        new: the model that takes its place.
        forward: makes an instance of the new model from one of the old.
        backward: makes an instance of the old model from one of the new; without it, instances of the new model are taken in
            the phase ``new`` only.
        phase: where writes go.

    Raises:
        UsageError: there is no such phase, both are one model, one of them has ``deleted_at()``, or has no version and cannot be
            compared.
    """

    def __init__(
        self,
        db: Database,
        old: type[A],
        new: type[B],
        *,
        forward: Callable[[A], B],
        backward: Callable[[B], A] | None = None,
        phase: Phase = "both",
    ) -> None:
        if phase not in _PHASES:
            raise UsageError(f"phase={phase!r} of a DualWrite: one of {', '.join(map(repr, _PHASES))}")
        if spec_of(old) is spec_of(new):
            raise UsageError(f"DualWrite of {old.__name__} to itself: give two models")
        for spec in (spec_of(old), spec_of(new)):
            check_guardable(spec, "a DualWrite")
            if spec.deleted_at is not None:
                raise UsageError(
                    f"DualWrite of {spec.name}, which has deleted_at(): a soft delete needs the item in both tables, and while "
                    "the window is open it may not be in the other one yet. Leave soft deletes until the window is closed"
                )
        self._db, self._old, self._new = db, old, new
        self._forward, self._backward = forward, backward
        self.phase: Phase = phase

    async def create(self, item: A | B, /) -> None:
        """Write a new item; its key must be free in its own model.

        Raises:
            ItemExists: the key is taken.
            UsageError: it is of neither model, or of the new one without ``backward``.
            CallError: as ``Database.create`` and transactions raise them.

        Costs one PutItem; in the phase ``both`` a TransactWriteItems of two actions, and a GetItem where the other model has a
        version.
        """
        await self._write(item, "create")

    async def put(self, item: A | B, /) -> None:
        """Write an item whole, over what is there; under its version, where its model has one.

        Raises:
            VersionConflict: it was written since this version of it was read.
            UsageError, CallError: as :meth:`create`.

        Costs as :meth:`create`.
        """
        await self._write(item, "put")

    async def save(self, item: A | B, /) -> None:
        """Write what changed on an instance since it was read; in the other model, the whole item.

        In the phase ``both`` under its version or, without one, while every attribute is as it was read: what goes to the other
        model is made of all of them. Nothing changed costs no request.

        Raises:
            VersionConflict, ConditionFailed: it was written since it was read.
            ItemNotFound: it is gone.
            UsageError, CallError: as :meth:`create`.

        Costs as :meth:`create`, with an UpdateItem for the PutItem.
        """
        await self._write(item, "save")

    async def delete(self, item: A | B, /) -> None:
        """Delete an item; under its version, where its model has one. One that is not there is fine.

        Raises:
            VersionConflict: it was written since this version of it was read.
            UsageError, CallError: as :meth:`create`.

        Costs one DeleteItem; in the phase ``both`` a TransactWriteItems of two actions.
        """
        await self._write(item, "delete")

    # --- inside -----------------------------------------------------------------------------------

    async def _write(self, item: A | B, call: _Call) -> None:
        own = self._side(item)
        if own == self.phase:
            await _alone(self._db, item, call)
            return
        other = self._other(item, own)
        if self.phase != "both":
            await self._instead(other, call)
        elif call != "save" or spec_of_instance(item).codec.known(item) is None or was_changed(item):
            await self._together(item, other, call)

    async def _instead(self, other: Any, call: _Call) -> None:
        """Write the other model's item alone: it was made just now, so it is written whole."""
        if call == "delete":
            await self._db.delete(_key_of(other))
        elif call == "create":
            await self._db.create(other)
        else:
            await self._put_over(other)

    async def _together(self, item: Any, other: Any, call: _Call) -> None:
        """Write both items, or neither."""
        for attempt in range(1, _ATTEMPTS + 1):
            if call != "delete":
                await self._take_version(other)
            try:
                await self._planned(item, other, call)
            except TransactionCancelled as cancelled:
                errors = {failure.index: failure.error for failure in cancelled.failures}
                if 0 in errors:  # as the write of the given item alone would have failed
                    raise errors[0] from cancelled
                if attempt == _ATTEMPTS or not isinstance(errors.get(1), VersionConflict):
                    raise
                await jittered_pause(attempt)
            else:
                return

    def _planned(self, item: Any, other: Any, call: _Call) -> Transaction:
        """Both writes; that of the given item comes first."""
        tx = self._db.transaction()
        if call == "delete":
            return tx.delete(item).delete(_key_of(other))
        if call == "create":
            tx.create(item)
        elif call == "put":
            tx.put(item)
        else:
            tx.save(item, where=_as_known(item))
        return tx.put(other)

    async def _put_over(self, other: Any) -> None:
        """Write the other model's item over whatever version of it is there."""
        for attempt in range(1, _ATTEMPTS + 1):
            await self._take_version(other)
            try:
                await self._db.put(other)
            except VersionConflict:
                if attempt == _ATTEMPTS:
                    raise
                await jittered_pause(attempt)
            else:
                return

    async def _take_version(self, other: Any) -> None:
        """Give an instance the version that the table has, so that it is written over that one and no later one."""
        version = spec_of_instance(other).version
        if version is None:
            return
        there = await self._db.get(_key_of(other), consistent=True, hidden=True)
        setattr(other, version.name, 0 if there is None else getattr(there, version.name))

    def _side(self, item: object) -> Phase:
        for side, model in (("old", self._old), ("new", self._new)):
            if isinstance(item, model):
                return cast("Phase", side)
        raise UsageError(
            f"a DualWrite of {self._old.__name__} and {self._new.__name__} takes instances of these, got {type(item).__name__}"
        )

    def _other(self, item: A | B, side: Phase) -> A | B:
        if side == "old":
            return self._forward(cast("A", item))
        if self._backward is None:
            raise UsageError(
                f"a DualWrite of a {self._new.__name__} in the phase {self.phase!r} needs backward=, which makes a "
                f"{self._old.__name__} of it"
            )
        return self._backward(cast("B", item))


_Call = Literal["create", "put", "save", "delete"]


async def _alone(db: Database, item: object, call: _Call) -> None:
    if call == "create":
        await db.create(item)
    elif call == "put":
        await db.put(item)
    elif call == "save":
        await db.save(item)
    else:
        await db.delete(item)


def _key_of(item: object) -> Key[Any]:
    spec: ModelSpec[Any] = spec_of_instance(item)
    return Key(spec.cls, *(getattr(item, member.name) for member in spec.key))


def _as_known(item: object) -> Any:  # a condition, or None
    """The condition that the item is as the instance was read; of a new one, none."""
    stored = spec_of_instance(item).codec.known(item)
    return None if stored is None else as_read(item, stored.held)
