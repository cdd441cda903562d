"""Bar charts as SVG: text in, text out, the same for the same report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from report import Report
from roster import BASE, NAMES, OURS
from workloads import ASYNCIO

WIDTH, LABELS, FIGURES = 860, 190, 70
BAR, GAP, HEADING, TOP = 13, 3, 24, 34
STYLE = """\
  text { font: 11px system-ui, sans-serif; fill: #24292f } .title { font-size: 14px; font-weight: 600 }
  .group { font-weight: 600 } .bar { fill: #aab4c0 } .ours { fill: #1f6feb } .mark { stroke: #d0d7de }
  @media (prefers-color-scheme: dark) {
    text { fill: #d1d7e0 } .bar { fill: #57606a } .ours { fill: #4493f8 } .mark { stroke: #3d444d }
  }"""
SHOWN = ("get", "put", "update", "query 100", "scan 1,000", "batch get 100", "batch write 25", "transaction of 10")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: its label, its length in the unit of the chart, and the figure at its end."""

    label: str
    value: float
    figure: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Bars under one heading."""

    heading: str
    bars: Sequence[Bar]


def plots(report: Report) -> dict[str, str]:
    """Every plot by its file's name."""
    return {
        "cpu.svg": chart("CPU time per operation, aiobotocore = 1 (less is better)", _cpu(report)),
        "crowd.svg": chart("1,000 tasks at once: milliseconds a call takes (less is better)", _crowd(report)),
        "start.svg": chart("Milliseconds until ready (less is better)", _start(report)),
    }


def chart(title: str, groups: Sequence[Group]) -> str:
    """Horizontal bars under headings, all on one linear scale."""
    longest = max((bar.value for group in groups for bar in group.bars), default=0) or 1
    scale = (WIDTH - LABELS - FIGURES) / longest
    lines: list[str] = []
    y = TOP
    for group in groups:
        y += HEADING
        lines.append(f'<text class="group" x="8" y="{y - 8}">{escape(group.heading)}</text>')
        for bar in group.bars:
            lines += _bar(bar, y, bar.value * scale)
            y += BAR + GAP
    height = y + GAP
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<text class="title" x="8" y="20">{escape(title)}</text>',
        f'<line class="mark" x1="{LABELS}" y1="{TOP}" x2="{LABELS}" y2="{height}"/>',
    ]
    return "\n".join([*head, *lines, "</svg>"]) + "\n"


def _bar(bar: Bar, y: int, length: float) -> list[str]:
    kind = "ours" if bar.label == OURS else "bar"
    return [
        f'<text x="{LABELS - 8}" y="{y + BAR - 3}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
        f'<text x="{LABELS + length + 5:.1f}" y="{y + BAR - 3}">{escape(bar.figure)}</text>',
    ]


def _cpu(report: Report) -> list[Group]:
    groups: list[Group] = []
    for name in SHOWN:
        timed = report.workload(name, ASYNCIO)
        if timed is not None:
            relative = {BASE: 1.0} | timed.cpu.relative
            groups.append(_group(name, relative.get, lambda ratio: f"{ratio:.2f}"))
    return groups


def _crowd(report: Report) -> list[Group]:
    found = report.crowd
    return [
        _group("median", lambda name: found[name].p50 if name in found else None, _milliseconds),
        _group("90th percentile", lambda name: found[name].p90 if name in found else None, _milliseconds),
        _group("99th percentile", lambda name: found[name].p99 if name in found else None, _milliseconds),
    ]


def _start(report: Report) -> list[Group]:
    cold, imports = report.cold_start.wall.cells, report.imports.wall.cells
    return [
        _group(
            "cold start: process start to the first answer",
            lambda name: cold[name].median if name in cold else None,
            _milliseconds,
        ),
        _group("import", lambda name: imports[name].median if name in imports else None, _milliseconds),
    ]


def _group(heading: str, value: Callable[[str], float | None], show: Callable[[float], str]) -> Group:
    found = [(name, value(name)) for name in NAMES]
    return Group(
        heading=heading,
        bars=[Bar(label=name, value=each, figure=show(each)) for name, each in found if each is not None],
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1_000:,.0f} ms"
