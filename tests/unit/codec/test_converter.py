"""The general path: types that only cattrs carries, hooks of the user's, unions, JSON attributes."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# The two paths are compared apart, which no public function does.
# pyright: reportPrivateUsage=false
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, DecodeError, InvalidValue, ModelError, attr, make_converter, model, partition_key
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.model.spec import spec_of


class Word(str, Enum):  # noqa: UP042 - not a StrEnum, whose str() is its value
    YES = "yes"
    NO = "no"


@attrs.frozen
class Cat:
    name: str


@attrs.frozen
class Dog:
    name: str
    age: int = 0


@attrs.define
class Node:
    value: int
    children: list[Node] = attrs.field(factory=list)


@model(table="things")
class Thing:
    thing_id: Attr[str] = partition_key()
    pet: Attr[Cat | Dog | None] = attr(default=None)
    mixed: Attr[int | str | None] = attr(default=None)
    words: Attr[dict[int, Word]] = attr(factory=dict)
    pair: Attr[tuple[int, str]] = attr(default=(0, ""))
    bare: Attr[tuple] = attr(default=())  # type: ignore[type-arg]  # what is tested
    empty: Attr[tuple[()]] = attr(default=())
    tree: Attr[Node | None] = attr(default=None)
    choice: Attr[Literal["a", 1, True] | None] = attr(default="a")
    flags: Attr[list[bool]] = attr(factory=list, as_json=True)
    moments: Attr[dict[str, datetime | UUID | Decimal | Word]] = attr(factory=dict)
    word: Attr[Word] = attr(default=Word.NO, as_json=True)
    secret: Attr[str] = attr(default="", compressed=True)
    dog: Attr[Dog | None] = attr(default=None, compressed=True)


CODEC = spec_of(Thing).codec
WRONG: Any = [object()]


def round_trip(codec: ItemCodec[Any], instance: Any) -> Any:
    item = codec.encode(instance)
    assert item == codec._builder.generic.encode(codec.layout, instance)
    found = codec.decode_get(msgspec.json.encode({"Item": item}))
    assert codec.decode(msgspec.json.decode(msgspec.json.encode(item))) == found
    return found


@pytest.mark.parametrize(
    "attributes",
    [
        {"pet": Cat("Tom")}, {"pet": Dog("Rex", 3)}, {"mixed": 5}, {"mixed": "5"}, {"words": {1: Word.YES}}, {"pair": (1, "x")}, {"bare": (1, "x", None)},
        {"empty": ()}, {"tree": Node(1, [Node(2, [Node(3)]), Node(4)])}, {"choice": True}, {"choice": 1}, {"choice": None}, {"flags": [True, False]},
        {"moments": {"w": Word.YES}}, {"word": Word.YES}, {"secret": "é" * 999}, {"dog": Dog("Rex", 3)},
    ],
)  # fmt: skip
def test_round_trip(attributes: dict[str, Any]) -> None:
    """What the compiled path leaves to cattrs reads back as the same value of the same type."""
    thing = round_trip(CODEC, Thing(thing_id="t", **attributes))
    ((name, value),) = attributes.items()
    assert getattr(thing, name) == value
    assert type(getattr(thing, name)) is type(value)


@pytest.mark.parametrize(
    "attributes",
    [
        {"pet": "Tom"}, {"mixed": 1.5}, {"words": {1: "yes"}}, {"words": {1.5: Word.YES}}, {"pair": (1, "x", 2)}, {"pair": [1, "x"]}, {"empty": (1,)},
        {"tree": Node(WRONG)}, {"choice": "b"}, {"choice": 0}, {"choice": False}, {"flags": [1]}, {"flags": "yes"}, {"word": 5}, {"secret": b"x"},
        {"secret": "\ud800"}, {"dog": Dog("\ud800")}, {"dog": Dog(WRONG)}, {"dog": Cat("Tom")}, {"moments": {"x": datetime(2024, 1, 1)}},  # noqa: DTZ001 - refused
    ],
)  # fmt: skip
def test_wrong_values_are_not_stored(attributes: dict[str, Any]) -> None:
    """A value of another type is refused on both paths, also inside what cattrs or JSON carries."""
    thing = Thing(thing_id="t", **attributes)
    for encode in (CODEC.encode, lambda thing: CODEC._builder.generic.encode(CODEC.layout, thing)):
        with pytest.raises(InvalidValue):
            encode(thing)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("pet", {"M": {"name": {"S": "x"}}}), ("pet", {"M": {"_type": {"S": "Cow"}}}), ("pet", {"M": {"_type": {"L": []}}}), ("pet", {"S": "Cat"}),
        ("mixed", {"BOOL": True}), ("words", {"M": {"x": {"S": "yes"}}}), ("words", {"M": {"1": {"S": "maybe"}}}), ("pair", {"L": [{"N": "1"}]}),
        ("tree", {"M": {"value": {"N": "1"}, "children": {"L": [{"M": {}}]}}}), ("choice", {"N": "2"}), ("choice", {"BOOL": False}), ("choice", {"L": []}),
        ("flags", {"S": '["false"]'}), ("flags", {"S": "["}), ("flags", {"S": "[" * 100_000}), ("word", {"S": '"maybe"'}), ("secret", {"B": "eA=="}), ("dog", {"B": ""}),
    ],
)  # fmt: skip
def test_stored_values_that_do_not_fit(name: str, stored: Any) -> None:
    """Content that no value of the type has is a DecodeError under the attribute's name."""
    with pytest.raises(DecodeError) as caught:
        CODEC.decode_get(msgspec.json.encode({"Item": {"thing_id": {"S": "t"}, name: stored}}))
    assert {problem.path.split(".")[0].split("[")[0] for problem in caught.value.problems} == {name}


