"""Vector indexes are checked where they are declared, and become the table's with DynamoDB's names and tags."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    InvalidKey,
    InvalidValue,
    ModelVectorIndex,
    Table,
    VectorIndex,
    attr,
    index,
    model,
    partition_key,
    vector_index,
)
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import KeyPart
from dynamorm_async.model.vector import TableVectorIndex
from tests.unit.model.refusals import refused


def declare(**indexes: ModelVectorIndex) -> type[Any]:
    """A model with these indexes."""
    body: dict[str, Any] = {
        "article_id": partition_key(name="pk"),
        "topic": attr(default=None),
        "year": attr(default=2020, name="y"),
        "title": attr(default="", name="t"),
        "embedding": attr(default=None, name="e"),
        "exact": attr(factory=list),
        "words": attr(factory=list),
        "maybe": attr(factory=lambda: [1.0]),
        "gaps": attr(factory=list),
        "shelf": attr(default="a"),
        "seen": attr(default=True),
        "__module__": __name__,
        "__annotations__": {
            "article_id": "Attr[str]",
            "topic": "Attr[str | None]",
            "year": "Attr[int]",
            "title": "Attr[str]",
            "embedding": "Attr[list[float] | None]",
            "exact": "Attr[list[Decimal]]",
            "words": "Attr[list[str]]",
            "maybe": "Attr[list[float] | None]",
            "gaps": "Attr[list[float | None]]",
            "shelf": "Attr[str | None]",
            "seen": "Attr[bool]",
        },
        **indexes,
    }
    return model(table="articles")(type("Article", (), body))


def test_a_declared_index_has_dynamodb_names() -> None:
    """Python names become stored names with their tags; the index has the name that it was assigned to."""
    by_meaning = vector_index(
        "embedding", dimensions=3, distance="cosine", partition="topic", filters=["year"], projection=["title"]
    )
    cls = declare(by_meaning=by_meaning, other=vector_index("exact", dimensions=4096, distance="euclidean", name="e-4"))
    assert spec_of(cls).table.vector_indexes == (
        TableVectorIndex(
            name="by_meaning",
            attribute="e",
            dimensions=3,
            distance="cosine",
            partition=KeyPart("topic", "S"),
            filters=(KeyPart("y", "N"),),
            projection=("t",),
        ),
        TableVectorIndex(name="e-4", attribute="exact", dimensions=4096, distance="euclidean"),
    )
    assert repr(cls.by_meaning) == "<ModelVectorIndex by_meaning>"


def test_queries_do_not_see_them() -> None:
    """They are apart from the indexes that a query may choose."""
    table = spec_of(declare(by_it=vector_index("embedding", dimensions=3, distance="cosine"))).table
    assert (table.indexes, table.index("by_it")) == ((), None)
    assert table.vector_index("by_it") is table.vector_indexes[0]
    assert table.vector_index("other") is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (vector_index("nope", dimensions=3, distance="cosine"), ("Article", "'nope'", "embedding")),
        (vector_index("words", dimensions=3, distance="cosine"), ("Article.words", "list[float]")),
        (vector_index("gaps", dimensions=3, distance="cosine"), ("Article.gaps", "list[float]")),
        (vector_index("title", dimensions=3, distance="cosine"), ("Article.title", "list[float]")),
        (vector_index("maybe", dimensions=3, distance="cosine"), ("Article.maybe", "NULL", "default=None")),
        (vector_index("embedding", dimensions=0, distance="cosine"), ("articles", "dimensions=0", "1 to 4096")),
        (vector_index("embedding", dimensions=4097, distance="cosine"), ("dimensions=4097", "1 to 4096")),
        (vector_index("embedding", dimensions=True, distance="cosine"), ("dimensions=True",)),
        (
            vector_index("embedding", dimensions=3, distance="near"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
            ("'near'", '"cosine"', '"dot_product"'),
        ),
        (vector_index("embedding", dimensions=3, distance="cosine", partition="nope"), ("'nope'", "by_it")),
        (vector_index("embedding", dimensions=3, distance="cosine", partition="seen"), ("Article.seen", "text, numbers")),
        (vector_index("embedding", dimensions=3, distance="cosine", filters="words"), ("Article.words", "text, numbers")),
        (vector_index("embedding", dimensions=3, distance="cosine", filters="shelf"), ("Article.shelf", "NULL")),
        (vector_index("embedding", dimensions=3, distance="cosine", projection=["nope"]), ("'nope'", "by_it")),
        (
            vector_index("embedding", dimensions=3, distance="cosine", partition="year", filters=["topic", "year"]),
            ("by_it", "twice", "y"),
        ),
    ],
)  # fmt: skip
def test_what_dynamodb_would_refuse_is_refused_at_once(wrong: ModelVectorIndex, words: tuple[str, ...]) -> None:
    """Attributes, types, numbers and names, with the class and what to write."""
    with refused(*words):
        declare(by_it=wrong)


def test_an_unknown_projection_is_refused() -> None:
    """Before there is a class."""
    with refused("'some'", "all", "keys_only"):
        vector_index("embedding", dimensions=3, distance="cosine", projection="some")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake


@pytest.mark.parametrize(
    ("indexes", "words"),
    [
        ([VectorIndex(f"v{n}x", "e", dimensions=2, distance="cosine") for n in range(6)], ("6 vector indexes", "5")),
        (
            [VectorIndex("one", "e", dimensions=2, distance="cosine"), VectorIndex("two", "e", dimensions=3, distance="cosine")],
            ("shop", "e have 2 and 3 dimensions"),
        ),
        ([VectorIndex("one", "e", dimensions=2, distance="cosine"), GSI("one", "a")], ("two indexes", "'one'")),
        ([VectorIndex("v", "e", dimensions=2, distance="cosine")], ("'v'", "3 to 255")),
        (
            [VectorIndex("one", "e", dimensions=2, distance="cosine", filters=[f"f{n}" for n in range(19)])],
            ("one", "19 filters", "18"),
        ),
    ],
)  # fmt: skip
def test_bad_indexes_of_a_table_are_refused(indexes: list[VectorIndex | GSI], words: tuple[str, ...]) -> None:
    """The limits of a table, as for its other indexes."""
    with refused(*words):
        Table("shop", partition_key="pk", indexes=indexes)


def test_a_table_knows_the_types_of_the_search_schema() -> None:
    """types= tells them, as for keys; one filter may be given by itself."""
    shop = Table(
        "shop",
        partition_key="pk",
        types={"year": "N"},
        indexes=[VectorIndex("near", "e", dimensions=2, distance="dot_product", partition="kind", filters="year")],
    )
    (found,) = shop.vector_indexes
    assert found.schema == (KeyPart("kind", "S"), KeyPart("year", "N"))


SHOP = Table(
    "shop",
    partition_key="pk",
    types={"year": "N"},
    indexes=[VectorIndex("near", "vector", dimensions=2, distance="cosine", partition="kind", filters=("year",))],
)


def test_a_model_of_a_shared_table_has_to_fit() -> None:
    """Its attributes are stored as the index wants them; those that it has not are another model's."""

    @model(SHOP)
    class Note:
        pk: Attr[str] = partition_key()

    assert spec_of(Note).table is SHOP
    with refused("Wrong.vector", "near of table shop", "list[float]"):

        @model(SHOP)
        class Wrong:
            pk: Attr[str] = partition_key()
            vector: Attr[list[str]]

    with refused("Year", "near of table shop", "year as N", "as S"):

        @model(SHOP)
        class Year:
            pk: Attr[str] = partition_key()
            year: Attr[str]

    with refused("Own", "Table('shop')"):

        @model(SHOP)
        class Own:
            pk: Attr[str] = partition_key()
            vector: Attr[list[float]]

            by_it = vector_index("vector", dimensions=2, distance="cosine")


