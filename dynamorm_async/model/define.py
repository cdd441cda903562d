"""``@model`` and ``@embedded``: from an annotated class to an attrs class with a checked record."""

from __future__ import annotations

import builtins
import sys
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

import attrs
import msgspec

from dynamorm_async.codec.builder import ShapeBuilder
from dynamorm_async.codec.families import declare
from dynamorm_async.codec.hints import TYPES
from dynamorm_async.codec.item import ItemCodec, Unknown
from dynamorm_async.codec.layout import Layout
from dynamorm_async.errors import ModelError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.encryptedattr import EncryptedAttr
from dynamorm_async.model.annotations import check_annotations, check_bases
from dynamorm_async.model.attributes import attr, encrypted, partition_key, sort_key, ttl
from dynamorm_async.model.checks import (
    check_defaults,
    check_embeddable,
    check_encrypted,
    check_key_defaults,
    check_layout,
    check_roles,
    check_slots,
)
from dynamorm_async.model.declared import declarations, members_by_role
from dynamorm_async.model.derived import Derived, KeyTemplate
from dynamorm_async.model.physical import check_shared, own_table, with_key_limits
from dynamorm_async.model.pickling import getstate, setstate
from dynamorm_async.model.registry import base_of, register, root_name
from dynamorm_async.model.spec import SPEC, ModelSpec
from dynamorm_async.model.table import Table
from dynamorm_async.model.templating import (
    GivenKey,
    all_given,
    check_names,
    index_templates,
    key_members,
    table_templates,
)
from dynamorm_async.model.unique import Unique, constraints
from dynamorm_async.model.upcast import GivenSchema, Schema, check_embedded, schema_of
from dynamorm_async.model.vector_index import with_dimensions

if TYPE_CHECKING:
    import cattrs

    from dynamorm_async.model.settings import TableSettings

C = TypeVar("C")
D = TypeVar("D")

_FAST = "__dynamorm_fast__"


