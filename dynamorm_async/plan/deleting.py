"""DeleteItem."""

from __future__ import annotations

from typing import Any

from dynamorm_async.expressions.conditions import Condition, Either
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import Returns, Write, add_conditions, add_return_values, key_is_free, version_condition
from dynamorm_async.types import AttributeValue, Request


def delete_item(
    spec: ModelSpec[Any],
    table: str,
    key: dict[str, AttributeValue],
    *,
    where: Condition | None,
    returns: Returns,
    instance: object | None = None,
) -> Write:
    """DeleteItem; of an instance under its version, where the model has one. An item that is gone already is fine."""
    body: dict[str, Any] = {"TableName": table, "Key": key}
    expected: int | None = None
    condition: Condition | None = None
    if instance is not None:
        expected, condition = version_condition(spec, instance)
        if condition is not None:
            condition = Either((key_is_free(spec), condition))
    add_return_values(body, returns, "delete", "none", "old")
    conditional = add_conditions(body, [condition, where])
    repeatable = not conditional and returns == "none"
    request = Request(operation="DeleteItem", body=body, table=table, repeatable=repeatable, sealed=spec.sealed(table))
    return Write(spec=spec, request=request, expected=expected, missing_fails_where=where is not None)
