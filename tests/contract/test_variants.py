"""Families of embedded classes on every engine: written, read, changed inside and turned into another class."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    Database,
    DecodeError,
    InvalidValue,
    Key,
    Table,
    attr,
    embedded,
    model,
    partition_key,
)
from tests.contract.models import changed, put_raw, raw_item, unique

pytestmark = pytest.mark.anyio


@embedded(type="shape")
class Shape:
    name: Attr[str] = attr(default="-", name="n")


@embedded(type="circle")
class Circle(Shape):
    radius: Attr[int] = attr(name="r")


@embedded(type="square")
class Square(Shape):
    side: Attr[int] = attr(default=1)
    corners: Attr[dict[str, int]] = attr(factory=dict)


@attrs.define(slots=False)
class Undeclared(Circle):
    colour: str = "red"


@model(Table("open", partition_key="pk"))
class Drawing:
    pk: Attr[str] = partition_key()
    shape: Attr[Shape | None] = attr(default=None)
    shapes: Attr[list[Shape]] = attr(factory=list)
    named: Attr[dict[str, Shape]] = attr(factory=dict)
    text: Attr[Shape | None] = attr(default=None, as_json=True)


CIRCLE: dict[str, Any] = {"M": {"_type": {"S": "circle"}, "n": {"S": "c"}, "r": {"N": "2"}}}
SQUARE: dict[str, Any] = {"M": {"_type": {"S": "square"}, "n": {"S": "-"}, "side": {"N": "3"}, "corners": {"M": {}}}}


def key_of(drawing: Drawing) -> dict[str, Any]:
    return {"pk": {"S": drawing.pk}}


def raw(endpoint: str, drawing: Drawing) -> Any:  # AttributeValues by name
    return raw_item(endpoint, "open", key_of(drawing))


async def read(store: Database, endpoint: str, **attributes: Any) -> Drawing:
    """A drawing as it was stored by somebody else."""
    pk = unique()
    put_raw(endpoint, "open", {"pk": {"S": pk}, **attributes})
    drawing = await store.get(Drawing, pk, consistent=True)
    assert drawing is not None
    return drawing


async def test_each_value_comes_back_as_its_own_class(store: Database, endpoint: str) -> None:
    """As attribute, element, entry and JSON; each map has its type in the table."""
    circle, square = Circle(name="c", radius=2), Square(side=3)
    drawing = Drawing(pk=unique(), shape=circle, shapes=[square, Shape(), circle], named={"a": square}, text=circle)
    await store.create(drawing)
    assert await store.get(Drawing, drawing.pk, consistent=True) == drawing
    assert raw(endpoint, drawing) == {
        **key_of(drawing),
        "shape": CIRCLE,
        "shapes": {"L": [SQUARE, {"M": {"_type": {"S": "shape"}, "n": {"S": "-"}}}, CIRCLE]},
        "named": {"M": {"a": SQUARE}},
        "text": {"S": '{"name":"c","radius":2,"_type":"circle"}'},
    }
    assert await store.update(Key(Drawing, drawing.pk), Drawing.shape.remove()) == changed(drawing, shape=None)
    assert await store.batch_get(Key(Drawing, drawing.pk)) == [changed(drawing, shape=None)]


async def test_what_was_stored_before_the_family_was(store: Database, endpoint: str) -> None:
    """A map without a type is the attribute's class; a save goes on changing it inside, and turning it makes it whole."""
    old: dict[str, Any] = {"M": {"n": {"S": "old"}, "left": {"N": "1"}}}
    drawing = await read(store, endpoint, shape=old, named={"M": {"a": old}})
    assert (drawing.shape, drawing.named) == (Shape(name="old"), {"a": Shape(name="old")})
    drawing.named["a"].name = "new"
    await store.save(drawing)
    assert raw(endpoint, drawing)["named"]["M"]["a"] == {"M": {"n": {"S": "new"}, "left": {"N": "1"}}}
    drawing.shape = Circle(name="c", radius=2)
    await store.save(drawing)
    assert raw(endpoint, drawing)["shape"] == CIRCLE


