"""Runs the console blocks of a page: ``$ dynamorm ...`` and what it prints, with ``...`` for what differs each time."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final

import click.testing
import pytest

from dynamorm_async.cli.app import app

FENCED = re.compile(r"^```(py|python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"# (\S+\.py)\n")


@final
class Shell:
    """A folder in which commands are run, each as a new process would: modules of the folder are imported anew.

    Args:
        folder: the current folder.
        environment: its variables.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def dynamorm(self, line: str, *, typed: str | None = None) -> click.testing.Result:
        """Run a command line, which is given without ``dynamorm``."""
        before, path = set(sys.modules), [*sys.path]
        importlib.invalidate_caches()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(
                sys, "dont_write_bytecode", True
            )  # a file that is written again may have the same time and size
            try:
                return click.testing.CliRunner().invoke(
                    app, shlex.split(line), input=typed, env=dict(self.environment), prog_name="dynamorm"
                )
            finally:
                sys.path[:] = path
                for name in set(sys.modules) - before:
                    if str(self.folder) in str(getattr(sys.modules[name], "__file__", "")):
                        del sys.modules[name]

    def run(self, line: str, status: int) -> tuple[str, int]:
        """Run a line of a console block: what it prints, and its exit code.

        Args:
            line: what stands after the dollar sign.
            status: the exit code of the line before.
        """
        program, _, rest = line.partition(" ")
        if line == "echo $?":
            return f"{status}\n", 0
        if program == "cat":
            return (self.folder / rest).read_text(), 0
        assert program == "dynamorm", f"{line!r}: only dynamorm, cat and echo $? are run here"
        result = self.dynamorm(rest)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output, result.exit_code


def run_page(text: str, shell: Shell) -> int:
    """Write the page's files and run its console blocks, in order; how many lines were run.

    A code block whose first line is ``# name.py`` is that file. A line that fails is followed by ``$ echo $?``.
    """
    count = 0
    for language, block in FENCED.findall(text):
        if language != "console":
            named = NAMED.match(block)
            if named is not None:
                path = shell.folder / named[1]
                path.parent.mkdir(exist_ok=True)
                path.write_text(block)
            continue
        lines = list(commands(block))
        status = 0
        for number, (line, expected) in enumerate(lines, 1):
            printed, status = shell.run(line, status)
            assert matches(expected, printed), f"$ {line}\nprinted:\n{printed}\nthe page has:\n{expected}"
            is_told = number < len(lines) and lines[number][0] == "echo $?"
            assert status == 0 or is_told, f"$ {line}\nexited with {status}, and the page does not say so:\n{printed}"
            count += 1
    return count


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The lines of a block that are typed, each with what is printed."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        while line.endswith("\\"):
            more, _, printed = printed.partition("\n")
            line = f"{line[:-1].rstrip()} {more.strip().removeprefix('>').strip()}"
        yield line, printed


def matches(expected: str, printed: str) -> bool:
    """Whether something was printed as expected: ``...`` stands for any text, blanks at the ends of lines do not count."""
    wanted, found = (re.sub(r"[ \t]+$", "", text.strip("\n"), flags=re.MULTILINE) for text in (expected, printed))
    pattern = ".*".join(re.escape(part) for part in wanted.split("..."))
    return re.fullmatch(pattern, found, re.DOTALL) is not None
