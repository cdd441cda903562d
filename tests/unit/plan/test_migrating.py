"""What writes send for models with a schema version: the version, what it insists on, and the migration of old items."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    InvalidExpression,
    Key,
    Table,
    UsageError,
    attr,
    created_at,
    deleted_at,
    embedded,
    model,
    outdated,
    partition_key,
    unique,
    upcast,
    updated_at,
    version,
)
from dynamorm_async.database.succeeded import settle
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.unique import known_before
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from tests.property.applying import Refused, apply, changes

Item = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITTEN = {"S": "2026-01-01T00:00:00.000000Z"}
WRITES = Writes(prefix="", clock=lambda: NOW)


@embedded
class Address:
    city: Attr[str]
    zip: Attr[str | None] = attr(default=None)


@model("customers", schema=2)
class Customer:
    """No version(): what is replaced is compared."""

    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr()
    last: Attr[str] = attr(default="")
    address: Attr[Address | None] = attr(default=None)
    homes: Attr[list[Address]] = attr(factory=list)
    age: Attr[int] = attr(default=0)

    @upcast(from_version=1)
    @staticmethod
    def split_name(item: Item) -> Item:
        first, _, last = item.pop("name").partition(" ")
        item.pop("legacy", None)
        return {**item, "first": first, "last": last}


@model("papers", schema=2)
class Paper:
    """Everything that writes move."""

    paper_id: Attr[str] = partition_key()
    title: Attr[str] = attr(default="")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    gone: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    @upcast(from_version=1)
    @staticmethod
    def rename(item: Item) -> Item:
        item["title"] = item.pop("name")
        return item


OLD: Item = {
    "customer_id": {"S": "1"},
    "name": {"S": "Ada Lovelace"},
    "legacy": {"BOOL": True},
    "other": {"S": "kept"},
    "address": {"M": {"city": {"S": "Rome"}, "planet": {"S": "Earth"}, "zip": {"NULL": True}}},
    "homes": {"L": [{"M": {"city": {"S": "Bari"}, "planet": {"S": "Mars"}}}]},
}
PAPER: Item = {"paper_id": {"S": "p"}, "name": {"S": "x"}, "revision": {"N": "4"}}


def read(cls: type[Any], raw: Item) -> Any:
    return spec_of(cls).codec.decode(raw)


def planned(write: Write | None) -> Write:
    assert write is not None
    return write


def saved(item: object) -> Write:
    return planned(WRITES.save(item))


def conditions(write: Write) -> list[str]:
    """The parts of the condition, with names and values in place of their placeholders."""
    body = write.request.body
    text: str = body["ConditionExpression"]
    for alias, name in sorted(body.get("ExpressionAttributeNames", {}).items(), reverse=True):
        text = text.replace(alias, name)
    for alias, value in sorted(body.get("ExpressionAttributeValues", {}).items(), reverse=True):
        text = text.replace(alias, repr(next(iter(value.values()))))
    return text.split(" AND ")


def test_create_and_put_write_the_version() -> None:
    """With all items of the model; other models' items have none."""
    assert WRITES.create(Customer(customer_id="1", first="a")).request.body["Item"]["_schema"] == {"N": "2"}
    assert WRITES.put(Customer(customer_id="1", first="a")).request.body["Item"]["_schema"] == {"N": "2"}


def test_an_update_insists_on_the_present_version() -> None:
    """It knows nothing of the item; an old one, changed in part, would be half old and half new."""
    write = WRITES.update(Key(Customer, "1"), [Customer.age.add(1)], where=Customer.age > 2)
    assert conditions(write) == ["attribute_exists(customer_id)", "_schema = '2'", "age > '2'"]
    assert write.schema == 2
    assert [path for _, path, _ in changes(WRITES.update(Key(Customer, "1"), [Customer.age.set(1)]).request.body)] == [
        ("age",)
    ]


def test_an_upsert_makes_an_item_of_the_present_version() -> None:
    """Or changes one that has it."""
    write = WRITES.update(Key(Customer, "1"), [Customer.age.set(1)], upsert=True)
    assert conditions(write) == ["attribute_not_exists(customer_id) OR _schema = '2'"]
    assert apply(write.request.body, {}) == {"age": {"N": "1"}, "_schema": {"N": "2"}}
    with pytest.raises(Refused):
        apply(write.request.body, OLD)


def test_of_the_first_version_an_item_need_not_have_one() -> None:
    """A program that knows version 1 alone leaves newer items alone."""

    @model("firsts", schema=1)
    class First:
        pk: Attr[str] = partition_key()
        n: Attr[int] = attr(default=0)

    for upsert in (False, True):
        body = WRITES.update(Key(First, "1"), [First.n.set(1)], upsert=upsert).request.body
        assert apply(body, {"pk": {"S": "1"}})["n"] == {"N": "1"}
        with pytest.raises(Refused):
            apply(body, {"pk": {"S": "1"}, "_schema": {"N": "2"}})


