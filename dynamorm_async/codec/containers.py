"""Checks that the generated code makes on lists, tuples, maps and sets."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dynamorm_async.codec.scalars import wrong_type
from dynamorm_async.errors import InvalidKey, InvalidValue

_FEW = 256  # so few cost nothing, whatever their hashes
_MAX_INFLATED = 64 * 1024 * 1024


def as_list(value: object) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    raise wrong_type(value, "list")


def as_tuple(value: object) -> Sequence[Any]:
    if isinstance(value, tuple):
        return value
    raise wrong_type(value, "tuple")


def as_map(value: object) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise wrong_type(value, "dict")


def map_key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise InvalidValue(f"a map's keys are str, got {key!r} ({type(key).__name__})")


def as_set(value: object) -> Collection[Any]:
    if isinstance(value, set | frozenset):
        return value
    raise wrong_type(value, "set")


def make_set(values: Collection[Any], kind: type[set[Any] | frozenset[Any]]) -> Any:  # a set of that kind
    """A set of elements whose hash is no secret: numbers and UUIDs can be chosen to collide.

    Raises:
        ValueError: many elements have the hash of another; looking each up would take seconds.
    """
    if len(values) > _FEW and len(set(map(hash, values))) + _FEW < len(set(map(str, values))):
        raise ValueError(f"{len(values)} elements that were chosen to have the same hash")
    return kind(values)


def key_content(content: Any, limit: int, key_of: str) -> Any:  # str or bytes, as its shape says
    """Check the text or bytes of a key attribute.

    Raises:
        InvalidKey: empty, or longer than DynamoDB allows.
    """
    try:
        size = len(content.encode()) if isinstance(content, str) else len(content)
    except UnicodeEncodeError:
        raise InvalidKey(f"holds half a surrogate pair, which has no UTF-8 form, but it is {key_of}") from None
    if not size:
        raise InvalidKey(f"is empty, but it is {key_of}; DynamoDB has no empty keys")
    if size > limit:
        raise InvalidKey(f"has {size} bytes, but it is {key_of}; DynamoDB allows {limit}")
    return content


def vector_content(content: Sequence[object] | None, dimensions: int, of: str) -> None:
    """Check the length of a vector, where there is one.

    Raises:
        InvalidValue: it has another one than its index.
    """
    if content is not None and len(content) != dimensions:
        raise InvalidValue(f"has {len(content)} numbers, but it is {of}, which has {dimensions} dimensions")


def compress(content: bytes) -> bytes:
    return zlib.compress(content)


def decompress(content: bytes) -> bytes:
    """The bytes that were compressed.

    Raises:
        ValueError: they are not compressed, are cut, or grow over 64 MB.
    """
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(content, _MAX_INFLATED)
    except zlib.error as error:
        raise ValueError(f"is not compressed data: {error}") from None
    if not inflater.eof:
        raise ValueError("is cut, or grows over 64 MB")
    return data


def json_value(text: str) -> Any:  # whatever the text holds
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, or holds NaN, an infinity, or a number that would become one.
    """
    import json  # noqa: PLC0415 - loaded when first used

    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number of JSON")
    return number


def json_text(native: object) -> str:
    """Compact JSON text with exact keys.

    Raises:
        InvalidValue: the value has no JSON form (NaN, a cycle, an unknown type).
    """
    import json  # noqa: PLC0415 - loaded when first used

    try:
        return json.dumps(native, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"has no JSON form: {error}") from None
