"""What a table or index holds of a model: which attributes, and which items."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from dynamorm_async.expressions.conditions import Comparison, Condition, Every, Function, Literally, Path
from dynamorm_async.model.derived import IndexTemplates, KeyTemplate
from dynamorm_async.model.evaluate import holds
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.keyparts import Conditions

_MOST_COMBINATIONS = 100
_NULL = Literally({"NULL": True})


def position_parts(table: Table, index: TableIndex | None) -> tuple[KeyPart, ...]:
    """The attributes of a LastEvaluatedKey: the table's key, and the index's."""
    parts = table.key_parts() if index is None else (*table.key_parts(), *index.partition, *index.sort)
    return tuple(dict.fromkeys(parts))


def stored_in(table: Table, index: TableIndex | None) -> frozenset[str] | None:
    """The attributes that an index holds; ``None`` for whole items."""
    if index is None or index.projection == "all":
        return None
    extra = () if index.projection == "keys_only" else index.projection
    return frozenset((*(part.name for part in position_parts(table, index)), *extra))


def told_by_keys(spec: ModelSpec[Any], index: TableIndex | None) -> frozenset[str]:
    """The attributes that an index does not hold, but that its keys and the table's tell."""
    stored = stored_in(spec.table, index)
    if stored is None:
        return frozenset()
    keys = (spec.key_templates.get(part.name) for part in position_parts(spec.table, index))
    told = (c.member.wire for key in keys if key is not None for c in key.template.components if c.lossless)
    return frozenset(told) - stored


def versions_of(spec: ModelSpec[Any]) -> frozenset[str]:
    """The attribute that tells the schema version of a model's items; empty where it has none."""
    return frozenset() if spec.schema is None else frozenset((spec.schema.name,))


def keys_made(spec: ModelSpec[Any], parts: tuple[KeyPart, ...]) -> tuple[KeyPart | KeyTemplate, ...]:
    """Key attributes, with the templates of those that the model makes."""
    return tuple(spec.key_templates.get(part.name, part) for part in parts)


def holds_none(spec: ModelSpec[Any], index: TableIndex) -> str:
    """Why an index has no items of a model."""
    return f"holds no {spec.name}: give the model its keys, @model(..., {index.name}=(...))"


def leaves_out(
    spec: ModelSpec[Any], index: TableIndex, keys: tuple[KeyPart | KeyTemplate, ...], conditions: Conditions
) -> Iterator[str]:
    """Why an index lacks some of the items that are asked for; nothing where it has them all.

    Args:
        spec: the model.
        index: the index.
        keys: its key attributes.
        conditions: what is asked.
    """
    reasons: dict[str, None] = {}
    for key in keys:
        if isinstance(key, KeyPart):
            reasons |= dict.fromkeys(_plain(spec, index, key, conditions))
            continue
        owner = _owner(spec, key)
        if owner is None:  # the table's own key, which every item has
            continue
        wires = [*(member.wire for member in key.template.members), *owner.plain]
        for wire in dict.fromkeys(wires):
            if _nullable(spec, wire) and not _is_there(spec, wire, conditions):
                reasons[f"leaves out items without {conditions.label(wire)}"] = None
        if owner.when is not None and not _is_implied(owner.when, conditions):
            names = ", ".join(dict.fromkeys(conditions.label(root) for root in owner.when.roots()))
            reasons[f"leaves out items that its when= does not allow ({names})"] = None
    return iter(reasons)


def _plain(spec: ModelSpec[Any], index: TableIndex, key: KeyPart, conditions: Conditions) -> Iterator[str]:
    label = conditions.label(key.name)
    if key.name in spec.python_names:
        if conditions.restriction(key) is None and _nullable(spec, key.name):
            yield f"leaves out items without {label}"
    elif spec.derived is None:
        yield f"leaves out items without {label}"
    else:
        yield holds_none(spec, index)


def _owner(spec: ModelSpec[Any], key: KeyTemplate) -> IndexTemplates | None:
    indexes = () if spec.derived is None else spec.derived.indexes
    return next((index for index in indexes if key in index.keys), None)


def _nullable(spec: ModelSpec[Any], wire: str) -> bool:
    name = spec.python_names.get(wire)
    return name is None or spec.attributes[name].shape.nullable


def _is_there(spec: ModelSpec[Any], wire: str, conditions: Conditions) -> bool:
    """Whether the conditions hold only of items that have an attribute, and not NULL in it."""
    said = conditions.said(wire)
    if said.ranges or (said.values is not None and _NULL.value not in said.values):
        return True
    path = Path((wire,))
    if Function("attribute_exists", path) not in conditions.parts:
        return False
    return spec.attributes[spec.python_names[wire]].omits_null or Comparison(path, "<>", _NULL) in conditions.parts


def _is_implied(when: Condition, conditions: Conditions) -> bool:
    """Whether the conditions hold only of items of which ``when`` holds: each part is asked for, or follows from values."""
    parts = when.conditions if isinstance(when, Every) else (when,)
    return all(part in conditions.parts or _follows(part, conditions) for part in parts)


def _follows(part: Condition, conditions: Conditions) -> bool:
    roots = frozenset(part.roots())
    fixed = {root: values for root in roots if (values := conditions.said(root).values) is not None}
    if math.prod(len(values) for values in fixed.values()) > _MOST_COMBINATIONS:
        return False
    combinations = itertools.product(*fixed.values())
    return all(
        holds(part, dict(zip(fixed, values, strict=True)), unknown=roots - fixed.keys()) for values in combinations
    )
