"""ConditionCheck: what a transaction insists on without writing."""

from __future__ import annotations

from typing import Any

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import Write, add_conditions, version_condition
from dynamorm_async.types import AttributeValue, Request


def check_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    *,
    where: Condition | None,
    instance: object | None,
) -> Write:
    """A check of the conditions, and of an instance's version.

    Raises:
        UsageError: there is nothing to check.
    """
    expected, condition = (None, None) if instance is None else version_condition(spec, instance)
    if where is None and condition is None:
        name = next(iter(spec.attributes))
        raise UsageError(f"check() of {spec.name} without conditions: pass some, such as {spec.name}.{name}.exists()")
    body: dict[str, Any] = {"TableName": table, "Key": key}
    add_conditions(body, [condition, where])
    request = Request(operation="ConditionCheck", body=body, table=table, sealed=spec.sealed(table))
    blames_where = where is not None and expected == 0
    return Write(spec=spec, request=request, expected=expected, missing_fails_where=blames_where)
