"""From what a collection asks for to its request: one Query of one partition, whatever models its items are of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Between, Comparison, Condition, Function, Literally, OneOf, Path
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.partition import Partition, key_value, named_index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.plan.choice import Target, plain_target
from dynamorm_async.plan.hiding import hiding_names
from dynamorm_async.plan.keyrange import ordered
from dynamorm_async.plan.membership import memberships
from dynamorm_async.plan.projection import projected_paths
from dynamorm_async.plan.reading import Reading, ReadPlan
from dynamorm_async.plan.recognition import Recognition
from dynamorm_async.types import AttributeValue, Request

Policy: TypeAlias = Literal["raise", "skip", "raw"]
"""What becomes of items that are of no known model."""

_MAX_IN: Final = 100


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a collection asks for, besides how it is read.

    Attributes:
        table: the table.
        name: the table's name as requests have it.
        index: the index to read; ``None`` for the table itself.
        partition: the partition key: attributes by their names in DynamoDB.
        models: the models asked for; none for all of the table.
        sort: the condition on the sort key.
        excluded: whether that condition excludes every item.
        unknown: what becomes of items that are of no known model.
    """

    table: Table
    name: str
    index: TableIndex | None
    partition: Mapping[str, AttributeValue]
    models: tuple[ModelSpec[Any], ...] = ()
    sort: Condition | None = None
    excluded: bool = False
    unknown: Policy = "raise"

    @property
    def target(self) -> Target:
        """What is read."""
        return plain_target(self.table, self.index)

    def recognition(self) -> Recognition:
        """What tells its items apart.

        Raises:
            UsageError: they cannot be told apart.
        """
        return Recognition(self.table, self.target.held, self.models)

    def type_filter(self, recognition: Recognition) -> Condition | None:
        """What lets DynamoDB leave out items of models that are not asked for; ``None`` where it cannot, or all are."""
        name, types = recognition.discriminator, [spec.type for spec in recognition.asked]
        told = name is not None and name not in self.target.key_names and None not in types
        if not self.models or name is None or not told or len(types) > _MAX_IN:
            return None
        path, values = Path((name,)), tuple([Literally({"S": kind}) for kind in types])
        return Comparison(path, "=", values[0]) if len(types) == 1 else OneOf(path, values)


def collect(prefix: str, target: object, value: object, index: str | None) -> Collected:
    """What a call of ``collection`` asks for.

    Args:
        prefix: stands before every table's name.
        target: a Table, or a Partition.
        value: the partition key's value beside a table; ``None`` beside a Partition.
        index: the index's name beside a table.

    Raises:
        UsageError: neither of them, no such index, or models that cannot be told apart.
        InvalidKey: the value is empty, too long, or of another type than the partition key.
    """
    if isinstance(target, Partition):
        if value is not None or index is not None:
            raise UsageError("collection(): a partition() has its key and index already; pass it alone")
        return _told_apart(
            Collected(table=target.table, name=prefix + target.table.name, index=target.index, partition=target.key)
        )
    if not isinstance(target, Table):
        raise UsageError(f"collection() takes a Table and a partition key, or a partition(), got {target!r}")
    found = None if index is None else named_index(target, index)
    part, *more = [target.partition_key] if found is None else found.partition
    if more:
        raise UsageError(
            f"collection(): the partition key of index {index} has {1 + len(more)} attributes: make it of a model's, "
            f"partition(Model, index={index!r}, {', '.join(f'{each.name}=...' for each in (part, *more))})"
        )
    key = {part.name: key_value(part, value, kind="partition", where=f"collection({target.name}, {value!r})")}
    return _told_apart(Collected(table=target, name=prefix + target.name, index=found, partition=key))


def beginning(collected: Collected, prefix: object) -> Collected:
    """The same, of the items whose sort key begins with something.

    Raises:
        UsageError: there is no sort key, it is a number, it has a condition already, or that is no beginning of it.
    """
    part = _sort_part(collected, "begins_with")
    if part.tag == "N":
        raise UsageError(f"begins_with(): the sort key attribute {part.name} is a number; use between(low, high)")
    value = key_value(part, prefix, kind="sort", where=f"begins_with({prefix!r})")
    condition = Function("begins_with", Path((part.name,)), Literally(value))
    return msgspec.structs.replace(collected, sort=condition)


def within(collected: Collected, low: object, high: object) -> Collected:
    """The same, of the items whose sort key lies between two values, both included.

    Raises:
        UsageError: there is no sort key, it has a condition already, or a value is not of its type.
    """
    part = _sort_part(collected, "between")
    where = f"between({low!r}, {high!r})"
    ends = [key_value(part, value, kind="sort", where=where) for value in (low, high)]
    condition = Between(Path((part.name,)), Literally(ends[0]), Literally(ends[1]))
    # DynamoDB refuses ends that are the wrong way round.
    return msgspec.structs.replace(collected, sort=condition, excluded=ordered(ends[0]) > ordered(ends[1]))


