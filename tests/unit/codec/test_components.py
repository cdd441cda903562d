"""One attribute inside a key: its text, the text's order and width, and the value read back."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from decimal import localcontext
from typing import Any

import pytest

from dynamorm_async import InvalidKey, ModelError
from dynamorm_async.codec.components import whole_key
from dynamorm_async.codec.keytext import text_form
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import AttributeValue
from tests.unit.codec.key_models import LAYOUT, WHERE, Level, Order, Status, part

MOMENT = "2026-03-04T05:06:07.000008Z"


@pytest.mark.parametrize(("name", "form", "value", "text"), [
    ("customer", "", {"S": "42"}, "42"),
    ("customer", "", {"S": 'a b#c$d\0!"%'}, "a$20b$23c$24d$00$21$22%"),
    ("customer", "", {"S": ""}, ""),
    ("nick", "", {"S": "größe \U0001f600"}, "größe$20\U0001f600"),
    ("customer", "raw", {"S": "a b$"}, "a b$"),
    ("status", "", {"S": "on hold"}, "on$20hold"),
    ("size", "", {"S": "x#l"}, "x$23l"),
    ("seq", "", {"N": "0"}, "0"),
    ("seq", "", {"N": "-12"}, "-12"),
    ("seq", "08", {"N": "42"}, "00000042"),
    ("seq", "08d", {"N": "99999999"}, "99999999"),
    ("seq", "+08", {"N": "-1"}, "099999999"),
    ("seq", "+08", {"N": "-99999999"}, "000000001"),
    ("seq", "+08d", {"N": "99999999"}, "199999999"),
    ("seq", "038", {"N": "9" * 38}, "9" * 38),
    ("cents", "04", {"N": "7"}, "0007"),
    ("level", "02", {"N": "12"}, "12"),
    ("expires", "012", {"N": "1767225600"}, "001767225600"),
    ("price", "", {"N": "1.5"}, "1.5"),
    ("price", "", {"N": "1E-7"}, "1E-7"),
    ("price", "011.2f", {"N": "12.5"}, "00000012.50"),
    ("price", "+011.2f", {"N": "-0.01"}, "099999999.99"),
    ("price", "+011.2f", {"N": "0"}, "100000000.00"),
    ("price", "08.0f", {"N": "12"}, "00000012"),
    ("weight", "06.2f", {"N": "1.25"}, "001.25"),
    ("took", "011.6f", {"N": "1.000001"}, "0001.000001"),
    ("placed", "", {"S": MOMENT}, MOMENT),
    ("placed", "%Y%m%dT%H%M%S%f", {"S": MOMENT}, "20260304T050607000008"),
    ("placed", "%f %S:%M:%H %d.%m.%Y", {"S": MOMENT}, "000008 07:06:05 04.03.2026"),
    ("day", "", {"S": "2026-03-04"}, "2026-03-04"),
    ("day", "%d/%m/%Y", {"S": "2026-03-04"}, "04/03/2026"),
    ("ident", "", {"S": "00000000-0000-0000-0000-000000000007"}, "00000000-0000-0000-0000-000000000007"),
    ("paid", "", {"BOOL": True}, "true"),
    ("paid", "", {"BOOL": False}, "false"),
    ("digest", "hex", {"B": b"\x00\xff"}, "00ff"),
])  # fmt: skip
def test_there_and_back(name: str, form: str, value: AttributeValue, text: str) -> None:
    """A lossless component writes a value as expected, in its width, and reads the very value back."""
    component = part(name, form)
    assert component.render(value) == text
    assert component.lossless
    assert component.parse(text) == value
    assert component.width in (None, len(text))


@pytest.mark.parametrize(("name", "form", "value", "text"), [
    ("customer", "lower", {"S": "Ada B"}, "ada$20b"),
    ("customer", "upper", {"S": "Straße"}, "STRASSE"),
    ("placed", "%Y-%m", {"S": MOMENT}, "2026-03"),
    ("placed", "%d-%m-%Y", {"S": MOMENT}, "04-03-2026"),
    ("placed", "%H", {"S": MOMENT}, "05"),
    ("day", "Y%Y", {"S": "2026-03-04"}, "Y2026"),
])  # fmt: skip
def test_what_keeps_less_than_the_value(name: str, form: str, value: AttributeValue, text: str) -> None:
    """A component that is not lossless says so, and never makes up a value."""
    component = part(name, form)
    assert component.render(value) == text
    assert not component.lossless
    with pytest.raises(ValueError, match="keeps less than the value"):
        component.parse(text)


@pytest.mark.parametrize(("name", "form", "lossless", "ordered", "width"), [
    ("customer", "", True, True, None), ("customer", "raw", True, False, None), ("customer", "lower", False, False, None),
    ("customer", "upper", False, False, None), ("seq", "", True, False, None), ("seq", "08", True, True, 8),
    ("seq", "+08", True, True, 9), ("price", "", True, False, None), ("price", "011.2f", True, True, 11),
    ("price", "+011.2f", True, True, 12), ("placed", "", True, True, 27), ("placed", "%Y", False, True, 4),
    ("placed", "%Y/%m at %d", False, True, 13), ("placed", "%Y%d", False, False, 6), ("placed", "%m%d", False, False, 4),
    ("placed", "%Y%Y", False, False, 8), ("placed", "%Y%m%d%H%M%S%f", True, True, 20),
    ("placed", "%f%S%M%H%d%m%Y", True, False, 20), ("placed", "%Y-%m-%d %H:%M:%S", False, True, 19),
    ("day", "", True, True, 10), ("day", "%Y-%m", False, True, 7), ("day", "%m-%d", False, False, 5),
    ("day", "%d%m%Y", True, False, 8), ("ident", "", True, True, 36), ("paid", "", True, True, None),
    ("digest", "hex", True, True, None), ("status", "", True, True, None), ("level", "", True, False, None),
])  # fmt: skip
def test_what_a_component_promises(name: str, form: str, *, lossless: bool, ordered: bool, width: int | None) -> None:
    """Whether its values can be told from the text, whether the text is in their order, and how wide it is."""
    component = part(name, form)
    assert (component.lossless, component.ordered, component.width) == (lossless, ordered, width)


@pytest.mark.parametrize(("name", "form", "advice"), [
    ("customer", "title", "{customer}, {customer:lower}, {customer:upper} or {customer:raw}"),
    ("seq", "8", "{seq:08} for 8 digits"), ("seq", "00", "{seq:08}"), ("seq", "039", "{seq:08}"),
    ("seq", "+8", "{seq:+08} for negative"), ("seq", "-08", "{seq:08}"), ("seq", "08.2f", "{seq:08}"),
    ("seq", "08x", "{seq:08}"), ("seq", "٠٨", "{seq:08}"), ("price", "08", "{price:011.2f}"),
    ("price", ".2f", "{price:011.2f}"), ("price", "03.2f", "{price:011.2f}"), ("price", "040.1f", "{price:011.2f}"),
    ("placed", "%j", "%Y, %m, %d, %H, %M, %S and %f"), ("placed", "date", "%Y, %m"), ("placed", "%Y#%m", 'without "#"'),
    ("placed", "%Y%", "{placed:%Y-%m-%d}"), ("placed", "%Y%%", "{placed:%Y-%m-%d}"), ("day", "%Y %H", "%Y, %m and %d"),
    ("ident", "hex", "Write {ident}"), ("paid", "d", "Write {paid}"), ("digest", "", "Write {digest:hex}"),
    ("expires", "%Y", "{expires:08}"),
])  # fmt: skip
def test_another_format_is_refused(name: str, form: str, advice: str) -> None:
    """A format that the type does not have is a ModelError at decoration that says where, and what to write."""
    with pytest.raises(ModelError, match=re.escape(advice)) as caught:
        part(name, form)
    assert str(caught.value).startswith(f"{WHERE}: {{{name}")


@pytest.mark.parametrize(("name", "shown"), [
    ("tags", "set[str]"), ("lines", "list[str]"), ("counts", "dict[str, int]"), ("address", "Address"),
    ("either", "int | str"), ("mixed", "Mixed"), ("anything", "Any"), ("note", "str, stored as json"),
    ("text", "str, stored as compressed"),
])  # fmt: skip
def test_another_type_is_refused(name: str, shown: str) -> None:
    """What is no text, number, date, UUID, bool or bytes is a ModelError that names attribute and type."""
    with pytest.raises(ModelError, match=re.escape(f"Order.{name} is")) as caught:
        part(name)
    assert "Order: pk: a component of a key is text" in str(caught.value)
    assert shown in str(caught.value)


@pytest.mark.parametrize(("name", "form", "value", "why"), [
    ("seq", "02", {"N": "100"}, "not within 0 to 99"),
    ("seq", "02", {"N": "-1"}, 'not within 0 to 99; write "+02" for negative numbers too'),
    ("seq", "+02", {"N": "-100"}, "not within -99 to 99"),
    ("seq", "08", {"N": "1E+125"}, "not within"),
    ("seq", "", {"N": "1.5"}, "not a whole number"),
    ("seq", "08", {"N": "1.5"}, "not a whole number"),
    ("price", "06.2f", {"N": "1000"}, "not within 0.00 to 999.99"),
    ("price", "06.2f", {"N": "0.001"}, "more decimals than the 2 of its format"),
    ("weight", "06.2f", {"N": "1E-100"}, "more decimals"),
    ("customer", "raw", {"S": "a#b"}, 'holds "#"'),
    ("customer", "", {"S": "a\ud800"}, "half a surrogate pair"),
    ("customer", "lower", {"S": "a\udfff"}, "half a surrogate pair"),
    ("customer", "raw", {"S": "\ud800"}, "half a surrogate pair"),
    ("placed", "", {"S": "2026-02-30T00:00:00.000000Z"}, "day"),
    ("placed", "%Y", {"S": "2026-01-01T00:00:00"}, "no time zone"),
    ("placed", "%Y", {"S": "yesterday"}, "yesterday"),
    ("placed", "%Y", {"S": "0001-01-01T00:00:00+05:00"}, "out of range"),
    ("day", "%Y", {"S": "2026-01-01T00:00:00Z"}, "2026-01-01T00:00:00Z"),
    ("ident", "", {"S": "{00000000-0000-0000-0000-000000000007}"}, "no UUID"),
    ("seq", "", {"S": "1"}, "is N in the model, and here it is S"),
    ("paid", "", {}, "is BOOL in the model, and here it is nothing"),
])  # fmt: skip
def test_a_value_that_does_not_fit(name: str, form: str, value: AttributeValue, why: str) -> None:
    """A value without such a text is an InvalidKey that names attribute, value, format and reason; nothing is rounded or cut."""
    with pytest.raises(InvalidKey, match=re.escape(why)) as caught:
        part(name, form).render(value)
    message = str(caught.value)
    assert message.startswith(f"Order.{name} is ")
    assert f"{{{name}:{form}}}" in message if form else f"{{{name}}}" in message
    assert caught.value.__context__ is None


def test_a_long_value_is_shown_short() -> None:
    """An error does not repeat a whole kilobyte."""
    with pytest.raises(InvalidKey, match="2002 characters") as caught:
        part("customer", "raw").render({"S": "#" * 2000})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("name", "form", "text"), [
    ("customer", "", "a b"), ("customer", "", "a#b"), ("customer", "", "a$"), ("customer", "", "a$2"),
    ("customer", "", "$41"), ("customer", "", "$1f"), ("customer", "", "\0"), ("customer", "raw", "a#"),
    ("seq", "", ""), ("seq", "", "01"), ("seq", "", "1.0"), ("seq", "", "-0"), ("seq", "", "1E+3"), ("seq", "", "+1"),
    ("seq", "", "1.5"), ("seq", "", "٣"), ("seq", "", "NaN"), ("seq", "", "9" * 500), ("seq", "08", "123"),
    ("seq", "08", "0000000a"), ("seq", "08", "0000000\u0661"), ("seq", "08", "-0000001"), ("seq", "08", "0000_001"),
    ("seq", "+02", "000"), ("seq", "+02", "200"), ("price", "", "1.50"), ("price", "", "1e5"), ("price", "011.2f", "1.50"),
    ("price", "06.2f", "0001.5"), ("price", "06.2f", "000150"), ("placed", "", "2026-02-30T00:00:00.000000Z"),
    ("placed", "", "2026-01-01T24:00:00.000000Z"), ("placed", "", "2026-01-01T00:00:00Z"),
    ("placed", "", "2026-01-01 00:00:00.000000Z"), ("placed", "%Y%m%d%H%M%S%f", "2026"), ("day", "", "20260304"),
    ("day", "%d.%m.%Y", "30.02.2026"), ("day", "%d.%m.%Y", "01-02-2026"), ("ident", "", "00000000000000000000000000000007"),
    ("ident", "", "0000000A-0000-0000-0000-000000000007"), ("paid", "", "True"), ("paid", "", ""), ("digest", "hex", "0"),
    ("digest", "hex", "FF"), ("digest", "hex", "00 ff"),
])  # fmt: skip
def test_a_text_that_is_none_of_its_own(name: str, form: str, text: str) -> None:
    """A text that the component never writes is a ValueError, however near to one that it writes."""
    with pytest.raises(ValueError):  # noqa: PT011 - the reasons are those of the readers
        part(name, form).parse(text)


@pytest.mark.parametrize(("name", "stored", "text"), [
    ("placed", "2026-03-04T01:30:00+02:00", "2026-03-03T23:30:00.000000Z"),
    ("placed", "2026-03-03T23:30:00Z", "2026-03-03T23:30:00.000000Z"),
    ("placed", "20260303T233000,5+0000", "2026-03-03T23:30:00.500000Z"),
    ("day", "20260304", "2026-03-04"),
    ("day", "2026-W10-3", "2026-03-04"),
    ("ident", "0000000A-0000-0000-0000-00000000000B", "0000000a-0000-0000-0000-00000000000b"),
    ("ident", "0000000a00000000000000000000000b", "0000000a-0000-0000-0000-00000000000b"),
])  # fmt: skip
def test_what_other_programs_stored(name: str, stored: str, text: str) -> None:
    """A date, datetime or UUID in another spelling is brought to the stored form before it is part of a key."""
    assert part(name).render({"S": stored}) == text


def test_fields_are_taken_in_utc() -> None:
    """The day in a key is the day in UTC, whatever offset the stored text has."""
    assert part("placed", "%Y-%m-%d").render({"S": "2026-03-04T01:30:00+02:00"}) == "2026-03-03"


@pytest.mark.parametrize(("one", "other"), [
    ("100", "1E+2"), ("0", "-0.0"), ("0", "0E+5"), ("1.5", "1.500"), ("1E-7", "0.0000001"), ("1000000000000000000000", "1e+21"),
])  # fmt: skip
def test_equal_numbers_have_one_text(one: str, other: str) -> None:
    """However a number is written in an item, its text in a key is the same."""
    for form in ("", "+038.7f"):
        assert part("price", form).render({"N": one}) == part("price", form).render({"N": other})


def test_numbers_are_exact_in_any_context() -> None:
    """A caller's decimal context rounds no key."""
    digits = "1" * 36 + ".23"
    with localcontext() as context:
        context.prec = 3
        component = part("price", "+039.2f")
        assert component.render({"N": digits}) == f"1{digits}"
        assert component.parse(component.render({"N": digits})) == {"N": digits}
        assert component.parse(component.render({"N": f"-{digits}"})) == {"N": f"-{digits}"}