@dataclass_transform(kw_only_default=True, field_specifiers=(attr, encrypted, partition_key, sort_key, ttl))
def model(
    table: str | Table | None = None,
    *,
    type: str | None = None,  # noqa: A002 - what it is called in every single-table design
    unknown: Unknown | None = None,
    converter: cattrs.Converter | None = None,
    hide_expired: bool | None = None,
    keys: Mapping[str, GivenKey] | None = None,
    schema: int | None = None,
    schema_attribute: str | None = None,
    settings: TableSettings | None = None,
    **templates: GivenKey,
) -> Callable[[builtins.type[C]], builtins.type[C]]:
    """Make a class a model: an attrs class whose instances are items of a table.

    The class is an ordinary attrs class afterwards (keyword-only constructor, equality, repr). ``User.age`` builds
    conditions and updates, ``user.age`` is the value. The declaration is checked at once.

    Args:
        table: the name of the model's own table, or a :class:`Table` that it shares. Left out for a variant: a subclass of
            a model, whose items live with that model's and are read back as the subclass.
        type: what the table's discriminator says of the model's items; the class's name by default, for models with
            templates and variants. Items of other models have none.
        unknown: what becomes of attributes of stored items that the model does not have. ``ignore``, the default, passes over
            them (updates and ``save`` leave them in the table), ``keep`` also carries them through ``put``,
            ``forbid`` raises ``DecodeError``.
        converter: a cattrs converter from :func:`make_converter`, with hooks for types of your own.
        hide_expired: reads leave out items whose ``ttl()`` has passed, though DynamoDB, which may take days, has not
            deleted them yet. Left out, it is as in the model that the class is a variant of; so is ``unknown``.
        schema: the version of the model's items, which is stored with each: those that have none are of version 1. Items
            of older versions are read through the model's :func:`upcast` functions, one for each version before this one.
        schema_attribute: the attribute that the version is stored in; ``_schema`` by default.
        settings: how the model's own table is to be besides keys and indexes; those of a shared one are declared with it.
        keys: templates by name, for names that cannot be keyword arguments.
        templates: how key attributes of a shared table are made: ``pk="CUSTOMER#{customer_id}"``, and those of an
            index by its name: ``gsi1=("STATUS#{status}", "{placed}")``, or an :class:`IndexKey`.

    Raises:
        ModelError: the declaration is wrong; the message names class and attribute, and says what to write.
    """
    if not isinstance(table, str | Table | None):  # pyright: ignore[reportUnnecessaryIsInstance]  # @model without arguments gets the class
        raise ModelError('@model needs its table: write @model(table="users")')
    if settings is not None and not isinstance(table, str):
        raise ModelError(
            "@model(settings=...) is for a model's own table: give those of a shared one to Table(settings=...)"
        )
    local_names = _local_types()
    given_schema = GivenSchema(schema, schema_attribute)
    given = all_given(keys or {}, templates)

    def decorate(cls: builtins.type[C]) -> builtins.type[C]:
        base = base_of(cls, type) if table is None else None
        builder, layout = _prepare(cls, local_names, converter)
        declared = given if base is None else {**base.given_keys, **given}
        physical = table if base is None else base.table
        assert physical is not None, "a model without a table has a base"  # noqa: S101 - base_of refuses all others
        tag = type if type is not None else cls.__name__ if declared or base is not None else None
        hides = hide_expired if hide_expired is not None else base is not None and base.hide_expired
        keeps: Unknown = unknown or ("ignore" if base is None else base.codec.unknown)
        check_roles(layout, hide_expired=hides, templated=declared)
        check_encrypted(layout, versions=schema is not None)
        check_defaults(layout)
        _place_attributes(cls, layout)
        if isinstance(physical, str):
            physical = own_table(cls, physical, layout, declared, given_schema, settings=settings)
            table_keys: Mapping[str, KeyTemplate] = {}
        else:
            check_names(cls, physical, declared)
            table_keys = table_templates(cls, physical, layout, declared)
            check_shared(cls, physical, layout, table_keys, base)
        layout = with_dimensions(with_key_limits(layout, physical), physical)
        versions = schema_of(cls, layout, physical, given_schema, base and base.schema, variant=base is not None)
        layout, derived = _derived(cls, physical, layout, declared, table_keys, tag=tag)
        spec = _spec(
            cls,
            physical,
            layout,
            builder,
            keeps,
            hide_expired=hides,
            derived=derived,
            templates=declared,
            schema=versions,
            root=root_name(cls, base),
        )
        check_key_defaults(spec.codec)
        register(spec, base)
        setattr(cls, SPEC, spec)
        cls.__getstate__ = getstate  # type: ignore[method-assign]  # what was read is kept in a form that pickles
        return cls

    return decorate


@overload
@dataclass_transform(kw_only_default=True, field_specifiers=(attr, partition_key, sort_key, ttl))
def embedded(cls: type[C], /) -> type[C]: ...
@overload
def embedded(*, type: str | None = None) -> Callable[[type[C]], type[C]]: ...
def embedded(cls: type[C] | None = None, /, *, type: str | None = None) -> Any:  # noqa: A002 - as overloaded
    """Make a class an embedded one: an attrs class that is stored as a map inside an item.

    Its attributes build paths: ``User.address / Address.city``.

    With a type, it and its subclasses, which each have their own, are a family: an attribute of the class can hold them
    all. Each is stored with its type in the attribute ``_type``, and read back as its own class. A map that has no
    ``_type`` is read as the attribute's class. An abstract class needs no type, for it has no values::

        @embedded(type="shape")
        class Shape: ...


        @embedded(type="circle")
        class Circle(Shape): ...

    Args:
        cls: the class, where the decorator is written without arguments.
        type: what the class is called in the table, once in a family. It outlives the class's name: do not change it.

    Raises:
        ModelError: the declaration is wrong; the message names class and attribute, and says what to write.
    """
    if cls is not None and not isinstance(cls, builtins.type):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
        raise ModelError(f"@embedded({cls!r}): write @embedded, or @embedded(type={cls!r}) for a class of a family")
    local_names = _local_types()

    def decorate(cls: builtins.type[C]) -> builtins.type[C]:
        _builder, layout = _prepare(cls, local_names, None)
        check_embeddable(layout)
        check_defaults(layout)
        declare(cls, type)
        check_embedded(cls)
        _place_attributes(cls, layout)
        return cls

    return decorate if cls is None else decorate(cls)


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
    for name, function in (("__getstate__", getstate), ("__setstate__", setstate)):
        if name not in vars(cls):  # those that attrs gave to a slotted mixin know the mixin's attributes only
            setattr(cls, name, function)
    builder = ShapeBuilder(converter, local_names)
    layout = builder.layout(cls)
    setattr(cls, TYPES, {member.name: member.shape.type for member in layout.members})
    check_slots(layout)
    check_layout(layout)
    return builder, layout


