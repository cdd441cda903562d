"""What a vector search may be filtered on.

Source: "SearchConditionExpression reference for vector indexes" in DynamoDB's developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import (
    Between,
    Comparison,
    Condition,
    Either,
    Every,
    Function,
    Literally,
    Negation,
    OneOf,
    Operand,
    Path,
)
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart
from dynamorm_async.model.vector import TableVectorIndex
from dynamorm_async.plan.targets import check_condition


def check_search_condition(spec: ModelSpec[Any], index: TableVectorIndex, where: Condition | None) -> None:
    """Refuse a condition that the index cannot take.

    It says one value of the partition key, where the index has one, and besides that compares filters of the index with
    values. Which comparisons of filters DynamoDB takes is left to DynamoDB: it began with ``==`` and ``&`` alone.

    Raises:
        UsageError: it is no condition, or not one that a search of the index takes.
    """
    check_condition(spec, where)
    parts = () if where is None else where.conditions if isinstance(where, Every) else (where,)
    schema = {part.name: part for part in index.schema}
    for part in parts:
        for leaf in _leaves(part):
            _check_leaf(spec, index, schema, leaf)
    if index.partition is not None:
        _check_partition(spec, index, index.partition, parts)


def _leaves(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, Every | Either):
        for inner in condition.conditions:
            yield from _leaves(inner)
    elif isinstance(condition, Negation):
        yield from _leaves(condition.condition)
    else:
        yield condition


def _check_leaf(spec: ModelSpec[Any], index: TableVectorIndex, schema: dict[str, KeyPart], leaf: Condition) -> None:
    labels = spec.python_names
    root = next(leaf.roots())
    where = f"a search of vector index {index.name} cannot be filtered on {spec.name}.{labels[root]}"
    if root not in schema:
        known = ", ".join(labels.get(name, name) for name in schema) or "nothing"
        raise UsageError(
            f"{where}: its search schema has {known}. Name it in the index's filters=..., or filter the hits in Python"
        )
    path, operands = _parts(leaf)
    if path.size or len(path.segments) > 1:
        raise UsageError(f"{where} by its size or by what is inside it: DynamoDB looks at the whole value only")
    for operand in operands:
        if not isinstance(operand, Literally) or next(iter(operand.value)) != schema[root].tag:
            raise UsageError(f"{where} by another attribute, None, or another type: compare it with values of its own")


def _parts(leaf: Condition) -> tuple[Path, tuple[Operand, ...]]:
    """The path that a condition is about, and what it is compared with."""
    if isinstance(leaf, Comparison):
        return leaf.left, (leaf.right,)
    if isinstance(leaf, Between):
        return leaf.path, (leaf.low, leaf.high)
    if isinstance(leaf, OneOf):
        return leaf.path, leaf.values
    if isinstance(leaf, Function):
        return leaf.path, () if leaf.argument is None else (leaf.argument,)
    raise UsageError(f"a search cannot be filtered by {leaf!r}")


def _check_partition(
    spec: ModelSpec[Any], index: TableVectorIndex, partition: KeyPart, parts: tuple[Condition, ...]
) -> None:
    """One equality, and nothing else, of the partition key."""
    name = f"{spec.name}.{spec.python_names.get(partition.name, partition.name)}"
    about = [part for part in parts if partition.name in part.roots()]
    if len(about) == 1 and isinstance(about[0], Comparison) and about[0].comparator == "=":
        return
    found = "" if not about else ", once and outside of | and ~"
    raise UsageError(
        f"vector index {index.name} is partitioned by {name}: a search needs where={name} == ...{found}, "
        "joined with other conditions by &"
    )
