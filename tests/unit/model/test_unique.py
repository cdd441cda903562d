"""``unique()``: what can be unique, what its markers are called, and when two values are one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    InvalidKey,
    Table,
    attr,
    created_at,
    embedded,
    model,
    partition_key,
    sort_key,
    unique,
    updated_at,
    version,
)
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused


@embedded
class Address:
    city: Attr[str]


@model(table="people")
class Person:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    email: Attr[str | None] = attr(default=None, name="mail")
    country: Attr[str | None] = attr(default=None)
    passport: Attr[Decimal | None] = attr(default=None)
    photo: Attr[bytes | None] = attr(default=None)

    one_email = unique("email")
    one_passport = unique("country", "passport", name="passport")
    one_photo = unique("photo")


def markers(**values: Any) -> list[str | None]:
    """The markers of a person's values, in the order of the constraints."""
    spec = spec_of(Person)
    item = spec.codec.encode(Person(org="acme", number=1, **values))
    return [constraint.marker(item) for constraint in spec.unique]


def test_constraints_are_part_of_the_model() -> None:
    """Names, attributes and the table of the markers are known; the constructor and the attributes are unchanged."""
    spec = spec_of(Person)
    assert [constraint.name for constraint in spec.unique] == ["Person.one_email", "passport", "Person.one_photo"]
    assert [member.name for member in spec.unique[1].members] == ["country", "passport"]
    table = spec.marker_table
    assert table is not None
    assert (table.name, table.partition_key.name, table.partition_key.tag) == ("people-unique", "value", "S")
    assert table.sort_key is None
    assert "one_email" not in spec.attributes
    assert repr(Person.one_passport) == "unique('country', 'passport')"


def test_a_model_without_constraints_has_no_second_table() -> None:
    """Nothing is added where nothing is declared."""

    @model(table="plain")
    class Plain:
        pk: Attr[str] = partition_key()

    assert spec_of(Plain).unique == ()
    assert spec_of(Plain).marker_table is None


def test_a_marker_says_constraint_type_and_value() -> None:
    """Equal text and number, and values that only joined would be equal, have different markers."""
    assert markers(email="1")[0] == 'Person.one_email#[{"S":"1"}]'
    assert markers(photo=b"1")[2] == 'Person.one_photo#[{"B":"MQ=="}]'
    assert markers(country="a", passport=Decimal(12))[1] == 'passport#[{"S":"a"},{"N":"12"}]'
    assert markers(country="a1", passport=Decimal(2))[1] != markers(country="a", passport=Decimal(12))[1]


def test_an_absent_value_takes_nothing() -> None:
    """None takes no value, alone or as one of several; NULL in the table does not either; an empty text does."""
    assert markers() == [None, None, None]
    assert markers(country="de")[1] is None
    assert spec_of(Person).unique[0].marker({"mail": {"NULL": True}}) is None
    assert markers(email="")[0] == 'Person.one_email#[{"S":""}]'


@pytest.mark.parametrize("texts", [("1000", "1E+3", "1000.0"), ("0", "-0", "0E+5"), ("-1.50", "-1.5"), ("1E-130",)])
def test_a_number_is_one_value_however_it_is_written(texts: tuple[str, ...]) -> None:
    """DynamoDB keeps numbers in a form of its own; the marker is the same for all."""
    constraint = spec_of(Person).unique[1]
    found = {constraint.marker({"country": {"S": "de"}, "passport": {"N": text}}) for text in texts}
    assert len(found) == 1


def test_numbers_of_38_digits_stay_apart() -> None:
    """Two numbers that differ in the last of 38 digits are two values, whatever the precision of decimal's context."""
    one, other = (markers(country="de", passport=Decimal("1" * 37 + last))[1] for last in "12")
    assert one != other
    assert "1" * 37 in str(one)


def test_a_value_that_is_too_long_is_refused() -> None:
    """A marker's key has at most 2048 bytes; the error names the attributes and both sizes."""
    room = 2048 - len('Person.one_email#[{"S":""}]')
    assert markers(email="x" * room)[0] is not None
    with pytest.raises(InvalidKey, match=r"email is too long to be kept unique: .* 2049 bytes.* 2048"):
        markers(email="x" * (room + 1))
    with pytest.raises(InvalidKey, match="country and passport is too long"):
        markers(country="é" * 1100, passport=Decimal(1))


