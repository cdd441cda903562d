"""Answers into models: hostile content gives a typed error or the right value, never a crash, never seconds."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest

from dynamorm_async import Attr, DecodeError, InvalidKey, InvalidValue, attr, model, partition_key
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.model.spec import spec_of
from tests.unit.codec.models import Address, Money, User

CODEC = spec_of(User).codec
KEY = {"org": {"S": "acme"}, "id": {"N": "7"}}
MODULUS = 2**61 - 1  # numbers that differ by a multiple of it have one hash in CPython


def answer(**attributes: Any) -> bytes:
    return msgspec.json.encode({"Item": {**KEY, **attributes}})


def read(**attributes: Any) -> User:
    user = CODEC.decode_get(answer(**attributes))
    assert user is not None
    return user


def problems(**attributes: Any) -> dict[str, str]:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode_get(answer(**attributes))
    assert caught.value.key == {"org": "acme", "id": "7"}
    return {problem.path: problem.message for problem in caught.value.problems}


def test_no_item() -> None:
    """An answer without an item is None; an item that is empty lacks its required attributes."""
    assert CODEC.decode_get(b"{}") is None
    assert CODEC.decode_written(b'{"ConsumedCapacity":{}}') is None
    with pytest.raises(DecodeError, match="org: is missing") as caught:
        CODEC.decode_get(b'{"Item":{}}')
    assert [problem.path for problem in caught.value.problems] == ["org", "id"]


def test_every_wrong_attribute_is_named_by_path() -> None:
    """One error lists all that is wrong, nested places included, with the item's key."""
    found = problems(
        age={"S": "x"},
        tags={"L": []},
        address={"M": {"street": {"N": "1"}}},
        visits={"L": [{"N": "1"}, {"N": "x"}, {"S": "y"}]},
        created={"S": "yesterday"},
        price={"M": {"amount": {"N": "-1"}}},
    )
    assert found.keys() == {
        "age",
        "tags",
        "address.street",
        "address.town",
        "visits[1]",
        "visits[2]",
        "created",
        "price",
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"active": {"BOOL": None}}, {"active": {"BOOL": "yes"}}, {"age": {"N": "5.5"}}, {"age": {"N": "123456789.5"}}, {"age": None}, {"note": {"S": None}}, {"note": {"NULL": False}}, {"note": {}},
        {"note": {"S": "x", "NULL": True}}, {"score": {"N": "NaN"}}, {"score": {"N": "1E+1000000"}}, {"created": {"S": "null"}},
        {"data": {"B": "YQ"}}, {"data": {"B": None}}, {"tags": {"SS": "a"}}, {"tags": {"SS": [None]}}, {"anything": {"X": "x"}},
        {"anything": {"NS": [str(MODULUS * n) for n in range(16_000)]}}, {"numbers": {"NS": [str(MODULUS * n) for n in range(16_000)]}},
        {"ids": {"SS": [f"{MODULUS * n:032x}" for n in range(16_000)]}}, {"counts": {"M": {str(MODULUS * n): {"N": "1"} for n in range(16_000)}}},
        {"address": {"S": "x"}}, {"address": {"M": None}}, {"address": 5}, {"price": {"M": {"amount": {"N": "1"}, "unit": {"N": "1"}}}},
    ],
)  # fmt: skip
def test_hostile_content_is_one_typed_error(attributes: dict[str, Any]) -> None:
    """Content that DynamoDB never sends is refused as DecodeError under the attribute's name."""
    ((name, _),) = attributes.items()
    assert {path.partition(".")[0] for path in problems(**attributes)} == {name}


def test_right_values_in_odd_forms() -> None:
    """Forms that mean one value only are read: integers with a point or exponent, wide integers, base64 that spells null."""
    user = read(age={"N": "4503599627370497.0"}, visits={"L": [{"N": "1E+2"}]}, data={"B": "null"}, note={"NULL": True})
    assert (user.age, user.visits, user.data, user.note) == (4503599627370497, [100], b"\x9e\xe9e", None)
    assert read(age={"N": str(10**125)}).age == 10**125
    assert read(age={"N": "1E+125"}).age == 10**125


def test_absent_attributes_have_their_defaults() -> None:
    """What the item lacks has its default; a mutable one is made anew for each instance."""
    one, other = read(), read()
    assert (one.age, one.note, one.tags, one.address) == (0, "none", set(), None)
    assert one.tags is not other.tags
    assert CODEC.decode(KEY) == one


def test_repeated_names_in_an_answer() -> None:
    """Of an attribute that the JSON repeats, the last counts, on both paths."""
    assert CODEC.decode_get(b'{"Item":{"org":{"S":"a"},"org":{"S":"b"},"id":{"N":"1","N":"7"}}}') == User(
        org="b", user_id=7
    )


