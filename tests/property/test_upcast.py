"""For any chain of upcasters and any old item: reading it is reading the item that the chain makes, and saving migrates."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import Attr, attr, embedded, model, partition_key, upcast, version
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.native import from_attribute_value, to_attribute_value
from dynamorm_async.database.succeeded import settle
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from tests.property.applying import Refused, apply
from tests.property.sizing import examples

Item = dict[str, Any]
Change = Callable[[Item], Item]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITES = Writes(prefix="", clock=lambda: NOW)
CURRENT = 4
CHAIN: dict[int, list[Change]] = {}
"""What the upcasters of an example do, by the version that they are from."""


def run(item: Item, version: int) -> Item:
    for change in CHAIN[version]:
        item = change(item)
    return item


@embedded
class Address:
    city: Attr[str]
    zip: Attr[str | None] = attr(default=None)


@model("plain", schema=CURRENT)
class Plain:
    pk: Attr[str] = partition_key()
    a: Attr[Any] = attr(default=None)
    b: Attr[Any] = attr(default="default")
    n: Attr[int] = attr(default=7)
    tags: Attr[set[str]] = attr(factory=set)
    address: Attr[Address | None] = attr(default=None)

    one = upcast(from_version=1)(lambda item: run(item, 1))
    two = upcast(from_version=2)(lambda item: run(item, 2))
    three = upcast(from_version=3)(lambda item: run(item, 3))


@model("versioned", schema=CURRENT)
class Versioned(Plain):
    revision: Attr[int] = version()


MODELS = (Plain, Versioned)
FREE = ("a", "b", "x", "y")
"""Attributes that can hold anything: two of the model, two that it does not know."""

scalars = st.sampled_from([None, True, "", "t", 0, 12, Decimal("0.5"), b"\x00\xff"])
values = st.recursive(
    scalars | st.sets(st.sampled_from("ab"), min_size=1).map(frozenset),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["k", "l", ""]), inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from(FREE)


def rename(old: str, new: str) -> Change:
    def change(item: Item) -> Item:
        return {**item, new: item.pop(old)} if old in item and old != new else item

    return lambda item: {name: value for name, value in change(item).items() if name != old or old == new}


def drop(name: str) -> Change:
    return lambda item: {other: value for other, value in item.items() if other != name}


def fill(name: str, value: Any) -> Change:
    return lambda item: {name: copy.deepcopy(value), **item}


def wrap(name: str) -> Change:
    return lambda item: {**item, name: {"k": item[name]}} if name in item else item


def count(name: str) -> Change:
    return lambda item: {**item, "n": len(str(item.get(name)))}


def move(city: str) -> Change:
    """Changes one entry of the address, as an upcaster of nested data does; entries that it does not know stay."""
    return lambda item: {**item, "address": {**(item.get("address") or {}), "city": city, "new": 1}}


changes = st.one_of(
    st.builds(rename, names, names),
    st.builds(drop, names),
    st.builds(fill, names, scalars),
    st.builds(wrap, names),
    st.builds(count, names),
    st.builds(move, st.sampled_from(["Rome", "Oslo"])),
)
chains = st.fixed_dictionaries({version: st.lists(changes, max_size=3) for version in range(1, CURRENT)})
addresses = st.fixed_dictionaries(
    {"city": st.sampled_from(["Rome", "Bari"])}, optional={"zip": st.none() | st.just("1"), "planet": values}
)
items = st.fixed_dictionaries(
    {"pk": st.just("1")},
    optional={
        **dict.fromkeys(FREE, values),
        "n": st.integers(0, 3),
        "tags": st.sets(st.sampled_from("ab"), min_size=1),
        "address": addresses,
    },
)


def stored(native: Item) -> Item:
    return {name: to_attribute_value(value) for name, value in native.items()}


def upcast_by_hand(native: Item, version: int) -> Item:
    """The chain, run here: between two steps an item is what the table would have made of it."""
    for step in range(version, CURRENT):
        native = {name: from_attribute_value(value) for name, value in stored(run(native, step)).items()}
    return native


def saved(item: object) -> Write:
    write = WRITES.save(item)
    assert write is not None
    return write


def same_item(one: Item, other: Item) -> bool:
    return one.keys() == other.keys() and all(same_value(value, other[name]) for name, value in one.items())


@st.composite
def old_items(draw: st.DrawFn) -> tuple[type[Any], Item, Item]:
    """A model, an old item of it as the table has it, and the same with the chain run over it."""
    CHAIN.update(draw(chains))
    cls, version, native = draw(st.sampled_from(MODELS)), draw(st.integers(1, CURRENT - 1)), draw(items)
    if cls is Versioned:
        native["revision"] = draw(st.integers(1, 3))
    marked = {"_schema": {"N": str(version)}} if version > 1 or draw(st.booleans()) else {}
    plain = {name: from_attribute_value(value) for name, value in stored(native).items()}
    return cls, {**stored(native), **marked}, stored(upcast_by_hand(plain, version))


@examples(300)
@given(old_items())
def test_reading_an_old_item_is_reading_what_the_chain_makes(case: tuple[type[Any], Item, Item]) -> None:
    """The instances are equal, and both remember the same values."""
    cls, old, new = case
    codec = spec_of(cls).codec
    read, expected = codec.decode(old), codec.decode({**new, "_schema": {"N": str(CURRENT)}})
    assert read == expected
    one, other = codec.known(read), codec.known(expected)
    assert one is not None
    assert other is not None
    assert same_item(dict(one.seen), dict(other.seen))
    assert same_item(dict(one.held), dict(other.held))


@examples(400)
@given(old_items(), st.data())
def test_a_save_leaves_what_a_put_would_and_what_is_unknown(
    case: tuple[type[Any], Item, Item], data: st.DataObject
) -> None:
    """Also with changes of the caller's; entries of maps that the model does not know are left beside those that it does."""
    cls, old, new = case
    spec = spec_of(cls)
    read = spec.codec.decode(old)
    if data.draw(st.booleans()):
        read.a, read.n = data.draw(values), data.draw(st.integers(0, 3))
    if read.address is not None and data.draw(st.booleans()):
        read.address.city = "Pisa"
    put: Item = WRITES.put(copy.deepcopy(read)).request.body["Item"]
    write = saved(read)
    after = apply(write.request.body, old)
    expected = {**{name: value for name, value in new.items() if name not in spec.python_names}, **put}
    if "address" in put:
        unknown = {k: v for k, v in new.get("address", {}).get("M", {}).items() if k not in ("city", "zip")}
        expected["address"] = {"M": {**unknown, **put["address"]["M"]}}
    assert same_item(after, expected)
    settle(write)
    assert WRITES.save(read) is None
    reread = spec.codec.decode(after)
    assert reread == read


@examples(300)
@given(old_items(), st.data())
def test_of_two_writers_none_undoes_the_other(case: tuple[type[Any], Item, Item], data: st.DataObject) -> None:
    """A second migration is refused. So is one after a change of the old item, unless it replaces nothing that was changed."""
    cls, old, _ = case
    codec = spec_of(cls).codec
    first, second = saved(codec.decode(old)).request.body, codec.decode(old)
    second.n += 1
    with pytest.raises(Refused):
        apply(saved(second).request.body, apply(first, old))
    name = data.draw(names)
    changed = {**old, name: to_attribute_value(data.draw(values))}
    if cls is Versioned:
        changed["revision"] = {"N": str(int(old["revision"]["N"]) + 1)}
    try:
        after = apply(first, changed)
    except Refused:
        assert not same_item(changed, old)
    else:
        assert cls is Plain
        assert same_value(after[name], changed[name]) or same_item(changed, old)
