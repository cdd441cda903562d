"""TransactGetItems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.codec.answers import malformed, parse_answer
from dynamorm_async.errors import Problem, UsageError
from dynamorm_async.plan.batch_get import Wanted, wanted_of
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.transactions import MAX_ACTIONS
from dynamorm_async.types import Request


def plan_transact_get(keys: Sequence[object], prefix: str) -> list[Wanted]:
    """The items to read, in order of their keys.

    Raises:
        UsageError: something is no Key, an item is wanted twice, or they are more than 100.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    if len(keys) > MAX_ACTIONS:
        raise UsageError(
            f"transact_get() of {len(keys)} keys: a transaction has at most {MAX_ACTIONS}; batch_get() takes more"
        )
    wanted = wanted_of(keys, "transact_get", prefix)
    seen: dict[PlaceId, Wanted] = {}
    for one in wanted:
        other = seen.setdefault(one.place.id, one)
        if other is not one:
            raise UsageError(
                f"transact_get() has {other.key!r} and {one.key!r}, which are one item, and DynamoDB takes an item once: "
                "leave one of them out"
            )
    return wanted


def transact_get_items(wanted: Sequence[Wanted]) -> Request:
    """TransactGetItems."""
    gets = [{"Get": {"TableName": one.place.table, "Key": one.place.key}} for one in wanted]
    tables = {one.place.table for one in wanted}
    sealed = tuple(dict.fromkeys(each for one in wanted for each in one.spec.sealed(one.place.table)))
    only = tables.pop() if len(tables) == 1 else None
    return Request(operation="TransactGetItems", body={"TransactItems": gets}, table=only, sealed=sealed)


_NO_ITEM: Final = msgspec.Raw(b"")


class _Got(msgspec.Struct, frozen=True):
    Item: msgspec.Raw = _NO_ITEM


class _Answer(msgspec.Struct, frozen=True):
    Responses: list[_Got] = []


_DECODER: Final = msgspec.json.Decoder(_Answer)


def got_items(body: bytes, count: int) -> list[Any]:  # each a Raw or None
    """The items of an answer as they stand in it, ``None`` for each that is not there.

    Raises:
        DecodeError: it is no answer to a request of so many items.
    """
    answer: _Answer = parse_answer(body, _DECODER)
    if len(answer.Responses) != count:
        raise malformed(Problem("Responses", f"has {len(answer.Responses)} entries for {count} keys"))
    return [None if got.Item is _NO_ITEM else got.Item for got in answer.Responses]
