"""Physical tables and indexes, as frozen records."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

import msgspec

from dynamorm_async.errors import ModelError
from dynamorm_async.model.vector import TableVectorIndex, VectorIndex, check_vector_indexes, resolved
from dynamorm_async.types import KeyTag, Sealed

if TYPE_CHECKING:
    from dynamorm_async.model.settings import TableSettings

Projection: TypeAlias = Literal["all", "keys_only"] | tuple[str, ...]

_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}\Z")
_MAX_LOCAL_INDEXES = 5
_MAX_KEY_PARTS = 4

DISCRIMINATOR: Final = "_type"
"""The attribute that says of which model an item is, where a table names no other."""


@final
class KeyPart(msgspec.Struct, frozen=True):
    """One attribute of a key: its name in DynamoDB and its type tag (``S``, ``N`` or ``B``)."""

    name: str
    tag: KeyTag = "S"


@final
class TableIndex(msgspec.Struct, frozen=True):
    """A global (GSI) or local (LSI) secondary index of a table.

    Attributes:
        name: the index's name.
        partition: its partition key: one attribute, or up to four (multi-attribute keys).
        sort: its sort key: none, one attribute, or up to four.
        local: whether it is an LSI.
        projection: ``all``, ``keys_only``, or the names of the attributes that it holds besides the keys.
    """

    name: str
    partition: tuple[KeyPart, ...]
    sort: tuple[KeyPart, ...] = ()
    local: bool = False
    projection: Projection = "all"


class _GSI(msgspec.Struct, frozen=True):
    """The fields of a GSI that are given by position as well."""

    name: str
    partition: str | tuple[str, ...]
    sort: str | tuple[str, ...] | None = None


@final
class GSI(_GSI, frozen=True, kw_only=True):
    """A global secondary index, for :class:`Table`.

    Args:
        name: the index's name.
        partition: the name of its partition key attribute, or of up to four of them.
        sort: the name of its sort key attribute, or of up to four of them.
        projection: ``all``, ``keys_only``, or the names of the attributes that it holds besides the keys.
    """

    projection: Projection = "all"


class _LSI(msgspec.Struct, frozen=True):
    """The fields of an LSI that are given by position as well."""

    name: str
    sort: str


@final
class LSI(_LSI, frozen=True, kw_only=True):
    """A local secondary index, for :class:`Table`: the table's partition key with another sort key.

    Args:
        name: the index's name.
        sort: the name of its sort key attribute.
        projection: ``all``, ``keys_only``, or the names of the attributes that it holds besides the keys.
    """

    projection: Projection = "all"


@final
class Table:
    """A physical table: its keys, indexes and time to live. Models live in it.

    Args:
        name: the table's name, 3 to 255 of ``a-z A-Z 0-9 _ . -``.
        partition_key: the name of its partition key attribute.
        sort_key: the name of its sort key attribute, if it has one.
        indexes: its ``GSI``, ``LSI`` and ``VectorIndex`` declarations.
        ttl: the name of its time-to-live attribute, if it has one.
        types: type tags of key attributes that are not text: ``{"placed": "N"}``.
        discriminator: the attribute that says of which model an item is; ``None`` where items have none.
        settings: how it is to be besides that; left out, nothing of it is managed.

    Raises:
        ModelError: a name that DynamoDB refuses, two indexes of one name, or too many.
    """

    __slots__ = (
        "_encrypted",
        "_models",
        "discriminator",
        "encrypted",
        "indexes",
        "name",
        "partition_key",
        "settings",
        "sort_key",
        "ttl",
        "vector_indexes",
    )

    name: str
    partition_key: KeyPart
    sort_key: KeyPart | None
    indexes: tuple[TableIndex, ...]
    vector_indexes: tuple[TableVectorIndex, ...]
    ttl: str | None
    discriminator: str | None
    settings: TableSettings | None
    _models: tuple[type, ...]
    _encrypted: Mapping[type, Collection[str]]
    encrypted: frozenset[str]

    def __init__(
        self,
        name: str,
        *,
        partition_key: str,
        sort_key: str | None = None,
        indexes: Sequence[GSI | LSI | TableIndex | VectorIndex | TableVectorIndex] = (),
        ttl: str | None = None,
        types: Mapping[str, KeyTag] | None = None,
        discriminator: str | None = DISCRIMINATOR,
        settings: TableSettings | None = None,
    ) -> None:
        tags: dict[str, KeyTag] = dict(types or {})

        def part(attribute: str) -> KeyPart:
            return KeyPart(attribute, tags.get(attribute, "S"))

        set_field = object.__setattr__
        set_field(self, "name", check_name(name, "a table's name"))
        set_field(self, "partition_key", part(partition_key))
        set_field(self, "sort_key", None if sort_key is None else part(sort_key))
        set_field(self, "ttl", ttl)
        set_field(self, "discriminator", discriminator)
        set_field(self, "settings", settings)
        set_field(self, "_models", ())
        set_field(self, "_encrypted", {})
        set_field(self, "encrypted", frozenset())
        made = tuple(
            index
            if isinstance(index, TableIndex)
            else TableIndex(index.name, (part(partition_key),), (part(index.sort),), True, index.projection)
            if isinstance(index, LSI)
            else TableIndex(
                index.name, _parts(index.partition, part), _parts(index.sort, part), False, index.projection
            )
            for index in indexes
            if not isinstance(index, VectorIndex | TableVectorIndex)
        )
        set_field(self, "indexes", made)
        # Apart from the others: no query reads them.
        vectors = (
            resolved(index, part) if isinstance(index, VectorIndex) else index
            for index in indexes
            if isinstance(index, VectorIndex | TableVectorIndex)
        )
        set_field(self, "vector_indexes", tuple(vectors))
        _check_indexes(self)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Table is frozen: {name} cannot be set")

    def __repr__(self) -> str:
        return f"Table({self.name!r})"

    @property
    def models(self) -> tuple[type, ...]:
        """The models that live in it, in order of declaration."""
        return self._models

    def register(self, cls: type, *, former: Collection[type] = (), encrypted: Collection[str] = ()) -> None:
        """Note a model that lives in it, in the place of the first of those that do no more.

        Args:
            cls: the model.
            former: the models that it takes the place of.
            encrypted: the names of its encrypted attributes.
        """
        place = next((place for place, other in enumerate(self._models) if other in former), len(self._models))
        before, after = (
            [one for one in some if one not in former] for some in (self._models[:place], self._models[place:])
        )
        object.__setattr__(self, "_models", (*before, cls, *after))
        # Looked up by every request: worked out here.
        by_model = {one: names for one, names in self._encrypted.items() if one not in former} | {cls: encrypted}
        object.__setattr__(self, "_encrypted", by_model)
        object.__setattr__(self, "encrypted", frozenset(name for names in by_model.values() for name in names))

    def sealed(self, name: str) -> tuple[Sealed, ...]:
        """What is encrypted of its items, of whatever model: any can come with an answer.

        Args:
            name: the table's name, prefix and all.
        """
        if not self.encrypted:  # as most often: every request asks
            return ()
        return (Sealed(name, tuple(part.name for part in self.key_parts()), self.encrypted),)

    def index(self, name: str) -> TableIndex | None:
        """The index of a name."""
        return next((index for index in self.indexes if index.name == name), None)

    def vector_index(self, name: str) -> TableVectorIndex | None:
        """The vector index of a name."""
        return next((index for index in self.vector_indexes if index.name == name), None)

    def key_parts(self) -> tuple[KeyPart, ...]:
        """The attributes of the table's own key."""
        return (self.partition_key,) if self.sort_key is None else (self.partition_key, self.sort_key)


