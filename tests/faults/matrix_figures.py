"""The figures of the fault matrix and of deadlines for the scoreboard."""

from __future__ import annotations

from tests.faults.control import control_cells, run_control
from tests.faults.deadlines import BOUND, control_overshoots, overshoots
from tests.faults.figure import ENGINES, Context, Result
from tests.faults.matrix import Figures
from tests.faults.whole import run_whole

OVERSHOOT = 0.1  # seconds at most
_STEP = 400  # of cells in quick sizes
_SHOWN = 3


def lost_or_doubled(context: Context) -> Result:
    """Figure 1; the rest of what can be wrong with a cell, besides figures 2, 5 and 14, is counted here, too."""
    return _of_matrix(
        context,
        ("lost", "doubled", "false_failures", "hung", "late", "leaks", "unexpected", "requests", "unplayed"),
        control=("lost", "doubled", "false_failures", "hung"),
    )


def certain_unknowns(context: Context) -> Result:
    """Figure 2."""
    return _of_matrix(context, ("certain_unknowns",))


def corrupted(context: Context) -> Result:
    """Figure 5."""
    return _of_matrix(context, ("corrupted", "untyped"), control=("corrupted",))


def foreign(context: Context) -> Result:
    """Figure 14, the redirects."""
    return _of_matrix(context, ("foreign",))


def overshoot(context: Context) -> Result:
    """Figure 6."""
    ours = context.once("overshoots", overshoots)
    raw = context.once("control overshoots", control_overshoots)
    worst, most = max(ours.items(), key=lambda each: each[1]), max(raw.values())
    return Result(
        met=worst[1] <= OVERSHOOT,
        ours=f"{worst[1] * 1000:.0f} ms",
        control=f"{most:.1f} s" + (" and more" if most >= BOUND else ""),
        counts=f"{len(ours)} scenarios, the worst is {worst[0]}; raw {len(raw)}",
    )


def _of_matrix(context: Context, flaws: tuple[str, ...], *, control: tuple[str, ...] | None = None) -> Result:
    ours = context.once("matrix", lambda: _matrix(context))
    raw = context.once("control of the matrix", lambda: _control(context))
    number = sum(ours.counts[flaw] for flaw in flaws)
    named = ", ".join(f"{flaw} {ours.counts[flaw]}" for flaw in flaws)
    asked = control or flaws
    return Result(
        met=not number,
        ours=f"{number} of {ours.cells:,} cells",
        control=f"{sum(raw.counts[flaw] for flaw in asked)} of {raw.cells:,} cells",
        counts=f"{named}; raw: " + ", ".join(f"{flaw} {raw.counts[flaw]}" for flaw in asked),
        wrong=tuple(text for text in ours.offending if any(flaw in text for flaw in flaws))[:_SHOWN],
    )


def _matrix(context: Context) -> Figures:
    endpoints = {name: context.engine(name) for name in ENGINES}
    return run_whole(endpoints, step=context.size(1, _STEP), seed=context.seed)


def _control(context: Context) -> Figures:
    cells = list(control_cells())
    return run_control(cells[:: context.size(1, 40)], context.engine("dynoxide"), seed=context.seed)
