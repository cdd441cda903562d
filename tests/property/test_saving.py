"""A save brings the table up to the instance, and touches nothing else, at any depth."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.codec.compare import same_value
from dynamorm_async.database.succeeded import settle
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.saving import save_item
from dynamorm_async.plan.write import Write
from tests.property.applying import Refused, apply, changes
from tests.property.saving_models import REPLACED, Rich, instances
from tests.property.sizing import examples

SPEC = spec_of(Rich)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Item = dict[str, Any]


def read(table: Item) -> Any:  # a Rich
    return SPEC.codec.decode_get(msgspec.json.encode({"Item": table}))


def judged(table: Item) -> Any:  # a Rich, by the general path
    return SPEC.codec.decode(table)


def become(instance: Rich, new: Rich) -> None:
    for name in SPEC.attributes:
        if name not in ("pk", "revision"):
            setattr(instance, name, copy.deepcopy(getattr(new, name)))


def planned(instance: Rich) -> Write | None:
    stored = SPEC.codec.known(instance)
    assert stored is not None
    return save_item(SPEC, "t", instance, stored, NOW)


def expected(new: Any, old: Any, table: Any) -> Any:  # AttributeValues, None for none
    """What the table is to hold: where nothing changed, what it had; inside of maps, entry by entry; else the new.

    A class of a family that became another one is new: nothing of the one before is left in the table.
    """
    if same_value(new, old):
        return table
    if not all(value is not None and "M" in value for value in (new, old, table)) or "" in {**new["M"], **old["M"]}:
        return new
    if new["M"].get("_type") != old["M"].get("_type"):
        return new
    return {"M": merged(new["M"], old["M"], table["M"])}


def merged(new: Item, old: Item, table: Item) -> Item:
    foreign = {name: value for name, value in table.items() if name not in old and name not in new}
    own = {name: expected(new.get(name), old.get(name), table.get(name)) for name in {**old, **new}}
    return foreign | {name: value for name, value in own.items() if value is not None}


def whole(item: Item, old: Item, table: Item) -> Item:
    """The same for the top level, where some attributes are one whole."""
    result = merged(item, old, table)
    for name in REPLACED:
        result[name] = table.get(name) if same_value(item.get(name), old.get(name)) else item.get(name)
    return {name: value for name, value in result.items() if value is not None}


def maps_in(item: Item, at: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Item]]:
    """The maps of an item that entries can be put into, itself included, with their paths."""
    found = [(at, item)]
    for name, value in item.items():
        if "M" in value and name not in REPLACED:
            found += maps_in(value["M"], (*at, name))
    return found


def foreign(at: tuple[str, ...]) -> Item:
    """Something that another writer may put into the map at a path; unknown attributes of classes are of any type."""
    if at in (("places",), ("deep",), ("figures",)) or at[-1:] == ("parts",):
        return {"M": {}}
    if at == ("groups",):
        return {"M": {"_type": {"S": "group"}}}
    if at[:1] == ("deep",):
        return {"NS": ["7"]}
    return {"S": "7"} if at == ("notes",) else {"N": "7"}


def maps_of_figures(table: Item) -> list[Item]:
    """Those that the table has at the top and in the dicts: as what was stored before the family was, they lack things."""
    entries = [value for name in ("figures", "groups") for value in table.get(name, {"M": {}})["M"].values()]
    return [value["M"] for value in [*entries, table.get("figure", {})] if "M" in value]


@st.composite
def tables(draw: st.DrawFn) -> Item:
    """An item as another version of the program may have left it: with unknown attributes, without some that have defaults."""
    table: Item = copy.deepcopy(dict(SPEC.codec.encode(draw(instances)))) | {"revision": {"N": "1"}}
    for name in draw(
        st.sets(st.sampled_from(["name", "home", "notes", "places", "deep", "shape", "figure", "figures", "as_text"]))
    ):
        table.pop(name, None)
    for street in [
        value["M"] for value in (table.get("home"), table.get("addr", {}).get("M", {}).get("where")) if value
    ]:
        if draw(st.booleans()):
            street.pop("n", None)
    if "addr" in table:
        for name in draw(st.sets(st.sampled_from(["where", "lines", "labels"]))):
            table["addr"]["M"].pop(name, None)
    for figure in maps_of_figures(table):
        for name in draw(st.sets(st.sampled_from(["_type", "n", "place", "labels", "parts"]))):
            figure.pop(name, None)
    for inside in (table, *(table[name]["M"] for name in ("addr", "home") if name in table)):
        if draw(st.booleans()):
            inside["unknown"] = {"M": {"deep": {"S": "kept"}}}
    return table


def check_saved(instance: Rich, table: Item, draw: st.DataObject) -> Item:
    """Save the instance as it is now to the table, which others wrote to; the table after it."""
    seen, item = SPEC.codec.known(instance), SPEC.codec.encode(instance)
    assert seen is not None
    old = dict(seen.seen)
    for path, inside in maps_in(table):
        if draw.draw(st.integers(0, 5)) == 0:
            inside[f"foreign{instance.revision}"] = foreign(path)  # others' writes, under the same version
    write = planned(instance)
    assert SPEC.version is not None
    for state in (old, item):
        state.pop("revision", None)
    if write is None:
        assert all(same_value(item.get(name), old.get(name)) for name in {**item, **old})
        return table
    after = apply(write.request.body, table)
    revision = {"N": str(instance.revision + 1)}
    before = {name: value for name, value in table.items() if name != "revision"}
    assert after == whole(item, old, before) | {"revision": revision}
    settle(write)
    return after


@examples(100)
@given(tables(), instances, instances, st.data())
def test_a_save_brings_the_table_up_to_the_instance(table: Item, one: Rich, two: Rich, data: st.DataObject) -> None:
    """Twice in a row: the table has the instance's values, what it does not know at every level, and others' entries."""
    for reader in (read, judged):
        now = copy.deepcopy(table)
        instance = reader(now)
        for new in (one, two):
            become(instance, new)
            now = check_saved(instance, now, data)
            saved = read(now)
            for name in ("pk", "name", "note", "shape", "homes", "as_text", "revision"):
                assert getattr(saved, name) == getattr(instance, name)


@examples(60)
@given(tables())
def test_an_untouched_instance_saves_nothing(table: Item) -> None:
    """Whatever the table lacks or has besides, an instance as it was read needs no request."""
    for reader in (read, judged):
        assert planned(reader(table)) is None


@examples(60)
@given(tables(), instances)
def test_what_is_remembered_is_what_the_table_holds(table: Item, new: Rich) -> None:
    """After a save the instance knows of the table what a reader of it would, inside of maps as well."""
    instance = read(table)
    become(instance, new)
    write = planned(instance)
    if write is None:
        return
    after = apply(write.request.body, table)
    settle(write)
    known, fresh = SPEC.codec.known(instance), SPEC.codec.known(read(after))
    assert known is not None
    assert fresh is not None
    assert same_value({"M": known.held}, {"M": fresh.held})
    assert same_value({"M": known.seen}, {"M": fresh.seen})


@examples(60)
@given(tables(), instances)
def test_a_map_that_is_gone_fails_the_condition(table: Item, new: Rich) -> None:
    """Where another writer took away a map that is changed inside, the condition fails; no path is ever invalid."""
    instance = read(table)
    become(instance, new)
    write = planned(instance)
    inside = (
        {path[0] for _clause, path, _value in changes(write.request.body) if len(path) > 1} if write else set[str]()
    )
    for name in inside:
        assert write is not None
        for value in (None, {"S": "no map"}):
            other: Mapping[str, Any] = {k: v for k, v in table.items() if k != name} | ({name: value} if value else {})
            with pytest.raises(Refused, match="conditional"):
                apply(write.request.body, other)
