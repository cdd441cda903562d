"""Steps that make and delete indexes: one at a time, and in an order that DynamoDB takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UNSET

from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.settings import of_new_index
from dynamorm_async.plan.tables import all_parts, definitions, index_parameter
from dynamorm_async.plan.vector_tables import vector_index_parameter
from dynamorm_async.schema.diff import Difference
from dynamorm_async.schema.live import LiveTable
from dynamorm_async.schema.settings_steps import insights_step, settings_of
from dynamorm_async.schema.steps import Item, Maker, Permission, Step

_FAILING = "queries of the index fail until it is made again"
_FILLING = "every item that was there is written into it; queries fail until that is done"


def index_steps(make: Maker, found: Sequence[Difference], table: Table, live: LiveTable) -> Iterator[Item]:
    """The steps of all differences of global indexes.

    An index that changes is deleted and made again, where that is allowed. One that nobody declares is deleted last, where
    that is allowed, so that what replaces it is there before.
    """
    deletions: dict[str, Step] = {}
    creations: list[TableIndex] = []
    for one in found:
        name = str(one.subject)
        permission: Permission = "delete_index" if one.is_extra else "replace_index"
        index = table.index(name)
        if one.live is None:
            assert index is not None, "it is declared"  # noqa: S101 - what the difference says
            creations.append(index)
        elif not make.may(permission):
            yield make.left(one.sentence, permission, is_extra=one.is_extra)
        else:
            deletions[name] = make.update(
                "delete_index",
                f"delete index {name}" if one.is_extra else f"delete index {name}, to make it again",
                {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]},
                subject=name,
                warning="queries of the index fail from now on" if one.is_extra else _FAILING,
                permission=permission,
            )
            if index is not None:
                creations.append(index)
    there = {one.index.name: one.index for one in live.description.indexes if not one.index.local}
    for index in creations:
        if index.name in deletions:
            del there[index.name]
            yield deletions.pop(index.name)
        for blocker in _blockers(index, there.values()):
            if blocker.name in deletions:
                del there[blocker.name]
                yield deletions.pop(blocker.name)
            else:
                yield _conflict(make, index, blocker)
                break
        else:
            there[index.name] = index
            yield _creation(make, index, table, live, there.values())
            if settings_of(table).index(index.name).contributor_insights not in (UNSET, None):
                yield insights_step(make, table, index.name)
    yield from deletions.values()


def _blockers(index: TableIndex, others: Any) -> list[TableIndex]:
    """The indexes that have an attribute of it with another type: an attribute has one type in a table."""
    tags = {part.name: part.tag for part in (*index.partition, *index.sort)}
    return [
        other
        for other in others
        if any(tags.get(part.name, part.tag) != part.tag for part in (*other.partition, *other.sort))
    ]


def _conflict(make: Maker, index: TableIndex, other: TableIndex) -> Item:
    return make.refused(
        f"index {index.name} has a key attribute that index {other.name} has with another type, and in DynamoDB an attribute "
        "of keys has one type",
        (
            f'let the plan delete index {other.name} first, with allow="delete_index" or "replace_index"',
            "or give the attribute another name",
        ),
    )


def _creation(make: Maker, index: TableIndex, table: Table, live: LiveTable, there: Any) -> Step:
    settings = settings_of(table)
    billing = live.description.billing  # as it is by then: a switch comes first
    parts = [*_own_parts(table, live), *(part for one in there for part in (*one.partition, *one.sort))]
    create = index_parameter(index) | of_new_index(settings.index(index.name), billing)
    return make.update(
        "create_index",
        f"create index {index.name}",
        {"AttributeDefinitions": definitions(parts), "GlobalSecondaryIndexUpdates": [{"Create": create}]},
        subject=index.name,
        warning=_FILLING,
    )


def _own_parts(table: Table, live: LiveTable) -> list[KeyPart]:
    """The key attributes of what is there besides global indexes."""
    key = table.key_parts()
    local = [one.index for one in live.description.indexes if one.index.local]
    vectors = [one.index for one in live.description.vector_indexes]
    return [
        *key,
        *(part for one in local for part in (*one.partition, *one.sort)),
        *(part for one in vectors for part in one.schema),
    ]


def vector_index_steps(make: Maker, found: Sequence[Difference], table: Table) -> Iterator[Item]:
    """The steps of all differences of vector indexes."""
    last: list[Step] = []
    for one in found:
        name = str(one.subject)
        permission: Permission = "delete_index" if one.is_extra else "replace_index"
        if one.live is not None:
            if not make.may(permission):
                yield make.left(one.sentence, permission, is_extra=one.is_extra)
                continue
            deletion = make.update(
                "delete_vector_index",
                f"delete vector index {name}" if one.is_extra else f"delete vector index {name}, to make it again",
                {"VectorIndexUpdates": [{"Delete": {"IndexName": name}}]},
                subject=name,
                warning="searches of the index fail from now on" if one.is_extra else _FAILING,
                permission=permission,
            )
            if one.is_extra:
                last.append(deletion)
                continue
            yield deletion
        index = table.vector_index(name)
        assert index is not None, "it is declared"  # noqa: S101 - what the difference says
        yield make.update(
            "create_vector_index",
            f"create vector index {name}",
            {
                "AttributeDefinitions": definitions(all_parts(table)),
                "VectorIndexUpdates": [{"Create": vector_index_parameter(index)}],
            },
            subject=name,
            warning="every item that was there is put into it; searches fail until that is done",
        )
    yield from last
