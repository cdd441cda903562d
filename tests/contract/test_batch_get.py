"""batch_get against the engines: many keys, several tables, projections, the 16 MB of one answer."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import BatchGetFailed, Database, Key, TableNotFound
from tests.contract.differences import differs
from tests.contract.models import (
    Account,
    Address,
    Awkward,
    Document,
    Event,
    Keeping,
    Kinds,
    put_raw,
    raw_item,
    unique,
)
from tests.contract.reading_models import BADGES, PARCELS, Badge, Parcel, depots
from tests.contract.reading_models import connect as connect_reading
from tests.engines import Lane, call

__all__ = ["depots"]  # a fixture

pytestmark = pytest.mark.anyio


def parcel_keys() -> list[Key[Parcel]]:
    return [Key(Parcel, parcel.depot, parcel.number) for parcel in PARCELS]


async def test_every_key_has_its_place(depots: Database) -> None:
    """Results are in the order of the keys, with misses and duplicates, whatever order the engine answers in."""
    keys = parcel_keys()
    expected = {**dict(zip(keys, PARCELS, strict=True)), Key(Parcel, "east", 9999): None}
    asked = [*keys[::-1], Key(Parcel, "east", 9999), keys[3], keys[3]]
    for consistent in (False, True):
        assert await depots.batch_get(*asked, consistent=consistent) == [expected[key] for key in asked]


async def test_more_than_one_request(depots: Database) -> None:
    """Beyond 100 keys, some at the same time; iterated, every distinct key comes once."""
    keys = [*parcel_keys(), *(Key(Parcel, "nowhere", n) for n in range(250))]
    with depots.measure() as meter:
        found = await depots.batch_get(*keys, concurrency=2)
    assert found == [*PARCELS, *([None] * 250)]
    assert meter.statistics.requests == {"BatchGetItem": 3}
    pairs = [pair async for pair in depots.batch_get(*keys, *keys)]
    assert len(pairs) == 280
    assert dict(pairs) == dict(zip(keys, found, strict=True))


async def test_several_tables(depots: Database) -> None:
    """One request for items of two tables; the types come back each as its own."""
    found = await depots.batch_get(Key(Badge, "b1"), parcel_keys()[4], Key(Badge, "none"), Key(Badge, "b0"))
    assert found == [BADGES[1], PARCELS[4], None, BADGES[0]]


async def test_selected_attributes(depots: Database) -> None:
    """Tuples of attributes, keys, paths and list elements; an item with none of them is no miss (flaw D11)."""
    keys = parcel_keys()
    rows = await depots.batch_get(*keys, Key(Parcel, "x", 1)).select(Parcel.claimed, Parcel.weight)
    assert rows == [*((parcel.claimed, parcel.weight) for parcel in PARCELS), None]
    notes = await depots.batch_get(Key(Badge, "b1"), Key(Badge, "none")).select(Badge.note)
    assert notes == [(None,), None]
    deep = await depots.batch_get(*keys).select(Parcel.place["city"], Parcel.scans[1], Parcel.number)
    expected = [
        (parcel.place and parcel.place.city, parcel.scans[1] if len(parcel.scans) > 1 else None, parcel.number)
        for parcel in PARCELS
    ]
    assert deep == expected


@pytest.mark.usefixtures("depots")
async def test_capacity_is_reported(endpoint: str, lane: Lane, engine: str) -> None:
    """By table, for measure(); consistent reads cost twice as much."""
    units: list[float] = []
    async with connect_reading(endpoint, lane, capacity="total") as db:
        for consistent in (False, True):
            with db.measure() as meter:
                await db.batch_get(*parcel_keys()[:4], Key(Badge, "b1"), consistent=consistent)
            capacity = meter.statistics.capacity
            assert {name.rpartition("-")[2] for name in capacity.tables} == {"parcels", "badges"}
            assert capacity.write == 0.0
            units.append(capacity.read)
    assert units == ([5.0, 5.0] if differs(engine, "half-units") else [2.5, 5.0])


async def test_every_kind_of_value_comes_back(store: Database, endpoint: str) -> None:
    """As ``get`` reads it; awkward names, kept unknown attributes, versions and times included."""
    accounts = Account(
        org=unique(), user="u", tags={"a"}, scores=[1], address=Address(street="Elm", city="Rome"), photo=b"\x00"
    )
    kinds = Kinds(pk=unique(), text="x", whole=10**37, blobs=frozenset({b"\xff"}), anything={"a": [1, None]})
    awkward = Awkward(pk=unique(), size=3, dotted="d", spaced="s", hashed="h")
    document = await store.create(Document(doc_id=unique()))
    keeping = Keeping(pk=unique())
    for item in (accounts, kinds, awkward):
        await store.put(item)
    put_raw(endpoint, "open", {"pk": {"S": keeping.pk}, "colour": {"S": "red"}, "bits": {"B": "AP8="}})
    found: list[Any] = await store.batch_get(
        Key(Account, accounts.org, "u"),
        Key(Kinds, kinds.pk),
        Key(Awkward, awkward.pk),
        Key(Document, document.doc_id),
        Key(Keeping, keeping.pk),
    )
    assert found[:4] == [accounts, kinds, awkward, document]
    await store.put(found[4])
    stored = raw_item(endpoint, "open", {"pk": {"S": keeping.pk}})
    assert (stored["colour"], stored["bits"]) == ({"S": "red"}, {"B": "AP8="})
    found[3].text = "changed"
    await store.save(found[3])
    assert (await store.get(Document, document.doc_id)) == found[3]


async def test_numbers_are_told_apart_to_the_last_digit(store: Database) -> None:
    """Sort keys of 38 digits that differ in the last one are two items."""
    stream, first, second = unique(), int("1" * 38), int("1" * 37 + "2")
    for seq in (first, second):
        await store.put(Event(stream=stream, seq=seq, kind=str(seq)))
    found = await store.batch_get(Key(Event, stream, second), Key(Event, stream, first))
    assert [event.kind for event in found if event is not None] == [str(second), str(first)]


async def test_what_does_not_fit_one_answer_is_read_all_the_same(
    store: Database, endpoint: str, prepared: set[str]
) -> None:
    """An answer ends at 16 MB, and the rest comes as unprocessed keys: 45 items of 390 kB are all there."""
    org = "of 16 MB"
    if (mark := f"{endpoint} 16 MB") not in prepared:
        for number in range(45):
            item = {
                "org": {"S": org},
                "user": {"S": str(number)},
                "name": {"S": "x" * 390_000},
                "age": {"N": str(number)},
            }
            put_raw(endpoint, "accounts", item)
        prepared.add(mark)
    with store.measure() as meter:
        found = await store.batch_get(*(Key(Account, org, str(number)) for number in range(45)))
    assert [account.age for account in found if account is not None] == list(range(45))
    assert meter.statistics.requests["BatchGetItem"] == 2


async def test_an_item_that_does_not_fit_hides_no_other(store: Database, endpoint: str) -> None:
    """The error has the attribute of the one, and the others."""
    org = unique()
    await store.put(Account(org=org, user="good"))
    put_raw(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "bad"}, "age": {"S": "old"}})
    good, bad, none = (Key(Account, org, user) for user in ("good", "bad", "none"))
    with pytest.raises(BatchGetFailed, match="age") as caught:
        await store.batch_get(bad, good, none)
    assert caught.value.found == {good: Account(org=org, user="good"), none: None}
    assert [problem.path for problem in caught.value.misfits[bad].problems] == ["age"]


async def test_a_missing_table_is_told(db: Database) -> None:
    """The reason is the request's own error."""
    keys = [Key(Badge, f"b{number}") for number in range(150)]
    with pytest.raises(BatchGetFailed, match="150 of 150 keys were not read") as caught:
        await db.batch_get(*keys)
    assert isinstance(caught.value.__cause__, TableNotFound)
    assert (caught.value.found, caught.value.unprocessed) == ({}, tuple(keys))


@pytest.mark.usefixtures("depots")
async def test_the_engines_refuse_what_is_not_sent(endpoint: str) -> None:
    """A key twice, more than 100 keys: real limits, so that keeping to them is needed."""
    key = {"code": {"S": "b1"}}
    for keys in ([key, key], [{"code": {"S": str(n)}} for n in range(101)]):
        status, answer = call(endpoint, "BatchGetItem", {"RequestItems": {"reading-badges": {"Keys": keys}}})
        assert status == 400, answer