@pytest.mark.parametrize("levels", [40, 300, 1_000, 100_000])
def test_deep_nesting(levels: int) -> None:
    """Lists in lists, however deep, are a DecodeError: in an attribute, in an unknown one read by policy, in a key."""
    deep = '{"L":[' * levels + '{"S":"x"}' + "]}" * levels
    for name in ("anything", "visits"):
        with pytest.raises(DecodeError):
            CODEC.decode_get(f'{{"Item":{{"org":{{"S":"a"}},"id":{{"N":"7"}},"{name}":{deep}}}}}'.encode())
    with pytest.raises(DecodeError):
        CODEC.decode_page(f'{{"Items":[],"LastEvaluatedKey":{{"org":{deep}}}}}'.encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"Item":', b'{"Item":5}', b'{"Item":{"org":"\xff"}}', b'{"Item":{"org":{"S":"\\ud800"}}}',
             b'{"Item":{"org":"acme","id":7}}', b'{"Item":{"org":[],"id":{}}}']
)  # fmt: skip
def test_answers_that_are_none(body: bytes) -> None:
    """Anything but a JSON object with an item of attributes is a DecodeError."""
    with pytest.raises(DecodeError):
        CODEC.decode_get(body)


@pytest.mark.parametrize(
    "body",
    [b'{"Items":{}}', b'{"Items":[5]}', b'{"Items":null}', b'{"Items":[],"ScannedCount":"x"}', b'{"Items":[],"LastEvaluatedKey":5}',
     b'{"Items":[],"LastEvaluatedKey":{"org":5}}', b'{"Items":[],"LastEvaluatedKey":{"org":{}}}', b'{"Items":[],"LastEvaluatedKey":{"o":{"B":"!"}}}'],
)  # fmt: skip
def test_pages_that_are_none(body: bytes) -> None:
    """A page with items, a count or a last key that are none is a DecodeError."""
    with pytest.raises(DecodeError):
        CODEC.decode_page(body)


def test_pages() -> None:
    """A page carries its items in order, how many were read, and its last key with binary content as bytes."""
    page = CODEC.decode_page(
        msgspec.json.encode({"Items": [KEY], "ScannedCount": 9, "LastEvaluatedKey": {"k": {"B": b"x"}}})
    )
    assert (page.items, page.scanned_count, page.last_key) == ([User(org="acme", user_id=7)], 9, {"k": {"B": b"x"}})
    empty = CODEC.decode_page(b'{"Items":[]}')
    assert (empty.items, empty.scanned_count, empty.last_key) == ([], 0, None)
    with pytest.raises(DecodeError, match="age"):
        CODEC.decode_page(msgspec.json.encode({"Items": [KEY, {**KEY, "age": {"N": "x"}}]}))


def test_keys() -> None:
    """A key's values are checked before anything is sent; every failure is an InvalidKey that names the attribute."""
    assert CODEC.encode_key("acme", 7) == KEY
    assert CODEC.key_of(User(org="acme", user_id=7)) == KEY
    for values, why in (
        (("", 7), "User.org: is empty"), (("x" * 2049, 7), "2049 bytes"), (("\ud800", 7), "half a surrogate"), ((5, 7), "User.org: expected str"),
        (("acme", "7"), "User.user_id: expected int"), (("acme", None), "expected int"), (("acme", 10**39 + 1), "38 significant"),
    ):  # fmt: skip
        with pytest.raises(InvalidKey, match=why):
            CODEC.encode_key(*values)


def test_encode_names_every_wrong_attribute() -> None:
    """One InvalidValue names all attributes that cannot be stored."""
    wrong: Any = User(org="acme", user_id=7)
    wrong.age, wrong.tags, wrong.address = "x", ["a"], Money(amount=Decimal(1))
    with pytest.raises(InvalidValue, match=r"User\.age: .*User\.tags: .*User\.address: "):
        CODEC.encode(wrong)
    with pytest.raises(InvalidValue, match="expected User"):
        CODEC.encode(Address(street="x", city="y"))  # type: ignore[arg-type]  # what is refused


def test_a_plain_class_keeps_its_rules() -> None:
    """A plain attrs class is made by its constructor: converters run, and what a validator refuses is a DecodeError."""
    assert read(price={"M": {"amount": {"N": "1"}, "unit": {"S": "usd"}}}).price == Money(amount=Decimal(1), unit="USD")
    assert "unit" in problems(price={"M": {"amount": {"N": "1"}, "unit": {"NULL": True}}}).popitem()[0]


def model_with(unknown: Literal["ignore", "keep", "forbid"]) -> ItemCodec[Any]:
    @model(table="notes", unknown=unknown)
    class Note:
        note_id: Attr[str] = partition_key()
        text: Attr[str] = attr(default="")

    return spec_of(Note).codec


STRANGE = {"note_id": {"S": "n"}, "more": {"M": {"b": {"B": b"x"}}}, "text": {"S": "t"}}


