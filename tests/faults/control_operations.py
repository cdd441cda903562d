"""The operations of raw aiobotocore that have an equal in the matrix, held against the engine in the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.ground import FIXED, PREFIX, SHELF, Ground, Thing
from tests.faults.writes import counted, put_thing

Client = Any  # of aiobotocore, which has no types
_THINGS, _FIXED = PREFIX + "things", PREFIX + "fixed"
_BATCH: Final = 3


@dataclass(frozen=True, kw_only=True)
class ControlOperation:
    """One call as an application writes it with the client; the fields are those of ``Operation``."""

    name: str
    request: str
    run: Callable[[Client, Ground], Any]
    prepare: Callable[[Ground], None] = field(default=lambda _: None)
    right: Callable[[Any], bool] = field(default=lambda _: True)
    parts: Callable[[Ground], Sequence[int]] | None = None


def _key(ground: Ground, number: int = 1) -> dict[str, Any]:  # wire JSON, here and below
    return {"shelf": {"S": ground.key}, "number": {"N": str(number)}}


def _item(ground: Ground, number: int = 1) -> dict[str, Any]:
    return {**_key(ground, number), "hits": {"N": "1"}, "text": {"S": "put"}}


def _fixed_key(number: int) -> dict[str, Any]:
    return {"shelf": {"S": SHELF}, "number": {"N": str(number)}}


def _numbers(items: Sequence[Any]) -> list[int]:
    return sorted(int(item["number"]["N"]) for item in items)


def _create(client: Client, ground: Ground) -> Any:
    return client.put_item(TableName=_THINGS, Item=_item(ground), ConditionExpression="attribute_not_exists(shelf)")


def _add(client: Client, ground: Ground) -> Any:
    return client.update_item(
        TableName=_THINGS,
        Key=_key(ground),
        UpdateExpression="ADD hits :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def _query(client: Client, _: Ground) -> Any:
    return client.query(
        TableName=_FIXED, KeyConditionExpression="shelf = :s", ExpressionAttributeValues={":s": {"S": SHELF}}
    )


async def _batch_write(client: Client, ground: Ground) -> Any:
    left: Any = {_THINGS: [{"PutRequest": {"Item": _item(ground, number)}} for number in range(_BATCH)]}
    for _round in range(8):  # as its documentation says: again what was left
        left = (await client.batch_write_item(RequestItems=left)).get("UnprocessedItems")
        if not left:
            return None
    raise UnprocessedError


async def _batch_get(client: Client, _: Ground) -> Any:
    left: Any = {_FIXED: {"Keys": [_fixed_key(number) for number in range(FIXED)]}}
    items: list[Any] = []
    for _round in range(8):
        answer = await client.batch_get_item(RequestItems=left)
        items += answer.get("Responses", {}).get(_FIXED, [])
        left = answer.get("UnprocessedKeys")
        if not left:
            return items
    raise UnprocessedError


class UnprocessedError(Exception):
    """The application gave up on a batch; it knows that something was left."""


def _transact(client: Client, ground: Ground) -> Any:
    update = {
        "TableName": _THINGS,
        "Key": _key(ground),
        "UpdateExpression": "ADD hits :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return client.transact_write_items(TransactItems=[{"Update": update}])


def _hits_of_three(ground: Ground) -> Sequence[int]:
    return [ground.number(Thing, "hits", ground.key, number) for number in range(_BATCH)]


_HITS = counted("hits")

CONTROL_OPERATIONS: Final = (
    ControlOperation(
        name="put",
        request="PutItem",
        run=lambda client, ground: client.put_item(TableName=_THINGS, Item=_item(ground)),
        parts=_HITS,
    ),
    ControlOperation(name="conditional put", request="PutItem", run=_create, parts=_HITS),
    ControlOperation(name="update ADD", request="UpdateItem", run=_add, prepare=put_thing, parts=_HITS),
    ControlOperation(
        name="delete",
        request="DeleteItem",
        run=lambda client, ground: client.delete_item(TableName=_THINGS, Key=_key(ground)),
        prepare=put_thing,
        parts=lambda ground: [int(ground.item(Thing, ground.key, 1) is None)],
    ),
    ControlOperation(
        name="get",
        request="GetItem",
        run=lambda client, _: client.get_item(TableName=_FIXED, Key=_fixed_key(1)),
        right=lambda answer: answer.get("Item", {}).get("number") == {"N": "1"},
    ),
    ControlOperation(
        name="query",
        request="Query",
        run=_query,
        right=lambda answer: _numbers(answer.get("Items", [])) == list(range(FIXED)),
    ),
    ControlOperation(
        name="scan",
        request="Scan",
        run=lambda client, _: client.scan(TableName=_FIXED),
        right=lambda answer: _numbers(answer.get("Items", [])) == list(range(FIXED)),
    ),
    ControlOperation(name="batch_write", request="BatchWriteItem", run=_batch_write, parts=_hits_of_three),
    ControlOperation(
        name="batch_get",
        request="BatchGetItem",
        run=_batch_get,
        right=lambda items: _numbers(items) == list(range(FIXED)),
    ),
    ControlOperation(
        name="transact_write", request="TransactWriteItems", run=_transact, prepare=put_thing, parts=_HITS
    ),
)
