"""Soft delete, restore and hidden items over scripted answers: lost answers, races, and the clock."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    ConnectionLost,
    Database,
    DecodeError,
    ItemExists,
    ItemNotFound,
    Key,
    OutcomeUnknown,
    VersionConflict,
    attr,
    deleted_at,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = {"S": "2026-01-02T03:04:05.000000Z"}
OTHER = {"S": "2026-01-01T00:00:00.000000Z"}


@model(table="papers")
class Paper:
    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    photo: Attr[bytes | None] = attr(default=None)
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


@model(table="sessions", hide_expired=True)
class Session:
    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key()
    expires: Attr[int] = ttl(default=0)


@model(table="indexed", hide_expired=True)
class Indexed:
    pk: Attr[str] = partition_key()
    sk: Attr[int] = sort_key()
    expires: Attr[int] = ttl(default=0)

    by_sk = index(partition="pk", sort="sk", projection=["expires"])


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()


def database(clock: Callable[[], datetime] = lambda: NOW) -> Database:
    return Database(clock=clock)


def refused(raw: dict[str, Any] | None) -> ConditionFailed:
    error = ConditionFailed("no", operation="UpdateItem", table="papers")
    error.raw_item = raw
    return error


def lost() -> ConnectionLost:
    return ConnectionLost("gone", operation="UpdateItem", table="papers", sent=True)


def paper(revision: int, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": "a"}, "changed": OTHER, "revision": {"N": str(revision)}, **more}


def answer(raw: dict[str, Any], field: str = "Attributes") -> bytes:
    return json.dumps({field: raw}).encode()


# --- soft delete and restore ----------------------------------------------------------------------


async def test_an_instance_is_told_after_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark, time and version are set once the answer is there, and taken off again by a restore."""
    record(monkeypatch, b"{}", answer(paper(4)))
    item = Paper(pk="a", revision=2)
    async with database() as db:
        await db.delete(item)
        assert (item.deleted, item.changed, item.revision) == (NOW, NOW, 3)
        restored = await db.restore(item)
    assert (item.deleted, item.revision, restored.revision) == (None, 4, 4)


async def test_a_refused_write_leaves_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgiven or not: what did not happen is not told to the instance."""
    record(monkeypatch, refused(None), refused(paper(9, deleted=OTHER)), refused(paper(9)), refused(paper(9)))
    item = Paper(pk="a", revision=2)
    async with database() as db:
        await db.delete(item)
        await db.delete(item)
        with pytest.raises(VersionConflict):
            await db.delete(item)
        assert (await db.restore(item)).revision == 9
    assert (item.deleted, item.revision) == (None, 2)


async def test_a_lost_answer_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt finds the mark that the first one set: the call succeeds, and the instance is told."""
    lane = record(
        monkeypatch,
        *(lost(), refused(paper(3, deleted=STAMP, changed=STAMP))),
        *(lost(), refused(paper(4, changed=STAMP))),
    )
    item = Paper(pk="a", revision=2)
    async with database() as db:
        await db.delete(item)
        assert (item.deleted, item.changed, item.revision) == (NOW, NOW, 3)
        assert await db.restore(item) == item == Paper(pk="a", changed=NOW, revision=4)
    assert lane.bodies[0] == lane.bodies[1]
    assert len(lane.requests) == 4


async def test_a_lost_answer_is_settled_where_the_failure_comes_without_the_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The item is read; a restore that was applied is not told as a missing item, and without the item nothing is told."""
    there = answer(paper(4, changed=STAMP), "Item")
    lane = record(monkeypatch, lost(), refused(None), there, lost(), refused(None), *[lost()] * 4)
    async with database() as db:
        assert (await db.restore(Key(Paper, "a"))).revision == 4
        with pytest.raises(OutcomeUnknown, match="failed as well"):
            await db.restore(Key(Paper, "a"))
    assert [request.operation for request in lane.requests[:3]] == ["UpdateItem", "UpdateItem", "GetItem"]


async def test_a_lost_answer_with_a_condition_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a second attempt could not tell its own mark from another's, the outcome is unknown and nothing is repeated."""
    lane = record(monkeypatch, lost(), lost())
    item = Paper(pk="a", revision=2)
    async with database() as db:
        with pytest.raises(OutcomeUnknown):
            await db.delete(item, where=Paper.text == "t")
        with pytest.raises(OutcomeUnknown):
            await db.delete(item, returns="old")
    assert len(lane.requests) == 2
    assert item.revision == 2


async def test_a_restore_of_what_is_not_deleted_costs_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item of the refusal is the answer, binary content included."""
    lane = record(monkeypatch, refused(paper(2, photo={"B": "AQI="})))
    async with database() as db:
        restored = await db.restore(Key(Paper, "a"))
    assert (restored.photo, restored.revision) == (b"\x01\x02", 2)
    assert len(lane.requests) == 1


async def test_a_restored_item_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as any other misfit, whether the answer or the refusal brought it."""
    misfit = {"pk": {"S": "a"}, "text": {"N": "1"}}
    record(monkeypatch, answer(misfit), refused(misfit))
    async with database() as db:
        for _ in range(2):
            with pytest.raises(DecodeError, match="text"):
                await db.restore(Key(Paper, "a"))


