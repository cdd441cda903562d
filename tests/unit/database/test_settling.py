"""What becomes of writes whose answers were lost: sent again, settled by the item that is there, or said to be unknown."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dynamorm_async import (
    Attr,
    ConditionFailed,
    ConnectionLost,
    CredentialsError,
    Database,
    DatabaseClosed,
    ItemExists,
    Key,
    OutcomeUnknown,
    UsageError,
    VersionConflict,
    attr,
    created_at,
    model,
    partition_key,
    updated_at,
    version,
)
from dynamorm_async.database.writing import send_write
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from dynamorm_async.transport.base import Timeouts
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio
START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(microseconds=1)


@model(table="full")
class Full:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model(table="numbered")
class Numbered:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    revision: Attr[int] = version()


@model(table="dated")
class Dated:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    revision: Attr[int] = version()


@model(table="timed")
class Timed:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()


@model(table="born")
class Born:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)


def lost(operation: str = "PutItem") -> ConnectionLost:
    return ConnectionLost("the connection broke", operation=operation, sent=True)


class Table:
    """A table of one item, whose answers can be lost.

    Attributes:
        item: what is there.
        fates: for each request to come: ``lose`` its answer, ``drop`` the request, an error that is raised or an answer
            that is given instead, or a function that somebody else calls before it is looked at.
        tells: whether failed conditions come with the item.
    """

    def __init__(self, item: dict[str, Any] | None = None, *, tells: bool = True) -> None:
        self.item = item
        self.fates: deque[str | bytes | Exception | Callable[[], None]] = deque()
        self.tells = tells
        self.requests: list[Request] = []

    async def attempt(self, request: Request, timeout: float) -> Response:
        assert timeout > 0
        self.requests.append(request)
        fate = self.fates.popleft() if self.fates else ""
        if fate == "drop":
            raise lost(request.operation)
        if isinstance(fate, Exception):
            raise fate
        if isinstance(fate, bytes):
            return Response(body=fate)
        if callable(fate):
            fate()
        answer = self._apply(request)
        if fate == "lose":
            raise lost(request.operation)
        return Response(body=msgspec.json.encode(answer))

    async def aclose(self) -> None:
        """Nothing to close."""

    def _apply(self, request: Request) -> dict[str, Any]:
        body = request.body
        if request.operation == "GetItem":
            return {} if self.item is None else {"Item": self.item}
        if not self._holds(body):
            error = ConditionFailed("The conditional request failed", operation=request.operation)
            error.raw_item = self.item if self.tells else None
            raise error
        if request.operation == "DeleteItem":
            self.item = None
        elif request.operation == "PutItem":
            self.item = dict(body["Item"])
        return {}

    def _holds(self, body: dict[str, Any]) -> bool:
        """What create and versioned writes insist on, by what they compare with."""
        condition = body.get("ConditionExpression", "")
        values = body.get("ExpressionAttributeValues", {})
        if "attribute_not_exists" in condition and self.item is None:
            return True
        return any(self.item is not None and self.item.get("revision") == value for value in values.values())

    async def write(self, write: Write | None) -> Response:
        async def pause(_seconds: float) -> None:
            return

        assert write is not None
        sender = Sender(self, timeouts=Timeouts(), sleep=pause)
        return await send_write(lambda request, timeout: sender.send(request, timeout=timeout), write, None)

    @property
    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]


def writes(now: datetime = START) -> Writes:
    return Writes(prefix="", clock=lambda: now)


def by_another(table: Table, **attributes: Any) -> Callable[[], None]:
    """Somebody else's write, over what is there."""

    def change() -> None:
        table.item = {**(table.item or {}), **attributes}

    return change


@pytest.mark.parametrize("cls", [Full, Dated, Timed, Born])
@pytest.mark.parametrize("tells", [True, False])
async def test_a_create_that_was_applied_succeeds(cls: type[Any], *, tells: bool) -> None:
    """Its own item, known by its time, is no ItemExists; where the failure comes without the item, that is read."""
    table, item = Table(tells=tells), cls(pk="a", n=1)
    table.fates += ["lose"]
    response = await table.write(writes().create(item))
    assert response.attempts == 2
    assert item.made == START
    assert table.operations == ["PutItem", "PutItem", *([] if tells else ["GetItem"])]


async def test_a_create_that_never_arrived_is_made_by_the_next_attempt() -> None:
    """Nothing was there, so that the second attempt is the first to write."""
    table = Table()
    table.fates += ["drop"]
    await table.write(writes().create(Plain(pk="a")))
    assert table.item is not None
    assert table.operations == ["PutItem", "PutItem"]


@pytest.mark.parametrize("cls", [Full, Dated, Timed, Born])
async def test_a_create_that_met_another_item_fails_as_such(cls: type[Any]) -> None:
    """The item that is there was made at another time: by somebody else."""
    table = Table()
    other = writes(LATER).create(cls(pk="a", n=1)).request.body["Item"]
    table.fates += ["drop", by_another(table, **other)]
    with pytest.raises(ItemExists) as caught:
        await table.write(writes().create(cls(pk="a", n=1)))
    assert caught.value.maybe_applied


async def test_a_create_whose_item_was_changed_since_succeeds() -> None:
    """It was applied, and then changed by somebody else: the time of its creation stays."""
    for cls, change in [
        (Full, {"revision": {"N": "2"}, "n": {"N": "9"}}),
        (Dated, {"revision": {"N": "2"}, "n": {"N": "9"}}),
        (Timed, {"changed": {"S": "2027"}, "n": {"N": "9"}}),
    ]:
        table = Table()
        table.fates += ["lose", by_another(table, **change)]
        await table.write(writes().create(cls(pk="a", n=1)))


