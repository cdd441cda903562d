"""``make soak``: mixed traffic with random faults for some minutes; what it leaves in memory, descriptors, tasks and the tables.

The engine and the fault proxy are processes of their own: what is measured is this library and the traffic. Figures are
taken while the workers stand still between two calls.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import anyio

from dynamorm_async import Credentials, Database, Key, Timeouts
from dynamorm_async.transport.direct import DirectLane
from tests.engines import LANES, dynoxide
from tests.faults.soak_proxy import ProxyProcess, proxy_process
from tests.faults.soak_worker import BALANCE, MODELS, PURSES, Tally, Worker
from tests.faults.stores import Purse, connect
from tests.faults.surroundings import forget_surroundings

SHARE: Final = 0.05  # of requests that meet a fault
GROWTH: Final = 0.05  # of memory after the warm-up, at most
TIMEOUTS: Final = Timeouts(call=30.0, connect=3.0, read=2.0, pool=20.0)
POOL: Final = 100  # of each lane; as `connect` has it
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment.

    Attributes:
        seconds: since the traffic began.
        operations: of the workers so far.
        memory: resident, in bytes.
        sockets: open ones, those of pools included.
        files: other descriptors.
        tasks: of the event loop.
        leased: connections of the direct lane that are in use.
        waiting: calls of the direct lane that wait for one.
        idle: connections of the direct lane that are kept for the next call.
    """

    seconds: float
    operations: int
    memory: int
    sockets: int
    files: int
    tasks: int
    leased: int = 0
    waiting: int = 0
    idle: int = 0

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s {self.operations:9,} operations  memory {self.memory / 2**20:7.1f} MB  "
            f"sockets {self.sockets:3}  files {self.files:2}  tasks {self.tasks:3}  "
            f"direct pool: leased {self.leased}, waiting {self.waiting}, idle {self.idle}"
        )


@dataclass(slots=True)
class Report:
    """What a soak found.

    Attributes:
        seed: of the dice.
        before: before anything was opened.
        samples: the first after the warm-up, the last at the end of the traffic.
        after: when all was closed.
        tally: what the workers did and found.
        requests: that the proxy got.
        faults: how many of them met a fault.
    """

    seed: int
    before: Sample
    samples: list[Sample] = field(default_factory=list[Sample])
    after: Sample | None = None
    tally: Tally = field(default_factory=Tally)
    requests: int = 0
    faults: int = 0

    @property
    def growth(self) -> float:
        """Of memory, from the end of the warm-up to the end."""
        return self.samples[-1].memory / self.samples[0].memory - 1

    def misses(self) -> list[str]:
        """What is not as it has to be."""
        first, last, after = self.samples[0], self.samples[-1], self.after
        assert after is not None
        rows = (
            (last.memory > first.memory * (1 + GROWTH), f"memory grew by {self.growth:.1%}, from {first} to {last}"),
            (any(s.files != first.files for s in self.samples), "descriptors that are no sockets: not constant"),
            (any(s.sockets > len(LANES) * POOL + self.before.sockets for s in self.samples), "more sockets than pools"),
            (any(s.tasks != first.tasks for s in self.samples), "tasks: not constant"),
            (any(s.leased or s.waiting for s in self.samples), "connections in use though nobody calls"),
            (after.files != self.before.files, f"{after.files - self.before.files} files stay open"),
            (after.sockets != self.before.sockets, f"{after.sockets - self.before.sockets} sockets stay open"),
            (after.tasks != self.before.tasks, f"{after.tasks - self.before.tasks} tasks stay"),
            (self.tally.wrongs, f"{self.tally.wrongs} contradictions between what was told and what is there"),
        )
        return [text for missed, text in rows if missed]


class Role:
    """Keys as a role has them: those that are rejected as expired are replaced."""

    def __init__(self) -> None:
        self._number = 0
        self._keys = self._fresh()

    def current(self) -> Credentials:
        return self._keys

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        if rejected == self._keys:
            self._keys = self._fresh()
        return self._keys

    def _fresh(self) -> Credentials:
        self._number += 1
        return Credentials("test", "test", f"token-{self._number}")


class Gate:
    """Lets workers through, and stops them between two calls to be measured."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._open = asyncio.Event()
        self._open.set()
        self._still = asyncio.Event()
        self._stopped = 0

    async def passed(self) -> None:
        """Wait while it is shut."""
        if self._open.is_set():
            return
        self._stopped += 1
        if self._stopped == self._workers:
            self._still.set()
        await self._open.wait()

    async def shut(self) -> None:
        """Stop all workers; returns when all stand still."""
        self._open.clear()
        self._stopped = 0
        self._still.clear()
        await self._still.wait()

    def open(self) -> None:
        self._open.set()


def measure(seconds: float = 0.0, operations: int = 0, lane: DirectLane | None = None) -> Sample:
    """The process as it is now; rubbish is collected before."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    sockets = files = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:  # the descriptor of this listing itself
            continue
        sockets += target.startswith("socket:")
        files += not target.startswith("socket:")
    pool = None if lane is None else lane.statistics()
    return Sample(
        seconds=seconds,
        operations=operations,
        memory=resident,
        sockets=sockets,
        files=files,
        tasks=len(asyncio.all_tasks()),
        leased=pool.leased if pool else 0,
        waiting=pool.waiting if pool else 0,
        idle=pool.idle if pool else 0,
    )


