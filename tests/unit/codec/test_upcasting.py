"""Items of older schemas: every way of reading them gives the present form, or says why it cannot."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dynamorm_async import GSI, Attr, DecodeError, Table, attr, make_converter, model, partition_key, upcast, version
from dynamorm_async.codec.layout import STORED
from dynamorm_async.codec.stored import Stored, was_upcast
from dynamorm_async.model.spec import spec_of

Item = dict[str, Any]
Raw = dict[str, Any]
SEEN: list[Item] = []


@model("customers", schema=3)
class Customer:
    customer_id: Attr[str] = partition_key()
    first: Attr[str] = attr()
    last: Attr[str] = attr()
    since: Attr[datetime | None] = attr(default=None)
    age: Attr[int] = attr(default=0)
    photo: Attr[bytes | None] = attr(default=None)
    revision: Attr[int] = version()

    @upcast(from_version=1)
    @staticmethod
    def split_name(item: Item) -> Item:
        SEEN.append(copy.deepcopy(item))
        first, _, last = item.pop("name").partition(" ")
        return {**item, "first": first, "last": last}

    @upcast(from_version=2)
    @staticmethod
    def date_to_time(item: Item) -> Item:
        SEEN.append(copy.deepcopy(item))
        day = item.pop("day", None)
        return {
            **item,
            "since": None if day is None else datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC),
        }


CODEC = spec_of(Customer).codec
OLD: Raw = {"customer_id": {"S": "1"}, "name": {"S": "Ada Lovelace"}, "day": {"S": "2024-05-06"}, "age": {"N": "36"}}
ADA = Customer(customer_id="1", first="Ada", last="Lovelace", since=datetime(2024, 5, 6, tzinfo=UTC), age=36)
NEW: Raw = {"customer_id": {"S": "2"}, "first": {"S": "Bob"}, "last": {"S": "B"}, "_schema": {"N": "3"}}


def body(**content: Any) -> bytes:
    return json.dumps(content).encode()


def refusal(raw: Mapping[str, Any], cls: type[Any] = Customer) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        spec_of(cls).codec.decode_get(body(Item=raw))
    return caught.value


def test_an_item_of_the_current_schema_takes_the_compiled_path() -> None:
    """What it was read from is a struct, so that neither an upcaster nor the general path had any part in it."""
    bob = CODEC.decode_get(body(Item=NEW))
    assert bob is not None
    assert isinstance(vars(bob)[STORED], msgspec.Struct)
    assert not isinstance(vars(bob)[STORED], Stored)
    assert not was_upcast(bob)


@pytest.mark.parametrize("field", ["Item", "Attributes", "page", "item"])
def test_every_answer_upcasts(field: str) -> None:
    """GetItem, the returned attributes of writes, pages and single items all give the present form."""
    read: Any
    if field == "page":
        page = CODEC.decode_page(body(Items=[NEW, OLD], ScannedCount=2))
        assert page.items[0].first == "Bob"
        assert page.key_at(1, ("customer_id",)) == {"customer_id": {"S": "1"}}
        read = page.items[1]
    elif field == "item":
        read = CODEC.decode_item(msgspec.Raw(json.dumps(OLD).encode()))
    else:
        read = (CODEC.decode_get if field == "Item" else CODEC.decode_written)(body(**{field: OLD}))
    assert read == ADA
    assert was_upcast(read)


def test_only_the_old_items_of_a_page_take_the_general_path() -> None:
    """The others are structs as ever."""
    page = CODEC.decode_page(body(Items=[NEW, OLD, NEW], ScannedCount=3))
    assert [was_upcast(item) for item in page.items] == [False, True, False]


def test_each_upcaster_gets_plain_values_as_the_table_could_give_them() -> None:
    """Numbers are int where integral, sets frozen, binary bytes; what an upcaster made is stored form for the next."""
    SEEN.clear()
    raw = {
        **OLD,
        "half": {"N": "0.5"},
        "tags": {"SS": ["b", "a"]},
        "blob": {"B": "AQI="},
        "list": {"L": [{"NULL": True}, {"BOOL": True}, {"M": {"x": {"N": "1"}}}]},
    }
    CODEC.decode_get(body(Item=raw))
    first, second = SEEN
    assert first == {
        "customer_id": "1",
        "name": "Ada Lovelace",
        "day": "2024-05-06",
        "age": 36,
        "half": Decimal("0.5"),
        "tags": frozenset({"a", "b"}),
        "blob": b"\x01\x02",
        "list": [None, True, {"x": 1}],
    }
    del first["name"]
    assert second == {**first, "first": "Ada", "last": "Lovelace"}


def test_a_chain_begins_where_the_item_is() -> None:
    """An item of version 2 goes through the second upcaster alone."""
    SEEN.clear()
    raw = {"customer_id": {"S": "1"}, "first": {"S": "A"}, "last": {"S": "B"}, "_schema": {"N": "2"}}
    read = CODEC.decode_get(body(Item=raw))
    assert read is not None
    assert (read.first, read.since) == ("A", None)
    assert SEEN == [{"customer_id": "1", "first": "A", "last": "B"}]


def test_an_item_of_a_newer_schema_is_never_read() -> None:
    """A program of the last release says so, rather than reading half of it."""
    error = refusal({**NEW, "_schema": {"N": "4"}})
    assert error.model == "Customer"
    assert error.key == {"customer_id": "2"}
    assert "_schema: is 4" in str(error)
    assert "up to schema 3" in str(error)
    assert "newer version of the program" in str(error)


@pytest.mark.parametrize("stored", [{"S": "3"}, {"N": "0"}, {"N": "-1"}, {"N": "1.5"}, {"NULL": True}, {}, "3"])
def test_what_is_no_version_is_refused(stored: object) -> None:
    """It is said what was found."""
    assert "no schema version" in str(refusal({**NEW, "_schema": stored}))


def test_an_upcaster_that_fails_is_named_and_chained() -> None:
    """Model, key, function, version and the error itself."""
    error = refusal({"customer_id": {"S": "9"}})
    assert isinstance(error.__cause__, KeyError)
    assert "split_name(), the upcaster from version 1, raised KeyError: 'name'" in str(error)
    assert error.key == {"customer_id": "9"}


def test_what_is_upcast_is_judged_like_any_item() -> None:
    """A wrong attribute afterwards is reported by its path."""
    error = refusal({**OLD, "age": {"S": "old"}})
    assert [problem.path for problem in error.problems] == ["age"]


MADE: Item = {}
MOVED: Item = {}


def adding(item: Item, result: Any) -> Any:
    """The item with more attributes; what is no dict takes its place."""
    return item | dict[Any, Any](result) if isinstance(result, dict) else result  # pyright: ignore[reportUnknownArgumentType]  # of any type


@model("made", schema=2)
class Made:
    """Its upcaster returns what a test wants."""

    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    revision: Attr[int] = version()

    @upcast(from_version=1)
    @staticmethod
    def make(item: Item) -> Any:
        return adding(item, MADE["result"])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, ("make()", "returned None", "a dict")),
        ([("pk", "1")], ("returned [", "a dict")),
        ({"pk": "2"}, ("changed pk", "cannot move")),
        ({"pk": 1}, ("changed pk",)),
        ({"revision": 7}, ("changed revision", "version")),
        ({"_schema": 2}, ("returned _schema", "leave it out")),
        ({"text": object()}, ("text, as make(), the upcaster from version 1, returned it", "object")),
        ({"text": float("nan")}, ("text", "nan")),
        ({1: "x"}, ("returned the name 1",)),
        ({"": "x"}, ("returned the name ''",)),
    ],
)
def test_what_an_upcaster_may_not_return(result: object, words: tuple[str, ...]) -> None:
    """No item, another key or version, what the library writes, or what DynamoDB cannot hold."""
    MADE["result"] = result
    message = str(refusal({"pk": {"S": "1"}, "revision": {"N": "3"}}, Made))
    assert [word for word in words if word not in message] == []


def test_an_upcaster_may_return_what_attributes_are_stored_as() -> None:
    """datetime, date, Enum, sets and floats are stored as attributes of these types are."""
    assert ADA.since == datetime(2024, 5, 6, tzinfo=UTC)
    more: Item = {"text": "x", "set": {1, 2}, "half": 0.5, "empty": set[str]()}
    MADE["result"] = more
    read = spec_of(Made).codec.decode_get(body(Item={"pk": {"S": "1"}, "revision": {"N": "3"}}))
    assert read == Made(pk="1", text="x", revision=3)
    older = vars(read)[STORED].older
    assert older.upcast["set"] == {"NS": ["1", "2"]}
    assert older.upcast["half"] == {"N": "0.5"}


@pytest.mark.parametrize("unknown", ["keep", "forbid"])
def test_unknown_attributes_are_those_that_the_upcasters_left(unknown: Any) -> None:
    """What the old form had and the present one has not is unknown no more, neither carried along nor refused."""

    @model("unknowns", schema=2, unknown=unknown)
    class Strict:
        pk: Attr[str] = partition_key()
        new: Attr[str] = attr()

        @upcast(from_version=1)
        @staticmethod
        def rename(item: Item) -> Item:
            item["new"] = item.pop("old")
            return item

    codec = spec_of(Strict).codec
    read = codec.decode({"pk": {"S": "1"}, "old": {"S": "x"}})
    assert codec.encode(read) == {"pk": {"S": "1"}, "new": {"S": "x"}}
    current = codec.decode_get(body(Item={"pk": {"S": "1"}, "new": {"S": "x"}, "_schema": {"N": "2"}}))
    assert current == read
    with_more = {"pk": {"S": "1"}, "old": {"S": "x"}, "more": {"N": "1"}}
    if unknown == "keep":
        assert codec.encode(codec.decode(with_more))["more"] == {"N": "1"}
    else:
        with pytest.raises(DecodeError, match="more: is not an attribute"):
            codec.decode(with_more)


def test_some_attributes_alone_cannot_be_upcast() -> None:
    """What was read through an index that lacks some, or selected, is refused unless it is of the present schema."""
    partial = CODEC.partial(frozenset({"customer_id", "first", "_schema"}))
    assert partial.decode(NEW).first == "Bob"
    with pytest.raises(DecodeError, match=r"is 1, not 3, and only some .* hydrate\(\)"):
        partial.decode(OLD)
    assert CODEC.upcasting is not None
    CODEC.upcasting.check_selected({"_schema": {"N": "3"}})
    with pytest.raises(DecodeError, match="is 2, not 3, and only some"):
        CODEC.upcasting.check_selected({"_schema": {"N": "2"}})
    with pytest.raises(DecodeError, match="newer version"):
        CODEC.upcasting.check_selected({"_schema": {"N": "9"}})


shop = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer_id}",
    sk="ORDER#{placed:%Y-%m-%d}#{order_id}",
    gsi1=("STATUS#{status}", "{placed}"),
    schema=2,
)
class Order:
    customer_id: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    order_id: Attr[str] = attr()
    status: Attr[str] = attr(default="open")

    @upcast(from_version=1)
    @staticmethod
    def states(item: Item) -> Item:
        SEEN.append(copy.deepcopy(item))
        return {**item, "status": item["status"].lower(), **MOVED}


@contextmanager
def moving(change: Item) -> Generator[None]:
    """In the block, the upcaster of orders makes this change as well."""
    MOVED.update(change)
    try:
        yield
    finally:
        MOVED.clear()


PLACED = "2026-01-02T03:04:05.000000Z"
ORDER: Raw = {
    "pk": {"S": "CUSTOMER#42"},
    "sk": {"S": "ORDER#2026-01-02#o7"},
    "gsi1pk": {"S": "STATUS#OPEN"},
    "gsi1sk": {"S": PLACED},
    "_type": {"S": "order"},
    "placed": {"S": PLACED},
    "status": {"S": "OPEN"},
}


def test_templated_keys_are_no_part_of_what_upcasters_see() -> None:
    """They see what the keys tell as attributes, and not the keys, the discriminator or the version."""
    SEEN.clear()
    order = spec_of(Order).codec.decode({**ORDER, "_schema": {"N": "1"}})
    assert order == Order(customer_id="42", placed=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), order_id="o7")
    assert SEEN == [{"customer_id": "42", "order_id": "o7", "placed": PLACED, "status": "OPEN"}]
    assert vars(order)[STORED].older.item["gsi1pk"] == {"S": "STATUS#OPEN"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer_id": "43"}, ("pk would be 'CUSTOMER#43'", "cannot move")),
        ({"placed": "2026-01-03T03:04:05.000000Z"}, ("sk would be",)),
        ({"order_id": ""}, ("what the key is made of",)),
        ({"pk": "CUSTOMER#42"}, ("returned pk", "leave it out")),
        ({"_type": "x"}, ("returned _type",)),
    ],
)
def test_what_a_templated_key_is_made_of_cannot_change(change: Item, words: tuple[str, ...]) -> None:
    """The key that would be rendered is compared with the one that the item has."""
    with moving(change), pytest.raises(DecodeError) as caught:
        spec_of(Order).codec.decode(ORDER)
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_part_that_the_key_does_not_hold_can_change() -> None:
    """Of a time, the key has the day: another hour of it moves nothing."""
    with moving({"placed": datetime(2026, 1, 2, 9, tzinfo=UTC)}):
        assert spec_of(Order).codec.decode(ORDER).placed.hour == 9


def test_an_item_of_another_model_is_not_upcast() -> None:
    """It is refused for what it is, before any upcaster sees it."""
    SEEN.clear()
    with pytest.raises(DecodeError, match="'invoice' by its _type"):
        spec_of(Order).codec.decode({**ORDER, "_type": {"S": "invoice"}})
    assert SEEN == []


def test_models_that_the_compiled_path_does_not_carry_upcast_as_well() -> None:
    """A type with a user's hook is read by the general path in any version."""

    class Money:
        def __init__(self, cents: int) -> None:
            self.cents = cents

    converter = make_converter()
    converter.register_unstructure_hook(Money, lambda money: money.cents)
    converter.register_structure_hook(Money, lambda value, _: Money(int(value)))

    @model("prices", schema=2, converter=converter)
    class Price:
        sku: Attr[str] = partition_key()
        price: Attr[Money] = attr()

        @upcast(from_version=1)
        @staticmethod
        def cents(item: Item) -> Item:
            return {**item, "price": int(item["price"] * 100)}

    codec = spec_of(Price).codec
    old = codec.decode_get(body(Item={"sku": {"S": "a"}, "price": {"N": "1.25"}}))
    new = codec.decode_get(body(Item={"sku": {"S": "a"}, "price": {"N": "125"}, "_schema": {"N": "2"}}))
    assert old is not None
    assert new is not None
    assert (old.price.cents, new.price.cents) == (125, 125)
    assert (was_upcast(old), was_upcast(new)) == (True, False)


def test_what_was_upcast_is_copied_and_pickled_with_what_it_was() -> None:
    """So that a copy migrates the item as the original would."""
    read = CODEC.decode(OLD)
    for twin in (copy.copy(read), copy.deepcopy(read), pickle.loads(pickle.dumps(read))):  # noqa: S301 - our own bytes
        assert twin == read
        known = CODEC.known(twin)
        assert known is not None
        assert known.older is not None
        assert known.older.item == OLD
        assert CODEC.stored(twin) == OLD


def test_only_instances_count_as_upcast() -> None:
    """Tuples, misses and new instances do not."""
    assert [was_upcast(read) for read in (None, (1,), ADA, CODEC.decode(OLD))] == [False, False, False, True]
