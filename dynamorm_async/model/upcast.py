"""Versions of a model's items: how those that an older version of the program has written are read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, final

import attrs
import msgspec

from dynamorm_async.codec.derived import Carried
from dynamorm_async.codec.layout import Layout, options_of
from dynamorm_async.errors import ModelError
from dynamorm_async.expressions.conditions import Comparison, Condition, Either, Function, Literally, Path
from dynamorm_async.model.table import Table
from dynamorm_async.types import AttributeValue

SCHEMA: Final = "_schema"
"""The attribute that holds an item's schema version, where a model names no other."""

_MAX_NAME = 255

Upcast: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""From an item of one version to the same item of the next: attribute names and plain values."""


@final
class Upcaster(msgspec.Struct, frozen=True, eq=False):
    """A function that brings items from one schema version to the next; made by :func:`upcast`. Call it to test it.

    Attributes:
        from_version: the version of the items that it takes.
        function: the function.
    """

    from_version: int
    function: Upcast

    @property
    def name(self) -> str:
        """The function's name."""
        name: str | None = getattr(self.function, "__name__", None)
        return name or repr(self.function)

    def __call__(self, item: dict[str, Any], /) -> dict[str, Any]:
        """What the function makes of an item."""
        return self.function(item)


def upcast(*, from_version: int) -> Callable[[Upcast], Upcaster]:
    """Make a function of a model's class the one that brings its items from one schema version to the next::

        @model("customers", schema=2)
        class Customer:
            customer_id: Attr[str] = partition_key()
            first: Attr[str] = attr()
            last: Attr[str] = attr()

            @upcast(from_version=1)
            @staticmethod
            def split_name(item: dict[str, Any]) -> dict[str, Any]:
                first, _, last = item.pop("name").partition(" ")
                return {**item, "first": first, "last": last}

    The function gets the item's attributes by their names in DynamoDB, those that the model does not know among them, but
    without keys that are made by templates, without the discriminator and without the version. Values are plain: ``str``,
    ``int`` where integral and else ``Decimal``, ``bytes``, ``bool``, ``None``, ``list``, ``dict`` and ``frozenset``. The
    dict is the function's own, to change as it likes. It returns the item of the next version; values of it may also be
    ``float``, ``set``, ``datetime``, ``date``, ``timedelta``, ``UUID`` and ``Enum``, which are stored as attributes of these
    types are. It must not change the key or the version() attribute, and should depend on nothing but the item.

    Args:
        from_version: the version of the items that it takes; it makes items of the next one.

    Raises:
        ModelError: ``from_version`` is no whole number from 1, or the function is async.
    """
    if type(from_version) is not int or from_version < 1:
        raise ModelError(f"upcast(from_version={from_version!r}): schema versions are whole numbers from 1")

    def decorate(function: Upcast) -> Upcaster:
        if not callable(function):
            raise ModelError(f"upcast(from_version={from_version}) decorates a function, got {function!r}")
        upcaster = Upcaster(from_version, function)
        if inspect.iscoroutinefunction(inspect.unwrap(function)):
            raise ModelError(
                f"{upcaster.name}() is async, but an upcaster works on the item alone: make it a plain function"
            )
        return upcaster

    return decorate


@final
class GivenSchema(msgspec.Struct, frozen=True):
    """What ``@model`` was given of a schema.

    Attributes:
        number: the version.
        name: the attribute that holds it.
    """

    number: int | None = None
    name: str | None = None

    @property
    def attribute(self) -> str | None:
        """The attribute that holds the version; ``None`` of a model without one."""
        return None if self.number is None else SCHEMA if self.name is None else self.name


@final
class Schema(msgspec.Struct, frozen=True, eq=False):
    """The schema version of one model, and its upcasters.

    Attributes:
        name: the attribute that holds the version.
        current: the version that is written.
        fixed: the attributes that no upcaster may change: key attributes, and the version() that counts writes.
        upcasters: one for each version before the current one, by that version.
    """

    name: str
    current: int
    fixed: tuple[str, ...]
    upcasters: Mapping[int, Upcaster]

    @property
    def carried(self) -> Carried:
        """The version as it comes with a current item: one without it is of version 1."""
        return Carried(self.name, "N", (str(self.current),), required=self.current > 1)

    @property
    def tag(self) -> dict[str, AttributeValue]:
        """The attribute as it is written."""
        return {self.name: {"N": str(self.current)}}

    def is_of(self, version: int) -> Condition:
        """The condition that an item is of a version; what has no version at all, or is not there, is of version 1."""
        path = Path((self.name,))
        same = Comparison(path, "=", Literally({"N": str(version)}))
        return Either((Function("attribute_not_exists", path), same)) if version == 1 else same

    def is_older(self) -> Condition:
        """The condition that an item is of an older version than the current one."""
        path = Path((self.name,))
        below = Comparison(path, "<", Literally({"N": str(self.current)}))
        return Either((Function("attribute_not_exists", path), below))

    def name_of(self, version: int) -> str:
        """The name of the upcaster from a version."""
        return self.upcasters[version].name

    def step(self, item: dict[str, Any], version: int) -> object:
        """What the upcaster from a version makes of an item."""
        return self.upcasters[version](item)


