"""``make scoreboard``: the figures of reliability, each beside raw aiobotocore's from the same run, and whether the target is met.

Every figure is a function that takes a :class:`Context` and returns a :class:`Result`: one line in ``LINES``.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import secrets
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest

from tests.faults.figure import Context, Measure, Result
from tests.faults.surroundings import forget_surroundings

LIBRARIES: Final = ("aiobotocore", "botocore", "aiohttp", "anyio", "msgspec", "httptools", "attrs", "cattrs")
ENGINES_FOLDER: Final = Path(__file__).parent.parent.parent / ".engines"


@dataclass(frozen=True, slots=True)
class Line:
    """A figure that is asked for.

    Attributes:
        number: its number; the same for the parts of one.
        title: what is counted.
        target: what it has to be.
        measure: where its function is, as ``module:function``.
    """

    number: int
    title: str
    target: str
    measure: str


LINES: Final = (
    Line(1, "fault matrix: lost, doubled, falsely failed, hung", "0", "tests.faults.matrix_figures:lost_or_doubled"),
    Line(2, "unknown outcomes told as certain", "0", "tests.faults.matrix_figures:certain_unknowns"),
    Line(3, "cancelled at every await: leaks", "0", "tests.faults.lane_figures:cancelled"),
    Line(4, "1,000 calls at a close: foreign cancels, lies", "0", "tests.faults.lane_figures:closed"),
    Line(5, "corrupted answers accepted, untyped errors", "0", "tests.faults.matrix_figures:corrupted"),
    Line(6, "deadline overshoot", "<= 100 ms", "tests.faults.matrix_figures:overshoot"),
    Line(7, "loop stall, 10,000 concurrent calls", "<= 50 ms", "tests.faults.lane_figures:stall"),
    Line(7, "the turn in which 10,000 calls begin", "<= 50 ms", "tests.faults.lane_figures:beginning"),
    Line(8, "sockets over the limit at cold start", "0", "tests.faults.lane_figures:cold_start"),
    Line(9, "requests for a call at 30 % throttle", "<= 1.5", "tests.faults.own_figures:retries"),
    Line(9, "calls that fail after an outage", "0", "tests.faults.own_figures:recovery"),
    Line(10, "generated programs: unexplained differences", "0", "tests.faults.data_figures:differences"),
    Line(11, "histories that no order explains", "0 of >= 1,000", "tests.faults.own_figures:histories"),
    Line(12, "values lost on a round trip", "0", "tests.faults.data_figures:round_trips"),
    Line(13, "planted secrets found", "0", "tests.faults.data_figures:canaries"),
    Line(14, "bytes to foreign origins", "0", "tests.faults.matrix_figures:foreign"),
    Line(14, "changed or foreign cursors accepted", "0", "tests.faults.data_figures:cursors"),
    Line(15, "soak: memory; descriptors, tasks, losses", "<= +5 %; 0", "tests.faults.own_figures:soaking"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with what became of it.

    Attributes:
        line: which one.
        verdict: ``met``, ``MISSED``, ``failed`` where measuring it raised, ``missing`` where there is no such function.
        result: where there is one.
        seconds: that it took.
        trouble: why there is no result.
    """

    line: Line
    verdict: str
    result: Result | None = None
    seconds: float = 0.0
    trouble: str = ""


def find(place: str) -> Measure | None:
    """The function at ``module:function``; ``None`` where there is none."""
    module, _, name = place.partition(":")
    try:
        measure: Measure | None = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise  # a module that is there needs one that is not
        return None
    return measure


def take(line: Line, context: Context) -> Row:
    """Measure one figure; what it raises is told in its row."""
    began = time.monotonic()
    try:
        measure = find(line.measure)
        if measure is None:
            return Row(line, "missing", trouble=f"there is no {line.measure}")
        result = measure(context)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - the others are measured; a missing engine fails as in a test
        return Row(line, "failed", seconds=time.monotonic() - began, trouble=traceback.format_exc())
    return Row(line, "met" if result.met else "MISSED", result, time.monotonic() - began)


def table(rows: Sequence[Row]) -> str:
    """All rows as text in columns; below it what needs more words."""
    head = ("#", "figure", "target", "ours", "raw aiobotocore", "verdict", "s")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*lines, "", *(note for row in rows for note in _notes(row))])


def _cells(row: Row) -> tuple[str, ...]:
    result = row.result
    ours, control = ("", "") if result is None else (result.ours, result.control or "no equal")
    return (str(row.line.number), row.line.title, row.line.target, ours, control, row.verdict, f"{row.seconds:.0f}")


def _notes(row: Row) -> list[str]:
    label = f"{row.line.number}, {row.line.title}: "
    if row.result is None:
        return [label + row.trouble]
    result = row.result
    notes = [label + result.counts] if result.counts else []
    notes.append(f"{label}skipped: {result.skipped or 'nothing'}")
    return [*notes, *(f"{label}WRONG: {wrong}" for wrong in result.wrong)]


def heading(context: Context) -> str:
    """What the figures were measured with."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sizes = "quick sizes, which prove nothing" if context.quick else "full sizes"
    return (
        f"dynamorm-async {version('dynamorm-async')}, seed {context.seed}, {sizes}\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}; {libraries}"
    )


def engines(context: Context) -> str:
    """The engines that were asked, with their versions."""
    return "engines: " + (", ".join(_engine(name) for name in context.engines) or "none")


def _engine(name: str) -> str:
    stamp = ENGINES_FOLDER / name / "package" / "package.json"
    found = stamp.read_text().partition('"version":')[2].split('"')[1:2] if stamp.is_file() else []
    return f"{name} (package {found[0] if found else 'of unknown version'})"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where a target is missed, or a figure is not there or failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.scoreboard", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: a test of the scoreboard, not of the library"
    )
    parser.add_argument("--seed", type=int, help="by default a new one")
    parser.add_argument("--only", type=int, action="append", help="the number of a figure; may be given again")
    options = parser.parse_args(arguments)
    seed: int = secrets.randbelow(10**6) if options.seed is None else options.seed
    context = Context(seed=seed, quick=options.quick)
    _print(heading(context))
    rows: list[Row] = []
    try:
        for line in LINES:
            if options.only is None or line.number in options.only:
                rows.append(take(line, context))
                _print(f"  {line.number:>2} {line.title}: {rows[-1].verdict}")
        _print(engines(context))
    finally:
        context.close()
    _print(f"\n{table(rows)}")
    return 0 if all(row.verdict == "met" for row in rows) else 1


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's output


if __name__ == "__main__":
    forget_surroundings()
    sys.exit(main())
