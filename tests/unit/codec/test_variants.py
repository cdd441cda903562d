"""Values of families: stored with their type, read back as their own class, never with loss."""

from __future__ import annotations

# The two paths are compared apart, which no public function does.
# pyright: reportPrivateUsage=false
import copy
import dataclasses
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import attrs
import msgspec
import pytest
from cattrs.errors import BaseValidationError

from dynamorm_async import Attr, DecodeError, InvalidExpression, InvalidValue, attr, embedded, make_converter, model
from dynamorm_async import partition_key as key
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused


@embedded(type="shape")
class Shape:
    name: Attr[str] = attr(default="", name="n")


@embedded(type="circle")
class Circle(Shape):
    radius: Attr[int] = attr(name="r")


@embedded(type="polygon")
class Polygon(Shape):
    sides: Attr[int]


@embedded(type="square")
class Square(Polygon):
    sides: Attr[int] = attr(default=4)
    width: Attr[int] = attr(default=1)


@embedded(type="group")
class Group(Shape):
    parts: Attr[list[Shape]] = attr(factory=list)


@embedded
class Animal(ABC):
    name: Attr[str]

    @abstractmethod
    def sound(self) -> str: ...


@embedded(type="dog")
class Dog(Animal):
    def sound(self) -> str:
        return "woof"


@embedded
class Frame:
    shape: Attr[Shape]


@attrs.define
class Plain:
    size: int
    shape: Shape | None = None


@attrs.define
class Longer(Plain):
    length: int = 0


class Same(Plain):
    """It has no attributes of its own."""


@dataclasses.dataclass
class Data:
    size: int


@dataclasses.dataclass
class LongerData(Data):
    length: int = 0


@model(table="drawings")
class Drawing:
    drawing_id: Attr[str] = key()
    shape: Attr[Shape | None] = attr(default=None)
    shapes: Attr[list[Shape]] = attr(factory=list)
    tuples: Attr[tuple[Shape, ...]] = attr(default=())
    named: Attr[dict[str, Shape]] = attr(factory=dict)
    numbered: Attr[dict[int, Shape | None]] = attr(factory=dict)
    frame: Attr[Frame | None] = attr(default=None)
    either: Attr[Circle | Plain | None] = attr(default=None)
    mixed: Attr[Shape | dict[str, int] | None] = attr(default=None)
    polygon: Attr[Polygon | None] = attr(default=None)
    animal: Attr[Animal | None] = attr(default=None)
    text: Attr[Shape | None] = attr(default=None, as_json=True)
    texts: Attr[list[Shape]] = attr(factory=list, as_json=True)
    small: Attr[dict[str, Circle | Plain]] = attr(factory=dict, compressed=True)
    plain: Attr[Plain | None] = attr(default=None)
    plains: Attr[list[Plain]] = attr(factory=list)
    json_plain: Attr[Plain | None] = attr(default=None, as_json=True)
    json_pair: Attr[list[Frame | Plain]] = attr(factory=list, as_json=True)
    data: Attr[Data | None] = attr(default=None)
    json_data: Attr[list[Data]] = attr(factory=list, as_json=True)
    data_union: Attr[Data | LongerData | None] = attr(default=None)


CODEC = spec_of(Drawing).codec
CIRCLE, SQUARE, GROUP = Circle(name="c", radius=2), Square(), Group(parts=[Circle(radius=1), Group(parts=[Shape()])])
VALUES: list[dict[str, Any]] = [
    {"shape": CIRCLE}, {"shape": Shape(name="s")}, {"shape": GROUP}, {"shapes": [CIRCLE, SQUARE, Shape(), GROUP]}, {"tuples": (SQUARE, CIRCLE)},
    {"named": {"a": CIRCLE, "b": Shape()}}, {"numbered": {1: SQUARE, 2: None}}, {"frame": Frame(shape=GROUP)}, {"either": CIRCLE}, {"either": Plain(1)},
    {"either": Plain(1, CIRCLE)}, {"mixed": SQUARE}, {"mixed": {"a": 1}}, {"mixed": Shape()}, {"polygon": SQUARE}, {"polygon": Polygon(sides=3)},
    {"animal": Dog(name="Rex")}, {"text": CIRCLE}, {"text": GROUP}, {"texts": [SQUARE, Shape()]}, {"small": {"a": CIRCLE, "b": Plain(2, SQUARE)}},
    {"plain": Plain(1, SQUARE)}, {"json_plain": Plain(1, CIRCLE)}, {"json_pair": [Frame(shape=CIRCLE), Plain(3)]}, {"data": Data(1)},
    {"json_data": [Data(1)]}, {"data_union": Data(1)}, {"data_union": LongerData(1, 2)},
]  # fmt: skip
READERS: list[Callable[[Any], Any]] = [
    lambda raw: CODEC.decode_get(msgspec.json.encode({"Item": raw})),
    lambda raw: CODEC._lift(CODEC._get.decode(msgspec.json.encode({"Item": raw})).Item),
    CODEC.decode,
]


