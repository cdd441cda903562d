"""The same with ``from __future__ import annotations``: every annotation is text, and may name what comes later."""

from __future__ import annotations

from typing import assert_type

import attrs

from dynamorm_async import Attr, Condition, Database, Key, Update, attr, embedded, model, partition_key, version


@embedded
class Node:
    """A tree: a class that holds itself."""

    label: Attr[str]
    children: Attr[list[Node]] = attr(factory=list)


@attrs.define
class Size:
    width: int
    unit: str = "cm"


@model(table="things")
class Thing:
    thing_id: Attr[str] = partition_key()
    size: Attr[Size | None] = attr(default=None)
    tree: Attr[Node] = attr(factory=lambda: Node(label="root"))
    names: Attr[dict[str, list[str]]] = attr(factory=dict)
    revision: Attr[int] = version()

    def copy(self) -> Thing:
        return Thing(thing_id=self.thing_id, size=self.size)


def module_level() -> None:
    thing = Thing(thing_id="t1", size=Size(3), tree=Node(label="a", children=[Node(label="b")]))
    assert_type(thing.size, Size | None)
    assert_type(thing.tree.children, list[Node])
    assert_type(thing.copy(), Thing)
    assert_type(Thing.names["x"][0], Attr[str])
    assert_type(Thing.tree / Node.children, Attr[list[Node]])
    assert_type((Thing.tree / Node.children)[0] / Node.label, Attr[str])
    assert_type(Thing.size["width"] == 3, Condition)
    assert_type(Thing.tree / Node.label.set("x"), Update)


async def function_level(db: Database) -> None:
    @embedded
    class Place:
        city: Attr[str]

    @model(table="visits")
    class Visit:
        visit_id: Attr[str] = partition_key()
        place: Attr[Place | None] = attr(default=None)

    assert_type(Visit.place / Place.city, Attr[str])
    assert_type(await db.get(Visit, "v1"), Visit | None)
    assert_type(await db.query(Visit).where(Visit.visit_id == "v1"), list[Visit])
    assert_type(await db.update(Key(Visit, "v1"), Visit.place / Place.city.set("Paris")), Visit)
