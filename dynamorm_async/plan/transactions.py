"""TransactWriteItems from planned writes.

Source: "TransactWriteItems" and "Amazon DynamoDB Transactions: How it works" in DynamoDB's documentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from dynamorm_async.codec.sizes import item_size
from dynamorm_async.errors import UsageError
from dynamorm_async.plan.unique import Before, Marker, guarded, markers
from dynamorm_async.plan.write import Write
from dynamorm_async.types import Request

MAX_ACTIONS: Final = 100
MAX_TOKEN: Final = 36
_MAX_BYTES = 4 * 1024 * 1024
_FEW = 10  # items of 400 KB that fit in any case

_PARTS = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete", "ConditionCheck": "ConditionCheck"}


@attrs.frozen
class Action:
    """One action of a transaction as sent.

    Attributes:
        index: which write it belongs to.
        body: the action.
        marker: the marker that it claims or releases; ``None`` for the write itself.
    """

    index: int
    body: dict[str, Any]
    marker: Marker | None = None


@attrs.frozen
class TransactionPlan:
    """A transaction as it is sent.

    Attributes:
        request: what to send.
        actions: its actions, in the order of DynamoDB's cancellation reasons.
    """

    request: Request
    actions: tuple[Action, ...]


def plan_transaction(writes: Sequence[Write], befores: Mapping[int, Before], token: str) -> TransactionPlan:
    """The transaction of some writes.

    Args:
        writes: the writes; no two on one item.
        befores: for each write that touches unique values, by its index, those that the item is thought to have.
        token: makes it safe to send again.

    Raises:
        UsageError: more than 100 actions or 4 MB.
        InvalidKey: a unique value is too long.
    """
    actions: list[Action] = []
    for index, write in enumerate(writes):
        unique = write.unique is not None
        body = guarded(write, befores[index]) if unique else write.request.body
        part = {name: value for name, value in body.items() if name != "ReturnValues"}
        actions.append(Action(index, {_PARTS[write.request.operation]: part}))
        if unique:
            actions += [Action(index, marker.action(write), marker) for marker in markers(write, befores[index])]
    _check(writes, actions)
    tables = {write.table for write in writes}
    request = Request(
        operation="TransactWriteItems",
        body={"TransactItems": [action.body for action in actions], "ClientRequestToken": token},
        table=", ".join(sorted(tables)),
    )
    return TransactionPlan(request, tuple(actions))


def check_token(token: object) -> str:
    """A caller's token.

    Raises:
        UsageError: it is empty or longer than 36 characters.
    """
    if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN:
        raise UsageError(f"a transaction's token is a text of 1 to {MAX_TOKEN} characters, got {token!r}")
    return token


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
