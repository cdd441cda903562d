"""What must hold of a class's attributes, told with class, attribute and fix."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from datetime import datetime
from typing import Any

import attrs

from dynamorm_async.codec.hidden import MASK
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.layout import Layout, Member, options_of
from dynamorm_async.errors import InvalidKey, InvalidValue, ModelError
from dynamorm_async.model.declared import members_by_role
from dynamorm_async.model.table import KeyPart

_RESERVED_PREFIX = "_dynamorm"
_TAG = "_type"
_MAX_NAME_BYTES = 255
_ONCE = ("partition_key", "sort_key", "version", "created_at", "updated_at", "deleted_at", "ttl")
_ROLE_TYPES: dict[str, tuple[object, str]] = {
    "version": (int, "int"),
    "created_at": (datetime, "datetime"),
    "updated_at": (datetime, "datetime"),
    "deleted_at": (datetime | None, "datetime | None"),
}


def check_layout(layout: Layout) -> None:
    """Names that are unique and allowed.

    Raises:
        ModelError: a reserved, empty, overlong or duplicate name.
    """
    taken: dict[str, str] = {}
    for member in layout.members:
        where = f"{layout.cls.__name__}.{member.name}"
        if not member.wire or len(member.wire.encode()) > _MAX_NAME_BYTES:
            raise ModelError(f"{where}: an attribute's name in DynamoDB has 1 to {_MAX_NAME_BYTES} bytes")
        if member.wire.startswith(_RESERVED_PREFIX) or member.wire == _TAG:
            raise ModelError(f"{where}: the name {member.wire!r} is reserved; give it another with name=...")
        if member.wire in taken:
            raise ModelError(
                f"{where} and {taken[member.wire]} are both stored as {member.wire!r}; give one another name=..."
            )
        taken[member.wire] = where


def check_roles(layout: Layout, *, hide_expired: bool = False, templated: Collection[str] = ()) -> None:
    """One partition key, at most one of each other role, each of the type that the role needs.

    Args:
        layout: the model's attributes.
        hide_expired: whether reads leave out expired items.
        templated: the keys that templates make; where there are any, the table says what is missing.

    Raises:
        ModelError: there is none or more than one, the type is another, or nothing says when items expire, where expired
            ones are to be hidden.
    """
    cls = layout.cls.__name__
    found: dict[str, Member] = {}
    for field in attrs.fields(layout.cls):
        role, member = options_of(field).role, layout.member(field.name)
        if role not in _ONCE or member is None:
            continue
        if role in found:
            raise ModelError(
                f"{cls} has two {role}() attributes, {found[role].name} and {member.name}; DynamoDB has one"
            )
        found[role] = member
        wanted = _ROLE_TYPES.get(role)
        if wanted is not None and member.shape.type != wanted[0]:
            raise ModelError(f"{cls}.{member.name}: {role}() wants Attr[{wanted[1]}]")
    if "partition_key" not in found and not templated:
        raise ModelError(f"{cls} has no partition key: declare one attribute with partition_key()")
    if hide_expired and "ttl" not in found:
        raise ModelError(
            f"{cls}: hide_expired=True, but nothing says when an item expires: declare one attribute with ttl()"
        )


def check_defaults(layout: Layout) -> None:
    """Defaults that fit their types and belong to one instance each.

    Raises:
        ModelError: a default of another type, a mutable one, or ``None`` where the type does not admit it.
    """
    for member in layout.members:
        where, default = f"{layout.cls.__name__}.{member.name}", member.default
        if default is attrs.NOTHING or _is_factory(default):
            continue
        if type(default).__hash__ is None:
            shown = MASK if member.shape.hidden else repr(default)
            raise ModelError(
                f"{where}: default={shown} would be shared by all instances: write factory=lambda: {shown}"
            )
        if default is None and not member.shape.optional and member.shape.tag:
            raise ModelError(f"{where}: default=None, but its type does not admit None: write Attr[... | None]")
        try:
            member.shape.encode(default)
        except (InvalidValue, InvalidKey) as error:
            raise ModelError(f"{where}: the default does not fit its type: {error}") from None


def check_key_defaults(codec: ItemCodec[Any]) -> None:
    """Defaults that can be keys.

    Raises:
        ModelError: a key attribute's default is empty or too long.
    """
    for member in codec.layout.members:
        if member.key_limit and member.default is not attrs.NOTHING and not _is_factory(member.default):
            try:
                codec.encode_member(member, member.default)
            except InvalidKey as error:
                raise ModelError(f"{error}: give it another default, or Attr[... | None] with default=None") from None


def check_slots(layout: Layout) -> None:
    """Instances are made by setting their ``__dict__``: a slot of a mixin would be passed over.

    Raises:
        ModelError: an ``init=False`` field of a slotted mixin.
    """
    for name, _default in layout.unstored:
        if inspect.ismemberdescriptor(getattr(layout.cls, name, None)):
            base = next(base for base in layout.cls.__mro__ if name in vars(base))
            raise ModelError(
                f"{layout.cls.__name__}.{name}: its base {base.__name__} keeps it in a slot: "
                f"decorate {base.__name__} with @attrs.define(slots=False)"
            )


def check_embeddable(layout: Layout) -> None:
    """An embedded class has plain attributes.

    Raises:
        ModelError: one has a role, or is encrypted.
    """
    cls = layout.cls.__name__
    for role, member in members_by_role(layout):
        if role != "attribute":
            raise ModelError(f"{cls}.{member.name}: {role}() belongs to a model, not to an embedded class")
        if member.storage == "encrypted":
            raise ModelError(
                f"{cls}.{member.name}: encrypted() belongs to a model, not to an embedded class: encrypt the model's whole "
                f"attribute, Attr[{cls}] = encrypted()"
            )


def check_encrypted(layout: Layout, *, versions: bool) -> None:
    """Encrypted attributes are compared with by nobody, so that a migration is guarded by the version.

    Args:
        layout: the model's attributes.
        versions: whether the model has a schema version.

    Raises:
        ModelError: items are upcast, some attribute is encrypted, and there is no ``version()``.
    """
    found = [member.name for member in layout.members if member.storage == "encrypted"]
    roles = {options_of(field).role for field in attrs.fields(layout.cls)}
    if found and versions and "version" not in roles:
        raise ModelError(
            f"{layout.cls.__name__}: save() of an item of an older schema insists on its attributes as they were read, and "
            f"{found[0]} is encrypted(), which DynamoDB cannot compare: declare one attribute with version()"
        )


def key_part(layout: Layout, name: str, what: str) -> KeyPart:
    """An attribute as part of a key.

    Raises:
        ModelError: there is no such attribute, or its type cannot be a key.
    """
    cls = layout.cls.__name__
    member = layout.member(name)
    if member is None:
        known = ", ".join(m.name for m in layout.members)
        raise ModelError(f"{cls}: {name!r} is to be {what}, but {cls} has no such attribute; it has {known}")
    tag = member.shape.tag
    if member.storage == "encrypted":
        raise ModelError(f"{cls}.{name} is {what}, so it cannot be encrypted(): DynamoDB finds items by their keys")
    if tag not in ("S", "N", "B"):
        shown = getattr(member.shape.type, "__name__", str(member.shape.type))
        raise ModelError(f"{cls}.{name} is {what}, but DynamoDB keys are text, numbers or bytes, not {shown}")
    if member.shape.optional and not what.startswith("a key of index"):
        raise ModelError(f"{cls}.{name} is {what}, so it cannot be None: take the | None off its type")
    return KeyPart(member.wire, tag)  # type: ignore[arg-type]  # just checked


def _is_factory(default: object) -> bool:
    return isinstance(default, attrs.Factory)  # type: ignore[arg-type]  # the stubs type Factory as a function
