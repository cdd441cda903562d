"""AttributeValues as plain Python values, where no type is declared: what cattrs hooks work on.

S is ``str``; N is ``int`` where integral, else ``Decimal``; B is ``bytes``; BOOL is ``bool``; NULL is ``None``;
L is ``list``; M is ``dict``; SS, NS and BS are ``frozenset``.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dynamorm_async.codec.containers import make_set, map_key
from dynamorm_async.codec.depth import MAX_CONTAINERS, MAX_DEPTH
from dynamorm_async.codec.encrypted import ENCRYPTED, Plaintext
from dynamorm_async.codec.hidden import hidden
from dynamorm_async.codec.misfit import Collector, expected
from dynamorm_async.codec.numbers import parse_number
from dynamorm_async.codec.scalars import dump_bytes, dump_decimal, dump_float, dump_int
from dynamorm_async.codec.shapes import NULL
from dynamorm_async.errors import InvalidValue
from dynamorm_async.types import AttributeValue


def to_attribute_value(native: object, depth: int = 0) -> AttributeValue:  # noqa: C901, PLR0911 - one return a type tag
    """A plain Python value as an AttributeValue.

    Raises:
        InvalidValue: its type has no AttributeValue, or it nests deeper than DynamoDB allows.
    """
    if native is None:
        return NULL
    if isinstance(native, str):
        return {"S": str.__str__(native)}
    if isinstance(native, bool):
        return {"BOOL": native}
    if isinstance(native, int | Decimal | float):
        return {"N": _number(native)}
    if isinstance(native, bytes | bytearray | memoryview):
        return {"B": dump_bytes(native)}
    if isinstance(native, set | frozenset):
        return _set(native)
    if depth >= MAX_CONTAINERS and isinstance(native, Mapping | list | tuple):
        raise InvalidValue(f"lists and maps nest deeper than {MAX_DEPTH} levels, which is DynamoDB's limit")
    if isinstance(native, Plaintext):  # as an upcaster was given it
        return hidden({ENCRYPTED: native})
    if isinstance(native, Mapping):
        return {"M": {map_key(key): to_attribute_value(value, depth + 1) for key, value in native.items()}}
    if isinstance(native, list | tuple):
        return {"L": [to_attribute_value(element, depth + 1) for element in native]}
    raise InvalidValue(
        f"{type(native).__name__} has no DynamoDB type: register hooks for it on a converter "
        "from make_converter(), and pass that to @model(converter=...)"
    )


def from_attribute_value(value: object, depth: int = 0) -> Any:  # the AttributeValue says which type
    """An AttributeValue (binary as bytes or base64 text) as a plain Python value.

    Raises:
        Misfit: it is no AttributeValue, or nests deeper than DynamoDB allows; the path says where.
        ValueError: as Misfit, of a number or a set.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        raise expected("an AttributeValue with one type tag", value)
    tag, content = next(iter(value.items()))
    if tag == ENCRYPTED and isinstance(content, Mapping):
        return content if isinstance(content, Plaintext) else Plaintext("", content)
    if tag in ("L", "M"):
        if depth >= MAX_DEPTH:
            raise expected(f"no more than {MAX_DEPTH} levels of lists and maps", "more")
        return _list(content, depth + 1) if tag == "L" else _map(content, depth + 1)
    read = _READERS.get(tag)
    if read is None:
        raise expected("a type tag of DynamoDB", tag)
    return read(content)


def _number(value: int | Decimal | float) -> str:  # noqa: PYI041 - an int is written as one, not as a float
    if isinstance(value, Decimal):
        return dump_decimal(value)
    return dump_int(value) if isinstance(value, int) else dump_float(value)


def _set(native: set[Any] | frozenset[Any]) -> AttributeValue:
    if not native:
        return NULL
    values = [to_attribute_value(element) for element in native]
    tags = {next(iter(value)) for value in values}
    if len(tags) != 1 or not tags <= {"S", "N", "B"}:
        raise InvalidValue("a set's elements are all str, all numbers or all bytes")
    tag = tags.pop()
    return {f"{tag}S": sorted({value[tag] for value in values})}


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    raise expected("text", content)


def _bool(content: object) -> bool:
    if isinstance(content, bool):
        return content
    raise expected("true or false", content)


def _null(content: object) -> None:
    if content is not True:
        raise expected("true", content)


def _binary(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return base64.b64decode(_text(content), validate=True)
    except binascii.Error:
        raise expected("base64", content) from None


def _parse_number(content: object) -> int | Decimal:
    return parse_number(_text(content))


def _list(content: object, depth: int) -> list[Any]:
    if not isinstance(content, list):
        raise expected("a list", content)
    collector = Collector()
    values = [collector.run(f"[{i}]", from_attribute_value, element, depth) for i, element in enumerate(content)]
    collector.check()
    return values


def _map(content: object, depth: int) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        raise expected("a map", content)
    collector = Collector()
    values = {str(key): collector.run(str(key), from_attribute_value, value, depth) for key, value in content.items()}
    collector.check()
    return values


def _set_of(read: Any) -> Any:  # one of the scalar readers above; returns a reader of their frozenset
    def read_set(content: object) -> frozenset[Any]:
        if not isinstance(content, list):
            raise expected("the elements of a set", content)
        elements: frozenset[Any] = make_set([read(element) for element in content], frozenset)
        return elements

    return read_set


_READERS: Mapping[str, Any] = {
    "S": _text,
    "N": _parse_number,
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "SS": _set_of(_text),
    "NS": _set_of(_parse_number),
    "BS": _set_of(_binary),
}