def plan_collection(collected: Collected, reading: Reading) -> ReadPlan:
    """The plan of a collection.

    Raises:
        UsageError: its models cannot be told apart, or hidden items among them; or a consistent read of a global index.
    """
    target, recognition = collected.target, collected.recognition()
    if reading.consistent and target.is_global:
        raise UsageError(f"{target.name} is global: DynamoDB reads it eventually consistently only")
    hidden = {} if reading.with_hidden else {s: hiding_names(s) for s in recognition.asked if s.hides}
    _check_hidden(collected, hidden)
    types = collected.type_filter(recognition)
    sifted = bool(hidden) or (types is None and (collected.unknown == "skip" or bool(collected.models)))
    looked_at = [name for names in hidden.values() for name in names]
    body = _body(collected, reading, types, sifted=sifted, names=[*_type_names(recognition), *looked_at])
    sealed = collected.table.sealed(collected.name)
    request = Request(operation="Query", body=body, table=collected.name, sealed=sealed)
    requests = () if collected.excluded else (request,)
    return ReadPlan(
        requests=requests,
        target=target,
        key_parts=target.key_parts,
        merge_by=(),
        descending=reading.descending,
        filtered=types is not None or sifted,
        held=target.held,
        told=frozenset(),
        hydrated=False,
        sifted=sifted,
    )


def counts_there(plan: ReadPlan) -> bool:
    """Whether DynamoDB itself counts what a plan that counts reads: then its answers have no items."""
    return any(request.body.get("Select") == "COUNT" for request in plan.requests)


def _body(
    collected: Collected, reading: Reading, types: Condition | None, *, sifted: bool, names: list[str]
) -> dict[str, Any]:
    placeholders = Placeholders()
    body: dict[str, Any] = {"TableName": collected.name}
    if collected.index is not None:
        body["IndexName"] = collected.index.name
    if reading.descending:
        body["ScanIndexForward"] = False
    key: list[Condition] = [Comparison(Path((n,)), "=", Literally(v)) for n, v in collected.partition.items()]
    if collected.sort is not None:
        key.append(collected.sort)
    expressions = {"KeyConditionExpression": " AND ".join(condition.render(placeholders) for condition in key)}
    if types is not None:
        expressions["FilterExpression"] = types.render(placeholders)
    if reading.counting and types is not None and not sifted:
        body["Select"] = "COUNT"
    elif reading.counting:  # items of unknown types are no part of it, or an error
        paths = projected_paths((), dict.fromkeys([*(part.name for part in collected.target.key_parts), *names]))
        # Last, so that it moves no placeholder of what a cursor is bound to.
        expressions["ProjectionExpression"] = ", ".join(placeholders.path(path) for path in paths)
    if reading.consistent:
        body["ConsistentRead"] = True
    # A limit bounds a page only where every item read is an item returned.
    sizes = [reading.page_size, reading.limit if types is None and not sifted else None]
    wanted = [size for size in sizes if size is not None]
    if wanted:
        body["Limit"] = min(wanted)
    placeholders.into(body, **expressions)
    return body


def _type_names(recognition: Recognition) -> list[str]:
    return [] if recognition.discriminator is None else [recognition.discriminator]


def _check_hidden(collected: Collected, hidden: Mapping[ModelSpec[Any], list[str]]) -> None:
    """Refuse an index that does not tell which items are hidden.

    Raises:
        UsageError: it is one.
    """
    held = collected.target.held
    if collected.index is None or held is None:
        return
    for spec, names in hidden.items():
        missing = [spec.python_names[name] for name in names if name not in held]
        if missing and any(one.index == collected.index for one in memberships(spec)):
            raise UsageError(
                f"index {collected.index.name} does not hold {', '.join(missing)}, so it cannot leave out what {spec.name} "
                "hides: ask it with_hidden(), or widen its projection"
            )


def _told_apart(collected: Collected) -> Collected:
    """Refuse at once a table whose items have nothing to tell their models by.

    Raises:
        UsageError: it is one.
    """
    if collected.table.discriminator is None:
        collected.recognition()
    return collected


def _sort_part(collected: Collected, call: str) -> KeyPart:
    sort = collected.target.sort
    if not sort:
        raise UsageError(f"{call}(): {collected.target.name} of {collected.table.name} has no sort key")
    if collected.sort is not None:
        raise UsageError(f"{call}(): the sort key has a condition already, and DynamoDB takes one")
    return sort[0]
