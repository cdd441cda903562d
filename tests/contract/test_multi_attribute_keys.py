"""Index keys of several attributes: which items are found, in which order, over how many pages.

Where an engine is known to lack them, its refusal is what a test expects, and the test ends there.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dynamorm_async import Attr, Condition, Database, NoUsableIndex, ServiceError, attr, index, model, partition_key
from tests.contract.differences import differs

pytestmark = pytest.mark.anyio


@model(table="matches")
class Match:
    """Keys of text, numbers and bytes; some matches are not drawn yet, and so have no round or no slot."""

    match_id: Attr[str] = partition_key()
    cup: Attr[str | None] = attr(default=None)
    region: Attr[int] = attr(default=1)
    round: Attr[int | None] = attr(default=None)
    slot: Attr[bytes | None] = attr(default=None)
    name: Attr[str] = attr(default="n0")
    score: Attr[int] = attr(default=0)

    by_place = index(partition=("cup", "region"), sort=("round", "slot", "name"))
    by_score = index(partition=("region", "cup"), sort="score", projection="keys_only")


def match(number: int) -> Match:
    """One of the matches. Rounds cross the lengths at which text order would differ from that of numbers."""
    place = number // 4
    return Match(
        match_id=f"m{number:03}",
        cup=("spring", "winter")[number % 2] if number % 7 else None,
        region=number // 2 % 2,
        round=(-3, 2, 10)[place % 3] if number % 5 else None,
        slot=bytes([0x80 * (place // 3 % 2), place // 6 % 2]) if number % 11 else None,
        name=f"n{place // 2 % 4}",
        score=number * 7 % 13,
    )


MATCHES = tuple(match(number) for number in range(120))


def place(one: Match) -> tuple[int, bytes, str]:
    """What the index sorts by, of a match that is in it."""
    assert one.round is not None
    assert one.slot is not None
    return one.round, one.slot, one.name


def where(holds: Callable[[Match], object]) -> list[Match]:
    """The matches of the index for which something holds, in its order: the truth that queries are compared with."""
    indexed = (m for m in MATCHES if None not in (m.cup, m.round, m.slot))
    return sorted((m for m in indexed if holds(m)), key=place)


def ranks(matches: list[Match]) -> list[tuple[int, bytes, str]]:
    """The order of matches; of those that are equal in it, it is free."""
    return [place(m) for m in matches]


def ids(matches: list[Match]) -> list[str]:
    return sorted(m.match_id for m in matches)


async def made_and_read(db: Database) -> None:
    await db.tables.ensure(Match)
    await db.query(Match).using(Match.by_place).where(Match.cup == "spring", Match.region == 1, Match.round == 2)


async def lacks(db: Database, engine: str) -> bool:
    """Whether the engine lacks such keys, which it says when the table is made or read. Else the matches are stored."""
    if differs(engine, "multi-attribute-index-keys"):
        with pytest.raises(ServiceError):
            await made_and_read(db)
        return True
    await db.tables.ensure(Match)
    async with db.batch_write() as batch:
        for one in MATCHES:
            await batch.put(one)
    return False


async def test_every_depth_of_the_sort_key(db: Database, engine: str) -> None:
    """Given values from left to right, and each kind of range on the attribute after them, in both directions."""
    if await lacks(db, engine):
        return
    cases: list[tuple[list[Condition], Callable[[int, bytes, str], bool]]] = [
        ([], lambda _r, _s, _n: True),
        ([Match.round == 10], lambda r, _s, _n: r == 10),
        ([Match.round > -3], lambda r, _s, _n: r > -3),
        ([Match.round.between(-3, 2)], lambda r, _s, _n: r <= 2),
        ([Match.round == 2, Match.slot == b"\x80\1"], lambda r, s, _n: (r, s) == (2, b"\x80\1")),
        ([Match.round == 2, Match.slot < b"\x80"], lambda r, s, _n: r == 2 and s < b"\x80"),
        ([Match.round == 2, Match.slot.between(b"\0\1", b"\x80\1")], lambda r, s, _n: r == 2 and b"\0\1" <= s <= b"\x80\1"),
        ([Match.round == 2, Match.slot == b"\0\1", Match.name >= "n2"], lambda r, s, n: (r, s) == (2, b"\0\1") and n >= "n2"),
        ([Match.round == 2, Match.slot == b"\0\1", Match.name.begins_with("n")], lambda r, s, _n: (r, s) == (2, b"\0\1")),
        ([Match.round == 2, Match.slot == b"\0\1", Match.name == "n1"], lambda r, s, n: (r, s, n) == (2, b"\0\1", "n1")),
    ]  # fmt: skip
    found_any = 0
    for conditions, holds in cases:
        expected = [m for m in where(lambda m: (m.cup, m.region) == ("winter", 1)) if holds(*place(m))]
        query = db.query(Match).using(Match.by_place).where(Match.region == 1, *conditions, Match.cup == "winter")
        found, backward = await query, await query.descending()
        assert (ranks(found), ids(found)) == (ranks(expected), ids(expected)), conditions
        assert ranks(backward) == ranks(expected)[::-1], conditions
        found_any += bool(expected)
    assert found_any == len(cases)


async def test_items_without_one_of_the_attributes_are_not_in_the_index(db: Database, engine: str) -> None:
    """Sparse: an item is there once it has all of them, and gone when it loses one."""
    if await lacks(db, engine):
        return
    query = db.query(Match).using(Match.by_place).where(Match.cup == "autumn", Match.region == 5)
    late = Match(match_id="late", cup="autumn", region=5, round=1)
    await db.put(late)
    assert await query == []
    late.slot = b"\1"
    await db.save(late)
    assert await query == [late]
    late.round = None
    await db.save(late)
    assert await query == []


async def test_pages_and_cursors(db: Database, engine: str) -> None:
    """A page ends with every attribute of the index's key, and the next one goes on from there, both ways."""
    if await lacks(db, engine):
        return
    expected = where(lambda m: (m.cup, m.region) == ("spring", 0))
    query = db.query(Match).using(Match.by_place).where(Match.cup == "spring", Match.region == 0)
    for read in (query, query.descending()):
        whole = await read
        assert ids(whole) == ids(expected)
        for size in (1, 2, 5):
            cursor, found = None, list[Match]()
            while True:
                page = await (read if cursor is None else read.after(cursor)).page(size=size)
                found += page.items
                cursor = page.cursor
                if cursor is None:
                    break
            assert found == whole, size


