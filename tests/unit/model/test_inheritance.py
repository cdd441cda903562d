"""Models built from mixins: attrs classes, slotted or not, generic, embedded, and other models."""

# ruff: noqa: RUF009 - attr() and its siblings make fields, in an ordinary attrs class too
from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, attr, created_at, embedded, index, model, partition_key, updated_at
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import RawItem
from tests.unit.model.refusals import refused

T = TypeVar("T")
K = TypeVar("K")


@attrs.define(slots=True)
class Slotted:
    label: Attr[str] = attr(default="x", name="l")
    plain: int = 5
    double: Attr[int] = attr()

    @double.default  # pyright: ignore[reportAttributeAccessIssue, reportUntypedFunctionDecorator, reportUnknownMemberType]  # attrs's decorator
    def _twice(self) -> int:
        return self.plain * 2


@attrs.define(slots=False)
class Unslotted:
    label: Attr[str] = attr(default="x", name="l")
    plain: int = 5
    double: Attr[int] = attr()

    @double.default  # pyright: ignore[reportAttributeAccessIssue, reportUntypedFunctionDecorator, reportUnknownMemberType]  # attrs's decorator
    def _twice(self) -> int:
        return self.plain * 2


@model(table="items")
class FromSlotted(Slotted):
    item_id: Attr[str] = partition_key()


@model(table="items")
class FromUnslotted(Unslotted):
    item_id: Attr[str] = partition_key()


MODELS = [FromSlotted, FromUnslotted]


def read(cls: type[Any], raw: RawItem) -> Any:  # an instance of the class
    """By the compiled path."""
    return spec_of(cls).codec.decode_get(msgspec.json.encode({"Item": raw}))


def read_generally(cls: type[Any], raw: RawItem) -> Any:  # an instance of the class
    """By the general path, as where an item does not fit."""
    return spec_of(cls).codec.decode(raw)


READERS: list[Callable[[type[Any], RawItem], Any]] = [read, read_generally]


@pytest.mark.parametrize("cls", MODELS)
def test_attributes_of_a_mixin_are_the_models_own(cls: Any) -> None:
    """With Attr or plain, they build conditions on the model, and are stored under their names."""
    assert repr(cls.label) == f"<Attr {cls.__name__}.label>"
    assert repr(cls.plain) == f"<Attr {cls.__name__}.plain>"
    assert {name: member.wire for name, member in spec_of(cls).attributes.items()} == {
        "label": "l",
        "plain": "plain",
        "double": "double",
        "item_id": "item_id",
    }


@pytest.mark.parametrize("cls", MODELS)
def test_the_constructor_takes_a_mixins_attributes(cls: Any) -> None:
    """Defaults of all kinds, decorated ones included, are those of attrs."""
    item = cls(item_id="i1", plain=4)
    assert (item.label, item.plain, item.double) == ("x", 4, 8)
    item.plain, item.label = 6, "y"
    assert (item.label, item.plain) == ("y", 6)


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("reader", READERS)
def test_items_with_a_mixins_attributes_are_read(cls: Any, reader: Callable[[Any, RawItem], Any]) -> None:
    """Both paths give the same; absent attributes get their defaults, also those made from the instance."""
    item = reader(cls, {"item_id": {"S": "i1"}, "plain": {"N": "7"}})
    assert item == cls(item_id="i1", plain=7)
    assert item.double == 14
    assert copy.copy(item) == item
    assert spec_of(cls).codec.encode(item)["double"] == {"N": "14"}


@pytest.mark.parametrize("reader", READERS)
def test_fields_outside_the_constructor(reader: Callable[[Any, RawItem], Any]) -> None:
    """init=False fields of a mixin get their defaults on every instance, are not stored, and are copied."""

    @attrs.define(slots=False)
    class Counted:
        seen: int = attrs.field(init=False, default=7)
        marks: list[int] = attrs.field(init=False, factory=list[int])

    @model(table="items")
    class Item(Counted):
        item_id: Attr[str] = partition_key()

    item = reader(Item, {"item_id": {"S": "i1"}})
    item.marks.append(3)
    assert (item.seen, item.marks) == (7, [3])
    assert copy.copy(item).marks == [3]
    assert spec_of(Item).codec.encode(item) == {"item_id": {"S": "i1"}}