def stored(**attributes: Any) -> dict[str, Any]:
    return {"drawing_id": {"S": "d"}, **attributes}


@pytest.mark.parametrize("values", VALUES, ids=repr)
@pytest.mark.parametrize("read", READERS)
def test_every_value_is_read_back_as_its_own_class(read: Callable[[Any], Any], values: dict[str, Any]) -> None:
    """As attribute, element, entry, optional, inside other classes, in unions, as JSON and compressed; by both paths alike."""
    drawing = Drawing(drawing_id="d", **values)
    item = CODEC.encode(drawing)
    assert read(msgspec.json.decode(msgspec.json.encode(item))) == drawing
    by_cattrs = CODEC._builder.generic.encode(CODEC.layout, drawing)
    assert by_cattrs == item


@pytest.mark.parametrize("values", VALUES, ids=repr)
def test_an_attribute_alone_is_stored_and_read_alike(values: dict[str, Any]) -> None:
    """What conditions, changes and selected attributes use gives the same."""
    for name, value in values.items():
        shape = spec_of(Drawing).attributes[name].shape
        encoded = shape.encode(value)
        assert encoded == CODEC.encode_member(spec_of(Drawing).attributes[name], value)
        assert shape.decode(msgspec.json.decode(msgspec.json.encode(encoded))) == value


def test_what_is_stored() -> None:
    """The class's own attributes under their stored names, and its type under _type."""
    circle = {"M": {"_type": {"S": "circle"}, "n": {"S": "c"}, "r": {"N": "2"}}}
    square = {"M": {"_type": {"S": "square"}, "n": {"S": ""}, "sides": {"N": "4"}, "width": {"N": "1"}}}
    drawing = Drawing(drawing_id="d", shape=CIRCLE, shapes=[SQUARE], text=CIRCLE, either=Plain(1))
    assert CODEC.encode(drawing) == stored(
        shape=circle,
        shapes={"L": [square]},
        tuples={"L": []},
        named={"M": {}},
        numbered={"M": {}},
        either={"M": {"_type": {"S": "Plain"}, "size": {"N": "1"}}},
        text={"S": '{"name":"c","radius":2,"_type":"circle"}'},
        texts={"S": "[]"},
        small=CODEC.encode(drawing)["small"],
        plains={"L": []},
        json_pair={"S": "[]"},
        json_data={"S": "[]"},
    )


@pytest.mark.parametrize("read", READERS)
def test_a_map_without_a_type_is_of_the_attributes_class(read: Callable[[Any], Any]) -> None:
    """As it was stored before the family was."""
    old: dict[str, Any] = {"M": {"n": {"S": "x"}, "r": {"N": "2"}}}
    found = read(
        stored(shape=old, shapes={"L": [old]}, polygon={"M": {"sides": {"N": "3"}}}, text={"S": '{"name":"t"}'})
    )
    assert (found.shape, found.shapes) == (Shape(name="x"), [Shape(name="x")])
    assert (found.polygon, found.text) == (Polygon(sides=3), Shape(name="t"))


@pytest.mark.parametrize("read", READERS)
def test_unknown_attributes_of_a_variant_are_passed_over(read: Callable[[Any], Any]) -> None:
    """As of any class: also those that are of no type which DynamoDB has."""
    circle: dict[str, Any] = {"_type": {"S": "circle"}, "r": {"N": "1"}, "sides": {"S": "many"}, "odd": {"X": 1}}
    assert read(stored(shape={"M": circle})).shape == Circle(radius=1)


