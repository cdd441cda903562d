"""Changes by key: which keys of indexes go with them, from what, and when they are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    Condition,
    IndexKey,
    InvalidExpression,
    InvalidKey,
    Key,
    Table,
    Update,
    UsageError,
    attr,
    created_at,
    model,
    partition_key,
)
from tests.property.applying import Refused, apply
from tests.unit.plan.derived_models import (
    PLACED,
    PLACED_TEXT,
    STAMP,
    WRITES,
    Event,
    Order,
    Task,
    changed,
    order,
)

ORDER, TASK, EVENT = Key(Order, "c", PLACED, "7"), Key(Task, "1"), Key(Event, "s", 1)


@pytest.mark.parametrize(
    ("updates", "where", "expected"),
    [
        ([Order.note.set("x")], None, {}),
        ([Order.status.set("paid"), Order.due.set(3)], None, {"gsi1pk": "STATUS#paid", "gsi1sk": "0003"}),
        ([Order.status.set("paid")], Order.due == 3, {"gsi1pk": "STATUS#paid", "gsi1sk": "0003"}),
        ([Order.status.set("closed")], None, {"gsi1pk": None, "gsi1sk": None}),
        ([Order.due.set(3)], Order.status == "closed", {"gsi1pk": None, "gsi1sk": None}),
        ([Order.due.set(3)], Order.status == "paid", {"gsi1pk": "STATUS#paid", "gsi1sk": "0003"}),
        # It is in the index before and after, so a key that is made from nothing that changes stays as it is.
        ([Order.status.set("paid")], (Order.status == "open") & Order.due.exists(), {"gsi1pk": "STATUS#paid"}),
        ([Order.due.add(1), Order.status.set("closed")], None, {"gsi1pk": None, "gsi1sk": None}),
        ([Order.due.remove(), Order.status.set("paid")], None, {"gsi1pk": None, "gsi1sk": None}),
        ([Order.coupon.set("x")], None, {"gsi3pk": "COUPON#x"}),
        ([Order.coupon.set("a#b")], None, {"gsi3pk": "COUPON#a$23b"}),
        ([Order.coupon.set(None)], None, {"gsi3pk": None}),
    ],
)
def test_keys_are_made_anew(updates: list[Update], where: Condition | None, expected: dict[str, Any]) -> None:
    """From what is set, what is insisted on, and the key; removed where the item leaves the index; else left alone."""
    write = WRITES.update(ORDER, updates, where=where)
    assert changed(write) == expected
    assert write.request.repeatable is (where is None and all(update.repeatable for update in updates))


@pytest.mark.parametrize(
    ("updates", "where", "message"),
    [
        (
            [Order.status.set("paid")],
            None,
            (
                "update() of Order: the keys of index gsi1 are made from status, which it changes, and from due, which is not "
                "known here: set due, too, insist with where=Order.due == ..., or change the item with save()"
            ),
        ),
        (
            [Order.due.add(1)],
            Order.status == "open",
            (
                "update() of Order: the keys of index gsi1 are made from due, whose new value is not known beforehand: write "
                "Order.due.set(value), or change the item with save()"
            ),
        ),
        (
            [Order.due.set(1)],
            Order.status != "open",
            (
                "update() of Order: the keys of index gsi1 are made from due, which it changes, and from status, which is not "
                "known here: set status, too, insist with where=Order.status == ..., or change the item with save()"
            ),
        ),
    ],
)
def test_what_is_not_certain_is_refused(updates: list[Update], where: Condition | None, message: str) -> None:
    """The error names the index, what changes, what is missing, and the ways out."""
    with pytest.raises(UsageError) as caught:
        WRITES.update(ORDER, updates, where=where)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "update",
    [
        Order.due.set(Order.due + 1),
        Order.due.set_default(3),
        Order.due.set(Order.due.if_not_exists(3)),
        Order.coupon.set(Order.note),
    ],
)
def test_what_dynamodb_computes_is_refused(update: Update) -> None:
    """Sums, copies and defaults of an input are worked out where the library cannot see them."""
    with pytest.raises(UsageError, match=r"whose new value is not known beforehand.*\.set\(value\)"):
        WRITES.update(ORDER, [update], where=Order.status == "open")


def test_a_key_that_cannot_be_is_refused() -> None:
    """A value that does not fit its format, or makes the key too long."""
    with pytest.raises(InvalidKey, match=r"Order\.due is '10000'"):
        WRITES.update(ORDER, [Order.due.set(10_000)], where=Order.status == "open")
    with pytest.raises(InvalidKey, match=r"Order\.gsi3pk, made from 'COUPON#\{coupon\}': .*2,?048"):
        WRITES.update(ORDER, [Order.coupon.set("x" * 2042)])


def test_components_of_the_key_cannot_be_changed() -> None:
    """Not by update, for the item would be another one."""
    with pytest.raises(UsageError, match=r"Order\.number is a key attribute: the item's key is made from it"):
        WRITES.update(ORDER, [Order.number.set("8")])


def test_the_lifecycle_moves_keys() -> None:
    """updated_at is in each update; the version only where it is insisted on; created_at is as it was."""
    some = (Task.owner == None) & (Task.deleted == None)  # noqa: E711 - it makes a condition
    assert changed(WRITES.update(TASK, [Task.team.set("t")], where=some)) == {
        "gsi1pk": "TASKS#t",
        "gsi1sk": STAMP,
        "gsi2pk": "LIVE#t",
        "gsi3pk": None,
    }
    write = WRITES.update(TASK, [Task.owner.set("o")], where=Task.revision == 4)
    assert changed(write) == {"gsi1sk": STAMP, "gsi3pk": "OF#o#000005"}
    with pytest.raises(
        UsageError, match=r"revision.*insist on the present one with where=Task\.revision == \.\.\., or"
    ):
        WRITES.update(TASK, [Task.owner.set("o")])
    with pytest.raises(
        UsageError, match=r"gsi2.*set made and deleted, too.*\(Task\.made == \.\.\.\) & \(Task\.deleted"
    ):
        WRITES.update(TASK, [Task.team.set("t")], where=Task.owner == None)  # noqa: E711 - it makes a condition


def test_keys_that_the_model_has_itself() -> None:
    """Of those it matters whether they are there."""
    assert changed(WRITES.update(EVENT, [Event.day.set("d"), Event.kind.set("k")])) == {"gsi1pk": "DAY#d"}
    assert changed(WRITES.update(EVENT, [Event.day.set("d")], where=Event.kind != None)) == {  # noqa: E711 - it makes a condition
        "gsi1pk": "DAY#d"
    }
    assert changed(WRITES.update(EVENT, [Event.kind.set(None)])) == {"gsi1pk": None}
    with pytest.raises(UsageError, match="and from kind, which is not known"):
        WRITES.update(EVENT, [Event.day.set("d")])


# --- keys that tell a part of a value only -----------------------------------------------------------

days = Table(
    "days", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi2", "gsi2pk")]
)


@model(
    days,
    type="visit",
    pk="VISITS",
    sk="{at:%Y-%m-%d}",
    gsi1=("{place}", "{at}"),
    gsi2=IndexKey("{place}#{at:%Y-%m-%d}", when=lambda visit: visit.place != "home"),
)
class Visit:
    at: Attr[datetime] = attr()
    place: Attr[str] = attr()


VISIT = Key(Visit, PLACED)


def test_what_the_key_tells_in_part_is_insisted_on() -> None:
    """Where a key is made from more than that; the caller's Key may have midnight where the item has a time."""
    write = WRITES.update(VISIT, [Visit.place.set("x")])
    assert changed(write) == {"gsi1pk": "x", "gsi2pk": "x#2026-01-01"}
    assert write.insists == {}, "the index is not entered, so the time stays where it is"
    write = WRITES.update(VISIT, [Visit.place.set("x")], upsert=True)
    assert changed(write) == {"_type": "visit", "gsi1pk": "x", "gsi1sk": PLACED_TEXT, "gsi2pk": "x#2026-01-01"}
    assert write.insists == {"at": {"S": PLACED_TEXT}}
    assert "OR" in write.request.body["ConditionExpression"]
    exact = WRITES.update(VISIT, [Visit.place.set("x")], upsert=True, where=Visit.at == PLACED)
    assert (changed(exact)["gsi1sk"], exact.insists) == (PLACED_TEXT, {})


