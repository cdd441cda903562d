"""``partition``: which partition of a table or index is meant, from a model's attributes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, final

import msgspec

from dynamorm_async.codec.containers import key_content
from dynamorm_async.codec.hidden import shown
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.numbers import decimal_text
from dynamorm_async.errors import InvalidKey, InvalidValue, UsageError
from dynamorm_async.model.index import Index
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.model.table import KeyPart, Table, TableIndex
from dynamorm_async.model.templating import KEY_BYTES
from dynamorm_async.types import AttributeValue

KeyValue: TypeAlias = str | int | Decimal | bytes
"""The value of a key attribute as it is stored: text, a number or bytes."""


@final
class Partition(msgspec.Struct, frozen=True):
    """One partition of a table, or of one of its indexes. Made by :func:`partition`.

    Attributes:
        table: the table.
        index: the index; ``None`` for the table itself.
        key: its partition key: the attributes' names in DynamoDB and their AttributeValues.
    """

    table: Table
    index: TableIndex | None
    key: Mapping[str, AttributeValue]


def partition(model: type[Any], /, *, index: Index | str | None = None, **values: object) -> Partition:
    """The partition that items of a model with these attributes are in, for ``db.collection``.

    ``partition(Customer, customer_id="42")`` renders the template of the partition key, as a write would.

    Args:
        model: the model.
        index: an index, or its name; by default the table itself.
        values: the attributes that the partition key is made of, or that it is, by their Python names.

    Raises:
        UsageError: no model, no such index, or none that holds items of the model.
        InvalidKey: an attribute is missing, is not of the partition key, or has a value that cannot be a key.
    """
    spec = spec_of(model)
    target = None if index is None else named_index(spec.table, index, model=spec.name)
    parts = (spec.table.partition_key,) if target is None else target.partition
    members = _members(spec, target, parts)
    what = "" if target is None else f" of index {target.name}"
    shown = " and ".join(members) or "nothing: it is the same for all"
    for name in values:
        if name not in members:
            raise InvalidKey(f"the partition key{what} of {spec.name} is made of {shown}; {name} is not of it")
    missing = [name for name in members if values.get(name) is None]
    if missing:
        raise InvalidKey(
            f"the partition key{what} of {spec.name} is made of {shown}: give {' and '.join(missing)} a value"
        )
    item = {member.wire: _encoded(spec, member, values[name]) for name, member in members.items()}
    return Partition(spec.table, target, {part.name: _rendered(spec, part, item) for part in parts})


def named_index(table: Table, index: Index | str, *, model: str | None = None) -> TableIndex:
    """The index of a table that a caller means.

    Args:
        table: the table.
        index: the index, or its name.
        model: the name of the model that is read, for the error; ``None`` where no one model is.

    Raises:
        UsageError: it has none of that name.
    """
    name = index if isinstance(index, str) else index.name
    found = table.index(name)
    if found is None:
        known = ", ".join(index.name for index in table.indexes) or "none"
        of = "" if model is None else f" of {model}"
        raise UsageError(f"table {table.name}{of} has no index {name!r}; it has {known}")
    return found


def key_value(part: KeyPart, value: object, *, kind: str, where: str) -> AttributeValue:
    """The value of a key attribute, as it is stored.

    Args:
        part: the attribute.
        value: text, a number or bytes, as the attribute's type wants it.
        kind: ``partition`` or ``sort``, which says how long it may be.
        where: the caller's call, for errors.

    Raises:
        InvalidKey: it is of another type, empty, or too long.
    """
    what = f"the {kind} key attribute {part.name}"
    wanted = {"S": "text", "N": "a number (int or Decimal)", "B": "bytes"}[part.tag]
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    fits = is_number if part.tag == "N" else isinstance(value, str if part.tag == "S" else bytes)
    if not fits:
        raise InvalidKey(f"{where}: {what} takes {wanted}, got {value!r}")
    try:
        if isinstance(value, int | Decimal):
            return {"N": decimal_text(Decimal(value))}
        return {part.tag: key_content(value, KEY_BYTES[kind], what)}
    except (InvalidKey, InvalidValue) as error:
        raise InvalidKey(f"{where}: {error}") from None


def _members(spec: ModelSpec[Any], index: TableIndex | None, parts: tuple[KeyPart, ...]) -> dict[str, Member]:
    """The attributes that a partition key is made of, by their Python names, in order."""
    own = {member.wire: member for member in spec.attributes.values()}
    templates = spec.key_templates
    members: dict[str, Member] = {}
    for part in parts:
        if part.name in templates:
            members |= {member.name: member for member in templates[part.name].template.members}
        elif part.name in own:
            members[own[part.name].name] = own[part.name]
        else:
            what = "the table" if index is None else f"index {index.name}"
            raise UsageError(
                f"{what} of {spec.table.name} holds no {spec.name}: the model has neither an attribute nor a template for "
                f"{part.name}"
            )
    return members


def _encoded(spec: ModelSpec[Any], member: Member, value: object) -> AttributeValue:
    try:
        encoded = spec.codec.encode_member(member, value)
    except InvalidValue as error:
        raise InvalidKey(str(error)) from None
    if encoded is None or "NULL" in encoded:
        raise InvalidKey(f"{spec.name}.{member.name} is {shown(member, value)}: items with that are in no partition")
    return encoded


def _rendered(spec: ModelSpec[Any], part: KeyPart, item: Mapping[str, AttributeValue]) -> AttributeValue:
    template = spec.key_templates.get(part.name)
    made = item[part.name] if template is None else template.of(item)
    assert made is not None, "no attribute is missing"  # noqa: S101 - each was encoded
    return made