def _derived(
    cls: type,
    table: Table,
    layout: Layout,
    templates: Mapping[str, GivenKey],
    table_keys: Mapping[str, KeyTemplate],
    *,
    tag: str | None,
) -> tuple[Layout, Derived | None]:
    """The attributes that are made from others; ``None`` where there are none. And the layout with what its key is of."""
    if tag == "":
        raise ModelError(f'{cls.__name__}: type="" says nothing: leave it out, or give it a text')
    if tag is None and not table_keys:
        return layout, None
    if any(member.wire == table.discriminator for member in layout.members):
        raise ModelError(
            f"{cls.__name__}: {table.discriminator!r} is the discriminator of table {table.name}: the library writes it"
        )
    plain = tuple(m for role, m in members_by_role(layout) if role in ("partition_key", "sort_key"))
    key = {member.name for member in key_members(table, layout, table_keys, plain)} if table_keys else set[str]()
    members = tuple(msgspec.structs.replace(m, in_key=True) if m.name in key else m for m in layout.members)
    derived = Derived(
        table_keys=tuple(table_keys.values()),
        plain_keys=plain,
        indexes=index_templates(cls, table, layout, templates, table_keys),
        discriminator=table.discriminator,
        type=tag,
    )
    return msgspec.structs.replace(layout, members=members), derived


def _spec(
    cls: type[C],
    table: Table,
    layout: Layout,
    builder: ShapeBuilder,
    unknown: Unknown,
    *,
    hide_expired: bool,
    derived: Derived | None,
    templates: Mapping[str, GivenKey],
    schema: Schema | None,
    root: str,
) -> ModelSpec[C]:
    roles = {role: member for role, member in members_by_role(layout) if role != "attribute"}
    plain = [roles[role] for role in ("partition_key", "sort_key") if role in roles]
    table_keys = () if derived is None else derived.table_keys
    key = key_members(table, layout, {one.name: one for one in table_keys}, plain)
    return ModelSpec(
        cls=cls,
        table=table,
        attributes=MappingProxyType({member.name: member for member in layout.members}),
        key=key,
        codec=ItemCodec(layout, builder, unknown=unknown, key=key, derived=derived, schema=schema),
        version=roles.get("version"),
        created_at=roles.get("created_at"),
        updated_at=roles.get("updated_at"),
        ttl=roles.get("ttl"),
        unique=constraints(layout, declarations(cls, Unique), table.name, named_after=root),
        deleted_at=roles.get("deleted_at"),
        hide_expired=hide_expired,
        derived=derived,
        given_keys=MappingProxyType(dict(templates)),
        schema=schema,
    )


def _place_attributes(cls: type, layout: Layout) -> None:
    for member in layout.members:
        kind: builtins.type[Attr[Any]] = EncryptedAttr if member.shape.encrypted else Attr
        setattr(cls, member.name, kind(cls, member.name, (member.wire,), member.shape, omits_null=member.omits_null))
