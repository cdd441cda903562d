"""The items of instances as a file or a restored table has them: the lifecycle leaves them alone."""

from __future__ import annotations

from typing import Any

from dynamorm_async.codec.sizes import check_size
from dynamorm_async.model.attributes import NOT_WRITTEN
from dynamorm_async.model.spec import ModelSpec, spec_of_instance
from dynamorm_async.types import AttributeValue


def whole_item(instance: object) -> tuple[ModelSpec[Any], dict[str, AttributeValue]]:
    """The item of an instance as a table has it, with keys made by templates; its times and version stay as they are.

    Raises:
        InvalidValue, InvalidKey, ItemTooLarge: it cannot be stored.
    """
    spec, item = _own(instance)
    if spec.derived is not None:
        item |= spec.derived.of(item)
    if spec.schema is not None:
        item |= spec.schema.tag
    check_size(spec.name, item)
    return spec, item


def portable_item(instance: object) -> tuple[ModelSpec[Any], dict[str, AttributeValue]]:
    """The same without keys of indexes that templates make: they are made anew where it is imported.

    The table's key stays, though it is made anew as well: an upcaster is refused that would move an item.
    """
    spec, item = _own(instance)
    if spec.derived is not None:
        item |= {**spec.derived.tag, **spec.derived.key(item)}
    if spec.schema is not None:
        item |= spec.schema.tag
    return spec, item


def _own(instance: object) -> tuple[ModelSpec[Any], dict[str, AttributeValue]]:
    """The attributes of an instance itself, without times and a version of a write that there never was."""
    spec = spec_of_instance(instance)
    item: dict[str, AttributeValue] = spec.codec.encode(instance)
    for member in (spec.created_at, spec.updated_at):
        if member is not None and getattr(instance, member.name) == NOT_WRITTEN:
            item.pop(member.wire, None)
    if spec.version is not None and getattr(instance, spec.version.name) == 0:
        item.pop(spec.version.wire, None)
    return spec, item
