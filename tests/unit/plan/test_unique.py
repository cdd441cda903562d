"""Which unique values a write touches, what its item must still have, and what becomes of the markers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import Attr, InvalidKey, Key, UsageError, attr, model, partition_key, sort_key, unique, updated_at
from dynamorm_async.plan.unique import Before, MarkerId, guarded, known_before, markers, same_before
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import UNSET
from tests.unit.plan.shown import shown

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WRITES = Writes(prefix="x-", clock=lambda: NOON)


@model(table="people")
class Person:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    email: Attr[str | None] = attr(default=None)
    first: Attr[str | None] = attr(default=None)
    last: Attr[str | None] = attr(default=None)
    size: Attr[Decimal | None] = attr(default=Decimal(0))
    age: Attr[int] = attr(default=0)
    changed: Attr[datetime] = updated_at()

    one_email = unique("email")
    one_name = unique("first", "last")
    one_size = unique("size")


KEY = Key(Person, "acme", 1)
OWNER = {"org": {"S": "acme"}, "number": {"N": "1"}}
NULL = {"NULL": True}


def person(number: int = 1, **values: Any) -> Person:
    values.setdefault("size", None)
    return Person(org="acme", number=number, **values)


def read(**values: Any) -> Person:
    """A person as it was read from the table."""
    result = person(**values)
    codec = WRITES.create(result).spec.codec
    codec.remember(result, codec.encode(result))
    return result


def moved(write: Write, before: Before) -> list[tuple[str, str]]:
    """What becomes of the markers, in short."""
    return [
        ("release" if marker.owner is None else "claim", marker.id.value.removeprefix("Person."))
        for marker in markers([write], {0: before})
    ]


def before(**values: str) -> Before:
    return {name: {"S": value} for name, value in values.items()}


def test_writes_that_touch_no_unique_value_are_plain() -> None:
    """Updates and saves of other attributes are single requests, conditions and return values included."""
    there = read(email="a")
    there.age = 3
    save = WRITES.save(there)
    assert save is not None
    update = WRITES.update(KEY, [Person.age.add(1)], where=Person.email == "a", returns="old")
    assert (save.unique, update.unique) == (None, None)
    assert not WRITES.check(KEY, [Person.email == "a"]).unique


def test_put_and_create_touch_all() -> None:
    """A whole item is written, so all its values are taken, and those that it leaves out are given up."""
    for write in (WRITES.create(person(email="a", last="b")), WRITES.put(person(email="a", last="b"))):
        assert write.unique == {"email": {"S": "a"}, "first": None, "last": {"S": "b"}, "size": NULL}
        assert moved(write, None) == [("claim", 'one_email#[{"S":"a"}]')]


def test_delete_gives_all_up() -> None:
    """What the item had is free afterwards; an item that is not there has nothing."""
    write = WRITES.delete(KEY)
    assert moved(write, before(email="a", first="b", last="c")) == [
        ("release", 'one_email#[{"S":"a"}]'),
        ("release", 'one_name#[{"S":"b"},{"S":"c"}]'),
    ]
    assert moved(write, None) == []


def test_update_touches_what_it_names() -> None:
    """The constraints of the changed attributes only, with the other attributes of the same constraint as they are."""
    write = WRITES.update(KEY, [Person.first.set("x"), Person.age.add(1)])
    assert write.unique == {"first": {"S": "x"}}
    assert moved(write, before(email="a", first="b", last="c")) == [
        ("release", 'one_name#[{"S":"b"},{"S":"c"}]'),
        ("claim", 'one_name#[{"S":"x"},{"S":"c"}]'),
    ]
    assert moved(write, before(email="a", first="b")) == []


@pytest.mark.parametrize("change", [Person.email.remove(), Person.email.set(None)])
def test_a_removed_value_is_given_up(change: Any) -> None:
    """remove(), and set(None), which is the same."""
    write = WRITES.update(KEY, [change])
    assert moved(write, before(email="a")) == [("release", 'one_email#[{"S":"a"}]')]


def test_null_takes_nothing() -> None:
    """An attribute whose default is another stores None as NULL; that is no value either, before or after."""
    write = WRITES.update(KEY, [Person.size.set(None)])
    assert write.unique == {"size": NULL}
    assert moved(write, {"size": {"N": "5"}}) == [("release", 'one_size#[{"N":"5"}]')]
    assert moved(write, {"size": NULL}) == []
    condition = shown(guarded(write, {"size": NULL}), "ConditionExpression")
    assert condition == "(attribute_exists(org)) AND size = True"


def test_save_touches_what_changed() -> None:
    """Compared with what was read, numbers by value."""
    there = read(email="a", first="b", last="c", size=Decimal("1.50"))
    there.first, there.size = "x", Decimal("1.5")
    write = WRITES.save(there)
    assert write is not None
    assert write.unique == {"first": {"S": "x"}}
    assert known_before(write) == {"first": {"S": "b"}, "last": {"S": "c"}}
    there.size = Decimal("1.6")
    write = WRITES.save(there)
    assert write is not None
    assert write.unique == {"first": {"S": "x"}, "size": {"N": "1.6"}}


def test_a_value_that_is_set_again_is_claimed_again() -> None:
    """So an item that was there before the constraint gets its marker by a put; nothing is released."""
    there = read(email="a")
    write = WRITES.put(there)
    assert moved(write, before(email="a")) == [("claim", 'one_email#[{"S":"a"}]')]


def test_what_is_known_before() -> None:
    """create: no item. What was read: its values. A new instance: taken to be the first. A key alone: to be read."""
    there = read(email="a", first="b")
    assert known_before(WRITES.create(there)) is None
    assert known_before(WRITES.put(person(email="a"))) is None
    assert known_before(WRITES.put(there)) == {"email": {"S": "a"}, "first": {"S": "b"}, "last": None, "size": NULL}
    for write in (WRITES.delete(KEY), WRITES.update(KEY, [Person.email.set("b")]), WRITES.delete(there)):
        assert known_before(write) is UNSET


def test_the_same_values_are_the_same_guess() -> None:
    """Numbers by value; no item is not an item without values."""
    assert same_before({"a": {"N": "1.0"}, "b": None}, {"a": {"N": "1"}})
    assert same_before(None, None)
    assert not same_before(None, {"a": None})
    assert not same_before({"a": {"S": "1"}}, {"a": {"N": "1"}})


def test_the_item_must_still_have_the_values() -> None:
    """The guard joins the caller's condition, whole, with placeholders of its own; the request itself is not changed."""
    write = WRITES.update(KEY, [Person.first.set("x")], where=(Person.age > 3) | (Person.age < 1))
    body = guarded(write, before(first="b"))
    expected = "(attribute_exists(org) AND (age > 3 OR age < 1)) AND first = b AND attribute_not_exists(last)"
    assert shown(body, "ConditionExpression") == expected
    assert shown(body, "UpdateExpression") == shown(write.request.body, "UpdateExpression")
    assert body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert "last" not in write.request.body["ExpressionAttributeNames"].values()
    assert shown(guarded(WRITES.put(person()), None), "ConditionExpression") == "attribute_not_exists(org)"
    create = WRITES.create(person())
    assert guarded(create, None) == create.request.body


