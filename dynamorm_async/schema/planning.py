"""From the differences of tables to an ordered plan. Pure: nothing is asked and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, final

import msgspec
from msgspec import UNSET

from dynamorm_async.model.settings import OnDemand
from dynamorm_async.model.table import Table
from dynamorm_async.plan.settings import index_billing, throughput_parameter
from dynamorm_async.plan.tables import create_table
from dynamorm_async.schema.diff import Aspect, Difference, differences, in_words
from dynamorm_async.schema.grouped_steps import tag_steps, throughput_steps
from dynamorm_async.schema.index_steps import index_steps, vector_index_steps
from dynamorm_async.schema.live import LiveTable, created, switched
from dynamorm_async.schema.settings_steps import PLANNERS, settings_of
from dynamorm_async.schema.steps import Item, LeftAlone, Maker, Permission, Refusal, Step

_ORDER: Final[tuple[Aspect, ...]] = (
    "partition_key",
    "sort_key",
    "local_index",
    "deletion_protection",
    "on_demand_maximum",
    "warm_throughput",
    "index",
    "vector_index",
    "ttl",
    "stream",
    "encryption",
    "table_class",
    "point_in_time_recovery",
    "tag",
    "resource_policy",
    "contributor_insights",
    "replica",
)
"""What is settled after what: protection before all else, replicas when everything that they copy is as declared."""


@final
class TablePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done to one table.

    Attributes:
        table: its declaration.
        name: its full name.
        differences: what is not as declared.
        steps: what is to be done, in order.
        left_alone: what is not done, for only DynamoDB has it, or it takes something away and is not allowed.
        refused: what is declared and DynamoDB cannot do.
    """

    table: Table
    name: str
    differences: tuple[Difference, ...]
    steps: tuple[Step, ...]
    left_alone: tuple[LeftAlone, ...]
    refused: tuple[Refusal, ...]


