"""The tables that a run prints, and the pyperf file that keeps every round."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rounds import Sample

# pyperf has no types; what is taken from a module object is Any.
pyperf = import_module("pyperf")


@dataclass(frozen=True, kw_only=True)
class Target:
    """The largest ratio to a contestant that is still good enough, in CPU time or in wall time."""

    workload: str
    against: str
    ratio: float
    clock: str = "cpu"


TARGETS = (
    Target(workload="get 1", against="sdk", ratio=0.15),
    Target(workload="get 1", against="floor", ratio=1.6),
    Target(workload="query 100", against="sdk", ratio=0.08),
    Target(workload="scan 1,000", against="sdk", ratio=0.06),
    Target(workload="cold start", against="sdk", ratio=0.4, clock="wall"),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The samples of one workload, by contestant; those of one index belong to the same round."""

    workload: str
    samples: dict[str, list[Sample]]

    def seconds(self, contestant: str, clock: str) -> list[float]:
        """A contestant's seconds a call, round by round; empty where it did not take part."""
        return [getattr(sample, clock) for sample in self.samples.get(contestant, ())]

    def ratio(self, contestant: str, against: str, clock: str) -> float | None:
        """The median, over the rounds, of the ratio within a round; ``None`` where one did not take part."""
        pairs = zip(self.seconds(contestant, clock), self.seconds(against, clock), strict=False)
        ratios = [one / other for one, other in pairs]
        return statistics.median(ratios) if ratios else None


def print_tables(results: Sequence[Result]) -> None:
    """Print CPU time, wall time, and the targets."""
    for clock, title in (("cpu", "CPU time of the client process"), ("wall", "Wall time")):
        print(f"\n{title}, µs a call (median of rounds ± median deviation)")
        print(f"{'':12}{'aiobotocore':>22}{'floor':>18}{'dynamorm':>20}{'/ aiobotocore':>15}{'/ floor':>9}")
        for result in results:
            print(_row(result, clock))
    print("\nTargets")
    for target in TARGETS:
        print(_verdict(target, results))


def save(results: Iterable[Result], path: Path) -> None:
    """Keep every round's value in pyperf's format, one benchmark for each workload, contestant and clock."""
    benchmarks = [
        _benchmark(f"{result.workload}, {contestant}, {clock}", result.seconds(contestant, clock), samples[0].calls)
        for result in results
        for contestant, samples in result.samples.items()
        for clock in ("cpu", "wall")
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)


def _benchmark(name: str, seconds: list[float], calls: int) -> Any:  # a pyperf.Benchmark
    return pyperf.Benchmark([pyperf.Run(seconds, metadata={"name": name, "unit": "second", "loops": calls})])


def _row(result: Result, clock: str) -> str:
    sdk, floor, ours = (_cell(result.seconds(name, clock)) for name in ("sdk", "floor", "dynamorm"))
    to_sdk, to_floor = (result.ratio("dynamorm", other, clock) for other in ("sdk", "floor"))
    return f"{result.workload:12}{sdk:>22}{floor:>18}{ours:>20}{_times(to_sdk):>15}{_times(to_floor):>9}"


def _cell(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    middle = statistics.median(seconds)
    spread = statistics.median(abs(each - middle) for each in seconds)
    return f"{middle * 1e6:,.0f} ± {spread * 1e6:,.0f}"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3f}"


def _verdict(target: Target, results: Sequence[Result]) -> str:
    ratio = next(
        (each.ratio("dynamorm", target.against, target.clock) for each in results if each.workload == target.workload),
        None,
    )
    name = {"sdk": "aiobotocore", "floor": "the floor"}[target.against]
    clock = {"cpu": "CPU", "wall": "wall time"}[target.clock]
    verdict = "not measured" if ratio is None else "ok" if ratio <= target.ratio else "missed"
    limit = f"<= {target.ratio:.2f} x {name}'s {clock}"
    return f"  {target.workload:12}{limit:36}{_times(ratio):>6}  {verdict}"
