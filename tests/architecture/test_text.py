"""What no file of the project may hold, and how long a module may be."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MOST_LINES = 400
LONGER = {
    "errors.py": 1100,  # the error tree and its table of codes are one file by design
    "database/database.py": 940,  # the public face: half of it is docstrings and overloads
}

# Put together from pieces, so that this file does not hold them.
FORBIDDEN = {
    "an unfinished part": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a path of one machine": re.compile(r"(?<![\w.~:-])/(?:work|ro" + r"ot|ho" + r"me|tmp/w|tmp/p\d)(?:/|\b)"),
    "a registry host": re.compile(
        r"registry\." + r"npmjs|py" + r"pi\.org/simple|files\.python" + r"hosted|index-" + "url"
    ),
}


def ignored_names() -> list[str]:
    """The patterns of .gitignore, which here are names without folders, and git's own folder."""
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]


def files(folder: Path, ignored: list[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        places = (path.name, str(path.relative_to(ROOT)))
        if any(fnmatch.fnmatch(place, pattern) for place in places for pattern in ignored):
            continue
        if path.is_dir():
            yield from files(path, ignored)
        elif b"\0" not in path.read_bytes():
            yield path


FILES = list(files(ROOT, ignored_names()))
MODULES = [path for path in FILES if path.suffix == ".py" and path.is_relative_to(ROOT / "dynamorm_async")]


def findings(text: str) -> list[str]:
    present = {what: it for what, it in FORBIDDEN.items() if it.search(text)}  # in nearly every file there is none
    lines = enumerate(text.splitlines(), start=1) if present else ()
    return [
        f"line {n} holds {what}: {line.strip()}" for n, line in lines for what, it in present.items() if it.search(line)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_holds_what_belongs_elsewhere(path: Path) -> None:
    """No unfinished part, no path of one machine, no registry host in any file that git tracks or would track."""
    assert findings(path.read_text()) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_too_long(path: Path) -> None:
    """A library module has one idea and at most 400 lines."""
    most = LONGER.get(str(path.relative_to(ROOT / "dynamorm_async")), MOST_LINES)
    assert len(path.read_text().splitlines()) <= most


@pytest.mark.parametrize("text", ["# TO" + "DO: later", "cd /wo" + "rk/main", "https://registry" + ".npmjs.org/x"])
def test_a_forbidden_text_is_found(text: str) -> None:
    """The check itself sees each kind."""
    assert len(findings(text)) == 1


@pytest.mark.parametrize("text", ["todo = methods()", "a/work/b", "https://example.com/root", "#!/usr/bin/env bash"])
def test_an_innocent_text_passes(text: str) -> None:
    """The check leaves look-alikes alone."""
    assert findings(text) == []
