"""That an item is still as it was read: what keeps a change that was made of it from undoing another one."""

from __future__ import annotations

from typing import Any, Final

from dynamorm_async import Condition, UsageError
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.layout import STORED
from dynamorm_async.codec.stored import was_upcast
from dynamorm_async.expressions.conditions import all_of
from dynamorm_async.model.spec import ModelSpec, spec_of_instance
from dynamorm_async.plan.write import is_still
from dynamorm_async.types import RawItem

_MOST_ATTRIBUTES: Final = 100
"""Of the 300 operators and functions of a condition, two an attribute; the others are for what else is insisted on."""


def check_guardable(spec: ModelSpec[Any], call: str) -> None:
    """Refuse a model of which no write can insist that an item is still as it was read.

    Raises:
        UsageError: it has no version, and encrypted attributes, or too many.
    """
    for one in (spec, *spec.variants.values()):
        if one.version is not None:
            continue
        why = None
        if one.encrypted:
            why = f"encrypted attributes ({', '.join(sorted(one.encrypted))}), which DynamoDB cannot compare"
        elif len(one.attributes) > _MOST_ATTRIBUTES:
            why = f"{len(one.attributes)} attributes, more than one condition can compare"
        if why is not None:
            raise UsageError(
                f"{call} of {one.name}: the model has {why}, and no version(), so a write cannot insist that the item is still as "
                "it was read. Add a version()"
            )


def as_read(item: object, raw: RawItem, *, saved: bool = True) -> Condition | None:
    """The condition that the table has an item as it was read; ``None`` where its version says so by itself.

    Args:
        item: the instance.
        raw: what it was read from: the very values of the table, which the instance may encode otherwise.
        saved: whether it is for a ``save``, which insists by itself that an item that was upcast is as it was.
    """
    spec = spec_of_instance(item)
    if spec.version is not None or (saved and was_upcast(item)):
        return None
    names = (member.wire for member in spec.attributes.values() if member.wire not in spec.key_names)
    return all_of(is_still(name, raw.get(name)) for name in names)


def same_item(one: RawItem, other: RawItem) -> bool:
    """Whether two readings of an item found the same."""
    return one.keys() == other.keys() and all(same_value(value, other[name]) for name, value in one.items())


def was_changed(item: object) -> bool:
    """Whether an instance is not as it was read any more."""
    spec = spec_of_instance(item)
    stored = spec.codec.known(item)
    return stored is None or not same_item(stored.seen, spec.codec.encode(item))


def adopt(changed: object, item: object) -> None:
    """Let an instance that was made of another, as by ``attrs.evolve``, be saved as that one: it is the same item."""
    if STORED not in vars(changed) and STORED in vars(item):
        vars(changed)[STORED] = vars(item)[STORED]
