"""Writes of models with templated keys through the database: batches, transactions, and what their failures say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    ConditionFailed,
    Database,
    ItemNotFound,
    Key,
    NotUnique,
    Table,
    TransactionCancelled,
    UsageError,
    attr,
    deleted_at,
    model,
    unique,
    version,
)
from dynamorm_async.database.cancellation import cancellation
from dynamorm_async.plan.transactions import plan_transaction
from dynamorm_async.plan.writes import Writes
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOINED = {"S": "2026-01-01T12:00:00.000000Z"}
WRITES = Writes(prefix="", clock=lambda: NOW)

club = Table("club", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])


@model(club, type="member", pk="CLUB#{club}", sk="MEMBER#{joined:%Y}#{number}", gsi1=("LEVEL#{level}", "{joined}"))
class Member:
    """Its key does not tell when just it joined."""

    club: Attr[str] = attr()
    joined: Attr[datetime] = attr()
    number: Attr[str] = attr()
    level: Attr[str | None] = attr(default=None)
    mail: Attr[str | None] = attr(default=None)

    one_mail = unique("mail")


@model(club, type="court", pk="CLUB#{club}", sk="COURT#{number}", gsi1=("STATE#{state}", "{number}"))
class Court:
    """Its key tells all that it is made of."""

    club: Attr[str] = attr()
    number: Attr[str] = attr()
    state: Attr[str] = attr(default="free")
    code: Attr[str | None] = attr(default=None)
    gone: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    one_code = unique("code")


@model(club, type="note", pk="CLUB#{club}", sk="NOTE#{number}", gsi1=("NOTES", "{text}"))
class Note:
    club: Attr[str] = attr()
    number: Attr[str] = attr()
    text: Attr[str] = attr(default="x")


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> RecordingLane:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return record(monkeypatch)


def failed(raw: dict[str, Any] | None) -> ConditionFailed:
    error = ConditionFailed("the condition does not hold", operation="UpdateItem", table="club")
    error.raw_item = raw
    return error


MEMBER = Key(Member, "c", NOW, "7")
RAW: dict[str, Any] = {
    "pk": {"S": "CLUB#c"},
    "sk": {"S": "MEMBER#2026#7"},
    "_type": {"S": "member"},
    "club": {"S": "c"},
    "number": {"S": "7"},
    "joined": JOINED,
}


async def test_a_batch_carries_the_derived_attributes(lane: RecordingLane) -> None:
    """Of puts the whole item; of deletes the key in the table; two writes of one key are of one item."""
    async with Database() as db, db.batch_write() as batch:
        await batch.put(Note(club="c", number="1"))
        await batch.put(Note(club="c", number="2", text="y"))
        await batch.delete(Key(Note, "c", "3"))
    ((_table, operations),) = lane.bodies[0]["RequestItems"].items()
    derived = {"_type": {"S": "note"}, "gsi1pk": {"S": "NOTES"}, "gsi1sk": {"S": "x"}, "sk": {"S": "NOTE#1"}}
    assert derived.items() <= operations[0]["PutRequest"]["Item"].items()
    assert operations[1]["PutRequest"]["Item"]["gsi1sk"] == {"S": "y"}
    assert operations[2] == {"DeleteRequest": {"Key": {"pk": {"S": "CLUB#c"}, "sk": {"S": "NOTE#3"}}}}


async def test_a_transaction_carries_them_as_well(lane: RecordingLane) -> None:
    """Each operation plans as it does alone; what cannot be made sure of is refused where it is written."""
    court = Court(club="c", number="1")
    async with Database(clock=lambda: NOW) as db, db.transaction() as tx:
        tx.create(court)
        tx.update(Key(Note, "c", "1"), Note.text.set("z"))
        with pytest.raises(UsageError, match="gsi1 are made from text, whose new value is not known"):
            tx.update(Key(Note, "c", "2"), Note.text.set(Note.number))
    put, update = lane.bodies[0]["TransactItems"]
    assert put["Put"]["Item"]["gsi1pk"] == {"S": "STATE#free"}
    assert {"S": "z"} in update["Update"]["ExpressionAttributeValues"].values()
    assert "gsi1sk" in update["Update"]["ExpressionAttributeNames"].values()


async def test_what_others_have_changed_is_told_apart(monkeypatch: pytest.MonkeyPatch, lane: RecordingLane) -> None:
    """Not the caller's condition failed, but that keys were made from what is otherwise in the table."""
    del lane
    other = {**RAW, "joined": {"S": "2026-05-01T12:00:00.000000Z"}}
    recording = record(monkeypatch, failed(other), failed({**RAW, "level": {"S": "x"}}), failed(None))
    change = Member.level.set("gold")
    async with Database() as db:
        with pytest.raises(
            ConditionFailed, match="made from joined of the Member, which the table has otherwise"
        ) as one:
            await db.update(MEMBER, change)
        with pytest.raises(ConditionFailed, match="the condition did not hold for the Member"):
            await db.update(MEMBER, change, where=Member.number == "8")
        with pytest.raises(ItemNotFound):
            await db.update(MEMBER, change)
    assert one.value.item == Member(club="c", joined=datetime(2026, 5, 1, 12, tzinfo=UTC), number="7")
    assert [request.repeatable for request in recording.requests] == [True, False, True]


