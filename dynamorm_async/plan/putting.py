"""PutItem: create and put."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.lifecycle import encoded
from dynamorm_async.plan.write import Returns, Write, add_conditions, add_return_values, key_is_free, version_condition
from dynamorm_async.types import Request


def create_item(spec: ModelSpec[Any], table: str, instance: object, now: datetime) -> Write:
    """PutItem that insists on a free key."""
    item, changes, json = encoded(spec, instance, now)
    body: dict[str, Any] = {"TableName": table, "Item": item}
    add_conditions(body, [key_is_free(spec)])
    request = Request(
        operation="PutItem", body=body, table=table, repeatable=False, at_most_once=True, sealed=spec.sealed(table)
    )
    return Write(
        spec=spec,
        request=request,
        instance=instance,
        changes=changes,
        item=item,
        json=None if request.sealed else json,
        must_not_exist=True,
    )


def put_item(
    spec: ModelSpec[Any], table: str, instance: object, now: datetime, *, where: Condition | None, returns: Returns
) -> Write:
    """PutItem over whatever is there; under the instance's version, where the model has one."""
    item, changes, json = encoded(spec, instance, now)
    body: dict[str, Any] = {"TableName": table, "Item": item}
    expected, condition = version_condition(spec, instance)
    add_return_values(body, returns, "put", "none", "old")
    conditional = condition is not None or where is not None
    if conditional:
        add_conditions(body, [condition, where])
    # What an overwritten item was can be told only once.
    repeatable = not conditional and returns == "none"
    request = Request(
        operation="PutItem",
        body=body,
        table=table,
        repeatable=repeatable,
        at_most_once=expected is not None and returns == "none",
        sealed=spec.sealed(table),
    )
    blames_where = where is not None and expected == 0
    return Write(
        spec=spec,
        request=request,
        instance=instance,
        changes=changes,
        item=item,
        json=None if request.sealed else json,
        expected=expected,
        missing_fails_where=blames_where,
    )
