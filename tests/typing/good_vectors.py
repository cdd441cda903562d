"""Vector indexes and searches as type checkers see them. Nothing here is sent."""

from __future__ import annotations

from typing import Any, assert_type

from dynamorm_async import (
    Attr,
    Condition,
    Database,
    SearchHit,
    Table,
    Update,
    VectorAttr,
    VectorIndex,
    attr,
    embedded,
    model,
    partition_key,
    vector_index,
)


@embedded
class Author:
    name: Attr[str]
    weights: Attr[list[float]] = attr(factory=list)


@model(table="articles")
class Article:
    article_id: Attr[str] = partition_key()
    topic: Attr[str]
    embedding: Attr[list[float]]
    draft: Attr[list[float] | None] = attr(default=None)
    pages: Attr[list[int]] = attr(factory=list)
    anything: Attr[Any] = attr(default=None)
    author: Attr[Author | None] = attr(default=None)

    by_meaning = vector_index(
        "embedding", dimensions=3, distance="cosine", partition="topic", filters=["article_id"], projection="all"
    )
    by_draft = vector_index("draft", dimensions=3, distance="dot_product", projection=["topic"])


library = Table(
    "library",
    partition_key="pk",
    indexes=[VectorIndex("nearest", "vector", dimensions=3, distance="euclidean", partition="kind", filters=("year",))],
    types={"year": "N"},
)


@model(library)
class Book:
    pk: Attr[str] = partition_key()
    kind: Attr[str]
    vector: Attr[list[float]]


def attributes() -> None:
    """An attribute of numbers is still an attribute, and knows its model."""
    assert_type(Article.embedding, VectorAttr[Article, list[float]])
    assert_type(Article.draft, VectorAttr[Article, list[float] | None])
    assert_type(Book.vector, VectorAttr[Book, list[float]])
    assert_type(Article.embedding[0], Attr[float])
    assert_type(Article.embedding.set([1.0, 2.0, 3.0]), Update)
    assert_type(Article.embedding.exists(), Condition)
    assert_type(Article.embedding[0] > 0.5, Condition)
    assert_type(Article.pages, Attr[list[int]])
    assert_type(Article.topic, Attr[str])
    assert_type(Article.anything == 3, Condition)
    assert_type(Article.author / Author.weights, Attr[list[float]])
    article = Article(article_id="a1", topic="cats", embedding=[0.5, 1.0, 1.5])
    assert_type(article.embedding, list[float])
    assert_type(article.draft, list[float] | None)
    article.embedding = [1.0, 2.0, 3.0]


async def searches(db: Database, vector: list[float]) -> None:
    """The hits have the model of the attribute that was searched."""
    hits = await db.search(Article.embedding, vector, top_k=10, where=Article.topic == "cats")
    assert_type(hits, list[SearchHit[Article]])
    assert_type(hits[0].item, Article)
    assert_type(hits[0].score, float)
    assert_type(await db.search(Article.draft, (1, 2, 3), using=Article.by_draft), list[SearchHit[Article]])
    assert_type(await db.search(Book.vector, vector, using="nearest", hydrate=True), list[SearchHit[Book]])
