"""What an update changed, as DynamoDB returns it: typed values by attribute."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from dynamorm_async import (
    Attr,
    Database,
    DecodeError,
    Key,
    Update,
    UpdatedAttributes,
    UsageError,
    attr,
    embedded,
    model,
    partition_key,
    updated_at,
    version,
)
from dynamorm_async.database.updated import updated_attributes
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.updating import update_item
from dynamorm_async.plan.write import Returns
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@embedded
class Place:
    city: Attr[str] = attr(default="-", name="town")
    floor: Attr[int] = attr(default=0)


@attrs.define(slots=False)
class Titled:
    title: Attr[str] = attr(default="-")  # noqa: RUF009 - attr() makes a field in an ordinary attrs class too


@model(table="rooms")
class Room(Titled):
    pk: Attr[str] = partition_key()
    seats: Attr[int] = attr(default=0, name="s")
    note: Attr[str | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    data: Attr[bytes] = attr(default=b"")
    place: Attr[Place | None] = attr(default=None)
    prices: Attr[list[int]] = attr(factory=list)
    places: Attr[list[Place]] = attr(factory=list)
    days: Attr[dict[str, int]] = attr(factory=dict)


ROOM: Any = Room  # as callers without a type checker have it


@model(table="others")
class Other:
    pk: Attr[str] = partition_key()
    seats: Attr[int] = attr(default=0, name="s")


@model(table="kept")
class Kept:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


def told(answer: object, *changes: Update, cls: type = Room, returns: Returns = "updated_new") -> UpdatedAttributes:
    """The record of an update, from an answer's attributes."""
    key: Any = {"pk": {"S": "a"}}
    write = update_item(spec_of(cls), "t", key, changes, NOON, where=None, upsert=True, returns=returns)
    return updated_attributes(write, json.dumps({"Attributes": answer} if answer is not None else {}).encode())


def test_values_by_attribute() -> None:
    """A changed attribute is decoded as its type, whether it is there or not is told, and nothing else is in it."""
    changes = Room.seats.add(1), Room.note.remove(), Room.data.set(b"x"), Room.title.set("t")
    updated = told(
        {"s": {"N": "3"}, "data": {"B": base64.b64encode(b"x").decode()}, "title": {"S": "t"}, "pk": {"S": "a"}},
        *changes,
    )
    assert (updated[Room.seats], updated[Room.data], updated[Room.title]) == (3, b"x", "t")
    assert updated.get(Room.seats) == 3
    assert Room.seats in updated
    absents: list[Attr[Any]] = [ROOM.note, ROOM.tags, ROOM.pk]
    for absent in absents:
        assert absent not in updated
        assert updated.get(absent) is None
        with pytest.raises(KeyError, match=rf"<Attr Room\.{absent.segments[0]}> is not among what the update changed"):
            updated[absent]
    assert updated.raw["data"] == {"B": b"x"}
    assert repr(updated) == "<UpdatedAttributes of Room: s=3, data=b'x', title='t'>"


def test_paths_inside() -> None:
    """A changed path is told, wherever in a map; so is what lies in an attribute that was changed whole."""
    updated = told(
        {
            "place": {"M": {"town": {"S": "Rome"}}},
            "days": {"M": {"a.b": {"N": "1"}}},
            "prices": {"L": [{"N": "5"}, {"N": "6"}]},
        },
        Room.place / Place.city.set("Rome"),
        Room.days["a.b"].set(1),
        Room.prices.append([6]),
    )
    assert updated[Room.place / Place.city] == "Rome"
    assert updated[Room.place["city"]] == "Rome"
    assert updated[Room.days["a.b"]] == 1
    assert (updated[Room.prices], updated[Room.prices[1]], updated.get(Room.prices[2])) == ([5, 6], 6, None)
    assert (Room.place / Place.floor) not in updated
    whole = told(
        {"place": {"M": {"town": {"S": "Rome"}, "floor": {"N": "2"}}}}, Room.place.set(Place(city="Rome", floor=2))
    )
    assert whole[Room.place / Place.floor] == 2
    assert whole[Room.place] == Place(city="Rome", floor=2)


@pytest.mark.parametrize(
    ("change", "asked", "why"),
    [
        (Room.place / Place.city.set("x"), Room.place, r"only place\.town of <Attr Room\.place> was changed"),
        (Room.days["a"].set(1), Room.days, r"only days\.a of"),
        (Room.prices[1].set(1), Room.prices, r"only prices\[1\] of"),
        (Room.prices[1].set(1), Room.prices[1], r"prices\[1\] is an element of a list"),
        (Room.prices[1].remove(), Room.prices[0], r"prices\[1\] is an element of a list"),
        (
            Room.places[0] / Place.city.set("x"),
            Room.places[0] / Place.city,
            r"places\[0\]\.town is an element of a list",
        ),
        (Room.seats.set(1), Other.seats, r"<Attr Other\.seats> is not of Room"),
        (Room.seats.set(1), Place.city, r"<Attr Place\.city> is not of Room"),
        (Room.seats.set(1), "seats", r"asked for as Room\.attribute, not 'seats'"),
        (Room.seats.set(1), 0, r"asked for as Room\.attribute, not 0"),
    ],
)
def test_what_the_answer_cannot_tell(change: Update, asked: Any, why: str) -> None:
    """Partly changed attributes, elements of lists and other models' attributes are refused, however one asks."""
    updated = told({"s": {"N": "1"}, "prices": {"L": [{"N": "1"}]}, "place": {"M": {}}}, change)
    for ask in (lambda: updated[asked], lambda: updated.get(asked), lambda: asked in updated):
        with pytest.raises(UsageError, match=why):
            ask()


