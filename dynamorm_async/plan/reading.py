"""From what a query or scan asks for to its requests: one, several to be merged, or none where nothing can match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dynamorm_async.errors import NoUsableIndex, UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Comparison, Condition, Every, Literally, Path, Segments, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, TableIndex
from dynamorm_async.plan.choice import Candidate, Judged, Target, judge, targets
from dynamorm_async.plan.hiding import Hiding, barred, holds_hidden_only
from dynamorm_async.plan.projection import projected_paths
from dynamorm_async.types import AttributeValue, Request


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a query or scan was asked for.

    Attributes:
        conditions: all of them must hold of an item.
        using: the index to use; ``None`` leaves the choice to the planner.
        select: the attributes to return; ``None`` returns whole items.
        descending: the highest sort key first.
        consistent: strongly consistent reads.
        limit: how many items the caller wants; ``None`` is all.
        page_size: how many items DynamoDB reads for one page; ``None`` is up to 1 MB.
        allow_scan: read the whole table where no key or index answers.
        prefetch: fetch the next page while the present one is consumed.
        hydrate: read the whole items of an index that does not hold them from the table.
        segments: how many segments of a scan are read at the same time.
        capacity: read capacity units a second that a scan may take; ``None`` is no bound.
        after: the cursor to go on from.
        counting: only the number of items is wanted, of what would be read for the items.
        with_hidden: expired and soft-deleted items, too, of a model that hides them.
    """

    conditions: tuple[Condition, ...] = ()
    using: Index | str | None = None
    select: tuple[Attr[Any], ...] | None = None
    descending: bool = False
    consistent: bool = False
    limit: int | None = None
    page_size: int | None = None
    allow_scan: bool = False
    prefetch: bool = True
    hydrate: bool = False
    segments: int = 1
    capacity: float | None = None
    after: str | None = None
    counting: bool = False
    with_hidden: bool = False


class ReadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a reading is done.

    Attributes:
        requests: the first request of each part; none where no item can match.
        target: what is read.
        key_parts: the attributes of a position in it.
        merge_by: the attributes by which the parts are merged; empty for one part, or where order is free.
        descending: whether they are merged from the highest.
        filtered: whether items that were read may be dropped.
        held: the attributes that the read index holds; ``None`` for whole items.
        hydrated: whether only keys are read there, and the items from the table.
        judged: every key and index, judged.
        hiding: what is left out; ``None`` where nothing is.
        sifted: whether DynamoDB cannot leave out all of that, so that rows are looked at after they were read.
    """

    requests: tuple[Request, ...]
    target: Target
    key_parts: tuple[KeyPart, ...]
    merge_by: tuple[str, ...]
    descending: bool
    filtered: bool
    held: frozenset[str] | None
    hydrated: bool
    judged: tuple[Judged, ...]
    hiding: Hiding | None = None
    sifted: bool = False

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every key and index, with what speaks for and against it."""
        return tuple(judged.candidate() for judged in self.judged)

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the attributes of a position in it."""
        return tuple(part.name for part in self.key_parts)


def plan_query(spec: ModelSpec[Any], table: str, reading: Reading, hiding: Hiding | None = None) -> ReadPlan:
    """The plan of a query; of a scan, where only that can answer and it is allowed.

    What is hidden has no say in the choice: it is filtered out of whatever the conditions choose.

    Raises:
        NoUsableIndex: no key or index answers; the message says what each of them lacks.
        UsageError: there is no such index.
    """
    parts = _parts(reading.conditions)
    judged = _judged(spec, reading, parts, hiding)
    chosen = _choose(spec, reading, judged, parts)
    if chosen is None:
        return msgspec.structs.replace(plan_scan(spec, table, reading, hiding), judged=judged)
    _check_held(spec, reading, parts, chosen.target.index, hiding)
    held = _held(spec, chosen.target.index)
    unfiltered = _unfiltered(reading, hiding, held, chosen.target.key_names)
    if hiding is not None:
        rest = (*chosen.rest, *hiding.conditions(besides=unfiltered))
        chosen = msgspec.structs.replace(chosen, rest=rest)
    sifted = bool(unfiltered)
    requests = tuple(_query(spec, table, reading, chosen, values, sifted=sifted) for values in chosen.values)
    return ReadPlan(
        requests=requests,
        target=chosen.target,
        key_parts=_position_parts(spec, chosen.target.index),
        merge_by=tuple(part.name for part in chosen.target.sort) if len(requests) > 1 else (),
        descending=reading.descending,
        filtered=bool(chosen.rest or unfiltered),
        held=held,
        hydrated=reading.hydrate and held is not None,
        judged=judged,
        hiding=hiding,
        sifted=sifted,
    )


def plan_scan(spec: ModelSpec[Any], table: str, reading: Reading, hiding: Hiding | None = None) -> ReadPlan:
    """The plan of a scan of the table, or of the index that was asked for.

    Raises:
        UsageError: there is no such index, or it cannot be read as asked.
    """
    index = None if reading.using is None else _named(spec, reading.using)
    target = targets(spec)[0] if index is None else Target(index, index.partition, index.sort)
    if reading.consistent and target.is_global:
        raise UsageError(f"{target.name} is global: DynamoDB reads it eventually consistently only")
    if reading.descending:
        raise UsageError(f"a scan of {spec.name} has no order: descending() needs a query on a partition key")
    if hiding is not None and holds_hidden_only(target, hiding):
        raise UsageError(f"{target.name} holds soft-deleted items only: ask for them with_hidden()")
    parts, held = _parts(reading.conditions), _held(spec, index)
    _check_held(spec, reading, parts, index, hiding)
    unfiltered = _unfiltered(reading, hiding, held, ())  # a scan can be filtered on keys
    rest = parts if hiding is None else (*parts, *hiding.conditions(besides=unfiltered))
    requests: list[Request] = []
    for segment in range(reading.segments):
        body: dict[str, Any] = {"TableName": table}
        if index is not None:
            body["IndexName"] = index.name
        if reading.segments > 1:
            body |= {"Segment": segment, "TotalSegments": reading.segments}
        _finish(body, reading, rest, _projection(spec, reading, index), sifted=bool(unfiltered))
        requests.append(Request(operation="Scan", body=body, table=table))
    return ReadPlan(
        requests=tuple(requests),
        target=target,
        key_parts=_position_parts(spec, index),
        merge_by=(),
        descending=False,
        filtered=bool(rest or unfiltered),
        held=held,
        hydrated=reading.hydrate and held is not None,
        judged=(),
        hiding=hiding,
        sifted=bool(unfiltered),
    )


def _judged(
    spec: ModelSpec[Any], reading: Reading, parts: Sequence[Condition], hiding: Hiding | None
) -> tuple[Judged, ...]:
    needed = _needed(spec, reading, parts) | _looked_at(reading, hiding)
    judged = tuple(
        judge(spec, target, position, parts, consistent=reading.consistent, needed=needed)
        for position, target in enumerate(targets(spec))
    )
    return judged if hiding is None else tuple(barred(candidate, hiding) for candidate in judged)


def _query(
    spec: ModelSpec[Any],
    table: str,
    reading: Reading,
    chosen: Judged,
    values: Mapping[str, AttributeValue],
    *,
    sifted: bool,
) -> Request:
    key: list[Condition] = [Comparison(Path((name,)), "=", Literally(value)) for name, value in values.items()]
    if chosen.sort_range is not None:
        key.append(chosen.sort_range)
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table}
    if chosen.target.index is not None:
        body["IndexName"] = chosen.target.index.name
    if reading.descending:
        body["ScanIndexForward"] = False
    expression = " AND ".join(condition.render(placeholders) for condition in key)
    projection = _projection(spec, reading, chosen.target.index)
    _finish(body, reading, chosen.rest, projection, placeholders, sifted=sifted, KeyConditionExpression=expression)
    return Request(operation="Query", body=body, table=table)


def _finish(
    body: dict[str, Any],
    reading: Reading,
    rest: Sequence[Condition],
    projection: Sequence[Segments] | None,
    placeholders: Placeholders | None = None,
    *,
    sifted: bool,
    **expressions: str,
) -> None:
    names = placeholders or Placeholders()
    condition = all_of(rest)
    if condition is not None:
        expressions["FilterExpression"] = condition.render(names)
    if reading.counting and not sifted:
        body["Select"] = "COUNT"
    elif projection is not None:
        # Last, so that it moves no placeholder of what a cursor is bound to.
        expressions["ProjectionExpression"] = ", ".join(names.path(path) for path in projection)
    if reading.consistent:
        body["ConsistentRead"] = True
    # A limit bounds a page only where every item read is an item returned: a filter may drop all of them.
    sizes = [reading.page_size, reading.limit if condition is None and not sifted else None]
    wanted = [size for size in sizes if size is not None]
    if wanted:
        body["Limit"] = min(wanted)
    names.into(body, **expressions)


def _projection(spec: ModelSpec[Any], reading: Reading, index: TableIndex | None) -> list[Segments] | None:
    """The paths to ask for; ``None`` is everything. Rows that are counted here are asked for by their keys."""
    key_names = [part.name for part in _position_parts(spec, index)]
    if reading.counting or (reading.hydrate and _held(spec, index) is not None):
        return projected_paths((), key_names)
    return None if reading.select is None else projected_paths(reading.select, key_names)


def _parts(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions that must all hold, each once, in an order of their own: not that in which they were given."""
    whole = all_of(conditions)
    parts = () if whole is None else whole.conditions if isinstance(whole, Every) else (whole,)
    if len(parts) < 2:  # noqa: PLR2004 - nothing to order
        return parts
    return tuple(
        sorted({repr(part): part for part in parts}.values(), key=lambda part: (next(part.roots()), repr(part)))
    )