def schema_of(
    cls: type, layout: Layout, table: Table, given: GivenSchema, base: Schema | None, *, variant: bool
) -> Schema | None:
    """The schema of a model; ``None`` where it declares none.

    Args:
        cls: the class.
        layout: its attributes.
        table: its table.
        given: what ``@model`` was given.
        base: the schema of the model that it is a variant of.
        variant: whether it is one.

    Raises:
        ModelError: the declaration is wrong, or the upcasters are not one for each version before the current one.
    """
    where, number = cls.__name__, given.number
    if variant:
        if given != GivenSchema():
            raise ModelError(
                f"{where} is a variant, and has the schema of the model that it is a variant of: declare schema= there"
            )
        given, number = (given, None) if base is None else (GivenSchema(base.current, base.name), base.current)
    own = _declared(cls)
    if number is None:
        if own or given.name is not None:
            what = f"{own[0].name}() upcasts" if own else f"schema_attribute={given.name!r} says where the version is"
            needed = max((one.from_version for one in own), default=0) + 1
            raise ModelError(f"{where}: {what}, but the model has no schema: write @model(..., schema={needed})")
        return None
    if type(number) is not int or number < 1:
        raise ModelError(f"{where}: schema={number!r} is no schema version: a whole number from 1")
    upcasters = _chain(cls, own, number)
    return Schema(_checked_name(where, layout, table, given.name), number, _fixed(cls, layout, table), upcasters)


def check_embedded(cls: type) -> None:
    """Refuse upcasters in an embedded class.

    Raises:
        ModelError: it has one.
    """
    for upcaster in _declared(cls):
        raise ModelError(
            f"{cls.__name__}.{upcaster.name}: items have schema versions, embedded classes have none: upcast the model that "
            "the class is embedded in"
        )


def _fixed(cls: type, layout: Layout, table: Table) -> tuple[str, ...]:
    """The attributes that no upcaster may change, by their names in DynamoDB."""
    versions = {field.name for field in attrs.fields(cls) if options_of(field).role == "version"}
    keys = {part.name for part in table.key_parts()}
    return tuple(member.wire for member in layout.members if member.wire in keys or member.name in versions)


def _declared(cls: type) -> list[Upcaster]:
    """The upcasters in a class's own body."""
    values = (value.__func__ if isinstance(value, staticmethod) else value for value in vars(cls).values())
    return [value for value in values if isinstance(value, Upcaster)]


def _chain(cls: type, own: list[Upcaster], number: int) -> dict[int, Upcaster]:
    """One upcaster for each version before the current one; a class's own goes before that of its base."""
    for upcaster in own:
        if upcaster.from_version >= number:
            raise ModelError(
                f"{cls.__name__}.{upcaster.name} upcasts from version {upcaster.from_version}, but the schema is {number}: "
                f"write schema={upcaster.from_version + 1}, or take it away"
            )
    found: dict[int, Upcaster] = {}
    for base in cls.__mro__:
        of_base: dict[int, Upcaster] = {}
        for upcaster in _declared(base):
            other = of_base.setdefault(upcaster.from_version, upcaster)
            if other is not upcaster:
                raise ModelError(
                    f"{cls.__name__}: {other.name} and {upcaster.name} both upcast from version {upcaster.from_version}"
                )
        found = {**of_base, **found}
    missing = [version for version in range(1, number) if version not in found]
    if missing:
        raise ModelError(
            f"{cls.__name__}: schema={number} has no upcaster from version {', '.join(map(str, missing))}: write "
            f"@upcast(from_version={missing[0]}) above a function that takes an item of version {missing[0]} and returns it "
            f"as one of version {missing[0] + 1}"
        )
    return {version: found[version] for version in range(1, number)}


def _checked_name(where: str, layout: Layout, table: Table, given: str | None) -> str:
    """The name of the attribute of the version, which must be free and one that a stored attribute can have."""
    name = SCHEMA if given is None else given
    said = f"{where}: the schema version is stored as {name!r}"
    if not 0 < len(name.encode()) <= _MAX_NAME:
        raise ModelError(f"{said}: a name of 1 to {_MAX_NAME} bytes")
    keys = {part.name for index in table.indexes for part in (*index.partition, *index.sort)}
    keys |= {part.name for part in table.key_parts()}
    taken = {member.wire: f"attribute {member.name}" for member in layout.members}
    taken |= dict.fromkeys(keys, f"a key of table {table.name}")
    taken |= {given: what for given, what in ((table.discriminator, "discriminator"), (table.ttl, "ttl")) if given}
    if name in taken:
        raise ModelError(f"{said}, but that is the {taken[name]}: name another with schema_attribute=...")
    return name
