"""Where encrypted attributes cannot stand."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dynamorm_async import (
    GSI,
    Attr,
    ModelError,
    Table,
    attr,
    embedded,
    encrypted,
    index,
    model,
    partition_key,
    sort_key,
    unique,
    upcast,
    vector_index,
    version,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Sealed
from tests.unit.model.refusals import refused


@attrs.define
class Inner:
    secret: str = encrypted()


WRONG: Any = "canary-1"


def same(item: dict[str, Any]) -> dict[str, Any]:
    return item


def test_as_a_key_of_an_index_it_is_refused() -> None:
    """Neither the partition nor the sort key of an index can be encrypted."""
    with refused("Person.email", "encrypted()", "key"):

        @model(table="people")
        class Person:
            pk: Attr[str] = partition_key()
            email: Attr[str] = encrypted()
            by_email = index(partition="email")

    with refused("Other.email", "encrypted()", "key"):

        @model(table="people")
        class Other:
            pk: Attr[str] = partition_key()
            city: Attr[str] = attr()
            email: Attr[str] = encrypted()
            by_city = index(partition="city", sort="email")


def test_as_a_key_of_a_shared_table_it_is_refused() -> None:
    """An attribute that a table's index has as its key cannot be encrypted."""
    table = Table("shared", partition_key="pk", indexes=[GSI("by-email", partition="email")])
    with refused("Person.email", "encrypted()"):

        @model(table)
        class Person:
            pk: Attr[str] = partition_key()
            email: Attr[str] = encrypted()


def test_as_a_component_of_a_key_it_is_refused() -> None:
    """A key template cannot name it."""
    table = Table("templated", partition_key="pk", sort_key="sk")
    with refused("Person.ssn", "encrypted"):

        @model(table, pk="PERSON#{ssn}", sk="PERSON")
        class Person:
            ssn: Attr[str] = encrypted()


def test_as_a_unique_value_it_is_refused() -> None:
    """Equal values have different ciphertexts, and a marker would show it."""
    with refused("Person.email", "encrypted()", "unique"):

        @model(table="people")
        class Person:
            pk: Attr[str] = partition_key()
            email: Attr[str] = encrypted()
            one_email = unique("email")


def test_as_a_vector_it_is_refused() -> None:
    """DynamoDB compares vectors."""
    with refused("Article.embedding", "encrypted()", "vector"):

        @model(table="articles")
        class Article:
            pk: Attr[str] = partition_key()
            embedding: Attr[list[float]] = encrypted()
            by_meaning = vector_index("embedding", dimensions=3, distance="cosine")


def test_inside_of_an_attribute_it_is_refused() -> None:
    """A ciphertext is bound to an attribute of the item: embedded and nested classes have none."""
    with refused("Address.street", "encrypted()", "Attr[Address] = encrypted()"):

        @embedded
        class Address:
            street: Attr[str] = encrypted()

    with refused("Inner.secret", "inside of an attribute", "Attr[Inner] = encrypted()"):

        @model(table="people")
        class Person:
            pk: Attr[str] = partition_key()
            inner: Attr[Inner] = attr()


@pytest.mark.parametrize("as_json", [True, False])
def test_inside_of_json_it_is_refused(*, as_json: bool) -> None:
    """JSON text would hold it as it is."""

    @model(table="people")
    class Person:
        pk: Attr[str] = partition_key()
        inner: Attr[list[Inner]] = attr(as_json=as_json, compressed=not as_json)

    with refused("Inner.secret", "Attr[Inner] = encrypted()"):
        spec_of(Person).codec.encode(Person(pk="p", inner=[Inner(secret="x")]))


def test_with_schema_versions_it_wants_a_version() -> None:
    """A migration insists on the attributes as they were read, which cannot be said of ciphertexts."""
    with refused("Person", "ssn", "version()"):

        @model(table="people", schema=2)
        class Person:
            pk: Attr[str] = partition_key()
            ssn: Attr[str] = encrypted()
            two = upcast(from_version=1)(same)

    @model(table="people", schema=2)
    class Versioned:
        pk: Attr[str] = partition_key()
        ssn: Attr[str] = encrypted()
        revision: Attr[int] = version()
        two = upcast(from_version=1)(same)

    assert spec_of(Versioned).encrypted == {"ssn"}


def test_a_table_knows_what_its_models_encrypt() -> None:
    """Items of any model can come with an answer; a class that is declared again takes its former self's place."""
    table = Table("both", partition_key="pk", sort_key="sk")
    assert table.sealed("x-both") == ()

    def declare(name: str) -> None:
        @model(table, type="one", pk="ONE#{a}", sk="ONE")
        class One:
            a: Attr[str] = attr()
            secret: Attr[str] = encrypted(name=name)

    declare("first")
    declare("second")

    @model(table, pk="TWO#{a}", sk="TWO")
    class Two:
        a: Attr[str] = attr()
        other: Attr[int] = encrypted()

    assert table.sealed("x-both") == (Sealed("x-both", ("pk", "sk"), frozenset({"second", "other"})),)
    assert spec_of(Two).sealed("x-both") == table.sealed("x-both")


def test_defaults_are_checked_and_not_shown() -> None:
    """A default that does not fit is refused without its value."""
    with pytest.raises(ModelError) as info:

        @model(table="people")
        class Person:
            pk: Attr[str] = partition_key()
            sk: Attr[str] = sort_key()
            pin: Attr[int] = encrypted(default=WRONG)

    assert "Person.pin" in str(info.value)
    assert "canary-1" not in str(info.value)
