"""Vector searches: hits in order, hidden and vanished items left out, whole items, errors, both lanes."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import pytest

from dynamorm_async import (
    Attr,
    CallTimeout,
    ConfigurationError,
    Database,
    DatabaseClosed,
    DecodeError,
    InvalidValue,
    SearchHit,
    Table,
    UsageError,
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
from dynamorm_async.errors import TableMismatch
from dynamorm_async.model.settings import OnDemand
from dynamorm_async.plan.tables import create_table
from tests.unit.database.recording import RecordingControl, RecordingLane, record
from tests.unit.plan.service_model import parsed, report
from tests.unit.transport.sdk_server import Reply, Server, answer, refusal, serving

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@model(table="articles")
class Article:
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    topic: Attr[str] = attr(default="cats")
    title: Attr[str]
    embedding: Attr[list[float]]

    by_meaning = vector_index("embedding", dimensions=2, distance="cosine", partition="topic")


@model(table="notes", hide_expired=True)
class Note:
    note_id: Attr[str] = partition_key()
    vector: Attr[list[float]]
    deleted: Attr[datetime | None] = deleted_at()
    expires: Attr[datetime | None] = ttl(default=None)

    near = vector_index("vector", dimensions=2, distance="euclidean")
    keys = vector_index("vector", dimensions=2, distance="euclidean", projection="keys_only")


library = Table(
    "library",
    partition_key="pk",
    indexes=[VectorIndex("near", "vector", dimensions=2, distance="cosine")],
)


@model(library, type="book", pk="BOOK#{number}")
class Book:
    number: Attr[str] = attr()
    vector: Attr[list[float]] = attr()


@model(type="atlas")
class Atlas(Book):
    maps: Attr[int] = attr(default=0)


@model(library, type="film", pk="FILM#{number}")
class Film:
    number: Attr[str] = attr()
    vector: Attr[list[float]] = attr()


def shelved(kind: str, number: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": f"{kind}#{number}"}, "_type": {"S": kind.lower()}, "number": {"S": number}, **more}


def raw(number: int, **more: Any) -> dict[str, Any]:
    item = {"shelf": {"S": "a"}, "number": {"N": str(number)}, "topic": {"S": "cats"}, "title": {"S": f"t{number}"}}
    return item | more


def note(name: str, *, deleted: bool = False, expires: int | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"note_id": {"S": name}}
    if deleted:
        item["deleted"] = {"S": "2026-01-01T00:00:00.000000Z"}
    return item if expires is None else item | {"expires": {"N": str(expires)}}


def found(*items: dict[str, Any], **more: Any) -> bytes:
    """An answer of SearchVectors, which botocore reads as it is."""
    hits = [{"Item": item, "Score": place / 8} for place, item in enumerate(items)]
    body = msgspec.json.encode({"SearchResults": hits, **more})
    assert parsed("SearchVectors", body) == msgspec.json.decode(body)
    return body


def batch(table: str, *items: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"Responses": {table: items}, "UnprocessedKeys": {}})


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with Database(clock=lambda: NOW) as database:
        yield database


CATS = Article.topic == "cats"


async def test_hits_of_other_models_are_left_out(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """A search of a shared table finds items of every model: those of this one and of its variants are handed out."""
    atlas = {**shelved("ATLAS", "2", maps={"N": "3"}), "pk": {"S": "BOOK#2"}}
    lane = record(monkeypatch, found(shelved("FILM", "9"), atlas, shelved("BOOK", "1")))
    hits = await db.search(Book.vector, [1.0, 0.0], top_k=5)
    assert [(type(hit.item).__mro__[1], hit.item.number) for hit in hits] == [(Atlas, "2"), (Book, "1")]
    assert [request.operation for request in lane.requests] == ["SearchVectors"]


async def test_hits_are_partial_models_in_order(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """As the index ranks them, with their scores; without the vector, and not to be written."""
    lane = record(monkeypatch, found(raw(3), raw(1)))
    first, second = await db.search(Article.embedding, [0.5, 1], where=CATS)
    assert [(hit.item.number, hit.item.title, hit.score) for hit in (first, second)] == [
        (3, "t3", 0.0),
        (1, "t1", 0.125),
    ]
    assert isinstance(first.item, Article)
    assert repr(first) == "SearchHit(item=<partial Article shelf='a', number=3, topic='cats', title='t3'>, score=0.0)"
    with pytest.raises(AttributeError, match="embedding"):
        _ = first.item.embedding
    with pytest.raises(UsageError, match="does not hold all its attributes"):
        await db.put(first.item)
    assert copy.copy(first) == first
    (body,) = lane.bodies
    assert (body["TopK"], body["SearchVector"]) == (10, [{"N": "0.5"}, {"N": "1.0"}])
    assert report("SearchVectors", body) == ""


async def test_vectors_come_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """They are 32-bit floats of the index, so the item is no more to be written than without."""
    vector = {"L": [{"N": "0.5"}, {"N": "0.10000000149011612"}]}
    record(monkeypatch, found(raw(1, embedding=vector)))
    (hit,) = await db.search(Article.embedding, [1, 0], where=CATS, with_vector=True)
    assert hit.item.embedding == [0.5, 0.10000000149011612]
    with pytest.raises(UsageError, match="does not hold all its attributes"):
        await db.save(hit.item)


async def test_whole_items(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """hydrate reads them from the table by key, in the order of the hits; what is gone by now is left out."""
    vector = {"L": [{"N": "0.5"}, {"N": "0.25"}]}
    keys = [{"shelf": {"S": "a"}, "number": {"N": str(n)}} for n in (3, 1, 2)]
    lane = record(monkeypatch, found(*keys), batch("articles", raw(2, embedding=vector), raw(3, embedding=vector)))
    hits = await db.search(Article.embedding, [1, 0], where=CATS, hydrate=True)
    whole = [Article(shelf="a", number=n, title=f"t{n}", embedding=[0.5, 0.25]) for n in (3, 2)]
    assert hits == [SearchHit(whole[0], 0.0), SearchHit(whole[1], 0.25)]
    search, read = lane.requests
    assert search.body["ExpressionAttributeNames"] == {"#n0": "topic", "#n1": "shelf", "#n2": "number"}
    assert (read.operation, read.body["RequestItems"]["articles"]["Keys"]) == ("BatchGetItem", keys)


async def test_nothing_found(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """An empty list, and nothing is read for it."""
    lane = record(monkeypatch, found(), b"{}")
    assert await db.search(Article.embedding, [1, 0], where=CATS, hydrate=True) == []
    assert await db.search(Article.embedding, [1, 0], where=CATS) == []
    assert [request.operation for request in lane.requests] == ["SearchVectors"] * 2


GONE = int(NOW.timestamp()) - 1
LATER = int(NOW.timestamp()) + 1


async def test_hidden_items_do_not_come_back(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """Soft-deleted and expired ones; with hidden=True they do."""
    items = [note("a"), note("b", deleted=True), note("c", expires=GONE), note("d", expires=LATER)]
    lane = record(monkeypatch, found(*items), found(*items))
    hits = await db.search(Note.vector, [1, 0], using=Note.near)
    assert [(hit.item.note_id, hit.score) for hit in hits] == [("a", 0.0), ("d", 0.375)]
    assert len(await db.search(Note.vector, [1, 0], using="near", hidden=True)) == 4
    assert lane.requests[0].body == lane.requests[1].body


async def test_hidden_items_take_no_ones_place(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """Where some of a full answer are hidden, those behind them are asked for, up to the most that a search gives."""
    dead = [note(f"x{n}", deleted=True) for n in range(100)]
    lane = record(
        monkeypatch,
        found(*dead[:2]),
        found(*dead[:7], note("a")),
        found(*dead[:30], note("a"), note("b"), note("c")),
    )
    hits = await db.search(Note.vector, [1, 0], top_k=2, using=Note.near)
    assert [hit.item.note_id for hit in hits] == ["a", "b"]
    assert [body["TopK"] for body in lane.bodies] == [2, 8, 32]
    lane.script.extend([found(*dead[:60]), found(*dead)])
    assert await db.search(Note.vector, [1, 0], top_k=60, using=Note.near) == []
    assert [body["TopK"] for body in lane.bodies[3:]] == [60, 100]


async def test_an_answer_that_is_not_full_is_the_last(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """The index has no more than it gave."""
    lane = record(monkeypatch, found(note("x", deleted=True), note("a")))
    assert len(await db.search(Note.vector, [1, 0], top_k=3, using=Note.near)) == 1
    assert len(lane.requests) == 1


async def test_whole_items_are_hidden_as_the_table_says(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """The index may lag behind: what was deleted since is left out, though the index does not even hold the mark."""
    vector = {"vector": {"L": [{"N": "1"}, {"N": "0"}]}}
    table = [note("a", deleted=True) | vector, note("b") | vector]
    lane = record(
        monkeypatch, found(note("a"), note("b")), batch("notes", *table), found(note("a")), batch("notes", table[0])
    )
    (hit,) = await db.search(Note.vector, [1, 0], using=Note.keys, hydrate=True)
    assert hit.item == Note(note_id="b", vector=[1.0, 0.0])
    (hit,) = await db.search(Note.vector, [1, 0], using=Note.keys, hydrate=True, hidden=True)
    assert hit.item.deleted is not None
    assert len(lane.requests) == 4


async def test_what_cannot_work_is_not_sent(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """A vector of another length, no partition key, a vector of another length on a write: nothing is opened."""
    lane = record(monkeypatch)
    with pytest.raises(InvalidValue, match="has 3 numbers"):
        await db.search(Article.embedding, [1, 2, 3], where=CATS)
    with pytest.raises(UsageError, match=r"partitioned by Article\.topic"):
        await db.search(Article.embedding, [1, 2])
    with pytest.raises(InvalidValue, match=r"Article\.embedding has 1 numbers"):
        await db.put(Article(shelf="a", number=1, title="t", embedding=[1.0]))
    assert lane.opened == 0


async def test_an_item_that_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """With its key, as of any reading."""
    record(monkeypatch, found(raw(1, title={"N": "3"})))
    with pytest.raises(DecodeError, match="title"):
        await db.search(Article.embedding, [1, 0], where=CATS)


async def test_searches_have_an_endpoint_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened by the first search, once for searches at the same time; everything else goes where it went. Both are closed."""
    search = RecordingLane(found(note("a")))
    lane = record(monkeypatch, b"{}", *[b'{"Responses": {}}'] * 5, search=search)
    async with Database(clock=lambda: NOW, capacity="total") as db:
        await db.get(Note, "a")
        assert search.opened == 0
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lambda: db.search(Note.vector, [1, 0], using=Note.near, hydrate=True))
        assert (search.opened, lane.opened) == (1, 1)
        assert {request.operation for request in search.requests} == {"SearchVectors"}
        assert {request.operation for request in lane.requests} == {"GetItem", "BatchGetItem"}
        assert {body["ReturnConsumedCapacity"] for body in search.bodies} == {"TOTAL"}
        assert db.statistics().requests["SearchVectors"] == 5
    assert lane.closed
    assert search.closed
    with pytest.raises(DatabaseClosed):
        await db.search(Note.vector, [1, 0], using=Note.near)


