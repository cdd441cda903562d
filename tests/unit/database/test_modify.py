"""What modify does between its requests: attempts, pauses, the time it has, and answers that were lost."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import msgspec
import pytest

from dynamorm_async import (
    Attr,
    CallTimeout,
    ConditionFailed,
    ConnectionLost,
    CredentialsError,
    Database,
    ItemNotFound,
    Key,
    OutcomeUnknown,
    UsageError,
    VersionConflict,
    attr,
    embedded,
    model,
    partition_key,
    updated_at,
    version,
)
from dynamorm_async.database.modify import Modification, Pace
from dynamorm_async.plan.arguments import ATTEMPTS
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import Request, Response
from tests.property.applying import Refused, apply
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio
M = TypeVar("M")
START = datetime(2026, 1, 1, tzinfo=UTC)


@embedded
class Part:
    size: Attr[int] = attr(default=0)


@model(table="counters")
class Counter:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    parts: Attr[dict[str, Part]] = attr(factory=dict)
    revision: Attr[int] = version()


@model(table="stamped")
class Stamped:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()
    n: Attr[int] = attr(default=0)


class FakeItem:
    """One item in a table, and what is to happen to the requests for it.

    Attributes:
        item: as the table has it; ``None`` for none.
        script: for each UpdateItem to come, ``lose`` its answer, ``drop`` it before it arrives, ``hold`` it until the next
            request has been answered, or call a function first.
        reads: what the GetItems to come raise, or call first.
    """

    def __init__(self, **item: Any) -> None:
        self.item: dict[str, Any] | None = {"pk": {"S": "a"}, "revision": {"N": "1"}, **item}
        self.script: deque[str | Callable[[], None]] = deque()
        self.reads: deque[Exception | Callable[[], None] | None] = deque()
        self.operations: list[str] = []
        self.timeouts: list[float | None] = []
        self.pauses: list[float] = []
        self.now = 0.0
        self.time = START
        self._held: Request | None = None

    async def send(self, request: Request, timeout: float | None, /) -> Response:
        self.operations.append(request.operation)
        self.timeouts.append(timeout)
        self.now += 1.0
        held, self._held = self._held, None
        try:
            return self._read(request) if request.operation == "GetItem" else self._write(request)
        finally:
            if held is not None:
                self._apply(held)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def write(self, **values: Any) -> None:
        """Another writer's."""
        assert self.item is not None
        revision = int(self.item["revision"]["N"]) + 1
        self.item = self.item | values | {"revision": {"N": str(revision)}}

    async def modify(
        self,
        model: type[M],
        change: Callable[[M], object],
        *,
        attempts: int = ATTEMPTS,
        timeout: float | None = None,
        random: Callable[[], float] = lambda: 0.5,
    ) -> M:
        pace = Pace(sleep=self.sleep, clock=lambda: self.now, random=random)
        writes = Writes(prefix="", clock=self.clock)
        key = Key(model, "a")
        return await Modification(self.send, writes, key, change, attempts=attempts, timeout=timeout, pace=pace).run()

    def _read(self, request: Request) -> Response:
        assert request.body["ConsistentRead"]
        before = self.reads.popleft() if self.reads else None
        if isinstance(before, Exception):
            raise before
        if before is not None:
            before()
        return Response(msgspec.json.encode({} if self.item is None else {"Item": self.item}))

    def _write(self, request: Request) -> Response:
        assert not request.repeatable
        step = self.script.popleft() if self.script else None
        if callable(step):
            step()
        if step == "hold":
            self._held = request
        elif step != "drop":
            self._apply(request)
        if isinstance(step, str):
            lost = OutcomeUnknown("lost", operation="UpdateItem", table="t")
            lost.__cause__ = ConnectionLost("broke", operation="UpdateItem", sent=True)
            raise lost
        return Response(b"{}")

    def _apply(self, request: Request) -> None:
        try:
            self.item = apply(request.body, self.item or {})
        except Refused:
            error = ConditionFailed("no", operation="UpdateItem", table="t")
            error.raw_item = copy.deepcopy(self.item)
            raise error from None


