"""Other models whose items can be among those that are read, and the filter that leaves them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynamorm_async.expressions.conditions import Comparison, Condition, Function, Literally, OneOf, Path
from dynamorm_async.model.derived import KeyTemplate
from dynamorm_async.model.registry import is_former, models_of, shares_keys
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart


def types_of(spec: ModelSpec[Any]) -> tuple[str, ...]:
    """The types of a model's items: its own and those of its variants; none where items have no type."""
    return () if spec.type is None else (spec.type, *spec.variants)


def is_of_type(spec: ModelSpec[Any]) -> Condition | None:
    """What holds of a model's items by their discriminator; ``None`` where they have none."""
    types = types_of(spec)
    if not types or spec.table.discriminator is None:
        return None
    path = Path((spec.table.discriminator,))
    if len(types) == 1:
        return Comparison(path, "=", Literally({"S": types[0]}))
    return OneOf(path, tuple(Literally({"S": each}) for each in types))


def is_of_no_other(spec: ModelSpec[Any]) -> Condition | None:
    """What an update insists on where an item of another type can have the key: that it has no type, or the model's."""
    name = spec.table.discriminator
    if name is None or spec.type is None:
        return None
    models = spec.table.models
    if len(models) < 2:  # noqa: PLR2004 - the model itself
        return None
    known = (is_of_no_other, models)
    if known not in spec.worked_out:
        condition = is_of_type(spec) if shares_keys(spec) else None
        untyped = Function("attribute_not_exists", Path((name,)))
        spec.worked_out[known] = None if condition is None else untyped | condition
    found: Condition | None = spec.worked_out[known]
    return found


def strangers(spec: ModelSpec[Any], keys: Sequence[KeyPart | KeyTemplate], depths: Sequence[int]) -> tuple[str, ...]:
    """The other models of the table that can have items in a range of keys, by name. Where it names none, that is certain.

    Args:
        spec: the model that is read.
        keys: the key attributes of what is read.
        depths: of each of them, how many parts of its template are known; 0 where anything can be in it.
    """
    models = spec.table.models
    if len(models) < 2:  # noqa: PLR2004 - the model itself
        return ()
    # Told once for each set of models: it takes longer than all the rest of planning.
    known = (strangers, tuple(key.name for key in keys), tuple(depths), models)
    found: tuple[str, ...] | None = spec.worked_out.get(known)
    if found is None:
        types = types_of(spec)
        found = spec.worked_out[known] = tuple(
            other.name
            for other in models_of(spec.table)
            if not is_former(other, spec)
            and (other.type is None or other.type not in types)
            and all(_can_have(other, key, depth) for key, depth in zip(keys, depths, strict=True))
        )
    return found


def _can_have(other: ModelSpec[Any], key: KeyPart | KeyTemplate, depth: int) -> bool:
    """Whether some item of a model has a key attribute that is read."""
    from dynamorm_async.codec.template import overlap  # noqa: PLC0415 - loaded when first used

    made = other.key_templates.get(key.name)
    if made is None:
        return key.name in other.python_names
    return isinstance(key, KeyPart) or overlap(key.template, made.template, known=depth)
