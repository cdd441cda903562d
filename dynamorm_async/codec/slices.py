"""A large answer decoded in slices: whoever drives this can let others take their turns between two of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from dynamorm_async.codec.answers import parse_answer
from dynamorm_async.codec.envelopes import RAW_PAGE
from dynamorm_async.codec.page import PageContent
from dynamorm_async.errors import DecodeError

R = TypeVar("R")
T = TypeVar("T")

Slices: TypeAlias = Generator[None, int, T]
"""Work in slices. Each is told how many bytes of items it should take; what they all come to is returned after the last."""


def page_in_slices(body: bytes, decode: Callable[[bytes], PageContent[R]]) -> Slices[PageContent[R]]:
    """``decode(body)`` in slices. The first one finds out where each item begins; then each takes some whole items.

    A slice of the items is made an answer of its own, for the same decoder: there is one way to read an item, and one
    judge of it.

    Args:
        body: the answer of Query, Scan or ExecuteStatement.
        decode: decodes such an answer.

    Raises:
        DecodeError: as ``decode`` raises it of the whole answer.
    """
    try:
        page = parse_answer(body, RAW_PAGE)
    except DecodeError:
        return decode(body)  # which says what is wrong with it, or reads what has no items
    items: list[msgspec.Raw] = page.Items
    parts: list[PageContent[R]] = []
    start, size = 0, (yield)
    while start < len(items):
        end = _end_of_slice(items, start, size)
        try:
            parts.append(decode(b'{"Items":[%b]}' % b",".join(items[start:end])))
        except DecodeError as error:
            if error.model != "of the answer":
                raise
            return decode(body)  # where in the answer it is no text, only the whole tells
        start, size = end, (yield)
    return decode(_without_items(page)).after(parts)


def made_in_slices(make: Callable[[msgspec.Raw], T], items: Sequence[msgspec.Raw | None]) -> Slices[list[T | None]]:
    """What becomes of some items as they stand in an answer, made in slices; ``None`` of what is ``None``."""
    made: list[T | None] = []
    size = yield
    while len(made) < len(items):
        end = _end_of_slice(items, len(made), size)
        made += [None if raw is None else make(raw) for raw in items[len(made) : end]]
        size = yield
    return made


def _end_of_slice(items: Sequence[msgspec.Raw | None], start: int, size: int) -> int:
    """The index after the items of a slice, which has ``size`` bytes or one item at least."""
    for index in range(start, len(items)):
        raw = items[index]
        size -= 0 if raw is None else len(raw)
        if size <= 0:
            return index + 1
    return len(items)


def _without_items(page: Any) -> bytes:  # what RAW_PAGE makes, a class made at run time
    """The answer without its items; what it does not have is left out."""
    rest = {
        "ScannedCount": page.ScannedCount,
        "LastEvaluatedKey": page.LastEvaluatedKey,
        "ConsumedCapacity": page.ConsumedCapacity,
    }
    return msgspec.json.encode({"Items": [], **{name: value for name, value in rest.items() if value is not None}})