def add_one(item: Any) -> None:
    item.n += 1


def raises(error: Exception) -> Callable[[Any], None]:
    def change(_item: Any) -> None:
        raise error

    return change


async def test_an_item_is_read_changed_and_saved() -> None:
    """One consistent read and one write; the instance that comes back is as the table is."""
    there = FakeItem(n={"N": "4"})
    item = await there.modify(Counter, add_one)
    assert (item.n, item.revision) == (5, 2)
    assert there.item == {"pk": {"S": "a"}, "n": {"N": "5"}, "revision": {"N": "2"}}
    assert there.operations == ["GetItem", "UpdateItem"]


async def test_an_async_function_is_awaited() -> None:
    """The function may be a coroutine function, and what it returns does not matter; the item itself may be returned."""

    async def change(item: Counter) -> Counter:
        await anyio.lowlevel.checkpoint()
        item.n += 1
        return item

    assert (await FakeItem().modify(Counter, change)).n == 1
    assert (await FakeItem().modify(Counter, lambda item: setattr(item, "n", 3))).n == 3
    assert (await FakeItem().modify(Counter, lambda item: item.parts.setdefault("x", Part(size=2)))).parts[
        "x"
    ].size == 2


async def test_nothing_changed_is_not_written() -> None:
    """An item that the function leaves as it was costs one read."""
    there = FakeItem()
    assert (await there.modify(Counter, lambda _item: None)).revision == 1
    assert there.operations == ["GetItem"]


async def test_a_conflict_is_answered_with_a_fresh_read() -> None:
    """After somebody else's write the change is made again, on the item as it is then; pauses double from 25 ms to 2 s."""
    there = FakeItem()
    there.script.extend([lambda: there.write(n={"N": "10"})] * 9)
    seen: list[int] = []

    def change(item: Counter) -> None:
        seen.append(item.n)
        item.n += 1

    item = await there.modify(Counter, change)
    assert (item.n, item.revision) == (11, 11)
    assert seen == [0, *[10] * 9]
    assert there.pauses == [0.5 * min(2.0, 0.025 * 2**n) for n in range(9)]


async def test_attempts_are_bounded() -> None:
    """The last conflict is raised, with both versions and the number of attempts."""
    there = FakeItem()
    there.script.extend([lambda: there.write(n={"N": "10"})] * 3)
    with pytest.raises(VersionConflict) as caught:
        await there.modify(Counter, add_one, attempts=3)
    assert (caught.value.expected, caught.value.found, caught.value.attempts) == (3, 4, 3)
    assert "(after 3 attempts)" in str(caught.value)
    assert len(there.pauses) == 2


async def test_the_time_is_one_for_all() -> None:
    """Each request gets what is left of it; where a pause does not fit, the conflict is raised; later, CallTimeout."""
    there = FakeItem()  # where a request takes a second
    there.script.extend([there.write] * 9)
    with pytest.raises(VersionConflict) as caught:
        await there.modify(Counter, add_one, timeout=6.05)
    assert caught.value.attempts == 3
    assert there.timeouts == pytest.approx([6.05, 5.05, 4.0375, 3.0375, 2.0125, 1.0125])
    with pytest.raises(CallTimeout, match="s are over") as late:
        await FakeItem().modify(Counter, add_one, timeout=0.9)
    assert (late.value.operation, late.value.table, late.value.sent) == ("UpdateItem", "counters", False)
    no_bound = FakeItem()
    await no_bound.modify(Counter, add_one)
    assert no_bound.timeouts == [None, None]


