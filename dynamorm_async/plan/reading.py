"""Query and Scan requests: which key or index answers, what is a key condition and what is a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from dynamorm_async.errors import InvalidExpression, NoUsableIndex, UsageError
from dynamorm_async.expressions.conditions import (
    Between,
    Comparison,
    Condition,
    Every,
    Function,
    Literally,
    all_of,
)
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, TableIndex
from dynamorm_async.types import AttributeValue, Request


@attrs.frozen(kw_only=True)
class Reading:
    """What a query or scan was asked for.

    Attributes:
        conditions: all of them must hold of an item.
        using: the index to use; ``None`` leaves the choice to the planner.
        descending: the highest sort key first.
        consistent: strongly consistent reads.
        limit: how many items the caller wants; ``None`` is all.
        page_size: how many items DynamoDB reads for one page; ``None`` is up to 1 MB.
    """

    conditions: tuple[Condition, ...] = ()
    using: Index | str | None = None
    descending: bool = False
    consistent: bool = False
    limit: int | None = None
    page_size: int | None = None


@attrs.frozen
class _Target:
    """The table itself or one of its indexes."""

    index: TableIndex | None
    partition: tuple[KeyPart, ...]
    sort: tuple[KeyPart, ...]


def query_request(spec: ModelSpec[Any], table: str, reading: Reading) -> Request:
    """The request of a query's first page.

    Raises:
        NoUsableIndex: no key or index has its partition key given by an equality.
        InvalidExpression: conditions on a key that DynamoDB cannot combine.
        UsageError: an unknown index, or a consistent read of a global one.
    """
    parts = _parts(reading.conditions)
    target = _choose(spec, reading, parts)
    key, rest = _split(spec, target, parts)
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table}
    if target.index is not None:
        body["IndexName"] = target.index.name
    if reading.descending:
        body["ScanIndexForward"] = False
    key_expression = " AND ".join(condition.render(placeholders) for condition in key)
    _finish(body, reading, rest, placeholders, KeyConditionExpression=key_expression)
    return Request(operation="Query", body=body, table=table)


def scan_request(spec: ModelSpec[Any], table: str, reading: Reading) -> Request:
    """The request of a scan's first page."""
    body: dict[str, Any] = {"TableName": table}
    if reading.using is not None:
        index = _named(spec, reading.using)
        _check_consistency(index, reading)
        body["IndexName"] = index.name
    _finish(body, reading, _parts(reading.conditions), Placeholders())
    return Request(operation="Scan", body=body, table=table)


def next_page(request: Request, last_key: dict[str, AttributeValue]) -> Request:
    """The request of the page after the one that ended at a key.

    Raises:
        UsageError: that key did not move, so reading would never end.
    """
    if request.body.get("ExclusiveStartKey") == last_key:
        raise UsageError(
            f"{request.operation} on {request.table} ended twice at the same key: the endpoint does not page correctly"
        )
    return Request(
        operation=request.operation, body={**request.body, "ExclusiveStartKey": last_key}, table=request.table
    )


def _finish(
    body: dict[str, Any], reading: Reading, rest: Sequence[Condition], placeholders: Placeholders, **expressions: str
) -> None:
    condition = all_of(rest)
    if condition is not None:
        expressions["FilterExpression"] = condition.render(placeholders)
    if reading.consistent:
        body["ConsistentRead"] = True
    # A limit bounds a page only where every item read is an item returned: a filter may drop all of them.
    sizes = [reading.page_size, reading.limit if condition is None else None]
    wanted = [size for size in sizes if size is not None]
    if wanted:
        body["Limit"] = min(wanted)
    placeholders.into(body, **expressions)