KNOWN = "circle, group, polygon, shape, square"
UNKNOWN_TYPES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"shape": {"M": {"_type": {"S": "oval"}}}}, "shape._type", [f"expected one of {KNOWN}", "'oval'"]),
    ({"shapes": {"L": [{"M": {}}, {"M": {"_type": {"S": "Circle"}}}]}}, "shapes[1]._type", [KNOWN, "'Circle'"]),
    ({"named": {"M": {"a": {"M": {"_type": {"N": "1"}}}}}}, "named.a._type", ["text", "{'N': '1'}"]),
    ({"named": {"M": {"a": {"M": {"_type": {"S": []}}}}}}, "named.a._type", ["text"]),
    ({"numbered": {"M": {"1": {"M": {"_type": {"S": "oval"}}}}}}, "numbered.1._type", [KNOWN]),
    ({"numbered": {"M": {"1": {"M": {"_type": {"L": []}}}}}}, "numbered.1._type", [KNOWN, "[]"]),
    (
        {"polygon": {"M": {"_type": {"S": "circle"}, "r": {"N": "1"}}}},
        "polygon._type",
        ["one of polygon, square", "'circle'"],
    ),
    ({"animal": {"M": {"name": {"S": "Rex"}}}}, "animal._type", ["missing", "Animal is abstract", "one of dog"]),
    ({"shape": {"M": {"_type": {"S": "circle"}}}}, "shape.r", ["missing"]),
    ({"frame": {"M": {"shape": {"M": {"_type": {"S": "oval"}}}}}}, "frame.shape._type", [KNOWN]),
    ({"either": {"M": {"_type": {"S": "Circle"}, "r": {"N": "1"}}}}, "either._type", ["Plain, circle", "'Circle'"]),
    ({"either": {"M": {"_type": {"S": "square"}}}}, "either._type", ["Plain, circle", "'square'"]),
    ({"mixed": {"M": {"_type": {"S": "oval"}}}}, "mixed._type", [KNOWN, "'oval'"]),
    ({"text": {"S": '{"_type":"oval"}'}}, "text._type", [KNOWN, "'oval'"]),
    ({"text": {"S": '{"_type":5}'}}, "text._type", ["text", "5"]),
    ({"texts": {"S": '[{"_type":"circle","radius":"2"}]'}}, "texts[0].radius", ["int", "'2'"]),
]


@pytest.mark.parametrize(
    ("attributes", "path", "words"),
    UNKNOWN_TYPES,
)
def test_a_type_that_is_not_known_here(attributes: dict[str, Any], path: str, words: list[str]) -> None:
    """DecodeError names the path and the types that are known; the compiled path never reads it as something else."""
    for read in (READERS[0], READERS[2]):
        with pytest.raises(DecodeError) as caught:
            read(stored(**attributes))
        assert [problem.path for problem in caught.value.problems] == [path]
        assert all(word in str(caught.value) for word in words), str(caught.value)
    with pytest.raises((msgspec.ValidationError, ValueError, DecodeError, BaseValidationError)):
        READERS[1](stored(**attributes))


@attrs.define(slots=False)
class Undeclared(Circle):
    colour: str = "red"


class Renamed(Circle):
    """It has no attributes of its own."""


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"shape": Undeclared(name="u", radius=1)}, ["Drawing.shape", "Shape", "Undeclared", "lose radius, colour", '@embedded(type="undeclared")']),  # type: ignore[call-arg]  # mypy sees attrs classes' attributes, but not as arguments
        ({"shape": Renamed(radius=1)}, ["Drawing.shape", "Renamed", '@embedded(type="renamed")']),
        ({"shapes": [CIRCLE, Renamed(radius=1)]}, ["Drawing.shapes", "Renamed"]),
        ({"numbered": {1: Renamed(radius=1)}}, ["Drawing.numbered", "Renamed"]),
        ({"either": Renamed(radius=1)}, ["Drawing.either", "Renamed"]),
        ({"either": SQUARE}, ["Drawing.either", "Circle", "Square"]),
        ({"mixed": Renamed(radius=1)}, ["Drawing.mixed", "Renamed"]),
        ({"text": Renamed(radius=1)}, ["Drawing.text", "Renamed"]),
        ({"polygon": CIRCLE}, ["Drawing.polygon", "expected Polygon", "(Circle)"]),
        ({"shape": Plain(1)}, ["Drawing.shape", "expected Shape", "(Plain)"]),
        ({"frame": Frame(shape=Renamed(radius=1))}, ["Drawing.frame: Frame.shape", "Renamed"]),
        ({"plain": Longer(1)}, ["Drawing.plain", "Longer", "lose length", "@embedded(type=...)", "Plain | Longer"]),
        ({"plain": Same(1)}, ["Drawing.plain", "Same", "read as Plain", "Plain | Same"]),
        ({"plains": [Longer(1)]}, ["Drawing.plains", "lose length"]),
        ({"either": Longer(1)}, ["Drawing.either", "lose length"]),
        ({"json_plain": Longer(1)}, ["Drawing.json_plain", "lose length"]),
        ({"json_pair": [Longer(1)]}, ["Drawing.json_pair", "lose length"]),
        ({"small": {"a": Longer(1)}}, ["Drawing.small", "lose length"]),
        ({"data": LongerData(1)}, ["Drawing.data", "LongerData", "lose length"]),
        ({"json_data": [LongerData(1)]}, ["Drawing.json_data", "lose length"]),
        ({"mixed": {"_type": 1}}, ["Drawing.mixed", "key '_type'"]),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_refused(attributes: dict[str, Any], words: list[str]) -> None:
    """A subclass that was not declared is never stored as its base; the message names class, what is lost, and what to do."""
    drawing = Drawing(drawing_id="d", **attributes)
    with pytest.raises(InvalidValue) as caught:
        CODEC.encode(drawing)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    with pytest.raises(InvalidValue):
        CODEC._builder.generic.encode(CODEC.layout, drawing)


