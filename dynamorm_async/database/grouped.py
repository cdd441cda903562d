"""The items of a collection by their models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, final

import attrs

from dynamorm_async.errors import UsageError
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.types import RawItem

M = TypeVar("M")


@final
@attrs.frozen(repr=False)
class UnknownItem:
    """An item of a collection that is of no model of its table, as it is stored. ``unknown("raw")`` gives these.

    Attributes:
        type: what its discriminator says; ``None`` where it has none.
        key: its key in the table: attribute names to AttributeValues.
        attributes: the item, its key included: attribute names to AttributeValues; binary content is ``bytes``.
    """

    type: str | None
    key: RawItem
    attributes: RawItem

    def __repr__(self) -> str:
        key = ", ".join(f"{name}={next(iter(value.values()))!r}" for name, value in self.key.items())
        return f"<UnknownItem {key} of type {self.type!r}>"


@final
class Grouped:
    """The items of a collection by their models, each group in key order.

    ``groups[Order]`` is a list of orders, variants of Order among them; it is empty where there are none. Iterating gives
    the models of which there are items, each of the very class.

    Attributes:
        unknown: the items of no known model, where they were asked for with ``unknown("raw")``.
    """

    __slots__ = ("_by_model", "_items", "unknown")

    def __init__(self, items: Sequence[object], models: Sequence[ModelSpec[Any]]) -> None:
        self.unknown = [item for item in items if isinstance(item, UnknownItem)]
        self._items = [item for item in items if not isinstance(item, UnknownItem)]
        self._by_model: Mapping[type, ModelSpec[Any]] = {spec.cls: spec for spec in models}

    def __getitem__(self, model: type[M]) -> list[M]:
        """The items of a model and of its variants.

        Raises:
            UsageError: it is no model, or not one that the collection reads.
        """
        spec = spec_of(model)
        if model not in self._by_model:
            read = ", ".join(known.name for known in self._by_model.values())
            raise UsageError(f"the collection does not read {spec.name}; it reads {read}")
        return [item for item in self._items if isinstance(item, model)]

    def __iter__(self) -> Iterator[type[Any]]:
        """The models of which there are items, in order of their declaration."""
        present = {self._model_of(item) for item in self._items}
        return (model for model in self._by_model if model in present)

    def __len__(self) -> int:
        """Of how many models there are items."""
        return sum(1 for _ in self)

    def __contains__(self, model: object) -> bool:
        """Whether there are items of a model or of its variants."""
        return model in self._by_model and any(isinstance(item, cast("type", model)) for item in self._items)

    def __repr__(self) -> str:
        counts = [f"{model.__name__}: {sum(self._model_of(item) is model for item in self._items)}" for model in self]
        strangers = [f"unknown: {len(self.unknown)}"] if self.unknown else []
        return f"<Grouped {', '.join([*counts, *strangers]) or 'nothing'}>"

    def _model_of(self, item: object) -> type:
        """The model of an item, of which a partial one is a subclass."""
        return next(cls for cls in type(item).__mro__ if cls in self._by_model)
