"""What a call is about, from what its caller passed."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.model.key import Key, key_values
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.types import UNSET


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
