"""The parts of a backfill that need no DynamoDB: the bucket, the progress, the tasks, and what is refused at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from dynamorm_async import Attr, Database, UsageError, attr, encrypted, model, partition_key, version
from dynamorm_async.backfills import Backfill, Progress
from dynamorm_async.backfills.rate import TokenBucket
from dynamorm_async.backfills.results import seconds_left
from dynamorm_async.backfills.together import for_each, together

pytestmark = pytest.mark.anyio


@model(table="people")
class Person:
    person_id: Attr[str] = partition_key()
    born: Attr[datetime | None] = attr(default=None)
    done: Attr[str | None] = attr(default=None)


@model(table="secrets")
class Secret:
    secret_id: Attr[str] = partition_key()
    code: Attr[str] = encrypted()


@model(table="guarded-secrets")
class GuardedSecret:
    secret_id: Attr[str] = partition_key()
    code: Attr[str] = encrypted()
    revision: Attr[int] = version()


class Clock:
    """A clock that stands still but while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_the_bucket_keeps_to_its_rate() -> None:
    """A second's worth may be spent at once; a debt is waited for, exactly; unused units do not pile up."""
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, sleep=clock.sleep)
    await bucket.ready()
    bucket.spend(35)  # 10 were there: 25 are owed
    await bucket.ready()
    assert clock.slept == [2.5]
    clock.now += 3600
    bucket.spend(20)
    await bucket.ready()
    assert clock.slept == [2.5, 1.0]


async def test_no_rate_is_no_bound() -> None:
    """Without a rate nobody waits."""
    clock = Clock()
    bucket = TokenBucket(None, clock=clock, sleep=clock.sleep)
    bucket.spend(1e9)
    await bucket.ready()
    assert clock.slept == []


@pytest.mark.parametrize(
    ("items", "scanned", "done", "rate", "left"),
    [
        (1000, 250, 1, 50.0, 15.0),  # by DynamoDB's count
        (0, 250, 2, 50.0, 5.0),  # a new table: by segments
        (100, 250, 2, 50.0, 5.0),  # the count is too old
        (0, 250, 0, 50.0, None),
        (1000, 0, 0, 0.0, None),
        (1000, 990, 4, 50.0, 0.0),
    ],
)
def test_the_time_that_is_left(items: int, scanned: int, done: int, rate: float, left: float | None) -> None:
    """By DynamoDB's count of items where it is believable, else by segments; unknown where nothing tells."""
    assert seconds_left(items=items, scanned=scanned, segments=4, done=done, rate=rate) == left


def progress(**changed: Any) -> Progress:
    usual: dict[str, Any] = {
        "name": "names",
        "segments": 4,
        "done_segments": 1,
        "finished": False,
        "items": 100,
        "scanned": 50,
        "changed": 40,
        "skipped": 10,
        "conflicts": 1,
        "failed": 0,
        "capacity": 90.0,
        "rate": 25.0,
        "seconds_left": 2.0,
    }
    return Progress(**{**usual, **changed})


def test_progress_reads_well() -> None:
    """A line for people; never 100 % before the end, though the count of items is old; by segments without a count."""
    assert str(progress()) == (
        "names: 50%, 1 of 4 segments, 50 items read, 40 changed, 10 skipped, 0 failed, 25 items/s, about 2 s left"
    )
    assert progress(scanned=200).fraction == 0.99
    assert progress(items=0).fraction == 0.25
    assert progress(finished=True).fraction == 1.0


async def test_the_first_error_ends_all_tasks() -> None:
    """It is raised by itself, not in a group, and the other tasks are cancelled and have ended."""
    ended: list[str] = []
    turns = iter(range(3))

    async def work() -> None:
        if next(turns) == 2:
            raise ValueError("the third")
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("cancelled")

    with pytest.raises(ValueError, match="the third"):
        await together(3, work)
    assert ended == ["cancelled", "cancelled"]


async def test_each_value_is_worked_on_once() -> None:
    """By no more tasks at a time than were given."""
    seen: list[int] = []
    running = most = 0

    async def work(value: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.lowlevel.checkpoint()
        seen.append(value)
        running -= 1

    await for_each(range(10), work, tasks=3)
    assert (sorted(seen), most) == (list(range(10)), 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, "name has 1 to 255 bytes"),
        ({"segments": 0}, "segments=0 of the backfill 'n': from 1 to 10,000"),
        ({"workers": 0}, "workers=0"),
        ({"concurrency": 0}, "concurrency=0"),
        ({"page_size": 0}, "page_size=0"),
        ({"max_failures": -1}, "max_failures=-1"),
        ({"rate": 0}, "rate=0"),
        ({"duration": 0}, "duration=0"),
        ({"marker": "nope"}, "Person has no such attribute. Declare it, nope: Attr"),
        ({"marker": "born"}, "Person.born has to be a plain attribute for text"),
        ({"marker": "person_id"}, "Person.person_id has to be a plain attribute"),
        ({"where": GuardedSecret.revision == 1}, "the condition is about 'revision'"),
    ],
)
def test_what_cannot_work_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    """Numbers out of range, a marker that cannot be one, a condition of another model: before anything is sent."""
    settings: dict[str, Any] = {"name": "n", **given}
    with pytest.raises(UsageError, match=message):
        Backfill(Database(region="eu-west-1"), Person, lambda person: person, **settings)


def test_a_model_that_cannot_be_compared_is_refused() -> None:
    """Without a version a write compares every attribute, which ciphertexts do not allow; nothing to do is told as well."""
    db = Database(region="eu-west-1")
    with pytest.raises(UsageError, match=r"encrypted attributes \(code\).*Add a version\(\)"):
        Backfill(db, Secret, lambda secret: secret, name="n")
    Backfill(db, GuardedSecret, lambda secret: secret, name="n")
    with pytest.raises(UsageError, match="Person has no schema version"):
        Backfill(db, Person, name="n")