async def test_capacity_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, apart from all units."""
    record(monkeypatch, found(raw(1), ConsumedCapacity={"VectorSearchRequestBytes": 2048.0}))
    async with Database(capacity="indexes") as db:
        await db.search(Article.embedding, [1, 0], where=CATS)
        capacity = db.statistics().capacity
    assert (capacity.searched_bytes, capacity.units, capacity.tables) == (2048.0, 0.0, {})


async def test_a_timeout_is_for_the_whole_call(monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    """The time that is left, once over, sends nothing more."""
    lane = record(monkeypatch, found(note("x", deleted=True)))
    with pytest.raises(CallTimeout):
        await db.search(Note.vector, [1, 0], top_k=1, using=Note.near, timeout=0)
    assert lane.requests == []


async def test_tables_wait_for_their_vector_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is there once its vector indexes are active and filled; without them it is another table."""
    parameters = create_table(Article.__dynamorm_spec__.table, "articles", OnDemand())  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType, reportUnknownMemberType]  # the model's record
    states: Sequence[dict[str, Any]] = (
        {"IndexStatus": "CREATING"},
        {"IndexStatus": "CREATING", "Backfilling": True},
        {"IndexStatus": "ACTIVE", "Backfilling": False},
    )
    answers = [
        {"Table": {**parameters, "TableStatus": "ACTIVE", "VectorIndexes": [parameters["VectorIndexes"][0] | state]}}
        for state in states
    ]
    control = RecordingControl({"CreateTable": [{}], "DescribeTable": answers})
    record(monkeypatch, control=control)
    async with Database() as db:
        description = await db.tables.create(Article)
        assert control.operations == ["CreateTable", "DescribeTable", "DescribeTable", "DescribeTable"]
        assert description.vector_indexes[0].index.name == "by_meaning"
        control.answers["DescribeTable"].extend([{"Table": {**answers[0]["Table"], "VectorIndexes": []}}])
        control.answers["DescribeTable"].popleft()
        with pytest.raises(TableMismatch, match="it has no vector index by_meaning"):
            await db.tables.ensure(Article)