def test_a_save_insists_on_the_version_that_was_read() -> None:
    """Also of an instance that was read from the present one: another program may have migrated the item since."""
    ada = read(Customer, {"customer_id": {"S": "1"}, "first": {"S": "a"}, "_schema": {"N": "2"}})
    assert WRITES.save(ada) is None
    ada.age = 3
    write = saved(ada)
    assert conditions(write) == ["attribute_exists(customer_id)", "_schema = '2'"]
    assert write.request.repeatable


def test_a_save_of_what_was_upcast_leaves_what_a_put_would() -> None:
    """New attributes, defaults and the version are set, dropped ones removed; what the model does not know stays."""
    ada = read(Customer, OLD)
    body = saved(ada).request.body
    assert apply(body, OLD) == {
        "customer_id": {"S": "1"},
        "first": {"S": "Ada"},
        "last": {"S": "Lovelace"},
        "other": {"S": "kept"},
        "address": {"M": {"city": {"S": "Rome"}, "planet": {"S": "Earth"}}},
        "homes": OLD["homes"],
        "age": {"N": "0"},
        "_schema": {"N": "2"},
    }
    assert {path[0] for _, path, _ in changes(body)} == {"name", "legacy", "first", "last", "address", "age", "_schema"}


def test_changes_of_the_caller_go_with_it() -> None:
    """They are made on the present form; entries of maps that the model does not know stay beside them."""
    ada = read(Customer, OLD)
    ada.age, ada.address.city, ada.homes = 7, "Oslo", []
    after = apply(saved(ada).request.body, OLD)
    assert after["age"] == {"N": "7"}
    assert after["address"] == {"M": {"city": {"S": "Oslo"}, "planet": {"S": "Earth"}}}
    assert after["homes"] == {"L": []}
    ada.address = None
    assert "address" not in apply(saved(ada).request.body, OLD)


def test_without_a_version_attribute_the_item_must_be_as_it_was() -> None:
    """Somebody who changes the old form in between, as a program of the last release does, loses nothing.

    Not even where an upcaster only looks at what is changed, as it may at any attribute.
    """
    body = saved(read(Customer, OLD)).request.body
    others: tuple[dict[str, Any], ...] = (
        {"name": {"S": "Bob"}},
        {"_schema": {"N": "2"}},
        {"age": {"N": "3"}},
        {"legacy": None},
        {"other": {"S": "changed"}},
        {"homes": {"L": []}},
    )
    for change in others:
        between = {name: value for name, value in {**OLD, **change}.items() if value is not None}
        with pytest.raises(Refused):
            apply(body, between)
    with pytest.raises(Refused):
        apply(body, {})
    assert apply(body, OLD)["other"] == {"S": "kept"}


def test_under_a_version_attribute_that_and_the_schema_are_enough() -> None:
    """Every write moves the version; the schema is insisted on as well."""
    paper = read(Paper, PAPER)
    write = saved(paper)
    assert conditions(write) == ["attribute_exists(paper_id)", "revision = '4'", "attribute_not_exists(_schema)"]
    assert (write.expected, write.schema, write.request.repeatable) == (4, 1, False)
    assert apply(write.request.body, PAPER) == {
        "paper_id": {"S": "p"},
        "title": {"S": "x"},
        "made": WRITTEN,
        "changed": WRITTEN,
        "revision": {"N": "5"},
        "_schema": {"N": "2"},
    }


def test_what_was_saved_is_of_the_present_version() -> None:
    """The next save of the same instance sends what changed since, and nothing where nothing did."""
    for cls, raw in ((Customer, OLD), (Paper, PAPER)):
        item = read(cls, raw)
        settle(saved(item))
        assert WRITES.save(item) is None
    paper = read(Paper, PAPER)
    settle(saved(paper))
    paper.title = "y"
    assert conditions(saved(paper)) == ["attribute_exists(paper_id)", "revision = '5'", "_schema = '2'"]


def test_a_key_that_was_changed_is_refused() -> None:
    """As of every instance."""
    ada = read(Customer, OLD)
    ada.customer_id = "2"
    with pytest.raises(UsageError, match=r"customer_id is a key attribute .* save\(\) cannot move an item"):
        WRITES.save(ada)


def test_soft_deletion_leaves_an_old_item_old() -> None:
    """It touches the mark alone; a save afterwards still migrates the item, and keeps the mark."""
    paper = read(Paper, PAPER)
    marked = planned(WRITES.delete(paper))
    assert "_schema" not in marked.request.body["ExpressionAttributeNames"].values()
    table = {**PAPER, "gone": WRITTEN, "changed": WRITTEN, "revision": {"N": "5"}}
    settle(marked)
    assert (paper.gone, paper.revision) == (NOW, 5)
    after = apply(saved(paper).request.body, table)
    assert (after["gone"], after["title"], after["_schema"]) == (WRITTEN, {"S": "x"}, {"N": "2"})
    assert WRITES.restore(Key(Paper, "p")).schema is None
    assert WRITES.delete(Key(Customer, "1")).request.body == {
        "TableName": "customers",
        "Key": {"customer_id": {"S": "1"}},
    }