def test_values_as_the_codec_stores_them() -> None:
    """What an instance is encoded as fits its components: Enums, aliases and time to live included."""
    order = Order(
        customer="c", placed=datetime(2026, 3, 4, tzinfo=UTC), status=Status.ON_HOLD, level=Level.HIGH, expires=datetime(2026, 1, 1, tzinfo=UTC)
    )  # fmt: skip
    item = spec_of(Order).codec.encode(order)
    texts = [
        part(name, form).render(item[name])
        for name, form in (("status", ""), ("level", "04"), ("expires", ""), ("placed", "%Y"))
    ]
    assert texts == ["on$20hold", "0012", "1767225600", "2026"]


def test_case_is_settled_once() -> None:
    """The text in lower or upper case stays itself when it is written again, so that a key can be told as one of the format."""
    for name, change in (("lower", str.lower), ("upper", str.upper)):
        form = text_form(name)
        assert form is not None
        assert all(change(change(char)) == change(char) for char in map(chr, range(sys.maxunicode + 1)))
        assert form.content(form.make("ΑΣ ß İ ŉ")) is not None


@pytest.mark.parametrize(("name", "tag", "value"), [
    ("seq", "N", {"N": "-5"}), ("price", "N", {"N": "1.5"}), ("expires", "N", {"N": "1"}), ("digest", "B", {"B": b"\xff"}),
])  # fmt: skip
def test_a_whole_key_of_numbers_or_bytes(name: str, tag: str, value: Any) -> None:
    """Alone, in a key attribute of numbers or bytes, an attribute is ordered as DynamoDB orders it."""
    member = LAYOUT.member(name)
    assert member is not None
    component = whole_key("Order", member, tag, where=WHERE)
    assert (component.lossless, component.ordered, component.format) == (True, True, "")
    assert component.parse(component.render(value)) == value
