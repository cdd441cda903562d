"""What becomes of a backfill's writes whose answers were lost, or that others get in the way of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from dynamorm_async import Attr, ConditionFailed, ConnectionLost, Database, attr, model, partition_key
from dynamorm_async.backfills.changing import Change
from dynamorm_async.backfills.reading import SegmentReader
from dynamorm_async.backfills.store import Store
from dynamorm_async.backfills.work import Done, Poisonous
from dynamorm_async.model.spec import spec_of
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio


@model(table="people")
class Person:
    person_id: Attr[str] = partition_key()
    age: Attr[int] = attr(default=0)
    done: Attr[str | None] = attr(default=None)


def lost(operation: str = "UpdateItem") -> ConnectionLost:
    return ConnectionLost("the connection broke", operation=operation, sent=True)


def refused() -> ConditionFailed:
    return ConditionFailed("The conditional request failed", operation="UpdateItem")


def item(age: int, **more: dict[str, str]) -> dict[str, Any]:
    return {"person_id": {"S": "p"}, "age": {"N": str(age)}, **more}


def found(raw: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"Item": raw})


def older(person: Person) -> Person:
    person.age += 1
    return person


async def at_once(_attempt: int) -> None:
    """No pause."""


async def changed(
    lane: RecordingLane,
    *answers: bytes | Exception,
    attempts: int = 3,
    pause: Callable[[int], Awaitable[object]] = at_once,
) -> Done:
    """Change a person of age 36 where requests are answered so; what became of it."""
    lane.script.extend([msgspec.json.encode({"Items": [item(36)], "ScannedCount": 1, "Count": 1}), *answers])
    db = Database(region="eu-west-1")
    reader = SegmentReader(db, Person, [], segments=1, page_size=10)
    page = await reader.page(0, None)
    work = Change(
        db,
        reader,
        older,
        where=Person.age < 100,
        marker=spec_of(Person).attributes["done"],
        name="birthdays",
        attempts=attempts,
        pause=pause,
    )
    try:
        return await work(page.found[0])
    finally:
        await db.aclose()


async def test_a_change_is_made_under_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One UpdateItem, on the condition of ``where``, of the marker, and of every attribute as it was."""
    lane = record(monkeypatch)
    assert await changed(lane, b"{}") == Done(True)
    body = lane.bodies[1]
    said = body["ConditionExpression"]
    for alias, name in body["ExpressionAttributeNames"].items():
        said = said.replace(alias, name)
    assert said.count("attribute_not_exists(done)") == 2  # not marked, and as it was read
    assert "age < " in said
    assert "age = " in said


async def test_a_lost_answer_of_a_marked_write_is_told_by_the_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item that has the marker was changed by it: it is not changed again, and counts as changed."""
    lane = record(monkeypatch)
    assert await changed(lane, lost(), found(item(37, done={"S": "birthdays"}))) == Done(True, 1)
    assert [request.operation for request in lane.requests] == ["Scan", "UpdateItem", "GetItem"]


async def test_a_write_that_did_not_arrive_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item is as it was read, so the write is made once more, on the same conditions."""
    lane = record(monkeypatch)
    assert await changed(lane, lost(), found(item(36)), b"{}") == Done(True)
    assert lane.bodies[1] == lane.bodies[3]


async def test_a_conflict_is_made_on_what_is_there_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else has written the item: the change is made again, of what they wrote."""
    lane = record(monkeypatch)
    assert await changed(lane, refused(), found(item(50)), b"{}") == Done(True, 1)
    assert {"N": "51"} in lane.bodies[3]["ExpressionAttributeValues"].values()


async def test_what_matches_no_more_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes the item and still the condition fails: it is ``where`` that does not hold; so it is of one that is gone."""
    lane = record(monkeypatch)
    same = found(item(36))
    assert await changed(lane, refused(), same, refused(), same) == Done(False)
    assert await changed(lane, refused(), b"{}") == Done(False)


async def test_attempts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item that others write at each attempt fails, and says so."""
    lane = record(monkeypatch)
    answers = [answer for age in (40, 41) for answer in (refused(), found(item(age)))]
    with pytest.raises(Poisonous) as raised:
        await changed(lane, *answers, attempts=2)
    assert isinstance(raised.value.error, ConditionFailed)
    assert "at each of 2 attempts" in raised.value.error.__notes__[0]


async def test_the_pause_comes_before_the_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an attempt goes by was read after the pause: an item that is written often is not lost against each time."""
    lane = record(monkeypatch)
    requests: list[int] = []

    async def note(_attempt: int) -> None:
        requests.append(len(lane.requests))

    assert await changed(lane, refused(), found(item(50)), b"{}", pause=note) == Done(True, 1)
    assert [request.operation for request in lane.requests[requests[0] :]] == ["GetItem", "UpdateItem"]


async def test_an_item_that_does_not_fit_is_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails with the reason and the key, and the others of its page are read."""
    lane = record(monkeypatch)
    odd = {"person_id": {"S": "odd"}, "age": {"S": "many"}}
    lane.script.append(msgspec.json.encode({"Items": [odd, item(36)], "ScannedCount": 2, "Count": 2}))
    db = Database(region="eu-west-1")
    page = await SegmentReader(db, Person, [], segments=1, page_size=10).page(0, None)
    assert [one.item is None for one in page.found] == [True, False]
    assert "age" in str(page.found[0].misfit)
    assert page.found[0].key == {"person_id": {"S": "odd"}}
    await db.aclose()


CHECKPOINT = {"pages": 2, "done": False, "position": {"pk": "a"}}
STORED = {"pages": {"N": "2"}, "done": {"BOOL": False}, "position": {"M": {"pk": {"S": "a"}}}, "token": {"N": "7"}}


async def checkpointed(lane: RecordingLane, *answers: bytes | Exception) -> bool:
    lane.script.extend(answers)
    db = Database(region="eu-west-1")
    try:
        store = Store(db, "dynamorm", "backfill#names")
        return await store.change("segment", CHECKPOINT, "#token = :token AND #pages = :pages", token=7, pages=1)
    finally:
        await db.aclose()


async def test_a_checkpoint_whose_answer_was_lost_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent again, which its own condition refuses where it was applied; the record then tells whose it is."""
    lane = record(monkeypatch)
    assert await checkpointed(lane, b"{}")
    assert await checkpointed(lane, lost(), refused(), found(STORED))
    assert not await checkpointed(lane, lost(), refused(), found({**STORED, "pages": {"N": "3"}}))
    assert not await checkpointed(lane, lost(), refused(), b"{}")
    assert await checkpointed(lane, lost(), b"{}")


async def test_a_checkpoint_that_another_holder_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition that fails without a lost answer is somebody else's doing, and needs no look."""
    lane = record(monkeypatch)
    assert not await checkpointed(lane, refused())
    assert [request.operation for request in lane.requests] == ["UpdateItem"]
