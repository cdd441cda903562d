"""The tables of the pages, in Markdown, from a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from report import Cell, Clock, Report, Timed
from roster import BASE, NAMES, OURS, ROSTER
from targets import IMPORTS_ALONE
from workloads import ASYNCIO, UVLOOP, WORKLOADS

ABSENT = "-"
README_ROWS = ("get", "put", "query 100", "scan 1,000")
README_NAMES = (BASE, "aiodynamo", "pydynox", "PynamoDB", "floor", OURS)
RIVALS = (BASE, "aiodynamo", "pydynox", "floor", "floor + msgspec")


def sections(report: Report) -> dict[str, str]:
    """Every part of ``docs/performance.md`` that is measured or listed, by its name in the template."""
    machine = report.machine
    return {
        "machine": f"{machine.cpu}, {machine.cpus} CPUs, {machine.system}, {machine.python}, on {report.date}",
        "versions": ", ".join(f"{name} {version}" for name, version in report.versions.items()),
        "rounds": str(report.rounds),
        "seconds": f"{report.seconds:g}",
        "targets": _targets(report),
        "cpu": _times(report, "cpu", ASYNCIO),
        "cpu_ratios": _ratios(report, "cpu", ASYNCIO),
        "wall": _times(report, "wall", ASYNCIO),
        "uvloop": _times(report, "cpu", UVLOOP),
        "uvloop_ratios": _ratios(report, "cpu", UVLOOP),
        "crowd": _crowd(report),
        "start": _start(report),
        "memory": _memory(report),
        "stalls": _stalls(report),
        "contestants": "\n".join(f"- **{entry.name}**: {entry.note}" for entry in ROSTER),
        "workloads": "\n".join(f"- **{workload.name}**: {workload.note}." for workload in WORKLOADS),
    }


def readme(report: Report) -> str:
    """What stands between the two marker comments of ``README.md``."""
    machine = report.machine
    timed = [each for name in README_ROWS if (each := report.workload(name, ASYNCIO)) is not None]
    rows = [[each.workload, *_cells(each, "cpu", README_NAMES), _ratio(each.cpu.ours.get(BASE))] for each in timed]
    cold = report.cold_start
    rows.append(["cold start, wall", *_cells(cold, "wall", README_NAMES), _ratio(cold.wall.ours.get(BASE))])
    return (
        f"CPU time of the client process for one call, in one run against a canned local server ({machine.cpu}, "
        f"{machine.cpus} CPUs, {machine.python}, asyncio's own loop, {report.date}).\n\n"
        + table(["", *README_NAMES, f"{OURS} ÷ {BASE}"], rows)
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and figures to the right."""
    lines = [heads, ["---", *("--:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(seconds: float) -> str:
    """A time with three digits, in the unit that suits it."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{_three(seconds * factor)} {unit}"
    return f"{_three(seconds * 1e6)} µs"


def _three(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _targets(report: Report) -> str:
    words = {True: "met", False: "**missed**", None: "not measured"}
    return table(["target", "measured", ""], [[each.target, each.shown, words[each.met]] for each in report.targets])


def _times(report: Report, clock: Clock, loop: str) -> str:
    timed = [each for each in report.timed if each.loop == loop]
    names = [name for name in NAMES if any(name in each.cpu.cells for each in timed)]
    return table(["", *names], [[each.workload, *_cells(each, clock, names)] for each in timed])


def _ratios(report: Report, clock: Clock, loop: str) -> str:
    timed = [each for each in report.timed if each.loop == loop]
    names = [name for name in NAMES if any(name in _ours(each, clock) for each in timed)]
    rows = [[each.workload, *(_ratio(_ours(each, clock).get(name)) for name in names)] for each in timed]
    return table(["", *(f"÷ {name}" for name in names)], rows)


def _ours(timed: Timed, clock: Clock) -> dict[str, float]:
    return timed.cpu.ours if clock == "cpu" else timed.wall.ours


def _cells(timed: Timed, clock: Clock, names: Iterable[str]) -> list[str]:
    cells = (timed.cpu if clock == "cpu" else timed.wall).cells
    return [_cell(cells.get(name)) for name in names]


def _cell(cell: Cell | None) -> str:
    return ABSENT if cell is None else duration(cell.median)


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return ABSENT
    return f"{ratio:.3f}" if ratio < 0.0995 else f"{ratio:.2f}"


def _crowd(report: Report) -> str:
    rows = [
        [
            name,
            *(duration(each) for each in (crowd.p50, crowd.p90, crowd.p99)),
            f"{crowd.throughput:,.0f}",
            ABSENT if name == OURS else _ratio(crowd.throughput_of_ours),
        ]
        for name, crowd in report.crowd.items()
    ]
    return table(["", "p50", "p90", "p99", "calls a second", f"{OURS} ÷ it"], rows)


def _start(report: Report) -> str:
    names = [name for name in (*NAMES, IMPORTS_ALONE) if name in report.imports.wall.cells or _is_cold(report, name)]
    columns: list[Callable[[str], str]] = [
        lambda name: _cell(report.imports.wall.cells.get(name)),
        lambda name: _ratio(report.imports.wall.ours.get(name)),
        lambda name: _cell(report.cold_start.wall.cells.get(name)),
        lambda name: _cell(report.cold_start.cpu.cells.get(name)),
        lambda name: _ratio(report.cold_start.wall.ours.get(name)),
    ]
    heads = ["", "import", f"{OURS} ÷ it", "cold start", "its CPU time", f"{OURS} ÷ it"]
    return table(heads, [[name, *(column(name) for column in columns)] for name in names])


def _is_cold(report: Report, name: str) -> bool:
    return name in report.cold_start.wall.cells


def _memory(report: Report) -> str:
    rows = [
        [name, *(f"{count / 1e6:.2f} MB" for count in (peaks.short, peaks.long, peaks.long - peaks.short))]
        for name, peaks in report.memory.items()
    ]
    return table(["", "1,000 items", "100,000 items", "more"], rows)


def _stalls(report: Report) -> str:
    rows = [
        [name, *map(_if_measured, (each.one, each.ten, each.one_collected, each.ten_collected, each.freed))]
        for name, each in report.stalls.items()
    ]
    titles = ["", "one after the other", "ten at once", "one, with the collector", "ten, with it", "freeing one page"]
    return table(titles, rows)


def _if_measured(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
