"""From what a query or scan asks for to its requests: one, several to be merged, or none where nothing can match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Condition, Every, Segments, all_of
from dynamorm_async.expressions.identity import identity
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.index import Index
from dynamorm_async.model.partition import named_index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart
from dynamorm_async.plan.choice import Candidate, Target, target_of
from dynamorm_async.plan.choosing import Question, choose
from dynamorm_async.plan.hiding import Hiding, holds_hidden_only
from dynamorm_async.plan.holding import versions_of
from dynamorm_async.plan.projection import projected_paths
from dynamorm_async.plan.unmixing import typed, unmixed
from dynamorm_async.types import Request, Sealed


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
        timeout: seconds for all of it; ``None`` for no bound besides that of each request.
        stored: items are wanted as they are stored: no models, nothing decrypted.
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
    timeout: float | None = None
    stored: bool = False


class ReadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a reading is done.

    Attributes:
        requests: the first request of each part; none where no item can match.
        target: what is read.
        key_parts: the attributes of a position in it.
        merge_by: the attributes by which the parts are merged; empty for one part, or where order is free.
        descending: whether they are merged from the highest.
        filtered: whether items that were read may be dropped, other than by the way: one at an end of the range, and
            what other programs wrote where only this model's items belong.
        held: the attributes that the read index holds; ``None`` for whole items.
        told: the attributes that it does not hold, but that its keys tell.
        hydrated: whether only keys are read there, and the items from the table.
        question: what was asked, of which every key and index can be judged; ``None`` for a scan.
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
    told: frozenset[str]
    hydrated: bool
    question: Question | None = None
    hiding: Hiding | None = None
    sifted: bool = False

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every key and index, with what speaks for and against it."""
        return () if self.question is None else tuple(judged.candidate() for judged in self.question.judged())

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the attributes of a position in it."""
        return tuple(part.name for part in self.key_parts)


class _Filter(msgspec.Struct, frozen=True):
    """What is left to be done with what is read.

    Attributes:
        conditions: what DynamoDB filters by.
        sifted: whether rows are looked at after they were read.
        drops: whether items may be dropped, other than by the way.
    """

    conditions: tuple[Condition, ...]
    sifted: bool
    drops: bool


def plan_query(spec: ModelSpec[Any], table: str, reading: Reading, hiding: Hiding | None = None) -> ReadPlan:
    """The plan of a query; of a scan, where only that can answer and it is allowed.

    What is hidden has no say in the choice: it is filtered out of whatever the conditions choose.

    Raises:
        NoUsableIndex: no key or index answers; the message says what each of them lacks.
        UsageError: there is no such index, or other models' items cannot be told apart.
    """
    question = Question(
        spec=spec,
        parts=_parts(reading.conditions),
        consistent=reading.consistent,
        needed=_needed(spec, reading),
        looked_at=_looked_at(reading, hiding),
        hiding=hiding,
    )
    chosen = choose(question, reading.using, allow_scan=reading.allow_scan)
    if chosen is None:
        return msgspec.structs.replace(plan_scan(spec, table, reading, hiding), question=question)
    target = chosen.target
    _check_held(spec, reading, chosen.rest, target, hiding)
    unfiltered = _unfiltered(reading, hiding, target, target.key_names)
    hidden = () if hiding is None else hiding.conditions(besides=unfiltered)
    of_type = typed(spec, target)
    left = _Filter(
        (*chosen.rest, *hidden, *of_type),
        sifted=bool(unfiltered),
        drops=bool(hidden or unfiltered or len(chosen.rest) > len(chosen.nearly) or (of_type and chosen.strangers)),
    )
    sealed = () if reading.stored else spec.sealed(table)
    requests = tuple(_query(table, reading, target, key, left, sealed=sealed) for key in chosen.key_conditions())
    merge_by = tuple(part.name for part in target.sort) if len(requests) > 1 else ()
    return _plan(reading, requests, target, left, merge_by=merge_by, question=question, hiding=hiding)


def plan_scan(spec: ModelSpec[Any], table: str, reading: Reading, hiding: Hiding | None = None) -> ReadPlan:
    """The plan of a scan of the table, or of the index that was asked for.

    Raises:
        UsageError: there is no such index, it cannot be read as asked, or other models' items cannot be told apart.
    """
    named = None if reading.using is None else named_index(spec.table, reading.using, model=spec.name)
    target = target_of(spec, named)
    if reading.consistent and target.is_global:
        raise UsageError(f"{target.name} is global: DynamoDB reads it eventually consistently only")
    if reading.descending:
        raise UsageError(f"a scan of {spec.name} has no order: descending() needs a query on a partition key")
    if hiding is not None and holds_hidden_only(target, hiding):
        raise UsageError(f"{target.name} holds soft-deleted items only: ask for them with_hidden()")
    parts = _parts(reading.conditions)
    _check_held(spec, reading, parts, target, hiding)
    unfiltered = _unfiltered(reading, hiding, target, ())  # a scan can be filtered on keys
    hidden = () if hiding is None else hiding.conditions(besides=unfiltered)
    of_type, mixed = unmixed(spec, target)
    left = _Filter(
        (*parts, *hidden, *of_type),
        sifted=bool(unfiltered),
        drops=bool(parts or hidden or unfiltered or mixed),
    )
    sealed = () if reading.stored else spec.sealed(table)
    requests = tuple(_scan(table, reading, target, segment, left, sealed=sealed) for segment in range(reading.segments))
    return _plan(reading, requests, target, left, hiding=hiding)


def _plan(
    reading: Reading,
    requests: tuple[Request, ...],
    target: Target,
    left: _Filter,
    *,
    merge_by: tuple[str, ...] = (),
    question: Question | None = None,
    hiding: Hiding | None,
) -> ReadPlan:
    return ReadPlan(
        requests=requests,
        target=target,
        key_parts=target.key_parts,
        merge_by=merge_by,
        descending=reading.descending,
        filtered=left.drops,
        held=target.held,
        told=target.told,
        hydrated=reading.hydrate and target.held is not None,
        question=question,
        hiding=hiding,
        sifted=left.sifted,
    )


def _query(
    table: str,
    reading: Reading,
    target: Target,
    key: Sequence[Condition],
    left: _Filter,
    *,
    sealed: tuple[Sealed, ...],
) -> Request:
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": table}
    if target.index is not None:
        body["IndexName"] = target.index.name
    if reading.descending:
        body["ScanIndexForward"] = False
    expression = " AND ".join(condition.render(placeholders) for condition in key)
    _finish(body, reading, left, _projection(reading, target), placeholders, KeyConditionExpression=expression)
    return Request(operation="Query", body=body, table=table, sealed=sealed)


def _scan(
    table: str, reading: Reading, target: Target, segment: int, left: _Filter, *, sealed: tuple[Sealed, ...]
) -> Request:
    body: dict[str, Any] = {"TableName": table}
    if target.index is not None:
        body["IndexName"] = target.index.name
    if reading.segments > 1:
        body |= {"Segment": segment, "TotalSegments": reading.segments}
    _finish(body, reading, left, _projection(reading, target), Placeholders())
    return Request(operation="Scan", body=body, table=table, sealed=sealed)


def _finish(
    body: dict[str, Any],
    reading: Reading,
    left: _Filter,
    projection: Sequence[Segments] | None,
    names: Placeholders,
    **expressions: str,
) -> None:
    condition = all_of(left.conditions)
    if condition is not None:
        expressions["FilterExpression"] = condition.render(names)
    if reading.counting and not left.sifted:
        body["Select"] = "COUNT"
    elif projection is not None:
        # Last, so that it moves no placeholder of what a cursor is bound to.
        expressions["ProjectionExpression"] = ", ".join(names.path(path) for path in projection)
    if reading.consistent:
        body["ConsistentRead"] = True
    # A limit bounds a page only where every item read is an item returned: a filter may drop all of them.
    sizes = [reading.page_size, None if left.drops else reading.limit]
    wanted = [size for size in sizes if size is not None]
    if wanted:
        body["Limit"] = min(wanted)
    names.into(body, **expressions)


def _projection(reading: Reading, target: Target) -> list[Segments] | None:
    """The paths to ask for; ``None`` is everything. Rows that are counted here are asked for by their keys."""
    key_names = [part.name for part in target.key_parts]
    if reading.counting or (reading.hydrate and target.held is not None):
        return projected_paths((), key_names)
    if reading.select is None:
        return None
    selected = (attr for attr in reading.select if attr.segments[0] not in target.told)
    return projected_paths(selected, [*key_names, *target.versions])


def _parts(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """The conditions that must all hold, each once, in an order of their own: not that in which they were given."""
    whole = all_of(conditions)
    parts = () if whole is None else whole.conditions if isinstance(whole, Every) else (whole,)
    if len(parts) < 2:  # noqa: PLR2004 - nothing to order
        return parts
    unique = {identity(part): part for part in parts}
    return tuple(unique[text] for _root, text in sorted((next(part.roots()), text) for text, part in unique.items()))


def _needed(spec: ModelSpec[Any], reading: Reading) -> frozenset[str]:
    """The attributes that the answer needs, besides those that it is filtered by."""
    if reading.hydrate:
        return frozenset()
    if reading.select is not None:
        return frozenset({*(str(attr.segments[0]) for attr in reading.select), *versions_of(spec)})
    return frozenset({*spec.python_names, *versions_of(spec)})


def _looked_at(reading: Reading, hiding: Hiding | None) -> frozenset[str]:
    """The attributes that what is read must hold for hidden items to be left out; of whole items they are at hand."""
    return hiding.names if hiding is not None and (reading.counting or not reading.hydrate) else frozenset()


def _unfiltered(reading: Reading, hiding: Hiding | None, target: Target, keyed: Sequence[str]) -> frozenset[str]:
    """The attributes of hidden items that DynamoDB takes no filter on: keys of what a query reads, and what it does not hold."""
    if hiding is None:
        return frozenset()
    absent = hiding.names - target.held if target.held is not None and reading.hydrate else frozenset[str]()
    return absent | (hiding.names & set(keyed))


def _check_held(
    spec: ModelSpec[Any], reading: Reading, rest: Sequence[Condition], target: Target, hiding: Hiding | None
) -> None:
    """Refuse to ask an index for what it does not hold: engines answer with nothing there, or with defaults.

    Raises:
        UsageError: the filter or the selection names such an attribute, or hidden items are known by it.
    """
    if target.index is None or target.held is None:
        return
    asked = {root for part in rest for root in part.roots()} - target.held
    if reading.select is not None and not reading.hydrate:
        asked |= {str(attr.segments[0]) for attr in reading.select} - target.held - target.told
    if asked:
        raise UsageError(
            f"{target.name} does not hold {', '.join(sorted(asked))}: a filter or select() there cannot use it. "
            "Read the table, widen the index's projection, or filter in Python after hydrate()"
        )
    if not (reading.hydrate or reading.counting or target.versions <= target.held):
        raise UsageError(
            f"{target.name} does not hold {', '.join(target.versions)}, so the schema version of its items cannot be "
            "told: read whole items with hydrate(), read the table, or widen the index's projection"
        )
    unknown = sorted(spec.python_names[name] for name in _looked_at(reading, hiding) - target.held)
    if unknown:
        raise UsageError(
            f"{target.name} does not hold {', '.join(unknown)}, so it cannot leave out what {spec.name} hides: "
            "ask it with_hidden(), widen its projection, or read whole items with hydrate(), which count() cannot use"
        )
