"""What stands to the right of an attribute in a model: ``attr()``, ``partition_key()`` and their siblings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, overload

import attrs

from dynamorm_async.codec.hidden import MASK
from dynamorm_async.codec.layout import METADATA_KEY, AttributeOptions, Storage
from dynamorm_async.errors import ModelError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.types import UNSET

T = TypeVar("T")

NOT_WRITTEN: Final = datetime.min.replace(tzinfo=UTC)
"""The value of ``created_at()`` and ``updated_at()`` attributes until the first write."""


@overload
def attr(
    *, default: T, name: str | None = None, as_json: bool = False, compressed: bool = False, secret: bool = False
) -> Attr[T]: ...
@overload  # an embedded class is no Callable[[], T] for pyright: its defaults are Attr, not values
def attr(
    *, factory: type[T], name: str | None = None, as_json: bool = False, compressed: bool = False, secret: bool = False
) -> Attr[T]: ...
@overload
def attr(
    *,
    factory: Callable[[], T],
    name: str | None = None,
    as_json: bool = False,
    compressed: bool = False,
    secret: bool = False,
) -> Attr[T]: ...
@overload
def attr(*, name: str | None = None, as_json: bool = False, compressed: bool = False, secret: bool = False) -> Any: ...
def attr(
    *,
    default: Any = UNSET,
    factory: Callable[[], Any] | None = None,
    name: str | None = None,
    as_json: bool = False,
    compressed: bool = False,
    secret: bool = False,
) -> Any:  # an attrs field at run time, an Attr to type checkers
    """An attribute.

    Args:
        default: its value where the constructor, or a stored item, has none.
        factory: makes that value, for lists, sets, maps and the like.
        name: its name in DynamoDB; the Python name by default.
        as_json: store it as JSON text (type S); conditions can then look at the whole text only.
        compressed: store it compressed (type B, zlib): text, bytes, or else the JSON text of the value.
        secret: keep its value out of reprs, errors and logs. It is stored as it is: :func:`encrypted` keeps it from readers
            of the table, too.

    Raises:
        ModelError: options that exclude each other. Defaults are checked with the class.
    """
    if as_json and compressed:
        raise ModelError("attr(): as_json and compressed exclude each other; compressed stores the JSON text already")
    storage: Storage = "json" if as_json else "compressed" if compressed else "native"
    return _field(AttributeOptions(name=name, storage=storage, secret=secret), default, factory)


@overload
def encrypted(*, default: T, name: str | None = None) -> Attr[T]: ...
@overload  # as of attr()
def encrypted(*, factory: type[T], name: str | None = None) -> Attr[T]: ...
@overload
def encrypted(*, factory: Callable[[], T], name: str | None = None) -> Attr[T]: ...
@overload
def encrypted(*, name: str | None = None) -> Any: ...
def encrypted(*, default: Any = UNSET, factory: Callable[[], Any] | None = None, name: str | None = None) -> Any:
    """An attribute of any type that DynamoDB gets encrypted only (type B), by the keys of ``Database(keys=...)``.

    A ciphertext is bound to its table, item and attribute: copied elsewhere, it is refused (``DecryptError``). It is written
    as a whole, and can be asked for ``exists()``; it can be no key, and stand in no other condition. ``None`` is not
    encrypted. The value is ``secret``: it is not in reprs, errors and logs. Needs ``dynamorm-async[crypto]``.

    Args:
        default: its value where the constructor, or a stored item, has none.
        factory: makes that value, for lists, sets, maps and the like.
        name: its name in DynamoDB, which its ciphertexts are bound to; the Python name by default.

    Raises:
        ModelError: ``default=`` and ``factory=`` exclude each other. The rest is checked with the class.
    """
    return _field(AttributeOptions(name=name, storage="encrypted", secret=True), default, factory)


@overload
def partition_key(*, default: T, name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def partition_key(*, factory: Callable[[], T], name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def partition_key(*, name: str | None = None, secret: bool = False) -> Any: ...
def partition_key(
    *,
    default: Any = UNSET,
    factory: Callable[[], Any] | None = None,
    name: str | None = None,
    secret: bool = False,
) -> Any:
    """The table's partition key: text, a number or bytes. Exactly one a model.

    Args:
        default: its value where the constructor is given none.
        factory: makes that value, for example a new id.
        name: its name in DynamoDB; the Python name by default.
        secret: keep its value out of reprs, errors and logs.
    """
    return _field(AttributeOptions(role="partition_key", name=name, secret=secret), default, factory)


@overload
def sort_key(*, default: T, name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def sort_key(*, factory: Callable[[], T], name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def sort_key(*, name: str | None = None, secret: bool = False) -> Any: ...
def sort_key(
    *,
    default: Any = UNSET,
    factory: Callable[[], Any] | None = None,
    name: str | None = None,
    secret: bool = False,
) -> Any:
    """The table's sort key: text, a number or bytes. At most one a model.

    Args:
        default: its value where the constructor is given none.
        factory: makes that value, for example a new id.
        name: its name in DynamoDB; the Python name by default.
        secret: keep its value out of reprs, errors and logs.
    """
    return _field(AttributeOptions(role="sort_key", name=name, secret=secret), default, factory)


@overload
def ttl(*, default: T, name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def ttl(*, factory: Callable[[], T], name: str | None = None, secret: bool = False) -> Attr[T]: ...
@overload
def ttl(*, name: str | None = None, secret: bool = False) -> Any: ...
def ttl(
    *,
    default: Any = UNSET,
    factory: Callable[[], Any] | None = None,
    name: str | None = None,
    secret: bool = False,
) -> Any:
    """When DynamoDB may delete the item: stored as epoch seconds, whole seconds only.

    The attribute is an ``Attr[datetime]``, ``Attr[int]`` (epoch seconds), or one of them with ``| None``.
    ``tables.ensure`` enables time to live on the table.
    """
    return _field(AttributeOptions(role="ttl", name=name, storage="epoch", secret=secret), default, factory)


def version(*, name: str | None = None, secret: bool = False) -> Attr[int]:
    """The item's version: 0 until the first write, and one more with every write.

    Writes of an instance then succeed only on the version that the instance has; otherwise ``VersionConflict``.
    """
    field: Attr[int] = _field(AttributeOptions(role="version", name=name, secret=secret), 0, None)
    return field


def created_at(*, name: str | None = None, secret: bool = False) -> Attr[datetime]:
    """When the item was first written (UTC). Set by the first write, never again; ``NOT_WRITTEN`` before."""
    field: Attr[datetime] = _field(AttributeOptions(role="created_at", name=name, secret=secret), NOT_WRITTEN, None)
    return field


def updated_at(*, name: str | None = None, secret: bool = False) -> Attr[datetime]:
    """When the item was last written (UTC). Set by every write; ``NOT_WRITTEN`` before the first."""
    field: Attr[datetime] = _field(AttributeOptions(role="updated_at", name=name, secret=secret), NOT_WRITTEN, None)
    return field


def deleted_at(*, name: str | None = None, secret: bool = False) -> Attr[datetime | None]:
    """When the item was soft-deleted (UTC); ``None`` while it is not. At most one a model.

    A model that has it is deleted softly: ``delete`` marks the item, reads leave it out, and ``restore`` takes the mark
    off again. ``delete(..., hard=True)`` really deletes.
    """
    field: Attr[datetime | None] = _field(AttributeOptions(role="deleted_at", name=name, secret=secret), None, None)
    return field


def _field(options: AttributeOptions, default: Any, factory: Callable[[], Any] | None) -> Any:  # an attrs field
    metadata = {METADATA_KEY: options}
    shown = _masked if options.secret else True
    if factory is not None:
        if default is not UNSET:
            raise ModelError("default= and factory= exclude each other")
        return attrs.field(factory=factory, metadata=metadata, repr=shown)
    if default is UNSET:
        return attrs.field(metadata=metadata, repr=shown)
    return attrs.field(default=default, metadata=metadata, repr=shown)


def _masked(_value: object) -> str:
    return MASK
