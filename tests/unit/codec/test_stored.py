"""What is known of the table after a read: also where defaults were filled in, at every level."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, attr, embedded, model, partition_key, sort_key
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.stored import Stored
from dynamorm_async.model.spec import spec_of


@embedded
class Line:
    text: Attr[str] = attr(default="-")
    line_id: Attr[UUID] = attr(factory=uuid4)


@attrs.define
class Box:
    inner: Line | None = None
    seal: UUID = attrs.field(factory=uuid4)


@model(table="baskets")
class Basket:
    pk: Attr[str] = partition_key(factory=lambda: uuid4().hex)
    sk: Attr[UUID] = sort_key(factory=uuid4)
    token: Attr[UUID] = attr(factory=uuid4)
    twin: Attr[str] = attr(factory=str)
    line: Attr[Line | None] = attr(default=None)
    lines: Attr[list[Line]] = attr(factory=list)
    named: Attr[dict[str, Line]] = attr(factory=dict)
    box: Attr[Box | None] = attr(default=None)
    notes: Attr[dict[str, str]] = attr(factory=dict)


CODEC = spec_of(Basket).codec
KEY: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"S": str(UUID(int=1))}}
READERS: list[Callable[[Any], Any]] = [
    lambda raw: CODEC.decode_get(msgspec.json.encode({"Item": raw})),
    lambda raw: CODEC.decode_page(msgspec.json.encode({"Items": [raw], "ScannedCount": 1})).items[0],
    CODEC.decode,
]
LACKING: list[dict[str, Any]] = [
    {},
    {"token": {"S": str(UUID(int=2))}, "line": {"M": {}}},
    {"token": {"S": str(UUID(int=2))}, "lines": {"L": [{"M": {"line_id": {"S": str(UUID(int=3))}}}, {"M": {}}]}},
    {"token": {"S": str(UUID(int=2))}, "named": {"M": {"x": {"M": {}}}}},
    {"token": {"S": str(UUID(int=2))}, "box": {"M": {"seal": {"S": str(UUID(int=4))}, "inner": {"M": {}}}}},
    {"token": {"S": str(UUID(int=2))}, "box": {"M": {}}},
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("raw", LACKING)
def test_a_default_that_is_new_each_time_is_no_change(read: Callable[[Any], Any], raw: dict[str, Any]) -> None:
    """What was filled in for an attribute that the table lacks is what the instance was read as, after copies too."""
    basket = read(KEY | raw)
    for known in (basket, copy.deepcopy(basket), pickle.loads(pickle.dumps(basket))):  # noqa: S301 - our own bytes
        assert CODEC.known(known).seen == CODEC.encode(basket)  # type: ignore[union-attr]  # it was just read


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("raw", [*LACKING, {"notes": {"M": {}}, "twin": {"S": "x"}}])
def test_what_the_table_holds(read: Callable[[Any], Any], raw: dict[str, Any]) -> None:
    """Defaults that were filled in are not held, inside of maps neither; lists are wholes."""
    known = CODEC.known(read(KEY | raw))
    assert known is not None
    held = {name: value for name, value in known.held.items() if name != "lines"}
    expected = {name: value for name, value in (KEY | raw).items() if name != "lines"}
    assert same_value({"M": held}, {"M": expected})
    assert ("lines" in known.held) == ("lines" in raw)


def test_whole_items_are_not_noted_twice() -> None:
    """Where nothing was filled in, what was decoded is all that is kept: reading costs no encoding."""
    full = CODEC.encode(Basket(lines=[Line()], line=Line(), box=Box(inner=Line())))
    basket: Any = READERS[0](full)
    assert isinstance(vars(basket)["_dynamorm_stored"], msgspec.Struct)
    assert not isinstance(vars(basket)["_dynamorm_stored"], Stored)
    assert isinstance(vars(READERS[0](KEY))["_dynamorm_stored"], Stored)


def test_what_is_remembered_may_be_less_than_the_instance() -> None:
    """After a write both are known: what the instance has, and what the table has of it."""
    basket = Basket(notes={"a": "b"})
    assert CODEC.known(basket) is None
    CODEC.remember(basket, {"pk": {"S": "a"}, "notes": {"M": {}}}, {"pk": {"S": "a"}})
    known = CODEC.known(basket)
    assert known is not None
    assert (set(known.seen), set(known.held)) == ({"pk", "notes"}, {"pk"})