async def test_a_type_that_is_not_known(store: Database, endpoint: str) -> None:
    """The error has the path and the types that are; nothing is read as something else."""
    pk = unique()
    put_raw(endpoint, "open", {"pk": {"S": pk}, "shapes": {"L": [CIRCLE, {"M": {"_type": {"S": "oval"}}}]}})
    with pytest.raises(DecodeError, match=r"shapes\[1\]\._type: expected one of circle, shape, square, found 'oval'"):
        await store.get(Drawing, pk, consistent=True)


async def test_an_undeclared_subclass_is_not_written(store: Database, endpoint: str) -> None:
    """It is refused before anything is sent, wherever it stands; the item stays what it was."""
    drawing = await read(store, endpoint, shape=CIRCLE)
    lossy: Any = Undeclared
    for wrong in ({"shape": lossy(radius=1)}, {"shapes": [lossy(radius=1)]}, {"text": lossy(radius=1)}):
        with pytest.raises(InvalidValue, match="it would lose radius, colour"):
            await store.put(changed(drawing, **wrong))
    with pytest.raises(InvalidValue, match="it would lose radius, colour"):
        Drawing.shape.set(lossy(radius=1))
    assert raw(endpoint, drawing) == {**key_of(drawing), "shape": CIRCLE}


async def test_a_save_of_the_same_class_changes_entries(store: Database, endpoint: str) -> None:
    """What the class does not know and what others wrote stays, at every level."""
    known = {"M": {**SQUARE["M"], "corners": {"M": {"a": {"N": "1"}}}, "left": {"N": "1"}}}
    drawing = await read(store, endpoint, shape=known, named={"M": {"x": CIRCLE}})
    shape: Any = drawing.shape
    await store.update(Key(Drawing, drawing.pk), (Drawing.shape / Square.corners)["b"].set(2))
    shape.side, shape.corners["a"] = 5, 9
    drawing.named["y"] = Shape()
    await store.save(drawing)
    expected = {**known["M"], "side": {"N": "5"}, "corners": {"M": {"a": {"N": "9"}, "b": {"N": "2"}}}}
    assert raw(endpoint, drawing)["shape"] == {"M": expected}
    assert raw(endpoint, drawing)["named"]["M"]["x"] == CIRCLE


async def test_a_save_after_changing_the_class_leaves_nothing_behind(store: Database, endpoint: str) -> None:
    """No attribute of the class before stays, known or not: attribute, element and entry; entries beside it are left alone."""
    left = {"M": {**CIRCLE["M"], "left": {"N": "1"}}}
    drawing = await read(store, endpoint, shape=left, shapes={"L": [left]}, named={"M": {"a": left, "b": left}})
    drawing.shape, drawing.shapes[0], drawing.named["a"] = Square(side=3), Square(side=3), Square(side=3)
    await store.save(drawing)
    assert raw(endpoint, drawing) == {
        **key_of(drawing),
        "shape": SQUARE,
        "shapes": {"L": [SQUARE]},
        "named": {"M": {"a": SQUARE, "b": left}},
    }
    drawing.shape = Circle(name="c", radius=2)
    await store.save(drawing)
    assert raw(endpoint, drawing)["shape"] == CIRCLE
    drawing.shape = None
    await store.save(drawing)
    assert "shape" not in raw(endpoint, drawing)
    assert await store.get(Drawing, drawing.pk, consistent=True) == drawing


async def test_conditions_and_changes_of_one_class(store: Database, endpoint: str) -> None:
    """Paths lead to attributes of subclasses; the type itself is one, so that a change can ask for the class."""
    drawing = await read(store, endpoint, shape=CIRCLE, named={"M": {"a": SQUARE}})
    key = Key(Drawing, drawing.pk)
    found = await store.update(
        key,
        (Drawing.shape / Circle.radius).add(3),
        (Drawing.named["a"] / Square.side).set(7),
        where=(Drawing.shape["_type"] == "circle") & (Drawing.shape / Circle.radius < 3),
    )
    assert (found.shape, found.named["a"]) == (Circle(name="c", radius=5), Square(side=7))
    with pytest.raises(ConditionFailed):
        await store.update(key, Drawing.shape.set(Square()), where=Drawing.shape == Circle(name="c", radius=2))
    found = await store.update(key, Drawing.shape.set(Square()), where=Drawing.shape == Circle(name="c", radius=5))
    assert found.shape == Square()
    with pytest.raises(ConditionFailed):
        await store.update(key, (Drawing.shape / Circle.radius).add(1), where=Drawing.shape["_type"] == "circle")
