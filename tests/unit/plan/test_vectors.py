"""Vector searches as requests: what is sent, what is refused before, and what an answer says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dynamorm_async import (
    Attr,
    Condition,
    DecodeError,
    InvalidValue,
    NoUsableIndex,
    Table,
    UsageError,
    VectorIndex,
    attr,
    deleted_at,
    embedded,
    model,
    partition_key,
    sort_key,
    vector_index,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.updating import update_item
from dynamorm_async.plan.vectors import SearchPlan, found_in, plan_search
from tests.unit.plan.service_model import parsed, report
from tests.unit.plan.shown import shown


@embedded
class Author:
    name: Attr[str]
    weights: Attr[list[float]] = attr(factory=list)


@model(table="articles")
class Article:
    shelf: Attr[str] = partition_key(name="pk")
    number: Attr[int] = sort_key()
    topic: Attr[str] = attr(default="cats")
    year: Attr[int] = attr(default=2020, name="y")
    cover: Attr[bytes | None] = attr(default=None)
    title: Attr[str] = attr(default="", name="t")
    author: Attr[Author | None] = attr(default=None)
    embedding: Attr[list[float] | None] = attr(default=None, name="e")
    picture: Attr[list[float] | None] = attr(default=None)
    other: Attr[list[float] | None] = attr(default=None)

    by_meaning = vector_index(
        "embedding", dimensions=3, distance="cosine", partition="topic", filters=["year", "cover"], projection=["title"]
    )
    everything = vector_index("embedding", dimensions=3, distance="euclidean", name="every.thing")
    by_picture = vector_index("picture", dimensions=2, distance="dot_product", projection="keys_only")


def planned(attribute: object = Article.picture, vector: Iterable[Any] = (1, 0), **asked: Any) -> SearchPlan:
    given: dict[str, Any] = {
        "prefix": "test-",
        "top_k": 10,
        "where": None,
        "using": None,
        "hydrate": False,
        "with_vector": False,
        "hidden": False,
    }
    return plan_search(attribute, vector, **given | asked)


def meaning(where: Condition | None = Article.topic == "cats", **asked: Any) -> SearchPlan:
    return planned(Article.embedding, [1, 2, 3], using=Article.by_meaning, where=where, **asked)


def test_a_search_of_an_index_without_schema() -> None:
    """Table, index, vector and number of hits; the attributes that it holds are asked for by name."""
    request = planned(top_k=7).request(7)
    assert (request.operation, request.table, request.repeatable) == ("SearchVectors", "test-articles", True)
    assert request.body == {
        "TableName": "test-articles",
        "IndexName": "by_picture",
        "SearchVector": [{"N": "1.0"}, {"N": "0"}],
        "TopK": 7,
        "ProjectionExpression": "#n0, #n1",
        "ExpressionAttributeNames": {"#n0": "pk", "#n1": "number"},
    }
    assert report("SearchVectors", request.body) == ""


def test_a_search_with_conditions() -> None:
    """They share names and values with the rest of the request, which is valid by the service's own model."""
    condition = (Article.topic == "cats") & (Article.year == 2020) & ~(Article.cover == b"z")
    body = meaning(condition).request(10).body
    assert shown(body, "SearchConditionExpression") == "topic = cats AND y = 2020 AND NOT (cover = b'z')"
    assert shown(body, "ProjectionExpression") == "pk, number, topic, y, cover, t"
    assert report("SearchVectors", body) == ""


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ({"using": "by_meaning", "where": Article.topic == "cats"}, {"pk", "number", "topic", "y", "cover", "t"}),
        ({"using": Article.everything}, {"pk", "number", "topic", "y", "cover", "t", "author", "picture", "other"}),
        (
            {"using": Article.everything, "with_vector": True},
            {"pk", "number", "topic", "y", "cover", "t", "author", "picture", "other", "e"},
        ),
        ({"using": Article.everything, "hydrate": True}, {"pk", "number"}),
    ],
)
def test_what_is_asked_of_the_index(asked: dict[str, Any], held: set[str]) -> None:
    """All that it holds, the vector only where it is wanted; the keys alone where whole items are read."""
    plan = planned(Article.embedding, [1, 2, 3], **asked)
    assert plan.held == held
    assert set(plan.body["ExpressionAttributeNames"].values()) == held
    assert report("SearchVectors", plan.request(1).body) == ""


