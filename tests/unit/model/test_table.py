"""``Table``: physical tables are checked, frozen, and fit the models that live in them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from dynamorm_async import GSI, LSI, Attr, Table, attr, index, model, partition_key, sort_key, ttl
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import KeyPart, TableIndex
from tests.unit.model.refusals import refused


@pytest.mark.parametrize("name", ["", "ab", "n" * 256, "my table", "tablé", "table\n", "a/b/c"])
def test_a_bad_table_name_is_refused(name: str) -> None:
    """DynamoDB's rule, told with the rule, before any request; a newline at the end is no loophole."""
    with refused(repr(name), "table", "3 to 255"):
        Table(name, partition_key="pk")


def test_a_bad_table_name_of_a_model_names_the_class() -> None:
    """The same where the model has the table for itself."""
    with refused("Item", "'a'", "3 to 255"):

        @model(table="a")
        class Item:
            item_id: Attr[str] = partition_key()


@pytest.mark.parametrize("name", ["abc", "n" * 255, "my-table_1.x"])
def test_a_good_table_name_is_taken(name: str) -> None:
    """All characters and lengths that DynamoDB allows."""
    assert Table(name, partition_key="pk").name == name


@pytest.mark.parametrize(
    ("indexes", "words"),
    [
        ([GSI("gsi", "a"), GSI("gsi", "b")], ("shop", "two indexes", "'gsi'")),
        ([GSI("g", "a")], ("shop", "'g'", "3 to 255")),
        ([GSI("gsi", ())], ("shop", "gsi", "1 to 4")),
        ([GSI("gsi", ("a", "b", "c", "d", "e"))], ("shop", "gsi", "1 to 4")),
        ([GSI("gsi", "a", ("b", "c", "d", "e", "f"))], ("shop", "gsi", "up to 4")),
        ([GSI("gsi", "a", "a")], ("shop", "gsi", "twice")),
        ([LSI(f"lsi{n}", "a") for n in range(6)], ("shop", "6 local indexes", "5")),
    ],
)
def test_bad_indexes_are_refused(indexes: list[GSI | LSI], words: tuple[str, ...]) -> None:
    """What DynamoDB would refuse is refused at once, with table and index."""
    with refused(*words):
        Table("shop", partition_key="pk", sort_key="sk", indexes=indexes)


def test_a_local_index_without_sort_key_is_refused() -> None:
    """As for models."""
    with refused("shop", "no sort key", "lsi"):
        Table("shop", partition_key="pk", indexes=[LSI("lsi", "a")])


def test_a_table_resolves_its_declarations() -> None:
    """Names become key parts with their type tags; text is the default."""
    shop = Table(
        "shop",
        partition_key="pk",
        sort_key="sk",
        indexes=[GSI("gsi", ("a", "b"), "n"), LSI("lsi", "n", projection="keys_only")],
        types={"n": "N"},
    )
    assert shop.key_parts() == (KeyPart("pk"), KeyPart("sk"))
    assert shop.index("gsi") == TableIndex("gsi", (KeyPart("a"), KeyPart("b")), (KeyPart("n", "N"),))
    assert shop.index("lsi") == TableIndex("lsi", (KeyPart("pk"),), (KeyPart("n", "N"),), True, "keys_only")
    assert shop.index("nope") is None


def change_table() -> None:
    Table("shop", partition_key="pk").name = "other"


def change_index() -> None:
    GSI("gsi", "a").name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # the mistake


def change_part() -> None:
    KeyPart("pk").tag = "N"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # the mistake


@pytest.mark.parametrize("change", [change_table, change_index, change_part])
def test_records_are_frozen(change: Callable[[], None]) -> None:
    """Metadata never changes after the declaration."""
    with pytest.raises(AttributeError):
        change()


def test_the_record_of_a_model_is_frozen() -> None:
    """Neither the record, nor an attribute's, nor the mapping of attributes can be changed."""

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key()

    spec: Any = spec_of(Item)
    with pytest.raises(AttributeError, match="immutable"):
        spec.table = None
    with pytest.raises(AttributeError, match="immutable"):
        spec.key[0].wire = "other"
    with pytest.raises(TypeError):
        spec.attributes["other"] = spec.key[0]


def test_a_models_own_table_has_its_declarations() -> None:
    """Keys, tags, indexes and time to live of a model's own table come from its attributes."""

    @model(table="visits")
    class Visit:
        user: Attr[str] = partition_key(name="u")
        at: Attr[int] = sort_key()
        expires: Attr[datetime | None] = ttl(default=None, name="x")

        by_at = index(partition="at")

    table = spec_of(Visit).table
    assert (table.name, table.partition_key, table.sort_key) == ("visits", KeyPart("u"), KeyPart("at", "N"))
    assert (table.ttl, [found.name for found in table.indexes]) == ("x", ["by_at"])


# --- models in a shared table -----------------------------------------------------------------

SHOP = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi", "n")], ttl="expires", types={"n": "N"})


def test_a_model_that_fits_lives_in_the_table() -> None:
    """The model's record points to the shared table itself."""

    @model(SHOP)
    class Order:
        customer: Attr[str] = partition_key(name="pk")
        order_id: Attr[str] = sort_key(name="sk")
        number: Attr[int] = attr(name="n")
        gone: Attr[int] = ttl(name="expires")

    assert spec_of(Order).table is SHOP


def test_a_wrong_partition_key_is_refused() -> None:
    """The model's key has the table's name; the message has both."""
    with refused("Order", "partition key of table shop", "pk (S)", "customer (S)"):

        @model(SHOP)
        class Order:
            customer: Attr[str] = partition_key()
            sk: Attr[str] = sort_key()


def test_a_key_of_another_tag_is_refused() -> None:
    """The model's key has the table's type."""
    with refused("Order", "sort key of table shop", "sk (S)", "sk (N)"):

        @model(SHOP)
        class Order:
            pk: Attr[str] = partition_key()
            sk: Attr[int] = sort_key()


def test_a_missing_sort_key_is_refused() -> None:
    """A model in a table with a sort key has one."""
    with refused("Order", "sort key of table shop", "sk (S)", "none"):

        @model(SHOP)
        class Order:
            pk: Attr[str] = partition_key()


def test_an_index_attribute_of_another_tag_is_refused() -> None:
    """An attribute that an index of the table needs has the index's type, or DynamoDB refuses the item."""
    with refused("Order", "index gsi", "n as N", "S"):

        @model(SHOP)
        class Order:
            pk: Attr[str] = partition_key()
            sk: Attr[str] = sort_key()
            n: Attr[str] = attr()


def test_another_ttl_is_refused() -> None:
    """A table has one time-to-live attribute, which the model shares."""
    with refused("Order", "ttl", "'gone'", "'expires'"):

        @model(SHOP)
        class Order:
            pk: Attr[str] = partition_key()
            sk: Attr[str] = sort_key()
            gone: Attr[int] = ttl()


def test_a_local_index_has_one_sort_attribute() -> None:
    """Keys of several attributes are for global indexes, and a local one has the table's partition key."""
    for partition, sort in (
        ((KeyPart("pk"),), (KeyPart("a"), KeyPart("b"))),
        ((KeyPart("pk"), KeyPart("a")), (KeyPart("b"),)),
        ((KeyPart("other"),), (KeyPart("b"),)),
    ):
        with refused("shop", "lsi", "pk", "only global indexes"):
            Table("shop", partition_key="pk", sort_key="sk", indexes=[TableIndex("lsi", partition, sort, local=True)])