def test_a_slotted_field_outside_the_constructor_is_refused() -> None:
    """Read instances are made through their __dict__, which does not reach a slot."""

    @attrs.define
    class Counted:
        seen: int = attrs.field(init=False, default=7)

    with refused("Item.seen", "Counted", "slot", "@attrs.define(slots=False)"):

        @model(table="items")
        class Item(Counted):
            item_id: Attr[str] = partition_key()


@pytest.mark.parametrize("reader", READERS)
def test_post_init_runs_on_read_instances(reader: Callable[[Any, RawItem], Any]) -> None:
    """__attrs_post_init__ of a mixin runs after all attributes are there."""

    @attrs.define(slots=False)
    class Derived:
        plain: int = 5
        tripled: int = attrs.field(init=False, default=0)

        def __attrs_post_init__(self) -> None:
            self.tripled = self.plain * 3

    @model(table="items")
    class Item(Derived):
        item_id: Attr[str] = partition_key()

    assert Item(item_id="i1").tripled == 15
    assert reader(Item, {"item_id": {"S": "i1"}, "plain": {"N": "2"}}).tripled == 6


def test_lifecycle_attributes_of_a_mixin() -> None:
    """A mixin may bring the times; the model's record knows them."""

    @attrs.define
    class Stamped:
        created: Attr[datetime] = created_at()
        changed: Attr[datetime] = updated_at()

    @model(table="items")
    class Item(Stamped):
        item_id: Attr[str] = partition_key()

    spec = spec_of(Item)
    assert spec.created_at is spec.attributes["created"]
    assert spec.updated_at is spec.attributes["changed"]


def test_an_undecorated_mixin_is_refused() -> None:
    """attrs would silently leave its attributes out; the message names base, attributes and decorators."""

    class Labelled:
        label: Attr[str] = attr(default="x")
        other: Attr[int]

    with refused("Item", "Labelled", "label, other", "@embedded", "@attrs.define(slots=False)"):

        @model(table="items")
        class Item(Labelled):
            item_id: Attr[str] = partition_key()


def test_a_base_without_attributes_needs_no_decorator() -> None:
    """Bases with methods, or with annotations that are not Attr, are left alone."""

    class Helper:
        cache: dict[str, int]

        def shout(self) -> str:
            return repr(self).upper()

    @model(table="items")
    class Item(Helper):
        item_id: Attr[str] = partition_key()

    assert Item(item_id="i1").shout() == "ITEM(ITEM_ID='I1')"
    assert list(spec_of(Item).attributes) == ["item_id"]


def test_an_embedded_class_can_be_a_mixin() -> None:
    """Then checkers know its attributes as constructor arguments as well; it stays an embedded class itself."""

    @embedded
    class Named:
        name: Attr[str]

    @model(table="items")
    class Item(Named):
        item_id: Attr[str] = partition_key()
        inner: Attr[Named | None] = attr(default=None)

    item = Item(item_id="i1", name="n", inner=Named(name="m"))
    assert spec_of(Item).codec.decode(spec_of(Item).codec.encode(item)) == item
    assert (Item.name.segments, Named.name.segments) == (("name",), ("name",))
    assert (Item.inner / Named.name).segments == ("inner", "name")


def test_a_slotted_mixin_of_an_embedded_class_is_copied_whole() -> None:
    """The way that attrs copies slotted classes knows their own attributes only; it must not be inherited."""

    @attrs.define
    class Marked:
        mark: str = "m"

    @embedded
    class Part(Marked):
        size: Attr[int]

    assert copy.copy(Part(size=3, mark="x")) == Part(size=3, mark="x")  # type: ignore[call-arg]  # mypy sees attrs mixins' attributes, but not as arguments