@pytest.mark.parametrize(
    ("attribute", "using", "error", "words"),
    [
        (Article, None, UsageError, "such as Article.embedding"),
        ("embedding", None, UsageError, "'embedding'"),
        (Author.weights, None, UsageError, "Author'> is not a model"),
        (Article.author / Author.weights, None, UsageError, "an attribute of Article itself"),
        (Article.picture[0], None, UsageError, "an attribute of Article itself"),
        (Article.other, None, NoUsableIndex, 'Article.other has no vector index.*vector_index\\("other"'),
        (Article.embedding, None, NoUsableIndex, "several vector indexes \\(by_meaning, every.thing\\).*using="),
        (Article.embedding, "nope", NoUsableIndex, "no vector index 'nope'; it has by_meaning, every.thing"),
        (Article.embedding, Article.by_picture, NoUsableIndex, "no vector index 'by_picture'"),
        (Article.embedding, Article.embedding, NoUsableIndex, "no vector index <Attr Article.embedding>"),
    ],
)
def test_which_index_is_meant(attribute: object, using: object, error: type[UsageError], words: str) -> None:
    """The attribute's only one, or the one that is named; anything else is told."""
    with pytest.raises(error, match=words):
        planned(attribute, [1, 2, 3], using=using)


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([], "has 0 numbers; vector index by_picture has 2"),
        ([1], "has 1 numbers"),
        ([1, 2, 3], "has 3 numbers"),
        (3, "got 3"),
        (None, "got None"),
        ("ab", "element 0 is 'a'"),
        (b"ab", None),
        ([1, None], "element 1 is None"),
        ([1, "2"], "element 1 is '2'"),
        ([True, 1], "element 0 is True"),
        ([1j, 1], "element 0 is 1j"),
        ([math.nan, 1], "element 0 is nan.*finite"),
        ([1, math.inf], "element 1 is inf.*finite"),
        ([-1e39, 1], "element 0 is -1e\\+39.*32-bit"),
        ([1, Decimal("NaN")], "element 1"),
        ([1, 1e-140], "1e-140"),
    ],
)
def test_a_vector_is_so_many_finite_numbers(vector: Any, words: str | None) -> None:
    """Anything else is refused with the place where it is wrong. Bytes are numbers to Python."""
    if words is None:
        assert planned(vector=vector).body["SearchVector"] == [{"N": "97.0"}, {"N": "98.0"}]
        return
    with pytest.raises(InvalidValue, match=words):
        planned(vector=vector)


class Float32:
    """A number of another library: NumPy's scalars are no Python floats."""

    def __float__(self) -> float:
        return 0.5


def test_numbers_of_every_kind() -> None:
    """Integers, decimals, floats at the ends of 32 bits, those of other libraries; an iterator is read once."""
    vectors: list[Iterable[Any]] = [[1, Decimal("0.25")], (Float32(), -0.0), iter([3.4028234663852886e38, 1e-45])]
    assert [planned(vector=vector).body["SearchVector"] for vector in vectors] == [
        [{"N": "1.0"}, {"N": "0.25"}],
        [{"N": "0.5"}, {"N": "0"}],
        [{"N": "3.4028234663852886e+38"}, {"N": "1e-45"}],
    ]


@pytest.mark.parametrize("top_k", [0, -1, 101, 1.5, True, "10", None])
def test_how_many_hits(top_k: Any) -> None:
    """1 to 100, and whole."""
    with pytest.raises(UsageError, match="1 to 100 hits"):
        planned(top_k=top_k)
    assert [planned(top_k=good).top_k for good in (1, 100)] == [1, 100]


CATS = Article.topic == "cats"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (None, r"partitioned by Article.topic: a search needs where=Article.topic == \.\.\., joined"),
        (Article.year == 2020, r"needs where=Article.topic == \.\.\., joined"),
        (Article.topic != "cats", "once and outside of"),
        (Article.topic > "cats", "once and outside of"),
        (Article.topic.is_in(["cats", "dogs"]), "once and outside of"),
        (Article.topic.begins_with("c"), "once and outside of"),
        (CATS | (Article.year == 2020), "once and outside of"),
        (~CATS, "once and outside of"),
        (CATS & (Article.topic == "dogs"), "once and outside of"),
        (CATS & (Article.title == "x"), "filtered on Article.title: its search schema has topic, year, cover"),
        (CATS & ((Article.year == 1) | ~(Article.number == 1)), "filtered on Article.number"),
        (CATS & (Article.author / Author.name == "x"), "filtered on Article.author"),
        (CATS & (Article.cover.size() > 3), "on Article.cover by its size"),
        (CATS & (Article.cover == None), "on Article.cover by another attribute, None"),  # noqa: E711 - a condition
        (Article.topic == Article.title, "on Article.topic by another attribute"),
        (True, "where takes conditions"),
    ],
)
def test_conditions_that_the_index_cannot_take(where: Any, words: str) -> None:
    """One value of the partition key, and of the search schema's other attributes whole values only."""
    with pytest.raises(UsageError, match=words):
        meaning(where)


