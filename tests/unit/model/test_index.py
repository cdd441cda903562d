"""``index()`` declarations are checked, and become the table's indexes with DynamoDB's names and tags."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import Attr, Index, Table, attr, index, model, partition_key, sort_key
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import KeyPart, TableIndex
from tests.unit.model.refusals import refused


def declare(**indexes: Index) -> type:
    """A model with these indexes."""
    body: dict[str, Any] = {
        "org": partition_key(name="pk"),
        "user_id": sort_key(),
        "email": attr(default=None),
        "age": attr(default=0, name="a"),
        "tags": attr(factory=set),
        "active": attr(default=True),
        "joined": attr(default=datetime(2026, 1, 1, tzinfo=UTC)),
        "__module__": __name__,
        "__annotations__": {
            "org": "Attr[str]",
            "user_id": "Attr[str]",
            "email": "Attr[str | None]",
            "age": "Attr[int]",
            "tags": "Attr[set[str]]",
            "active": "Attr[bool]",
            "joined": "Attr[datetime]",
        },
        **indexes,
    }
    return model(table="users")(type("User", (), body))


def indexes_of(cls: type) -> tuple[TableIndex, ...]:
    return spec_of(cls).table.indexes


def test_an_index_has_dynamodb_names() -> None:
    """Python names on the model become stored names and type tags in the table's record."""
    by_age = index(partition="age", sort="joined", projection=["org", "age", "tags"])
    assert indexes_of(declare(by_age=by_age)) == (
        TableIndex("by_age", (KeyPart("a", "N"),), (KeyPart("joined", "S"),), False, ("pk", "a", "tags")),
    )


def test_a_local_index_has_the_table_partition_key() -> None:
    """index(local=True) takes the sort key alone."""
    found = indexes_of(declare(by_age=index(sort="age", local=True, projection="keys_only")))
    assert found == (TableIndex("by_age", (KeyPart("pk", "S"),), (KeyPart("a", "N"),), True, "keys_only"),)


def test_an_index_of_several_attributes() -> None:
    """Multi-attribute keys keep their order."""
    (found,) = indexes_of(declare(by_all=index(partition=("email", "age"), sort=["joined"], name="gsi-1")))
    assert [part.name for part in (*found.partition, *found.sort)] == ["email", "a", "joined"]
    assert found.name == "gsi-1"


def test_an_index_takes_its_name_from_the_class() -> None:
    """The attribute's name is the index's name, and it can be read off the class."""
    cls = declare(by_email=index(partition="email"))
    assert repr(vars(cls)["by_email"]) == "<Index by_email>"


def test_an_index_key_may_be_optional() -> None:
    """An item without the attribute is not in the index: sparse indexes are wanted."""
    assert len(indexes_of(declare(by_email=index(partition="email")))) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (index, ("partition=", "local=True")),
        (lambda: index(sort="age"), ("partition=", "local=True")),
        (lambda: index(local=True), ("local=True", "sort=")),
        (lambda: index(local=True, partition="email", sort="age"), ("local=True", "sort=")),
        (lambda: index(local=True, sort=("age", "joined")), ("local=True", "sort=")),
        (lambda: index(partition="email", projection="some"), ("'some'", "all", "keys_only")),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    ],
)
def test_an_index_of_wrong_parts_is_refused(make: Callable[[], Index], words: tuple[str, ...]) -> None:
    """What index() itself can see is refused where it stands, with what to write."""
    with refused(*words):
        make()


@pytest.mark.parametrize(
    "wrong", [index(partition="nope"), index(partition="email", sort="nope"), index(sort="nope", local=True)]
)
def test_an_unknown_attribute_in_an_index_is_refused(wrong: Index) -> None:
    """The message names class, attribute and index, and lists the attributes that there are."""
    with refused("User", "'nope'", "by_it", "user_id, email, age"):
        declare(by_it=wrong)


def test_a_stored_name_in_an_index_is_refused() -> None:
    """Indexes are declared by Python names: the name in DynamoDB is not one."""
    with refused("User", "'pk'", "by_it", "org"):
        declare(by_it=index(partition="pk"))


def test_an_unknown_attribute_in_a_projection_is_refused() -> None:
    """A projection names attributes of the model."""
    with refused("User", "by_it", "'nope'", "projects"):
        declare(by_it=index(partition="email", projection=["age", "nope"]))


@pytest.mark.parametrize("name", ["tags", "active"])
def test_an_index_key_of_a_wrong_type_is_refused(name: str) -> None:
    """Index keys are text, numbers or bytes, as the table's are."""
    with refused(f"User.{name}", "by_it", "text, numbers or bytes"):
        declare(by_it=index(partition=name))


def test_a_local_index_on_a_table_without_sort_key_is_refused() -> None:
    """A local index is another order within a partition, which a table without sort key does not have."""
    with refused("Item", "no sort key", "by_age", "local"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            age: Attr[int] = attr()

            by_age = index(sort="age", local=True)


def test_six_local_indexes_are_refused() -> None:
    """DynamoDB allows five."""
    local = {f"local{n}": index(sort="age", local=True) for n in range(6)}
    with refused("User", "6 local indexes", "5"):
        declare(**local)


def test_an_attribute_named_twice_in_an_index_is_refused() -> None:
    """A key of one attribute twice is no key."""
    with refused("User", "by_it", "twice"):
        declare(by_it=index(partition="email", sort="email"))


def test_more_than_four_attributes_are_refused() -> None:
    """Multi-attribute keys have up to four parts each."""
    with refused("User", "by_it", "4"):
        declare(by_it=index(partition=("org", "user_id", "email", "age", "joined")))


@pytest.mark.parametrize("name", ["x", "by email", "ü" * 3, "n" * 256])
def test_a_bad_index_name_is_refused(name: str) -> None:
    """The same rule as for tables."""
    with refused("User", name, "3 to 255"):
        declare(by_it=index(partition="email", name=name))


def test_two_indexes_of_one_name_are_refused() -> None:
    """A name stands for one index."""
    with refused("User", "two indexes", "'same'"):
        declare(one=index(partition="email", name="same"), two=index(partition="age", name="same"))


def test_indexes_of_a_shared_table_are_declared_there() -> None:
    """Several models share the table, so its indexes are the table's own."""
    shop = Table("shop", partition_key="pk")
    with refused("Order", "Table('shop')", "indexes"):

        @model(shop)
        class Order:
            pk: Attr[str] = partition_key()

            by_pk = index(partition="pk")


def test_an_inherited_index_is_the_models_own() -> None:
    """Indexes of a mixin belong to every model that has it; a model may put its own in place of one."""

    class Listed:
        by_email = index(partition="email")
        by_age = index(partition="age")

    @model(table="users")
    class User(Listed):
        org: Attr[str] = partition_key()
        email: Attr[str] = attr()
        age: Attr[int] = attr()

        by_age = index(partition="age", sort="email")

    assert {found.name: len(found.sort) for found in indexes_of(User)} == {"by_age": 1, "by_email": 0}