# --- upsert -------------------------------------------------------------------------------------------


def test_a_new_item_is_whole() -> None:
    """It gets what its key is made of, its type, and the keys of indexes; an item that is there keeps its time."""
    write = WRITES.update(ORDER, [Order.note.set("x")], upsert=True)
    assert changed(write, "customer", "placed", "number") == {
        "customer": ["c"],
        "placed": [PLACED_TEXT],
        "number": ["7"],
    }
    assert changed(write) == {"_type": "order", "gsi2pk": ["ORDERS"], "gsi2sk": [PLACED_TEXT], "lsi1sk": "c#7"}
    assert write.key_of == ORDER


def test_keys_of_an_upsert() -> None:
    """Made from the key and the changes; with nothing of an index, a new item is not in it."""
    write = WRITES.update(ORDER, [Order.status.set("paid"), Order.due.set(1)], upsert=True)
    assert {"gsi1pk": "STATUS#paid", "gsi1sk": "0001"}.items() <= changed(write).items()
    assert changed(WRITES.update(ORDER, [Order.status.set("closed")], upsert=True))["gsi1pk"] is None
    with pytest.raises(UsageError, match=r"update\(upsert=True\) of Order.*set due, too, or create\(\) the item"):
        WRITES.update(ORDER, [Order.status.set("paid")], upsert=True)
    with pytest.raises(UsageError, match=r"gsi1 are made from due, whose new.*write Order\.due\.set\(value\)$"):
        WRITES.update(ORDER, [Order.due.add(1), Order.status.set("x")], upsert=True)
    assert changed(WRITES.update(EVENT, [Event.day.set("d"), Event.kind.set("k")], upsert=True)) == {
        "_type": "event",
        "gsi1pk": "DAY#d",
    }


