"""Which key or index answers a query: every candidate judged on the whole set of conditions, never on their order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, final

import msgspec

from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.derived import KeyTemplate
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.holding import (
    holds_none,
    keys_made,
    leaves_out,
    position_parts,
    stored_in,
    told_by_keys,
    versions_of,
)
from dynamorm_async.plan.keyparts import Conditions
from dynamorm_async.plan.keyrange import Impossible
from dynamorm_async.plan.strangers import strangers
from dynamorm_async.plan.templates import MAX_QUERIES, Part, partition_parts, sort_parts
from dynamorm_async.types import AttributeValue


class Target(msgspec.Struct, frozen=True):
    """What is read: the table itself, or one of its indexes.

    Attributes:
        name: how people call it.
        key_names: the names of its key attributes.
        index: the index; ``None`` for the table.
        partition: the attributes of its partition key.
        sort: those of its sort key.
        keys: all of them, with the templates of those that the model makes.
        key_parts: the attributes of a position in it.
        held: the attributes that it holds; ``None`` for whole items.
        told: those that it does not hold, but that its keys tell.
        versions: the attribute that tells the schema version, without which nothing can be made of an item; empty where the
            model has none.
    """

    name: str
    key_names: tuple[str, ...]
    index: TableIndex | None
    partition: tuple[KeyPart, ...]
    sort: tuple[KeyPart, ...]
    keys: tuple[KeyPart | KeyTemplate, ...]
    key_parts: tuple[KeyPart, ...]
    held: frozenset[str] | None
    told: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset()

    @property
    def is_global(self) -> bool:
        """Whether it is a global index, which lags behind the table."""
        return self.index is not None and not self.index.local

    def holds(self, name: str) -> bool:
        """Whether it holds an attribute."""
        return self.held is None or name in self.held


@final
class Candidate(msgspec.Struct, frozen=True):
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
        parts: what the conditions say of its key attributes.
        rest: the conditions that are left for the filter.
        nearly: those among them that the key condition says but for one value.
        strangers: the other models whose items can be among those that are read.
        rank: the lowest is best.
    """

    target: Target
    against: tuple[str, ...]
    fatal: bool
    in_favour: tuple[str, ...]
    parts: tuple[Part, ...]
    rest: tuple[Condition, ...]
    nearly: tuple[Condition, ...]
    strangers: tuple[str, ...]
    rank: tuple[int, ...]

    def candidate(self) -> Candidate:
        """The public record."""
        return Candidate(self.target.name, not self.against, (*self.in_favour, *self.against))

    def key_conditions(self) -> list[tuple[Condition, ...]]:
        """The key condition of each query; none where no item can match."""
        found: list[tuple[Condition, ...]] = []
        values = _variables(self.parts)
        for combination in itertools.product(*values.values()):
            item = dict(zip(values, combination, strict=True))
            made = [part.conditions(item) for part in self.parts]
            whole = tuple(condition for each in made if each is not None for condition in each)
            # Values that differ can have one key, where a template keeps less of them.
            if None not in made and whole not in found:
                found.append(whole)
        return found


def targets(spec: ModelSpec[Any]) -> list[Target]:
    """The table, then its local and its global indexes, each in order of declaration."""
    found: list[Target] | None = spec.worked_out.get(targets)
    if found is None:
        indexes = sorted(spec.table.indexes, key=lambda index: not index.local)
        found = spec.worked_out[targets] = [_target(spec, None), *(_target(spec, index) for index in indexes)]
    return found


def plain_target(table: Table, index: TableIndex | None) -> Target:
    """A table or one of its indexes, whatever model is read: without templates."""
    sort_key = table.sort_key
    partition = (table.partition_key,) if index is None else index.partition
    sort = index.sort if index is not None else () if sort_key is None else (sort_key,)
    return Target(
        name="the table" if index is None else f"index {index.name}",
        key_names=tuple(part.name for part in (*partition, *sort)),
        index=index,
        partition=partition,
        sort=sort,
        keys=(*partition, *sort),
        key_parts=position_parts(table, index),
        held=stored_in(table, index),
    )


def target_of(spec: ModelSpec[Any], index: TableIndex | None) -> Target:
    """The table, or one of its indexes, as what is read."""
    return next(target for target in targets(spec) if target.index == index)


