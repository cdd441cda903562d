"""Ten thousand calls at once on one database: how long the loop stands still, and what it costs. For the scoreboard."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs

from dynamorm_async import Database, Timeouts
from dynamorm_async.transport.lanes import LaneName
from tests.unit.database.cancel_operations import Walked

_BEAT = 0.0005
_MANY_SECONDS = 1_000.0
_ROOT = Path(__file__).parents[3]


@attrs.frozen(kw_only=True)
class Crowd:
    """What was measured, in seconds; ``cpu`` is this thread's own time, which other work on the machine does not lengthen.

    Attributes:
        calls: how many there were.
        failed: how many of them failed.
        total: until the last one was answered.
        started_cpu: the turn of the loop in which all calls begin, where they were made in one; without ``collected_cpu``.
        started_bare_cpu: the same turn of as many tasks that do nothing but wait: the caller's share.
        collected_cpu: what Python's garbage collector took in the turn in which all calls begin. Whether it walks the whole heap
            just then, depends on all that the process holds.
        stall: the longest time between two beats afterwards.
        stall_cpu: the same in this thread's own time.
        bytes_a_call: memory, while nearly all of them wait.
    """

    calls: int
    failed: int
    total: float
    started_cpu: float
    started_bare_cpu: float
    collected_cpu: float
    stall: float
    stall_cpu: float
    bytes_a_call: float


async def crowd(endpoint: str, lane: LaneName, *, calls: int = 10_000, pool_size: int = 50, a_turn: int = 0) -> Crowd:
    """Make the calls, and watch the loop.

    Args:
        endpoint: a server in another process: this one's loop is measured.
        lane: which lane.
        calls: how many.
        pool_size: connections.
        a_turn: how many begin in one turn of the loop; 0 for all of them.
    """
    waits = Timeouts(call=_MANY_SECONDS, pool=_MANY_SECONDS, read=_MANY_SECONDS)
    keys = ("AKIA", "secret")
    async with Database(
        endpoint=endpoint, region="eu-west-1", credentials=keys, lane=lane, pool_size=pool_size, timeouts=waits
    ) as db:

        async def get(name: str) -> bool:
            found = await db.get(Walked, name, "s")
            return found is not None and found.pk == name

        return await crowd_of(get, calls=calls, a_turn=a_turn)


async def crowd_of(get: Callable[[str], Awaitable[bool]], *, calls: int, a_turn: int = 0) -> Crowd:
    """Make calls of any client, and watch the loop.

    Args:
        get: makes a call of a name, and says whether the answer was its own.
        calls: how many.
        a_turn: how many begin in one turn of the loop; 0 for all of them.
    """
    await get("warm")
    bare = await _bare(calls)
    failed = 0

    async def call(number: int) -> None:
        nonlocal failed
        try:
            failed += not await get(str(number))
        except Exception:  # noqa: BLE001 - counted
            failed += 1

    gaps: list[tuple[float, float]] = []
    beating = asyncio.ensure_future(_beat(gaps))
    begun = time.perf_counter()
    tasks: list[asyncio.Task[None]] = []
    for number in range(calls):
        tasks.append(asyncio.ensure_future(call(number)))
        if a_turn and number % a_turn == a_turn - 1:
            await asyncio.sleep(0)
    started, collected = await _turn()
    gaps.clear()
    await asyncio.wait(tasks)
    total = time.perf_counter() - begun
    beating.cancel()
    walls, cpus = zip(*gaps[1:], strict=True)  # the first is that of the start
    return Crowd(
        calls=calls,
        failed=failed,
        total=total,
        started_cpu=started,
        started_bare_cpu=bare,
        collected_cpu=collected,
        stall=max(walls),
        stall_cpu=max(cpus),
        bytes_a_call=await _memory(get, calls),
    )


async def _bare(calls: int) -> float:
    event = asyncio.Event()
    tasks = [asyncio.ensure_future(event.wait()) for _ in range(calls)]
    seconds, _ = await _turn()
    event.set()
    await asyncio.wait(tasks)
    return seconds


async def _turn() -> tuple[float, float]:
    """Seconds of this thread in one turn of the loop: that of the tasks, and that of the garbage collector."""
    collections: list[float] = []

    def note(_phase: str, _info: dict[str, int]) -> None:
        collections.append(time.thread_time())

    gc.callbacks.append(note)
    try:
        begun = time.thread_time()
        await asyncio.sleep(0)
        seconds = time.thread_time() - begun
    finally:
        gc.callbacks.remove(note)
    collected = sum(end - start for start, end in zip(collections[::2], collections[1::2], strict=True))
    return seconds - collected, collected


async def _beat(gaps: list[tuple[float, float]]) -> None:
    last, last_cpu = time.perf_counter(), time.thread_time()
    while True:
        await asyncio.sleep(_BEAT)
        now, now_cpu = time.perf_counter(), time.thread_time()
        gaps.append((now - last, now_cpu - last_cpu))
        last, last_cpu = now, now_cpu


async def _memory(get: Callable[[str], Awaitable[bool]], calls: int) -> float:
    """Bytes for each of so many calls, in the turn in which all have begun and nearly all wait."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tasks = [asyncio.ensure_future(get(str(number))) for number in range(calls)]
    await asyncio.sleep(0)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return (after - before) / calls


@contextmanager
def canned_process() -> Generator[str]:
    """The canned DynamoDB in a process of its own; yields its endpoint, and ends it with the block."""
    program = [sys.executable, "-m", "tests.unit.database.canned_dynamo"]
    with subprocess.Popen(program, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            with suppress(OSError):
                process.stdin.close()