def test_every_placeholder_is_used_and_has_a_meaning() -> None:
    """DynamoDB refuses names and values that no expression uses, and expressions that use others."""
    for write, there in (
        (WRITES.update(KEY, [Person.first.set("x"), Person.email.set("y")], where=Person.age > 3), before(first="b")),
        (WRITES.put(person(email="a"), where=Person.age > 3), before(email="b")),
        (WRITES.delete(KEY), None),
    ):
        body = guarded(write, there)
        text = f"{body['ConditionExpression']} {body.get('UpdateExpression', '')}"
        used = {word.strip("(),") for word in text.replace("(", " ").split()}
        given = {*body.get("ExpressionAttributeNames", {}), *body.get("ExpressionAttributeValues", {})}
        assert {word for word in used if word[:1] in ("#", ":")} == given


@pytest.mark.parametrize(
    "change", [Person.size.add(1), Person.email.set(Person.first), Person.email.set_default("x"), Person.size.add(0)]
)
def test_a_value_that_is_not_known_beforehand_is_refused(change: Any) -> None:
    """Arithmetic, other attributes and defaults: the marker of the result could not be named. The error says what can."""
    with pytest.raises(
        UsageError, match=r"is unique, so its new value must be known .*\.set\(value\) or .*\.remove\(\)"
    ):
        WRITES.update(KEY, [change])


