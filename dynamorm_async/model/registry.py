"""Which models live in a table: told apart by their types, and by keys that no two of them can share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dynamorm_async.codec.families import is_declared_again
from dynamorm_async.errors import ModelError, UsageError
from dynamorm_async.model.spec import SPEC, ModelSpec, spec_of
from dynamorm_async.model.table import KeyPart, Table
from dynamorm_async.model.variants import check_variant


def base_of(cls: type, tag: str | None) -> ModelSpec[Any]:
    """The model that a variant is a variant of: the nearest base that is a model.

    Args:
        cls: the class.
        tag: its type, as declared.

    Raises:
        ModelError: there is none, or its items cannot be told apart from those of its variants.
    """
    spec: ModelSpec[Any] | None = next((vars(base)[SPEC] for base in cls.__mro__[1:] if SPEC in vars(base)), None)
    if spec is None:
        raise ModelError(f'{cls.__name__} has no table: write @model("users"), or make it a subclass of a model')
    if spec.table.discriminator is None:
        raise ModelError(
            f"{cls.__name__}: table {spec.table.name} has no discriminator, so its items cannot be told from those of "
            f"{spec.name}: give it one, Table(..., discriminator='type')"
        )
    if spec.type is None:
        shown = tag or cls.__name__
        raise ModelError(
            f"{cls.__name__} is to be a variant of {spec.name} of type {shown!r}, but {spec.name} has no type: "
            f"write type={spec.name.lower()!r} there"
        )
    return spec


def root_name(cls: type, base: ModelSpec[Any] | None) -> str:
    """The name of the model at the root of the variants that a class belongs to; its own where it is no variant."""
    if base is None:
        return cls.__name__
    return [each.name for each in _models_among(cls.__mro__[1:]) if each.table is base.table][-1]


def register(spec: ModelSpec[Any], base: ModelSpec[Any] | None) -> None:
    """Note a model in its table, and a variant with the models that it is a variant of.

    A class that is declared again takes the place of its former self. The variants of that go with it: they are declared
    again after their base, as it was declared again before them.

    Raises:
        ModelError: another model of the table has its type, or could have its keys; or calls on the base could not keep
            a variant's items right.
    """
    if base is not None:
        check_variant(spec, base)
    former = _former(spec)
    _check_others(spec, [other for other in models_of(spec.table) if other not in former])
    for other in former:
        for ancestor in _ancestors(other):
            if other.type is not None and ancestor.variants.get(other.type) is other:
                del ancestor.variants[other.type]
    spec.table.register(spec.cls, former=[other.cls for other in former], encrypted=spec.encrypted)
    for ancestor in () if base is None else _ancestors(spec):
        if spec.type is not None:
            ancestor.variants[spec.type] = spec


def is_former(other: ModelSpec[Any], spec: ModelSpec[Any]) -> bool:
    """Whether a model is the same class as it was declared before, or is to be after."""
    return is_declared_again(spec.cls, spec.type, other.cls, other.type)


def _check_others(spec: ModelSpec[Any], others: Iterable[ModelSpec[Any]]) -> None:
    """Refuse a model whose items could be taken for those of another of its table, or overwrite them."""
    for other in others:
        if spec.type is not None and other.type == spec.type:
            raise ModelError(
                f"{spec.name} and {other.name} are both of type {spec.type!r} in table {spec.table.name}: "
                "give one of them another type=..."
            )
        if not _are_family(spec, other) and _share_keys(spec, other):
            raise ModelError(
                f"an item of {spec.name} ({_shown_key(spec)}) and one of {other.name} ({_shown_key(other)}) could have the "
                f"same key in table {spec.table.name}: begin a template of one of them with another text"
            )


def _former(spec: ModelSpec[Any]) -> list[ModelSpec[Any]]:
    """The models of the table that a model takes the place of: its former self, with the variants of that."""
    models = models_of(spec.table)
    former = [other for other in models if is_former(other, spec)]
    return [other for other in models if any(issubclass(other.cls, one.cls) for one in former)]


def _ancestors(spec: ModelSpec[Any]) -> list[ModelSpec[Any]]:
    """The models that a model is a variant of, the nearest first."""
    return [other for other in _models_among(spec.cls.__mro__[1:]) if other.table is spec.table]


def _shown_key(spec: ModelSpec[Any]) -> str:
    made = spec.derived.table_keys if spec.derived else ()
    return ", ".join(f"{key.name}={key.template.text!r}" for key in made)


def models_of(table: Table) -> list[ModelSpec[Any]]:
    """The models that live in a table, in order of declaration."""
    return [spec_of(cls) for cls in table.models]


def with_variants(specs: Iterable[ModelSpec[Any]]) -> tuple[ModelSpec[Any], ...]:
    """Models and their variants, whose items are theirs as well; each once, a model before its variants."""
    return tuple(dict.fromkeys(each for spec in specs for each in (spec, *spec.variants.values())))


def shares_keys(spec: ModelSpec[Any]) -> bool:
    """Whether an item of another type can have the key of one of this model: of a variant, that of its base."""
    own = {spec.type, *spec.variants, None}
    plain = spec.derived is None or not spec.derived.table_keys
    return any(
        plain or _are_family(spec, other) or other.derived is None or not other.derived.table_keys
        for other in models_of(spec.table)
        if other.type not in own
    )


def model_of(spec: ModelSpec[Any], raw: Mapping[str, Any]) -> ModelSpec[Any]:
    """The model that an item is of by its type: any of the table's; the given one, where the type says nothing of another.

    Args:
        spec: the model that the item was asked for as.
        raw: the item, in DynamoDB's JSON form.
    """
    from dynamorm_async.codec.variant_reader import type_in  # noqa: PLC0415 - loaded when first used

    discriminator = spec.table.discriminator
    kind = None if discriminator is None else type_in(raw, discriminator)
    return spec if kind is None else next((other for other in models_of(spec.table) if other.type == kind), spec)


def _models_among(classes: tuple[type, ...]) -> Iterator[ModelSpec[Any]]:
    for cls in classes:
        try:
            yield spec_of(cls)
        except UsageError:
            continue


def _are_family(one: ModelSpec[Any], other: ModelSpec[Any]) -> bool:
    """Whether one is a variant of the other, or both are of a third: their keys are of one kind."""
    return any(
        model.table is one.table for model in _models_among(tuple(set(one.cls.__mro__) & set(other.cls.__mro__)))
    )


def _share_keys(one: ModelSpec[Any], other: ModelSpec[Any]) -> bool:
    """Whether some key could be of both. Models with plain keys only say nothing of them."""
    if one.derived is None or other.derived is None or not (one.derived.table_keys and other.derived.table_keys):
        return False
    return all(_share(one, other, part) for part in one.table.key_parts())


def _share(one: ModelSpec[Any], other: ModelSpec[Any], part: KeyPart) -> bool:
    from dynamorm_async.codec.template import overlap  # noqa: PLC0415 - loaded when first used

    first, second = (
        next((key.template for key in spec.derived.table_keys if key.name == part.name), None) if spec.derived else None
        for spec in (one, other)
    )
    return first is None or second is None or overlap(first, second)