async def test_an_async_function_has_the_calls_time() -> None:
    """A function that does not end in time is cancelled, and nothing is written."""
    there = FakeItem()
    cancelled: list[bool] = []

    async def change(_item: Counter) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append(True)

    with pytest.raises(CallTimeout, match="function"):
        await there.modify(Counter, change, timeout=1.01)
    assert (there.operations, cancelled) == (["GetItem"], [True])


async def test_a_missing_item() -> None:
    """ItemNotFound, at first and where it is deleted in between."""
    there = FakeItem()
    there.item = None
    with pytest.raises(ItemNotFound) as caught:
        await there.modify(Counter, add_one)
    assert (caught.value.operation, caught.value.table, caught.value.item) == ("GetItem", "counters", None)
    there = FakeItem()
    there.script.append(lambda: setattr(there, "item", None))
    with pytest.raises(ItemNotFound) as again:
        await there.modify(Counter, add_one)
    assert again.value.attempts == 2
    assert there.item is None


async def test_what_the_function_raises_is_raised() -> None:
    """Its exception passes as it is, and nothing is written."""
    there = FakeItem()
    error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError) as caught:
        await there.modify(Counter, raises(error))
    assert caught.value is error
    assert there.operations == ["GetItem"]


async def test_a_function_that_cannot_be_meant() -> None:
    """Another instance, another version or another key are refused, and nothing is written."""

    async def evolved(_item: Counter) -> Counter:
        return Counter(pk="a", n=3)

    changes: list[tuple[Callable[[Counter], object], str]] = [
        (lambda _item: Counter(pk="a", n=3), "in place"),
        (evolved, "in place"),
        (lambda item: setattr(item, "revision", 7), "Counter.revision"),
        (lambda item: setattr(item, "pk", "b"), "Counter.pk is a key"),
    ]
    for change, message in changes:
        there = FakeItem()
        with pytest.raises(UsageError, match=message):
            await there.modify(Counter, change)
        assert there.operations == ["GetItem"]


async def test_calls_that_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model without a version, something that is no key and no attempts are refused before anything is sent."""
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(UsageError, match=r"modify\(\) of Plain: the model has no version"):
            await db.modify(Key(Plain, "a"), add_one)
        with pytest.raises(UsageError, match="takes a Key"):
            await db.modify("a", add_one)  # type: ignore[arg-type]  # callers without a checker
        with pytest.raises(UsageError, match=r"got an instance: pass Key\(Counter, 'a'\)"):
            await db.modify(Counter(pk="a"), add_one)  # type: ignore[arg-type]  # callers without a checker
        with pytest.raises(UsageError, match="attempts=0"):
            await db.modify(Key(Counter, "a"), add_one, attempts=0)
    assert lane.requests == []


async def test_a_lost_answer_of_a_save_that_was_applied() -> None:
    """It is read back: the next version with this write's time is this write, so it is not made again."""
    there = FakeItem()
    there.script.append("lose")
    item = await there.modify(Stamped, add_one)
    assert there.item is not None
    assert (item.n, item.revision, there.item["n"], there.item["revision"]) == (1, 2, {"N": "1"}, {"N": "2"})
    assert there.operations == ["GetItem", "UpdateItem", "GetItem"]
    item.n = 5
    item = await there.modify(Stamped, add_one)
    assert item.n == 2


async def test_a_lost_answer_at_the_last_attempt_is_settled_too() -> None:
    """Whether it was applied is found out even where there is no attempt left."""
    there = FakeItem()
    there.script.append("lose")
    assert (await there.modify(Stamped, add_one, attempts=1)).revision == 2
    there.script.append("drop")
    with pytest.raises(OutcomeUnknown):
        await there.modify(Stamped, add_one, attempts=1)
    assert there.item is not None
    assert there.item["n"] == {"N": "1"}


@pytest.mark.parametrize("cls", [Counter, Stamped])
async def test_a_save_that_did_not_arrive_is_made_again(cls: type[Any]) -> None:
    """Where the table still has the version that was read, the change is made again."""
    there = FakeItem()
    there.script.extend(["drop", "drop"])
    item = await there.modify(cls, add_one)
    assert there.item is not None
    assert (item.n, item.revision, there.item["n"]) == (1, 2, {"N": "1"})