async def test_a_save_knows_what_it_wrote(monkeypatch: pytest.MonkeyPatch, lane: RecordingLane) -> None:
    """After a read, a save, and another one: each sends the keys that differ from those in the table then."""
    del lane
    recording = record(monkeypatch, json.dumps({"Item": {**RAW, "mail": {"S": "a"}}}).encode())
    async with Database() as db:
        member = await db.get(MEMBER)
        assert member is not None
        for level in ("gold", "iron", "iron", None):
            member.level = level
            await db.save(member)
    values = [body.get("ExpressionAttributeValues", {}).values() for body in recording.bodies[1:]]
    assert [{"S": "LEVEL#gold"} in found for found in values] == [True, False, False]
    assert [{"S": "LEVEL#iron"} in found for found in values] == [False, True, False]
    assert recording.bodies[-1]["UpdateExpression"].startswith("REMOVE")


def not_unique(writes: Any, owner: dict[str, Any]) -> NotUnique:
    """The error of one write whose value another item has."""
    plan = plan_transaction([writes], {0: None}, "token")
    error = TransactionCancelled("cancelled", operation="TransactWriteItems", table="club")
    error.reasons = ({"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"owner": {"M": owner}}})
    (failure,) = cancellation(error, [writes], plan, [], ()).failures
    assert isinstance(failure.error, NotUnique)
    return failure.error


def test_the_owner_of_a_unique_value() -> None:
    """A marker has the key in the table: a Key is made of it where it tells all; a key that keeps less tells no Key."""
    court = WRITES.create(Court(club="c", number="1", code="x"))
    error = not_unique(court, {"pk": {"S": "CLUB#c"}, "sk": {"S": "COURT#2"}})
    assert error.owner == Key(Court, "c", "2")
    member = WRITES.create(Member(club="c", joined=NOW, number="7", mail="a"))
    error = not_unique(member, {"pk": {"S": "CLUB#c"}, "sk": {"S": "MEMBER#2026#8"}})
    assert error.owner is None
    assert error.message == "another Member has this mail"


async def test_soft_delete_and_restore_of_an_instance(lane: RecordingLane) -> None:
    """Nothing of the index depends on them, so nothing of it is sent."""
    async with Database() as db:
        court = await db.create(Court(club="c", number="1"))
        await db.delete(court)
        await db.restore(court)
        assert await db.save(court) is court
    assert [request.operation for request in lane.requests[1:]] == ["UpdateItem", "UpdateItem"]
    assert all("gsi1pk" not in body["ExpressionAttributeNames"].values() for body in lane.bodies[1:])
