"""One access pattern: what a model can be read by, without a scan, through one key or index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Literal, TypeAlias, final

import msgspec

from dynamorm_async.codec.components import Component
from dynamorm_async.codec.hidden import MASK, HiddenValue
from dynamorm_async.codec.layout import Member
from dynamorm_async.expressions.placeholders import Placeholders, Segment
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.hiding import hiding_names
from dynamorm_async.plan.membership import Membership
from dynamorm_async.types import AttributeValue

Operation: TypeAlias = Literal["get", "query"]


@final
class AccessPattern(msgspec.Struct, frozen=True, kw_only=True):
    """One way to read items of a model without a scan. Attributes are told by their Python names.

    Attributes:
        model: the model's class.
        table: the name of its table.
        index: the name of the index that is read; ``None`` for the table itself.
        operation: ``get`` for one item by its key, which batches and transactions do as well; ``query`` for many.
        needs: the attributes that have to be given, by equality.
        then: the attributes that may be given besides, each only where all before it have a value.
        ranges: those of ``then`` that take a range as well as a value, which ends the list.
        order: what the items are sorted by. ``placed:%Y-%m-%d`` is by no more of ``placed`` than that.
        consistent: whether strongly consistent reads are possible.
        sparse: conditions that hold of all items that are found so; the others are not in the index.
        projection: ``all``, or the attributes that the index holds: the others are read with ``hydrate()``.
        key: what is asked of the key attributes where only ``needs`` are given.
        example: the call, with a variable named as the attribute for each value.
    """

    model: type
    table: str
    index: str | None = None
    operation: Operation
    needs: tuple[str, ...]
    then: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    consistent: bool = True
    sparse: tuple[str, ...] = ()
    projection: Literal["all"] | tuple[str, ...] = "all"
    key: tuple[str, ...]
    example: str


def patterns_of(spec: ModelSpec[Any], held: Sequence[Membership]) -> Iterator[AccessPattern]:
    """The ways to read one model: its key, then the table and each index that holds its items.

    Args:
        spec: the model.
        held: the table and indexes that hold its items, the table first.
    """
    table, *_ = held
    yield _get(spec, table)
    for membership in held:
        if membership.index is not None or _then(membership):  # else it is the same as the get
            yield _query(spec, membership, held)


def _get(spec: ModelSpec[Any], table: Membership) -> AccessPattern:
    needs = tuple(member.name for member in spec.key)
    return AccessPattern(
        model=spec.cls,
        table=spec.table.name,
        operation="get",
        needs=needs,
        key=tuple(f"{source.part.name} = {source.text}" for source in (*table.partition, *table.sort)),
        example=f"db.get({', '.join([spec.name, *(_variable(spec, name) for name in needs)])})",
    )


def _query(spec: ModelSpec[Any], membership: Membership, held: Sequence[Membership]) -> AccessPattern:
    steps = _then(membership)
    return AccessPattern(
        model=spec.cls,
        table=spec.table.name,
        index=None if membership.index is None else membership.index.name,
        operation="query",
        needs=membership.needs,
        then=tuple(steps),
        ranges=tuple(name for name, ordered in steps.items() if ordered),
        order=tuple(_order(membership)),
        consistent=not membership.target.is_global,
        sparse=tuple(_sparse(spec, membership)),
        projection=_projection(spec, membership),
        key=tuple(_key(membership)),
        example=_example(spec, membership, held),
    )


# --- what the sort key adds -------------------------------------------------------------------


def _open(membership: Membership) -> Iterator[Component | Member]:
    """What the sort key is made of besides what a query gives anyway."""
    given = membership.needs
    for source in membership.sort:
        for part in source.parts:
            if not isinstance(part, str) and _name(part) not in given:
                yield part


def _then(membership: Membership) -> dict[str, bool]:
    """The attributes that may follow, each with whether it takes a range."""
    return {_name(part): _ordered(part) for part in _open(membership)}


def _order(membership: Membership) -> Iterator[str]:
    for part in takewhile(_ordered, _open(membership)):
        yield _name(part) if isinstance(part, Member) or part.lossless else f"{_name(part)}:{part.format}"


def _key(membership: Membership) -> Iterator[str]:
    """What a query asks of the key attributes where it gives the partition key only."""
    yield from (f"{source.part.name} = {source.text}" for source in membership.partition)
    for source in membership.sort:
        told = list(takewhile(lambda part: isinstance(part, str) or _name(part) in membership.needs, source.parts))
        if len(told) < len(source.parts):
            prefix = "".join(part if isinstance(part, str) else _placeholder(part) for part in told)
            if prefix:
                yield f"{source.part.name} begins_with {prefix}"
            return
        yield f"{source.part.name} = {source.text}"


def _name(part: Component | Member) -> str:
    return part.name if isinstance(part, Member) else part.member.name


def _ordered(part: Component | Member) -> bool:
    return isinstance(part, Member) or part.ordered


def _placeholder(part: Component | Member) -> str:
    return f"{{{part.name}}}" if isinstance(part, Member) else part.placeholder


# --- what an index holds ----------------------------------------------------------------------


def _sparse(spec: ModelSpec[Any], membership: Membership) -> Iterator[str]:
    """What holds of the items that the index holds."""
    yield from (f"attribute_exists({member.name})" for member in membership.optional)
    yield from (condition.render(_Shown(spec.python_names)) for condition in membership.when)


def _projection(spec: ModelSpec[Any], membership: Membership) -> Literal["all"] | tuple[str, ...]:
    """The attributes that the index holds, or that its keys tell."""
    held, told = membership.target.held, membership.target.told
    if held is None:
        return "all"
    return tuple(member.name for member in spec.attributes.values() if member.wire in held | told)


@final
class _Shown(Placeholders):
    """Names and values as people write them, in place of their placeholders."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__()
        self._labels = labels

    def path(self, segments: tuple[Segment, ...]) -> str:
        """A document path by Python names."""
        root, *others = segments
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in others)
        return f"{self._labels.get(str(root), root)}{''.join(steps)}"

    def value(self, value: AttributeValue) -> str:
        """A value's content."""
        if isinstance(value, HiddenValue):
            return MASK
        ((tag, content),) = value.items()
        return str(content) if tag == "N" else "None" if tag == "NULL" else repr(content)


