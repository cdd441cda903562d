"""Schema versions: what ``@model(schema=...)`` and ``@upcast`` accept, and the record that they make."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    Table,
    Upcaster,
    UsageError,
    attr,
    embedded,
    index,
    model,
    outdated,
    partition_key,
    ttl,
    upcast,
    version,
)
from dynamorm_async.codec.derived import Carried
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused

Item = dict[str, Any]


def keep(item: Item) -> Item:
    return item


@model("customers", schema=3)
class Customer:
    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr(default="")
    revision: Attr[int] = version(name="rev")

    @upcast(from_version=2)
    @staticmethod
    def second(item: Item) -> Item:
        return {**item, "second": True}

    @staticmethod
    @upcast(from_version=1)
    def one(item: Item) -> Item:
        """The other order of the decorators, which static type checkers take as well."""
        return {**item, "first": "x"}


def test_a_model_without_a_schema_has_none() -> None:
    """Nothing is stored with its items, nothing is compiled in."""

    @model("plain")
    class Plain:
        pk: Attr[str] = partition_key()

    assert spec_of(Plain).schema is None
    assert spec_of(Plain).codec.upcasting is None


def test_the_record_has_one_upcaster_a_version() -> None:
    """The version, the attribute that holds it, what may not change, and the chain by version."""
    schema = spec_of(Customer).schema
    assert schema is not None
    assert (schema.current, schema.name, schema.fixed) == (3, "_schema", ("customer_id", "rev"))
    assert [schema.name_of(version) for version in (1, 2)] == ["one", "second"]
    assert schema.tag == {"_schema": {"N": "3"}}
    assert schema.carried == Carried("_schema", "N", ("3",), required=True)


def test_the_first_schema_needs_no_upcasters_and_is_there_without_being_stored() -> None:
    """``schema=1`` marks items from the start, and takes those without a version for its own."""

    @model("firsts", schema=1, schema_attribute="v")
    class First:
        pk: Attr[str] = partition_key()

    schema = spec_of(First).schema
    assert schema is not None
    assert schema.carried == Carried("v", "N", ("1",), required=False)
    assert schema.tag == {"v": {"N": "1"}}


def test_an_upcaster_stays_a_function_that_tests_can_call() -> None:
    """On the class it is callable with an item, whichever way the decorators stand."""
    assert isinstance(Customer.second, Upcaster)
    assert Customer.second({"a": 1}) == {"a": 1, "second": True}
    assert Customer.one({}) == {"first": "x"}
    assert Customer.second.from_version == 2


def test_a_gap_in_the_chain_is_refused() -> None:
    """Every version before the current one has an upcaster; the message says which have none."""
    with refused("Gap", "schema=4", "from version 1, 3", "@upcast(from_version=1)"):

        @model("gaps", schema=4)
        class Gap:
            pk: Attr[str] = partition_key()
            two = upcast(from_version=2)(keep)

        del Gap


def test_two_upcasters_from_one_version_are_refused() -> None:
    """The message names both."""
    with refused("Twice", "one", "two", "from version 1"):

        @model("twices", schema=2)
        class Twice:
            pk: Attr[str] = partition_key()

            @upcast(from_version=1)
            @staticmethod
            def one(item: Item) -> Item:
                return item

            @upcast(from_version=1)
            @staticmethod
            def two(item: Item) -> Item:
                return item

        del Twice


def test_an_upcaster_of_the_current_version_is_refused() -> None:
    """One that would make a version beyond the declared one is a forgotten ``schema=``."""
    with refused("Beyond.one", "from version 1", "schema is 1", "schema=2"):

        @model("beyonds", schema=1)
        class Beyond:
            pk: Attr[str] = partition_key()

            @upcast(from_version=1)
            @staticmethod
            def one(item: Item) -> Item:
                return item

        del Beyond


def test_upcasters_without_a_schema_are_refused() -> None:
    """They would never run; so would a name for a version that is not there be of no use."""
    with refused("Lost", "one()", "schema=2"):

        @model("losts")
        class Lost:
            pk: Attr[str] = partition_key()

            @upcast(from_version=1)
            @staticmethod
            def one(item: Item) -> Item:
                return item

        del Lost
    with refused("Named", "schema_attribute='v'", "schema=1"):

        @model("named", schema_attribute="v")
        class Named:
            pk: Attr[str] = partition_key()

        del Named


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "2"])
def test_a_schema_is_a_whole_number_from_one(number: Any) -> None:
    """So is the version that an upcaster is from."""
    with refused("Odd", f"schema={number!r}"):

        @model("odds", schema=number)
        class Odd:
            pk: Attr[str] = partition_key()

        del Odd
    with refused(f"from_version={number!r}"):
        upcast(from_version=number)


def test_only_plain_functions_upcast() -> None:
    """An async function is refused, and so is what cannot be called."""

    async def later(item: Item) -> Item:
        return item

    with refused("later()", "async"):
        upcast(from_version=1)(later)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is refused
    with refused("decorates a function", "'x'"):
        upcast(from_version=1)("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is refused


shared = Table("shared-names", partition_key="pk", indexes=[GSI("by_gk", "gk")], ttl="expires", discriminator="kind")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pk", "a key"),
        ("gk", "a key"),
        ("expires", "ttl"),
        ("kind", "discriminator"),
        ("text", "attribute words"),
        ("", "1 to 255 bytes"),
        ("x" * 256, "1 to 255 bytes"),
    ],
)
def test_the_version_needs_an_attribute_of_its_own(name: str, what: str) -> None:
    """Not a key, the discriminator, the time to live or an attribute of the model."""
    with refused("Taken", repr(name), what):

        @model(shared, schema=1, schema_attribute=name)
        class Taken:
            pk: Attr[str] = partition_key()
            words: Attr[str] = attr(name="text", default="")
            expires: Attr[int | None] = ttl(default=None)

        del Taken


def test_a_variant_has_the_schema_of_its_base() -> None:
    """Its version, its attribute and its upcasters; one of its own takes the place of the base's for the same version."""

    @model("payments", type="payment", schema=2, schema_attribute="v")
    class Payment:
        pk: Attr[str] = partition_key()

        @upcast(from_version=1)
        @staticmethod
        def pay(item: Item) -> Item:
            return item

    @model(type="card")
    class Card(Payment):
        last4: Attr[str] = attr(default="")

        @upcast(from_version=1)
        @staticmethod
        def card(item: Item) -> Item:
            return {**Payment.pay(item), "last4": "0000"}

    @model(type="cash")
    class Cash(Payment):
        pass

    card, cash = spec_of(Card).schema, spec_of(Cash).schema
    assert card is not None
    assert cash is not None
    assert (card.current, card.name, card.name_of(1)) == (2, "v", "card")
    assert (cash.current, cash.name, cash.name_of(1)) == (2, "v", "pay")
    with refused("Cheque", "variant", "declare schema="):

        @model(type="cheque", schema=3)
        class Cheque(Payment):
            pass

        del Cheque


