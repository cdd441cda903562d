"""Answers of DynamoDB as JSON, and the AttributeValues in them."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownArgumentType=false
import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from dynamorm_async.codec.encrypted import ENCRYPTED, Plaintext
from dynamorm_async.codec.hidden import MASKED, hidden
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.native import from_attribute_value
from dynamorm_async.errors import OF_ANSWER, DecodeError, Problem
from dynamorm_async.types import AttributeValue

_ANY: Final = msgspec.json.Decoder(dict[str, Any])


def answer_json(body: bytes | msgspec.Raw) -> dict[str, Any]:
    """An answer as JSON.

    Raises:
        DecodeError: it is not JSON, or nests too deep.
    """
    answer: dict[str, Any] = parse_answer(body, _ANY)
    return answer


def parse_answer(body: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any]) -> Any:  # what the decoder makes
    """An answer, or an item of one, with content of any kind.

    Raises:
        DecodeError: it is not JSON, nests too deep, or is no such answer.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(Problem("$", f"the answer is not readable JSON: {error}")) from None


def malformed(*problems: Problem) -> DecodeError:
    """The error, not raised, of an answer that is none of DynamoDB's, whatever its items."""
    return DecodeError(OF_ANSWER, {}, problems)


def plain_key(raw: Mapping[str, Any], key: Iterable[Member]) -> dict[str, object]:
    """The key attributes that an item has, as plain values, for errors. Secret ones are masked."""
    found = {member.wire: MASKED if member.shape.hidden else raw[member.wire] for member in key if member.wire in raw}
    return {
        name: next(iter(value.values()), None) if isinstance(value, Mapping) else value for name, value in found.items()
    }


def bytes_in(item: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """AttributeValues in JSON form (binary as base64 text) with their binary content as ``bytes``.

    Raises:
        Misfit: some are no AttributeValues; it lists each as a path.
    """
    collector = Collector()
    for name, value in item.items():
        collector.run(name, from_attribute_value, value)
    collector.check()
    return {name: _bytes_in(value, name) for name, value in item.items()}


def _bytes_in(value: Any, name: str = "") -> Any:  # an AttributeValue
    tag, content = next(iter(value.items()))
    if tag == ENCRYPTED:
        return hidden({ENCRYPTED: Plaintext(name, _bytes_in(content))})
    if tag == "B" and isinstance(content, str):
        return {"B": base64.b64decode(content)}
    if tag == "BS":
        return {"BS": [base64.b64decode(element) if isinstance(element, str) else element for element in content]}
    if tag == "L":
        return {"L": [_bytes_in(element) for element in content]}
    if tag == "M":
        return {"M": {name: _bytes_in(element) for name, element in content.items()}}
    return value
