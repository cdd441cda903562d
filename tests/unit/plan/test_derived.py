"""Writes of instances with templated keys: what a save, a soft delete and a restore do to the keys of indexes, and to which item."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    IndexKey,
    InvalidKey,
    ItemTooLarge,
    Key,
    Table,
    UsageError,
    attr,
    embedded,
    model,
    unique,
)
from dynamorm_async.database.succeeded import settle
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.unique import known_before, markers
from tests.property.applying import apply
from tests.unit.plan.derived_models import (
    NOW,
    PLACED_TEXT,
    STAMP,
    WRITES,
    Event,
    Order,
    Task,
    changed,
    order,
    read,
    shop,
)

TASK: dict[str, Any] = {"number": "1", "team": "t", "owner": "o"}


def task(**given: Any) -> Task:
    """One that was read, of version 1."""
    return read(Task(**TASK, **given))  # type: ignore[no-any-return]  # read() gives back what it is given


# --- save -----------------------------------------------------------------------------------------


def test_a_save_writes_the_keys_that_differ() -> None:
    """Of the whole item; removed where it leaves an index; indexes that nothing of the change decides over are left alone."""
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"note": "x"}, {}),
        ({"due": 3}, {"gsi1pk": "STATUS#open", "gsi1sk": "0003"}),
        ({"status": "paid"}, {"gsi1pk": "STATUS#paid", "gsi1sk": "0000"}),
        ({"status": "closed"}, {"gsi1pk": None, "gsi1sk": None}),
        ({"coupon": "y"}, {"gsi3pk": "COUPON#y"}),
        ({"coupon": None}, {"gsi3pk": None}),
    ]
    for attributes, expected in cases:
        instance = read(order(coupon="x"))
        for name, value in attributes.items():
            setattr(instance, name, value)
        assert changed(WRITES.save(instance)) == expected


def test_an_untouched_item_saves_nothing() -> None:
    """Read or written, by both paths of the codec, also after a pickle."""
    spec = spec_of(Order)
    write = WRITES.create(order(coupon="x"))
    settle(write)
    assert write.item is not None
    for instance in (
        write.instance,
        read(order(coupon="x")),
        spec.codec.decode(write.item),
        pickle.loads(pickle.dumps(read(order()))),  # noqa: S301 - its own
        task(),
    ):
        assert instance is not None
        assert WRITES.save(instance) is None


def test_a_save_brings_an_item_from_before_the_index_into_it() -> None:
    """Keys that the table lacks, or has otherwise, are what differs; so is a missing type. Then nothing does."""
    instance = read(order(), gsi2pk=None, gsi2sk={"S": "stale"}, gsi3pk={"S": "COUPON#old"}, _type=None)
    write = WRITES.save(instance)
    assert write is not None
    assert changed(write) == {"_type": "order", "gsi2pk": "ORDERS", "gsi2sk": PLACED_TEXT, "gsi3pk": None}
    settle(write)
    assert WRITES.save(instance) is None


def test_a_default_that_a_key_is_made_from_is_stored() -> None:
    """An item without it is in the index as its instance has it, so the table gets both."""
    instance = read(order(), due=None, gsi1pk=None, gsi1sk=None)
    assert instance.due == 0
    write = WRITES.save(instance)
    assert changed(write) == {"gsi1pk": "STATUS#open", "gsi1sk": "0000"}
    assert changed(write, "due") == {"due": "0"}


def test_a_save_without_a_version_insists_on_what_keys_are_made_from() -> None:
    """So that no key is made from what others have changed; with a version, that says it all."""
    instance = read(order())
    instance.due = 3
    write = WRITES.save(instance)
    assert write is not None
    assert write.insists == {"state": {"S": "open"}}
    assert write.request.repeatable, "it holds after the write as well"
    instance = read(order())
    instance.note = "x"
    plain = WRITES.save(instance)
    assert plain is not None
    assert plain.insists == {}
    versioned = task()
    versioned.owner = "p"
    other = WRITES.save(versioned)
    assert other is not None
    assert other.insists == {}
    assert changed(other) == {"gsi3pk": "OF#p#000002"}


def test_a_save_without_a_version_sets_keys_that_others_may_have_moved() -> None:
    """Where it sets what a key is made from, also a key that is as it was read; with a version, that one is left alone."""
    instance = read(order())
    instance.due = 3
    assert changed(WRITES.save(instance)) == {"gsi1pk": "STATUS#open", "gsi1sk": "0003"}
    versioned = task()
    versioned.team = "u"
    assert changed(WRITES.save(versioned)) == {"gsi1pk": "TASKS#u", "gsi2pk": "LIVE#u", "gsi3pk": "OF#o#000002"}


def test_an_item_that_leaves_an_index_gets_rid_of_keys_that_were_not_read() -> None:
    """What was read through another index need not have shown them."""
    instance = read(order(), gsi1pk=None, gsi1sk=None)
    instance.status = "closed"
    write = WRITES.save(instance)
    assert write is not None
    assert {"gsi1pk": None, "gsi1sk": None}.items() <= changed(write).items()


def test_a_save_outside_of_an_index_insists_on_what_keeps_it_outside() -> None:
    """Somebody who brings the item into the index meanwhile makes its keys of the former value."""
    instance = read(order(status="closed", due=3))
    instance.due = 4
    write = WRITES.save(instance)
    assert write is not None
    assert (changed(write, "due"), write.insists) == ({"due": "4"}, {"state": {"S": "closed"}})


def test_a_save_into_a_map_insists_on_the_rest_of_it() -> None:
    """Somebody else may change another entry, on which the condition of an index depends as well."""
    instance: Any = read(Visit(number="1", place=Place(city="Rome", zip="1")))
    instance.place.city = "Bari"
    write = WRITES.save(instance)
    assert write is not None
    assert changed(write) == {"gsi3pk": "VISIT#1"}
    assert write.insists == {"number": {"S": "1"}, "place": {"M": {"city": {"S": "Rome"}, "zip": {"S": "1"}}}}
    assert not write.request.repeatable, "it does not hold after the write"
    instance = read(Visit(number="1", place=None))
    instance.place = Place(city="Bari", zip="1")
    whole = WRITES.save(instance)
    assert whole is not None
    assert (whole.insists, whole.request.repeatable) == ({"number": {"S": "1"}}, True)


@embedded
class Place:
    city: Attr[str] = attr()
    zip: Attr[str] = attr()


@model(
    shop,
    type="visit",
    pk="VISIT#{number}",
    sk="VISIT",
    gsi3=IndexKey("VISIT#{number}", when=lambda visit: (visit.place["city"] == "Bari") & (visit.place["zip"] == "1")),
)
class Visit:
    number: Attr[str] = attr()
    place: Attr[Place | None] = attr(default=None)


def test_what_is_remembered_after_a_write() -> None:
    """The keys as the table has them then: the next save compares with those."""
    instance: Any = task()
    for name, value in [("owner", "p"), ("owner", None), ("team", "u")]:
        setattr(instance, name, value)
        write = WRITES.save(instance)
        assert write is not None
        assert write.item is not None
        settle(write)
        spec = spec_of(Task)
        stored = spec.codec.known(instance)
        assert stored is not None
        assert spec.derived is not None
        assert stored.carried == spec.derived.of(stored.held)
        assert not stored.seen.keys() & stored.carried.keys()


def test_many_changes_fall_back_to_whole_attributes_and_keep_the_keys() -> None:
    """More maps than one condition can name: each attribute whole, and the keys as they are to be."""
    names = [f"k{number}" for number in range(400)]
    instance = read(order(items=dict.fromkeys(names, 1)))
    instance.items = dict.fromkeys(names, 2)
    instance.status, instance.coupon = "closed", "z"
    write = WRITES.save(instance)
    assert write is not None
    assert changed(write) == {"gsi1pk": None, "gsi1sk": None, "gsi3pk": "COUPON#z"}
    assert write.inside == ()


def test_keys_count_for_the_size_of_an_item() -> None:
    """An item that fits only without its keys does not fit."""
    instance = read(order(coupon="c" * 2000))
    instance.note = "x" * (400 * 1024 - 2300)
    with pytest.raises(ItemTooLarge):
        WRITES.save(instance)


def test_a_key_that_cannot_be_is_refused() -> None:
    """As create() refuses it."""
    instance = read(order())
    instance.due = 10_000
    with pytest.raises(InvalidKey, match=r"Order\.due is '10000'"):
        WRITES.save(instance)


# --- which item -------------------------------------------------------------------------------------


@pytest.mark.parametrize("component", ["customer", "number", "placed"])
def test_a_save_cannot_move_an_item(component: str) -> None:
    """A changed component is a changed key, even where the key itself stays the same."""
    instance = read(order())
    setattr(instance, component, datetime(2026, 1, 1, 11, tzinfo=UTC) if component == "placed" else "x")
    with pytest.raises(UsageError, match=rf"Order\.{component} is a key attribute and was changed"):
        WRITES.save(instance)


def test_an_item_under_another_key_is_not_taken_for_the_one_that_it_says() -> None:
    """Other programs may write attributes that make another key: nothing is written to that other item."""
    spec = spec_of(Order)
    stray = read(order(), sk={"S": "ORDER#2026-02-02#7"})
    raw = dict(WRITES.put(order()).request.body["Item"]) | {"sk": {"S": "ORDER#2026-02-02#7"}}
    calls: list[tuple[str, Callable[[Any], object]]] = [
        ("save", WRITES.save),
        ("delete", WRITES.delete),
        ("check", lambda one: WRITES.check(one, [Order.note == "x"])),
    ]
    for instance in (stray, spec.codec.decode(raw), pickle.loads(pickle.dumps(stray))):  # noqa: S301 - its own
        instance.note = "x"
        for call, write in calls:
            with pytest.raises(UsageError) as caught:
                write(instance)
            assert str(caught.value).startswith(
                f"{call}() of this Order would write to another item: it was read with sk='ORDER#2026-02-02#7', but its "
                "attributes make 'ORDER#2026-01-01#7' from 'ORDER#{placed:%Y-%m-%d}#{number}'"
            )
        assert WRITES.put(instance).key["sk"] == {"S": "ORDER#2026-01-01#7"}, "put() writes it under its present key"


def test_an_attribute_that_only_the_key_tells() -> None:
    """An item without it is the item of its key; a save leaves that so."""
    instance = read(order(), number=None)
    assert instance.number == "7"
    instance.note = "x"
    write = WRITES.save(instance)
    assert write is not None
    assert write.key["sk"] == {"S": "ORDER#2026-01-01#7"}


# --- soft delete and restore -----------------------------------------------------------------------------


def test_a_soft_delete_of_an_instance() -> None:
    """The item leaves the index of live ones; what is made from the time and the version is made anew."""
    instance = task()
    write = WRITES.delete(instance)
    assert changed(write) == {"gsi2pk": None, "gsi2sk": None, "gsi3pk": "OF#o#000002"}
    settle(write)
    write = WRITES.restore(instance)
    assert changed(write) == {"gsi2pk": "LIVE#t", "gsi2sk": STAMP, "gsi3pk": "OF#o#000003"}
    settle(write)
    assert WRITES.save(instance) is None


def test_a_soft_delete_knows_what_the_table_has() -> None:
    """Not what was changed on the instance and not saved."""
    instance = task()
    instance.team = "unsaved"
    settle(WRITES.delete(instance))
    assert changed(WRITES.restore(instance))["gsi2pk"] == "LIVE#t"


def test_an_instance_that_was_not_read() -> None:
    """Only its key and its version are known of the item."""
    fresh = Task(**TASK)
    with pytest.raises(UsageError, match=r"restore.*team and made, which are not known"):
        WRITES.restore(fresh)


# --- put and create -----------------------------------------------------------------------------------------


def test_a_put_has_all_derived_attributes() -> None:
    """Of the item as it is sent: with the times and the version of the write."""
    for write in (WRITES.create(Task(**TASK)), WRITES.put(Task(**TASK))):
        item = write.request.body["Item"]
        derived = spec_of(Task).derived
        assert derived is not None
        assert derived.of(item).items() <= item.items()
        assert item["gsi1sk"] == {"S": STAMP}
        assert item["gsi3pk"] == {"S": "OF#o#000001"}
        assert write.key_of == Key(Task, "1")


def test_a_put_without_a_plain_key_of_an_index_has_no_other_key_of_it() -> None:
    """Half of an index's key is none."""
    event = Event(stream="s", at=1, day="d")
    assert "gsi1pk" not in WRITES.put(event).request.body["Item"]
    event.kind = "k"
    assert WRITES.put(event).request.body["Item"]["gsi1pk"] == {"S": "DAY#d"}


