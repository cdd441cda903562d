"""How other models' items are left out of what is read: by their type, or by how their keys begin."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.model.table import KeyPart
from dynamorm_async.plan.choice import Target, untold
from dynamorm_async.plan.holding import keys_made
from dynamorm_async.plan.strangers import is_of_type, strangers


def typed(spec: ModelSpec[Any], target: Target) -> tuple[Condition, ...]:
    """What leaves out other models' items, where what is read has the discriminator."""
    condition = is_of_type(spec)
    return () if condition is None or not all(map(target.holds, condition.roots())) else (condition,)


def unmixed(spec: ModelSpec[Any], target: Target) -> tuple[tuple[Condition, ...], bool]:
    """What leaves other models' items out of a scan, and whether there may be any.

    Where items cannot be told by their type, they are told by the text with which the templates of the table's key begin.

    Raises:
        UsageError: they cannot be told either way.
    """
    from dynamorm_async.plan.keytexts import begins_with  # noqa: PLC0415 - loaded when first used

    others = () if spec.derived is None else strangers(spec, target.keys, [0] * len(target.keys))
    of_type = typed(spec, target)
    if of_type or not others:
        return of_type, bool(others)
    keys = keys_made(spec, spec.table.key_parts())
    starts = ["" if isinstance(key, KeyPart) else key.template.prefix({}) for key in keys]
    depths = [1 if start else 0 for start in starts]
    refused = untold(spec, target, strangers(spec, keys, depths))
    if refused:
        raise UsageError(f"a scan of {target.name} for {spec.name}: it {refused[0]}")
    return tuple(c for key, start in zip(keys, starts, strict=True) for c in begins_with(key.name, start)), True
