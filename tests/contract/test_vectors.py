"""Vector indexes on the engine that has them: what a search finds, in which order, of what kind of item.

Where an engine is known to lack them, the missing index is what a test expects, and the test ends there.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from dynamorm_async import (
    Attr,
    Database,
    Key,
    SearchHit,
    Table,
    TableMismatch,
    ValidationFailed,
    VectorIndex,
    attr,
    deleted_at,
    model,
    partition_key,
    sort_key,
    ttl,
    vector_index,
)
from tests.contract.differences import differs

pytestmark = pytest.mark.anyio


@model(table="articles")
class Article:
    shelf: Attr[str] = partition_key(name="pk")
    number: Attr[int] = sort_key()
    topic: Attr[str | None] = attr(default=None)
    year: Attr[int | None] = attr(default=None, name="y")
    title: Attr[str] = attr(default="")
    body: Attr[bytes] = attr(default=b"\0")
    embedding: Attr[list[float] | None] = attr(default=None, name="e")

    by_meaning = vector_index("embedding", dimensions=3, distance="cosine", partition="topic", filters=["year"])
    by_distance = vector_index("embedding", dimensions=3, distance="euclidean", projection="keys_only")
    by_product = vector_index("embedding", dimensions=3, distance="dot_product", projection=["title"])


def article(number: int) -> Article:
    """One of the articles: their vectors turn away from the first axis, and grow."""
    angle = number / 20
    return Article(
        shelf=f"s{number % 2}",
        number=number,
        topic=("cats", "dogs")[number % 3 == 0] if number % 7 else None,
        year=2000 + number % 4 if number % 5 else None,
        title=f"t{number}",
        embedding=[(1 + number) * math.cos(angle), (1 + number) * math.sin(angle), 0.0] if number % 11 else None,
    )


ARTICLES = [article(number) for number in range(1, 25)]
INDEXED = [one for one in ARTICLES if one.embedding is not None]


async def lacks(db: Database, engine: str, target: type | Table = Article) -> bool:
    """Whether the engine lacks vector indexes. Else there is the table."""
    if differs(engine, "vector-indexes"):
        # It makes a table without them, which is told, or takes the definitions of their attributes for a mistake.
        with pytest.raises((TableMismatch, ValidationFailed), match=r"(?i)no vector index|number of attributes"):
            await db.tables.ensure(target)
        return True
    await db.tables.ensure(target)
    await db.tables.ensure(target)  # and what was made is what was declared
    return False


async def filled(db: Database, engine: str) -> bool:
    """Whether there is a table, with the articles in it."""
    if await lacks(db, engine):
        return False
    await db.put_many(ARTICLES)
    return True


def numbers(hits: list[SearchHit[Article]]) -> list[int]:
    return [hit.item.number for hit in hits]


async def test_each_distance_ranks_as_it_says(db: Database, engine: str) -> None:
    """By direction, by distance, and by product, whose highest score is the nearest; items without a vector are nowhere."""
    if not await filled(db, engine):
        return
    near = await db.search(Article.embedding, [1, 0, 0], top_k=100, using=Article.by_distance)
    assert numbers(near) == [one.number for one in INDEXED]
    expected = [math.dist(one.embedding or (), (1, 0, 0)) for one in INDEXED]
    assert [hit.score for hit in near] == pytest.approx(expected, rel=1e-4)  # the index keeps 32 bits of each number
    product = await db.search(Article.embedding, [0, 1, 0], top_k=3, using=Article.by_product)
    assert numbers(product) == [one.number for one in INDEXED[::-1]][:3]
    assert product[0].score > product[1].score > product[2].score
    cosine = await db.search(Article.embedding, [2, 0, 0], using=Article.by_meaning, where=Article.topic == "cats")
    cats = [one for one in INDEXED if one.topic == "cats"]
    assert numbers(cosine) == [one.number for one in cats][:10]
    assert [hit.score for hit in cosine] == pytest.approx(
        [1 - math.cos(one.number / 20) for one in cats][:10], abs=1e-5
    )


async def test_filters_and_partitions(db: Database, engine: str) -> None:
    """A search is within one value of the partition key, and of a filter where that is given; items without are passed over."""
    if not await filled(db, engine):
        return
    for topic in ("cats", "dogs", "birds"):
        for year in (None, 2001, 2003):
            where = Article.topic == topic
            if year is not None:
                where &= Article.year == year
            hits = await db.search(Article.embedding, [1, 0, 0], top_k=100, using="by_meaning", where=where)
            assert numbers(hits) == [
                one.number for one in INDEXED if one.topic == topic and (year is None or one.year == year)
            ]


async def test_what_the_hits_hold(db: Database, engine: str) -> None:
    """All but the vector, some, or the keys; the vector where it is wanted; whole items from the table."""
    if not await filled(db, engine):
        return
    cats = {"where": Article.topic == "cats", "top_k": 1}
    (hit,) = await db.search(Article.embedding, [1, 0, 0], using="by_meaning", **cats)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the same twice
    first = ARTICLES[0]
    assert (hit.item.shelf, hit.item.year, hit.item.title, hit.item.body) == ("s1", 2001, "t1", b"\0")
    assert not hasattr(hit.item, "embedding")
    (hit,) = await db.search(Article.embedding, [1, 0, 0], using="by_meaning", with_vector=True, **cats)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
    assert hit.item.embedding == pytest.approx(first.embedding, rel=1e-6)
    (hit,) = await db.search(Article.embedding, [1, 0, 0], using="by_meaning", hydrate=True, **cats)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
    assert hit.item == first
    (hit,) = await db.search(Article.embedding, [1, 0, 0], using="by_distance", top_k=1)
    assert (hit.item.shelf, hit.item.number, hasattr(hit.item, "title")) == ("s1", 1, False)
    hits = await db.search(Article.embedding, [1, 0, 0], using="by_distance", hydrate=True, top_k=5)
    assert [hit.item for hit in hits] == INDEXED[:5]
    hits = await db.search(Article.embedding, [0, 1, 0], using="by_product", top_k=1)
    assert (hits[0].item.title, hasattr(hits[0].item, "topic")) == ("t24", False)


async def test_the_index_follows_the_items(db: Database, engine: str) -> None:
    """Changed vectors move, and items without a vector or partition key are gone from it."""
    if not await filled(db, engine):
        return

    async def nearest(*vector: float) -> list[int]:
        return numbers(
            await db.search(Article.embedding, vector, top_k=2, using="by_meaning", where=Article.topic == "cats")
        )

    assert await nearest(0, 0, 1) != [1, 2]
    key = Key(Article, "s1", 1)
    await db.update(key, Article.embedding.set([0.0, 0.0, 3.0]))
    assert (await nearest(0, 0, 1))[0] == 1
    await db.update(key, Article.topic.remove())
    assert 1 not in await nearest(0, 0, 1)
    await db.update(key, Article.topic.set("cats"), Article.embedding.remove())
    assert 1 not in await nearest(0, 0, 1)
    await db.delete(Key(Article, "s0", 2))
    assert 2 not in await nearest(1, 0, 0)


@model(table="notes", hide_expired=True)
class Note:
    note_id: Attr[str] = partition_key()
    vector: Attr[list[float]]
    deleted: Attr[datetime | None] = deleted_at()
    expires: Attr[datetime | None] = ttl(default=None)

    near = vector_index("vector", dimensions=2, distance="euclidean")


async def test_hidden_items_stay_hidden(db: Database, engine: str) -> None:
    """What was soft-deleted or has expired does not come back, nor takes the place of others."""
    if await lacks(db, engine, Note):
        return
    for number in range(12):
        expires = datetime.now(UTC) + timedelta(days=1 if number % 4 else -1)
        await db.put(Note(note_id=f"n{number:02}", vector=[number, 0.0], expires=expires))
    for number in (1, 2, 5):
        await db.delete(Key(Note, f"n{number:02}"))
    hits = await db.search(Note.vector, [0, 0], top_k=3)
    assert [hit.item.note_id for hit in hits] == ["n03", "n06", "n07"]
    assert [hit.item.note_id for hit in await db.search(Note.vector, [0, 0], top_k=3, hydrate=True)] == [
        "n03",
        "n06",
        "n07",
    ]
    assert [hit.item.note_id for hit in await db.search(Note.vector, [0, 0], top_k=3, hidden=True)] == [
        "n00",
        "n01",
        "n02",
    ]


library = Table(
    "library",
    partition_key="pk",
    types={"year": "N"},
    indexes=[VectorIndex("near", "vector", dimensions=2, distance="cosine", partition="kind", filters=("year",))],
)


@model(library)
class Book:
    pk: Attr[str] = partition_key()
    kind: Attr[str] = attr(default="book")
    vector: Attr[list[float]]
    year: Attr[int] = attr(default=2000)


@model(library)
class Film:
    pk: Attr[str] = partition_key()
    kind: Attr[str] = attr(default="film")
    vector: Attr[list[float]]
    minutes: Attr[int]


async def test_models_of_one_table(db: Database, engine: str) -> None:
    """The partition key of a shared index tells them apart."""
    if await lacks(db, engine, library):
        return
    await db.put(Book(pk="b1", vector=[1.0, 0.0]))
    await db.put(Film(pk="f1", vector=[1.0, 0.1], minutes=90))
    (book,) = await db.search(Book.vector, [1, 0], where=Book.kind == "book")
    (film,) = await db.search(Film.vector, [1, 0], where=Film.kind == "film", hydrate=True)
    assert (book.item.pk, book.item.year, film.item) == ("b1", 2000, Film(pk="f1", vector=[1.0, 0.1], minutes=90))


async def test_many_searches_at_once(db: Database, engine: str) -> None:
    """They share connections, each with its own answer."""
    if not await filled(db, engine):
        return
    found: dict[int, list[int]] = {}

    async def search(year: int) -> None:
        where = (Article.topic == "cats") & (Article.year == 2000 + year % 4)
        found[year] = numbers(await db.search(Article.embedding, [1, 0, 0], using="by_meaning", where=where))

    async with anyio.create_task_group() as group:
        for year in range(40):
            group.start_soon(search, year)
    for year, hits in found.items():
        assert hits == [one.number for one in INDEXED if one.topic == "cats" and one.year == 2000 + year % 4]


async def test_what_the_service_refuses_is_told(db: Database, engine: str) -> None:
    """An index that is not there is a ValidationFailed with the service's own words; so it is while an index is made."""
    if await lacks(db, engine, library):
        return

    @model(table="library")
    class Other:
        pk: Attr[str] = partition_key()
        vector: Attr[list[float]]

        missing = vector_index("vector", dimensions=2, distance="cosine")

    with pytest.raises(ValidationFailed, match="missing"):
        await db.search(Other.vector, [1, 0])