logs = Table("logs", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi2", "gsi2pk")])


@model(
    logs,
    type="log",
    pk="LOG#{name}",
    gsi1=("LOGS", "{made}"),
    gsi2=IndexKey("OPEN#{name}", when=lambda log: log.state != "closed"),
)
class Log:
    name: Attr[str] = attr()
    state: Attr[str] = attr(default="open")
    text: Attr[str] = attr(default="")
    made: Attr[datetime] = created_at()


def test_what_only_a_new_item_gets() -> None:
    """created_at and the keys made from it are set where there are none; what depends on more has to be given."""
    write = WRITES.update(Key(Log, "a"), [Log.state.set("open")], upsert=True)
    assert changed(write) == {"_type": "log", "gsi1pk": ["LOGS"], "gsi1sk": [STAMP], "gsi2pk": "OPEN#a"}
    assert changed(write, "made") == {"made": [STAMP]}
    with pytest.raises(UsageError, match="gsi2 are made from state, which is not known here: set state, too"):
        WRITES.update(Key(Log, "a"), [Log.text.set("x")], upsert=True)


def test_first_values_make_no_keys_of_an_item_that_has_others() -> None:
    """An item without keys of an index, but with what they are made from, may have another value: it is left alone."""
    there = {"pk": {"S": "ITEM#a"}, "name": {"S": "a"}, "_type": {"S": "item"}}
    updates = [Item.rank.set_default(7), Item.state.set_default("x")]
    body = WRITES.update(Key(Item, "a"), updates, upsert=True).request.body
    for half in ({"state": {"S": "y"}}, {"rank": {"N": "1"}}, {"state": {"NULL": True}}):
        with pytest.raises(Refused):
            apply(body, {**there, **half})
    made = WRITES.update(Key(Log, "a"), [Log.state.set("open")], upsert=True).request.body
    with pytest.raises(Refused):
        apply(made, {"pk": {"S": "LOG#a"}, "made": {"S": PLACED_TEXT}})


def test_first_values_make_the_keys_of_a_new_item() -> None:
    """And of one that has nothing that they are made from; what has its keys keeps them."""
    updates = [Item.rank.set_default(7), Item.state.set_default("x")]
    body = WRITES.update(Key(Item, "a"), updates, upsert=True).request.body
    keys = {"gsi1pk": {"S": "STATE#x"}, "gsi1sk": {"S": "0007"}}
    assert keys.items() <= apply(body, {}).items()
    bare = {"pk": {"S": "ITEM#a"}, "name": {"S": "a"}, "_type": {"S": "item"}}
    assert keys.items() <= apply(body, bare).items()
    whole = {**bare, "state": {"S": "y"}, "rank": {"N": "1"}, "gsi1pk": {"S": "STATE#y"}, "gsi1sk": {"S": "0001"}}
    assert apply(body, whole) == whole


def test_a_first_value_that_decides_over_an_index_is_refused() -> None:
    """Whether an item that is there is in the index is not known."""
    with pytest.raises(UsageError, match="gsi2 are made from state"):
        WRITES.update(Key(Log, "a"), [Log.state.set_default("open")], upsert=True)


def test_what_leaves_an_index_by_a_part_of_the_key_is_insisted_on() -> None:
    """The Key has a time, of which the item's key tells the day only: by the item's own it may be in the index."""
    table = Table("days", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk")])

    @model(table, type="day", pk="{at:%Y-%m-%d}", gsi1=IndexKey("LATE#{text}", when=lambda day: day.at > PLACED))
    class Day:
        at: Attr[datetime] = attr()
        text: Attr[str] = attr(default="")

    write = WRITES.update(Key(Day, PLACED), [Day.text.set("x")])
    assert (changed(write), write.insists) == ({"gsi1pk": None}, {"at": {"S": PLACED_TEXT}})


items = Table("items", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(items, type="item", pk="ITEM#{name}", gsi1=("STATE#{state}", "{rank:04}"))
class Item:
    name: Attr[str] = attr()
    state: Attr[str | None] = attr(default=None)
    rank: Attr[int | None] = attr(default=None)


stamped = Table("stamped", partition_key="pk", sort_key="sk")


@model(stamped, type="entry", pk="ENTRIES", sk="{made}")
class Entry:
    made: Attr[datetime] = created_at()
    text: Attr[str] = attr(default="")


def test_created_at_in_the_key() -> None:
    """create() makes the key from its time; an upsert has the time from the key, and sets it once."""
    entry = Entry(text="x")
    assert WRITES.create(entry).key == {"pk": {"S": "ENTRIES"}, "sk": {"S": STAMP}}
    write = WRITES.update(Key(Entry, PLACED), [Entry.text.set("x")], upsert=True)
    assert changed(write, "made") == {"made": [PLACED_TEXT]}
    assert write.key["sk"] == {"S": PLACED_TEXT}


# --- by the key of a base -------------------------------------------------------------------------------

payments = Table("payments", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk"), GSI("gsi2", "gsi2pk")])


@model(payments, type="payment", pk="PAYMENT#{number}", gsi1="STATE#{state}")
class Payment:
    number: Attr[str] = attr()
    state: Attr[str] = attr(default="open")
    amount: Attr[int] = attr(default=0)


@model(type="card", gsi2="CARDS#{last4}")
class Card(Payment):
    last4: Attr[str] = attr(default="")


def test_what_a_variant_has_besides() -> None:
    """By the key of its base, only what both make alike can be changed; the type of an item that is there stays."""
    key = Key(Payment, "1")
    assert changed(WRITES.update(key, [Payment.state.set("x")])) == {"gsi1pk": "STATE#x"}
    assert changed(WRITES.update(key, [Payment.state.set("x")], upsert=True))["_type"] == ["payment"]
    assert changed(WRITES.update(Key(Card, "1"), [Card.last4.set("0001")])) == {"gsi2pk": "CARDS#0001"}


def test_an_update_by_the_key_of_a_variant_is_of_its_items_only() -> None:
    """An item of the base, or of another variant, has the same key: it would get what only the variant has."""
    key = Key(Card, "1")
    for write in (WRITES.update(key, [Card.last4.set("1")], upsert=upsert) for upsert in (False, True)):
        body = write.request.body
        for other in ("payment", "transfer"):
            with pytest.raises(Refused):
                apply(body, {"pk": {"S": "PAYMENT#1"}, "_type": {"S": other}})
        for own in ({"_type": {"S": "card"}}, {}):
            assert apply(body, {"pk": {"S": "PAYMENT#1"}, **own})["last4"] == {"S": "1"}
    of_base = WRITES.update(Key(Payment, "1"), [Payment.amount.set(1)]).request.body
    assert "_type" not in str(of_base["ExpressionAttributeNames"])  # all that can have the key are payments


def test_an_update_by_a_plain_key_is_of_the_models_items_only() -> None:
    """Any item of the table can have such a key, but none of another type is changed by it."""
    shared = Table("shared", partition_key="pk")

    @model(shared, type="one")
    class One:
        pk: Attr[str] = partition_key()
        n: Attr[int] = attr(default=0)

    def sent() -> dict[str, Any]:
        return WRITES.update(Key(One, "1"), [One.n.set(1)]).request.body

    alone = sent()["ConditionExpression"]

    @model(shared, type="two", pk="TWO#{name}")
    class Two:
        name: Attr[str] = attr()
        n: Attr[int] = attr(default=0)

    assert alone != sent()["ConditionExpression"]
    assert apply(sent(), {"pk": {"S": "1"}, "_type": {"S": "one"}})["n"] == {"N": "1"}
    with pytest.raises(Refused):
        apply(sent(), {"pk": {"S": "TWO#1"}, "_type": {"S": "two"}})
    with pytest.raises(Refused):
        apply(WRITES.update(Key(Two, "1"), [Two.n.set(1)]).request.body, {"pk": {"S": "TWO#1"}, "_type": {"S": "one"}})


# --- soft delete and restore --------------------------------------------------------------------------------


def test_marks_by_key() -> None:
    """What goes with them has to be certain; an item that leaves an index needs no more than that."""
    with pytest.raises(
        UsageError, match=r"delete\(\) of Task: .*gsi3.*revision.*pass the instance instead of its Key, or"
    ):
        WRITES.delete(TASK)
    known = (Task.owner == "o") & (Task.revision == 2)
    assert changed(WRITES.delete(TASK, where=known)) == {
        "gsi1sk": STAMP,
        "gsi2pk": None,
        "gsi2sk": None,
        "gsi3pk": "OF#o#000003",
    }
    with pytest.raises(
        UsageError, match=r"restore\(\) of Task: .*team and made, which are not known.*instead of its Key$"
    ):
        WRITES.restore(TASK)
    assert WRITES.delete(TASK, hard=True).request.operation == "DeleteItem"


# --- what the caller gave -----------------------------------------------------------------------------------


def test_an_instance_is_no_key() -> None:
    """The error says which Key is meant, and does not print the whole instance."""
    with pytest.raises(UsageError) as caught:
        WRITES.update(order(note="secret" * 100), [Order.note.set("x")])
    assert "pass Key(Order, 'c', " in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match=r"update\(\) takes a Key.*got 'x{12}\.\.\.x+'$"):
        WRITES.update("x" * 1000, [Order.note.set("x")])


def test_two_changes_of_one_path_are_refused_as_ever() -> None:
    """The caller's own changes are told apart from those that go with them."""
    with pytest.raises(InvalidExpression, match="two changes touch coupon"):
        WRITES.update(ORDER, [Order.coupon.set("a"), Order.coupon.set("b")])
