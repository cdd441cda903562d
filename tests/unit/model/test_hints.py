"""Annotations: resolved wherever they are written, taken apart, or refused with class, attribute and fix."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, NewType, Optional, TypeAlias
from uuid import UUID

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, attr, embedded, model, partition_key
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused

if TYPE_CHECKING:
    from fractions import Fraction

Cents = NewType("Cents", int)
Price = NewType("Price", Cents)
Level = Literal["low", "high"]
Names: TypeAlias = list[str]
Short = Annotated[str, "at most 8"]


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Mode(StrEnum):
    FAST = "fast"


class Rights(Flag):
    READ = 1
    WRITE = 2


@attrs.define
class Cat:
    name: str


@attrs.define
class Dog:
    name: str
    loud: bool = True


@embedded
class Node:
    label: Attr[str]
    children: Attr[list[Node]] = attr(factory=list)
    parent: Attr[Node | None] = attr(default=None)


@attrs.define
class Branch:
    label: str
    branches: dict[str, Branch] = attrs.Factory(dict[str, Any])


def modelled(tp: Any, **options: Any) -> Any:
    """A model with one attribute of a type."""
    body = {"item_id": partition_key(), "it": attr(**options), "__module__": __name__}
    body["__annotations__"] = {"item_id": Attr[str], "it": Attr[tp]}
    return model(table="items")(type("Item", (), body))


def round_trip(cls: Any, value: object) -> tuple[Any, Any]:
    """What the attribute is stored as, and what is read back by the compiled path."""
    codec = spec_of(cls).codec
    raw = codec.encode(cls(item_id="i1", it=value))
    read: Any = codec.decode_get(msgspec.json.encode({"Item": raw}))
    assert codec.decode(raw) == read
    return raw.get("it"), read.it


@pytest.mark.parametrize(
    ("tp", "value", "stored"),
    [
        (Cents, Cents(3), {"N": "3"}),
        (Price, Price(Cents(3)), {"N": "3"}),
        (Short, "x", {"S": "x"}),
        (Annotated[Cents | None, "x"], None, None),
        (Level, "low", {"S": "low"}),
        (Literal[1, 2], 2, {"N": "2"}),
        (Level | None, "high", {"S": "high"}),
        (Names, ["x"], {"L": [{"S": "x"}]}),
        (list[Short], ["x"], {"L": [{"S": "x"}]}),
        (set[Cents], {Cents(3)}, {"NS": ["3"]}),
        (Optional[int], 3, {"N": "3"}),  # noqa: UP045 - both forms are in use
        (Colour, Colour.RED, {"S": "red"}),
        (Size, Size.SMALL, {"N": "1"}),
        (Mode, Mode.FAST, {"S": "fast"}),
        (Rights, Rights.READ | Rights.WRITE, {"N": "3"}),
        (set[Colour], {Colour.RED}, {"SS": ["red"]}),
        (Cat | Dog, Dog("rex"), {"M": {"_type": {"S": "Dog"}, "name": {"S": "rex"}, "loud": {"BOOL": True}}}),
        (int | str, "x", {"S": "x"}),
        (tuple[int, str], (1, "x"), {"L": [{"N": "1"}, {"S": "x"}]}),
        (dict[str, Any], {"x": 1}, {"M": {"x": {"N": "1"}}}),
        (Any, [1, "x"], {"L": [{"N": "1"}, {"S": "x"}]}),
        (timedelta, timedelta(seconds=1.5), {"N": "1.500000"}),
        (date, date(2026, 1, 2), {"S": "2026-01-02"}),
        (datetime, datetime(2026, 1, 2, tzinfo=UTC), {"S": "2026-01-02T00:00:00.000000Z"}),
        (Decimal, Decimal("1.5"), {"N": "1.5"}),
        (UUID, UUID(int=0), {"S": "00000000-0000-0000-0000-000000000000"}),
        (bytes | None, b"x", {"B": b"x"}),
    ],
    ids=str,
)
def test_types_are_taken_apart(tp: Any, value: object, stored: object) -> None:
    """NewType, Annotated, Literal, aliases, optional and nested forms are stored as what they stand for."""
    assert round_trip(modelled(tp), value) == (stored, value)


@pytest.mark.parametrize("tp", [set[bool], set[list[int]], set[int | None], frozenset[Cat], set[Any]], ids=str)
def test_a_set_of_what_dynamodb_has_no_set_of_is_refused(tp: Any) -> None:
    """Sets are of text, numbers or bytes; the message offers a list or JSON."""
    with refused("Item.it", "sets of str, numbers and bytes", "list", "as_json=True"):
        modelled(tp)


@pytest.mark.parametrize("tp", [complex, range, slice, type], ids=str)
def test_a_type_that_cannot_be_stored_is_refused(tp: Any) -> None:
    """The message names the attribute, and says that hooks would do."""
    with refused("Item.it", tp.__name__, "cannot be stored", "hooks"):
        modelled(tp)


@pytest.mark.parametrize("options", [{"as_json": True}, {"compressed": True}])
def test_what_is_stored_as_text_may_be_a_set_of_anything(options: dict[str, bool]) -> None:
    """JSON carries lists of what DynamoDB has no sets of."""
    cls = modelled(list[bool], **options)
    assert round_trip(cls, [True, False])[1] == [True, False]


# --- names in annotations -----------------------------------------------------------------------


def test_annotations_resolve_to_local_classes() -> None:
    """Inside a function, annotations as text may name the function's own classes, nested ones too."""

    class Kind(Enum):
        A = "a"

    @embedded
    class Inner:
        kind: Attr[Kind]

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key()
        inner: Attr[Inner | None] = attr(default=None)
        kinds: Attr[list[Kind]] = attr(factory=list)

    codec = spec_of(Item).codec
    item = Item(item_id="i1", inner=Inner(kind=Kind.A), kinds=[Kind.A])
    assert codec.decode(codec.encode(item)) == item