def test_an_inherited_constraint_is_each_models_own() -> None:
    """Two models that inherit one declaration, in one shared table, have constraints of different names."""
    shared = Table("shared", partition_key="pk")

    class Base:
        one_email = unique("email")

    @model(shared)
    class Customer(Base):
        pk: Attr[str] = partition_key()
        email: Attr[str] = attr()

    @model(shared)
    class Supplier(Base):
        pk: Attr[str] = partition_key()
        email: Attr[str] = attr()

    names = [spec_of(cls).unique[0].name for cls in (Customer, Supplier)]
    assert names == ["Customer.one_email", "Supplier.one_email"]


def test_key_attributes_can_be_part_of_a_constraint() -> None:
    """A sort key that is to be unique over all partitions, for example."""

    @model(table="numbers")
    class Numbered:
        org: Attr[str] = partition_key()
        number: Attr[int] = sort_key()
        one_number = unique("number")

    assert spec_of(Numbered).unique[0].marker({"number": {"N": "7"}}) == 'Numbered.one_number#[{"N":"7"}]'


@pytest.mark.parametrize("attributes", [(), ("email", "email")])
def test_a_constraint_needs_different_attributes(attributes: tuple[str, ...]) -> None:
    """None, or one twice, is refused where it is written."""
    with refused("one or more different attributes", 'unique("email")'):
        unique(*attributes)


def test_an_empty_name_is_refused() -> None:
    """It would be taken for none."""
    with refused("unique(name='')", "leave it out"):
        unique("email", name="")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope", ("names no attribute", "email")),
        ("tags", ("tags", "text, numbers and bytes")),
        ("flag", ("flag", "text, numbers and bytes")),
        ("address", ("address", "text, numbers and bytes")),
        ("data", ("data", "JSON or compressed", "more than one form")),
        ("blob", ("blob", "JSON or compressed", "more than one form")),
        ("made", ("made", "created_at()")),
        ("changed", ("changed", "updated_at()")),
        ("revision", ("revision", "version()", "every write moves")),
    ],
)
def test_what_cannot_be_unique_is_refused(name: str, words: tuple[str, ...]) -> None:
    """Unknown attributes, other types, forms that vary, and what the library itself moves; with class and attribute."""
    with refused("Refused", *words):

        @model(table="refused")
        class Refused:
            pk: Attr[str] = partition_key()
            email: Attr[str] = attr(default="")
            tags: Attr[set[str]] = attr(factory=set)
            flag: Attr[bool] = attr(default=False)
            address: Attr[Address | None] = attr(default=None)
            data: Attr[dict[str, int]] = attr(factory=dict, as_json=True)
            blob: Attr[str | None] = attr(default=None, compressed=True)
            made: Attr[datetime] = created_at()
            changed: Attr[datetime] = updated_at()
            revision: Attr[int] = version()

            one = unique(name)


def test_two_constraints_of_one_name_are_refused() -> None:
    """Their markers would be the same."""
    with refused("Twice", "two constraints", "'same'", "name="):

        @model(table="twice")
        class Twice:
            pk: Attr[str] = partition_key()
            a: Attr[str] = attr(default="")
            b: Attr[str] = attr(default="")

            one_a = unique("a", name="same")
            one_b = unique("b", name="same")


def test_a_table_name_that_leaves_no_room_is_refused() -> None:
    """The markers' table has 7 characters more, and 255 at most; told at the declaration, not by the first write."""
    with refused("Long", "the table of the unique values", "255"):

        @model(table="n" * 249)
        class Long:
            pk: Attr[str] = partition_key()
            one = unique("pk")

    @model(table="n" * 248)
    class Fits:
        pk: Attr[str] = partition_key()
        one = unique("pk")

    table = spec_of(Fits).marker_table
    assert table is not None
    assert len(table.name) == 255


def test_a_time_to_be_unique_is_text() -> None:
    """An ordinary datetime can be unique; elsewhere on earth it is the same moment."""

    @model(table="slots")
    class Slot:
        pk: Attr[str] = partition_key()
        at: Attr[datetime] = attr()
        one_at = unique("at")

    spec = spec_of(Slot)
    item = spec.codec.encode(Slot(pk="p", at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert spec.unique[0].marker(item) == 'Slot.one_at#[{"S":"2026-01-01T00:00:00.000000Z"}]'