@pytest.mark.parametrize("cls", [Plain, Numbered])
async def test_equal_content_proves_nothing(cls: type[Any]) -> None:
    """Two callers may well create the same item: without a time, the outcome is unknown, with what is needed to find out."""
    table = Table()
    table.fates += ["lose"]
    with pytest.raises(OutcomeUnknown, match="does not tell whose write it was") as caught:
        await table.write(writes().create(cls(pk="a")))
    assert caught.value.key == Key(cls, "a")
    assert not caught.value.retryable


async def stored(table: Table, item: object) -> None:
    """The item as it was read at version 1."""
    await table.write(writes().create(item))
    table.requests.clear()


@pytest.mark.parametrize("tells", [True, False])
async def test_a_put_under_a_version_that_was_applied_succeeds(*, tells: bool) -> None:
    """The next version is there, with the time of this very write."""
    table, item = Table(tells=tells), Full(pk="a")
    await stored(table, item)
    table.fates += ["lose"]
    item.n = 7
    await table.write(writes(LATER).put(item))
    assert (item.revision, item.changed) == (2, LATER)


async def test_a_put_under_a_version_that_somebody_else_made_is_a_conflict() -> None:
    """The next version is there, with another time."""
    table, item = Table(), Full(pk="a")
    await stored(table, item)
    table.fates += ["drop", by_another(table, revision={"N": "2"}, changed={"S": "2027"})]
    with pytest.raises(VersionConflict):
        await table.write(writes(LATER).put(item))
    assert item.revision == 1


@pytest.mark.parametrize("change", [{"revision": {"N": "3"}}, {"n": {"N": "5"}}])
async def test_a_put_that_others_wrote_over_is_unknown(change: dict[str, Any]) -> None:
    """Further versions, or other content of its own version, tell nothing; the error says what to look for."""
    table, item = Table(), Full(pk="a")
    await stored(table, item)
    table.fates += ["lose", by_another(table, **change)]
    with pytest.raises(OutcomeUnknown) as caught:
        await table.write(writes(LATER).put(item))
    assert caught.value.written == {"changed": LATER, "revision": 2}


async def test_an_item_that_is_gone_tells_nothing() -> None:
    """It may have been written before it was deleted."""
    table, item = Table(), Full(pk="a")
    await stored(table, item)

    def delete() -> None:
        table.item = None

    table.fates += ["lose", delete]
    with pytest.raises(OutcomeUnknown):
        await table.write(writes(LATER).put(item))


async def test_where_the_item_cannot_be_read_the_outcome_is_unknown() -> None:
    """The failed condition came without the item, and reading it failed, too."""
    table = Table(tells=False)
    table.fates += ["lose", "", "drop", "drop", "drop", "drop"]
    with pytest.raises(OutcomeUnknown, match="failed as well"):
        await table.write(writes().create(Full(pk="a")))


NO_ITEM = [
    CredentialsError("the keys have expired"),
    DatabaseClosed("it was closed in the meantime"),
    b'{"Item":' + b'{"M":' * 20_000 + b"{}" + b"}" * 20_000 + b"}",
    b'{"Item":{"pk":}}',
]


@pytest.mark.parametrize("answer", NO_ITEM, ids=["no keys", "closed", "too deep", "no JSON"])
async def test_whatever_the_item_cannot_be_read_for_the_outcome_is_unknown(answer: bytes | Exception) -> None:
    """Expired keys, a closed database and an answer that is none are no word on the write: of a create and of a delete."""
    table = Table(tells=False)
    table.fates += ["lose", "", answer]
    with pytest.raises(OutcomeUnknown, match="failed as well") as caught:
        await table.write(writes().create(Full(pk="a")))
    assert caught.value.key == Key(Full, "a")

    table, item = Table(), Full(pk="b")
    await stored(table, item)
    table.fates += ["lose", answer]
    with pytest.raises(OutcomeUnknown) as caught:
        await table.write(writes().delete(item))
    assert caught.value.key == Key(Full, "b")


async def test_a_versioned_delete_that_was_applied_succeeds() -> None:
    """The item is not there: that is what a delete promises."""
    table, item = Table(), Full(pk="a")
    await stored(table, item)
    table.fates += ["lose"]
    await table.write(writes().delete(item))
    assert table.operations == ["DeleteItem", "GetItem"]


async def test_a_versioned_delete_is_never_sent_again() -> None:
    """Between, somebody may have made an item with the same key and version; a lock is made and deleted just so."""
    table, item = Table(), Full(pk="a")
    await stored(table, item)
    table.fates += ["drop"]
    with pytest.raises(OutcomeUnknown) as caught:
        await table.write(writes().delete(item))
    assert caught.value.key == Key(Full, "a")
    assert table.operations == ["DeleteItem", "GetItem"]


def test_what_a_transaction_does_not_return_is_refused() -> None:
    """exactly_once makes a transaction of the write, which returns no old item."""
    write = writes().update(Key(Plain, "a"), [Plain.n.add(1)], returns="old")

    async def never(_request: Request, _timeout: float | None) -> Response:
        raise AssertionError

    with pytest.raises(UsageError, match="exactly_once=True makes this write a transaction"):
        send_write(never, write, None, exactly_once=True).send(None)


async def test_the_read_that_settles_is_within_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that time is the database's own: a lost answer does not make a call last twice as long."""
    lane = record(monkeypatch, lost("DeleteItem"), b"{}")
    async with Database(timeouts=Timeouts(call=5.0)) as db:
        await db.delete(Numbered(pk="a", revision=3))
    assert [request.operation for request in lane.requests] == ["DeleteItem", "GetItem"]
    assert 5.0 >= lane.timeouts[0] > lane.timeouts[1]  # opening the lane counts, too
