"""Instances that were read can be copied, pickled and evolved, and what is known to be in the table stays right."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, attr, embedded, model, partition_key
from dynamorm_async.model.spec import spec_of, spec_of_instance
from dynamorm_async.types import RawItem


@embedded
class Part:
    sizes: Attr[list[int]] = attr(factory=list)


@model(table="items", unknown="keep")
class Keeper:
    item_id: Attr[str] = partition_key()
    blob: Attr[bytes] = attr(default=b"")


@model(table="items")
class Item:
    item_id: Attr[str] = partition_key()
    label: Attr[str | None] = attr(default=None)
    part: Attr[Part] = attr(factory=Part)


RAW: RawItem = {"item_id": {"S": "i1"}, "part": {"M": {"sizes": {"L": [{"N": "3"}]}}}}


def pickled(item: Any) -> Any:
    return pickle.loads(pickle.dumps(item))  # noqa: S301 - what was just dumped


COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, pickled]


def read(cls: type[Any], raw: RawItem) -> Any:  # an instance of the class
    """An item as GetItem's answer gives it."""
    return spec_of(cls).codec.decode_get(msgspec.json.encode({"Item": raw}))


def stored(item: Any) -> RawItem | None:
    """What is known to be in the table."""
    return spec_of_instance(item).codec.stored(item)


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copy_equals_and_knows_what_is_stored(duplicate: Callable[[Any], Any]) -> None:
    """save() of a copy writes what changed on it, as it would for the original."""
    item = read(Item, RAW)
    twin = duplicate(item)
    assert twin == item
    assert twin is not item
    assert stored(twin) == stored(item)
    assert stored(twin) is not None


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copy_of_a_new_instance_is_new(duplicate: Callable[[Any], Any]) -> None:
    """Neither it nor its copy was read."""
    twin = duplicate(Item(item_id="i1", label="x"))
    assert twin == Item(item_id="i1", label="x")
    assert stored(twin) is None


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copy_keeps_unknown_attributes(duplicate: Callable[[Any], Any]) -> None:
    """What the model does not have, and is to keep, is in the item that a copy encodes to; bytes stay bytes."""
    raw: RawItem = {"item_id": {"S": "i1"}, "blob": {"B": "AAE="}, "other": {"BS": ["AAE="]}}
    twin = duplicate(read(Keeper, raw))
    encoded = spec_of(Keeper).codec.encode(twin)
    assert encoded == {"item_id": {"S": "i1"}, "blob": {"B": b"\x00\x01"}, "other": {"BS": [b"\x00\x01"]}}


def test_deep_copies_share_nothing() -> None:
    """A change inside the copy is not one of the original."""
    item = read(Item, RAW)
    twin = copy.deepcopy(item)
    twin.part.sizes.append(4)
    assert item.part.sizes == [3]


def test_an_evolved_instance_is_a_new_one() -> None:
    """attrs.evolve calls the constructor: the result was never read, so save() creates it."""
    item = read(Item, RAW)
    evolved = attrs.evolve(item, label="x")
    assert (evolved.item_id, evolved.label, evolved.part) == ("i1", "x", Part(sizes=[3]))
    assert stored(evolved) is None
    assert stored(item) is not None


@pytest.mark.parametrize("duplicate", COPIES)
def test_an_embedded_instance_can_be_copied(duplicate: Callable[[Any], Any]) -> None:
    """Embedded classes are ordinary objects as well."""
    assert duplicate(Part(sizes=[1])) == Part(sizes=[1])
