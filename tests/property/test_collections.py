"""A collection is the sorted union of its models' items, whatever is asked for and however it is paged."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import CursorError, Partition, UnrecognizedItem, partition
from dynamorm_async.database.collection import Collection
from dynamorm_async.plan.collections import collect
from tests.property.collection_models import (
    MODELS,
    NOW,
    Bank,
    Card,
    CreditCard,
    Customer,
    Order,
    Payment,
    Visit,
    raw_item,
    shop,
)
from tests.property.fake_table import FakeTable
from tests.property.reading_models import access_of
from tests.property.sizing import examples

pytestmark = pytest.mark.anyio

PARTITION = partition(Customer, customer_id="42")
TOWN = partition(Customer, index="gsi1", town="Bonn")
names = st.text("ab#$é", min_size=1, max_size=3)
owners = st.sampled_from(["42", "42", "42", "7"])
instances = st.one_of(
    st.builds(Customer, customer_id=owners, town=st.sampled_from(["Bonn", "Leeds"])),
    st.builds(
        Order,
        customer_id=owners,
        number=st.integers(0, 30),
        town=st.sampled_from([None, "Bonn"]),
        deleted=st.sampled_from([None, None, NOW]),
        photo=st.none() | st.binary(max_size=3),
    ),
    st.builds(Payment, customer_id=owners, payment_id=names),
    st.builds(Card, customer_id=owners, payment_id=names, last4=names),
    st.builds(CreditCard, customer_id=owners, payment_id=names, last4=names, limit=st.integers(0, 9)),
    st.builds(Bank, customer_id=owners, payment_id=names, iban=names),
    st.builds(Visit, customer_id=owners, visit_id=names, expires=st.sampled_from([1, 2**32])),
)


def stranger(sort: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {"pk": {"S": "CUSTOMER#42"}, "sk": {"S": sort}, **kind}


strangers = st.builds(
    stranger,
    st.sampled_from(["INVOICE#1", "ORDER#x", "Z"]),
    st.sampled_from([{"_type": {"S": "invoice"}}, {"_type": {"N": "1"}}, {}]),
)


def collection(table: FakeTable, where: Partition) -> Collection[Any]:
    """A collection as ``db.collection`` gives it, on a table in memory."""
    return Collection(collect("", where, None, None), access_of(table.send, now=NOW.timestamp()))


def place_in(where: Partition, raw: dict[str, Any]) -> tuple[bytes, ...]:
    sort = () if where.index is None else (raw["gsi1sk"]["S"].encode(),)
    return (*sort, raw["pk"]["S"].encode(), raw["sk"]["S"].encode())


def expected(items: list[object], where: Partition, *, hidden: bool) -> list[object]:
    """The items of a partition in key order: what a collection has to give."""
    pairs = [(raw_item(item), item) for item in items]
    inside = [(raw, item) for raw, item in pairs if where.key.items() <= raw.items()]
    shown = [(raw, item) for raw, item in inside if hidden or not is_hidden(item)]
    return [item for _, item in sorted(shown, key=lambda pair: place_in(where, pair[0]))]


def is_hidden(item: object) -> bool:
    return (isinstance(item, Order) and item.deleted is not None) or (isinstance(item, Visit) and item.expires == 1)


@st.composite
def worlds(draw: st.DrawFn) -> list[object]:
    """Items with keys of their own."""
    drawn = draw(st.lists(instances, max_size=14))
    unique = {(raw["pk"]["S"], raw["sk"]["S"]): item for item in drawn for raw in [raw_item(item)]}
    return list(unique.values())


@attrs.frozen
class How:
    """How a collection is read."""

    asked: list[type]
    where: Partition
    page_size: int | None
    natural: int
    descending: bool
    hidden: bool
    limit: int | None

    def of(self, table: FakeTable) -> Collection[Any]:
        read = collection(table, self.where)
        read = read.of(*self.asked) if self.asked else read
        read = read.page_size(self.page_size) if self.page_size else read
        read = read.descending() if self.descending else read
        return read.with_hidden() if self.hidden else read

    def expected(self, items: list[object]) -> list[object]:
        found = expected(items, self.where, hidden=self.hidden)
        found = [item for item in found if not self.asked or isinstance(item, tuple(self.asked))]
        return found[::-1] if self.descending else found


hows = st.builds(
    How,
    asked=st.lists(st.sampled_from(MODELS), max_size=3, unique=True),
    where=st.sampled_from([PARTITION, TOWN]),
    page_size=st.none() | st.integers(1, 5),
    natural=st.integers(1, 20),
    descending=st.booleans(),
    hidden=st.booleans(),
    limit=st.none() | st.integers(1, 6),
)


@examples(150)
@given(items=worlds(), how=hows)
async def test_a_collection_is_the_sorted_union_of_its_models(items: list[object], how: How) -> None:
    """As a list, as a stream, page by page over cursors, counted and grouped."""
    table = FakeTable(shop, [raw_item(item) for item in items], natural=how.natural)
    table.turns = 0
    read, wanted = how.of(table), how.expected(items)
    found = await read
    assert found == wanted
    assert [type(item) for item in found] == [type(item) for item in wanted]
    assert [item async for item in read] == wanted
    assert await read.count() == len(wanted)
    assert await by_cursors(read, size=how.page_size or 3) == wanted
    assert [item async for page in read.pages() for item in page.items] == wanted
    if how.limit:
        assert await read.limit(how.limit) == wanted[: how.limit]
    groups = await read.grouped()
    for model in how.asked or MODELS:
        assert groups[model] == [item for item in wanted if isinstance(item, model)]
    assert set(groups) == {type(item) for item in wanted}


async def by_cursors(read: Collection[Any], *, size: int) -> list[object]:
    found: list[object] = []
    cursor: str | None = None
    while True:
        page = await read.page(size=size, cursor=cursor)
        found += page.items
        if page.cursor is None:
            return found
        cursor = page.cursor


@examples(60)
@given(
    items=worlds(),
    foreign=st.lists(strangers, max_size=2, unique_by=lambda raw: raw["sk"]["S"]),
    size=st.integers(1, 4),
)
async def test_items_of_no_model_are_never_dropped_unasked(
    items: list[object], foreign: list[dict[str, Any]], size: int
) -> None:
    """With strangers among the items, a reading fails or gives every one of them, as it was told."""
    table = FakeTable(shop, [*(raw_item(item) for item in items), *foreign])
    table.turns = 0
    read, wanted = collection(table, PARTITION).page_size(size), expected(items, PARTITION, hidden=False)
    assert await read.unknown("skip") == wanted
    assert await read.unknown("skip").count() == len(wanted)
    raw = await read.unknown("raw").grouped()
    assert [item.attributes for item in raw.unknown] == sorted(foreign, key=lambda item: item["sk"]["S"])
    assert await read.unknown("raw").count() == len(wanted) + len(foreign)
    assert len(await by_cursors(read.unknown("raw"), size=size)) == len(wanted) + len(foreign)
    if foreign:
        for read_all in (read.grouped, read.count):
            with pytest.raises(UnrecognizedItem):
                await read_all()


@examples(60)
@given(items=worlds(), low=names, high=names, begin=st.sampled_from(["PAY#", "ORDER#00000", "V", "ORDER#", "#"]))
async def test_ranges_of_the_sort_key(items: list[object], low: str, high: str, begin: str) -> None:
    """What begins so, or lies between, by the bytes of the key; nothing else is read."""
    table = FakeTable(shop, [raw_item(item) for item in items])
    table.turns = 0
    everything = expected(items, PARTITION, hidden=False)
    keys = {id(item): raw_item(item)["sk"]["S"] for item in everything}
    read = collection(table, PARTITION)
    assert await read.begins_with(begin) == [item for item in everything if keys[id(item)].startswith(begin)]
    low, high = f"PAY#{low}", f"PAY#{high}"
    inside = [item for item in everything if low.encode() <= keys[id(item)].encode() <= high.encode()]
    assert await read.between(low, high) == inside


@examples(40)
@given(items=worlds())
async def test_cursors_of_one_collection_are_of_no_other(items: list[object]) -> None:
    """Another partition, index, direction, set of models or policy on hidden items refuses them."""
    table = FakeTable(shop, [raw_item(item) for item in items])
    table.turns = 0
    read = collection(table, PARTITION)
    cursor = (await read.page(size=1)).cursor
    if cursor is None:
        return
    others = [
        read.descending(),
        read.of(Customer),
        read.of(*MODELS),
        read.begins_with("P"),
        read.with_hidden(),
        collection(table, TOWN),
        collection(table, partition(Customer, customer_id="7")),
    ]
    for other in others:
        with pytest.raises(CursorError):
            await other.page(cursor=cursor)
