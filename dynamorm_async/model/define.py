"""``@model`` and ``@embedded``: from an annotated class to an attrs class with a checked record."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import attrs
import msgspec

from dynamorm_async.codec.builder import ShapeBuilder
from dynamorm_async.codec.hints import TYPES
from dynamorm_async.codec.item import ItemCodec, Unknown
from dynamorm_async.codec.layout import STORED, Layout, Member, options_of
from dynamorm_async.errors import ModelError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.model.annotations import check_annotations, check_bases
from dynamorm_async.model.attributes import attr, partition_key, sort_key, ttl
from dynamorm_async.model.checks import (
    check_defaults,
    check_key_defaults,
    check_layout,
    check_roles,
    check_slots,
    key_part,
)
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import SPEC, ModelSpec
from dynamorm_async.model.table import Table, TableIndex
from dynamorm_async.model.unique import Unique, constraints

if TYPE_CHECKING:
    import cattrs

C = TypeVar("C")
D = TypeVar("D")

_KEY_BYTES = {"partition": 2048, "sort": 1024}
_FAST = "__dynamorm_fast__"


@dataclass_transform(kw_only_default=True, field_specifiers=(attr, partition_key, sort_key, ttl))
def model(
    table: str | Table,
    *,
    unknown: Unknown = "ignore",
    converter: cattrs.Converter | None = None,
    hide_expired: bool = False,
) -> Callable[[type[C]], type[C]]:
    """Make a class a model: an attrs class whose instances are items of a table.

    The class is an ordinary attrs class afterwards (keyword-only constructor, equality, repr). ``User.age`` builds
    conditions and updates, ``user.age`` is the value. The declaration is checked at once.

    Args:
        table: the name of the model's own table, or a :class:`Table` that it shares.
        unknown: what becomes of attributes of stored items that the model does not have. ``ignore`` passes over
            them (updates and ``save`` leave them in the table), ``keep`` also carries them through ``put``,
            ``forbid`` raises ``DecodeError``.
        converter: a cattrs converter from :func:`make_converter`, with hooks for types of your own.
        hide_expired: reads leave out items whose ``ttl()`` has passed, though DynamoDB, which may take days, has not
            deleted them yet.

    Raises:
        ModelError: the declaration is wrong; the message names class and attribute, and says what to write.
    """
    if not isinstance(table, str | Table):  # pyright: ignore[reportUnnecessaryIsInstance]  # @model without arguments gets the class
        raise ModelError('@model needs its table: write @model(table="users")')
    local_names = _local_types()

    def decorate(cls: type[C]) -> type[C]:
        builder, layout = _prepare(cls, local_names, converter)
        check_roles(layout, hide_expired=hide_expired)
        check_defaults(layout)
        physical = _own_table(cls, table, layout) if isinstance(table, str) else _shared_table(cls, table, layout)
        layout = _with_key_limits(layout, physical)
        spec = _spec(cls, physical, layout, builder, unknown, hide_expired=hide_expired)
        check_key_defaults(spec.codec)
        setattr(cls, SPEC, spec)
        _place_attributes(cls, layout)
        cls.__getstate__ = _getstate  # type: ignore[method-assign]  # what was read is kept in a form that pickles
        return cls

    return decorate


@dataclass_transform(kw_only_default=True, field_specifiers=(attr, partition_key, sort_key, ttl))
def embedded(cls: type[C], /) -> type[C]:
    """Make a class an embedded one: an attrs class that is stored as a map inside an item.

    Its attributes build paths: ``User.address / Address.city``.

    Raises:
        ModelError: the declaration is wrong; the message names class and attribute, and says what to write.
    """
    _builder, layout = _prepare(cls, _local_types(), None)
    for role, member in _roles(layout):
        if role != "attribute":
            raise ModelError(f"{cls.__name__}.{member.name}: {role}() belongs to a model, not to an embedded class")
    check_defaults(layout)
    _place_attributes(cls, layout)
    return cls


def _local_types() -> dict[str, Any]:
    """The types among the local names where the decorator is written: annotations in functions may use them."""
    frame = sys._getframe(2)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the only way to a caller's names
    return {
        name: value
        for name, value in frame.f_locals.items()
        if isinstance(value, type | typing.TypeVar) or typing.get_origin(value) is not None
    }


def _prepare(cls: type, local_names: Mapping[str, Any], converter: Any) -> tuple[ShapeBuilder, Layout]:
    """Make the class an attrs class, and find out how it is stored."""
    check_bases(cls)
    check_annotations(cls)
    setattr(cls, _FAST, True)
    try:
        attrs.define(slots=False, kw_only=True)(cls)
    except (ValueError, attrs.exceptions.UnannotatedAttributeError) as error:
        raise ModelError(f"{cls.__name__}: {error}") from None
    for name, function in (("__getstate__", _getstate), ("__setstate__", _setstate)):
        if name not in vars(cls):  # those that attrs gave to a slotted mixin know the mixin's attributes only
            setattr(cls, name, function)
    builder = ShapeBuilder(converter, local_names)
    layout = builder.layout(cls)
    setattr(cls, TYPES, {member.name: member.shape.type for member in layout.members})
    check_slots(layout)
    check_layout(layout)
    return builder, layout


def _own_table(cls: type, name: str, layout: Layout) -> Table:
    """The table of a model that has one for itself, from its keys and ``index()`` declarations."""
    keys = {role: member for role, member in _roles(layout) if role in ("partition_key", "sort_key")}
    partition = key_part(layout, keys["partition_key"].name, "the partition key")
    sort = key_part(layout, keys["sort_key"].name, "the sort key") if "sort_key" in keys else None
    indexes = [_table_index(layout, declared, partition.name) for declared in _declared(cls, Index)]
    parts = [partition, *([sort] if sort else []), *(part for i in indexes for part in (*i.partition, *i.sort))]
    expiry = next((member.wire for role, member in _roles(layout) if role == "ttl"), None)
    try:
        return Table(
            name,
            partition_key=partition.name,
            sort_key=sort.name if sort else None,
            indexes=indexes,
            ttl=expiry,
            types={part.name: part.tag for part in parts},
        )
    except ModelError as error:
        raise ModelError(f"{cls.__name__}: {error}") from None


def _shared_table(cls: type, table: Table, layout: Layout) -> Table:
    """A table shared by several models, checked against this model's attributes."""
    if any(True for _ in _declared(cls, Index)):
        raise ModelError(f"{cls.__name__}: declare the indexes on Table({table.name!r}), which several models share")
    wanted = {"partition_key": table.partition_key, "sort_key": table.sort_key}
    found = {role: key_part(layout, member.name, f"the {role}") for role, member in _roles(layout) if role in wanted}
    for role, part in wanted.items():
        if found.get(role) != part:
            has = found.get(role)
            raise ModelError(
                f"{cls.__name__}: the {role.replace('_', ' ')} of table {table.name} is "
                f"{f'{part.name} ({part.tag})' if part else 'none'}, but the model's is {f'{has.name} ({has.tag})' if has else 'none'}"
            )
    tags = {member.wire: member.shape.tag for member in layout.members}
    for index in table.indexes:
        for part in (*index.partition, *index.sort):
            if tags.get(part.name, part.tag) != part.tag:
                raise ModelError(
                    f"{cls.__name__}: index {index.name} of table {table.name} wants {part.name} as {part.tag}, "
                    f"but the model stores it as {tags[part.name]}"
                )
    expiry = next((member.wire for role, member in _roles(layout) if role == "ttl"), None)
    if expiry not in (None, table.ttl):
        raise ModelError(
            f"{cls.__name__}: its ttl() attribute is {expiry!r}, but table {table.name} has ttl={table.ttl!r}"
        )
    return table