def test_applying_a_save_gives_the_derived_attributes() -> None:
    """What the request makes of the item that was read is what the model says of it."""
    table = dict(WRITES.create(order(coupon="x")).request.body["Item"])
    instance: Any = spec_of(Order).codec.decode(table)
    instance.status, instance.due, instance.coupon = "paid", 12, None
    write = WRITES.save(instance)
    assert write is not None
    after = apply(write.request.body, table)
    derived = spec_of(Order).derived
    assert derived is not None
    names = {one.name for one in derived.carried}
    assert {name: value for name, value in after.items() if name in names} == derived.of(after)


# --- unique values --------------------------------------------------------------------------------------------

members = Table("members", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk")])


@model(members, type="member", pk="ORG#{org}", sk="{joined:%Y}#{number}", gsi1="MAIL#{email}")
class Member:
    org: Attr[str] = attr()
    joined: Attr[datetime] = attr()
    number: Attr[str] = attr()
    email: Attr[str | None] = attr(default=None)

    one_email = unique("org", "email")


def test_unique_values_of_an_item_with_a_templated_key() -> None:
    """A new item takes its values with those of its key; the marker's owner is the key in the table."""
    key = Key(Member, "acme", NOW, "7")
    write = WRITES.update(key, [Member.email.set("a@b.c")], upsert=True)
    (marker,) = markers([write], {0: None})
    assert marker.id.value == 'Member.one_email#[{"S":"acme"},{"S":"a@b.c"}]'
    assert marker.owner == {"pk": {"S": "ORG#acme"}, "sk": {"S": "2026#7"}}
    created = WRITES.create(Member(org="acme", joined=NOW, number="7", email="a@b.c"))
    assert known_before(created) is None
    assert markers([created], {0: None}) == (marker,)
    instance = read(Member(org="acme", joined=NOW, number="7", email="a@b.c"))
    instance.email = "d@e.f"
    saved = WRITES.save(instance)
    assert saved is not None
    assert saved.unique == {"email": {"S": "d@e.f"}}
    assert changed(saved) == {"gsi1pk": "MAIL#d@e.f"}
