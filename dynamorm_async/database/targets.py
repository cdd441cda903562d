"""What a call is about, from what its caller passed."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.model.key import Key, key_values
from dynamorm_async.model.spec import ModelSpec, spec_of, spec_of_instance
from dynamorm_async.types import UNSET, AttributeValue


def read_target(
    target: type[Any] | Key[Any], partition: object, sort: object
) -> tuple[ModelSpec[Any], tuple[object, ...]]:
    """The model and key values of ``get(Key(User, …))`` or ``get(User, …)``.

    Raises:
        UsageError: no key values, key values beside a Key, or a class that is not a model.
        InvalidKey: the sort key is missing, or the model has none.
    """
    if isinstance(target, Key):
        if partition is not UNSET:
            raise UsageError(f"get({target!r}, {partition!r}): the Key has the key values already; pass it alone")
        return spec_of(target.model), target.values
    spec = spec_of(target)
    if partition is UNSET:
        names = ", ".join(member.name for member in spec.key)
        raise UsageError(f"get({spec.name}) needs the key values: get({spec.name}, {names})")
    return spec, key_values(spec, partition, sort)


def update_target(value: object) -> Key[Any]:
    """The key of an update.

    Raises:
        UsageError: it is no Key.
    """
    if not isinstance(value, Key):
        raise UsageError(f"update() takes a Key, such as Key(User, 'acme', 'u1'), got {value!r}")
    return value  # pyright: ignore[reportUnknownVariableType]  # a Key of any model


def delete_target(target: object) -> tuple[ModelSpec[Any], dict[str, AttributeValue], object | None]:
    """The model, the key and, where it was given, the instance of a delete.

    Raises:
        UsageError: it is neither a Key nor an instance of a model.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    if isinstance(target, Key):
        spec: ModelSpec[Any] = spec_of(target.model)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # a Key of any model
        return spec, spec.codec.encode_key(*target.values), None
    spec = spec_of_instance(target)
    return spec, spec.codec.key_of(target), target