async def test_several_values_are_merged(db: Database, engine: str) -> None:
    """is_in on partition and sort attributes: one query a combination, merged in the order of the index."""
    if await lacks(db, engine):
        return
    query = (
        db.query(Match)
        .using(Match.by_place)
        .where(Match.cup.is_in(["winter", "spring"]), Match.region.is_in([0, 1]), Match.round.is_in([10, -3]))
    )
    expected = where(lambda m: m.round in (10, -3))
    assert len(query.explain().requests) == 8
    found = await query
    assert (ranks(found), ids(found)) == (ranks(expected), ids(expected))
    assert ranks(await query.descending().limit(7)) == ranks(expected)[:-8:-1]
    first = await query.page(size=4)
    assert first.cursor is not None
    assert first.items + await query.after(first.cursor) == found


async def test_whole_items_through_keys(db: Database, engine: str) -> None:
    """An index of keys only gives partial models with all of its key attributes, and whole ones with hydrate()."""
    if await lacks(db, engine):
        return
    query = db.query(Match).using(Match.by_score).where(Match.cup == "spring", Match.region == 1, Match.score >= 6)
    expected = sorted(
        (m for m in MATCHES if m.cup == "spring" and m.region == 1 and m.score >= 6), key=lambda m: m.score
    )
    assert [(m.cup, m.region, m.score) for m in await query] == [("spring", 1, m.score) for m in expected]
    with pytest.raises(AttributeError, match="name"):
        _ = (await query)[0].name
    assert ids(await query.hydrate()) == ids(expected)
    assert [score for (score,) in await query.select(Match.score)] == [m.score for m in expected]


async def test_what_is_described_is_what_was_declared(db: Database, engine: str) -> None:
    """ensure() finds no difference in a table that it made, whose keys keep their order."""
    if await lacks(db, engine):
        return
    await db.tables.ensure(Match)
    described = {each.index.name: each.index for each in (await db.tables.describe(Match)).indexes}
    assert [part.name for part in described["by_place"].partition] == ["cup", "region"]
    assert [(part.name, part.tag) for part in described["by_place"].sort] == [
        ("round", "N"),
        ("slot", "B"),
        ("name", "S"),
    ]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([Match.cup == "spring"], "needs Match.region == ..."),
        ([Match.cup == "spring", Match.region > 0], "needs Match.region == ..."),
        (
            [Match.cup == "spring", Match.region == 0, Match.slot == b"\1"],
            "takes a condition on slot only where round before it has a value",
        ),
        (
            [Match.cup == "spring", Match.region == 0, Match.round > 1, Match.slot == b"\1"],
            "takes a condition on slot only where round before it has a value",
        ),
        (
            [Match.cup == "spring", Match.region == 0, Match.round == 1, Match.name == "n1"],
            "takes a condition on name only where slot before it has a value",
        ),
    ],
)
async def test_what_dynamodb_would_refuse_is_not_sent(db: Database, conditions: list[Condition], words: str) -> None:
    """A missing partition attribute, a gap, and anything after a range are told by their Python names."""
    with pytest.raises(NoUsableIndex) as caught:
        await db.query(Match).using(Match.by_place).where(*conditions)
    assert words in str(caught.value)
    assert db.statistics().requests == {}
