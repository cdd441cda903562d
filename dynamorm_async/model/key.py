"""``Key``: which item is meant."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, final

from dynamorm_async.errors import InvalidKey
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.types import UNSET, Unset

M = TypeVar("M")


@final
class Key(Generic[M]):
    """The key of one item of a model: ``Key(User, "acme", "u1")``.

    Args:
        model: the model's class.
        partition: the partition key's value.
        sort: the sort key's value, where the model has a sort key.

    Raises:
        UsageError: the class is not a model.
        InvalidKey: the sort key is missing, or the model has none.
    """

    __slots__ = ("model", "values")

    def __init__(self, model: type[M], partition: object, sort: object = UNSET, /) -> None:
        self.model = model
        self.values = key_values(spec_of(model), partition, sort)

    def __repr__(self) -> str:
        return f"Key({self.model.__name__}, {', '.join(map(repr, self.values))})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return self.model is other.model and self.values == other.values  # pyright: ignore[reportUnknownMemberType]  # a Key of any model

    def __hash__(self) -> int:
        return hash((self.model, self.values))


def key_values(spec: ModelSpec[Any], partition: object, sort: object | Unset) -> tuple[object, ...]:
    """The values of a key, as many as the model's key has.

    Raises:
        InvalidKey: the sort key is missing, or the model has none.
    """
    if len(spec.key) == 1:
        if sort is not UNSET:
            raise InvalidKey(f"{spec.name} has no sort key: its key is {spec.key[0].name} alone")
        return (partition,)
    if sort is UNSET:
        raise InvalidKey(f"{spec.name}'s key is {spec.key[0].name} and {spec.key[1].name}: the sort key is missing")
    return partition, sort
