"""Decoders of answers around the items in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dynamorm_async.codec.answers import bytes_in, malformed
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.errors import Problem
from dynamorm_async.types import AttributeValue


def answer_decoder(name: str, fields: list[Any]) -> msgspec.json.Decoder[Any]:
    """A decoder of an answer of these fields, as ``msgspec.defstruct`` takes them."""
    return msgspec.json.Decoder(msgspec.defstruct(name, fields, gc=False), strict=False)


def page_decoder(item: Any) -> msgspec.json.Decoder[Any]:  # a msgspec type expression
    """A decoder of the answers of Query and Scan.

    Args:
        item: the msgspec type of an item.
    """
    return answer_decoder(
        "PageAnswer",
        [
            ("Items", _list_of(item)),  # there is always one, so that an answer of something else is none
            ("ScannedCount", int, 0),
            ("LastEvaluatedKey", dict[str, Any] | None, None),
            ("ConsumedCapacity", Any, None),
        ],
    )


def _list_of(item: Any) -> Any:  # a msgspec type expression
    return list[item]


RAW_PAGE: Final = page_decoder(msgspec.Raw)
"""Decodes a page whose items are left as they stand."""


def last_key(key: Mapping[str, Any] | None) -> dict[str, AttributeValue] | None:
    """Where the next page begins.

    Raises:
        DecodeError: it is no key.
    """
    if key is None:
        return None
    try:
        return bytes_in(key)
    except Misfit as misfit:
        problems = [Problem(f"LastEvaluatedKey.{problem.path}", problem.message) for problem in misfit.problems]
        raise malformed(*problems) from None
