"""What a query reads, through which index, in which order, and as what: models, partial models, tuples."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from dynamorm_async import Condition, Database, DecodeError, Key, NotOne, NoUsableIndex, Query, UsageError
from tests.contract.reading_models import (
    BADGES,
    PARCELS,
    Badge,
    Parcel,
    Place,
    by_key,
    depots,
    key,
    parcel,
    put_all,
    where,
)

__all__ = ["depots"]

pytestmark = pytest.mark.anyio

Holds = Callable[[Parcel], bool]
EAST = Parcel.depot == "east"

# Conditions, what they mean in Python, and what the planner must read for them.
CHOICES: tuple[tuple[str, tuple[Condition, ...], Holds, str], ...] = (
    ("partition", (EAST,), lambda p: p.depot == "east", "the table"),
    ("key", (EAST, Parcel.number == 16), lambda p: (p.depot, p.number) == ("east", 16), "the table"),
    ("range", (EAST, Parcel.number.between(-8, 40)), lambda p: p.depot == "east" and -8 <= p.number <= 40, "the table"),
    ("ends", (EAST, Parcel.number >= -8, Parcel.number <= 40), lambda p: p in where(CHOICES[2][2]), "the table"),
    ("filter", (EAST, Parcel.town == "Bonn"), lambda p: p.depot == "east" and p.town == "Bonn", "the table"),
    ("local", (EAST, Parcel.weight > 4), lambda p: p.depot == "east" and p.weight > 4, "index by_weight"),
    ("local and filter", (EAST, Parcel.weight < 9, Parcel.carrier == "ups"),
     lambda p: p.depot == "east" and p.weight < 9 and p.carrier == "ups", "index by_weight"),
    ("global", (Parcel.carrier == "dhl",), lambda p: p.carrier == "dhl", "index by_carrier"),
    ("global range", (Parcel.carrier == "dhl", Parcel.number < 0),
     lambda p: p.carrier == "dhl" and p.number < 0, "index by_carrier"),
    ("sparse", (Parcel.claimed == "ann",), lambda p: p.claimed == "ann", "index by_claim"),
    ("either in a filter", (EAST, (Parcel.town == "Bonn") | ~(Parcel.status == "new")),
     lambda p: p.depot == "east" and (p.town == "Bonn" or p.status != "new"), "the table"),
    ("nothing there", (Parcel.depot == "west",), lambda _: False, "the table"),
)  # fmt: skip


@pytest.mark.parametrize(("conditions", "holds", "reads"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES])
async def test_the_chosen_index_gives_what_python_would(
    depots: Database, conditions: tuple[Condition, ...], holds: Holds, reads: str
) -> None:
    """The planner's choice never changes what comes back, nor does the order of the conditions (flaw D1)."""
    expected = where(holds)
    for order in itertools.permutations(conditions):
        query = depots.query(Parcel).where(*order)
        assert query.explain().target == reads
        assert by_key(await query) == expected
        assert by_key([item async for item in query.page_size(2)]) == expected
        assert await query.count() == len(expected)


async def test_what_an_index_does_not_hold_rules_it_out(depots: Database) -> None:
    """An index without all attributes is chosen only for those that it holds, and never silently otherwise."""
    towns = depots.query(Parcel).where(Parcel.town == "Leeds")
    with pytest.raises(NoUsableIndex, match="by_town: does not hold"):
        await towns
    held = towns.select(Parcel.carrier, Parcel.weight, Parcel.number)
    assert held.explain().target == "index by_town"
    leeds = where(lambda p: p.town == "Leeds")
    assert sorted(await held) == sorted((p.carrier, p.weight, p.number) for p in leeds)
    statuses = depots.query(Parcel).where(Parcel.status == "sent").select(Parcel.number)
    assert statuses.explain().target == "index by_status"
    assert await statuses == sorted((p.number,) for p in where(lambda p: p.status == "sent"))
    with pytest.raises(NoUsableIndex, match="index by_claim: "):
        await depots.query(Parcel).where(Parcel.claimed.exists())


async def test_consistent_reads_choose_no_global_index(depots: Database) -> None:
    """A strongly consistent query reads the table or a local index, and is refused where only a GSI answers (D2)."""
    strong = depots.query(Parcel).consistent()
    both = strong.where(EAST, Parcel.carrier == "ups")
    assert both.explain().target == "the table"
    assert await both == where(lambda p: p.depot == "east" and p.carrier == "ups")
    assert strong.where(EAST, Parcel.weight == 3).explain().target == "index by_weight"
    for refused in (strong.where(Parcel.carrier == "ups"), strong.where(Parcel.carrier == "ups").using("by_carrier")):
        with pytest.raises(NoUsableIndex, match="is read eventually consistently only"):
            await refused
    with pytest.raises(UsageError, match="by_carrier is global"):
        await depots.scan(Parcel).using(Parcel.by_carrier).consistent()


