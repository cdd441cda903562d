"""``@model`` and ``@embedded``: what becomes of a class, and which declarations are refused as a whole."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import attrs
import cattrs
import pytest

from dynamorm_async import (
    Attr,
    InvalidExpression,
    UsageError,
    attr,
    embedded,
    make_converter,
    model,
    partition_key,
    version,
)
from dynamorm_async.model.spec import spec_of, spec_of_instance
from tests.unit.model.refusals import refused


@embedded
class Address:
    city: Attr[str]
    lines: Attr[list[str]] = attr(factory=list)


@embedded
class Other:
    city: Attr[str]


@model(table="users")
class User:
    KINDS: ClassVar[tuple[str, ...]] = ("a", "b")

    user_id: Attr[str] = partition_key(name="id")
    age: Attr[int] = attr(default=0)
    address: Attr[Address | None] = attr(default=None)
    revision: Attr[int] = version()
    seen: int = attrs.field(init=False, default=7)


def test_a_model_is_an_attrs_class() -> None:
    """Constructor with keywords only, equality and repr are those of attrs."""
    user = User(user_id="u1", age=3)
    assert repr(user) == "User(user_id='u1', age=3, address=None, revision=0, seen=7)"
    assert user == User(user_id="u1", age=3)
    assert user != User(user_id="u1", age=4)
    assert [field.name for field in attrs.fields(User)] == ["user_id", "age", "address", "revision", "seen"]  # type: ignore[arg-type]  # mypy knows no decorator but attrs's own


def test_positional_arguments_are_refused() -> None:
    """Models grow, so that the order of their attributes cannot be part of their interface."""
    with pytest.raises(TypeError):
        User("u1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the mistake


def test_class_attributes_build_paths_and_instances_hold_values() -> None:
    """User.age is an Attr with the name in DynamoDB; user.age is the value itself."""
    assert User.user_id.segments == ("id",)
    assert repr(User.age) == "<Attr User.age>"
    assert User(user_id="u1", age=3).age == 3


def test_paths_into_embedded_classes() -> None:
    """A path goes through classes, lists and maps, with names as stored."""
    assert (User.address / Address.lines)[0].segments == ("address", "lines", 0)
    assert User.address["city"].segments == ("address", "city")


def test_a_path_through_the_wrong_class_is_refused() -> None:
    """What checkers cannot see is refused where the path is built: another class, or none at all."""
    with pytest.raises(InvalidExpression, match=r"User.address.*holds Address.*Other.city"):
        takes(User.address / Other.city)
    with pytest.raises(InvalidExpression, match=r"User.age.*holds no embedded class.*Address.city"):
        takes(User.age / Address.city)


def takes(value: object) -> None:
    """Uses an expression that stands for itself."""
    assert value is not None


def test_class_variables_are_no_attributes() -> None:
    """ClassVar stays what it is, and is not stored."""
    assert User.KINDS == ("a", "b")
    assert "KINDS" not in spec_of(User).attributes


def test_fields_outside_the_constructor_are_not_stored() -> None:
    """init=False fields are plain: the table knows nothing of them."""
    assert User(user_id="u1").seen == 7
    assert "seen" not in spec_of(User).attributes


def test_a_plain_annotation_is_refused() -> None:
    """Without Attr, checkers would take User.age for an int; the message has the line to write."""
    with refused("Item.age", "age: Attr[int]", "conditions"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            age: int = 0


def test_a_plain_annotation_of_an_embedded_class_is_refused() -> None:
    """The same for embedded classes."""
    with refused("Part.size", "size: Attr[int]"):

        @embedded
        class Part:
            size: int


def test_an_attribute_without_annotation_is_refused() -> None:
    """attrs's own complaint, with the class."""
    with refused("Item", "label"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            label = attr()  # pyright: ignore[reportGeneralTypeIssues]  # the mistake


def test_a_bare_model_is_refused() -> None:
    """@model needs its table, and says how to give it."""
    with refused("@model", "table", '@model(table="users")'):

        @model  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportUntypedClassDecorator]  # the mistake
        class Item:
            item_id: Attr[str] = partition_key()


def test_a_converter_of_cattrs_itself_is_refused() -> None:
    """A plain converter knows nothing of DynamoDB's types; the message says where to get one that does."""
    with refused("converter=", "make_converter()", "hooks"):

        @model(table="items", converter=cattrs.Converter())
        class Item:
            item_id: Attr[str] = partition_key()


def test_a_converter_with_hooks_is_taken() -> None:
    """A type of the user's own is stored by its hooks."""
    converter = make_converter()
    converter.register_unstructure_hook(logging.Logger, lambda logger: logger.name)
    converter.register_structure_hook(logging.Logger, lambda name, _: logging.getLogger(name))

    @model(table="items", converter=converter)
    class Item:
        item_id: Attr[str] = partition_key()
        logger: Attr[logging.Logger]

    codec = spec_of(Item).codec
    raw = codec.encode(Item(item_id="i", logger=logging.getLogger("there")))
    assert raw == {"item_id": {"S": "i"}, "logger": {"S": "there"}}
    assert codec.decode(raw).logger is logging.getLogger("there")


def test_what_is_no_model_has_no_record() -> None:
    """The message says what to decorate; a class is no instance."""
    with pytest.raises(UsageError, match=r"Address.*not a model.*@model\(table="):
        spec_of(Address)
    with pytest.raises(UsageError, match=r"Address.*not a model"):
        spec_of_instance(Address(city="Paris"))
    with pytest.raises(UsageError, match=r"instance of a model.*class User"):
        spec_of_instance(User)


# --- Attr as a descriptor -----------------------------------------------------------------------


def test_attr_is_a_non_data_descriptor() -> None:
    """Instances are read at the speed of C: Python finds the instance's own value before it asks Attr."""
    assert hasattr(Attr, "__get__")
    assert not hasattr(Attr, "__set__")
    assert not hasattr(Attr, "__delete__")


def test_reading_an_instance_does_not_call_the_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, observed."""
    user = User(user_id="u1", age=3)

    def fail(*_: Any) -> Any:  # stands for __get__
        raise AssertionError("__get__ was called")

    monkeypatch.setattr(Attr, "__get__", fail)
    assert user.age == 3


def test_a_deleted_attribute_is_missing() -> None:
    """An instance without a value says so; it does not hand out the class's Attr."""
    user = User(user_id="u1", age=3)
    del user.age
    with pytest.raises(AttributeError, match=r"User has no value for age"):
        takes(user.age)
    assert not hasattr(user, "age")
