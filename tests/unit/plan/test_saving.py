"""What a save sends: paths into maps, under which conditions, and what it falls back to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from dynamorm_async import Attr, InvalidExpression, UsageError, attr, embedded, make_converter, model, partition_key
from dynamorm_async.codec.stored import Stored
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.nested import maps_inside, replacement
from dynamorm_async.plan.saving import save_item
from dynamorm_async.plan.write import Write
from tests.property.applying import changes

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


converter = make_converter()
converter.register_unstructure_hook(Money, lambda money: {"cents": money.cents, "unit": "eur"})
converter.register_structure_hook(Money, lambda value, _: Money(int(value["cents"])))


@embedded
class Inner:
    a: Attr[int] = attr(default=0, name="A")
    b: Attr[str | None] = attr(default=None)
    more: Attr[dict[str, int]] = attr(factory=dict)


@attrs.frozen
class Cat:
    name: str


@attrs.frozen
class Dog:
    name: str


@model(table="things", converter=converter)
class Thing:
    pk: Attr[str] = partition_key()
    inner: Attr[Inner | None] = attr(default=None)
    other: Attr[Inner] = attr(factory=Inner)
    notes: Attr[dict[str, str]] = attr(factory=dict)
    money: Attr[Money] = attr(factory=lambda: Money(1))
    wallet: Attr[dict[str, Money]] = attr(factory=dict)
    pet: Attr[Cat | Dog] = attr(factory=lambda: Cat("x"))
    items: Attr[list[Inner]] = attr(factory=list)


SPEC = spec_of(Thing)
Change = tuple[str, tuple[str, ...], Any]


def saved(before: Thing, after: Thing, *, held: dict[str, Any] | None = None) -> Write:
    """The save of an instance that was read as one thing and is another now."""
    seen = SPEC.codec.encode(before)
    write = save_item(SPEC, "t", after, Stored(seen, seen if held is None else held), NOW)
    assert write is not None
    return write


def sent(before: Thing, after: Thing, *, held: dict[str, Any] | None = None) -> list[Change]:
    return changes(saved(before, after, held=held).request.body)


def test_entries_of_maps_are_named() -> None:
    """Nested attributes and entries by their stored names; what is None now is removed; equal ones are left alone."""
    before = Thing(pk="a", inner=Inner(a=1, b="x", more={"m": 1, "n": 2}), notes={"k": "v", "w": "x"})
    after = Thing(pk="a", inner=Inner(a=2, more={"m": 1, "n": 3}), notes={"w": "x", "l": "u"})
    assert sorted(sent(before, after)) == [
        ("REMOVE", ("inner", "b"), None),
        ("REMOVE", ("notes", "k"), None),
        ("SET", ("inner", "A"), {"N": "2"}),
        ("SET", ("inner", "more", "n"), {"N": "3"}),
        ("SET", ("notes", "l"), {"S": "u"}),
    ]


def test_each_map_that_is_changed_inside_must_be_there() -> None:
    """One condition for each innermost map; the outer ones are there where it is."""
    before = Thing(pk="a", inner=Inner(a=1, more={"m": 1}))
    write = saved(before, Thing(pk="a", inner=Inner(a=2, more={"m": 2}), notes={"k": "v"}))
    condition: str = write.request.body["ConditionExpression"]
    for name, value in write.request.body["ExpressionAttributeValues"].items():
        condition = condition.replace(name, str(value))
    for name, value in write.request.body["ExpressionAttributeNames"].items():
        condition = condition.replace(name, value)
    kind = {"S": "M"}
    assert condition == (
        f"attribute_exists(pk) AND attribute_type(inner.more, {kind}) AND attribute_type(notes, {kind})"
    )
    assert write.inside == (("inner", "more"), ("notes",))
    assert write.request.repeatable, "the maps are there after it as well"


def test_wholes_are_replaced_whole() -> None:
    """What appears, disappears, is a list, of a union, or made by a user's hook is one value."""
    before = Thing(pk="a", inner=Inner(), money=Money(1), wallet={"w": Money(1)}, items=[Inner()])
    after = Thing(pk="a", money=Money(2), wallet={"w": Money(2)}, pet=Dog("x"), items=[Inner(a=1)])
    assert [(clause, path) for clause, path, _ in sent(before, after)] == [
        ("REMOVE", ("inner",)),
        ("SET", ("money",)),
        ("SET", ("wallet", "w")),
        ("SET", ("pet",)),
        ("SET", ("items",)),
    ]


