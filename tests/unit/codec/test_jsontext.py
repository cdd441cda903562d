"""Classes in attributes that are stored as JSON text: what is written is read back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import attrs
import pytest

from dynamorm_async import Attr, DecodeError, InvalidValue, attr, embedded, model, partition_key
from dynamorm_async.model.spec import spec_of

T = TypeVar("T")


@embedded
class Part:
    """Its types are written as Attr, and one attribute has another name in DynamoDB, which JSON has nothing to do with."""

    label: Attr[str | None] = attr(default=None, name="l")
    at: Attr[datetime | None] = attr(default=None)
    price: Attr[Decimal] = attr(default=Decimal(0))
    parts: Attr[list[Part]] = attr(factory=list)


@attrs.define
class Node:
    """An ordinary attrs class: an alias, a default, a field that is not stored, and itself inside."""

    _secret: int
    children: list[Node] = attrs.field(factory=list["Node"])
    seen: int = attrs.field(init=False, default=7)


@attrs.define
class Box(Generic[T]):
    content: T


@attrs.define
class Cat:
    name: str


@attrs.define
class Dog:
    name: str
    loud: bool = False


@attrs.define
class Fish:
    fins: int


@dataclasses.dataclass
class Data:
    ident: UUID
    numbers: list[int]


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    part: Attr[Part | None] = attr(default=None, as_json=True)
    small: Attr[dict[str, Part]] = attr(factory=dict, compressed=True)
    node: Attr[Node | None] = attr(default=None, as_json=True)
    box: Attr[Box[int] | None] = attr(default=None, as_json=True)
    boxes: Attr[list[Box[str]]] = attr(factory=list, as_json=True)
    pet: Attr[Cat | Dog | None] = attr(default=None, as_json=True)
    animal: Attr[Cat | Fish | None] = attr(default=None, as_json=True)
    either: Attr[Fish | int | list[str] | None] = attr(default=None, as_json=True)
    data: Attr[Data | None] = attr(default=None, as_json=True)
    words: Attr[list[str]] = attr(factory=list, as_json=True)
    pair: Attr[tuple[str, int] | None] = attr(default=None, as_json=True)


CODEC = spec_of(Thing).codec
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VALUES: list[tuple[str, Any, str | None]] = [
    ("part", Part(label="x"), '{"label":"x","at":null,"price":"0","parts":[]}'),
    ("part", Part(at=NOON, price=Decimal("1.50"), parts=[Part(), Part(label="y")]), None),
    ("small", {"a": Part(at=NOON)}, None),
    ("node", Node(1, [Node(2)]), '{"_secret":1,"children":[{"_secret":2,"children":[]}]}'),
    ("box", Box(3), '{"content":3}'),
    ("boxes", [Box("x")], '[{"content":"x"}]'),
    ("pet", Cat("Tom"), '{"_type":"Cat","name":"Tom"}'),
    ("pet", Dog("Rex"), '{"_type":"Dog","name":"Rex","loud":false}'),
    ("animal", Fish(2), '{"_type":"Fish","fins":2}'),
    ("either", Fish(2), '{"fins":2}'),
    ("either", 5, "5"),
    ("words", ["a"], '["a"]'),
    ("pair", ("a", 1), '["a",1]'),
    ("either", ["a"], '["a"]'),
    ("data", Data(UUID(int=1), [1, 2]), '{"ident":"00000000-0000-0000-0000-000000000001","numbers":[1,2]}'),
]


@pytest.mark.parametrize(("name", "value", "text"), VALUES, ids=repr)
def test_classes_are_read_back(name: str, value: Any, text: str | None) -> None:
    """By the Python names of their attributes, with the types that these were declared with."""
    item = CODEC.encode(Thing(pk="a", **{name: value}))
    if text is not None:
        assert item[name] == {"S": text}
    assert getattr(CODEC.decode(item), name) == value


def test_what_others_wrote_is_read() -> None:
    """Other attributes are passed over, absent ones have their defaults, and a class shows by what it alone has."""
    texts = {"part": '{"label":"x","more":1}', "animal": '{"fins":1}', "node": '{"_secret":1}'}
    found = CODEC.decode({"pk": {"S": "a"}, **{name: {"S": text} for name, text in texts.items()}})
    assert (found.part, found.animal, found.node) == (Part(label="x"), Fish(1), Node(1))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("part", "[]", "part: expected a map"),
        ("part", '{"label":5}', "part.label: "),
        ("part", '{"parts":[{"price":"x"}]}', "part.parts[0].price: expected a number"),
        ("node", "{}", "node._secret: is missing"),
        ("pet", '{"name":"Tom"}', "pet: Could not disambiguate"),
        ("pet", '{"_type":"Cow","name":"Tom"}', "pet._type: expected one of Cat, Dog, found 'Cow'"),
        ("either", '{"fins":"x"}', "either: expected"),
        ("words", '{"a":1}', "words: expected a list"),
        ("words", '"abc"', "words: expected a list"),
        ("pair", '["a"]', "pair: expected a list of 2"),
    ],
)
def test_text_that_does_not_fit(name: str, text: str, problem: str) -> None:
    """It is a DecodeError with the path."""
    with pytest.raises(DecodeError) as caught:
        CODEC.decode({"pk": {"S": "a"}, name: {"S": text}})
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("part", Cat("Tom")), ("part", Part(label=5)), ("small", {"a": Cat("x")}), ("node", {}), ("pet", Fish(1)), ("data", 5), ("words", "abc"), ("words", {"a": 1}), ("pair", ("a", 1, 2))],  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistakes
)  # fmt: skip
def test_wrong_values_are_refused(name: str, value: Any) -> None:
    """Nothing is written that could not be read."""
    with pytest.raises(InvalidValue, match=f"Thing.{name}"):
        CODEC.encode(Thing(pk="a", **{name: value}))


def test_local_classes() -> None:
    """Types that are known only in the function which declares the model are found."""

    @attrs.define
    class Local:
        at: datetime

    @attrs.define
    class Outer:
        locals_: list[Local]

    @model(table="things")
    class Holder:
        pk: Attr[str] = partition_key()
        outer: Attr[Outer] = attr(as_json=True)

    make: Callable[[], Any] = lambda: Holder(pk="a", outer=Outer([Local(NOON)]))  # noqa: E731 - one instance each
    codec = spec_of(Holder).codec
    assert codec.decode(codec.encode(make())) == make()