def test_what_the_library_changes_is_in_it() -> None:
    """The version and the time of the write can be asked for."""
    stamp = {"S": "2026-01-01T12:00:00.000000Z"}
    updated = told({"count": {"N": "1"}, "changed": stamp, "revision": {"N": "4"}}, Kept.count.set(1), cls=Kept)
    assert (updated[Kept.revision], updated[Kept.changed], updated[Kept.count]) == (4, NOON, 1)


@pytest.mark.parametrize("answer", [None, {}])
def test_nothing_was_there(answer: Any) -> None:
    """The old attributes of a new item are none: the record is empty."""
    updated = told(answer, Room.seats.add(1), returns="updated_old")
    assert Room.seats not in updated
    assert dict(updated.raw) == {}
    assert repr(updated) == "<UpdatedAttributes of Room: none>"


def test_it_is_a_value() -> None:
    """Records of the same are equal, cannot be changed, and are no sequence."""
    one, other = (told({"s": {"N": "1"}}, Room.seats.set(1)) for _ in range(2))
    assert one == other
    assert one != told({"s": {"N": "2"}}, Room.seats.set(1))
    anything: Any = one
    raw: Any = one.raw
    with pytest.raises(AttributeError):
        anything.raw = None
    with pytest.raises(TypeError):
        raw["s"] = {"N": "2"}
    with pytest.raises(TypeError):
        list(anything)


def test_long_values_are_cut_in_the_repr() -> None:
    """The repr stays readable, and leaves out elements of lists."""
    updated = told({"note": {"S": "x" * 100}, "prices": {"L": []}}, Room.note.set("x"), Room.prices[0].set(1))
    assert repr(updated) == f"<UpdatedAttributes of Room: note='{'x' * 56}...>"


def test_values_that_do_not_fit() -> None:
    """A value of another type is a DecodeError that names item and path, only once it is asked for."""
    updated = told(
        {"s": {"S": "many"}, "place": {"M": {"floor": {"S": "x"}}}}, Room.seats.set(1), Room.place["floor"].set(1)
    )
    with pytest.raises(DecodeError, match=r"the item pk='a' does not fit model Room:\n  s: "):
        updated[Room.seats]
    with pytest.raises(DecodeError, match=r"place\.floor: "):
        updated.get(Room.place / Place.floor)


@pytest.mark.parametrize("answer", [[], "x", {"s": 3}, {"s": {"N": "1", "S": "1"}}])
def test_answers_that_are_none(answer: Any) -> None:
    """An answer without AttributeValues is a DecodeError."""
    with pytest.raises(DecodeError, match=r"the item pk='a'.*\n  Attributes"):
        told(answer, Room.seats.set(1))


@pytest.mark.parametrize(
    ("returns", "sent"),
    [
        ("none", None),
        ("old", "ALL_OLD"),
        ("new", "ALL_NEW"),
        ("updated_old", "UPDATED_OLD"),
        ("updated_new", "UPDATED_NEW"),
    ],
)
async def test_each_return_value(monkeypatch: pytest.MonkeyPatch, returns: Any, sent: str | None) -> None:
    """Each of the five is sent in DynamoDB's words and comes back as what it stands for."""
    lane = record(monkeypatch, json.dumps({"Attributes": {"pk": {"S": "a"}, "s": {"N": "3"}}}).encode())
    async with Database() as db:
        result: Any = await db.update(Key(Room, "a"), Room.seats.set(3), returns=returns)
    assert lane.bodies[0].get("ReturnValues") == sent
    if sent is None:
        assert result is None
    elif sent.startswith("UPDATED"):
        assert type(result) is UpdatedAttributes
        assert result[Room.seats] == 3
    else:
        assert result == Room(pk="a", seats=3)


@pytest.mark.parametrize(
    ("returns", "repeatable"),
    [("none", True), ("new", True), ("updated_new", True), ("old", False), ("updated_old", False)],
)
def test_what_was_there_is_told_once(returns: Returns, repeatable: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    """An update that returns what was there before is never sent again after a lost answer."""
    key: Any = {"pk": {"S": "a"}}
    write = update_item(spec_of(Room), "t", key, [Room.seats.set(1)], NOON, where=None, upsert=True, returns=returns)
    assert write.request.repeatable is repeatable


async def test_other_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A return value that there is none of is a UsageError that names the five, and nothing is sent."""
    lane = record(monkeypatch)
    wrong: Any = "ALL_NEW"
    async with Database() as db:
        with pytest.raises(UsageError, match="'none', 'old', 'new', 'updated_old', 'updated_new'"):
            await db.update(Key(Room, "a"), Room.seats.set(3), returns=wrong)
    assert lane.requests == []


@pytest.mark.parametrize(
    "change", [Room.seats.set(Kept.count), Room.seats.set(Room.seats + Kept.count), Room.seats.set_default(Kept.count)]
)
async def test_operands_are_of_the_model(monkeypatch: pytest.MonkeyPatch, change: Update) -> None:
    """A change that reads an attribute of another model is refused before it is sent."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match=r"the change of Room\.seats reads 'count', which Room does not have"):
            await db.update(Key(Room, "a"), change)
    assert lane.requests == []
