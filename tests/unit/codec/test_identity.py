"""Which item a key means."""

from __future__ import annotations

from decimal import Context, localcontext
from typing import Any

import msgspec
import pytest

from dynamorm_async.codec.identity import Identities, number_identity

BOTH = Identities(["pk", "sk"])
AWKWARD = Identities(['p"k'])


def raw(item: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(item))


@pytest.mark.parametrize(
    ("value", "identity"),
    [({"S": "a"}, "a"), ({"N": "1"}, ("1",)), ({"B": b"\x00\xff"}, b"\x00\xff"), ({"B": "AP8="}, b"\x00\xff")],
)
@pytest.mark.parametrize("name", ["pk", "p k", 'p"k', "p\\k", "p\nk", "é"])
def test_keys_and_items_have_the_same(name: str, value: dict[str, Any], identity: object) -> None:
    """Text, numbers and bytes, under any attribute name; other attributes of the item do not matter."""
    identities = Identities([name])
    item: dict[str, Any] = {"other": {"M": {name: {"L": []}}}, name: value, "n": {"NULL": True}}
    assert identities.of_key({name: value}) == identities.of_encoded({name: value}) == (identity,)
    assert identities.of_item(raw(item)) == (identity,)


def test_two_attributes_keep_their_order() -> None:
    """As the table has them, not as they are written."""
    key = {"sk": {"N": "7"}, "pk": {"S": "7"}}
    assert BOTH.of_key(key) == BOTH.of_encoded(key) == BOTH.of_item(raw(key)) == ("7", ("7",))


@pytest.mark.parametrize(
    ("texts", "identity"),
    [
        (["2", "2.0", "2.00", "0.2E1", "2e0", "+2", "02"], "2"),
        (["100", "1E2", "1E+2", "100.0"], "100"),
        (["0", "-0", "0.00", "0E5"], "0"),
        (["-1.5", "-1.50", "-15E-1"], "-1.5"),
        (["1E-7", "0.0000001"], "1E-7"),
        (["1" + "0" * 125, "1E125"], "1" + "0" * 125),
    ],
)
def test_a_number_is_its_value(texts: list[str], identity: str) -> None:
    """However it is written."""
    for text in texts:
        assert BOTH.of_key({"pk": {"S": "a"}, "sk": {"N": text}}) == ("a", (identity,))


def test_a_number_is_its_value_with_any_decimal_context() -> None:
    """What the program has set for its own decimals does not matter: markers of unique values are kept for years."""
    long = "1234567890" * 3 + "12345678.5"
    with localcontext(Context(prec=3, capitals=0)):
        assert (number_identity(long), number_identity("0.0000001")) == (long, "1E-7")


def test_numbers_with_one_hash_are_no_trouble() -> None:
    """Integers that differ by 2**61 - 1 have one hash in CPython; their identities have not."""
    identities = {BOTH.of_key({"pk": {"S": "a"}, "sk": {"N": str(n * (2**61 - 1))}}) for n in range(1, 1000)}
    assert len({hash(identity) for identity in identities}) == len(identities) == 999


def test_numbers_are_exact() -> None:
    """38 digits, of which the last differs, are two keys; so are text and number of one content."""
    numbers = [BOTH.of_key({"pk": {"S": "a"}, "sk": {"N": "1" * 37 + last}}) for last in "123"]
    assert len(set(numbers)) == 3
    assert Identities(["pk"]).of_key({"pk": {"S": "1"}}) != Identities(["pk"]).of_key({"pk": {"N": "1"}})
    assert Identities(["pk"]).of_key({"pk": {"S": "AP8="}}) != Identities(["pk"]).of_key({"pk": {"B": "AP8="}})


@pytest.mark.parametrize("identities", [Identities(["pk"]), BOTH, AWKWARD])
@pytest.mark.parametrize(
    "item",
    [
        {},
        {"x": {"S": "a"}},
        {"pk": {"BOOL": True}, "sk": {"S": "a"}, 'p"k': {"L": []}},
        {"pk": {"N": "x"}, "sk": {"N": "x"}, 'p"k': {"N": "x"}},
        {"pk": {"N": "1" * 201}, "sk": {"N": "1" * 201}, 'p"k': {"N": "1" * 201}},
        {"pk": {"B": "?"}, "sk": {"B": "?"}, 'p"k': {"B": "?"}},
        {"pk": {}, "sk": {}, 'p"k': {}},
        {"pk": {"S": None}, "sk": {"S": None}, 'p"k': {"S": None}},
        {"pk": 3, "sk": 3, 'p"k': 3},
    ],
)
def test_what_has_no_key_is_refused(identities: Identities, item: dict[str, Any]) -> None:
    """A missing key attribute, or one that cannot be a key, is an error, never some identity."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        identities.of_item(raw(item))
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        identities.of_key(item)