def connect(server: Server, lane: Any) -> Database:
    return Database(endpoint=server.endpoint, region="eu-west-1", credentials=("a", "b"), lane=lane, clock=lambda: NOW)


@pytest.mark.parametrize("lane", ["direct", "sdk"])
async def test_both_lanes_send_and_read_the_same(lane: str) -> None:
    """One body, one target, one answer; a refusal of the service comes through with its words."""
    item = raw(1, cover={"B": "/w=="})
    body = {"SearchResults": [{"Item": item, "Score": 0.5}], "ConsumedCapacity": {"VectorSearchRequestBytes": 1024.0}}
    not_ready = refusal("ValidationException", message="Cannot search backfilling vector index: by_meaning")
    async with serving(answer(body), not_ready) as server, connect(server, lane) as db:
        (hit,) = await db.search(Article.embedding, [0.5, -1], top_k=1, where=CATS)
        assert (hit.item.number, hit.score) == (1, 0.5)
        with pytest.raises(ValidationFailed, match="Cannot search backfilling vector index"):
            await db.search(Article.embedding, [1, 0], where=CATS)
    sent = server.received[0]
    assert (sent.operation, sent.target) == ("SearchVectors", "/")
    assert sent.body == {
        "TableName": "articles",
        "IndexName": "by_meaning",
        "SearchVector": [{"N": "0.5"}, {"N": "-1.0"}],
        "TopK": 1,
        "SearchConditionExpression": "#n0 = :v0",
        "ProjectionExpression": "#n1, #n2, #n0, #n3",
        "ExpressionAttributeNames": {"#n0": "topic", "#n1": "shelf", "#n2": "number", "#n3": "title"},
        "ExpressionAttributeValues": {":v0": {"S": "cats"}},
    }
    assert report("SearchVectors", sent.body) == ""


async def test_an_old_botocore_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sdk lane cannot do what its botocore has never heard of, and says so before anything is sent."""
    async with serving(Reply()) as server, connect(server, "sdk") as db:
        await db.get(Note, "a")
        transport: Any = await db._connection.open()  # pyright: ignore[reportPrivateUsage]  # to take the operation away
        client = transport._lane._client
        monkeypatch.setattr(client, "_methods", {k: m for k, m in client._methods.items() if k != "SearchVectors"})
        with pytest.raises(
            ConfigurationError, match=r"no operation 'SearchVectors' in the installed botocore: upgrade aiobotocore"
        ):
            await db.search(Article.embedding, [1, 0], where=CATS)
    assert [received.operation for received in server.received] == ["GetItem"]
