"""Names, roles, key types and defaults are checked when a class is declared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import attrs
import pytest

from dynamorm_async import Attr, attr, created_at, embedded, index, model, partition_key, sort_key, ttl, version
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Mixed(Enum):
    NUMBER = 1
    TEXT = "x"


@attrs.define
class Note:
    text: str = ""


# --- names in DynamoDB ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "n" * 256, "ü" * 128])
def test_a_name_of_a_wrong_length_is_refused(name: str) -> None:
    """A name has 1 to 255 bytes, not characters; an empty one does not silently become the Python name."""
    with refused("Item.label", "1 to 255 bytes"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            label: Attr[str] = attr(name=name)


@pytest.mark.parametrize("name", ["_dynamorm_x", "_dynamorm", "_type"])
def test_a_reserved_name_is_refused(name: str) -> None:
    """Names that the library itself writes cannot be attributes, and the message says how to rename."""
    with refused("Item.label", name, "reserved", "name="):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            label: Attr[str] = attr(name=name)


def test_a_reserved_python_name_is_refused() -> None:
    """The same holds where the name comes from the attribute itself, in embedded classes too."""
    with refused("Part._type", "reserved", "name="):

        @embedded
        class Part:
            _type: Attr[str]


def test_a_duplicate_name_is_refused() -> None:
    """Two attributes under one name would overwrite each other; both are named."""
    with refused("Item.label", "Item.title", "'title'", "name="):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            title: Attr[str] = attr()
            label: Attr[str] = attr(name="title")


def test_the_longest_name_is_taken() -> None:
    """255 bytes are allowed, and stand in the record of the model."""

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key(name="n" * 255)

    assert spec_of(Item).table.partition_key.name == "n" * 255


# --- roles ------------------------------------------------------------------------------------


def test_a_model_without_key_is_refused() -> None:
    """There is no item without a partition key."""
    with refused("Item", "no partition key", "partition_key()"):

        @model(table="items")
        class Item:
            label: Attr[str] = attr()


def test_a_sort_key_alone_is_refused() -> None:
    """A sort key does not stand for the partition key."""
    with refused("Item", "no partition key", "partition_key()"):

        @model(table="items")
        class Item:
            label: Attr[str] = sort_key()


@pytest.mark.parametrize(
    ("role", "make", "annotation"),
    [
        ("partition_key", partition_key, "Attr[str]"),
        ("sort_key", sort_key, "Attr[str]"),
        ("version", version, "Attr[int]"),
        ("created_at", created_at, "Attr[datetime]"),
        ("ttl", ttl, "Attr[int]"),
    ],
)
def test_two_attributes_of_one_role_are_refused(role: str, make: Callable[[], Any], annotation: str) -> None:
    """DynamoDB, and the lifecycle, know one of each; both attributes are named."""
    names = ("zero",) if role == "partition_key" else ("key", "zero")
    body: dict[str, Any] = {name: partition_key() for name in names if name == "key"}
    body |= {"zero": make(), "one": make(), "__module__": __name__}
    body["__annotations__"] = {"key": "Attr[str]"} if "key" in names else {}
    body["__annotations__"] |= {"zero": annotation, "one": annotation}
    with refused("Item", f"two {role}()", "zero", "one"):
        model(table="items")(type("Item", (), body))


@pytest.mark.parametrize(("role", "make"), [("version", version), ("created_at", created_at)])
def test_a_role_of_another_type_is_refused(role: str, make: Callable[[], Any]) -> None:
    """The version is an int, the times are datetimes."""
    with refused("Item.moment", f"{role}()", "Attr["):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            moment: Attr[str] = make()


def test_a_ttl_of_another_type_is_refused() -> None:
    """Time to live is epoch seconds: a datetime or an int."""
    with refused("Item.expires", "ttl()", "Attr[datetime]", "Attr[int]"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            expires: Attr[str] = ttl()


@pytest.mark.parametrize("make", [partition_key, sort_key, version, created_at, ttl])
def test_an_embedded_class_has_no_roles(make: Callable[[], Any]) -> None:
    """Keys, version and times belong to items, not to maps inside them."""
    with refused("Part.what", "embedded", "model"):

        @embedded
        class Part:
            what: Attr[datetime] = make()


# --- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tp", [bool, list[str], set[str], dict[str, str], str | int, Any, Note, Mixed])
@pytest.mark.parametrize("make", [partition_key, sort_key])
def test_a_key_of_a_type_that_cannot_be_a_key_is_refused(tp: Any, make: Callable[[], Any]) -> None:
    """Keys are text, numbers or bytes; what is stored in another way is refused with the attribute's name."""
    body = {"what": make(), "__annotations__": {"what": Attr[tp]}, "__module__": __name__}
    if make is sort_key:
        body["key"] = partition_key()
        body["__annotations__"] = {"key": Attr[str], "what": Attr[tp]}
    with refused("Item.what", "key", "text, numbers or bytes"):
        model(table="items")(type("Item", (), body))


