"""The frame of the scoreboard: every figure is a row, and whatever is not met is seen in the exit status."""

from __future__ import annotations

import pytest

from tests.faults import scoreboard
from tests.faults.figure import Context, Result
from tests.faults.scoreboard import LINES, Line, find, main, table, take

CONTEXT = Context(seed=1, quick=True)


def good(context: Context) -> Result:
    return Result(met=True, ours=f"0 with seed {context.seed}", control="7", counts="12 cells", skipped="1: no java")


def bad(_: Context) -> Result:
    return Result(met=False, ours="2", wrong=("the cell x",))


def broken(_: Context) -> Result:
    raise ValueError("the engine did not start")


def line(name: str) -> Line:
    return Line(1, "a figure", "0", f"{__name__}:{name}")


def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *lines: Line) -> tuple[int, str]:
    """What the command prints for some figures, and its exit status."""
    measures = {f"{__name__}:{measure.__name__}": measure for measure in (good, bad, broken)}
    monkeypatch.setattr(scoreboard, "LINES", lines)
    monkeypatch.setattr(scoreboard, "find", measures.get)
    status = main(["--quick", "--seed", "1"])
    return status, capsys.readouterr().out


def test_a_target_that_is_met(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The row has target, ours, the control and the verdict; the notes have counts and what was skipped."""
    status, out = shown(monkeypatch, capsys, line("good"))
    assert status == 0
    row = next(text for text in out.splitlines() if text.startswith("1 "))
    assert row.split() == ["1", "a", "figure", "0", "0", "with", "seed", "1", "7", "met", "0"]
    assert "12 cells" in out
    assert "skipped: 1: no java" in out
    for what in ("seed 1", "Python 3", "botocore", "engines: none", "quick sizes, which prove nothing"):
        assert what in out


@pytest.mark.parametrize(
    ("name", "verdict", "why"),
    [("bad", "MISSED", "the cell x"), ("broken", "failed", "did not start"), ("nowhere", "missing", "there is no")],
)
def test_everything_else_is_a_failure(
    name: str, verdict: str, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missed target, a figure that raised and one that is not there are told as such, beside those that are met."""
    status, out = shown(monkeypatch, capsys, line("good"), line(name))
    assert status == 1
    assert f" {verdict} " in out
    assert why in out
    assert " met " in out


def test_functions_are_found_by_name() -> None:
    """A module or function that is not there is missing; a module that fails to import is an error."""
    assert find("tests.faults.storm:amplification") is not None
    assert find("tests.faults.storm:nowhere") is None
    assert find("tests.nowhere.at_all:nothing") is None
    assert take(line("good"), CONTEXT).verdict in ("met", "missing")  # this module's own name depends on how it is run


def test_all_fifteen_figures_are_asked_for() -> None:
    """None is forgotten, and no function is asked twice."""
    assert {line.number for line in LINES} == set(range(1, 16))
    assert len({line.measure for line in LINES}) == len(LINES)


def test_a_real_figure_in_quick_sizes() -> None:
    """Requests for a call, ours and raw aiobotocore's."""
    row = take(Line(9, "requests for a call", "<= 1.5", "tests.faults.own_figures:retries"), CONTEXT)
    assert row.verdict == "met"
    assert row.result is not None
    assert 1 < float(row.result.ours) <= 1.5
    assert float(row.result.control) >= 1


def test_an_empty_table_has_its_head() -> None:
    """Columns are as wide as what is in them."""
    assert table([]).splitlines()[0].split() == ["#", "figure", "target", "ours", "raw", "aiobotocore", "verdict", "s"]