def test_a_subclass_in_another_table_takes_inherited_upcasters_where_it_needs_them() -> None:
    """Without ``schema=`` it has no versions; with one, the chain of its bases serves."""

    @model("archived")
    class Plain(Customer):
        pass

    @model("archived-too", schema=2)
    class Archived(Customer):
        pass

    assert spec_of(Plain).schema is None
    schema = spec_of(Archived).schema
    assert schema is not None
    assert schema.name_of(1) == "one"


def test_an_embedded_class_has_no_schema() -> None:
    """It is a part of an item, and the item has the version."""
    with refused("Inner.one", "embedded"):

        @embedded
        class Inner:
            a: Attr[int]

            @upcast(from_version=1)
            @staticmethod
            def one(item: Item) -> Item:
                return item

        del Inner


def test_an_index_can_hold_the_version() -> None:
    """So that it can be read in part: its name stands among those of the projection."""

    @model("projected", schema=1)
    class Projected:
        pk: Attr[str] = partition_key()
        email: Attr[str] = attr()
        age: Attr[int] = attr(default=0, name="a")
        by_email = index(partition="email", projection=["age", "_schema"])

    assert spec_of(Projected).table.indexes[0].projection == ("a", "_schema")
    with refused("_schema", "no attribute"):

        @model("unprojected")
        class Unprojected:
            pk: Attr[str] = partition_key()
            by_pk = index(partition="pk", projection=["_schema"])

        del Unprojected


def test_outdated_is_a_condition_on_the_stored_version() -> None:
    """Items without a version are older ones; a model without older schemas has no such condition."""
    placeholders, body = Placeholders(), dict[str, Any]()
    placeholders.into(body, FilterExpression=outdated(Customer).render(placeholders))
    assert body == {
        "FilterExpression": "attribute_not_exists(#n0) OR #n0 < :v0",
        "ExpressionAttributeNames": {"#n0": "_schema"},
        "ExpressionAttributeValues": {":v0": {"N": "3"}},
    }

    @model("new", schema=1)
    class New:
        pk: Attr[str] = partition_key()

    with pytest.raises(UsageError, match="has schema 1, the first"):
        outdated(New)
    with pytest.raises(UsageError, match="no schema version"):
        outdated(Unversioned)


@model("unversioned")
class Unversioned:
    pk: Attr[str] = partition_key()