async def test_order_follows_the_sort_key_of_what_is_read(depots: Database) -> None:
    """Numbers sort as numbers, up and down, on the table and on both kinds of index."""
    east = where(lambda p: p.depot == "east")
    assert [p.number for p in east] == sorted(p.number for p in east)
    assert await depots.query(Parcel).where(EAST) == east
    assert await depots.query(Parcel).where(EAST).descending() == east[::-1]
    local = depots.query(Parcel).where(EAST).using(Parcel.by_weight)
    weights = sorted(p.weight for p in east)
    assert [p.weight for p in await local] == weights
    assert [p.weight for p in await local.descending()] == weights[::-1]
    dhl = sorted(p.number for p in PARCELS if p.carrier == "dhl")
    assert [p.number for p in await depots.query(Parcel).where(Parcel.carrier == "dhl")] == dhl
    assert [p.number for p in await depots.query(Parcel).where(Parcel.carrier == "dhl").descending()] == dhl[::-1]


async def test_several_partitions_are_merged_in_order(depots: Database) -> None:
    """is_in on the partition key is several queries, whose items come in one order, up and down, within any limit."""
    query = depots.query(Parcel).where(Parcel.depot.is_in(["south", "east"]))
    expected = sorted(where(lambda p: p.depot != "north"), key=lambda p: p.number)
    assert len(query.explain().requests) == 2
    for size in (1, 3, 100):
        assert await query.page_size(size) == expected
        assert [item async for item in query.page_size(size).descending()] == expected[::-1]
        for limit in (1, 2, 7, len(expected), 100):
            assert await query.page_size(size).limit(limit) == expected[:limit]
            assert await query.page_size(size).descending().limit(limit) == expected[::-1][:limit]
    assert await query.first() == expected[0]
    assert await query.count() == len(expected)
    filtered = query.where(Parcel.status == "sent").page_size(1)
    assert await filtered == [p for p in expected if p.status == "sent"]


async def test_several_values_of_both_keys(depots: Database) -> None:
    """is_in on both keys reads each pair, in order of the sort key; one that is not there is left out."""
    numbers = [16, -20, -12, 999, 20]
    query = depots.query(Parcel).where(Parcel.number.is_in(numbers), Parcel.depot.is_in(["east", "south", "nowhere"]))
    expected = sorted(where(lambda p: p.number in numbers and p.depot in ("east", "south")), key=lambda p: p.number)
    assert len(query.explain().requests) == 15
    assert len(expected) == 3
    assert await query == expected
    assert await query.descending().limit(2) == expected[:0:-1]
    assert [item async for item in query] == expected


async def test_several_partitions_of_an_index_and_without_a_sort_key(depots: Database) -> None:
    """is_in works on a GSI's partition key, and on a table that has no sort key: then in the order of the values."""
    carriers = depots.query(Parcel).where(Parcel.carrier.is_in(["ups", "dhl"]), Parcel.number > 0)
    assert carriers.explain().target == "index by_carrier"
    assert [p.number for p in await carriers] == sorted(p.number for p in PARCELS if p.number > 0)
    codes = ["b4", "b0", "b9", "b2"]
    assert await depots.query(Badge).where(Badge.code.is_in(codes)) == [BADGES[4], BADGES[0], BADGES[2]]
    assert await depots.query(Badge).where(Badge.code.is_in(codes)).limit(2) == [BADGES[4], BADGES[0]]


@pytest.mark.parametrize(
    "conditions",
    [
        (EAST, Parcel.depot == "north"),
        (EAST & (Parcel.depot == "north"),),
        (EAST, Parcel.depot.is_in(["north", "south"])),
        (EAST, Parcel.number.is_in([1, 2]), Parcel.number == 3),
        (Parcel.carrier == "ups", Parcel.carrier == "dhl"),
    ],
)
async def test_contradictions_send_nothing(depots: Database, conditions: tuple[Condition, ...]) -> None:
    """Conditions that exclude each other have no items, and cost no request however they are read."""
    query = depots.query(Parcel).where(*conditions)
    with depots.measure() as meter:
        assert await query == []
        assert [item async for item in query] == []
        assert [page async for page in query.pages()] == []
        assert await query.first() is None
        assert await query.count() == 0
        assert await query.sum(Parcel.weight) == 0
        page = await query.page()
        assert (page.items, page.cursor) == ([], None)
    assert meter.statistics.requests == {}
    assert query.explain().requests == ()