async def soak(
    minutes: float,
    *,
    engine: str,
    proxy: ProxyProcess,
    seed: int,
    tasks: int = 100,
    tell: Callable[[Sample], object] = lambda _: None,
) -> Report:
    """Run traffic on both lanes at once and measure it.

    Args:
        minutes: of traffic after the warm-up, which takes a quarter of that, at most two minutes.
        engine: the endpoint of a real engine.
        proxy: in front of it; its counts are known only when its process has ended.
        seed: of what workers do.
        tasks: workers, half of them on each lane.
        tell: gets every sample as it is taken.
    """
    random = Random(seed)  # noqa: S311 - dice that fall the same way again
    warm_up = min(120.0, 15.0 * minutes)
    report = Report(seed, measure())
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(connect(engine, "direct"))
        await plain.tables.ensure(*MODELS)
        await plain.put_many([Purse(purse_id=str(number), balance=BALANCE) for number in range(PURSES)])
        lanes = [
            await stack.enter_async_context(connect(proxy.endpoint, lane, timeouts=TIMEOUTS, credentials=Role()))
            for lane in LANES
        ]
        workers = [
            Worker(lanes[number % 2], f"w{number}", Random(random.random()), report.tally)  # noqa: S311 - as above
            for number in range(tasks)
        ]
        for worker in workers:
            await worker.prepare(plain)
        await _traffic(report, workers, lanes[0], _marks(warm_up, minutes * 60), tell)
        for worker in workers:
            await worker.finish(plain)
        purses = await plain.transact_get(*[Key(Purse, str(number)) for number in range(PURSES)])
        total = sum(purse.balance for purse in purses if purse is not None)
        report.tally.check(total == PURSES * BALANCE, f"the purses hold {total} in the end")
    for _ in range(10):
        await asyncio.sleep(0)  # transports close in the next turns
    report.after = measure()
    return report


def _marks(warm_up: float, seconds: float) -> list[float]:
    """When to measure: after the warm-up, every minute, and at the end."""
    minutes = [warm_up + 60.0 * number for number in range(1, int(seconds / 60))]
    return [warm_up, *minutes, warm_up + seconds]


async def _traffic(
    report: Report,
    workers: Sequence[Worker],
    db: Database,
    marks: Sequence[float],
    tell: Callable[[Sample], object],
) -> None:
    gate, over = Gate(len(workers)), False
    began = time.monotonic()

    async def work(worker: Worker) -> None:
        while not over:
            await worker.act()
            await gate.passed()

    async with anyio.create_task_group() as group:
        for worker in workers:
            group.start_soon(work, worker)
        for mark in marks:
            await asyncio.sleep(began + mark - time.monotonic())
            await gate.shut()
            opened = db._connection._lane  # pyright: ignore[reportPrivateUsage]  # no caller needs to know
            assert opened is not None
            assert isinstance(opened.lane, DirectLane)
            sample = measure(time.monotonic() - began, report.tally.operations.total(), opened.lane)
            report.samples.append(sample)
            tell(sample)
            over = mark == marks[-1]
            gate.open()


def run_soak(
    minutes: float,
    *,
    seed: int,
    tasks: int = 100,
    share: float = SHARE,
    tell: Callable[[Sample], object] = lambda _: None,
) -> Report:
    """Run a soak with an engine and a proxy of its own. Raises ``RuntimeError`` where the proxy failed."""
    with dynoxide() as engine:
        with proxy_process(engine, seed=seed, share=share) as proxy:
            report = asyncio.run(soak(minutes, engine=engine, proxy=proxy, seed=seed, tasks=tasks, tell=tell))
        report.requests, report.faults = proxy.requests, proxy.faults
    return report


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of traffic after the warm-up")
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--seed", type=int, help="by default a new one")
    options = parser.parse_args()
    seed: int = secrets.randbelow(10**6) if options.seed is None else options.seed
    _print(f"seed {seed}, {options.tasks} tasks on both lanes, {SHARE:.0%} faults")
    report = run_soak(options.minutes, seed=seed, tasks=options.tasks, tell=_print)
    _print(f"before: {report.before}\nafter:  {report.after}")
    for title, counts in (("operations", report.tally.operations), ("errors", report.tally.errors)):
        _print(f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    _print(f"requests {report.requests:,}, of which {report.faults:,} met a fault; memory grew by {report.growth:.1%}")
    for wrong in report.tally.wrong:
        _print(f"wrong: {wrong}")
    for miss in report.misses():
        _print(f"missed: {miss}")
    return 1 if report.misses() else 0


def _print(what: object) -> None:
    print(what, flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    forget_surroundings()
    sys.exit(main())
