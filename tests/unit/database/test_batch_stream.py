"""Iterating a batch_get: every distinct key once, as it arrives, with back-pressure, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from dynamorm_async import BatchGet, BatchGetFailed, Key, Throttled
from dynamorm_async.types import Request
from tests.property.fake_batch import FakeTables, tables_of
from tests.unit.database.keyed_models import USERS, User, user

pytestmark = pytest.mark.anyio
KEYS = [Key(User, "acme", number) for number in range(500)]
NUMBERS = {key: number for number, key in enumerate(KEYS)}


def tables() -> FakeTables:
    """500 keys are asked for, of which 300 are there."""
    return tables_of(*USERS)


def batch(of: FakeTables, concurrency: int = 2) -> BatchGet[Any]:
    return of.batch_get(*KEYS, concurrency=concurrency)


async def nothing_goes_on(of: FakeTables, tasks: set[asyncio.Task[Any]]) -> None:
    """After a few turns of the loop there is no task but those of before, and nothing is sent any more."""
    gc.collect(1)  # whatever was dropped is young
    for _ in range(5):
        await asyncio.sleep(0)
    sent = len(of.requests)
    assert asyncio.all_tasks() == tasks
    assert of.in_flight == 0
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(of.requests) == sent


async def test_every_distinct_key_comes_once() -> None:
    """With its item, or None for a miss; duplicates are one pair."""
    for concurrency in (1, 2, 7):
        of = tables()
        pairs = [pair async for pair in of.batch_get(*KEYS, *KEYS[::3], concurrency=concurrency)]
        assert len(pairs) == 500
        assert dict(pairs) == {key: user(n) if n < 300 else None for n, key in enumerate(KEYS)}
        assert of.most_in_flight == min(concurrency, 5)
        assert len(of.requests) == 5


async def test_pairs_come_as_they_arrive() -> None:
    """A chunk that is late does not hold up those after it."""
    of, late = tables(), anyio.Event()

    async def wait(request: Request) -> None:
        if request is of.requests[0]:
            await late.wait()

    of.before = wait
    numbers: list[int] = []
    async for key, _item in batch(of):
        numbers.append(NUMBERS[key])
        if len(numbers) == 400:
            late.set()
    assert set(numbers[:400]) == set(range(100, 500))
    assert set(numbers[400:]) == set(range(100))


async def test_a_slow_consumer_slows_the_reading_down() -> None:
    """At most ``concurrency`` chunks are in hand: read and not consumed, or being read."""
    for concurrency in (1, 2, 3):
        of = tables()
        async with batch(of, concurrency).stream() as stream:
            for taken in range(1, 401):
                await anext(stream)
                for _ in range(20):
                    await asyncio.sleep(0)
                consumed = (taken - 1) // 100
                assert len(of.requests) == min(5, consumed + concurrency)


async def broken_off(read: BatchGet[Any], after: int) -> None:
    seen = 0
    async for _pair in read:
        seen += 1
        if seen == after:
            break


async def dropped(read: BatchGet[Any], after: int) -> None:
    iterator = aiter(read)
    for _ in range(after):
        await anext(iterator)


async def left_its_block(read: BatchGet[Any], after: int) -> None:
    async with read.stream() as stream:
        for _ in range(after):
            await anext(stream)


@pytest.mark.parametrize("after", [0, 1, 99, 100, 101, 250, 500])
@pytest.mark.parametrize("leave", [broken_off, dropped, left_its_block], ids=lambda leave: leave.__name__)
async def test_a_stream_left_early_leaves_nothing(
    leave: Callable[[BatchGet[Any], int], Awaitable[None]], after: int
) -> None:
    """break, a dropped iterator or the end of a block, after any number of pairs."""
    of = tables()
    tasks = asyncio.all_tasks()
    await leave(batch(of), after)
    await nothing_goes_on(of, tasks)


async def test_the_end_of_a_block_waits() -> None:
    """``async with``: when it is left, what was being read has ended, also in a scope that is cancelled."""
    for cancelled in (False, True):
        of = tables()
        tasks = asyncio.all_tasks()
        with anyio.CancelScope() as scope:
            async with batch(of).stream() as stream:
                await anext(stream)
                if cancelled:
                    scope.cancel()
        assert asyncio.all_tasks() == tasks
        assert of.in_flight == 0


async def test_a_closed_stream_is_at_its_end() -> None:
    """Nothing more comes, and nothing is read."""
    of = tables()
    async with batch(of).stream() as stream:
        await anext(stream)
    sent = len(of.requests)
    assert [pair async for pair in stream] == []
    await stream.aclose()
    assert len(of.requests) == sent


async def whole(of: FakeTables, concurrency: int, handed: list[Key[Any]]) -> None:
    async for key, _item in batch(of, concurrency):
        handed.append(key)


async def test_a_stream_cancelled_anywhere_leaves_nothing() -> None:
    """Cancelled after any number of turns of the loop, until it is so late that the reading has ended."""
    for turns in range(400):
        of = tables_of(*USERS[:3])
        of.taken = lambda count: (count + 1) // 2
        tasks = asyncio.all_tasks()
        reading = asyncio.ensure_future(whole(of, 2, []))
        for _ in range(turns):
            await asyncio.sleep(0)
        ended = reading.done()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        assert reading.cancelled() != ended
        del reading
        await nothing_goes_on(of, tasks)
        if ended:
            return
    pytest.fail("the reading never ended")


async def test_a_stream_goes_on_after_a_cancellation() -> None:
    """What was read is kept, what was not is read again: nothing is lost, nothing comes twice."""
    for turns in range(0, 60, 2):
        of = tables_of(*USERS[:9])
        of.taken = lambda count: (count + 1) // 2
        pairs: list[tuple[Key[Any], Any]] = []
        stream = batch(of).stream()

        async def take(stream: Any = stream, pairs: list[Any] = pairs) -> None:
            async for pair in stream:
                pairs.append(pair)  # noqa: PERF401 - what came before the cancellation counts

        taking = asyncio.ensure_future(take())
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        with suppress(asyncio.CancelledError):
            await taking
        await take()
        assert len(pairs) == 500
        assert dict(pairs) == {key: user(n) if n < 9 else None for n, key in enumerate(KEYS)}


@pytest.mark.parametrize("concurrency", [1, 2, 4])
@pytest.mark.parametrize("number", [1, 2, 4, 5])
async def test_a_failed_request_ends_the_stream(number: int, concurrency: int) -> None:
    """What was handed out, what the error has, and what was not read hold every key once."""
    of = tables()
    tasks = asyncio.all_tasks()
    cause = Throttled("too fast", operation="BatchGetItem", table="users")

    async def fail(request: Request) -> None:
        if len(of.requests) >= number and request is of.requests[number - 1]:
            raise cause

    of.before = fail
    handed: list[Key[Any]] = []
    stream = batch(of, concurrency).stream()

    async def take() -> None:
        async for key, _item in stream:
            handed.append(key)

    with pytest.raises(BatchGetFailed, match="too fast") as caught:
        await take()
    error = caught.value
    assert error.__cause__ is cause
    every = [*handed, *error.found, *error.unprocessed]
    assert len(every) == 500
    assert set(every) == set(KEYS)
    for _ in range(2):
        assert await anext(stream, None) is None
    del caught, error
    await nothing_goes_on(of, tasks)


async def test_a_round_that_was_half_done_is_in_the_error() -> None:
    """Keys that stay unprocessed: what their request brought before is found."""
    of = tables()
    of.taken = lambda count: 60 if count == 100 else 0
    with pytest.raises(BatchGetFailed, match="40 keys were left unprocessed 8 times") as caught:
        await whole(of, 1, [])
    assert set(caught.value.found) == set(KEYS[:60])
    assert set(caught.value.unprocessed) == set(KEYS[60:])


async def test_misfits_come_last() -> None:
    """An item that does not fit stops no other: after all of them comes one error with the misfits."""
    of = tables()
    for item in list(of.items["users"].values())[150:153]:
        item["age"] = {"S": "?"}
    handed: list[Key[Any]] = []
    with pytest.raises(BatchGetFailed, match="3 items do not fit their models") as caught:
        await whole(of, 2, handed)
    assert {NUMBERS[key] for key in handed} == set(range(500)) - {150, 151, 152}
    assert (caught.value.found, caught.value.unprocessed) == ({}, ())
    assert list(caught.value.misfits) == KEYS[150:153]


async def test_an_error_that_nobody_waits_for_is_nobodys() -> None:
    """A request that fails after the stream was dropped is not complained of."""
    of, complaints = tables(), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async def fail(request: Request) -> None:
        if request is not of.requests[0]:
            raise Throttled("too fast", operation="BatchGetItem")

    of.before = fail
    tasks = asyncio.all_tasks()
    stream = batch(of).stream()
    await anext(stream)
    for _ in range(10):
        await asyncio.sleep(0)
    del stream
    await nothing_goes_on(of, tasks)
    assert complaints == []