def _parts(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions that must all hold, one by one."""
    whole = all_of(conditions)
    return () if whole is None else whole.conditions if isinstance(whole, Every) else (whole,)


def _choose(spec: ModelSpec[Any], reading: Reading, parts: Sequence[Condition]) -> _Target:
    equal = {name for name in map(_equality, parts) if name is not None}
    if reading.using is not None:
        index = _named(spec, reading.using)
        _check_consistency(index, reading)
        target = _Target(index, index.partition, index.sort)
        missing = [part.name for part in target.partition if part.name not in equal]
        if missing:
            raise NoUsableIndex(f"{spec.name}: index {index.name} needs {_wanted(spec, missing)} in where()")
        return target
    candidates = [_Target(None, (spec.table.partition_key,), (spec.table.sort_key,) if spec.table.sort_key else ())]
    candidates += [_Target(i, i.partition, i.sort) for i in spec.table.indexes if _is_complete(spec, i, reading)]
    for target in candidates:
        if all(part.name in equal for part in target.partition):
            return target
    choices = [f"the table ({_wanted(spec, [spec.table.partition_key.name])})"]
    choices += [f"index {i.name} ({_wanted(spec, [p.name for p in i.partition])})" for i in spec.table.indexes]
    raise NoUsableIndex(
        f"no key of {spec.name} answers this query without reading the whole table. Give the partition key of "
        f"{' or '.join(choices)}; or read everything on purpose with db.scan({spec.name})"
    )


def _is_complete(spec: ModelSpec[Any], index: TableIndex, reading: Reading) -> bool:
    """Whether an index holds every item whole, as consistently as was asked, so that it may be chosen unasked."""
    if index.projection != "all" or (reading.consistent and not index.local):
        return False
    members = {member.wire: member for member in spec.attributes.values()}
    keys = [members.get(part.name) for part in (*index.partition, *index.sort)]
    return all(member is not None and not member.shape.nullable for member in keys)


def _named(spec: ModelSpec[Any], using: Index | str) -> TableIndex:
    name = using if isinstance(using, str) else using.name
    index = spec.table.index(name)
    if index is None:
        known = ", ".join(index.name for index in spec.table.indexes) or "none"
        raise UsageError(f"table {spec.table.name} of {spec.name} has no index {name!r}; it has {known}")
    return index


def _check_consistency(index: TableIndex, reading: Reading) -> None:
    if reading.consistent and not index.local:
        raise UsageError(f"index {index.name} is global: DynamoDB reads it eventually consistently only")


def _split(
    spec: ModelSpec[Any], target: _Target, parts: Sequence[Condition]
) -> tuple[list[Condition], list[Condition]]:
    """The key conditions, in key order, and what is left for the filter."""
    partition_names = [part.name for part in target.partition]
    sort_names = [part.name for part in target.sort]
    by_name: dict[str, list[Condition]] = {}
    rest: list[Condition] = []
    for part in parts:
        name = _key_name(part)
        if name in partition_names or name in sort_names:
            by_name.setdefault(name, []).append(part)
        else:
            rest.append(part)
    keys = [_single(spec, name, by_name[name]) for name in partition_names]
    for name in sort_names:
        if name not in by_name:
            break
        keys.append(_single(spec, name, by_name.pop(name)))
    for name in sort_names:
        if name in by_name:
            raise InvalidExpression(f"{spec.name}.{name}: an earlier part of the sort key has no condition")
    hidden = [root for part in rest for root in part.roots() if root in (*partition_names, *sort_names)]
    if hidden:
        raise InvalidExpression(
            f"{spec.name}.{hidden[0]} is a key here, and DynamoDB allows only one simple condition on a key "
            "(=, <, <=, >, >=, between, begins_with), joined to the others by &"
        )
    return keys, rest


def _single(spec: ModelSpec[Any], name: str, conditions: list[Condition]) -> Condition:
    """The one condition that DynamoDB allows on a key attribute."""
    if len(conditions) == 1:
        return conditions[0]
    bounds = {c.comparator: c for c in conditions if isinstance(c, Comparison)}
    low, high = bounds.get(">="), bounds.get("<=")
    if len(conditions) == len(("low", "high")) and low is not None and high is not None:
        return Between(low.left, low.right, high.right)
    raise InvalidExpression(
        f"{spec.name}.{name}: DynamoDB allows one condition on a key attribute; use between(low, high) for a range"
    )


def _key_name(condition: Condition) -> str | None:
    """The attribute of a condition that DynamoDB takes on a key; ``None`` for any other condition."""
    if isinstance(condition, Comparison):
        simple = condition.comparator != "<>" and isinstance(condition.right, Literally)
        path = condition.left if simple else None
    elif isinstance(condition, Between):
        simple = isinstance(condition.low, Literally) and isinstance(condition.high, Literally)
        path = condition.path if simple else None
    elif isinstance(condition, Function) and condition.name == "begins_with":
        path = condition.path
    else:
        path = None
    if path is None or path.size or len(path.segments) != 1:
        return None
    return str(path.segments[0])


def _equality(condition: Condition) -> str | None:
    """The attribute that a condition sets equal to a value."""
    if isinstance(condition, Comparison) and condition.comparator == "=":
        return _key_name(condition)
    return None


def _wanted(spec: ModelSpec[Any], names: Sequence[str]) -> str:
    python_names = {member.wire: member.name for member in spec.attributes.values()}
    return " & ".join(f"{spec.name}.{python_names.get(name, name)} == ..." for name in names)
