"""What is read: the best of what was judged, or what was asked for; or why nothing answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dynamorm_async.errors import NoUsableIndex
from dynamorm_async.expressions.conditions import Comparison, Condition, Literally
from dynamorm_async.model.index import Index
from dynamorm_async.model.partition import named_index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.choice import Judged, Target, judge, target_of, targets
from dynamorm_async.plan.hiding import Hiding, barred
from dynamorm_async.plan.keyparts import Conditions
from dynamorm_async.plan.templates import has_partition


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a query asks, of which every key and index can be judged.

    Attributes:
        spec: the model.
        parts: the conditions.
        consistent: whether the reads are to be strongly consistent.
        needed: the attributes that the answer needs.
        looked_at: the attributes that whatever leaves out hidden items needs.
        hiding: what is left out; ``None`` where nothing is.
    """

    spec: ModelSpec[Any]
    parts: tuple[Condition, ...]
    consistent: bool
    needed: frozenset[str]
    looked_at: frozenset[str]
    hiding: Hiding | None

    def judged(self) -> list[Judged]:
        """The table and each index, judged."""
        conditions = Conditions(self.spec, self.parts)
        return [self._judged(conditions, *place) for place in enumerate(targets(self.spec))]

    def named(self, using: Index | str) -> Judged:
        """The index that was asked for, judged.

        Raises:
            UsageError: there is no such index.
        """
        target = target_of(self.spec, named_index(self.spec.table, using, model=self.spec.name))
        return self._judged(Conditions(self.spec, self.parts), 0, target)

    def best(self) -> Judged | None:
        """The best of what can answer; ``None`` where nothing can. Only what has its partition key is judged at all."""
        conditions = Conditions(self.spec, self.parts)
        judged = [
            self._judged(conditions, position, target)
            for position, target in enumerate(targets(self.spec))
            if has_partition(target.keys[: len(target.partition)], conditions)
        ]
        return min((each for each in judged if not each.against), key=lambda each: each.rank, default=None)

    def _judged(self, conditions: Conditions, position: int, target: Target) -> Judged:
        judged = judge(
            self.spec,
            target,
            position,
            conditions,
            consistent=self.consistent,
            needed=self.needed,
            looked_at=self.looked_at,
        )
        return judged if self.hiding is None else barred(judged, self.hiding)


def choose(question: Question, using: Index | str | None, *, allow_scan: bool) -> Judged | None:
    """What is read; ``None`` for a scan of the whole table.

    Args:
        question: what is asked.
        using: the index that was asked for; ``None`` leaves the choice to the planner.
        allow_scan: whether the whole table may be read where nothing else answers.

    Raises:
        NoUsableIndex: nothing answers; the message says what each of them lacks.
        UsageError: there is no such index.
    """
    spec = question.spec
    if using is not None:
        named = question.named(using)
        if named.fatal:
            raise NoUsableIndex(
                f"{spec.name}: {named.target.name} cannot answer this query: {'; '.join(named.against)}"
            )
        return named
    best = question.best()
    if best is not None or allow_scan:
        return best
    lines = "".join(f"\n  {j.target.name}: {'; '.join(j.against)}" for j in question.judged())
    raise NoUsableIndex(
        f"no key or index of {spec.name} answers this query without reading the whole table:{lines}\n"
        f"Give one of them what it needs, name one with using(...){_index_to_declare(spec, question.parts)}, "
        "or insist with allow_scan()"
    )


def _index_to_declare(spec: ModelSpec[Any], parts: Sequence[Condition]) -> str:
    """An index that would serve: on the first attribute that has one value."""
    labels, keys = spec.python_names, {part.name for part in spec.table.key_parts()}
    for part in parts:
        if isinstance(part, Comparison) and part.comparator == "=" and isinstance(part.right, Literally):
            path = part.left.segments
            if len(path) == 1 and not part.left.size and path[0] not in keys:
                label = labels[str(path[0])]
                if spec.derived is None and len(spec.table.models) == 1:
                    return f", declare an index with index(partition={label!r})"
                # The indexes of a table that models share are its own.
                template = f"{label.upper()}#{{{label}}}"
                return f", add a GSI to Table({spec.table.name!r}) and its keys to the model, @model(..., NAME=({template!r}, ...))"
    return ""
