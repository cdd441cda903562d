"""Containers, keys, compressed and JSON content."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dynamorm_async import InvalidKey, InvalidValue
from dynamorm_async.codec import containers

MODULUS = 2**61 - 1  # numbers that differ by a multiple of it have one hash in CPython


@pytest.mark.parametrize(
    "elements",
    [
        [MODULUS * n for n in range(16_000)],
        [Decimal(MODULUS * n) for n in range(16_000)],
        [UUID(int=MODULUS * n) for n in range(16_000)],
        [n for n in range(8_000)] + [MODULUS * n for n in range(8_000)],  # noqa: C416 - half of them collide
    ],
)
def test_colliding_elements_are_refused(elements: list[Any]) -> None:
    """Elements that were chosen to have one hash are a ValueError: a set of them would take seconds."""
    for kind in (set, frozenset):
        with pytest.raises(ValueError, match="same hash"):
            containers.make_set(elements, kind)


def test_honest_sets_are_made() -> None:
    """Large sets of ordinary numbers, repeated elements, and a few that collide, are sets."""
    honest = [*range(-10_000, 10_000), *(2.0**n for n in range(300))]
    assert containers.make_set(honest, set) == set(honest)
    assert containers.make_set([1] * 1_000, frozenset) == frozenset({1})
    few = [MODULUS * n for n in range(200)]
    assert len(containers.make_set(few, set)) == 200


@pytest.mark.parametrize(("check", "wrong"), [
    (containers.as_list, {"a"}), (containers.as_tuple, ["a"]), (containers.as_map, [("a", 1)]), (containers.map_key, 5),
    (containers.as_set, ["a"]),
])  # fmt: skip
def test_another_container_is_refused(check: Any, wrong: Any) -> None:
    """A set is no list, a list no tuple, a list of pairs no dict, and a map's keys are str."""
    with pytest.raises(InvalidValue, match=r"expected|keys are str"):
        check(wrong)


def test_keys() -> None:
    """A key is not empty, not longer than DynamoDB allows in bytes of UTF-8, and has such a form."""
    assert containers.key_content("é" * 512, 1024, "the sort key") == "é" * 512
    assert containers.key_content(b"x", 1, "the sort key") == b"x"
    for content, why in (
        ("", "empty"),
        (b"", "empty"),
        ("é" * 513, "1026 bytes"),
        (b"xx", "2 bytes"),
        ("\ud800", "half"),
    ):
        with pytest.raises(InvalidKey, match=why):
            containers.key_content(content, 1 if isinstance(content, bytes) else 1024, "the sort key")


def test_compressed_content() -> None:
    """What was compressed reads back; what was not, was cut, or is a bomb, is a ValueError."""
    packed = containers.compress(b"text" * 100)
    assert containers.decompress(packed) == b"text" * 100
    packer = zlib.compressobj(9)
    bomb = packer.compress(bytes(65 * 1024 * 1024)) + packer.flush()
    for bad in (b"text", packed[:-1], b"", bomb):
        with pytest.raises(ValueError, match=r"is not compressed|is cut"):
            containers.decompress(bad)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "1e400", "-1e400"])
def test_json_text_that_is_none(text: str) -> None:
    """JSON text that is cut, or holds what JSON has no number for, is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - json's own messages
        containers.json_value(text)


def test_json_has_no_nan() -> None:
    """A value without a JSON form is refused before it is stored."""
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (float("nan"), {1, 2}, cycle):
        with pytest.raises(InvalidValue, match="no JSON form"):
            containers.json_text(value)
    assert containers.json_value(containers.json_text({"é": [1, 1.5, None]})) == {"é": [1, 1.5, None]}
