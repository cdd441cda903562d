"""How deep values may nest: refused before anything is sent, looked for only where a type allows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from dynamorm_async import Attr, InvalidValue, Key, Update, attr, embedded, model, partition_key
from dynamorm_async.codec.depth import check_depth, containers
from dynamorm_async.codec.native import to_attribute_value
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.writes import Writes


@attrs.define
class Tree:
    left: Tree | None = None
    names: set[str] = attrs.field(factory=lambda: {"leaf"})


@embedded
class Box:
    content: Attr[Any] = attr(default=None)


@model(table="deep")
class Deep:
    pk: Attr[str] = partition_key()
    flat: Attr[dict[str, list[int]]] = attr(factory=dict)
    anything: Attr[Any] = attr(default=None)
    many: Attr[list[Any]] = attr(factory=list)
    box: Attr[Box | None] = attr(default=None)
    tree: Attr[Tree | None] = attr(default=None)


SPEC = spec_of(Deep)


def lists(count: int, leaf: Any = 1) -> Any:
    """A value inside of so many lists."""
    for _ in range(count):
        leaf = [leaf]
    return leaf


def tree(levels: int) -> Tree:
    result = Tree()
    for _ in range(levels - 1):
        result = Tree(left=result)
    return result


def encoded(**values: Any) -> Any:  # an item
    return SPEC.codec.encode(Deep(pk="a", **values))


@pytest.mark.parametrize("leaf", [1, "x", {"a set"}, None])
def test_31_lists_around_a_value_are_taken(leaf: Any) -> None:
    """What the innermost holds, a set as well, is the 32nd level; one more list or map is refused, empty or not."""
    assert containers(to_attribute_value(lists(31, leaf))) == 31
    for one_more in ([leaf], {"k": leaf}, [], {}):
        with pytest.raises(InvalidValue, match="32 levels"):
            to_attribute_value(lists(31, one_more))


@pytest.mark.parametrize(
    ("name", "fits", "too_deep"),
    [
        ("anything", lists(31), lists(32)),
        ("many", lists(31), lists(32)),
        ("box", Box(content=lists(30)), Box(content=lists(31))),
        ("tree", tree(31), tree(32)),
    ],
)
def test_an_item_that_nests_too_deep_is_refused(name: str, fits: Any, too_deep: Any) -> None:
    """By model and attribute, on whole items and in operands; the deepest that fits passes both."""
    assert containers({"M": encoded(**{name: fits})}) == 32
    with pytest.raises(InvalidValue, match=rf"Deep\.{name}: .*32 levels"):
        encoded(**{name: too_deep})
    attribute: Attr[Any] = getattr(Deep, name)
    assert isinstance(attribute.set(fits), Update)
    with pytest.raises(InvalidValue, match=rf"Deep\.{name}: .*32 levels"):
        attribute.set(too_deep)


def test_a_path_counts() -> None:
    """The value of an update inside of maps and lists may nest that much less."""
    writes = Writes(prefix="", clock=lambda: datetime.now(UTC))
    key = Key(Deep, "a")
    assert writes.update(key, [Deep.anything["a"]["b"].set(lists(29))]).must_exist
    for change in (
        Deep.anything["a"]["b"].set(lists(30)),
        Deep.anything["a"]["b"].set_default(lists(30)),
        (Deep.box / Box.content)["a"].set(lists(30)),
        Deep.many[0].set(lists(31)),
    ):
        with pytest.raises(InvalidValue, match=r"Deep\.(anything|box|many).*: .*32 levels"):
            writes.update(key, [change])


def test_types_that_cannot_nest_deep_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of such types pays nothing: how deep they nest is known from the types, once."""

    @model(table="flat")
    class Flat:
        pk: Attr[str] = partition_key()
        flat: Attr[dict[str, list[int]]] = attr(factory=dict)
        anything: Attr[Any] = attr(default=None)

    codec = spec_of(Flat).codec
    shapes = {name: member.shape for name, member in spec_of(Flat).attributes.items()}
    assert {name: shape.containers for name, shape in shapes.items()} == {"pk": 0, "flat": 2, "anything": None}

    def refuse(*_: object) -> None:
        raise AssertionError("a value was looked at")

    monkeypatch.setattr("dynamorm_async.codec.item.check_depth", refuse)
    monkeypatch.setattr("dynamorm_async.codec.shapes.check_depth", refuse)
    assert codec.encode(Flat(pk="a", flat={"x": [1]}, anything=[1]))["flat"] == {"M": {"x": {"L": [{"N": "1"}]}}}
    assert isinstance(Flat.flat.set({"x": [1]}), Update)


def test_what_is_around_counts() -> None:
    """The lists and maps that a value is put into count as its own do."""
    check_depth({"L": [{"N": "1"}]}, 30)
    with pytest.raises(InvalidValue, match="32 are around each other"):
        check_depth({"L": [{"N": "1"}]}, 31)