def test_conditions_of_another_model() -> None:
    """They are refused by name, as everywhere."""

    @model(table="others")
    class Other:
        pk: Attr[str] = partition_key()
        strange: Attr[int] = attr(default=0)

    with pytest.raises(UsageError, match="'strange', which Article does not have"):
        meaning(CATS & (Other.strange == 1))


@pytest.mark.parametrize(
    "condition",
    [
        Article.year != 2020,
        Article.year >= 2020,
        Article.year.between(2019, 2021),
        Article.year.is_in([2019, 2020]),
        (Article.year == 2019) | (Article.year == 2020),
        ~(Article.year == 2020),
        Article.cover.begins_with(b"\0"),
        Article.cover.exists(),
    ],
)
def test_what_filters_are_compared_with_is_left_to_dynamodb(condition: Condition) -> None:
    """It took == alone at first, and takes more by now."""
    body = meaning(CATS & condition).request(1).body
    assert body["SearchConditionExpression"].startswith("#n0 = :v0 AND ")
    assert report("SearchVectors", body) == ""


def test_an_index_that_does_not_hold_the_vector() -> None:
    """It cannot give the vectors of its hits."""
    with pytest.raises(UsageError, match="by_picture does not hold picture itself"):
        planned(with_vector=True)


@model(table="drafts")
class Draft:
    draft_id: Attr[str] = partition_key()
    vector: Attr[list[float]]
    deleted: Attr[datetime | None] = deleted_at()

    bare = vector_index("vector", dimensions=2, distance="cosine", projection="keys_only")
    whole = vector_index("vector", dimensions=2, distance="cosine")


def test_hidden_items_have_to_be_known() -> None:
    """An index that does not hold the mark of soft-deleted items cannot leave them out unasked."""
    with pytest.raises(UsageError, match=r"bare does not hold deleted.*hidden=True.*hydrate=True"):
        planned(Draft.vector, using="bare")
    assert planned(Draft.vector, using="bare", hidden=True).held == {"draft_id"}
    assert planned(Draft.vector, using="bare", hydrate=True).held == {"draft_id"}
    assert planned(Draft.vector, using="whole").held == {"draft_id", "deleted"}


LIBRARY = Table(
    "library",
    partition_key="pk",
    indexes=[
        VectorIndex("near", "vector", dimensions=2, distance="cosine", filters=("kind", "year"), projection=("x",))
    ],
    types={"year": "N"},
)


@model(LIBRARY)
class Book:
    pk: Attr[str] = partition_key()
    vector: Attr[list[float]]
    kind: Attr[str] = attr(default="book")


def test_a_shared_table() -> None:
    """Its index is found by the attribute; what other models have in it is not asked for."""
    plan = planned(Book.vector, where=Book.kind == "book")
    assert (plan.index.name, set(plan.held)) == ("near", {"pk", "kind"})


def test_an_answer_is_read() -> None:
    """In the shape of the service's own model, which reads the same of it."""
    body = msgspec.json.encode(
        {
            "SearchResults": [
                {"Item": {"pk": {"S": "a"}}, "Score": 0.25},
                {"Item": {"pk": {"S": "b"}, "n": {"N": "1"}}, "Score": 2},
            ],
            "ConsumedCapacity": {"VectorSearchRequestBytes": 1024.0},
        }
    )
    assert parsed("SearchVectors", body) == msgspec.json.decode(body)
    first, second = found_in(body)
    assert (bytes(first.Item), first.Score) == (b'{"pk":{"S":"a"}}', 0.25)
    assert second.Score == 2.0
    assert found_in(b"{}") == []


@pytest.mark.parametrize("body", [b"[]", b'{"SearchResults": {}}', b'{"SearchResults": [{"Item": {}}]}', b"{"])
def test_what_is_no_answer_is_told(body: bytes) -> None:
    """It is no empty list."""
    with pytest.raises(DecodeError):
        found_in(body)


def test_an_update_to_a_vector_of_another_length_is_refused() -> None:
    """As a write of the whole item is; elements by themselves are not looked at."""
    spec = spec_of(Article)
    key = spec.codec.encode_key("a", 1)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    changes: dict[str, Any] = {"where": None, "upsert": False, "returns": "none"}
    for wrong in (Article.picture.set([1.0]), Article.picture.set_default([1.0, 2.0, 3.0])):
        with pytest.raises(InvalidValue, match=r"Article.picture has \d numbers.*by_picture.*2 dimensions"):
            update_item(spec, "t", key, [wrong], now, **changes)
    good = (Article.picture.set([1.0, 2.0]), Article.picture[0].set(1.0), Article.picture.remove())
    for change in good:
        assert update_item(spec, "t", key, [change], now, **changes).request.operation == "UpdateItem"
