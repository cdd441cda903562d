"""TransactWriteItems from planned writes.

Source: "TransactWriteItems" and "Amazon DynamoDB Transactions: How it works" in DynamoDB's documentation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.codec.sizes import item_size
from dynamorm_async.errors import UsageError
from dynamorm_async.plan.unique import Before, Marker, MarkerId, guarded, markers
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Prepared, Request

MAX_ACTIONS: Final = 100
_MAX_BYTES = 4 * 1024 * 1024
_FEW = 10  # items of 400 KB that fit in any case

_PARTS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete", "ConditionCheck": "ConditionCheck"}


class Action(msgspec.Struct, frozen=True):
    """One action of a transaction as sent.

    Attributes:
        index: which write it belongs to.
        body: the action.
        marker: the marker that it is about; ``None`` for the write itself.
    """

    index: int
    body: dict[str, Any]
    marker: Marker | None = None


class TransactionPlan(msgspec.Struct, frozen=True):
    """A transaction as it is sent.

    Attributes:
        request: what to send.
        actions: its actions, in the order of DynamoDB's cancellation reasons.
    """

    request: Request
    actions: tuple[Action, ...]


def plan_transaction(
    writes: Sequence[Write], befores: Mapping[int, Before], token: str, *, foreign: Collection[MarkerId] = ()
) -> TransactionPlan:
    """The transaction of some writes: theirs in order, then those of the markers of unique values.

    Args:
        writes: the writes; no two on one item.
        befores: for each write that touches unique values, by its index, those that the item is thought to have.
        token: makes it safe to send again.
        foreign: markers that turned out to belong to other items, so that they are not released.

    Raises:
        UsageError: more than 100 actions or 4 MB, or one unique value for two items.
        InvalidKey: a unique value is too long.
    """
    actions: list[Action] = []
    for index, write in enumerate(writes):
        body = write.request.body if write.unique is None else guarded(write, befores[index])
        if "ReturnValues" in body:
            body = {name: value for name, value in body.items() if name != "ReturnValues"}
        actions.append(Action(index, {_PARTS[write.request.operation]: body}))
    moved = markers(writes, befores, foreign)
    actions += [Action(marker.index, marker.action(), marker) for marker in moved]
    _check(writes, actions)
    bodies = [action.body for action in actions]
    ready = [*map(_ready, writes, bodies), *bodies[len(writes) :]]
    tables = {write.table for write in writes} | {marker.id.table for marker in moved}
    request = Request(
        operation="TransactWriteItems",
        body=Prepared(
            {"TransactItems": bodies, "ClientRequestToken": token},
            {"TransactItems": ready, "ClientRequestToken": token},
        ),
        table=", ".join(sorted(tables)),
        sealed=tuple(dict.fromkeys(each for write in writes for each in write.request.sealed)),
    )
    return TransactionPlan(request, tuple(actions))


def _ready(write: Write, action: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The action of a write with its item as JSON, where there is that."""
    if write.json is None:
        return action
    return {"Put": {**action["Put"], "Item": msgspec.Raw(write.json)}}


def _check(writes: Sequence[Write], actions: Sequence[Action]) -> None:
    if len(actions) > MAX_ACTIONS:
        why = (
            f": {len(writes)} operations, and the markers of their unique values" if len(actions) > len(writes) else ""
        )
        raise UsageError(f"the transaction has {len(actions)} actions{why}; DynamoDB allows {MAX_ACTIONS}")
    if len(writes) > _FEW:
        size = sum(item_size(write.item) for write in writes if write.item is not None)
        if size > _MAX_BYTES:
            raise UsageError(f"the transaction's items have {size:,} bytes; DynamoDB allows {_MAX_BYTES:,} in all")