def test_a_map_that_is_only_a_default_is_set_whole() -> None:
    """Where the table has no such attribute, there is nothing to go into; what is noted of the table follows."""
    before, after = Thing(pk="a"), Thing(pk="a", other=Inner(a=1), notes={"k": "v"})
    write = saved(before, after, held={"pk": {"S": "a"}})
    assert [(clause, path) for clause, path, _ in changes(write.request.body)] == [
        ("SET", ("other",)),
        ("SET", ("notes",)),
    ]
    assert write.inside == ()
    assert write.held == {
        "pk": {"S": "a"},
        "notes": {"M": {"k": {"S": "v"}}},
        "other": SPEC.codec.encode(after)["other"],
    }
    assert write.item == SPEC.codec.encode(after)


def test_an_entry_without_a_name_is_never_named() -> None:
    """DynamoDB has no empty names in expressions: such a map is replaced whole."""
    assert sent(Thing(pk="a", notes={"": "1"}), Thing(pk="a", notes={"": "2"})) == [
        ("SET", ("notes",), {"M": {"": {"S": "2"}}})
    ]


@pytest.mark.parametrize("length", [3, 60])
def test_many_entries_fall_back_to_the_attribute(length: int) -> None:
    """Where the paths need more than 4 KB, the attributes that changed are set whole, and only these."""
    before = Thing(pk="a", inner=Inner(a=1), notes={"k": "v"})
    after = Thing(pk="a", inner=Inner(a=2), notes={"k": "v", **{f"{n:0{length}}": "v" for n in range(400)}})
    write = saved(before, after)
    assert [path for _, path, _ in changes(write.request.body)] == [("inner",), ("notes",)]
    assert (write.inside, write.held) == ((), write.item)
    assert len(write.request.body["UpdateExpression"]) < 100


def test_many_maps_fall_back_to_the_attribute() -> None:
    """The condition has its 4 KB and 300 operators too: as many maps as that are replaced whole."""

    @model(table="deep")
    class Deep:
        pk: Attr[str] = partition_key()
        maps: Attr[dict[str, dict[str, int]]] = attr(factory=dict)

    spec = spec_of(Deep)

    def paths(count: int) -> set[tuple[str, ...]]:
        seen = spec.codec.encode(Deep(pk="a", maps={str(n): {"x": 1} for n in range(count)}))
        after = Deep(pk="a", maps={str(n): {"x": 2} for n in range(count)})
        write = save_item(spec, "t", after, Stored(seen, seen), NOW)
        assert write is not None
        assert len(write.request.body["ConditionExpression"]) <= 4096
        assert write.request.body["ConditionExpression"].count("attribute_") * 2 - 1 <= 300
        return {path for _, path, _ in changes(write.request.body)}

    assert paths(80) == {("maps", str(n), "x") for n in range(80)}
    assert paths(149) == paths(250) == {("maps",)}


def test_more_attributes_than_an_expression_holds() -> None:
    """Then save says so, before anything is sent, and what to do."""
    fields: dict[str, Any] = {f"a{n}": attr(default=0) for n in range(400)}
    annotations: dict[str, Any] = {"pk": Attr[str], **dict.fromkeys(fields, Attr[int])}
    namespace = {"__annotations__": annotations, "__module__": __name__, "pk": partition_key(), **fields}
    wide: Any = model(table="wide")(type("Wide", (), namespace))
    spec, item = spec_of(wide), wide(pk="a")
    seen = spec.codec.encode(item)
    for name in fields:
        setattr(item, name, 1)
    with pytest.raises(
        InvalidExpression, match=r"save\(\) of the Wide changes 400 attributes: .* allows 4,096.* put\(\)"
    ):
        save_item(spec, "t", item, Stored(seen, seen), NOW)


def test_a_condition_goes_with_it() -> None:
    """``where`` is insisted on besides all else, and the write is not repeated, since it may change what it insists on."""
    before, after = Thing(pk="a"), Thing(pk="a", notes={"a": "b"})
    seen = SPEC.codec.encode(before)
    write = save_item(SPEC, "t", after, Stored(seen, seen), NOW, where=Thing.money.not_exists())
    assert write is not None
    assert "attribute_not_exists(" in write.request.body["ConditionExpression"]
    assert not write.request.repeatable
    assert saved(before, after).request.repeatable


def test_a_changed_key_is_refused() -> None:
    """save() cannot move an item."""
    with pytest.raises(UsageError, match=r"Thing\.pk is a key attribute and was changed to 'b'"):
        saved(Thing(pk="a"), Thing(pk="b"))


def test_maps_inside() -> None:
    """The innermost maps of updates, which are there only where all others are."""
    paths = [("a",), ("b", "c"), ("b", "d"), ("b", "e", "f"), ("g", "h", "i")]
    assert maps_inside(replacement(path, None) for path in paths) == (("b", "e"), ("g", "h"))
