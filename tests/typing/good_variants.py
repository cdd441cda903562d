"""Families of embedded classes, as users write them: clean in mypy and pyright, both strict, with no ignore."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import assert_type

from dynamorm_async import Attr, Condition, Update, attr, embedded, model, partition_key


@embedded(type="shape")
class Shape:
    name: Attr[str] = attr(default="")


@embedded(type="circle")
class Circle(Shape):
    radius: Attr[int]

    def area(self) -> int:
        return 3 * self.radius * self.radius


@embedded(type="square")
class Square(Shape):
    side: Attr[int] = attr(default=1)


@embedded
class Animal(ABC):
    """An abstract class has no values, and needs no type."""

    name: Attr[str]

    @abstractmethod
    def sound(self) -> str: ...


@embedded(type="dog")
class Dog(Animal):
    loud: Attr[bool] = attr(default=False)

    def sound(self) -> str:
        return "WOOF" if self.loud else "woof"


@embedded()
class Point:
    x: Attr[int]


@model(table="drawings")
class Drawing:
    drawing_id: Attr[str] = partition_key()
    shape: Attr[Shape]
    corner: Attr[Shape] = attr(factory=Square)
    maybe: Attr[Shape | None] = attr(default=None)
    shapes: Attr[list[Shape]] = attr(factory=list)
    named: Attr[dict[str, Shape]] = attr(factory=dict)
    either: Attr[Circle | Point | None] = attr(default=None)
    animal: Attr[Animal | None] = attr(default=None)
    text: Attr[Shape | None] = attr(default=None, as_json=True)


def constructors_and_instances() -> None:
    drawing = Drawing(
        drawing_id="d1",
        shape=Circle(name="c", radius=2),
        maybe=Square(side=3),
        shapes=[Shape(), Circle(radius=1)],
        named={"a": Square()},
        either=Point(x=1),
        animal=Dog(name="Rex", loud=True),
        text=Circle(radius=5),
    )
    assert_type(drawing.shape, Shape)
    assert_type(drawing.maybe, Shape | None)
    assert_type(drawing.shapes, list[Shape])
    if isinstance(drawing.maybe, Circle):
        assert_type(drawing.maybe.radius, int)
    if drawing.animal is not None:
        assert_type(drawing.animal.sound(), str)
    assert_type(size_of(drawing.shape), int)
    drawing.shape = Square()
    drawing.shapes.append(Circle(radius=3))
    assert_type(drawing.corner, Shape)


def size_of(shape: Shape) -> int:
    match shape:
        case Circle():
            return shape.area()
        case Square():
            return shape.side
        case _:
            return len(shape.name)


def paths() -> None:
    assert_type(Drawing.shape / Shape.name, Attr[str])
    assert_type(Drawing.shape / Circle.radius, Attr[int])
    assert_type(Drawing.maybe / Circle.name, Attr[str])
    assert_type(Drawing.shapes[0] / Square.side, Attr[int])
    assert_type(Drawing.named["a"] / Circle.radius, Attr[int])
    assert_type(Drawing.shape / Circle.radius > 3, Condition)
    assert_type((Drawing.shape / Circle.radius).add(1), Update)
    assert_type(Drawing.shape["_type"] == "circle", Condition)
    assert_type(Drawing.shape.set(Square()), Update)
    assert_type(Drawing.shapes.append([Circle(radius=1)]), Update)
    assert_type(Drawing.animal / Dog.loud, Attr[bool])
