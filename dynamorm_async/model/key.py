"""``Key``: which item is meant."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar, final

from dynamorm_async.codec.hidden import shown
from dynamorm_async.errors import InvalidKey
from dynamorm_async.model.spec import ModelSpec, spec_of

M = TypeVar("M")


@final
class Key(Generic[M]):
    """The key of one item of a model: ``Key(User, "acme", "u1")``, or ``Key(User, org="acme", user_id="u1")``.

    Args:
        model: the model's class.
        values: the partition key's value, then the sort key's, where the model has one. Of a model with key templates,
            the attributes that its key is made of, in the order of the templates.
        named: the same by the Python names of the attributes.

    Raises:
        UsageError: the class is not a model.
        InvalidKey: a value is missing, given twice, or not of the key.
    """

    __slots__ = ("model", "values")

    def __init__(self, model: type[M], /, *values: object, **named: object) -> None:
        self.model = model
        self.values = key_values(spec_of(model), values, named)

    def __repr__(self) -> str:
        values = map(shown, spec_of(self.model).key, self.values)
        return f"Key({self.model.__name__}, {', '.join(values)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return self.model is other.model and self.values == other.values  # pyright: ignore[reportUnknownMemberType]  # a Key of any model

    def __hash__(self) -> int:
        return hash((self.model, self.values))


def key_values(
    spec: ModelSpec[Any], values: tuple[object, ...], named: Mapping[str, object] = MappingProxyType({})
) -> tuple[object, ...]:
    """The values of a key, as many as the model's key has, in order.

    Raises:
        InvalidKey: a value is missing, given twice, or not of the key.
    """
    if not named and len(values) == len(spec.key):
        return values
    names = [member.name for member in spec.key]
    its_key = f"{spec.name}'s key is {_listed(names) or 'always the same'}"
    if len(values) > len(names):
        hint = f"; {spec.name} has no sort key" if len(spec.key_names) == 1 else ""
        raise InvalidKey(f"{its_key}, but {len(values)} {'value is' if len(values) == 1 else 'values are'} given{hint}")
    given = dict(zip(names, values, strict=False))
    for name, value in named.items():
        if name not in names:
            raise InvalidKey(f"{its_key}: {name} is not of it")
        if name in given:
            raise InvalidKey(f"{its_key}: {name} is given twice")
        given[name] = value
    missing = [name for name in names if name not in given]
    if missing:
        raise InvalidKey(f"{its_key}: {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    return tuple(given[name] for name in names)


def _listed(names: list[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)