def judge(
    spec: ModelSpec[Any],
    target: Target,
    position: int,
    conditions: Conditions,
    *,
    consistent: bool,
    needed: frozenset[str],
    looked_at: frozenset[str],
) -> Judged:
    """Judge one way to answer a query.

    Args:
        spec: the model.
        target: what would be read.
        position: its place among all targets; breaks ties.
        conditions: what must hold.
        consistent: whether the reads are to be strongly consistent.
        needed: the attributes that the answer needs.
        looked_at: the attributes that whatever leaves out hidden items needs.
    """
    count = len(target.partition)
    partition = partition_parts(target.keys[:count], conditions)
    sort = sort_parts(target.keys[count:], conditions, partition)
    parts = (*partition, *sort)
    against = [part.said.reason for part in parts if isinstance(part.said, Impossible)]
    against += _keys_against(spec, target, partition, sort)
    queries = math.prod(len(values) for values in _variables(parts).values())
    if queries > MAX_QUERIES:
        against.append(f"would take {queries} queries; at most {MAX_QUERIES} are made")
    others = () if spec.derived is None else strangers(spec, target.keys, [part.depth for part in parts])
    against += untold(spec, target, others)
    if consistent and target.is_global:
        against.append("is read eventually consistently only")
    fatal = bool(against)
    plain = [key.name for key in target.keys if isinstance(key, KeyPart)]
    rest = conditions.besides(plain, [condition for part in parts for condition in part.exact])
    against += _contents_against(target, rest, needed, looked_at, conditions)
    if target.index is not None:
        against += leaves_out(spec, target.index, target.keys, conditions)
    # Several point reads cost less than the one partition that they are in: queries count only after what narrows.
    partitions = math.prod(len(values) for values in _variables(partition).values())
    kind = 0 if target.index is None else 1 if target.index.local else 2
    return Judged(
        target=target,
        against=tuple(dict.fromkeys(against)),
        fatal=fatal,
        in_favour=() if fatal else _in_favour(parts[count:], queries),
        parts=parts,
        rest=rest,
        nearly=tuple(condition for part in parts for condition in part.nearly),
        strangers=others,
        # What lags behind the table comes last: it is taken only where nothing else answers.
        rank=(int(target.is_global), partitions, -sum(part.strength for part in sort), queries, kind, position),
    )


def untold(spec: ModelSpec[Any], target: Target, others: Sequence[str]) -> list[str]:
    """Why items of other models could not be left out; nothing where they can, or where there are none.

    Args:
        spec: the model.
        target: what is read.
        others: the other models whose items can be among those that are read.
    """
    if not others or spec.derived is None:
        return []
    names, discriminator = " and ".join(others), spec.table.discriminator
    if discriminator is None:
        lacks, advice = f"table {spec.table.name} has no discriminator", "give it one, Table(..., discriminator='type')"
    elif not target.holds(discriminator):
        lacks, advice = f"it does not hold {discriminator}", "widen its projection"
    else:
        return []
    told_apart = (
        f"{lacks} to tell them from those of {spec.name}: {advice}, or begin the templates with texts of their own"
    )
    return [f"may hold items of {names} there, and {told_apart}"]


def wanted(spec: ModelSpec[Any], names: Sequence[str]) -> str:
    """The equalities that are missing, as a user would write them."""
    known = spec.python_names
    return " & ".join(f"{spec.name}.{known.get(name, name)} == ..." for name in names)


def _target(spec: ModelSpec[Any], index: TableIndex | None) -> Target:
    plain = plain_target(spec.table, index)
    return msgspec.structs.replace(
        plain,
        keys=keys_made(spec, (*plain.partition, *plain.sort)),
        told=told_by_keys(spec, index),
        versions=versions_of(spec),
    )


def _variables(parts: Sequence[Part]) -> dict[str, tuple[AttributeValue, ...]]:
    """The values of each attribute whose values the key condition takes: an attribute may be in several keys."""
    found: dict[str, tuple[AttributeValue, ...]] = {}
    for part in parts:
        found.update(part.values)
    return found


def _keys_against(spec: ModelSpec[Any], target: Target, partition: Sequence[Part], sort: Sequence[Part]) -> list[str]:
    against: list[str] = []
    open_names = list(dict.fromkeys(name for part in partition for name in part.open))
    strange = [name for name in open_names if spec.derived is not None and name not in spec.python_names]
    if strange and target.index is not None:
        against.append(holds_none(spec, target.index))
    elif open_names:
        against.append(f"needs {wanted(spec, open_names)}")
    ended = ""
    for part in sort:
        if part.said is not None and not isinstance(part.said, Impossible) and ended:
            against.append(f"takes a condition on {part.label} only where {ended} before it has a value")
        if not part.is_whole:
            ended = ended or part.label
    return against


def _contents_against(
    target: Target,
    rest: Sequence[Condition],
    needed: frozenset[str],
    looked_at: frozenset[str],
    conditions: Conditions,
) -> list[str]:
    """Attributes that an index does not hold."""
    if target.held is None:
        return []
    filtered = frozenset(root for condition in rest for root in condition.roots())
    missing = ((filtered | looked_at) - target.held) | (needed - target.held - target.told)
    return [f"does not hold {', '.join(conditions.label(name) for name in sorted(missing))}"] if missing else []


def _in_favour(sort: Sequence[Part], queries: int) -> tuple[str, ...]:
    if not queries:
        return ("the conditions on its key exclude each other, so nothing is read",)
    reasons = ["its partition key is given" if queries == 1 else f"its partition key is given, by {queries} queries"]
    restricted = dict.fromkeys(name for part in sort for name in part.narrowed_by)
    if restricted:
        reasons.append(f"its sort key narrows what is read ({', '.join(restricted)})")
    return tuple(reasons)
