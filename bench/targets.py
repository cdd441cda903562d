"""What is wanted of the library: data, and the verdict on a report. A missed target is shown as missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from report import Report, Timed, Verdict
from roster import BASE, OURS
from workloads import ASYNCIO

IMPORTS_ALONE = "its imports alone"
"""What ``import dynamorm_async`` is compared with: :data:`cold_start.IMPORTS`."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One figure that is wanted.

    Attributes:
        kind: which figure: a key of ``KINDS``.
        of: the workload, where the kind has several.
        against: the contestant compared with; empty where the figure stands alone.
        limit: the largest that is good enough, or with ``at_least`` the smallest.
    """

    kind: str
    of: str = ""
    against: str = ""
    limit: float
    at_least: bool = False


def _all_of(of: str, limits: Mapping[str, float]) -> tuple[Target, ...]:
    return tuple(Target(kind="cpu", of=of, against=name, limit=limit) for name, limit in limits.items())


_CALL = {BASE: 0.12, "aiodynamo": 0.40, "pydynox": 0.35, "floor": 1.4}
TARGETS = (
    *_all_of("get", _CALL),
    *_all_of("put", _CALL),
    *_all_of("query 100", {BASE: 0.05, "aiodynamo": 0.25, "pydynox": 0.12}),
    *_all_of("scan 1,000", {BASE: 0.045, "aiodynamo": 0.25, "pydynox": 0.13, "floor + msgspec": 1.4}),
    Target(kind="throughput", against=BASE, limit=6, at_least=True),
    Target(kind="p99", against=BASE, limit=1),
    Target(kind="cold start", against=BASE, limit=0.35),
    Target(kind="import", against=IMPORTS_ALONE, limit=1.6),
    Target(kind="memory", limit=10e6),
    Target(kind="stall", limit=5e-3),
    Target(kind="stall of ten", limit=5e-3),
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a figure is found in a report, worded with ``{of}``, ``{against}``, ``{limit}``, and shown."""

    find: Callable[[Report, Target], float | None]
    wording: str
    show: Callable[[float], str]


def _times(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 1 else f"{ratio:.2f}"


def _cpu(report: Report, target: Target) -> float | None:
    timed = report.workload(target.of, ASYNCIO)
    return None if timed is None else timed.cpu.ours.get(target.against)


def _wall(timed: Timed, target: Target) -> float | None:
    return timed.wall.ours.get(target.against)


def _throughput(report: Report, target: Target) -> float | None:
    other = report.crowd.get(target.against)
    return None if other is None else other.throughput_of_ours


def _p99(report: Report, target: Target) -> float | None:
    other = report.crowd.get(target.against)
    return None if other is None else other.our_p99_to_p50


def _memory(report: Report, _target: Target) -> float | None:
    peaks = report.memory.get(OURS)
    return None if peaks is None else float(peaks.long - peaks.short)


def _stall(report: Report, target: Target) -> float | None:
    stall = report.stalls.get(OURS)
    if stall is None:
        return None
    return stall.ten if target.kind == "stall of ten" else stall.one


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms"


KINDS = {
    "cpu": Kind(find=_cpu, wording="{of}: CPU <= {limit} x {against}", show=_times),
    "throughput": Kind(
        find=_throughput, wording="1,000 tasks: throughput >= {limit} x {against}", show=lambda ratio: f"{ratio:.1f}"
    ),
    "p99": Kind(find=_p99, wording="1,000 tasks: 99th percentile <= {limit} x the median of {against}", show=_times),
    "cold start": Kind(
        find=lambda report, target: _wall(report.cold_start, target),
        wording="cold start: wall time <= {limit} x {against}",
        show=_times,
    ),
    "import": Kind(
        find=lambda report, target: _wall(report.imports, target),
        wording="import: wall time <= {limit} x {against}",
        show=_times,
    ),
    "memory": Kind(
        find=_memory,
        wording="memory: a stream of 100,000 items peaks at most {limit} above one of 1,000",
        show=lambda count: f"{count / 1e6:.2f} MB",
    ),
    "stall": Kind(find=_stall, wording="loop stall <= {limit}: full pages one after the other", show=_milliseconds),
    "stall of ten": Kind(find=_stall, wording="loop stall <= {limit}: full pages in ten tasks", show=_milliseconds),
}


def verdicts(report: Report) -> list[Verdict]:
    """Every target, with what the report says of it."""
    return [_verdict(target, report) for target in TARGETS]


def _verdict(target: Target, report: Report) -> Verdict:
    kind = KINDS[target.kind]
    measured = kind.find(report, target)
    limit = f"{target.limit:g}" if target.against else kind.show(target.limit)
    return Verdict(
        target=kind.wording.format(of=target.of, against=target.against, limit=limit),
        measured=measured,
        shown="-" if measured is None else kind.show(measured),
        met=None if measured is None else (measured >= target.limit if target.at_least else measured <= target.limit),
    )
