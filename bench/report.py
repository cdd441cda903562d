"""What a run has found, as it is kept in ``report.json``: everything that the pages show is made from this."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from roster import BASE, OURS
from rounds import Sample

Clock: TypeAlias = Literal["cpu", "wall"]
CLOCKS: tuple[Clock, ...] = ("cpu", "wall")
RESULTS = Path(__file__).parent / "results"
REPORT = RESULTS / "report.json"
EVERY_ROUND = RESULTS / "latest.json"


class Cell(msgspec.Struct, frozen=True):
    """The median over the rounds, and the median deviation from it, in seconds a call."""

    median: float
    deviation: float


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One workload under one clock, by contestant.

    Attributes:
        cells: times.
        ours: dynamorm-async's time divided by the contestant's: the median of the ratios within each round.
        relative: the contestant's time divided by aiobotocore's, likewise.
    """

    cells: dict[str, Cell]
    ours: dict[str, float]
    relative: dict[str, float]


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """One workload on one event loop."""

    loop: str
    workload: str
    cpu: Timing
    wall: Timing


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """Many tasks at once: seconds a call at three percentiles, and calls a second; medians over the rounds.

    Attributes:
        throughput_of_ours: dynamorm-async's throughput divided by this contestant's, within each round.
        our_p99_to_p50: dynamorm-async's 99th percentile divided by this contestant's median, within each round.
    """

    p50: float
    p90: float
    p99: float
    throughput: float
    throughput_of_ours: float | None
    our_p99_to_p50: float | None


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """The most bytes that Python held at once during a stream, by tracemalloc."""

    short: int
    long: int


class Stall(msgspec.Struct, frozen=True, kw_only=True):
    """The longest gap of a 1 ms beat, in seconds, beside that millisecond; medians over the rounds.

    Attributes:
        one: while full pages are read one after the other, less what the garbage collector took of it.
        ten: the same while ten tasks read one each.
        one_collected: what ``one`` is with the collector; ``None`` in reports of before it was told apart, as the others.
        ten_collected: what ``ten`` is with it.
        freed: how long it takes to let go of one page.
    """

    one: float
    ten: float
    one_collected: float | None = None
    ten_collected: float | None = None
    freed: float | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A target and what was measured; ``None`` where it was not."""

    target: str
    measured: float | None
    shown: str
    met: bool | None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run was made."""

    cpu: str
    cpus: int
    system: str
    python: str
    pinning: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run has found."""

    date: str
    machine: Machine
    versions: dict[str, str]
    rounds: int
    seconds: float
    timed: list[Timed]
    cold_start: Timed
    imports: Timed
    crowd: dict[str, Crowd]
    memory: dict[str, Peaks]
    stalls: dict[str, Stall]
    targets: list[Verdict]

    def workload(self, name: str, loop: str) -> Timed | None:
        """The workload of that name on that loop, if it was measured."""
        return next((each for each in self.timed if (each.workload, each.loop) == (name, loop)), None)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one workload, by contestant; those of one index belong to the same round."""

    loop: str
    workload: str
    samples: dict[str, list[Sample]]

    def seconds(self, contestant: str, clock: Clock) -> list[float]:
        """A contestant's seconds a call, round by round; empty where it did not take part."""
        return [sample.cpu if clock == "cpu" else sample.wall for sample in self.samples.get(contestant, ())]

    def ratio(self, contestant: str, against: str, clock: Clock) -> float | None:
        """The median of the ratios within each round; ``None`` where one did not take part."""
        return median_ratio(self.seconds(contestant, clock), self.seconds(against, clock))

    def timed(self) -> Timed:
        """What is kept of it in the report."""
        return Timed(loop=self.loop, workload=self.workload, cpu=self._timing("cpu"), wall=self._timing("wall"))

    def _timing(self, clock: Clock) -> Timing:
        return Timing(
            cells={name: cell(self.seconds(name, clock)) for name in self.samples},
            ours=_present({name: self.ratio(OURS, name, clock) for name in self.samples if name != OURS}),
            relative=_present({name: self.ratio(name, BASE, clock) for name in self.samples if name != BASE}),
        )


def cell(seconds: Sequence[float]) -> Cell:
    """The median and its deviation."""
    middle = statistics.median(seconds)
    return Cell(middle, statistics.median(abs(each - middle) for each in seconds))


def median_ratio(ones: Sequence[float], others: Sequence[float]) -> float | None:
    """The median of the ratios within each round, which moves far less than the times do."""
    ratios = [one / other for one, other in zip(ones, others, strict=False)]
    return statistics.median(ratios) if ratios else None


def load(path: Path = REPORT) -> Report:
    """The stored report."""
    return msgspec.json.decode(path.read_bytes(), type=Report)


def store(report: Report, path: Path = REPORT) -> None:
    """Keep the report, readable line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


def store_rounds(results: Iterable[Result], path: Path = EVERY_ROUND) -> None:
    """Keep every round's value in pyperf's format, one benchmark for each loop, workload, contestant and clock."""
    pyperf = import_module("pyperf")  # has no types; what is taken from a module object is Any
    path.parent.mkdir(parents=True, exist_ok=True)
    benchmarks = [benchmark for result in results for benchmark in _benchmarks(pyperf, result)]
    pyperf.BenchmarkSuite(benchmarks).dump(str(path), replace=True)


def _benchmarks(pyperf: Any, result: Result) -> Iterable[Any]:  # pyperf has no types
    for contestant, samples in result.samples.items():
        for clock in CLOCKS:
            name = ", ".join(filter(None, (result.loop, result.workload, contestant, clock)))
            metadata = {"name": name, "unit": "second", "loops": samples[0].calls}
            yield pyperf.Benchmark([pyperf.Run(result.seconds(contestant, clock), metadata=metadata)])


def _present(ratios: Mapping[str, float | None]) -> dict[str, float]:
    return {name: ratio for name, ratio in ratios.items() if ratio is not None}