def _needed(spec: ModelSpec[Any], reading: Reading, parts: Sequence[Condition]) -> frozenset[str]:
    filtered = {root for part in parts for root in part.roots()}
    if reading.hydrate:
        return frozenset(filtered)
    if reading.select is not None:
        return frozenset(filtered | {str(attr.segments[0]) for attr in reading.select})
    return frozenset(filtered | spec.python_names.keys())


def _looked_at(reading: Reading, hiding: Hiding | None) -> frozenset[str]:
    """The attributes that what is read must hold for hidden items to be left out; of whole items they are at hand."""
    return hiding.names if hiding is not None and (reading.counting or not reading.hydrate) else frozenset()


def _unfiltered(
    reading: Reading, hiding: Hiding | None, held: frozenset[str] | None, keyed: Sequence[str]
) -> frozenset[str]:
    """The attributes of hidden items that DynamoDB takes no filter on: keys of what a query reads, and what it does not hold."""
    if hiding is None:
        return frozenset()
    absent = hiding.names - held if held is not None and reading.hydrate else frozenset[str]()
    return absent | (hiding.names & set(keyed))


def _check_held(
    spec: ModelSpec[Any],
    reading: Reading,
    parts: Sequence[Condition],
    index: TableIndex | None,
    hiding: Hiding | None,
) -> None:
    """Refuse to ask an index for what it does not hold: engines answer with nothing there, or with defaults.

    Raises:
        UsageError: the filter or the selection names such an attribute, or hidden items are known by it.
    """
    held = _held(spec, index)
    if index is None or held is None:
        return
    asked = {root for part in parts for root in part.roots()}
    if reading.select is not None and not reading.hydrate:
        asked |= {str(attr.segments[0]) for attr in reading.select}
    missing = sorted(asked - held)
    if missing:
        raise UsageError(
            f"index {index.name} does not hold {', '.join(missing)}: a filter or select() there cannot use it. "
            "Read the table, widen the index's projection, or filter in Python after hydrate()"
        )
    unknown = sorted(spec.python_names[name] for name in _looked_at(reading, hiding) - held)
    if unknown:
        raise UsageError(
            f"index {index.name} does not hold {', '.join(unknown)}, so it cannot leave out what {spec.name} hides: "
            "ask it with_hidden(), widen its projection, or read whole items with hydrate(), which count() cannot use"
        )


def _choose(
    spec: ModelSpec[Any], reading: Reading, judged: Sequence[Judged], parts: Sequence[Condition]
) -> Judged | None:
    if reading.using is not None:
        index = _named(spec, reading.using)
        named = next(j for j in judged if j.target.index == index)
        if named.fatal:
            raise NoUsableIndex(f"{spec.name}: index {index.name} cannot answer this query: {'; '.join(named.against)}")
        return named
    usable = [j for j in judged if not j.against]
    if usable:
        return min(usable, key=lambda j: j.rank)
    if reading.allow_scan:
        return None
    lines = "".join(f"\n  {j.target.name}: {'; '.join(j.against)}" for j in judged)
    raise NoUsableIndex(
        f"no key or index of {spec.name} answers this query without reading the whole table:{lines}\n"
        f"Give one of them what it needs, name one with using(...){_index_to_declare(spec, parts)}, "
        "or insist with allow_scan()"
    )


def _index_to_declare(spec: ModelSpec[Any], parts: Sequence[Condition]) -> str:
    """An index that would serve: on the first attribute that has one value."""
    labels, keys = spec.python_names, {part.name for part in spec.table.key_parts()}
    for part in parts:
        if isinstance(part, Comparison) and part.comparator == "=" and isinstance(part.right, Literally):
            path = part.left.segments
            if len(path) == 1 and not part.left.size and path[0] not in keys:
                return f", declare an index with index(partition={labels[str(path[0])]!r})"
    return ""


def _named(spec: ModelSpec[Any], using: Index | str) -> TableIndex:
    name = using if isinstance(using, str) else using.name
    index = spec.table.index(name)
    if index is None:
        known = ", ".join(index.name for index in spec.table.indexes) or "none"
        raise UsageError(f"table {spec.table.name} of {spec.name} has no index {name!r}; it has {known}")
    return index


def _position_parts(spec: ModelSpec[Any], index: TableIndex | None) -> tuple[KeyPart, ...]:
    """The attributes of a LastEvaluatedKey: the table's key, and the index's."""
    parts = spec.table.key_parts() if index is None else (*spec.table.key_parts(), *index.partition, *index.sort)
    return tuple(dict.fromkeys(parts))


def _held(spec: ModelSpec[Any], index: TableIndex | None) -> frozenset[str] | None:
    if index is None or index.projection == "all":
        return None
    extra = () if index.projection == "keys_only" else index.projection
    return frozenset((*(part.name for part in _position_parts(spec, index)), *extra))