Call = Callable[[Database], Awaitable[object]]
REFUSALS: dict[str, tuple[Call, dict[str, Any] | None, type[ConditionFailed], str]] = {
    "create": (lambda db: db.create(Paper(pk="a")), paper(1, deleted=OTHER), ItemExists, "which is soft-deleted"),
    "create, no mark": (lambda db: db.create(Paper(pk="a")), paper(1), ItemExists, "with this key$"),
    "create, no item": (lambda db: db.create(Paper(pk="a")), None, ItemExists, "with this key$"),
    "delete, deleted": (
        lambda db: db.delete(Paper(pk="a", revision=1), where=Paper.text == "t"),
        paper(2, deleted=OTHER),
        ConditionFailed,
        "the Paper is soft-deleted already",
    ),
    "delete, missing": (
        lambda db: db.delete(Paper(pk="a", revision=1), where=Paper.text == "t"),
        None,
        ConditionFailed,
        "the condition did not hold for the Paper",
    ),
    "delete, stale": (
        lambda db: db.delete(Paper(pk="a", revision=1), where=Paper.text == "t"),
        paper(2),
        VersionConflict,
        "this one has version 1, the table has version 2",
    ),
    "restore, missing": (lambda db: db.restore(Key(Paper, "a")), None, ItemNotFound, "there is no Paper with this key"),
    "restore, missing instance": (
        lambda db: db.restore(Paper(pk="a", revision=1)),
        None,
        ItemNotFound,
        "there is no Paper with this key",
    ),
    "restore, stale": (
        lambda db: db.restore(Paper(pk="a", revision=1)),
        paper(2, deleted=OTHER),
        VersionConflict,
        "this one has version 1, the table has version 2",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_not_forgiven_is_told_exactly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The kind and the message say what was in the way; the item comes with them."""
    call, raw, kind, message = REFUSALS[name]
    record(monkeypatch, refused(raw))
    async with database() as db:
        with pytest.raises(ConditionFailed, match=message) as caught:
            await call(db)
    assert type(caught.value) is kind
    assert caught.value.raw_item == raw


# --- reads ----------------------------------------------------------------------------------------


async def test_get_looks_at_the_databases_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """One GetItem, whose item is there until the second before; the clock is asked once, and not for hidden=True."""
    epoch = int(NOW.timestamp())
    body = answer({"pk": {"S": "a"}, "sk": {"N": "1"}, "expires": {"N": str(epoch)}}, "Item")
    lane = record(monkeypatch, body, body, body)
    times = iter([NOW - timedelta(seconds=1), NOW])
    async with database(lambda: next(times)) as db:
        assert await db.get(Session, "a", 1) == Session(pk="a", sk=1, expires=epoch)
        assert await db.get(Key(Session, "a", 1)) is None
        assert await db.get(Session, "a", 1, hidden=True) is not None
    assert len(lane.requests) == 3
    assert next(times, None) is None


async def test_other_models_never_ask_for_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that hides nothing is read without the clock, by get, query and scan."""
    record(monkeypatch, answer({"pk": {"S": "a"}}, "Item"), *[b'{"Items": []}'] * 2)

    def clock() -> datetime:
        raise AssertionError

    async with database(clock) as db:
        assert await db.get(Plain, "a") == Plain(pk="a")
        assert await db.query(Plain).where(Plain.pk == "a") == []
        assert await db.scan(Plain) == []


async def test_a_reading_has_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages of a reading, and all its parts, are of the moment at which it began."""
    last = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    first_page = json.dumps({"Items": [], "Count": 0, "ScannedCount": 1, "LastEvaluatedKey": last}).encode()
    lane = record(monkeypatch, first_page, b'{"Items": []}')
    times = iter([NOW, NOW + timedelta(hours=1)])
    async with database(lambda: next(times)) as db:
        await db.query(Session).where(Session.pk == "a")
    sent = [body["ExpressionAttributeValues"][":now"] for body in lane.bodies]
    assert sent == [{"N": str(int(NOW.timestamp()))}] * 2


async def test_what_the_table_hides_is_dropped_after_hydrating(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index lags behind: an item that the table has as expired by now is left out though the index gave its key."""
    epoch = int(NOW.timestamp())
    keys = [{"pk": {"S": "a"}, "sk": {"N": str(n)}} for n in range(2)]
    items = [{**key, "expires": {"N": str(epoch + n)}} for n, key in enumerate(keys)]
    page = json.dumps({"Items": keys, "Count": 2, "ScannedCount": 2}).encode()
    record(monkeypatch, page, json.dumps({"Responses": {"indexed": items}}).encode())
    async with database() as db:
        found = await db.query(Indexed).where(Indexed.pk == "a").using("by_sk").hydrate()
    assert [item.sk for item in found] == [1]
