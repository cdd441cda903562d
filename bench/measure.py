"""One run: the contestants are opened and checked, and everything is measured, one thing after the other."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from checks import check
from cold_start import IMPORTS, cold_starts, import_times
from contestant import Contestant
from crowds import crowds
from peers import floor
from report import Crowd, Peaks, Result, Stall
from roster import OURS, Entry
from rounds import Sample, compete
from stalls import stalls
from streams import CONTESTANTS as STREAMING
from streams import streams
from targets import IMPORTS_ALONE
from workloads import ASYNCIO, BOTH, UVLOOP, workloads


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much is measured.

    Attributes:
        rounds: turns of each contestant at each workload.
        seconds: about how long a turn takes.
        fresh: fresh processes of each contestant, for the cold start and the import.
        crowds: rounds of 1,000 tasks.
        calls: calls of each of the tasks.
        stalls: repetitions of the stall measurement.
        streaming: whose memory is measured.
        loops: the event loops.
    """

    rounds: int
    seconds: float
    fresh: int
    crowds: int
    calls: int
    stalls: int
    streaming: tuple[str, ...]
    loops: tuple[str, ...]


EVERYTHING = Amount(rounds=9, seconds=0.2, fresh=9, crowds=3, calls=3, stalls=2, streaming=STREAMING, loops=BOTH)
QUICK = Amount(rounds=3, seconds=0.04, fresh=2, crowds=1, calls=2, stalls=1, streaming=(OURS,), loops=(ASYNCIO,))
LONG_STREAM = 100_000
WIDE = 1_000
"""Calls at once, from which on a workload has half the rounds."""


@dataclass(kw_only=True)
class Findings:
    """What was measured."""

    timed: list[Result] = field(default_factory=list[Result])
    crowd: dict[str, Crowd] = field(default_factory=dict[str, Crowd])
    memory: dict[str, Peaks] = field(default_factory=dict[str, Peaks])
    stalls: dict[str, Stall] = field(default_factory=dict[str, Stall])
    cold_start: Result
    imports: Result


@asynccontextmanager
async def open_all(entries: Sequence[Entry], port: int) -> AsyncGenerator[dict[str, Contestant]]:
    """The contestants by name, each checked."""
    async with AsyncExitStack() as stack:
        witness = await stack.enter_async_context(floor.open_contestant(port))
        opened: dict[str, Contestant] = {}
        for entry in entries:
            opened[entry.name] = await stack.enter_async_context(entry.open(port))
            await check(entry.name, opened[entry.name], witness)
        yield opened


async def check_all(entries: Sequence[Entry], port: int) -> None:
    """Only the check.

    Raises:
        ValueError: a contestant reads or writes something else than the items.
    """
    async with open_all(entries, port) as contestants:
        for name in contestants:
            print(f"checked: {name}")


def measure(entries: Sequence[Entry], port: int, amount: Amount) -> Findings:
    """Measure everything, first what needs processes of its own.

    Args:
        entries: who takes part.
        port: the canned server's.
        amount: how much.
    """
    findings = Findings(cold_start=_cold_start(entries, port, amount), imports=_imports(entries, port, amount))
    asyncio.run(_on_asyncio(entries, port, amount, findings))
    if UVLOOP in amount.loops and find_spec("uvloop") is not None:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_on_uvloop(entries, port, amount, findings))
    return findings


async def _on_asyncio(entries: Sequence[Entry], port: int, amount: Amount, findings: Findings) -> None:
    async with open_all(entries, port) as contestants:
        findings.timed += await _timed(ASYNCIO, contestants, amount)
        _say("crowds")
        findings.crowd = await crowds(contestants, rounds=amount.crowds, calls=amount.calls)
        _say("stalls")
        findings.stalls = await stalls(contestants, rounds=amount.stalls)
        _say("streams")
        findings.memory = await streams(contestants, amount.streaming, long=LONG_STREAM)


async def _on_uvloop(entries: Sequence[Entry], port: int, amount: Amount, findings: Findings) -> None:
    async with open_all(entries, port) as contestants:
        findings.timed += await _timed(UVLOOP, contestants, amount)


async def _timed(loop: str, contestants: Mapping[str, Contestant], amount: Amount) -> list[Result]:
    results: list[Result] = []
    for workload in workloads(loop):
        _say(f"{workload.name} on {loop}")
        # A turn of a crowd is never shorter than all its calls, which take the slow ones seconds.
        rounds = amount.rounds if workload.width < WIDE else max(3, amount.rounds // 2)
        samples = await compete(contestants, workload, rounds=rounds, seconds=amount.seconds)
        results.append(Result(loop=loop, workload=workload.name, samples=samples))
    return results


def _cold_start(entries: Sequence[Entry], port: int, amount: Amount) -> Result:
    _say("cold starts")
    names = [entry.name for entry in entries if entry.answers_get]
    return _fresh("cold start", cold_starts(names, port=port, rounds=amount.fresh))


def _imports(entries: Sequence[Entry], port: int, amount: Amount) -> Result:
    _say("imports")
    statements = {entry.name: entry.imports for entry in entries if entry.imports} | {IMPORTS_ALONE: IMPORTS}
    return _fresh("import", import_times(statements, port=port, rounds=amount.fresh))


def _fresh(name: str, times: Mapping[str, list[tuple[float, float]]]) -> Result:
    samples = {contestant: [Sample(cpu, wall) for cpu, wall in pairs] for contestant, pairs in times.items()}
    return Result(loop="", workload=name, samples=samples)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} measuring: {what}", file=sys.stderr, flush=True)