def test_unknown_attributes_are_kept() -> None:
    """With unknown="keep" the rest of the item goes through an encode unchanged, by both paths, and after a copy."""
    codec = model_with("keep")
    stored = msgspec.json.decode(msgspec.json.encode(STRANGE))
    for note in (codec.decode_get(msgspec.json.encode({"Item": STRANGE})), codec.decode(stored)):
        assert codec.encode(note) == STRANGE
        assert codec.encode(copy.deepcopy(note)) == STRANGE
        assert (codec.stored(note) or {}).keys() == {"note_id", "text"}
    for bad in ({}, {"X": 1}, 5, {"B": "!"}):
        with pytest.raises(DecodeError, match="more"):
            codec.decode_get(msgspec.json.encode({"Item": {**STRANGE, "more": bad}}))


def test_unknown_attributes_are_ignored_or_forbidden() -> None:
    """With "ignore" unknown attributes are not looked at, whatever they hold; with "forbid" each is listed."""
    body = msgspec.json.encode({"Item": {**STRANGE, "odd": {}}})
    ignoring, forbidding = model_with("ignore"), model_with("forbid")
    assert ignoring.encode(ignoring.decode_get(body)).keys() == {"note_id", "text"}
    assert ignoring.decode(msgspec.json.decode(body)["Item"]) == ignoring.decode_get(body)
    with pytest.raises(DecodeError) as caught:
        forbidding.decode_get(body)
    assert [problem.path for problem in caught.value.problems] == ["more", "odd"]


def test_what_is_remembered_pickles() -> None:
    """A pickled instance still knows what was stored; one that was never stored knows that."""
    user = read(tags={"SS": ["a"]}, address={"M": {"street": {"S": "s"}, "town": {"S": "t"}}})
    again = pickle.loads(pickle.dumps(user))  # noqa: S301 - our own bytes
    assert (again, CODEC.stored(again)) == (user, CODEC.stored(user))
    assert CODEC.stored(User(org="acme", user_id=7)) is None
    CODEC.remember(user, KEY)
    assert CODEC.stored(user) == KEY


class Refused(Exception):
    pass


def test_the_classes_own_code_may_raise_anything() -> None:
    """Whatever a model's own ``__attrs_post_init__`` raises on a stored item is a DecodeError, not a crash."""

    @model(table="strict")
    class Strict:
        strict_id: Attr[str] = partition_key()

        def __attrs_post_init__(self) -> None:
            if self.strict_id == "no":
                raise Refused("not this one")

    codec = spec_of(Strict).codec
    assert codec.decode_get(b'{"Item":{"strict_id":{"S":"yes"}}}') == Strict(strict_id="yes")
    with pytest.raises(DecodeError, match="not this one"):
        codec.decode_get(b'{"Item":{"strict_id":{"S":"no"}}}')


def test_good_items_never_leave_the_compiled_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the model's types, a good item is read without the general path: losing it would cost a hundredfold."""
    item = CODEC.encode(read())
    body = msgspec.json.encode({"Items": [item, item], "ScannedCount": 2})

    def refuse(*_: object) -> None:
        raise AssertionError("the general path was taken")

    monkeypatch.setattr(type(CODEC), "decode", refuse)
    assert len(CODEC.decode_page(body).items) == 2


@pytest.mark.parametrize("unknown", ["ignore", "keep", "forbid"])
@pytest.mark.parametrize("name", ["text", 'te"xt'])
def test_one_item_of_an_answer(unknown: Literal["ignore", "keep", "forbid"], name: str) -> None:
    """Decoded from its bytes as the general path decodes it, whatever becomes of unknown attributes, and under any name."""

    @model(table="notes", unknown=unknown)
    class Note:
        note_id: Attr[str] = partition_key()
        text: Attr[str] = attr(default="", name=name)

    codec = spec_of(Note).codec
    for item in (
        {"note_id": {"S": "a"}, name: {"S": "x"}},
        {"note_id": {"S": "a"}, "more": {"B": "AP8="}},
        {"note_id": {"S": "a"}, name: {"N": "1"}},
        {name: {"S": "x"}},
        {},
    ):
        raw = msgspec.Raw(msgspec.json.encode(item))
        assert outcome(codec, codec.decode_item, raw) == outcome(codec, codec.decode, item)


def outcome(codec: ItemCodec[Any], decode: Callable[[Any], Any], item: object) -> object:
    """What a decoding comes to: the item with all that it knows, or the problems."""
    try:
        found = decode(item)
    except DecodeError as error:
        return error.problems
    return found, codec.encode(found), codec.stored(found)


def test_what_is_no_item_is_refused() -> None:
    """Something else in its place, or JSON that is cut, is a DecodeError."""
    for raw in (b"3", b"null", b"[]", b"{", b""):
        with pytest.raises(DecodeError):
            CODEC.decode_item(msgspec.Raw(raw))


def test_a_good_item_of_an_answer_stays_on_the_compiled_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of a page do."""
    raw = msgspec.Raw(msgspec.json.encode(CODEC.encode(read())))

    def refuse(*_: object) -> None:
        raise AssertionError("the general path was taken")

    monkeypatch.setattr(type(CODEC), "decode", refuse)
    assert CODEC.decode_item(raw) == CODEC.decode_item(raw)