def test_annotations_without_future_import_are_types_already() -> None:
    """Both forms of one declaration give the same record."""
    source = (
        "{}\nfrom dynamorm_async import *\n@model(table='items')\nclass Item:\n    a: Attr[int] = partition_key()\n"
    )
    records: list[dict[str, Any]] = []
    for first in ("", "from __future__ import annotations"):
        scope: dict[str, Any] = {"__name__": __name__}
        exec(source.format(first), scope)  # noqa: S102 - the source stands above
        records.append({name: m.shape.type for name, m in spec_of(scope["Item"]).attributes.items()})
    assert records == [{"a": int}, {"a": int}]


def test_a_name_that_is_not_defined_is_refused() -> None:
    """The message has the annotation, the name, and where it is to be defined."""
    with refused("Item.it", "'Attr[Later]'", "'Later'", "before Item"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            it: Attr[Later]  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownVariableType]  # the mistake


def test_a_name_that_only_checkers_import_is_refused() -> None:
    """Models read their annotations at run time, which the message says."""
    with refused("Item.it", "'Fraction'", "run time", "TYPE_CHECKING"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            it: Attr[Fraction]


def test_an_undefined_name_inside_an_attrs_class_is_refused() -> None:
    """The message names the class whose attribute it is."""
    Inner = attrs.make_class("Inner", {"it": attrs.field(type="Nowhere")}, class_body={"__module__": __name__})  # type: ignore[call-overload]  # noqa: N806  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]  # text, as the future import makes it
    with refused("Inner.it", "'Nowhere'", "not defined"):
        modelled(Inner)


def test_an_annotation_that_is_no_type_is_refused() -> None:
    """Text that Python cannot read, or that is no type."""
    for text in ("Attr[int", "Attr[3 4]"):
        body = {"item_id": partition_key(), "it": attr(), "__module__": __name__}
        body["__annotations__"] = {"item_id": "Attr[str]", "it": text}
        with refused("Item.it", text, "no type"):
            model(table="items")(type("Item", (), body))


def test_a_forward_reference_inside_a_type_is_resolved() -> None:
    """Text inside a type that is not text itself."""
    cls = modelled(list["Cat"])
    assert round_trip(cls, [Cat("tom")])[1] == [Cat("tom")]


def test_a_bare_attr_is_refused() -> None:
    """Attr says nothing without its type."""
    with refused("Item.it", "Attr["):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            it: Attr = attr()  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType]  # the mistake


# --- classes inside themselves ------------------------------------------------------------------


def test_an_embedded_class_may_hold_itself() -> None:
    """A tree is stored and read to any depth, and paths go down it."""
    tree = Node(label="a", children=[Node(label="b", children=[Node(label="c")])], parent=Node(label="p"))
    stored, read = round_trip(modelled(Node), tree)
    assert read == tree
    assert stored["M"]["children"]["L"][0]["M"]["children"]["L"][0]["M"]["label"] == {"S": "c"}
    assert (Node.children[0] / Node.label).segments == ("children", 0, "label")
    assert (Node.children[0] / Node.parent / Node.label).segments == ("children", 0, "parent", "label")


def test_an_attrs_class_may_hold_itself() -> None:
    """The same for plain attrs classes."""
    tree = Branch("a", {"x": Branch("b", {"y": Branch("c")})})
    assert round_trip(modelled(Branch), tree)[1] == tree


def test_a_tree_inside_a_function() -> None:
    """A local class may hold itself as well: the decorator knows it by name."""

    @embedded
    class Leaf:
        leaves: Attr[list[Leaf]] = attr(factory=list)

    tree = Leaf(leaves=[Leaf(), Leaf(leaves=[Leaf()])])
    assert round_trip(modelled(Leaf), tree)[1] == tree


def test_a_tree_of_a_wrong_type_is_told_by_path() -> None:
    """What does not fit deep in a tree is told with its path."""
    codec = spec_of(modelled(Node)).codec
    wrong = {"M": {"label": {"S": "a"}, "children": {"L": [{"M": {"label": {"N": "3"}}}]}}}
    with pytest.raises(Exception, match=re.escape("it.children[0].label")):
        codec.decode({"item_id": {"S": "i1"}, "it": wrong})


def test_types_of_the_models_module_are_found_from_elsewhere() -> None:
    """A model's annotations belong to its own module, wherever it is used from."""
    assert spec_of(modelled(Node)).attributes["it"].shape.instance_of is Node


def test_nothing_of_the_models_is_global() -> None:
    """Two models of one name are two models: nothing is registered by name."""
    first, second = modelled(int), modelled(str)
    assert spec_of(first).attributes["it"].shape.type is int
    assert spec_of(second).attributes["it"].shape.type is str