async def test_nothing_there(depots: Database) -> None:
    """An empty partition, index or filter is no error in any way of reading."""
    queries: list[Query[Parcel]] = [
        depots.query(Parcel).where(Parcel.depot == "west"),
        depots.query(Parcel).where(Parcel.claimed == "nobody"),
        depots.query(Parcel).where(EAST, Parcel.weight > 100),
        depots.query(Parcel).where(EAST, Parcel.town == "Rome").page_size(1),
        depots.query(Parcel).where(Parcel.depot.is_in(["west", "up"])),
    ]
    for query in queries:
        assert await query == []
        assert [item async for item in query] == []
        assert await query.first() is None
        assert await query.count() == 0
        page = await query.page(size=3)
        assert (page.items, page.count, page.has_more) == ([], 0, False)
        with pytest.raises(NotOne, match="no item") as refused:
            await query.one()
        assert refused.value.found == 0


async def test_one_is_exactly_one(depots: Database) -> None:
    """one() gives the only item, and refuses more than one."""
    assert await depots.query(Parcel).where(EAST, Parcel.number == 16).one() == parcel(9)
    with pytest.raises(NotOne, match="more than one") as refused:
        await depots.query(Parcel).where(EAST).one()
    assert refused.value.found == 2


async def test_a_keys_only_index_gives_partial_models(depots: Database) -> None:
    """Of an index without all attributes come models with those that it holds: no default stands in for another."""
    found = await depots.query(Parcel).using(Parcel.by_status).where(Parcel.status == "sent")
    sent = sorted(where(lambda p: p.status == "sent"), key=lambda p: p.number)
    assert [(p.depot, p.number, p.status) for p in found] == [(p.depot, p.number, p.status) for p in sent]
    assert all(isinstance(p, Parcel) for p in found)
    assert found[0] == found[0]
    assert found[0] != found[1]
    assert "carrier" not in repr(found[0])
    for name in ("carrier", "weight", "claimed", "tags", "place"):
        with pytest.raises(AttributeError, match=name):
            getattr(found[0], name)


async def test_an_index_that_holds_some_attributes(depots: Database) -> None:
    """An INCLUDE index gives its keys, the table's keys, and the attributes that it was told to hold."""
    found = await depots.query(Parcel).using("by_town").where(Parcel.town == "Porto", Parcel.weight >= 5)
    porto = where(lambda p: p.town == "Porto" and p.weight >= 5)
    assert [p.weight for p in found] == sorted(p.weight for p in porto)
    held = sorted((p.depot, p.number, p.town, p.weight, p.carrier) for p in found)
    assert held == [(p.depot, p.number, p.town, p.weight, p.carrier) for p in porto]
    with pytest.raises(AttributeError, match="status"):
        _ = found[0].status
    scanned = await depots.scan(Parcel).using(Parcel.by_town)
    assert sorted((p.depot, p.number, p.carrier) for p in scanned) == [(*key(p), p.carrier) for p in where(bool)]


async def test_partial_models_are_not_written(depots: Database) -> None:
    """A write of a partial model would lose what the index does not hold, so it is refused before any request."""
    partial = await depots.query(Parcel).using(Parcel.by_status).where(Parcel.status == "sent").first()
    assert partial is not None
    with depots.measure() as meter:
        for write in (depots.put, depots.create, depots.save):
            with pytest.raises(UsageError, match="was read through an index"):
                await write(partial)
    assert meter.statistics.requests == {}


async def test_hydrate_gives_whole_items_in_order(depots: Database) -> None:
    """hydrate() reads from the table what an index does not hold, in the index's order, in every way of reading."""
    sent = sorted(where(lambda p: p.status == "sent"), key=lambda p: p.number)
    query = depots.query(Parcel).where(Parcel.status == "sent").hydrate()
    assert query.explain().target == "index by_status"
    assert await query == sent
    assert await query.descending().limit(3) == sent[:-4:-1]
    assert [item async for item in query.page_size(2)] == sent
    page = await query.page(size=2)
    assert page.items == sent[:2]
    assert (await query.page(size=100, cursor=page.cursor)).items == sent[2:]
    assert by_key(await depots.scan(Parcel).using(Parcel.by_status).hydrate()) == where(bool)