def test_colliding_map_keys() -> None:
    """A map whose keys were chosen to collide as numbers is refused, not looked up for seconds."""
    words = {str((2**61 - 1) * n): {"S": "yes"} for n in range(16_000)}
    with pytest.raises(DecodeError, match="same hash"):
        CODEC.decode({"thing_id": {"S": "t"}, "words": {"M": words}})


class Money:
    def __init__(self, amount: Decimal) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.amount == other.amount

    __hash__ = None  # type: ignore[assignment]  # mutable


def test_hooks_of_the_users() -> None:
    """A hook pair carries a type of the user's, anywhere in a model; what a hook raises is a typed error."""
    converter = make_converter()
    converter.register_unstructure_hook(Money, lambda money: {"amount": money.amount})
    converter.register_structure_hook(Money, lambda value, _: Money(value["amount"]))

    @model(table="prices", converter=converter)
    class Price:
        price_id: Attr[str] = partition_key()
        money: Attr[Money]
        history: Attr[list[Money]] = attr(factory=list)

    codec = spec_of(Price).codec
    price = Price(price_id="p", money=Money(Decimal("1.5")), history=[Money(Decimal(2))])
    assert round_trip(codec, price) == price
    with pytest.raises(DecodeError, match="money: 'amount'"):
        codec.decode_get(b'{"Item":{"price_id":{"S":"p"},"money":{"M":{}}}}')
    price.money = "x"  # type: ignore[assignment]  # what is refused
    with pytest.raises(InvalidValue, match="cannot be stored"):
        codec.encode(price)


def test_a_hook_replaces_a_standard_type() -> None:
    """A hook for a type that the library knows itself is used instead, everywhere in the model."""
    converter = make_converter()
    converter.register_unstructure_hook(datetime, lambda moment: int(moment.timestamp()))
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromtimestamp(value, UTC))

    @model(table="events", converter=converter)
    class Event:
        event_id: Attr[str] = partition_key()
        at: Attr[datetime]
        others: Attr[list[datetime]] = attr(factory=list)

    moment = datetime(2024, 1, 1, tzinfo=UTC)
    codec = spec_of(Event).codec
    event = Event(event_id="e", at=moment, others=[moment])
    assert round_trip(codec, event) == event
    assert codec.encode(event)["others"] == {"L": [{"N": "1704067200"}]}


def test_declarations_that_cannot_work() -> None:
    """A converter that is not ours, and two classes of one name in a union, are told at declaration."""
    import cattrs

    plain = type("Foreign", (), {"__annotations__": {"thing_id": Attr[str]}, "thing_id": partition_key()})
    with pytest.raises(ModelError, match="make_converter"):
        model(table="things", converter=cattrs.Converter())(plain)
    twin: Any = attrs.make_class("Cat", {"name": attrs.field(type=str)})
    annotations = {"thing_id": Attr[str], "pet": Attr[Cat | twin]}
    pets = type("Pets", (), {"__annotations__": annotations, "thing_id": partition_key(), "pet": attr()})
    with pytest.raises(ModelError, match="two classes of one name"):
        model(table="things")(pets)
