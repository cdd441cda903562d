"""What a call is about, from what its caller passed."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.model.key import Key, key_values
from dynamorm_async.model.spec import ModelSpec, spec_of


def read_target(target: type[Any] | Key[Any], values: tuple[object, ...]) -> tuple[ModelSpec[Any], tuple[object, ...]]:
    """The model and key values of ``get(Key(User, …))`` or ``get(User, …)``.

    Raises:
        UsageError: no key values, key values beside a Key, or a class that is not a model.
        InvalidKey: a value is missing, or too many are given.
    """
    if type(target) is Key:  # isinstance asks a class for its class, which takes longer than all the rest
        if values:
            raise UsageError(f"get({target!r}, ...): the Key has the key values already; pass it alone")
        return spec_of(target.model), target.values
    spec = spec_of(target)
    if not values and spec.key:
        names = ", ".join(member.name for member in spec.key)
        raise UsageError(f"get({spec.name}) needs the key values: get({spec.name}, {names})")
    return spec, key_values(spec, values)