@final
class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What makes tables as they are declared. ``print(plan)`` shows it.

    Attributes:
        tables: the plan of each table.
        allowed: what it may take away.
    """

    tables: tuple[TablePlan, ...]
    allowed: frozenset[Permission] = frozenset()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Everything that is not as declared, whether or not a step settles it. Empty means: no drift."""
        return tuple(one for plan in self.tables for one in plan.differences)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is to be done, in order."""
        return tuple(step for plan in self.tables for step in plan.steps)

    @property
    def left_alone(self) -> tuple[LeftAlone, ...]:
        """What is not done, for only DynamoDB has it, or it takes something away and is not allowed."""
        return tuple(one for plan in self.tables for one in plan.left_alone)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What is declared and DynamoDB cannot do, each with what to do instead."""
        return tuple(one for plan in self.tables for one in plan.refused)

    @property
    def destroys(self) -> tuple[Step, ...]:
        """The steps that take something away; each was allowed."""
        return tuple(step for step in self.steps if step.permission is not None)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do. There may be differences all the same: see ``left_alone`` and ``refused``."""
        return not self.steps

    def __str__(self) -> str:
        lines = [line for plan in self.tables for line in _lines(plan)]
        return "\n".join([*lines, _total(self)])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tables": [
                {
                    "table": plan.name,
                    "differences": [one.as_dict() for one in plan.differences],
                    "steps": [step.as_dict() for step in plan.steps],
                    "left_alone": [one.as_dict() for one in plan.left_alone],
                    "refused": [one.as_dict() for one in plan.refused],
                }
                for plan in self.tables
            ],
            "allowed": sorted(self.allowed),
        }


def plan_table(table: Table, name: str, live: LiveTable | None, allowed: frozenset[Permission]) -> TablePlan:
    """What makes one table as it is declared.

    Args:
        table: what is declared.
        name: the table's full name.
        live: what is there; ``None`` where there is no such table.
        allowed: what may be taken away.
    """
    make = Maker(table=name, allowed=allowed)
    items: list[Item] = []
    if live is None:
        items.append(_creation(make, table))
        then = created(table, name)
    else:
        then = live
        items.extend(_switch(make, table, live))
        if any(isinstance(item, Step) for item in items):
            billing = settings_of(table).billing
            assert billing is not UNSET, "it is switched to it"  # noqa: S101 - what the step says
            then = switched(live, billing)
    items.extend(_items(make, table, then, differences(table, name, then)))
    return TablePlan(
        table=table,
        name=name,
        differences=tuple(differences(table, name, live)),
        steps=tuple(item for item in items if isinstance(item, Step)),
        left_alone=tuple(item for item in items if isinstance(item, LeftAlone)),
        refused=tuple(item for item in items if isinstance(item, Refusal)),
    )


def _creation(make: Maker, table: Table) -> Step:
    indexes = len(table.indexes) + len(table.vector_indexes)
    with_them = f" with {indexes} index{'' if indexes == 1 else 'es'}" if indexes else ""
    return make.step("create_table", f"create the table{with_them}", "CreateTable", create_table(table, make.table))


def _switch(make: Maker, table: Table, live: LiveTable) -> Iterator[Item]:
    """From provisioned throughput to payment on demand, or back: one request, with the throughput of every index."""
    settings = settings_of(table)
    wanted = settings.billing
    if wanted is UNSET or type(wanted) is type(live.description.billing):
        return
    if isinstance(wanted, OnDemand):
        yield make.update(
            "switch_billing",
            "switch to payment on demand",
            {"BillingMode": "PAY_PER_REQUEST"},
            warning="DynamoDB takes four such switches in 24 hours; auto scaling has nothing more to do",
        )
        return
    if live.description.vector_indexes:
        name = live.description.vector_indexes[0].index.name
        reason = f"it cannot be {in_words(wanted)}: it has the vector index {name}, which tables on demand alone have"
        yield make.refused(reason, ("declare it on demand, or delete its vector indexes before",))
        return
    indexes = [
        {"Update": {"IndexName": name, **throughput_parameter(index_billing(settings.index(name), wanted))}}
        for name in live.indexes
    ]
    params = {"BillingMode": "PROVISIONED", **throughput_parameter(wanted)}
    yield make.update(
        "switch_billing",
        f"switch to {in_words(wanted)}",
        params | ({"GlobalSecondaryIndexUpdates": indexes} if indexes else {}),
        warning="requests beyond the throughput are throttled",
    )


def _items(make: Maker, table: Table, live: LiveTable, found: Sequence[Difference]) -> Iterator[Item]:
    by_aspect: dict[Aspect, list[Difference]] = {}
    for one in found:
        by_aspect.setdefault(one.aspect, []).append(one)
    throughput = list(throughput_steps(make, by_aspect.get("throughput", []), table, live))
    yield from (step for step in throughput if isinstance(step, Step) and step.action == "raise_throughput")
    of_all: dict[Aspect, Callable[[list[Difference]], Iterator[Item]]] = {
        "partition_key": lambda these: _unchangeable(make, these),
        "sort_key": lambda these: _unchangeable(make, these),
        "local_index": lambda these: _local_indexes(make, these),
        "index": lambda these: index_steps(make, these, table, live),
        "vector_index": lambda these: vector_index_steps(make, these, table),
        "tag": lambda these: tag_steps(make, these, live),
    }
    for aspect in _ORDER:
        these = by_aspect.get(aspect)
        if not these:
            continue
        if aspect in of_all:
            yield from of_all[aspect](these)
        else:
            for one in sorted(these, key=lambda one: one.is_extra):  # what is added comes before what is taken away
                yield from PLANNERS[aspect](make, one, table, live)
    yield from (step for step in throughput if isinstance(step, Step) and step.action == "lower_throughput")


def _unchangeable(make: Maker, found: Sequence[Difference]) -> Iterator[Item]:
    yield from (make.refused(f"{one.sentence}: DynamoDB cannot change the key of a table") for one in found)


def _local_indexes(make: Maker, found: Sequence[Difference]) -> Iterator[Item]:
    for one in found:
        if one.is_extra:
            reason = f"{one.sentence}; DynamoDB deletes local indexes with their table only"
            yield make.left(reason, None, is_extra=True)
        else:
            yield make.refused(
                f"{one.sentence}: DynamoDB makes local indexes with their table only, and cannot change them"
            )


def _lines(plan: TablePlan) -> Iterator[str]:
    """What a plan says of one table; nothing where it is as declared."""
    if not plan.differences:
        return
    yield f"table {plan.name}"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number}. {step.summary}"
        if step.warning:
            yield f"     {step.warning}"
    for heading, entries in (("left alone", plan.left_alone), ("refused", plan.refused)):
        if entries:
            yield f"  {heading}:"
        for entry in entries:
            yield f"  - {entry.reason}"
            if isinstance(entry, Refusal):
                yield from (f"    {number}) {way}" for number, way in enumerate(entry.way_out, 1))


def _total(plan: Plan) -> str:
    count = len(plan.tables)
    if not plan.differences:
        return f"{'the table is' if count == 1 else f'all {count} tables are'} as declared"
    parts = [f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}"]
    if plan.left_alone:
        parts.append(f"{len(plan.left_alone)} left alone")
    if plan.refused:
        parts.append(f"{len(plan.refused)} refused")
    return ", ".join(parts)