def _declared(cls: type, kind: type[D]) -> Iterator[D]:
    """What is declared on the class and its bases beside the attributes: indexes, unique constraints."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, kind) and name not in seen:
                seen.add(name)
                yield value


def _table_index(layout: Layout, declared: Index, table_partition: str) -> TableIndex:
    what = f"a key of index {declared.name}"
    sort = tuple(key_part(layout, name, what) for name in declared.sort)
    partition = tuple(key_part(layout, name, what) for name in declared.partition)
    if declared.local:
        partition = tuple(key_part(layout, m.name, what) for m in layout.members if m.wire == table_partition)
    projection = declared.projection
    if isinstance(projection, tuple):
        projection = tuple(_projected(layout, name, declared).wire for name in projection)
    return TableIndex(declared.name, partition, sort, declared.local, projection)


def _projected(layout: Layout, name: str, declared: Index) -> Member:
    member = layout.member(name)
    if member is None:
        raise ModelError(
            f"{layout.cls.__name__}: index {declared.name} projects {name!r}, which is no attribute of the model"
        )
    return member


def _with_key_limits(layout: Layout, table: Table) -> Layout:
    """The layout with what each key attribute is a key of, and how long it may be."""
    limits: dict[str, tuple[int, str]] = {}
    for name, kind, what in _key_uses(table):
        limit = _KEY_BYTES[kind]
        if name not in limits or limit < limits[name][0]:
            limits[name] = limit, f"the {kind} key of {what}"
    members = tuple(
        attrs.evolve(member, key_limit=limits[member.wire][0], key_of=limits[member.wire][1])
        if member.wire in limits
        else member
        for member in layout.members
    )
    return attrs.evolve(layout, members=members)


def _key_uses(table: Table) -> Iterator[tuple[str, str, str]]:
    for part, kind in zip(table.key_parts(), ("partition", "sort"), strict=False):
        yield part.name, kind, f"table {table.name}"
    for index in table.indexes:
        for part in index.partition:
            yield part.name, "partition", f"index {index.name}"
        for part in index.sort:
            yield part.name, "sort", f"index {index.name}"


def _roles(layout: Layout) -> Iterator[tuple[str, Member]]:
    for field in attrs.fields(layout.cls):
        member = layout.member(field.name)
        if member is not None:
            yield options_of(field).role, member


def _spec(
    cls: type[C], table: Table, layout: Layout, builder: ShapeBuilder, unknown: Unknown, *, hide_expired: bool
) -> ModelSpec[C]:
    roles = {role: member for role, member in _roles(layout) if role != "attribute"}
    key = tuple(roles[role] for role in ("partition_key", "sort_key") if role in roles)
    return ModelSpec(
        cls=cls,
        table=table,
        attributes=MappingProxyType({member.name: member for member in layout.members}),
        key=key,
        codec=ItemCodec(layout, builder, unknown=unknown, key=key),
        version=roles.get("version"),
        created_at=roles.get("created_at"),
        updated_at=roles.get("updated_at"),
        ttl=roles.get("ttl"),
        unique=constraints(layout, _declared(cls, Unique), table.name),
        deleted_at=roles.get("deleted_at"),
        hide_expired=hide_expired,
    )


def _place_attributes(cls: type, layout: Layout) -> None:
    for member in layout.members:
        setattr(
            cls, member.name, Attr[Any](cls, member.name, (member.wire,), member.shape, omits_null=member.omits_null)
        )


def _getstate(self: object) -> dict[str, Any]:
    """The state to copy or pickle: what was read is kept as AttributeValues."""
    state = dict[str, Any](vars(self))
    if isinstance(state.get(STORED), msgspec.Struct):
        state[STORED] = getattr(type(self), SPEC).codec.known(self)
    return state


def _setstate(self: object, state: Mapping[str, Any]) -> None:
    """The counterpart of ``_getstate``: no validators or converters run."""
    vars(self).update(state)
