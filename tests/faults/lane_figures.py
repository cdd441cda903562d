"""The figures of cancellation, close, loop and sockets for the scoreboard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import product
from typing import Final

from dynamorm_async.transport.lanes import LaneName
from tests.engines import LANES
from tests.faults.figure import Context, Result
from tests.faults.proxy import fault_proxy
from tests.faults.raw_store import raw_client
from tests.faults.stores import Note, connect
from tests.unit.database.cancel_walk import Start, Walk, walk
from tests.unit.database.canned_dynamo import canned_dynamo
from tests.unit.database.closing import CALLS, drained, forced
from tests.unit.database.closing import POOL as POOL_AT_CLOSE
from tests.unit.database.crowd import Crowd, canned_process, crowd, crowd_of
from tests.unit.transport.scripted_server import until

STALL: Final = 0.05  # seconds at most
STARTS: Final[tuple[Start, ...]] = ("cold", "warm", "retry")
POOL: Final = 100  # as `connect` has it
FIRST: Final = 500  # calls of a cold start
_SHOWN: Final = 3


def cancelled(context: Context) -> Result:
    """Figure 3."""
    walks = [asyncio.run(walk(lane, start, stride=context.size(1, 40))) for lane, start in product(LANES, STARTS)]
    problems = [problem for each in walks for problem in each.problems]
    steps = sum(sum(each.steps.values()) for each in walks)
    return Result(
        met=not problems,
        ours=f"{len(problems)} of {steps:,} cancellations",
        counts=f"{_visited(walks)} operations, on both lanes, cold, warm and with one retry",
        wrong=tuple(problems[:_SHOWN]),
    )


def _visited(walks: Sequence[Walk]) -> int:
    return min(len(set(each.visited)) for each in walks)


def closed(context: Context) -> Result:
    """Figure 4: closes that wait, and closes that do not."""
    calls = context.size(CALLS, 200)
    closings = [asyncio.run(close(lane, calls)) for close, lane in product((drained, forced), LANES)]
    lies = [f"{name}: {told}" for each in closings for name, told in each.lies.items()]
    cancelled = sum(each.cancelled for each in closings)
    left = sum(sum(each.in_use) for each in closings)
    raw_cancelled, raw_lost = asyncio.run(_raw_close(calls))
    return Result(
        met=not lies and not cancelled and not left,
        ours=f"{cancelled} + {len(lies)} of {len(closings) * calls:,} calls",
        control=f"{raw_cancelled} cancelled, {raw_lost} of them applied, of {calls:,}",
        counts="; ".join(f"{dict(each.told)}" for each in closings),
        wrong=tuple(lies[:_SHOWN]),
    )


async def _raw_close(calls: int) -> tuple[int, int]:
    """Tasks that end as cancelled when a client is closed under them, and how many of them had been applied."""
    async with canned_dynamo() as dynamo:
        applied: set[str] = set()
        dynamo.on_applied = lambda _operation, body: applied.add(body["Item"]["pk"]["S"])
        async with raw_client(dynamo.endpoint, read_timeout=30, max_pool_connections=POOL_AT_CLOSE) as client:
            await client.put_item(TableName="plain", Item={"pk": {"S": "first"}, "sk": {"S": "s"}})
            applied.clear()
            dynamo.gate = asyncio.Event()
            tasks = {
                str(number): asyncio.ensure_future(
                    client.put_item(TableName="plain", Item={"pk": {"S": str(number)}, "sk": {"S": "s"}})
                )
                for number in range(calls)
            }
            await until(lambda: len(applied) == POOL_AT_CLOSE)
        await asyncio.wait(tasks.values(), timeout=30)
        dynamo.gate.set()
        cancelled = {name for name, task in tasks.items() if task.cancelled()}
        for task in tasks.values():
            if task.done() and not task.cancelled():
                task.exception()  # looked at, so that the loop does not complain
        return len(cancelled), len(cancelled & applied)


def stall(context: Context) -> Result:
    """Figure 7, while the calls are served: the time of this thread between two beats, and no call that fails."""
    found = context.once("crowds", lambda: _crowds(context))
    raw = context.once("raw crowd", lambda: _raw_crowd(context))
    worst = max(each.stall_cpu for each in found.values())
    failed = sum(each.failed for each in found.values())
    told = "; ".join(
        f"{lane} {each.stall_cpu * 1000:.0f} ms ({each.stall * 1000:.0f} ms by the clock)"
        for lane, each in found.items()
    )
    return Result(
        met=worst <= STALL and not failed,
        ours=f"{worst * 1000:.0f} ms",
        control=f"{raw.stall_cpu * 1000:.0f} ms, {raw.failed} failed",
        counts=f"{context.size(10_000, 500):,} calls on a pool of 50; time of this thread: {told}",
    )


def beginning(context: Context) -> Result:
    """Figure 7, the one turn of the loop in which all calls begin, beyond what as many bare tasks take."""
    found = context.once("crowds", lambda: _crowds(context))
    raw = context.once("raw crowd", lambda: _raw_crowd(context))
    worst = max(each.started_cpu - each.started_bare_cpu for each in found.values())
    told = "; ".join(
        f"{lane} {each.started_cpu * 1000:.0f} ms, of which {each.started_bare_cpu * 1000:.0f} ms of bare tasks"
        f" (and {each.collected_cpu * 1000:.0f} ms of garbage collection)"
        for lane, each in found.items()
    )
    return Result(
        met=worst <= STALL,
        ours=f"{worst * 1000:.0f} ms",
        control=f"{(raw.started_cpu - raw.started_bare_cpu) * 1000:.0f} ms",
        counts=told,
    )


def _crowds(context: Context) -> dict[LaneName, Crowd]:
    with canned_process() as endpoint:
        return {lane: asyncio.run(crowd(endpoint, lane, calls=context.size(10_000, 500))) for lane in LANES}


def _raw_crowd(context: Context) -> Crowd:
    async def measure(endpoint: str) -> Crowd:
        seconds = 1_000
        async with raw_client(
            endpoint, max_pool_connections=50, read_timeout=seconds, connect_timeout=seconds
        ) as client:

            async def get(name: str) -> bool:
                found = await client.get_item(TableName="walked", Key={"pk": {"S": name}, "sk": {"S": "s"}})
                return "Item" in found and found["Item"]["pk"]["S"] == name

            return await crowd_of(get, calls=context.size(10_000, 500))

    with canned_process() as endpoint:
        return asyncio.run(measure(endpoint))


def cold_start(_: Context) -> Result:
    """Figure 8."""
    ours = {lane: asyncio.run(_sockets(lane)) for lane in LANES}
    over = {lane: max(0, most - POOL) for lane, most in ours.items()}
    return Result(
        met=not any(over.values()),
        ours=str(max(over.values())),
        control=str(max(0, asyncio.run(_raw_sockets()) - POOL)),
        counts=f"{FIRST} first calls, a pool of {POOL}; at most open: {ours}",
    )


async def _sockets(lane: LaneName) -> int:
    async with fault_proxy() as proxy, connect(proxy.endpoint, lane) as db:
        await asyncio.gather(*[db.get(Note, str(number)) for number in range(FIRST)])
        return proxy.most_connections


async def _raw_sockets() -> int:
    async with fault_proxy() as proxy, raw_client(proxy.endpoint, read_timeout=30) as client:
        calls = [client.get_item(TableName="notes", Key={"note_id": {"S": str(number)}}) for number in range(FIRST)]
        await asyncio.gather(*calls)
        return proxy.most_connections
