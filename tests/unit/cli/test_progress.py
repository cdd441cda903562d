"""How far long work is."""

from __future__ import annotations

import sys

import pytest

from dynamorm_async.cli.progress import Progress


def test_lines_are_few_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A line every five seconds, none twice, and none of work that is done before."""
    now = 0.0
    with Progress("work", clock=lambda: now) as progress:
        for now, text in ((1.0, "a"), (5.0, "b"), (6.0, "c"), (9.9, "d"), (10.0, "e"), (15.0, "e"), (16.0, "f")):  # noqa: B007 - the clock reads it
            progress.show(text)
    assert capsys.readouterr().err.splitlines() == ["b", "e"]


def test_events_are_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    """What is an event of its own is printed at once."""
    with Progress("work", clock=lambda: 0.0) as progress:
        progress.show("begun", always=True)
        progress.show("waiting")
        progress.show("done", always=True)
    assert capsys.readouterr().err.splitlines() == ["begun", "done"]


def test_work_that_fails_says_how_far_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line that was not due is printed after all."""

    def work() -> None:
        with Progress("work", clock=lambda: 0.0) as progress:
            progress.show("line 7")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert capsys.readouterr().err.splitlines() == ["line 7"]


def test_a_terminal_has_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is a bar on stderr, events stay above it, and stdout is left alone."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    with Progress("export [x]") as progress:
        progress.show("3 items", fraction=0.5)
        progress.show("a step is done [y]", always=True)
    seen = capsys.readouterr()
    assert "a step is done [y]" in seen.err
    assert seen.out == ""
