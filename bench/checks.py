"""Everything that a contestant reads and writes is compared with the items themselves before it is timed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from canned import LAST
from contestant import BATCH_GET, BATCH_WRITE, ENCODED, NEW_BALANCE, NEW_NOTE, TRANSACTION, Contestant
from items import LARGE_ORG, ORG, TABLE, Values, list_answer, partition, plain, plain_value, values
from peers.floor import Floor


async def check(name: str, contestant: Contestant, witness: Floor) -> None:
    """Compare what a contestant reads and writes with what it should.

    Args:
        name: the contestant's, for the message.
        contestant: the client; a workload that it does not have is left out.
        witness: asks the canned server what it was sent.

    Raises:
        ValueError: a value differs, so that its timing would mean nothing.
    """
    await _check_reads(name, contestant)
    await _check_writes(name, contestant, witness)
    await _check_alone(name, contestant)


async def _check_reads(name: str, contestant: Contestant) -> None:
    reads = (
        ("get", (), [values(1)]),
        ("get_in_crowd", (), [values(1)]),
        ("query", (ORG,), partition(ORG)),
        ("query", (LARGE_ORG,), partition(LARGE_ORG)),
        ("scan", (), [values(number) for number in range(1_000)]),
        ("batch_get", (), [values(number) for number in range(BATCH_GET)]),
        ("update", (), [values(1)]),
    )
    for method, arguments, expected in reads:
        call = getattr(contestant, method, None)
        answer = None if call is None else await call(*arguments)
        if answer is not None:
            _same(f"{name}, {method}", contestant.values(answer), expected)


async def _check_writes(name: str, contestant: Contestant, witness: Floor) -> None:
    async def sent(method: str, operation: str) -> Any:  # a request of any operation
        await witness.call(operation, b"{}")  # so that the last one is not another contestant's
        await getattr(contestant, method)()
        body = json.loads(await witness.call(f"{LAST.decode()}{operation}", b"{}"))
        if not body:
            raise ValueError(f"{name}, {method}: the server was sent no {operation} with anything in it.")
        return body

    if not hasattr(contestant, "put"):
        return
    lists = getattr(contestant, "writes_sets_as_lists", False)
    _same(f"{name}, put", [_written((await sent("put", "PutItem"))["Item"], lists=lists)], [values(2)])
    update = await sent("update", "UpdateItem")
    _same(f"{name}, update", [plain(update["Key"])], [{key: values(1)[key] for key in ("org", "user_id")}])
    _check_expressions(f"{name}, update", update, {"note", "balance"}, [NEW_NOTE, NEW_BALANCE])
    puts = (await sent("batch_write", "BatchWriteItem"))["RequestItems"][TABLE]
    found = [_written(each["PutRequest"]["Item"], lists=lists) for each in puts]
    found.sort(key=lambda item: str(item["user_id"]))
    _same(f"{name}, batch_write", found, [values(number) for number in range(BATCH_WRITE)])
    puts = (await sent("transact", "TransactWriteItems"))["TransactItems"]
    found = [_written(each["Put"]["Item"], lists=lists) for each in puts]
    _same(f"{name}, transact", found, [values(number) for number in range(TRANSACTION)])


async def _check_alone(name: str, contestant: Any) -> None:  # what not every contestant has
    if hasattr(contestant, "decode"):
        expected = [values(number) for number in range(1_000)]
        _same(f"{name}, decode", contestant.values(await contestant.decode(list_answer(expected))), expected)
    if hasattr(contestant, "encode"):
        found = [_written(json.loads(body)["Item"]) for body in await contestant.encode()]
        _same(f"{name}, encode", found, [values(number) for number in range(ENCODED)])
    if hasattr(contestant, "render"):
        names, held = {"note", "balance", "visits", "age", "active", "email"}, [NEW_NOTE, NEW_BALANCE, 18, True, "u"]
        body = await contestant.render()
        assert body["UpdateExpression"]
        assert body["ConditionExpression"].upper().count(" AND ") >= 2
        _check_expressions(f"{name}, render", body, names, held)


def _written(item: Mapping[str, Any], *, lists: bool = False) -> Values:  # AttributeValues
    """A written item as plain values; its time may be any text of the same instant, its set a list if that is known."""
    found = plain(item)
    if lists:
        found["tags"] = set(cast("list[str]", found["tags"]))
    created = datetime.fromisoformat(str(found["created"])).astimezone(UTC)
    return found | {"created": created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}


def _check_expressions(where: str, body: Any, names: set[str], held: Iterable[object]) -> None:  # parameters
    """Every name and value that the expressions should speak of is there; placeholders are each client's own."""
    found_names = set(body.get("ExpressionAttributeNames", {}).values())
    expression = body["UpdateExpression"] + body.get("ConditionExpression", "")
    missing = {name for name in names if name not in found_names and name not in expression}
    found = [plain_value(value) for value in body["ExpressionAttributeValues"].values()]
    absent = [value for value in held if value not in found]
    if missing or absent:
        raise ValueError(f"{where}: the expressions lack {missing or ''} {absent or ''}: {body!r}.")


def _same(where: str, found: list[Values], expected: list[Values]) -> None:
    if found == expected:
        return
    pairs = zip(found, expected, strict=False)
    odd = next(((one, other) for one, other in pairs if one != other), (len(found), len(expected)))
    raise ValueError(f"{where}: the values are not the item's. Found {odd[0]!r}; expected {odd[1]!r}.")
