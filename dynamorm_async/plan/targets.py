"""Conditions belong to the model that they are used on."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, all_of
from dynamorm_async.model.spec import ModelSpec


def check_roots(spec: ModelSpec[Any], condition: Condition) -> None:
    """Refuse a condition on attributes that neither the model nor one of its variants has.

    Raises:
        UsageError: it mentions one.
    """
    names = {*spec.python_names, *(() if spec.schema is None else spec.schema.tag)}
    for root in condition.roots():
        if root not in names and not any(root in variant.python_names for variant in spec.variants.values()):
            raise UsageError(
                f"the condition is about {root!r}, which {spec.name} does not have: use the attributes of {spec.name} "
                f"itself, or {spec.name}.outer / Inner.attribute for those of an embedded class"
            )


def check_condition(spec: ModelSpec[Any], where: Condition | None) -> None:
    """Refuse what is not a condition on the model.

    Raises:
        UsageError: it is no condition, or mentions an attribute that the model does not have.
    """
    if where is not None:
        all_of([where])
        check_roots(spec, where)