def test_a_put_of_what_was_upcast_writes_it_whole() -> None:
    """Under its version, where the model has one."""
    write = WRITES.put(read(Paper, PAPER))
    assert write.request.body["Item"]["_schema"] == {"N": "2"}
    assert conditions(write) == ["revision = '4'"]


def test_more_than_a_request_can_say_is_refused() -> None:
    """The message says what to do instead."""

    @model("wide", schema=2)
    class Wide:
        pk: Attr[str] = partition_key()
        all: Attr[dict[str, int]] = attr(factory=dict)

        @upcast(from_version=1)
        @staticmethod
        def gather(item: Item) -> Item:
            pk = item.pop("pk")
            return {"pk": pk, "all": item}

    raw: Item = {"pk": {"S": "1"}, **{f"a{n}": {"N": "1"} for n in range(160)}}
    with pytest.raises(InvalidExpression, match=r"of schema 1 in the table, changes 162 attributes.* put\(\)"):
        WRITES.save(read(Wide, raw))
    few = {name: raw[name] for name in list(raw)[:140]}
    assert apply(saved(read(Wide, few)).request.body, few).keys() == {"pk", "all", "_schema"}


shop = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(shop, type="order", pk="C#{customer}", sk="O#{order_id}", gsi1=("S#{status}", "{label}"), schema=2)
class Order:
    customer: Attr[str] = attr()
    order_id: Attr[str] = attr()
    status: Attr[str] = attr(default="open")
    label: Attr[str | None] = attr(default=None)

    @upcast(from_version=1)
    @staticmethod
    def lower(item: Item) -> Item:
        return {**item, "status": item["status"].lower()}


ORDER: Item = {
    "pk": {"S": "C#c"},
    "sk": {"S": "O#o"},
    "_type": {"S": "order"},
    "status": {"S": "OPEN"},
    "label": {"S": "L"},
    "gsi1pk": {"S": "S#OPEN"},
    "gsi1sk": {"S": "L"},
}


def test_index_keys_follow_the_present_form() -> None:
    """They are set from the upcast item, and removed where it is in the index no more."""
    order = read(Order, ORDER)
    present = {**spec_of(Order).codec.encode(order), "_schema": {"N": "2"}}
    after = apply(saved(order).request.body, ORDER)
    assert after == {**ORDER, **present, "gsi1pk": {"S": "S#open"}}
    order.label = None
    after = apply(saved(order).request.body, ORDER)
    assert after.keys() == {"pk", "sk", "_type", "customer", "order_id", "status", "_schema"}


def test_index_keys_are_not_made_of_what_others_have_changed() -> None:
    """The label is written by nobody here, and the key of an index is made of it all the same."""
    body = saved(read(Order, ORDER_OUTSIDE)).request.body
    assert apply(body, ORDER_OUTSIDE)["gsi1sk"] == {"S": "L"}
    with pytest.raises(Refused):
        apply(body, {**ORDER_OUTSIDE, "label": {"S": "M"}})


ORDER_OUTSIDE: Item = {name: value for name, value in ORDER.items() if not name.startswith("gsi1")}


@model("members", schema=2)
class Member:
    member_id: Attr[str] = partition_key()
    email: Attr[str] = attr()
    one_email = unique("email")

    @upcast(from_version=1)
    @staticmethod
    def lower(item: Item) -> Item:
        return {**item, "email": item["email"].lower()}


def test_unique_values_are_compared_with_what_the_table_has() -> None:
    """An upcaster that changes one releases the old marker and claims the new one, on the condition of the old value."""
    member = read(Member, {"member_id": {"S": "1"}, "email": {"S": "A@B"}})
    write = saved(member)
    assert write.unique == {"email": {"S": "a@b"}}
    assert known_before(write) == {"email": {"S": "A@B"}}
    assert known_before(WRITES.put(member)) == {"email": {"S": "A@B"}}


def test_outdated_can_stand_in_any_condition_of_its_model() -> None:
    """In those of other models it is about an attribute that they do not have."""
    write = WRITES.delete(Key(Customer, "1"), where=outdated(Customer))
    assert conditions(write) == ["attribute_not_exists(_schema) OR _schema < '2'"]

    @model("others")
    class Other:
        pk: Attr[str] = partition_key()

    with pytest.raises(UsageError, match="'_schema', which Other does not have"):
        WRITES.delete(Key(Other, "1"), where=outdated(Customer))
