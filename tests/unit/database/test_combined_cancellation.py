"""Batches, transactions and modify that are cancelled at any of their requests."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from dynamorm_async import (
    Database,
    Key,
)
from dynamorm_async.types import Request, Response
from tests.unit.database.combined_models import Kept, Plain
from tests.unit.database.recording import RecordingLane, record

pytestmark = pytest.mark.anyio


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> RecordingLane:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return record(monkeypatch)


class Stopping:
    """A lane that answers as a table would, until one request at which the caller is cancelled.

    Attributes:
        at: the request, from 1 on.
        scope: what is cancelled.
        answers: whether that request is answered all the same.
        confirmed: the keys of the items whose writes were answered.
    """

    def __init__(self, lane: RecordingLane, monkeypatch: pytest.MonkeyPatch, at: int, *, answers: bool) -> None:
        self.at = at
        self.answers = answers
        self.scope = anyio.CancelScope()
        self.lane = lane
        self.confirmed: set[str] = set()
        monkeypatch.setattr(lane, "attempt", self.attempt)

    async def attempt(self, request: Request, timeout: float) -> Response:
        assert timeout > 0
        self.lane.requests.append(request)
        if len(self.lane.requests) == self.at:
            self.scope.cancel()
            if not self.answers:
                await anyio.sleep_forever()
        elif len(self.lane.requests) % 2:
            await anyio.lowlevel.checkpoint()
        self.confirmed |= written(request)
        return Response(body=answer_to(request))


def written(request: Request) -> set[str]:
    """The keys of the items that a request writes."""
    body = request.body
    if "Get" in request.operation:
        return set()
    if request.operation == "BatchWriteItem":
        return {one["PutRequest"]["Item"]["plain_id"]["S"] for one in body["RequestItems"]["plain"]}
    parts: list[dict[str, Any]] = [part for action in body.get("TransactItems", []) for part in action.values()] or [
        body
    ]
    places: list[dict[str, Any]] = [part.get("Key") or part.get("Item") or {} for part in parts]
    return {next(iter(place.values()))["S"] for place in places if "value" not in place}


def answer_to(request: Request) -> bytes:
    if request.operation == "GetItem":
        item = {"kept_id": request.body["Key"]["kept_id"], "revision": {"N": "1"}}
        item["changed"] = {"S": "2026-01-01T00:00:00.000000Z"}
        return msgspec.json.encode({"Item": item})
    if request.operation == "BatchGetItem":
        keys = request.body["RequestItems"]["plain"]["Keys"]
        made = {"S": "2026-01-01T00:00:00.000000Z"}
        return msgspec.json.encode({"Responses": {"plain": [{**key, "made": made} for key in keys]}})
    return b"{}"


class Work:
    """A call, and the instances that it writes."""

    def __init__(self) -> None:
        self.plain = [Plain(plain_id=f"p{n}") for n in range(60)]
        self.kept = [Kept(kept_id=f"k{n}", email=f"e{n}") for n in range(3)]

    async def batch(self, db: Database) -> None:
        async with db.batch_write(concurrency=2) as batch:
            for item in [*self.plain, *self.kept]:
                await batch.put(item)

    async def put_many(self, db: Database) -> None:
        await db.put_many([*self.kept, *self.plain])

    async def transaction(self, db: Database) -> None:
        async with db.transaction() as tx:
            for item in self.kept:
                tx.create(item)
            tx.update(Key(Kept, "u"), Kept.email.set("u"))
            tx.update(Key(Kept, "v"), Kept.email.set("v"))

    async def batch_get(self, db: Database) -> None:
        await db.batch_get(*(Key(Plain, str(n)) for n in range(350)), concurrency=2)

    async def modify(self, db: Database) -> None:
        def change(kept: Kept) -> None:
            kept.email = "new"
            self.kept = [kept]

        await db.modify(Key(Kept, "m"), change)

    async def update(self, db: Database) -> None:
        await db.update(Key(Kept, "u"), Kept.email.set("u"))

    async def soft_delete(self, db: Database) -> None:
        for item in self.kept:
            await db.delete(item)


@pytest.mark.parametrize("answers", [False, True], ids=["unanswered", "answered"])
@pytest.mark.parametrize("name", ["batch", "put_many", "transaction", "batch_get", "modify", "update", "soft_delete"])
async def test_cancelled_at_every_request(
    lane: RecordingLane, monkeypatch: pytest.MonkeyPatch, name: str, *, answers: bool
) -> None:
    """No task is left and nothing is sent afterwards; instances moved exactly where their write was answered."""
    at, ended, others = 0, False, asyncio.all_tasks()
    while not ended:
        at += 1
        lane.requests.clear()
        work, stopping = Work(), Stopping(lane, monkeypatch, at, answers=answers)
        async with Database() as db:
            with stopping.scope:
                await getattr(work, name)(db)
            ended = len(lane.requests) < at
            sent = len(lane.requests)
            assert asyncio.all_tasks() == others
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            assert len(lane.requests) == sent
            moved = {item.plain_id for item in work.plain if item.made.year > 1}
            moved |= {item.kept_id for item in work.kept if item.revision > (name == "modify")}
            expected = stopping.confirmed - {"u", "v"}
            if answers and not ended:
                # The answer to the request at which it was cancelled may or may not have been looked at any more.
                assert moved <= expected
                assert len(expected - moved) in (0, len(written(lane.requests[at - 1]) - {"u", "v"}))
            else:
                assert moved == expected
            # What the library itself keeps alive: the next call works.
            stopping.at = 0
            await db.put(Plain(plain_id="next"))
    assert at > 1
