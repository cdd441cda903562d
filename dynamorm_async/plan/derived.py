"""The keys of indexes that go with a change of an item: they are made anew in the same request.

A change by key knows a part of the item only: what the key tells, what the write insists on, and what it sets. Where that is
not enough, the change is refused before anything is sent: an index key that is not made anew would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import msgspec

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.hidden import MASKED
from dynamorm_async.codec.stored import Stored
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, Literally
from dynamorm_async.expressions.updates import Assignment, Default, Nothing, Update
from dynamorm_async.model.derived import Derived, IndexTemplates, KeyTemplate
from dynamorm_async.model.evaluate import holds
from dynamorm_async.plan.known import Value
from dynamorm_async.plan.write import is_still
from dynamorm_async.types import AttributeValue, RawItem


@final
class Rekeyed(msgspec.Struct, frozen=True):
    """What keeps the keys of indexes right.

    Attributes:
        updates: the changes of key attributes.
        insists: attributes that these were made from, with the values that the write has to insist on; ``None`` for none.
        guards: what has to hold of an item that is there, for keys that only a new one gets.
    """

    updates: tuple[Update, ...] = ()
    insists: Mapping[str, Value] = msgspec.field(default_factory=dict[str, Value])
    guards: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> list[Condition]:
        """What the write has to insist on."""
        if not self.insists and not self.guards:
            return []
        return [*(is_still(name, value) for name, value in self.insists.items()), *self.guards]


def joined(parts: Iterable[Rekeyed]) -> Rekeyed:
    """What several indexes need, in one."""
    updates: list[Update] = []
    insists: dict[str, Value] = {}
    guards: list[Condition] = []
    for part in parts:
        updates += part.updates
        insists |= part.insists
        guards += part.guards
    return Rekeyed(tuple(updates), insists, tuple(guards))


def depends(index: IndexTemplates) -> frozenset[str]:
    """The attributes that decide over an index's keys, by their names in DynamoDB: of plain ones, whether they are there."""
    return frozenset((*index.inputs, *index.plain))


def touched_by(updates: Iterable[Update]) -> frozenset[str]:
    """The attributes that updates change, in whole or in part."""
    return frozenset(str(update.path[0]) for update in updates)


def replaced_by(updates: Iterable[Update]) -> frozenset[str]:
    """The attributes that updates change as a whole."""
    return frozenset(str(update.path[0]) for update in updates if len(update.path) == 1)


def set_to(key: KeyTemplate, value: AttributeValue, *, where_absent: bool = False) -> Update:
    """SET of a key attribute."""
    operand = Literally(value)
    return Update("SET", (key.name,), Default(operand) if where_absent else Assignment(operand))


def removed(keys: Iterable[KeyTemplate]) -> tuple[Update, ...]:
    """REMOVE of key attributes: the item leaves the index."""
    return tuple(Update("REMOVE", (key.name,), Nothing()) for key in keys)


# --- of an item that is known whole ---------------------------------------------------------------


def keys_of_item(
    derived: Derived, stored: Stored, table: RawItem, updates: Sequence[Update], *, versioned: bool, repairs: bool
) -> Rekeyed:
    """What brings the derived attributes in the table up to an item.

    Args:
        derived: those of its model.
        stored: what was read.
        table: the item as the table has it after the write.
        updates: the changes of attributes that the write makes.
        versioned: whether the write insists on the version that was read: otherwise it insists on the attributes that the
            keys are made from, so that a key is not made from what others have changed.
        repairs: whether those are looked at as well whose attributes the write does not change: an item from before an
            index has no keys of it.

    Raises:
        InvalidKey: a key is empty or too long, or a value does not fit its format.
    """
    return joined(
        [
            *([_tag(derived, stored)] if repairs else []),
            *(
                _of_item(index, stored, table, updates, versioned=versioned)
                for index in derived.indexes
                if repairs or not depends(index).isdisjoint(touched_by(updates))
            ),
        ]
    )


def _tag(derived: Derived, stored: Stored) -> Rekeyed:
    """The discriminator, where the table lacks it."""
    return Rekeyed(
        tuple(
            Update("SET", (name,), Assignment(Literally(value)))
            for name, value in derived.tag.items()
            if name not in stored.carried
        )
    )


def _of_item(
    index: IndexTemplates, stored: Stored, table: RawItem, changes: Sequence[Update], *, versioned: bool
) -> Rekeyed:
    made, is_touched = index.of(table), not depends(index).isdisjoint(touched_by(changes))
    updates: list[Update] = []
    for key in index.keys:
        value, found = made.get(key.name), stored.carried.get(key.name)
        if value is None:
            # What was read through an index need not have the keys of others.
            updates += removed([key]) if is_touched or found is not None else ()
        elif (is_touched and not versioned) or not same_value(value, found):
            # Without a version, others may have moved it meanwhile, by the very attributes that this write sets.
            updates.append(set_to(key, value))
    if versioned or not (updates or is_touched):
        return Rekeyed(tuple(updates))
    # Of a map that it changes entries of, others may change the other entries.
    reasons = _reasons(index, table) - replaced_by(changes)
    return Rekeyed(tuple(updates), {name: stored.held.get(name) for name in sorted(reasons)})


def _reasons(index: IndexTemplates, item: RawItem) -> frozenset[str]:
    """What decides over an item's keys: where its condition leaves it out, nothing else does."""
    if index.when is not None and not holds(index.when, item):
        return frozenset(index.when.roots())
    return depends(index)


def check_place(derived: Derived | None, stored: Stored | None, *, model: str, call: str) -> None:
    """Refuse to write to an item whose attributes make another key than the one that it was read under.

    Args:
        derived: the derived attributes of its model.
        stored: what was read; ``None`` of an instance that was not.
        model: the model's name, for errors.
        call: the caller's call, for errors.

    Raises:
        UsageError: they do.
        InvalidKey: they make none.
    """
    if derived is None or stored is None:
        return
    for key in derived.table_keys:
        found = stored.carried.get(key.name)
        made = None if found is None else key.of(stored.seen)
        if found is not None and not same_value(found, made):
            secret = any(member.shape.hidden for member in key.template.members)
            made_text = None if made is None else next(iter(made.values()))
            was, shown = (MASKED, MASKED) if secret else (next(iter(found.values())), made_text)
            raise UsageError(
                f"{call}() of this {model} would write to another item: it was read with {key.name}="
                f"{was!r}, but its attributes make {shown!r} from {key.template.text!r}. Another "
                "program wrote it, or the template was another one then: put() it under its present key, and delete the "
                "item that it was read from with a PartiQL statement"
            )