def test_the_old_item_cannot_be_returned() -> None:
    """A transaction returns nothing of what was there; refused before anything is sent, with the way out."""
    calls: list[Callable[[], Write]] = [
        lambda: WRITES.put(person(), returns="old"),
        lambda: WRITES.delete(KEY, returns="old"),
        lambda: WRITES.update(KEY, [Person.email.set("a")], returns="old"),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"\(returns=\.\.\.\) of Person: .* read the item before"):
            call()


def test_a_value_that_is_too_long_is_refused_by_the_plan() -> None:
    """Before anything is read or sent."""
    with pytest.raises(InvalidKey, match="email is too long to be kept unique"):
        WRITES.update(KEY, [Person.email.set("x" * 2048)])
    with pytest.raises(InvalidKey, match="first and last is too long"):
        WRITES.create(person(first="x" * 1500, last="y" * 1500))


def test_a_claim_and_a_release_as_sent() -> None:
    """A marker must be free or the item's own; it holds the item's key; the one that is there comes back with a refusal."""
    release, claim = markers([WRITES.update(KEY, [Person.email.set("b")])], {0: before(email="a")})
    condition = {
        "TableName": "x-people-unique",
        "ConditionExpression": "attribute_not_exists(#value) OR #owner = :h0",
        "ExpressionAttributeNames": {"#value": "value", "#owner": "owner"},
        "ExpressionAttributeValues": {":h0": {"M": OWNER}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert release.action() == {"Delete": {**condition, "Key": {"value": {"S": 'Person.one_email#[{"S":"a"}]'}}}}
    item = {"value": {"S": 'Person.one_email#[{"S":"b"}]'}, "owner": {"M": OWNER}}
    assert claim.action() == {"Put": {**condition, "Item": item}}


def test_a_foreign_marker_is_left_alone() -> None:
    """One that turned out to be another item's is checked to be still that, and otherwise not touched."""
    value = 'Person.one_email#[{"S":"a"}]'
    writes = [WRITES.delete(KEY)]
    (marker,) = markers(writes, {0: before(email="a")}, {MarkerId("x-people-unique", value)})
    assert marker.action() == {
        "ConditionCheck": {
            "TableName": "x-people-unique",
            "Key": {"value": {"S": value}},
            "ConditionExpression": "#owner <> :h0",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":h0": {"M": OWNER}},
        }
    }


def test_a_value_moves_from_one_item_to_another() -> None:
    """In one transaction that is one action on the marker, which either item may have before: DynamoDB takes no two."""
    other = {**OWNER, "number": {"N": "2"}}
    delete, create = WRITES.delete(KEY), WRITES.create(person(2, email="a"))
    for writes, befores in (
        ([delete, create], {0: before(email="a"), 1: None}),
        ([create, delete], {0: None, 1: before(email="a")}),
    ):
        (marker,) = markers(writes, befores)
        assert (marker.owner, marker.index) == (other, writes.index(create))
        assert sorted(key["number"]["N"] for key in marker.holders) == ["1", "2"]
        condition = marker.action()["Put"]["ConditionExpression"]
        assert condition == "attribute_not_exists(#value) OR #owner = :h0 OR #owner = :h1"


def test_two_items_swap_their_values() -> None:
    """Each marker gets the other owner, in one action each."""
    writes = [
        WRITES.update(KEY, [Person.email.set("b")]),
        WRITES.update(Key(Person, "acme", 2), [Person.email.set("a")]),
    ]
    found = markers(writes, {0: before(email="a"), 1: before(email="b")})
    owners = {marker.id.value[-4]: marker.owner["number"]["N"] for marker in found if marker.owner}
    assert (owners, len(found)) == ({"a": "2", "b": "1"}, 2)


def test_one_value_for_two_items_is_refused() -> None:
    """Two items of one transaction that are given the same value; the error names both, and the attribute."""
    writes = [WRITES.create(person(1, email="a")), WRITES.create(person(2, email="a"))]
    with pytest.raises(
        UsageError, match=r"Person\(org='acme', number='1'\) and .*number='2'\) are given the same email .* unique"
    ):
        markers(writes, {0: None, 1: None})
