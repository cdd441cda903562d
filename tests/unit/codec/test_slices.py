"""Pages in slices: what only the whole answer tells is told as by the whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from dynamorm_async import DecodeError
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.rows import raw_page
from dynamorm_async.codec.slices import page_in_slices
from tests.unit.codec.test_item import CODEC, KEY

ITEMS = [{**KEY, "org": {"S": f"n{number}"}} for number in range(9)]
BODY = msgspec.json.encode({"Items": ITEMS, "ScannedCount": 9, "ConsumedCapacity": {"CapacityUnits": 1.5}})
DECODERS: list[Callable[[bytes], PageContent[Any]]] = [CODEC.decode_page, partial(raw_page, make=CODEC.decode)]


def in_slices(body: bytes, decode: Callable[[bytes], PageContent[Any]], size: int) -> PageContent[Any]:
    work = page_in_slices(body, decode)
    try:
        next(work)
        while True:
            work.send(size)
    except StopIteration as done:
        page: PageContent[Any] = done.value
        return page


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("size", [1, len(BODY) // 4, len(BODY)])
def test_a_page(decode: Callable[[bytes], PageContent[Any]], size: int) -> None:
    """Every row once, in order, and what the answer says besides."""
    whole, sliced = decode(BODY), in_slices(BODY, decode, size)
    assert sliced.items == whole.items
    assert len(sliced.items) == 9
    assert (sliced.scanned_count, sliced.capacity, sliced.last_key) == (9, {"CapacityUnits": 1.5}, None)
    assert sliced.key_at(8, ("org",)) == {"org": {"S": "n8"}}


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "body",
    [
        BODY[:-9],
        BODY.replace(b'"n7"', b'"n7\xff"'),
        BODY.replace(b'"n7"', b'"n\\ud800"'),
        BODY.replace(b'"n7"', b"1e999"),
        BODY.replace(b'"ScannedCount":9', b'"ScannedCount":9,"LastEvaluatedKey":{"org":{"S":3}}'),
        BODY.replace(b'"ScannedCount":9', b'"ScannedCount":9,"LastEvaluatedKey":{"org":7}'),
        b'{"Count":3}',
        b'{"Items":[3]}',
        b"[]",
    ],
    ids=["cut", "no text", "half a character", "no number", "no key", "no value", "no items", "no item", "no object"],
)
def test_what_is_no_page(decode: Callable[[bytes], PageContent[Any]], body: bytes) -> None:
    """The very error that the whole answer has: the places in it are counted from its own beginning."""
    with pytest.raises(DecodeError) as whole:
        decode(body)
    with pytest.raises(DecodeError) as sliced:
        in_slices(body, decode, 1)
    assert str(sliced.value) == str(whole.value)
    assert sliced.value.problems == whole.value.problems
