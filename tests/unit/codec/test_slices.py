"""Pages in slices: what only the whole answer tells is told as by the whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from dynamorm_async import Attr, DecodeError, attr, model, partition_key
from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.rows import raw_page
from dynamorm_async.codec.slices import page_in_slices
from dynamorm_async.model.spec import spec_of
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


@model(table="nests")
class Nest:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    inner: Attr[list[dict[str, Any]]] = attr(factory=list[dict[str, Any]])


def nest_body(items: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"Items": items, "Count": len(items), "ScannedCount": len(items)})


def test_what_looks_like_the_end_of_an_item() -> None:
    """Maps in lists and texts that read as if an item ended there: the page is what it is as a whole, wherever it is cut."""
    inner = {"L": [{"M": {"a": {"M": {"pk": {"S": "x"}}}}}, {"M": {"pk": {"S": 'y"}},{\\"pk\\":{'}}}]}
    nested = {"L": [{"M": {"pk": {"M": {"q": {"S": "x"}}}}}] * 3}
    items = [{"pk": {"S": f"n{n}"}, "text": {"S": '}},{"pk":{' * 5}, "inner": (inner, nested)[n % 2]} for n in range(8)]
    items += [{"inner": nested, "pk": {"S": "last"}}] * 4  # in another order: none of them begins like the first
    body, decode = nest_body(items), spec_of(Nest).codec.decode_page
    whole = decode(body)
    for size in range(1, len(body), 7):
        assert in_slices(body, decode, size).items == whole.items


def test_a_slice_smaller_than_an_item_goes_on() -> None:
    """Where one item has more bytes than a slice, it is taken alone, and what was decoded before is not decoded again."""
    decoded: list[int] = []

    def decode(body: bytes) -> PageContent[Any]:
        decoded.append(len(body))
        return spec_of(Nest).codec.decode_page(body)

    page = in_slices(nest_body([{"pk": {"S": f"n{n}"}, "text": {"S": "x" * 900}} for n in range(9)]), decode, 10)
    assert [nest.pk for nest in page.items] == [f"n{n}" for n in range(9)]
    assert len(decoded) == 9
    assert max(decoded) < 1100
