"""``describe``, ``diff`` and ``plan``: what is there, what differs, and what would settle it. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dynamorm_async import Database, TableNotFound
from dynamorm_async.errors import UsageError
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.schema.diff import Difference
from dynamorm_async.schema.live import LiveTable
from dynamorm_async.schema.planning import Plan, plan_table
from dynamorm_async.schema.reading import look, look_at_everything
from dynamorm_async.schema.steps import Permission, check_permissions


async def describe(db: Database, target: type | Table) -> LiveTable:
    """Everything that DynamoDB says of a table.

    Args:
        db: the database.
        target: a model class or a table.

    Returns:
        What is there. What could not be read, for want of permission or since the endpoint does not know it, is ``UNSET``,
        and ``unread`` says why.

    Raises:
        TableNotFound: there is no such table.
        CallError: a request failed.

    Costs DescribeTable, DescribeTimeToLive, DescribeContinuousBackups, ListTagsOfResource, GetResourcePolicy, and
    DescribeContributorInsights for the table and for each global index.
    """
    table = target if isinstance(target, Table) else spec_of(target).table
    live = await look_at_everything(db, table)
    if live is None:
        name = db.tables.name(table)
        raise TableNotFound(f"there is no table {name}", operation="DescribeTable", table=name)
    return live


async def diff(db: Database, *targets: type | Table) -> list[Difference]:
    """What of the tables is not as declared. Empty means: no drift.

    Keys, indexes, vector indexes and time to live are always compared; of settings, those that are declared. An index that
    only DynamoDB has is a difference, too.

    Args:
        db: the database.
        targets: model classes or tables; models that share a table count once, and the table of unique values comes with
            its model.

    Raises:
        UsageError: there are no targets, or two declarations of one table.
        CallError: a request failed.

    Costs, for each table, DescribeTable and DescribeTimeToLive, and one request for each of these that is declared:
    point-in-time recovery, tags, the resource policy, contributor insights.
    """
    return list((await plan(db, *targets)).differences)


async def plan(db: Database, *targets: type | Table, allow: Permission | Sequence[Permission] = ()) -> Plan:
    """What makes the tables as they are declared, in order. Nothing is changed: ``apply`` does that.

    What takes something away is planned only where it is allowed:

    - ``delete_index``: indexes that nobody declares are deleted.
    - ``replace_index``: indexes with another key or projection are deleted and made again; queries fail meanwhile.
    - ``disable_ttl``, ``disable_stream``, ``disable_deletion_protection``: so, and to change what they are about.
    - ``reduce_point_in_time_recovery``: it is turned off, or goes back fewer days.
    - ``remove_replica``, ``remove_tags``, ``remove_resource_policy``: those that are not declared.

    Args:
        db: the database.
        targets: model classes or tables, as for :func:`diff`. Give all models of a table that has several.
        allow: what the plan may take away.

    Raises:
        UsageError: there are no targets, two declarations of one table, or no such permission.
        CallError: a request failed.

    Costs as :func:`diff`.
    """
    allowed = check_permissions((allow,) if isinstance(allow, str) else tuple(allow))  # of one, its name alone will do
    return Plan(
        tables=tuple(
            [plan_table(table, db.tables.name(table), await look(db, table), allowed) for table in declared(targets)]
        ),
        allowed=allowed,
    )


def declared(targets: Sequence[type | Table]) -> list[Table]:
    """The tables of models, each once, and those of their unique values.

    Raises:
        UsageError: there are no targets, or two declarations of one table that are not the same.
    """
    if not targets:
        raise UsageError("no tables: pass models, such as schema.plan(db, User)")
    tables: dict[str, Table] = {}
    for target in targets:
        for table in _tables(target):
            known = tables.setdefault(table.name, table)
            if _content(known) != _content(table):
                raise UsageError(
                    f"table {table.name} is declared twice, with other keys, indexes, time to live or settings: declare "
                    f"one Table({table.name!r}, ...), and let the models live in it"
                )
    return list(tables.values())


def _tables(target: type | Table) -> Iterator[Table]:
    if isinstance(target, Table):
        yield target
        return
    spec: ModelSpec[Any] = spec_of(target)
    yield spec.table
    if spec.marker_table is not None:
        yield spec.marker_table


def _content(table: Table) -> tuple[object, ...]:
    return table.partition_key, table.sort_key, table.indexes, table.vector_indexes, table.ttl, table.settings
