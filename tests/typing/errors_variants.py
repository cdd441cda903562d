"""Mistakes in families: each marked line is reported by the checkers that it names, and no other line."""

from __future__ import annotations

from dynamorm_async import Attr, attr, embedded, model, partition_key


@embedded(type="shape")
class Shape:
    name: Attr[str] = attr(default="")


@embedded(type="circle")
class Circle(Shape):
    radius: Attr[int]


@embedded(type=5)  # error: mypy pyright
class Square(Shape):
    side: Attr[int] = attr(default=1)


@embedded("triangle")  # error: mypy pyright
class Triangle(Shape):
    side: Attr[int] = attr(default=1)


@embedded(name="line")  # error: mypy pyright
class Line(Shape):
    length: Attr[int] = attr(default=1)


@model(table="drawings")
class Drawing:
    drawing_id: Attr[str] = partition_key()
    shape: Attr[Shape]
    circle: Attr[Circle | None] = attr(default=None)


def takes(*_values: object) -> None: ...


def constructors() -> None:
    takes(Circle(2))  # error: mypy pyright
    takes(Circle(name="c"))  # error: mypy pyright
    takes(Circle(radius="2"))  # error: mypy pyright
    takes(Circle(radius=2, side=3))  # error: mypy pyright
    takes(Drawing(drawing_id="d1", shape=5))  # error: mypy pyright
    takes(Drawing(drawing_id="d1", shape=Shape(), circle=Shape()))  # error: mypy pyright


def values(drawing: Drawing) -> None:
    drawing.shape = "circle"  # error: mypy pyright
    takes(drawing.shape.radius)  # error: mypy pyright
    takes(Drawing.shape / Circle.side)  # error: mypy pyright
    takes(Drawing.shape / Circle.radius > "3")  # error: mypy pyright
    takes((Drawing.shape / Circle.radius).set("x"))  # error: mypy pyright
