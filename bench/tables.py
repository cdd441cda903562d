"""The tables that a run prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from report import Cell, Clock, Report, Timed, Timing
from roster import NAMES, OURS

WIDTH = 16
WORDS = {True: "met", False: "missed", None: "not measured"}


def print_report(report: Report) -> None:
    """Print everything that a run has found."""
    machine = report.machine
    print(f"{machine.python}, {machine.cpu}, {machine.cpus} CPUs, {machine.system}, pinned: {machine.pinning}")
    print(", ".join(f"{name} {version}" for name, version in report.versions.items()))
    clocks: tuple[tuple[Clock, str], ...] = (("cpu", "CPU time of the client process"), ("wall", "Wall time"))
    for clock, title in clocks:
        print(f"\n{title}, µs a call (medians of {report.rounds} rounds)")
        _print_times(report, clock)
        print(f"\n{title}: {OURS} divided by each (medians of the ratios within a round)")
        _print_ratios(report, clock)
    _print_crowd(report)
    _print_rest(report)
    print("\nTargets")
    for verdict in report.targets:
        print(f"  {WORDS[verdict.met]:13}{verdict.shown:>9}  {verdict.target}")


def _print_times(report: Report, clock: Clock) -> None:
    names = [name for name in NAMES if any(name in each.cpu.cells for each in report.timed)]
    print(_row("", names))
    for timed in _all_timed(report):
        cells = _timing(timed, clock).cells
        print(_row(_title(timed), [_micros(cells.get(name)) for name in names]))


def _print_ratios(report: Report, clock: Clock) -> None:
    names = [name for name in NAMES if any(name in each.cpu.ours for each in report.timed)]
    print(_row("", names))
    for timed in _all_timed(report):
        ours = _timing(timed, clock).ours
        print(_row(_title(timed), [_ratio(ours.get(name)) for name in names]))


def _all_timed(report: Report) -> list[Timed]:
    return [*report.timed, report.cold_start]


def _timing(timed: Timed, clock: Clock) -> Timing:
    return timed.cpu if clock == "cpu" else timed.wall


def _print_crowd(report: Report) -> None:
    print("\n1,000 tasks at once: ms a call at percentiles, and calls a second")
    print(_row("", ["p50", "p90", "p99", "calls/s"]))
    for name, crowd in report.crowd.items():
        times = [f"{seconds * 1_000:.1f}" for seconds in (crowd.p50, crowd.p90, crowd.p99)]
        print(_row(name, [*times, f"{crowd.throughput:,.0f}"]))


def _print_rest(report: Report) -> None:
    print("\nImport, ms of wall time")
    _print_each((name, f"{each.median * 1_000:.1f}") for name, each in report.imports.wall.cells.items())
    print("\nMemory of a stream, peak kB: 1,000 items and 100,000 items")
    _print_each((name, f"{each.short / 1e3:,.0f}", f"{each.long / 1e3:,.0f}") for name, each in report.memory.items())
    print("\nLongest stall of the loop, ms: full pages one after the other, and ten at once")
    _print_each((name, f"{each.one * 1e3:.1f}", f"{each.ten * 1e3:.1f}") for name, each in report.stalls.items())


def _print_each(rows: Iterable[Sequence[str]]) -> None:
    for name, *cells in rows:
        print(_row(name, cells))


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:24}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)


def _title(timed: Timed) -> str:
    return f"{timed.workload}, {timed.loop}" if timed.loop == "uvloop" else timed.workload


def _micros(cell: Cell | None) -> str:
    return "-" if cell is None else f"{cell.median * 1e6:,.0f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3f}"
