"""Nothing is taken away unasked."""

from __future__ import annotations

import io
import sys

import click
import pytest

from dynamorm_async.cli.asking import confirm


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "yes\n"])
def test_a_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The question says what is going to be done, and stands on stderr."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    confirm("delete everything", yes=False)
    assert "This will delete everything. Go on? [y/N]" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_anything_else_is_a_no(
    answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Enter alone is a no, and a no ends with 4."""
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    with pytest.raises(click.exceptions.Exit) as caught:
        confirm("delete everything", yes=False)
    assert caught.value.exit_code == 4
    assert "Refused: nothing was changed." in capsys.readouterr().err


def test_where_nobody_can_be_asked_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Input that is piped in is no answer."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(click.exceptions.Exit) as caught:
        confirm("delete everything", yes=False)
    assert caught.value.exit_code == 4
    assert "Add --yes where that is meant." in capsys.readouterr().err


def test_with_yes_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """``--yes`` is an answer in advance."""
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    confirm("delete everything", yes=True)
    assert capsys.readouterr() == ("", "")
