"""A model with maps of every kind, and instances of it."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dynamorm_async import Attr, attr, embedded, model, partition_key, version


@embedded
class Street:
    name: Attr[str] = attr(default="Elm", name="n")
    number: Attr[int | None] = attr(default=None)


@embedded
class Address:
    city: Attr[str]
    street: Attr[Street] = attr(factory=Street, name="where")
    lines: Attr[list[str]] = attr(factory=list)
    tags: Attr[set[str]] = attr(factory=set)
    labels: Attr[dict[str, int]] = attr(factory=dict)


@attrs.define
class Tree:
    """A class that contains itself, by maps."""

    value: int = 0
    left: Tree | None = None
    leaves: dict[str, int] = attrs.field(factory=dict[str, int])


@attrs.frozen
class Circle:
    radius: int


@attrs.frozen
class Square:
    side: int


@embedded(type="figure")
class Figure:
    """A family, whose subclasses store other things under the same names."""

    name: Attr[str] = attr(default="", name="n")
    place: Attr[Street] = attr(factory=Street)


@embedded(type="disc")
class Disc(Figure):
    size: Attr[int | None] = attr(default=None)
    labels: Attr[dict[str, int]] = attr(factory=dict)


@embedded(type="group")
class Group(Figure):
    size: Attr[str | None] = attr(default=None)
    first: Attr[Figure | None] = attr(default=None)
    parts: Attr[dict[str, Figure]] = attr(factory=dict)


@model(table="rich")
class Rich:
    pk: Attr[str] = partition_key()
    name: Attr[str] = attr(default="Ada")
    note: Attr[str | None] = attr(default=None)
    address: Attr[Address | None] = attr(default=None, name="addr")
    home: Attr[Street] = attr(factory=Street)
    notes: Attr[dict[str, str]] = attr(factory=dict)
    places: Attr[dict[str, Street]] = attr(factory=dict)
    deep: Attr[dict[str, dict[str, set[int]]]] = attr(factory=dict)
    tree: Attr[Tree | None] = attr(default=None)
    anything: Attr[Any] = attr(default=None)
    shape: Attr[Circle | Square] = attr(factory=lambda: Circle(1))
    figure: Attr[Figure | None] = attr(default=None)
    figures: Attr[dict[str, Figure]] = attr(factory=dict)
    groups: Attr[dict[str, Group]] = attr(factory=dict)
    homes: Attr[list[Street]] = attr(factory=list)
    as_text: Attr[dict[str, int]] = attr(factory=dict, as_json=True)
    revision: Attr[int] = version()


REPLACED = ("shape", "homes", "as_text")
"""The attributes that are one whole, though they look like maps or hold some."""

texts = st.sampled_from(["", "x", "y"])
numbers = st.integers(0, 2)
names = st.sampled_from(["a", "b", "c", "a.b", "#n0", "size", ""])
streets = st.builds(Street, name=texts, number=st.none() | numbers)
addresses = st.builds(
    Address,
    city=texts,
    street=streets,
    lines=st.lists(texts, max_size=2),
    tags=st.sets(texts, max_size=2),
    labels=st.dictionaries(names, numbers, max_size=2),
)
trees: SearchStrategy[Tree] = st.recursive(
    st.builds(Tree, value=numbers, leaves=st.dictionaries(names, numbers, max_size=2)),
    lambda inner: st.builds(Tree, value=numbers, left=st.none() | inner),
    max_leaves=3,
)
anything = st.recursive(
    st.none() | texts | numbers,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
shapes = st.builds(Circle, numbers) | st.builds(Square, numbers)
plain_figures = st.builds(Figure, name=texts, place=streets) | st.builds(
    Disc,
    name=texts,
    place=streets,
    size=st.none() | numbers,
    labels=st.dictionaries(names, numbers, max_size=2),
)
groups = st.builds(
    Group,
    name=texts,
    place=streets,
    size=st.none() | texts,
    first=st.none() | plain_figures,
    parts=st.dictionaries(names, plain_figures, max_size=2),
)
figures = plain_figures | groups
instances = st.builds(
    Rich,
    pk=st.just("a"),
    name=texts,
    note=st.none() | texts,
    address=st.none() | addresses,
    home=streets,
    notes=st.dictionaries(names, texts, max_size=3),
    places=st.dictionaries(names, streets, max_size=3),
    deep=st.dictionaries(names, st.dictionaries(names, st.sets(numbers, max_size=2), max_size=2), max_size=2),
    tree=st.none() | trees,
    anything=anything,
    shape=shapes,
    figure=st.none() | figures,
    figures=st.dictionaries(names, figures, max_size=2),
    groups=st.dictionaries(names, groups, max_size=1),
    homes=st.lists(streets, max_size=2),
    as_text=st.dictionaries(names, numbers, max_size=2),
)
