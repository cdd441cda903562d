"""Key templates: syntax, rendering, prefixes, parsing back, and whether two can make one key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dynamorm_async import InvalidKey, ModelError
from dynamorm_async.codec.template import overlap
from dynamorm_async.types import KeyTag
from tests.unit.codec.key_models import part, template

MOMENT = "2026-03-04T05:06:07.000008Z"
ITEM: dict[str, Any] = {
    "customer_id": {"S": "c 1"},
    "placed": {"S": MOMENT},
    "seq": {"N": "7"},
    "price": {"N": "1.50"},
    "digest": {"B": b"\x01\xff"},
    "nick": {"NULL": True},
}


@pytest.mark.parametrize(("text", "key"), [
    ("PROFILE", "PROFILE"), ("{customer}", "c$201"), ("CUSTOMER#{customer}", "CUSTOMER#c$201"),
    ("ORDER#{placed:%Y-%m-%d}#{seq:04}", "ORDER#2026-03-04#0007"), ("{placed:%H:%M}", "05:06"),
    ("{seq:02}{placed:%Y}{customer}#", "072026c$201#"), ("{{{seq:02}}}{{}}", "{07}{}"), ("100%s#{seq}#%", "100%s#7#%"),
    ("{seq}#{seq:03}", "7#007"), (" # {customer}", " # c$201"), ("größe#\U0001f600#{seq}", "größe#\U0001f600#7"),
])  # fmt: skip
def test_render(text: str, key: str) -> None:
    """Literals stand as written, components as their values; attributes are found by their names in DynamoDB."""
    assert template(text).render(ITEM) == {"S": key}
    assert template(text).matches({"S": key})


def test_parts() -> None:
    """A template knows its parts, its components, each attribute once, and what it makes."""
    made = template("A{{#{seq}#{placed:%Y}{placed:%m}x{seq:02}")
    assert made.parts == ("A{#", part("seq"), "#", part("placed", "%Y"), part("placed", "%m"), "x", part("seq", "02"))
    assert made.components == (part("seq"), part("placed", "%Y"), part("placed", "%m"), part("seq", "02"))
    assert [member.name for member in made.members] == ["seq", "placed"]
    assert (made.name, made.tag) == ("pk", "S")
    fixed = template("PROFILE")
    assert (fixed.parts, fixed.components, fixed.members) == (("PROFILE",), (), ())


@pytest.mark.parametrize("lacking", ["customer_id", "placed", "seq"])
@pytest.mark.parametrize("null", [False, True])
def test_a_key_lacks_what_its_item_lacks(lacking: str, *, null: bool) -> None:
    """Without a component, or with NULL in its place, there is no key, whatever the other values are."""
    made = template("{customer:raw}#{placed:%Y}#{seq:01}")
    item = {**ITEM, "customer_id": {"S": "#"}, "seq": {"N": "100"}}  # neither fits
    item[lacking] = {"NULL": True}
    if not null:
        del item[lacking]
    assert made.render(item) is None


def test_a_value_that_does_not_fit() -> None:
    """A value that its component cannot write is an InvalidKey that names it, in keys and in prefixes."""
    made = template("{customer}#{seq:01}#{placed}")
    for make in (made.render, made.prefix):
        with pytest.raises(InvalidKey, match=re.escape("Order.seq is '12', which cannot be {seq:01}")) as caught:
            make({**ITEM, "seq": {"N": "12"}})
        assert caught.value.__context__ is None


@pytest.mark.parametrize(("names", "prefix"), [
    ((), "ORDER#"), (("placed",), "ORDER#2026-03-04#C"), (("customer_id",), "ORDER#"), (("placed", "seq"), "ORDER#2026-03-04#C"),
    (("placed", "customer_id"), "ORDER#2026-03-04#Cc$201#"), (("placed", "customer_id", "seq"), "ORDER#2026-03-04#Cc$201#7"),
])  # fmt: skip
def test_prefix(names: tuple[str, ...], prefix: str) -> None:
    """A prefix reaches up to the first component that is lacking, and holds the literal before it."""
    made = template("ORDER#{placed:%Y-%m-%d}#C{customer}#{seq}")
    assert made.prefix({name: ITEM[name] for name in names}) == prefix
    assert made.prefix({**{name: ITEM[name] for name in names}, "nick": {"NULL": True}}) == prefix


def test_a_prefix_stops_at_null() -> None:
    """NULL is as good as absent."""
    assert template("A#{nick}#{seq}").prefix(ITEM) == "A#"
    assert template("PROFILE").prefix({}) == "PROFILE"
    assert template("{seq}", "N").prefix(ITEM) == ""


@pytest.mark.parametrize(("text", "key", "found"), [
    ("CUSTOMER#{customer}", "CUSTOMER#c$201", {"customer_id": {"S": "c 1"}}),
    ("ORDER#{placed:%Y-%m-%d}#{seq:04}", "ORDER#2026-03-04#0007", {"seq": {"N": "7"}}),
    ("{customer:lower}#{paid}", "ada#true", {"paid": {"BOOL": True}}),
    ("{seq:02}{placed:%Y}{customer}", "0720261", {"seq": {"N": "7"}, "customer_id": {"S": "1"}}),
    ("A#{customer}#B", "A##B", {"customer_id": {"S": ""}}),
    ("A#{customer}", "A#x\n", {"customer_id": {"S": "x\n"}}),
    ("{digest:hex}#", "01ff#", {"digest": {"B": b"\x01\xff"}}),
    ("PROFILE", "PROFILE", {}),
])  # fmt: skip
def test_parse(text: str, key: str, found: dict[str, Any]) -> None:
    """The lossless components of a key are read back by their names in DynamoDB."""
    made = template(text)
    if "\n" in key:  # a newline is never in a component as it is
        assert made.parse({"S": key}) is None
        key = key.replace("\n", "$0A")
    assert made.parse({"S": key}) == found


@pytest.mark.parametrize(("text", "key"), [
    ("CUSTOMER#{customer}", "CUSTOMER#a#b"), ("CUSTOMER#{customer}", "CUSTOMER"), ("CUSTOMER#{customer}", "customer#a"),
    ("CUSTOMER#{customer}", "CUSTOMER#a b"), ("CUSTOMER#{customer}", "CUSTOMER#a$"), ("CUSTOMER#{customer}", "xCUSTOMER#a"),
    ("CUSTOMER#{customer:lower}", "CUSTOMER#A"), ("PROFILE", "PROFILES"), ("PROFILE", "PROFILE\n"), ("A.B", "AxB"),
    ("ORDER#{placed:%Y-%m-%d}", "ORDER#2026-02-30"), ("ORDER#{placed:%Y-%m}", "ORDER#2026-13"), ("ORDER#{seq:04}", "ORDER#7"),
    ("{seq}#{seq:03}", "7#008"), ("{seq}#{seq:01}", "12#1"), ("{placed:%Y}#{placed}", f"2025#{MOMENT}"), ("{seq}", "x"),
])  # fmt: skip
def test_a_key_of_another_template(text: str, key: str) -> None:
    """A key that no item of the template has is told as such: also where one attribute stands in it with two values."""
    made = template(text)
    assert made.parse({"S": key}) is None
    assert not made.matches({"S": key})


@pytest.mark.parametrize(("name", "tag", "value", "others"), [
    ("seq", "N", {"N": "7"}, [{"S": "7"}, {"N": "1.5"}, {"N": "x"}, {"B": b"7"}, {"NULL": True}, {}]),
    ("price", "N", {"N": "1.50"}, [{"S": "1.5"}, {"N": ""}]),
    ("digest", "B", {"B": b"\x01\xff"}, [{"S": "01ff"}, {"N": "1"}]),
])  # fmt: skip
def test_a_key_of_numbers_or_bytes(name: str, tag: KeyTag, value: Any, others: list[Any]) -> None:
    """Such a key attribute is the attribute itself, unchanged, there and back."""
    made = template(f"{{{name}}}", tag)
    assert made.render(ITEM) == value
    assert made.render({}) is made.render({name: {"NULL": True}}) is None
    assert made.parse(value) == {name: value}
    assert [made.parse(other) for other in others] == [None] * len(others)
    with pytest.raises(InvalidKey, match=f"Order.{name} is"):
        made.render({name: {"S": "x"}})


def test_a_text_key_is_text() -> None:
    """A number or bytes in place of a text key is no key of the template."""
    for value in ({"N": "7"}, {"B": b"7"}, {"NULL": True}, {}):
        assert template("{seq}").parse(value) is None


@pytest.mark.parametrize(("text", "why"), [
    ("", "the template is empty: write the key's text"),
    ("A#{customer", 'has a "{" without its other half; write "{{"'),
    ("A#customer}", 'has a "}" without its other half; write "}}"'),
    ("{customer{seq}}", 'has a "{" without its other half'),
    ("A#{}", "has {} without a name; write {attribute}"),
    ("A#{:08}", "has {} without a name; write {attribute}"),
    ("A#{0}", "names '0', which is no attribute of Order; it has customer, placed"),
    ("A#{customer_id}", "names 'customer_id', which is no attribute of Order"),
    ("A#{ seq }", "names ' seq '"), ("A#{seq!r}", "names 'seq!r'"),
    ("A#{address.city}", "store that part as an attribute of its own"),
    ("A#{lines[0]}", "store that part as an attribute of its own"),
    ("{customer}-{seq}", 'write "{customer}#-"'), ("{customer}{seq}", 'write "{customer}#{seq}"'),
    ("{customer}x", 'has "x" right after {customer}'), ("{seq} #", 'write "{seq}# #"'),
    ("{customer:raw}}}", 'write "{customer:raw}#}}"'),
    ("{tags}", 'the template "{tags}": a component of a key is text'),
    ("{placed:%j}", "no way to write a datetime"),
    ("A\ud800", "holds half a surrogate pair"),
])  # fmt: skip
def test_a_template_that_is_none(text: str, why: str) -> None:
    """A template that cannot work is a ModelError when the model is declared: where, what is wrong, and what to write."""
    with pytest.raises(ModelError, match=re.escape(why)) as caught:
        template(text)
    assert str(caught.value).startswith("Order: pk: the template ")
    str(caught.value).encode()


@pytest.mark.parametrize(("text", "tag", "why"), [
    ("A#{seq}", "N", "takes one attribute as it is stored: write {attribute} alone"),
    ("{seq}{seq}", "N", "write {attribute} alone"), ("5", "N", "write {attribute} alone"),
    ("{{seq}}", "N", "write {attribute} alone"), ("{seq:08}", "N", "write {attribute} alone"),
    ("{digest:hex}", "B", "write {attribute} alone"), ("{digest}", "N", "Order.digest is stored as B"),
    ("{customer}", "B", "Order.customer is stored as S"), ("{tags}", "N", "Order.tags is set[str]"),
    ("{text}", "B", "Order.text is str"), ("{nope}", "N", "names 'nope'"), ("", "N", "is empty"), ("{}", "B", "without a name"),
])  # fmt: skip
def test_a_template_of_numbers_or_bytes_that_is_none(text: str, tag: KeyTag, why: str) -> None:
    """A key attribute of numbers or bytes takes one attribute of that type, as it is stored."""
    with pytest.raises(ModelError, match=re.escape(why)):
        template(text, tag)


@pytest.mark.parametrize(("one", "other", "met"), [
    ("CUSTOMER#{customer}", "PRODUCT#{seq}", False),
    ("CUSTOMER#{customer}", "CUSTOMER#{seq}", True),
    ("CUSTOMER#{customer}", "CUSTOMER#7", True),
    ("CUSTOMER#{customer}", "CUSTOMER#{customer}#ORDER#{seq}", False),
    ("ORDER#{seq:04}", "ORDER#{placed:%Y}", True),
    ("ORDER#{seq:04}", "ORDER#{placed:%Y-%m}", False),
    ("ORDER#{seq}", "ORDER#{ident}", False),
    ("ORDER#{price}", "ORDER#x", False),
    ("{customer}", "PROFILE", True),
    ("{customer}", "MY PROFILE", False),  # a space is escaped
    ("{customer:raw}", "MY PROFILE", True),
    ("{customer:raw}", "A#B", False),
    ("{seq}", "#{seq}", False),
    ("PROFILE", "PROFILE", True),
    ("PROFILE", "PROFILES", False),
    ("{paid}", "maybe", False),
])  # fmt: skip
def test_overlap(one: str, other: str, *, met: bool) -> None:
    """Two templates overlap where some key could be of both, asked either way round."""
    assert overlap(template(one), template(other)) == overlap(template(other), template(one)) == met


def test_overlap_of_numbers_and_bytes() -> None:
    """Keys of one type that are whole attributes may always be the same, keys of two types never are."""
    assert overlap(template("{seq}", "N"), template("{price}", "N"))
    assert not overlap(template("{seq}", "N"), template("{seq}"))
    assert overlap(template("{seq}", "N"), template("{price}", "N"), known=0)
    assert not overlap(template("{seq}"), template("{seq}", "N"), known=0)


@pytest.mark.parametrize(("one", "known", "other", "met"), [
    ("{seq}", 0, "ORDER#{seq}", True), ("ORDER#{customer}", 1, "ORDER#{seq}", True), ("ORD{seq}", 1, "ORDER#{seq}", True),
    ("ORDER#7{seq}", 1, "ORDER#{seq}", True), ("ORDER#x{seq}", 1, "ORDER#{seq}", False),
    ("ORDER#7#{seq}", 1, "ORDER#{seq}", False), ("ORDER#7#{seq}", 1, "ORDER#{seq}#{customer}", True),
    ("ORDER#{seq}#{customer}", 2, "ORDER#{seq}", True), ("ORDER#{seq}#{customer}", 3, "ORDER#{seq}", False),
    ("ORDERS{seq}", 1, "ORDER#{seq}", False), ("PROFILES{seq}", 1, "PROFILE", False), ("PROFILE{seq}", 1, "PROFILE", True),
    ("PROFILE", 1, "PROFILES", False), ("a b{seq}", 1, "{customer}", False),
])  # fmt: skip
def test_overlap_of_a_beginning(one: str, known: int, other: str, *, met: bool) -> None:
    """Whether some key of another template begins as the first parts of one; all of its parts are the whole key."""
    assert overlap(template(one), template(other), known=known) == met