async def test_hydrate_asks_for_at_most_a_hundred_keys(db: Database) -> None:
    """More keys than DynamoDB takes at once are read in batches of 100, still in order, each item once."""
    await db.tables.ensure(Parcel)
    many = [Parcel(depot=f"d{n % 7}", number=n, status="sent", town=f"town {n}") for n in range(230)]
    await put_all(db, many)
    with db.measure() as meter:
        assert await db.query(Parcel).where(Parcel.status == "sent").hydrate() == many
    assert meter.statistics.requests["BatchGetItem"] == 3


async def test_selected_attributes_come_as_tuples(depots: Database) -> None:
    """select() gives tuples in the order asked for, keys or not, of the table and of every kind of index."""
    east = where(lambda p: p.depot == "east")
    query = depots.query(Parcel).where(EAST)
    assert await query.select(Parcel.price) == [(p.price,) for p in east]
    everything = query.select(Parcel.tags, Parcel.number, Parcel.delay, Parcel.volume, Parcel.claimed, Parcel.names)
    assert await everything == [(p.tags, p.number, p.delay, p.volume, p.claimed, p.names) for p in east]
    assert await query.select(Parcel.town, Parcel.town) == [(p.town, p.town) for p in east]
    local = query.using(Parcel.by_weight).select(Parcel.weight)
    assert await local == sorted((p.weight,) for p in east)
    filtered = query.where(Parcel.carrier == "ups").select(Parcel.town).page_size(1)
    assert await filtered.descending().limit(2) == [(p.town,) for p in east[::-1] if p.carrier == "ups"][:2]
    assert sorted(await depots.scan(Parcel).select(Parcel.depot, Parcel.number)) == [key(p) for p in where(bool)]


async def test_selected_paths(depots: Database) -> None:
    """Paths into embedded classes and maps give what is there, or None; a path and its parent may both be asked for."""
    east = where(lambda p: p.depot == "east")
    query = depots.query(Parcel).where(EAST)
    places = query.select(Parcel.place / Place.city, Parcel.place / Place.postcode, Parcel.names["a"])
    assert await places == [
        (p.place.city, p.place.postcode, p.names.get("a")) if p.place else (None, None, p.names.get("a")) for p in east
    ]
    both = await query.select(Parcel.place, Parcel.place / Place.city)
    assert both == [(p.place, p.place.city if p.place else None) for p in east]


@pytest.mark.parametrize("elements", [(0,), (1,), (2,), (2, 0), (1, 1)])
async def test_selected_list_elements(depots: Database, elements: tuple[int, ...]) -> None:
    """A list element is the one at that place: DynamoDB closes the gaps that a projection leaves in a list."""
    east = where(lambda p: p.depot == "east")
    found = await depots.query(Parcel).where(EAST).select(*(Parcel.scans[n] for n in elements))
    assert found == [tuple(dict(enumerate(p.scans)).get(n) for n in elements) for p in east]


async def test_selected_attributes_that_are_absent(db: Database) -> None:
    """An absent attribute is its default, as in a model; a required one is an error that names it."""
    await db.tables.ensure(Badge)
    await db.put(Badge(code="b1", owner="ann", level=7))
    query = db.query(Badge).where(Badge.code == "b1")
    assert await query.select(Badge.level, Badge.note) == [(7, None)]
    await db.update(Key(Badge, "b1"), Badge.level.remove(), Badge.owner.remove(), returns="none")
    assert await query.select(Badge.level, Badge.note, Badge.code) == [(3, None, "b1")]
    with pytest.raises(DecodeError, match="owner: is missing"):
        await query.select(Badge.owner)


async def test_a_named_index_is_not_asked_for_what_it_does_not_hold(depots: Database) -> None:
    """Engines give defaults, or nothing, for attributes that an index lacks: selections and filters on them are refused."""
    query = depots.query(Parcel).using(Parcel.by_status).where(Parcel.status == "sent")
    scan = depots.scan(Parcel).using(Parcel.by_status)
    with depots.measure() as meter:
        for reading in (
            query.select(Parcel.carrier),
            query.where(Parcel.carrier == "ups"),
            query.where(Parcel.carrier == "ups").hydrate(),
            scan.select(Parcel.carrier),
            scan.where(Parcel.carrier == "ups"),
        ):
            with pytest.raises(UsageError, match="by_status does not hold carrier"):
                await reading
        with pytest.raises(UsageError, match="by_status does not hold weight"):
            await query.sum(Parcel.weight)
    assert meter.statistics.requests == {}
