"""The size of an item by DynamoDB's rules.

Source: "DynamoDB item sizes and formats" in the developer guide: UTF-8 bytes of names and text; about one byte for
two significant digits of a number, plus one (plus one for a sign); 1 byte for NULL and BOOL; 3 bytes for a list or
map, and 1 for each element.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from dynamorm_async.codec.encrypted import ENCRYPTED, OVERHEAD, sized
from dynamorm_async.errors import InvalidValue, ItemTooLarge
from dynamorm_async.types import AttributeValue, RawItem

MAX_ITEM_BYTES = 400 * 1024

_ENCODER: Final = msgspec.json.Encoder(enc_hook=sized)


def item_size(item: RawItem) -> int:
    """The size of an item in bytes."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: AttributeValue) -> int:
    """The size of one AttributeValue in bytes."""
    tag, content = next(iter(value.items()))
    return _content_size(tag, content)


def check_size(model: str, item: RawItem) -> bytes:
    """Refuse an item that DynamoDB would refuse.

    Returns:
        The item as JSON; where it has plaintexts, with something as long as their ciphertexts in their places.

    Raises:
        ItemTooLarge: over 400 KB.
        InvalidValue: a text that has no UTF-8 form.
    """
    try:
        encoded = _ENCODER.encode(item)
    except UnicodeEncodeError as error:
        name = next((n for n, value in item.items() if not _is_text(n, value)), "?")
        raise InvalidValue(
            f"{model}: attribute {name} holds half a surrogate pair, which has no UTF-8 form: {error.reason}"
        ) from None
    # The JSON form is never shorter than the item: only a large one is worth the exact count.
    if len(encoded) <= MAX_ITEM_BYTES:
        return encoded
    size = item_size(item)
    if size > MAX_ITEM_BYTES:
        largest = max(item, key=lambda name: value_size(item[name]))
        raise ItemTooLarge(
            f"{model}: the item has {size:,} bytes, DynamoDB allows {MAX_ITEM_BYTES:,}; its largest attribute is "
            f"{largest} with {value_size(item[largest]):,}. Split it, or use attr(compressed=True)",
            size=size,
        )
    return encoded


def _content_size(tag: str, content: Any) -> int:  # noqa: PLR0911 - one return a type tag
    if tag == "S":
        return len(content.encode())
    if tag == "N":
        return _number_size(content)
    if tag == "B":
        return len(content)
    if tag in ("SS", "NS", "BS"):
        return sum(_content_size(tag[0], element) for element in content)
    if tag == "L":
        return 3 + sum(1 + value_size(element) for element in content)
    if tag == "M":
        return 3 + _map_size(content)
    if tag == ENCRYPTED:
        return OVERHEAD + len(content.content())
    return 1  # BOOL and NULL


def _map_size(content: Mapping[str, AttributeValue]) -> int:
    return sum(1 + len(name.encode()) + value_size(element) for name, element in content.items())


def _number_size(text: str) -> int:
    """One byte for each pair of digits, counted from the point; zeros before and after them cost nothing."""
    negative, digits, exponent = Decimal(text).as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    if not significant or not isinstance(exponent, int):
        return 1
    lowest = exponent + len(digits) - len(significant)
    highest = lowest + len(significant) - 1
    return highest // 2 - lowest // 2 + 2 + negative


def _is_text(name: str, value: AttributeValue) -> bool:
    try:
        _ENCODER.encode({name: value})
    except UnicodeEncodeError:
        return False
    return True
