"""The schema version in writes of some attributes: what they insist on, and what they write.

Such a write goes by the present schema, so it must not meet an item of another one: half of the item would be old, half new.
"""

from __future__ import annotations

from typing import Any

from dynamorm_async.expressions.conditions import Condition, Either, Literally
from dynamorm_async.expressions.updates import Assignment, Update
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import key_is_free


def current(spec: ModelSpec[Any]) -> int | None:
    """The schema version that the model writes; ``None`` where it has none."""
    return None if spec.schema is None else spec.schema.current


def is_current(spec: ModelSpec[Any], *, upsert: bool = False) -> Condition | None:
    """The condition that the item is of the present schema, or with ``upsert`` that there is none."""
    if spec.schema is None:
        return None
    same = spec.schema.is_of(spec.schema.current)
    # What is not there has no version either, which is said already where that means version 1.
    return Either((key_is_free(spec), same)) if upsert and spec.schema.current > 1 else same


def written(spec: ModelSpec[Any], *, upsert: bool) -> list[Update]:
    """The change that gives an item its schema version, where the write may make one."""
    if spec.schema is None or not upsert:
        return []
    return [Update("SET", (name,), Assignment(Literally(value))) for name, value in spec.schema.tag.items()]