def test_a_value_of_an_abstract_class_is_refused() -> None:
    """A base made with ABC may have values all the same, where it has no abstract method; they have no type."""

    @embedded
    class Base(ABC):  # noqa: B024 - without abstract methods
        name: Attr[str] = attr(default="")

    @model(table="things")
    class Thing:
        pk: Attr[str] = key()
        base: Attr[Base]

    with pytest.raises(InvalidValue, match="subclass of Base that has a type, got Base, which is abstract"):
        spec_of(Thing).codec.encode(Thing(pk="a", base=Base()))


def test_a_subclass_may_be_declared_after_the_model() -> None:
    """It is looked up when a value is stored or read, also where the model has been used before."""

    @embedded(type="base")
    class Base:
        name: Attr[str] = attr(default="")

    @model(table="things")
    class Thing:
        pk: Attr[str] = key()
        base: Attr[Base]
        text: Attr[Base] = attr(factory=Base, as_json=True)
        numbered: Attr[dict[int, Base]] = attr(factory=dict)

    codec = spec_of(Thing).codec
    early = Thing(pk="a", base=Base(name="x"))
    assert codec.decode(codec.encode(early)) == early
    unknown: dict[str, Any] = {
        "pk": {"S": "a"},
        "base": {"M": {"_type": {"S": "late"}}},
        "text": {"S": "{}"},
        "numbered": {"M": {}},
    }
    with pytest.raises(DecodeError, match="one of base"):
        codec.decode_get(msgspec.json.encode({"Item": unknown}))

    @embedded(type="late")
    class Late(Base):
        token: Attr[UUID] = attr(factory=uuid4)

    late = Thing(pk="a", base=Late(), text=Late(), numbered={1: Late()})
    item = codec.encode(late)
    assert codec.decode(item) == late
    assert codec.decode_get(msgspec.json.encode({"Item": item})) == late
    read: Any = codec.decode_get(msgspec.json.encode({"Item": unknown}))
    assert isinstance(read.base, Late)
    assert codec.stored(read) == codec.encode(read), "a new id that was filled in is noted"
    assert (Thing.base / Late.token).segments == ("base", "token")


def test_two_types_of_a_union_that_meet_later() -> None:
    """A type that is taken twice in a union is refused: when the model is declared, or else when a value is stored."""

    @embedded(type="a")
    class A:
        x: Attr[int] = attr(default=0)

    @embedded(type="b")
    class B:
        x: Attr[int] = attr(default=0)

    @model(table="things")
    class Thing:
        pk: Attr[str] = key()
        one: Attr[A | B]

    @embedded(type="b")
    class SubA(A):
        pass

    codec = spec_of(Thing).codec
    for value in (A(), SubA()):
        assert codec.decode(codec.encode(Thing(pk="a", one=value))).one == value
    with pytest.raises(InvalidValue, match="B has the type 'b', which is another class's in the union"):
        codec.encode(Thing(pk="a", one=B()))
    with refused("Late.one", "SubA and B", "'b'", "another type"):

        @model(table="things")
        class Late:
            pk: Attr[str] = key()
            one: Attr[A | B]


