"""A large answer decoded in slices: whoever drives this can let others take their turns between two of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from dynamorm_async.codec.answers import parse_answer
from dynamorm_async.codec.envelopes import RAW_PAGE
from dynamorm_async.codec.page import PageContent
from dynamorm_async.errors import OF_ANSWER, DecodeError

R = TypeVar("R")
T = TypeVar("T")

Slices: TypeAlias = Generator[None, int, T]
"""Work in slices. Each is told how many bytes of items it should take; what they all come to is returned after the last."""

_ITEMS: Final = b'"Items":['
_END: Final = b"}},"  # of every item but the last
_FAR: Final = 64 * 1024


def page_in_slices(body: bytes, decode: Callable[[bytes], PageContent[R]]) -> Slices[PageContent[R]]:
    """``decode(body)`` in slices of whole items.

    A slice of the items is made an answer of its own, for the same decoder: there is one way to read an item, and one
    judge of it. The answer is cut where an item seems to begin as the first one does. Where that was inside of an item, the
    slice is no JSON, for something in it is not closed; then it is found out first where each item begins.

    Args:
        body: the answer of Query, Scan or ExecuteStatement.
        decode: decodes such an answer.

    Raises:
        DecodeError: as ``decode`` raises it of the whole answer.
    """
    parts: list[PageContent[R]] = []
    size = yield
    start = head = body.find(_ITEMS) + len(_ITEMS)
    between = _END + body[head : body.find(b":", head)]
    while len(body) - start > size:
        end = _last_end(body, between, start, size)
        if end < 0:
            if len(body) - start <= size + _FAR:
                break  # the last item
            return (yield from _by_item(body, decode, size))
        try:
            parts.append(decode(b'{"Items":[%b}}]}' % body[start:end]))
        except DecodeError as error:
            if error.model != OF_ANSWER and _is_page(body):
                raise
            return (yield from _by_item(body, decode, size))
        start, size = end + len(_END), (yield)
    try:
        return decode(body[:head] + body[start:]).after(parts)
    except DecodeError as error:
        if error.model != OF_ANSWER:
            raise
        return decode(body)  # where in the answer it is wrong, only the whole tells


def _by_item(body: bytes, decode: Callable[[bytes], PageContent[R]], size: int) -> Slices[PageContent[R]]:
    """The same, from the beginning: one slice finds out where each item begins, which takes a tenth as long as to decode them."""
    try:
        page = parse_answer(body, RAW_PAGE)
    except DecodeError:
        return decode(body)  # which says what is wrong with it, or reads what has no items
    items: list[msgspec.Raw] = page.Items
    parts: list[PageContent[R]] = []
    ends, start, size = list(accumulate(map(len, items))), 0, (yield)
    while start < len(items):
        end = _end_of_slice(ends, start, size)
        try:
            parts.append(decode(b'{"Items":[%b]}' % b",".join(items[start:end])))
        except DecodeError as error:
            if error.model != OF_ANSWER:
                raise
            return decode(body)  # where in the answer it is no text, only the whole tells
        start, size = end, (yield)
    return decode(_without_items(page)).after(parts)


def _last_end(body: bytes, between: bytes, start: int, size: int) -> int:
    """Where the last whole item of a slice seems to end; where it has none, the first beyond. -1 where that is far, or nowhere."""
    if not between.startswith(_END + b'{"'):
        return -1
    end = body.rfind(between, start, start + size)
    return body.find(between, start, start + size + _FAR) if end < 0 else end


def _is_page(body: bytes) -> bool:
    try:
        parse_answer(body, RAW_PAGE)
    except DecodeError:
        return False
    return True


def made_in_slices(make: Callable[[int], T], sizes: Sequence[int]) -> Slices[list[T]]:
    """``[make(0), make(1), ...]`` in slices.

    Args:
        make: makes one of them; what it raises ends the work.
        sizes: how many bytes there are to each.
    """
    made: list[T] = []
    ends, size = list(accumulate(sizes)), (yield)
    while len(made) < len(sizes):
        end = _end_of_slice(ends, len(made), size)
        made += map(make, range(len(made), end))
        size = yield
    return made


def _end_of_slice(ends: Sequence[int], start: int, size: int) -> int:
    """The index after the last item of a slice, which has at most ``size`` bytes, or one item.

    Args:
        ends: how many bytes each item has together with those before it.
        start: the index of the first item.
        size: how many bytes the slice may have.
    """
    return max(start + 1, bisect_right(ends, (ends[start - 1] if start else 0) + size))


def _without_items(page: Any) -> bytes:  # what RAW_PAGE makes, a class made at run time
    """The answer without its items; what it does not have is left out."""
    rest = {
        "ScannedCount": page.ScannedCount,
        "LastEvaluatedKey": page.LastEvaluatedKey,
        "ConsumedCapacity": page.ConsumedCapacity,
    }
    return msgspec.json.encode({"Items": [], **{name: value for name, value in rest.items() if value is not None}})