async def test_a_save_that_arrives_late_counts_once() -> None:
    """It may arrive after the read that did not find it: then the next save conflicts, and it is found to be ours."""
    there = FakeItem()
    there.script.append("hold")  # it arrives just after the next read
    item = await there.modify(Stamped, add_one)
    assert there.item is not None
    assert (item.n, there.item["n"], there.item["revision"]) == (1, {"N": "1"}, {"N": "2"})
    assert there.operations == ["GetItem", "UpdateItem", "GetItem", "UpdateItem", "GetItem"]


async def test_another_writers_version_after_a_lost_answer() -> None:
    """A next version of another time is somebody else's: the lost save cannot be applied any more, so it goes on."""
    there = FakeItem()
    stamp = {"S": "2025-05-05T05:05:05.000000Z"}
    there.script.append("drop")
    there.reads.extend([None, lambda: there.write(n={"N": "10"}, changed=stamp)])
    item = await there.modify(Stamped, add_one)
    assert (item.n, item.revision) == (11, 3)


async def unknown(there: FakeItem, cls: type[Any], change: Callable[[Any], object] = add_one) -> OutcomeUnknown:
    with pytest.raises(OutcomeUnknown) as caught:
        await there.modify(cls, change)
    assert isinstance(caught.value.__cause__, ConnectionLost)
    return caught.value


async def test_what_cannot_be_told_is_unknown() -> None:
    """More than one write since, a deleted item, a failed read or no updated_at: the caller is told, and nothing repeated."""
    there = FakeItem()
    there.script.append("lose")
    there.reads.extend([None, there.write])
    await unknown(there, Stamped)
    assert there.item is not None
    assert there.item["n"] == {"N": "1"}

    there = FakeItem()
    there.script.append("lose")
    there.reads.extend([None, lambda: setattr(there, "item", None)])
    await unknown(there, Stamped)

    there = FakeItem()
    there.script.append("lose")
    there.reads.extend([None, ConnectionLost("again", operation="GetItem")])
    assert "failed as well" in (await unknown(there, Stamped)).__notes__[0]

    there = FakeItem()
    there.script.append("lose")
    there.reads.extend([None, lambda: there.write(n={"S": "another program's"})])
    assert "failed as well" in (await unknown(there, Stamped)).__notes__[0]

    there = FakeItem()
    there.script.append("lose")
    there.reads.extend([None, CredentialsError("the keys have expired")])
    assert "failed as well" in (await unknown(there, Stamped)).__notes__[0]

    there = FakeItem()
    there.script.append("lose")
    assert "updated_at()" in (await unknown(there, Counter)).__notes__[0]
    assert there.item is not None
    assert there.item["n"] == {"N": "1"}


async def test_the_same_time_with_other_content_is_unknown() -> None:
    """Where another writer has the very same time, nothing is claimed."""
    there = FakeItem()
    there.script.append("lose")

    def replace() -> None:
        assert there.item is not None
        there.item["n"] = {"N": "77"}

    there.reads.extend([None, replace])
    await unknown(there, Stamped)


async def test_a_cancelled_call_writes_nothing_more() -> None:
    """Cancelled in its pause, it ends there."""
    there = FakeItem()
    there.script.extend([there.write] * 9)
    sleeping = anyio.Event()

    async def sleep(_seconds: float) -> Awaitable[None]:
        sleeping.set()
        await anyio.sleep_forever()
        raise AssertionError

    there.sleep = sleep  # type: ignore[method-assign, assignment]  # this test's own pause
    async with anyio.create_task_group() as group:
        group.start_soon(there.modify, Counter, add_one)
        await sleeping.wait()
        group.cancel_scope.cancel()
    assert there.operations == ["GetItem", "UpdateItem"]