def test_a_model_that_inherits_a_model_is_one_of_its_own() -> None:
    """It has the attributes and indexes of both and its own table; the first stays what it was."""

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key()
        label: Attr[str | None] = attr(default=None)

        by_label = index(partition="label")

    @model(table="boxes")
    class Box(Item):
        size: Attr[int] = attr(default=1)

    assert (spec_of(Box).table.name, list(spec_of(Box).attributes)) == ("boxes", ["item_id", "label", "size"])
    assert [found.name for found in spec_of(Box).table.indexes] == ["by_label"]
    assert (spec_of(Item).table.name, list(spec_of(Item).attributes)) == ("items", ["item_id", "label"])
    assert (Box.label.owner, Item.label.owner) == (Box, Item)
    assert copy.copy(Box(item_id="b", size=2)) == Box(item_id="b", size=2)
    assert read(Box, {"item_id": {"S": "b"}}) == Box(item_id="b")


# --- generic classes ----------------------------------------------------------------------------


@attrs.define(slots=False)
class Owned(Generic[T]):
    owner: Attr[T | None] = attr(default=None)
    others: Attr[list[T]] = attr(factory=list)


@attrs.define(slots=False)
class Keyed(Owned[K], Generic[K]):
    keys: Attr[dict[str, K]] = attr(factory=dict)


@attrs.define
class Box(Generic[T]):
    content: T


def types_of(cls: type[Any]) -> dict[str, Any]:
    return {name: member.shape.type for name, member in spec_of(cls).attributes.items()}


def test_a_generic_mixin_is_bound_by_inheritance() -> None:
    """Also through another generic class with another variable."""

    @model(table="items")
    class Item(Keyed[int]):
        item_id: Attr[str] = partition_key()

    assert types_of(Item) == {
        "owner": int | None,
        "others": list[int],
        "keys": dict[str, int],
        "item_id": str,
    }


def test_an_unbound_type_variable_is_refused() -> None:
    """The message shows where to write the type."""
    with refused("Item.owner", "~T", "not bound", "class Item(Owned[str])"):

        @model(table="items")
        class Item(Owned):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]  # the mistake
            item_id: Attr[str] = partition_key()


@pytest.mark.parametrize("decorate", [model(table="items"), embedded])
def test_a_generic_model_is_refused(decorate: Callable[[type[Any]], type[Any]]) -> None:
    """A model is one table's: generic is what it is made from."""
    with refused("Part is generic", "@attrs.define(slots=False)", "Part[str]"):

        @decorate
        class Part(Generic[T]):
            what: Attr[T] = partition_key()


def test_parametrised_generic_classes_are_attributes() -> None:
    """Two parameters of one class are two layouts, which do not mix."""

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key()
        number: Attr[Box[int]]
        texts: Attr[list[Box[str]]] = attr(factory=list)

    codec = spec_of(Item).codec
    item = Item(item_id="i1", number=Box(3), texts=[Box("x")])
    raw = codec.encode(item)
    assert raw["number"] == {"M": {"content": {"N": "3"}}}
    assert raw["texts"] == {"L": [{"M": {"content": {"S": "x"}}}]}
    assert read(Item, raw) == item
    assert read_generally(Item, raw) == item


def test_an_unparametrised_generic_class_is_refused() -> None:
    """Without its parameter nobody knows how the content is stored."""
    with refused("Item.box", "~T", "not bound", "Attr[Box[str]]"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            box: Attr[Box]  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType]  # the mistake

    with refused("Box.content", "~T", "not bound", "Attr[Box[str]]"):

        @model(table="items")
        class Items:
            item_id: Attr[str] = partition_key()
            boxes: Attr[list[Box]]  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType]  # the mistake