def check_name(name: str, what: str) -> str:
    """A table's or index's name.

    Raises:
        ModelError: DynamoDB would refuse it.
    """
    if not _NAME.match(name):
        raise ModelError(f"{name!r} cannot be {what}: DynamoDB wants 3 to 255 of a-z, A-Z, 0-9, '_', '-' and '.'")
    return name


def _parts(names: str | tuple[str, ...] | None, part: Callable[[str], KeyPart]) -> tuple[KeyPart, ...]:
    given = () if names is None else (names,) if isinstance(names, str) else names
    return tuple(part(name) for name in given)


def _check_indexes(table: Table) -> None:
    seen: set[str] = set()
    for name in [*(index.name for index in table.indexes), *(index.name for index in table.vector_indexes)]:
        check_name(name, f"an index of table {table.name}")
        if name in seen:
            raise ModelError(f"table {table.name} has two indexes named {name!r}")
        seen.add(name)
    check_vector_indexes(table.name, table.vector_indexes)
    for index in table.indexes:
        if not 1 <= len(index.partition) <= _MAX_KEY_PARTS or len(index.sort) > _MAX_KEY_PARTS:
            raise ModelError(f"index {index.name} of table {table.name}: 1 to 4 partition and up to 4 sort attributes")
        names = [part.name for part in (*index.partition, *index.sort)]
        if len(set(names)) != len(names):
            raise ModelError(f"index {index.name} of table {table.name} names an attribute twice: {', '.join(names)}")
        if index.local:
            _check_local(table, index)
    local = [index.name for index in table.indexes if index.local]
    if len(local) > _MAX_LOCAL_INDEXES:
        raise ModelError(f"table {table.name} has {len(local)} local indexes; DynamoDB allows {_MAX_LOCAL_INDEXES}")
    if table.settings is not None:
        from dynamorm_async.model.settings import check_settings  # noqa: PLC0415 - loaded when first used

        check_settings(table, table.settings)


def _check_local(table: Table, index: TableIndex) -> None:
    if table.sort_key is None:
        raise ModelError(f"table {table.name} has no sort key, so it cannot have the local index {index.name}")
    if index.partition != (table.partition_key,) or len(index.sort) != 1:
        raise ModelError(
            f"local index {index.name} of table {table.name} has the table's partition key {table.partition_key.name} and one "
            "sort attribute; only global indexes have keys of several attributes"
        )