@pytest.mark.parametrize(
    ("tp", "tag"),
    [
        (str, "S"),
        (int, "N"),
        (Decimal, "N"),
        (bytes, "B"),
        (UUID, "S"),
        (datetime, "S"),
        (Colour, "S"),
        (Level, "N"),
    ],
)
def test_types_that_are_stored_as_text_number_or_bytes_are_keys(tp: Any, tag: str) -> None:
    """The table's key has the type tag that the attribute is stored under."""
    body = {"what": partition_key(), "__annotations__": {"what": Attr[tp]}, "__module__": __name__}
    item: type[Any] = model(table="items")(type("Item", (), body))
    assert spec_of(item).table.partition_key.tag == tag


@pytest.mark.parametrize("make", [partition_key, sort_key])
def test_an_optional_key_is_refused(make: Callable[[], Any]) -> None:
    """There is no item without its key, so a key's type does not admit None."""
    with refused("Item.what", "key", "cannot be None", "| None"):

        @model(table="items")
        class Item:
            what: Attr[str | None] = make()
            other: Attr[str] = partition_key() if make is sort_key else attr()


# --- defaults ---------------------------------------------------------------------------------


def test_a_default_of_another_type_is_refused() -> None:
    """What could not be stored later is refused now."""
    with refused("Item.age", "default", "'x'", "int"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            age: Attr[int] = attr(default="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake


def test_a_default_that_dynamodb_cannot_hold_is_refused() -> None:
    """A right type is not enough: NaN has no form in DynamoDB."""
    with refused("Item.score", "default", "nan"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            score: Attr[float] = attr(default=float("nan"))


@pytest.mark.parametrize(
    ("tp", "default"),
    [
        (list[str], list[str]()),
        (dict[str, str], dict[str, str]()),
        (set[str], set[str]()),
        (Note, Note()),
        (bytes, bytearray()),
    ],
)
def test_a_mutable_default_is_refused(tp: Any, default: object) -> None:
    """One object would be shared by all instances; the message says factory=. Attrs classes are meant as well."""
    body = {"key": partition_key(), "what": attr(default=default), "__module__": __name__}
    body["__annotations__"] = {"key": Attr[str], "what": Attr[tp]}
    with refused("Item.what", "shared by all instances", "factory="):
        model(table="items")(type("Item", (), body))


def test_default_none_on_a_type_without_none_is_refused() -> None:
    """The type has to say that the attribute may be None."""
    with refused("Item.age", "default=None", "| None"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            age: Attr[int] = attr(default=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake


@pytest.mark.parametrize("make", [attr, partition_key, sort_key, ttl])
def test_default_and_factory_exclude_each_other(make: Callable[..., Any]) -> None:
    """Only one of them can say what the default is."""
    with refused("default=", "factory=", "exclude each other"):
        make(default="x", factory=str)


def test_json_and_compressed_exclude_each_other() -> None:
    """Compressed values are JSON text already."""
    with refused("as_json", "compressed", "exclude each other"):
        attr(as_json=True, compressed=True)


def test_an_empty_default_of_a_key_is_refused() -> None:
    """DynamoDB has no empty keys: the default of a table's key would fail with every write."""
    with refused("Item.item_id", "empty", "partition key", "default"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key(default="")


def test_an_empty_default_of_an_index_key_is_refused() -> None:
    """The same for an index, where None leaves the item out of the index: the message says so."""
    with refused("Item.email", "empty", "by_email", "| None", "default=None"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            email: Attr[str] = attr(default="")

            by_email = index(partition="email")
