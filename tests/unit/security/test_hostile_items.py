"""Stored values that were chosen to do harm: refused by name, on the compiled path, the general one, and for plain rows."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dynamorm_async import Attr, DecodeError, attr, model, partition_key
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.plain import decode_row
from dynamorm_async.model.spec import spec_of

PRIME = 2**61 - 1  # what CPython hashes numbers by: those that differ by it have one hash
COLLIDING = [str(n * PRIME + 7) for n in range(16_000)]


@model(table="hostile-items")
class Stored:
    id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    number: Attr[int] = attr(default=0)
    exact: Attr[Decimal] = attr(default=Decimal(0))
    real: Attr[float] = attr(default=0.0)
    data: Attr[bytes] = attr(default=b"")
    numbers: Attr[set[int]] = attr(factory=set)
    exacts: Attr[set[Decimal]] = attr(factory=set)
    frozen: Attr[frozenset[int]] = attr(factory=frozenset)
    parts: Attr[set[bytes]] = attr(factory=set)
    words: Attr[list[str]] = attr(factory=list)
    nested: Attr[dict[str, set[int]]] = attr(factory=dict)
    either: Attr[set[int] | int | str | None] = attr(default=None)
    anything: Attr[Any] = attr(default=None)
    structured: Attr[dict[str, Any]] = attr(factory=dict, as_json=True)
    small: Attr[bytes] = attr(default=b"", compressed=True)


SPEC = spec_of(Stored)
NUMBERS = ("number", "exact", "real", "either", "anything")
NUMBER_SETS = ("numbers", "exacts", "frozen", "either", "anything")
TEXTS = ("text", "number", "words", "either", "anything")


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


HOSTILE: list[tuple[str, Any]] = [
    # Numbers that take minutes or gigabytes to write out, or that are none.
    *((name, {"N": text}) for name in NUMBERS for text in ("1E+1000000", "1E+999999999", "-1E+99999999999999999999")),
    *((name, {"N": text}) for name in NUMBERS for text in ("NaN", "sNaN1", "Infinity", "-Infinity", "", "0x10", "1E")),
    *((name, {"N": "9" * 100_000}) for name in ("number", "either", "anything")),
    *((name, {"NS": [text]}) for name in NUMBER_SETS for text in ("1E+1000000", "NaN", "x")),
    # Sets whose members were chosen to have one hash.
    *((name, {"NS": COLLIDING}) for name in NUMBER_SETS),
    ("nested", {"M": {"a": {"NS": COLLIDING}}}),
    # Two type tags, none, an unknown one, and what is no value at all.
    *((name, {"S": "x", "N": "1"}) for name in TEXTS),
    *((name, value) for name in TEXTS for value in ({}, {"X": "1"}, {"s": "x"}, "x", 1, [{"S": "x"}])),
    # What calls itself base64.
    *(
        (name, {"B": text})
        for name in ("data", "anything")
        for text in ("!!!!", "YQ", "YQ==\n", "YQ==junk", "-_-_", "é")
    ),
    ("parts", {"BS": ["YQ==", "!!!!"]}),
    # Deeper than DynamoDB nests.
    ("anything", _deep(40)),
    ("anything", _deep(400)),
    # JSON text and compressed data inside an attribute.
    *(
        ("structured", {"S": text})
        for text in ('{"a":1e999}', '{"a":NaN}', "[" * 100_000, '{"a":' * 5000, '{"a":%s}' % ("9" * 5000))
    ),
    ("small", {"B": "AAAA"}),
]


def described(case: tuple[str, Any]) -> str:
    return f"{case[0]}-{str(case[1])[:40]}"


def compiled(item: dict[str, Any]) -> object:
    return SPEC.codec.decode_get(msgspec.json.encode({"Item": item}))


def general(item: dict[str, Any]) -> object:
    return SPEC.codec.decode(item)


@pytest.mark.parametrize("path", [compiled, general])
@pytest.mark.parametrize("case", HOSTILE, ids=described)
def test_a_hostile_value_is_refused(case: tuple[str, Any], path: Callable[[dict[str, Any]], object]) -> None:
    """A DecodeError that names the attribute, in a message of bounded length; nothing is taken for what it is not."""
    name, value = case
    with pytest.raises(DecodeError) as refused:
        path({"id": {"S": "1"}, name: value})
    assert [problem.path.partition("[")[0].partition(".")[0] for problem in refused.value.problems] == [name]
    assert len(str(refused.value)) < 1000


ROWS = [case for case in HOSTILE if case[0] == "anything"]


@pytest.mark.parametrize("case", ROWS, ids=described)
def test_a_hostile_row_is_refused(case: tuple[str, Any]) -> None:
    """Rows of PartiQL, which have no model, are judged as strictly."""
    with pytest.raises((DecodeError, Misfit)):
        decode_row({"a": case[1]})


def test_a_compressed_bomb_is_refused() -> None:
    """What grows over 64 MB is not unpacked further."""
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b"\0" * 2**20) for _ in range(65)) + packer.flush()
    assert len(packed) < 400_000
    with pytest.raises(DecodeError, match="small: is cut, or grows over 64 MB"):
        compiled({"id": {"S": "1"}, "small": {"B": packed}})


def test_of_repeated_names_the_last_counts() -> None:
    """DynamoDB never repeats a name. Where a peer does, one of the two is read, the same one on every path."""
    body = b'{"Item":{"id":{"S":"1"},"text":{"S":"first"},"text":{"S":"last"}}}'
    found = SPEC.codec.decode_get(body)
    assert found is not None
    assert found.text == "last"
    assert SPEC.codec.decode(json.loads(body)["Item"]).text == "last"


def test_a_large_honest_set_is_read() -> None:
    """Ten thousand numbers that nobody chose to collide are no attack."""
    values = [str(n * n) for n in range(10_000)]
    found = SPEC.codec.decode_get(json.dumps({"Item": {"id": {"S": "1"}, "numbers": {"NS": values}}}).encode())
    assert found is not None
    assert len(found.numbers) == 10_000