@model(table="papers")
class Paper:
    paper_id: Attr[str] = partition_key()
    field: Attr[str | None] = attr(default=None)
    vector: Attr[list[float] | None] = attr(default=None)
    exact: Attr[list[Decimal]] = attr(factory=list)

    near = vector_index("vector", dimensions=2, distance="cosine", partition="field")
    by_field = index(partition="field")


def test_vectors_of_another_length_are_not_written() -> None:
    """An item is refused with attribute, index and both lengths; one without a vector is not in the index."""
    codec = spec_of(Paper).codec
    assert codec.encode(Paper(paper_id="p", vector=[0.5, 2.0]))["vector"] == {"L": [{"N": "0.5"}, {"N": "2.0"}]}
    assert "vector" not in codec.encode(Paper(paper_id="p"))
    for wrong in ([], [1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(InvalidValue, match=rf"Paper.vector has {len(wrong)} numbers.*index near.*2 dimensions"):
            codec.encode(Paper(paper_id="p", vector=wrong))


def test_an_item_with_a_vector_of_another_length_is_read() -> None:
    """It was written before there was an index, which passes over it."""
    codec = spec_of(Paper).codec
    raw = {"paper_id": {"S": "p"}, "vector": {"L": [{"N": "1"}]}}
    assert codec.decode(raw) == Paper(paper_id="p", vector=[1.0])


def test_the_partition_key_is_never_empty() -> None:
    """DynamoDB refuses an empty key of an index."""
    with pytest.raises(InvalidKey, match="empty"):
        spec_of(Paper).codec.encode(Paper(paper_id="p", field=""))