# --- examples ---------------------------------------------------------------------------------


def _example(spec: ModelSpec[Any], membership: Membership, held: Sequence[Membership]) -> str:
    conditions = (f"{spec.name}.{name} == {_variable(spec, name)}" for name in membership.needs)
    where = f".where({', '.join(conditions)})" if membership.needs else ""
    return f"db.query({spec.name}){where}{_named(spec, membership, held)}{_hidden(spec, membership)}"


def _named(spec: ModelSpec[Any], membership: Membership, held: Sequence[Membership]) -> str:
    """``.using(...)`` where the planner would not take the index unasked, or may take another."""
    index = membership.index
    rivals = (other for other in held if other is not membership and _is_whole(other))
    if index is None or (
        _is_whole(membership) and not any(set(other.needs) <= set(membership.needs) for other in rivals)
    ):
        return ""
    declared = (
        name
        for cls in spec.cls.__mro__
        for name, value in vars(cls).items()
        if isinstance(value, Index) and value.name == index.name and getattr(spec.cls, name, None) is value
    )
    name = next(declared, None)
    return f'.using("{index.name}")' if name is None else f".using({spec.name}.{name})"


def _is_whole(membership: Membership) -> bool:
    """Whether it holds all that a query of it is after: every such item, with every attribute."""
    if membership.when or any(member.shape.nullable for source in membership.sort for member in source.members):
        return False
    return membership.index is None or membership.index.projection == "all"


def _hidden(spec: ModelSpec[Any], membership: Membership) -> str:
    """What a query of items that reads leave out has to say."""
    if spec.deleted_at is not None and spec.deleted_at.wire in membership.target.key_names:
        return ".with_hidden()"
    held = _projection(spec, membership)
    told = [spec.python_names[name] for name in hiding_names(spec)]
    return "" if held == "all" or set(told) <= set(held) else ".hydrate()"


def _variable(spec: ModelSpec[Any], name: str) -> str:
    return f"{name}_" if name in ("db", spec.name) else name
