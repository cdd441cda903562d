"""Planning writes: one place from which item calls, batches and transactions have theirs, so that all have the same rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import ModelSpec, spec_of, spec_of_instance
from dynamorm_async.plan.arguments import no_key
from dynamorm_async.plan.derived import check_place
from dynamorm_async.plan.marking import mark_item, unmark_item
from dynamorm_async.plan.putting import create_item, put_item
from dynamorm_async.plan.targets import check_condition
from dynamorm_async.plan.unique import with_unique
from dynamorm_async.plan.write import Returns, Write
from dynamorm_async.types import AttributeValue


class Writes:
    """Plans writes; sends nothing.

    Args:
        prefix: stands before every table's name.
        clock: the time for ``created_at``, ``updated_at`` and ``deleted_at``.
    """

    def __init__(self, *, prefix: str, clock: Callable[[], datetime]) -> None:
        self._prefix = prefix
        self._clock = clock

    def table(self, spec: ModelSpec[Any]) -> str:
        """The name of a model's table."""
        return self._prefix + spec.table.name

    def create(self, item: object) -> Write:
        """PutItem that insists on a free key.

        Raises:
            UsageError: it is no instance of a model.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        """
        spec = spec_of_instance(item)
        return with_unique(create_item(spec, self.table(spec), item, self._clock()))

    def put(self, item: object, *, where: Condition | None = None, returns: Returns = "none") -> Write:
        """PutItem over whatever is there; under the instance's version, where the model has one.

        Raises:
            UsageError: it is no instance of a model, the condition is of another one, or it cannot return that.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        """
        spec = spec_of_instance(item)
        check_condition(spec, where)
        return with_unique(put_item(spec, self.table(spec), item, self._clock(), where=where, returns=returns))

    def update(
        self,
        key: object,
        changes: Sequence[object],
        *,
        where: Condition | None = None,
        upsert: bool = False,
        returns: Returns = "none",
    ) -> Write:
        """UpdateItem of an item that is there (or, with ``upsert``, of a new one).

        Raises:
            UsageError: it is no Key; no changes; a change of a key or of the version; one of what keys of an index are made
                from, where something else that they are made from is not known.
            InvalidKey: a key value, or a key of an index, is empty, too long, or of another type than its attribute.
            InvalidExpression: two changes of the same path.
        """
        from dynamorm_async.plan.updating import update_item  # noqa: PLC0415 - loaded when first used

        if not isinstance(key, Key):
            raise UsageError(f"update() takes a Key, such as Key(User, 'acme', 'u1'), got {no_key(key)}")
        spec: ModelSpec[Any] = spec_of(key.model)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # a Key of any model
        check_condition(spec, where)
        write = update_item(
            spec,
            self.table(spec),
            spec.codec.encode_key(*key.values),
            changes,
            self._clock(),
            where=where,
            upsert=upsert,
            returns=returns,
            key_values=_key_values(spec, key),
        )
        return with_unique(write, changes)

    def save(self, item: object, *, where: Condition | None = None) -> Write | None:
        """What brings the table up to the instance: what changed since it was read, ``create`` of a new one, or nothing.

        Raises:
            UsageError: it is no instance of a model, a key attribute was changed, it was read under another key than its
                attributes make, or the condition is of another model, or of a new item.
            InvalidValue, ItemTooLarge: the item cannot be stored.
        """
        from dynamorm_async.plan.saving import save_item  # noqa: PLC0415 - loaded when first used

        spec = spec_of_instance(item)
        check_condition(spec, where)
        stored = spec.codec.known(item)
        if stored is None:
            _check_unconditional(spec, where)
            return self.create(item)
        write = save_item(spec, self.table(spec), item, stored, self._clock(), where=where)
        return None if write is None else with_unique(write, stored=stored.before)

    def delete(
        self, target: object, *, where: Condition | None = None, returns: Returns = "none", hard: bool = False
    ) -> Write:
        """DeleteItem; UpdateItem, which marks the item, where the model has ``deleted_at()`` and it is not ``hard``.

        Of an instance under its version, where the model has one.

        Raises:
            UsageError: it is neither a Key nor an instance of a model, the condition is of another one, it cannot return
                that; or something that keys of an index are made from is not known, or an instance was read under
                another key than its attributes make.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
        """
        from dynamorm_async.plan.deleting import delete_item  # noqa: PLC0415 - loaded when first used

        spec, key, instance = _placed(target, "delete")
        check_condition(spec, where)
        if spec.deleted_at is None or hard:
            write = delete_item(spec, self.table(spec), key, where=where, returns=returns, instance=instance)
            return with_unique(_made_of(write, target))
        return mark_item(
            spec,
            self.table(spec),
            key,
            self._clock(),
            where=where,
            returns=returns,
            instance=instance,
            key_values=_key_values(spec, target),
        )

    def restore(self, target: object, *, returns: Returns = "none") -> Write:
        """UpdateItem that takes the mark off a soft-deleted item; of an instance under its version.

        Raises:
            UsageError: it is neither a Key nor an instance of a model, or the model has no ``deleted_at()``.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
        """
        spec, key, instance = _placed(target, "restore")
        values = _key_values(spec, target)
        return unmark_item(
            spec, self.table(spec), key, self._clock(), returns=returns, instance=instance, key_values=values
        )

    def check(self, target: object, conditions: Sequence[Condition]) -> Write:
        """What a transaction insists on without writing: conditions, and of an instance its version.

        Raises:
            UsageError: it is neither a Key nor an instance of a model, there is nothing to check, or a condition is of
                another model.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
        """
        from dynamorm_async.plan.checking import check_item  # noqa: PLC0415 - loaded when first used

        spec, key, instance = _placed(target, "check")
        where = all_of(conditions)
        check_condition(spec, where)
        return _made_of(check_item(spec, self.table(spec), key, where=where, instance=instance), target)


