"""Plain JSON of items: what it looks like, that nothing is lost on the way, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.transfer.typed_json import decode_item, encode_item, parse_line

ITEM: dict[str, Any] = {
    "text": {"S": "é\n\u2028\U0001f600"},
    "exact": {"N": "1.50"},
    "long": {"N": "-12345678901234567890123456789012345678"},
    "tiny": {"N": "1E-130"},
    "odd number": {"N": ".5"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "bytes": {"B": b"\x00\xff"},
    "list": {"L": [{"N": "1"}, {"L": []}, {"B": b""}]},
    "map": {"M": {"a": {"S": "1"}, "": {"NULL": True}}},
    "escaped": {"M": {"$bytes": {"S": "no bytes"}, "x": {"N": "1"}}},
    "words": {"SS": ["b", "a"]},
    "numbers": {"NS": ["1.0", "+2"]},
    "binaries": {"BS": [b"a", b"\xff"]},
    "$id": {"S": "a name is only special inside"},
    "dynamorm": {"M": {"items": {"N": "1"}}},
}


def test_an_item_is_the_same_when_it_is_read_back() -> None:
    """Every kind of value, with each digit of its numbers, whatever its names are."""
    assert bytes_in(decode_item(parse_line(encode_item(ITEM)))) == ITEM


def test_an_item_is_plain_json() -> None:
    """What JSON has is written as JSON writes it; the rest says what it is."""
    assert json.loads(encode_item(ITEM)) == {
        "text": "é\n\u2028\U0001f600",
        "exact": 1.5,
        "long": -12345678901234567890123456789012345678,
        "tiny": 1e-130,
        "odd number": {"$number": ".5"},
        "flag": False,
        "nothing": None,
        "bytes": {"$bytes": "AP8="},
        "list": [1, [], {"$bytes": ""}],
        "map": {"a": "1", "": None},
        "escaped": {"$map": {"$bytes": "no bytes", "x": 1}},
        "words": {"$strings": ["b", "a"]},
        "numbers": {"$numbers": [1.0, {"$number": "+2"}]},
        "binaries": {"$binaries": ["YQ==", "/w=="]},
        "$id": "a name is only special inside",
        "dynamorm": {"items": 1},
    }
    assert b'"exact":1.50,' in encode_item(ITEM)
    assert b"\n" not in encode_item(ITEM)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "is not JSON: "),
        (b'{"a": 1} {"b": 2}', "is not JSON: Extra data"),
        (b"[1]", "is not a JSON object"),
        (b"1", "is not a JSON object"),
        (b'{"a": NaN}', "has NaN"),
        (b'{"a": -Infinity}', "has -Infinity"),
        (b'{"a": "\xff"}', "is not UTF-8"),
        (b'{"a": 1, "a": 2}', "has an object with one name twice"),
        (b'{"a": {"b": 1, "b": 1}}', "has an object with one name twice"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nests too deep"),
    ],
)
def test_what_is_no_line_is_refused(line: bytes, why: str) -> None:
    """With what is wrong, and never with an error of another kind."""
    with pytest.raises(ValueError, match=f"^{why}"):
        parse_line(line)


@pytest.mark.parametrize(
    "value",
    [
        {"$bytes": "!"},
        {"$bytes": 1},
        {"$bytes": "YQ==", "more": 1},
        {"$nope": 1},
        {"$number": 5},
        {"$map": []},
        {"$strings": "a"},
        {"$strings": [1]},
        {"$numbers": ["1"]},
        {"$binaries": ["!"]},
        [{"$numbers": [None]}],
    ],
)
def test_what_is_no_value_is_refused(value: object) -> None:
    """A name with a dollar means something, or is an error: nothing is guessed."""
    with pytest.raises(ValueError, match=r"^has "):
        decode_item(parse_line(json.dumps({"a": value}).encode()))