def test_a_users_hook_for_a_subclass_is_kept() -> None:
    """A hook may store one class of a family its own way, as a map; the type stands beside what it makes."""
    converter = make_converter()
    converter.register_unstructure_hook(Circle, lambda circle: {"d": circle.radius * 2})
    converter.register_structure_hook(Circle, lambda value, _: Circle(radius=value["d"] // 2))
    converter.register_unstructure_hook(Polygon, lambda polygon: str(polygon.sides))

    @model(table="things", converter=converter)
    class Thing:
        pk: Attr[str] = key()
        shape: Attr[Shape]
        numbered: Attr[dict[int, Shape]] = attr(factory=dict)

    codec = spec_of(Thing).codec
    thing = Thing(pk="a", shape=Circle(radius=3), numbered={1: Circle(radius=1), 2: Shape()})
    item = codec.encode(thing)
    assert item["shape"] == {"M": {"d": {"N": "6"}, "_type": {"S": "circle"}}}
    assert codec.decode(item) == thing
    assert codec.decode_get(msgspec.json.encode({"Item": item})) == thing
    with pytest.raises(InvalidValue, match="'4' of a Polygon: a class of a family is stored as a map"):
        codec.encode(Thing(pk="a", shape=Polygon(sides=4)))


@pytest.mark.parametrize("value", [CIRCLE, SQUARE, GROUP, Dog(name="Rex")], ids=repr)
def test_values_are_ordinary_attrs_instances(value: Any) -> None:
    """Equality looks at the class, repr names it; copies, pickles and attrs.evolve keep it."""
    copies = (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value)), attrs.evolve(value))  # noqa: S301 - our own bytes
    for other in copies:
        assert type(other) is type(value)
        assert other == value
        assert repr(other) == repr(value)
    assert repr(value).startswith(type(value).__name__)
    assert Circle(name="c", radius=2) != Shape(name="c")


def test_a_read_instance_pickles_with_what_it_was_read_from() -> None:
    """Also where a family's map lacks its type, so that save() writes no more than what changed."""
    raw = stored(
        shape={"M": {"n": {"S": "x"}}}, shapes=CODEC.encode(Drawing(drawing_id="d", shapes=[CIRCLE]))["shapes"]
    )
    for read in READERS:
        drawing = pickle.loads(pickle.dumps(read(raw)))  # noqa: S301 - our own bytes
        known = CODEC.known(drawing)
        assert known is not None
        assert known.held == raw
        assert known.seen == CODEC.encode(drawing)


def test_paths_go_into_subclasses() -> None:
    """By attribute from the class and any subclass, by name from those that agree on it; the type is a path as well."""
    drawing: Any = Drawing
    paths = {
        Drawing.shape / Shape.name: ("shape", "n"), Drawing.shape / Circle.radius: ("shape", "r"), Drawing.shape / Circle.name: ("shape", "n"),
        Drawing.shapes[0] / Square.width: ("shapes", 0, "width"), Drawing.named["a"] / Circle.radius: ("named", "a", "r"),
        Drawing.frame / Frame.shape / Circle.radius: ("frame", "shape", "r"), Drawing.polygon / Square.sides: ("polygon", "sides"),
        Drawing.polygon / Shape.name: ("polygon", "n"), drawing.shape / Group.parts[0] / Circle.radius: ("shape", "parts", 0, "r"),
        drawing.shape["radius"]: ("shape", "r"), drawing.shape["name"]: ("shape", "n"), drawing.shapes[1]["sides"]: ("shapes", 1, "sides"),
        drawing.shape["_type"]: ("shape", "_type"),
    }  # fmt: skip
    assert {path: path.segments for path in paths} == paths
    assert (drawing.shape["radius"] == 3).render is not None
    with pytest.raises(InvalidValue, match=r"Drawing\.shape\.r: expected int"):
        drawing.shape["radius"].set("x")


def test_paths_that_lead_nowhere() -> None:
    """A class that the attribute cannot hold, a name that no class has, or that two classes store differently."""

    @embedded(type="odd")
    class Odd(Shape):
        label: Attr[str] = attr(name="l1")

    @embedded(type="even")
    class Even(Shape):
        label: Attr[str] = attr(name="l2")

    drawing: Any = Drawing
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: drawing.polygon / Circle.radius, "holds Polygon"),
        (lambda: drawing.shape / Dog.name, "holds Shape"),
        (lambda: drawing.shape["nope"], "nothing at"),
        (lambda: drawing.shape[0], "nothing at"),
        (lambda: drawing.shape["label"], r"stored otherwise in Even than in Odd: write / Even\.label or / Odd\.label"),
    ]
    for build, words in wrong:
        with pytest.raises(InvalidExpression, match=words):
            build()
    assert (Drawing.shape / Odd.label).segments == ("shape", "l1")
    assert (Drawing.shape / Even.label).segments == ("shape", "l2")
