"""Which key or index answers a query: every candidate judged on the whole set of conditions, never on their order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, final

import attrs
import msgspec

from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, TableIndex
from dynamorm_async.plan.keyrange import Impossible, Range, Restriction, Values, restriction
from dynamorm_async.types import AttributeValue

MAX_QUERIES = 100


class Target(msgspec.Struct, frozen=True):
    """What is read: the table itself, or one of its indexes."""

    index: TableIndex | None
    partition: tuple[KeyPart, ...]
    sort: tuple[KeyPart, ...]

    @property
    def name(self) -> str:
        """How people call it."""
        return "the table" if self.index is None else f"index {self.index.name}"

    @property
    def is_global(self) -> bool:
        """Whether it is a global index, which lags behind the table."""
        return self.index is not None and not self.index.local

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of its key attributes."""
        return tuple(part.name for part in (*self.partition, *self.sort))


@final
@attrs.frozen
class Candidate:
    """One way to answer a query, judged.

    Attributes:
        name: ``the table`` or ``index NAME``.
        usable: whether it can answer the query as asked.
        reasons: what speaks for and against it.
    """

    name: str
    usable: bool
    reasons: tuple[str, ...]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A target with all that the choice needs.

    Attributes:
        target: what would be read.
        against: why it cannot be used unasked; empty where it can.
        fatal: whether it cannot be used even when it is asked for.
        in_favour: what speaks for it.
        values: for each query, the values of the key attributes that have one.
        sort_range: the range of the next sort key attribute.
        rest: the conditions that are left for the filter.
        rank: the lowest is best.
    """

    target: Target
    against: tuple[str, ...]
    fatal: bool
    in_favour: tuple[str, ...]
    values: tuple[Mapping[str, AttributeValue], ...]
    sort_range: Condition | None
    rest: tuple[Condition, ...]
    rank: tuple[int, ...]

    def candidate(self) -> Candidate:
        """The public record."""
        return Candidate(self.target.name, not self.against, (*self.in_favour, *self.against))


def targets(spec: ModelSpec[Any]) -> list[Target]:
    """The table, then its local and its global indexes, each in order of declaration."""
    table = Target(None, (spec.table.partition_key,), (spec.table.sort_key,) if spec.table.sort_key else ())
    indexes = sorted(spec.table.indexes, key=lambda index: not index.local)
    return [table, *(Target(index, index.partition, index.sort) for index in indexes)]


def judge(
    spec: ModelSpec[Any],
    target: Target,
    position: int,
    parts: Sequence[Condition],
    *,
    consistent: bool,
    needed: frozenset[str],
) -> Judged:
    """Judge one way to answer a query.

    Args:
        spec: the model.
        target: what would be read.
        position: its place among all targets; breaks ties.
        parts: the conditions that must all hold.
        consistent: whether the reads are to be strongly consistent.
        needed: the attributes that the answer and the filter need.
    """
    labels = spec.python_names
    mentioned = [(part, frozenset(part.roots())) for part in parts]
    told = {
        key.name: restriction(key, labels.get(key.name, key.name), [p for p, names in mentioned if key.name in names])
        for key in (*target.partition, *target.sort)
    }
    rest = tuple(part for part, names in mentioned if names.isdisjoint(told))
    against = [r.reason for r in told.values() if isinstance(r, Impossible)]
    against += _keys_against(spec, target, told, labels)
    fatal = bool(against)
    if consistent and target.is_global:
        against.append("is read eventually consistently only")
        fatal = True
    against += _contents_against(spec, target, told, needed, labels)
    queries = math.prod(len(said.values) for said in told.values() if isinstance(said, Values))
    if queries > MAX_QUERIES:
        against.append(f"would take {queries} queries; at most {MAX_QUERIES} are made")
        fatal = True
    values, sort_range = ((), None) if fatal else _queries(target, told)
    # Several point reads cost less than the one partition that they are in: queries count only after what narrows.
    partitions = math.prod(len(said.values) for p in target.partition if isinstance(said := told[p.name], Values))
    strengths = [_strength(told[part.name]) for part in target.sort]
    kind = 0 if target.index is None else 1 if target.index.local else 2
    return Judged(
        target=target,
        against=tuple(against),
        fatal=fatal,
        in_favour=() if fatal else _in_favour(target, told, queries, labels),
        values=values,
        sort_range=sort_range,
        rest=rest,
        # What lags behind the table comes last: it is taken only where nothing else answers.
        rank=(int(target.is_global), partitions, -sum(strengths), queries, kind, position),
    )


def wanted(spec: ModelSpec[Any], names: Sequence[str]) -> str:
    """The equalities that are missing, as a user would write them."""
    known = spec.python_names
    return " & ".join(f"{spec.name}.{known.get(name, name)} == ..." for name in names)


def _keys_against(
    spec: ModelSpec[Any], target: Target, told: Mapping[str, Restriction], labels: Mapping[str, str]
) -> list[str]:
    against: list[str] = []
    open_parts = [part.name for part in target.partition if not isinstance(told[part.name], Values | Impossible)]
    if open_parts:
        against.append(f"needs {wanted(spec, open_parts)}")
    ended = ""
    for part in target.sort:
        said = told[part.name]
        if isinstance(said, Values | Range) and ended:
            against.append(
                f"takes a condition on {labels.get(part.name, part.name)} only where {ended} before it has a value"
            )
        if not isinstance(said, Values):
            ended = ended or labels.get(part.name, part.name)
    return against


def _contents_against(
    spec: ModelSpec[Any],
    target: Target,
    told: Mapping[str, Restriction],
    needed: frozenset[str],
    labels: Mapping[str, str],
) -> list[str]:
    """Items or attributes that an index does not hold."""
    index = target.index
    if index is None:
        return []
    against: list[str] = []
    if index.projection != "all":
        keys = {part.name for part in (*spec.table.key_parts(), *index.partition, *index.sort)}
        held = keys if index.projection == "keys_only" else keys | set(index.projection)
        missing = sorted(needed - held)
        if missing:
            against.append(f"does not hold {', '.join(labels.get(name, name) for name in missing)}")
    members = {member.wire: member for member in spec.attributes.values()}
    for name in target.key_names:
        member = members.get(name)
        if told[name] is None and (member is None or member.shape.nullable):
            against.append(f"leaves out items without {labels.get(name, name)}")
    return against


def _in_favour(
    target: Target, told: Mapping[str, Restriction], queries: int, labels: Mapping[str, str]
) -> tuple[str, ...]:
    if not queries:
        return ("the conditions on its key exclude each other, so nothing is read",)
    reasons = ["its partition key is given" if queries == 1 else f"its partition key is given, by {queries} queries"]
    restricted = [labels.get(part.name, part.name) for part in target.sort if told[part.name] is not None]
    if restricted:
        reasons.append(f"its sort key narrows what is read ({', '.join(restricted)})")
    return tuple(reasons)


def _queries(
    target: Target, told: Mapping[str, Restriction]
) -> tuple[tuple[Mapping[str, AttributeValue], ...], Condition | None]:
    """The key values of each query, and the range of the sort key attribute that follows them."""
    names: list[str] = []
    choices: list[tuple[AttributeValue, ...]] = []
    sort_range: Condition | None = None
    for name in target.key_names:
        said = told[name]
        if isinstance(said, Values):
            names.append(name)
            choices.append(said.values)
        elif isinstance(said, Range):
            sort_range = said.condition
    return tuple(dict(zip(names, values, strict=True)) for values in itertools.product(*choices)), sort_range


def _strength(said: Restriction) -> int:
    return 2 if isinstance(said, Values) else 1 if isinstance(said, Range) else 0
