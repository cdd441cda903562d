"""Writing an item of an import where its key is free, with the markers of its unique values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from dynamorm_async import Database
from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import ConditionFailed, NotUnique, TransactionCancelled
from dynamorm_async.plan.transactions import TransactionPlan, plan_transaction
from dynamorm_async.plan.write import Write
from dynamorm_async.transfer.decoding import Row
from dynamorm_async.transfer.scope import Scope
from dynamorm_async.types import Request


async def create(db: Database, scope: Scope, row: Row) -> bool:
    """Write a row where its key is free; whether it was.

    Args:
        db: sends the request.
        scope: the table.
        row: the item.

    Raises:
        NotUnique: another item has one of its unique values.
        CallError: the request failed.

    Costs one PutItem; of a model with unique values one TransactWriteItems.
    """
    request = _insisting(scope, row)
    if row.has_unique:
        return await _create_with_markers(db, _with_markers(request, row))
    try:
        await db.send(request)
    except ConditionFailed as error:
        # After a lost answer, the item that is there may be this one.
        return error.maybe_applied and error.raw_item is not None and _same_item(error.raw_item, row.item)
    return True


def _insisting(scope: Scope, row: Row) -> Request:
    body: dict[str, Any] = {
        "TableName": scope.name,
        "Item": row.item,
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": scope.table.partition_key.name},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return Request(
        operation="PutItem", body=body, table=scope.name, repeatable=False, at_most_once=True, sealed=row.sealed
    )


async def _create_with_markers(db: Database, plan: TransactionPlan) -> bool:
    try:
        await db.send(plan.request)
    except TransactionCancelled as error:
        codes = [reason.get("Code") for reason in error.reasons]
        if codes and codes[0] == "ConditionalCheckFailed":
            return False
        for action, code in zip(plan.actions, codes, strict=False):
            if code == "ConditionalCheckFailed" and action.marker is not None:
                raise _taken(action.marker.constraint.members, error) from error
        raise
    return True


def _with_markers(request: Request, row: Row) -> TransactionPlan:
    spec = row.spec
    assert spec is not None, "only rows of a model have unique values"  # noqa: S101 - an invariant of Row
    names = {member.wire for constraint in spec.unique for member in constraint.members}
    unique = {name: row.item.get(name) for name in names}
    write = Write(spec=spec, request=request, item=row.item, must_not_exist=True, unique=unique)
    return plan_transaction([write], {0: None}, str(uuid.uuid4()))


def _same_item(found: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    there = bytes_in(found)
    return there.keys() == own.keys() and all(same_value(value, there[name]) for name, value in own.items())


def _taken(members: Sequence[Member], error: TransactionCancelled) -> NotUnique:
    names = tuple(member.name for member in members)
    taken = NotUnique(
        f"the value of {' and '.join(names)} is taken by another item; the line was not imported",
        operation=error.operation,
        table=error.table,
        code="ConditionalCheckFailed",
        request_id=error.request_id,
    )
    taken.attributes = names
    return taken
