"""How many items a query or scan has, counted by DynamoDB."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dynamorm_async.codec.answers import bytes_in, parse_answer
from dynamorm_async.codec.page import PageContent
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.types import AttributeValue


class _Count(msgspec.Struct, frozen=True):
    Count: int = 0
    ScannedCount: int = 0
    LastEvaluatedKey: dict[str, AttributeValue] | None = None
    ConsumedCapacity: Any = None  # a record


_DECODER: Final = msgspec.json.Decoder(_Count)


def counted_page(body: bytes) -> PageContent[None]:
    """The answer of a Query or Scan that only counts, as a page of that many nothings.

    Raises:
        DecodeError: it is not readable.
    """
    answer: _Count = parse_answer(body, _DECODER)
    rows = [None] * answer.Count
    return PageContent(
        rows,
        scanned_count=answer.ScannedCount,
        last_key=None if answer.LastEvaluatedKey is None else bytes_in(answer.LastEvaluatedKey),
        capacity=answer.ConsumedCapacity,
        sources=rows,
        key_of=lambda _row, _names: {},
    )


async def count_items(stream: ItemStream[None]) -> int:
    """The number of items of a stream that only counts."""
    total = 0
    async with stream:
        while (page := await stream.next_page()) is not None:
            total += page.count
    return total
