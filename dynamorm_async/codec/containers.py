"""Checks that the generated code makes on lists, tuples, maps and sets."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynamorm_async.codec.scalars import wrong_type
from dynamorm_async.errors import InvalidKey, InvalidValue

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
        return str(key)
    raise InvalidValue(f"a map's keys are str, got {key!r} ({type(key).__name__})")


def dump_set(value: object, dump: Callable[[Any], Any]) -> list[Any]:
    """The set's elements in a fixed order, so that the same set is always the same bytes."""
    if isinstance(value, set | frozenset):
        return sorted({dump(element) for element in value})
    raise wrong_type(value, "set")


def key_content(content: Any, limit: int, key_of: str) -> Any:  # str or bytes, as its shape says
    """Check the text or bytes of a key attribute.

    Raises:
        InvalidKey: empty, or longer than DynamoDB allows.
    """
    size = len(content.encode("utf-8", "surrogatepass")) if isinstance(content, str) else len(content)
    if not size:
        raise InvalidKey(f"is empty, but it is {key_of}; DynamoDB has no empty keys")
    if size > limit:
        raise InvalidKey(f"has {size} bytes, but it is {key_of}; DynamoDB allows {limit}")
    return content


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


def json_text(native: object) -> str:
    """Compact JSON text with exact keys.

    Raises:
        InvalidValue: the value has no JSON form (NaN, a cycle, an unknown type).
    """
    try:
        return json.dumps(native, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"has no JSON form: {error}") from None
