"""Mistakes with vectors that both checkers report. Never run."""

from __future__ import annotations

from dynamorm_async import Attr, Database, Index, SearchHit, VectorIndex, attr, model, partition_key, vector_index


@model(table="articles")
class Article:
    article_id: Attr[str] = partition_key()
    title: Attr[str]
    pages: Attr[list[int]]
    embedding: Attr[list[float]]
    note: Attr[str | None] = attr(default=None)

    by_title = Index


@model(table="books")
class Book:
    isbn: Attr[str] = partition_key()


async def searches(db: Database, vector: list[float]) -> None:
    await db.search(Article.title, vector)  # error: mypy pyright
    await db.search(Article.pages, vector)  # error: mypy pyright
    await db.search(Article, vector)  # error: mypy pyright
    await db.search(Article.embedding)  # error: mypy pyright
    await db.search(Article.embedding, "a text")  # error: mypy pyright
    await db.search(Article.embedding, ["1", "2"])  # error: mypy pyright
    await db.search(Article.embedding, vector, top_k="ten")  # error: mypy pyright
    await db.search(Article.embedding, vector, where=True)  # error: mypy pyright
    await db.search(Article.embedding, vector, using=Article.embedding)  # error: mypy pyright
    hits: list[SearchHit[Book]] = await db.search(Article.embedding, vector)  # error: mypy pyright
    found = (await db.search(Article.embedding, vector))[0]
    assert found.item.nope  # error: mypy pyright
    assert found.distance  # error: mypy pyright
    assert hits


vector_index("embedding", dimensions=3)  # error: mypy pyright
vector_index("embedding", dimensions=3, distance="manhattan")  # error: mypy pyright
vector_index("embedding", dimensions="3", distance="cosine")  # error: mypy pyright
vector_index("embedding", dimensions=3, distance="cosine", projection="some")  # error: mypy pyright
VectorIndex("nearest", "vector", 3, "cosine")  # error: mypy pyright
VectorIndex("nearest", "vector", dimensions=3, distance="near")  # error: mypy pyright
Article(article_id="a", title="t", pages=[], embedding=["1"])  # error: mypy pyright
