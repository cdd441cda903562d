"""The entry point, and what becomes of errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click
import click.testing
import pytest

from dynamorm_async import DynamormError, MigrationRefused, PlanRefused, UsageError, cli
from dynamorm_async.cli.command import EXIT_CODES, Command
from dynamorm_async.cli.failures import clear_failure, exit_code

ROOT = Path(__file__).parents[3]


def test_without_the_extra_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who installed the library alone is told what to install."""

    def found(name: str) -> object:
        return None if name == "rich" else find_spec(name)

    monkeypatch.setattr(cli, "find_spec", found)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == "dynamorm needs rich: pip install 'dynamorm-async[cli]'"


def test_the_module_is_the_command() -> None:
    """``python -m dynamorm_async`` and the installed script are one function, and bring no warning."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"dynamorm": "dynamorm_async.cli:main"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "dynamorm_async", "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: dynamorm [OPTIONS] COMMAND")
    for code, meaning in EXIT_CODES:
        assert re.search(rf"^ +{code} +{re.escape(meaning)}$", done.stdout, re.MULTILINE)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (UsageError("wrong"), "wrong", 1),
        (PlanRefused(["table a: no"]), "the plan cannot be applied, and nothing was changed:\n  table a: no", 4),
        (MigrationRefused(["0001: no"]), "no migration was run:\n  0001: no", 4),
        (FileNotFoundError(2, "No such file or directory", "a.jsonl"), "No such file or directory: a.jsonl", 1),
        (ExceptionGroup("many", [UsageError("wrong")]), "wrong", 1),
    ],
)
def test_our_errors_are_a_line(error: Exception, said: str, code: int) -> None:
    """What the library raises, and what the system refuses, is told in words; refusals have their own exit code."""
    assert clear_failure(error) == said
    assert exit_code(error) == code


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), BrokenPipeError(), ExceptionGroup("two", [UsageError("a"), UsageError("b")])]
)
def test_other_errors_are_not_hidden(error: Exception) -> None:
    """A bug, ours or of the user's function, keeps its traceback; a closed pipe is click's business."""
    assert clear_failure(error) is None


def failing(error: BaseException) -> Command:
    def fail() -> None:
        raise error

    return Command("fail", callback=fail, examples=["fail"])


def test_a_note_is_told() -> None:
    """Notes of an error say what to do, so they are shown."""
    error = DynamormError("it stopped")
    error.add_note("go on with that")
    done = click.testing.CliRunner().invoke(failing(error))
    assert (done.exit_code, done.output) == (1, "Error: it stopped\ngo on with that\n")


def test_a_traceback_is_shown_on_request() -> None:
    """``--traceback`` lets the error through."""
    error = DynamormError("it stopped")
    assert click.testing.CliRunner().invoke(failing(error), ["--traceback"]).exception is error
    bug = ZeroDivisionError()
    assert click.testing.CliRunner().invoke(failing(bug)).exception is bug


def test_an_interruption_has_its_exit_code() -> None:
    """Ctrl-C ends with 130, in a line."""
    done = click.testing.CliRunner().invoke(failing(KeyboardInterrupt()))
    assert (done.exit_code, done.output) == (130, "Interrupted: nothing is under way any more.\n")