def key_target(target: object) -> tuple[ModelSpec[Any], dict[str, AttributeValue], object | None]:
    """The model, the key and, where it was given, the instance that a call is about.

    Raises:
        UsageError: it is neither a Key nor an instance of a model.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    if isinstance(target, Key):
        spec: ModelSpec[Any] = spec_of(target.model)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # a Key of any model
        return spec, spec.codec.encode_key(*target.values), None
    spec = spec_of_instance(target, wanted="a Key, or an instance of a model")
    return spec, spec.codec.key_of(target), target


def _check_unconditional(spec: ModelSpec[Any], where: Condition | None) -> None:
    """Refuse a condition on an item that is not there yet: it could only fail, or say what ``create`` says."""
    if where is not None:
        raise UsageError(
            f"save(where=...) of a {spec.name} that was neither read nor written: it is created, on the condition that its key "
            "is free. Leave where= out, or put() it with where="
        )


def _placed(target: object, call: str) -> tuple[ModelSpec[Any], dict[str, AttributeValue], object | None]:
    """The same, where an instance is of the item that its attributes make the key of."""
    spec, key, instance = key_target(target)
    if instance is not None and spec.derived is not None and spec.derived.table_keys:
        check_place(spec.derived, spec.codec.known(instance), model=spec.name, call=call)
    return spec, key, instance


def _key_values(spec: ModelSpec[Any], target: Any) -> Mapping[str, AttributeValue]:
    """The attributes that the key of a Key or an instance is made of; none where the model has them as its key."""
    if spec.derived is None:
        return {}
    values = target.values if isinstance(target, Key) else [getattr(target, member.name) for member in spec.key]  # pyright: ignore[reportUnknownMemberType]  # a Key of any model
    return spec.codec.encode_key_values(*values)


def _made_of(write: Write, target: Any) -> Write:
    """The write, with the attributes that its templated key was made of: a key does not tell all of them."""
    if write.spec.derived is None:
        return write
    return msgspec.structs.replace(write, key_values=_key_values(write.spec, target))
