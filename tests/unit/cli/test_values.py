"""Texts of the command line as values and conditions."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import click
import pytest

from dynamorm_async import Attr, Condition, attr, embedded, encrypted, model, partition_key, sort_key
from dynamorm_async.cli.conditions import condition_of, conditions_of, key_of
from dynamorm_async.cli.values import parse_value


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


@embedded
class Address:
    city: Attr[str]
    floor: Attr[int | None] = attr(default=None)


@model(table="people")
class Person:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    age: Attr[int | None] = attr(default=None)
    born: Attr[dt.date | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    address: Attr[Address | None] = attr(default=None)
    photo: Attr[bytes | None] = attr(default=None)
    colour: Attr[Colour | None] = attr(default=None)
    plan: Attr[Literal["free", "paid"]] = attr(default="free")
    secret: Attr[str | None] = encrypted(default=None)


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        (" a=b ", str, " a=b "),
        ("-5", int, -5),
        ("1.10", Decimal, Decimal("1.10")),
        ("0.5", float | None, 0.5),
        ("True", bool, True),
        ("2026-01-30T12:00:00Z", dt.datetime, dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)),
        ("2026-01-30", dt.date | None, dt.date(2026, 1, 30)),
        ("90.5", dt.timedelta, dt.timedelta(seconds=90.5)),
        ("12345678-1234-5678-1234-567812345678", UUID, UUID("12345678123456781234567812345678")),
        ("AAE=", bytes, b"\x00\x01"),
        ("red", Colour, Colour.RED),
        ("BLUE", Colour, Colour.BLUE),
        ("2", Size, Size.LARGE),
        ("paid", Literal["free", "paid"], "paid"),
        ("7", int | str, 7),
        ("x7", int | str, "x7"),
        ('["a", "b"]', list[str], ["a", "b"]),
    ],
)
def test_a_text_is_a_value_of_its_type(text: str, hint: object, value: object) -> None:
    """Every type that has a text of its own is read from it; others as JSON, else as text."""
    assert parse_value(text, hint) == value
    assert type(parse_value(text, hint)) is type(value)


@pytest.mark.parametrize(
    ("text", "hint", "said"),
    [
        ("x", int, "'x' is not an integer"),
        ("1.5", int, "'1.5' is not an integer"),
        ("NaN", Decimal, "'NaN' is not a number"),
        ("yes", bool, "'yes' is not true or false"),
        ("2026-01-30T12:00:00", dt.datetime, "is not a date and time with its offset, such as 2026-01-30T12:00:00Z"),
        ("30.1.2026", dt.date, "'30.1.2026' is not a date, such as 2026-01-30"),
        ("1e300", dt.timedelta, "'1e300' is not a number of seconds"),
        ("x", UUID, "'x' is not a UUID"),
        ("%", bytes, "'%' is not base64"),
        ("green", Colour, "'green' is none of red, blue"),
        ("gold", Literal["free", "paid"], "'gold' is none of free, paid"),
    ],
)
def test_another_text_is_refused(text: str, hint: object, said: str) -> None:
    """The refusal says what is wanted."""
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        parse_value(text, hint)


P: Any = Person  # conditions are compared by their representation, not built with ==


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("org=acme", P.org == "acme"),
        ("org = acme ", P.org == "acme"),
        ("org= a b ", P.org == " a b "),
        ("org=a=b<c", P.org == "a=b<c"),
        ("org=", P.org == ""),
        ("age!=3", P.age != 3),
        ("age<3", P.age < 3),
        ("age<=3", P.age <= 3),
        ("age >= 18", P.age >= 18),
        ("age>-1", P.age > -1),
        ("org^=ac", P.org.begins_with("ac")),
        ("photo^=AAE=", P.photo.begins_with(b"\x00\x01")),
        ("tags*=admin", P.tags.contains("admin")),
        ("org*=m", P.org.contains("m")),
        ("scores*=3", P.scores.contains(3)),
        ("age in 1, 2,3", P.age.is_in([1, 2, 3])),
        ('org in "a,b",c', P.org.is_in(["a,b", "c"])),
        ("age exists", P.age.exists()),
        ("age not exists", P.age.not_exists()),
        ("secret exists", P.secret.exists()),
        ("address.city=Paris", P.address / Address.city == "Paris"),
        ("address.floor>3", P.address["floor"] > 3),
        ("scores[0]>3", P.scores[0] > 3),
        ("colour=blue", P.colour == Colour.BLUE),
        ("born>2000-01-01", P.born > dt.date(2000, 1, 1)),
    ],
)
def test_a_text_is_a_condition(text: str, condition: Condition) -> None:
    """Each form means the condition that a program would write."""
    (found,) = conditions_of(Person, [text])
    assert repr(found) == repr(condition)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("org", "that is no condition; write one of name=value"),
        ("org is acme", "that is no condition"),
        ("ag=3", "Person has no attribute 'ag'; did you mean age?"),
        ("zzz=3", "Person has no attribute 'zzz'; its attributes are org, number"),
        ("age=x", "'x' is not an integer"),
        ("age in 1,x", "'x' is not an integer"),
        ("plan=gold", "'gold' is none of free, paid"),
        ("address.street=x", "has nothing at ['street']"),
        ("tags=admin", "expected set"),
        ("secret=x", "is encrypted, so that DynamoDB cannot read it"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    """The refusal names the condition and says what is wrong with it."""
    with pytest.raises(click.BadParameter) as caught:
        conditions_of(Person, [text])
    assert repr(text) in str(caught.value)
    assert said in str(caught.value)


def test_conditions_are_joined() -> None:
    """Several conditions have to hold together; none is no condition."""
    assert repr(condition_of(Person, ["org=a", "age>1"])) == repr((P.org == "a") & (P.age > 1))
    assert condition_of(Person, []) is None


def test_a_key_is_read_by_its_types() -> None:
    """Key values are as many as the key has, each of its attribute's type."""
    assert key_of(Person, ["acme", "7"]) == ["acme", 7]
    with pytest.raises(click.BadParameter, match="the key of Person is org, number: 2 wanted, 1 given"):
        key_of(Person, ["acme"])
    with pytest.raises(click.BadParameter, match="number: 'x' is not an integer"):
        key_of(Person, ["acme", "x"])
