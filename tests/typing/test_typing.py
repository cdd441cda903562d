"""mypy and pyright, both strict, accept all of ``good*.py`` and report exactly the marked lines of ``errors*.py``."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("typing")  # one worker, so that each checker runs once

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GOOD = tuple(sorted(path.name for path in HERE.glob("good*.py")))
ERRORS = tuple(sorted(path.name for path in HERE.glob("errors*.py")))
CHECKERS = {
    "mypy": ["--output", "json"],
    "pyright": ["--outputjson", "--pythonpath", sys.executable],
}
MARK = re.compile(r"# error:((?: (?:" + "|".join(CHECKERS) + r"))+)")

Findings = dict[str, set[int]]


def marked(checker: str, name: str) -> set[int]:
    """The lines of a file of mistakes that a checker must report."""
    lines = (HERE / name).read_text().splitlines()
    marks = ((number, MARK.search(line)) for number, line in enumerate(lines, start=1))
    return {number for number, mark in marks if mark is not None and checker in mark[1].split()}


def lines(name: str, numbers: set[int]) -> list[str]:
    """Lines of a file, for people."""
    text = (HERE / name).read_text().splitlines()
    return [f"{number}: {text[number - 1].strip()}" for number in sorted(numbers)]


def mypy_findings(output: str) -> Iterator[tuple[str, int]]:
    for line in output.splitlines():
        finding = json.loads(line)
        if finding["severity"] == "error":
            yield finding["file"], finding["line"]


def pyright_findings(output: str) -> Iterator[tuple[str, int]]:
    for finding in json.loads(output)["generalDiagnostics"]:
        yield finding["file"], finding["range"]["start"]["line"] + 1


READERS = {"mypy": mypy_findings, "pyright": pyright_findings}


def report(checker: str, folder: Path) -> Findings:
    """What a checker says of the files in a folder: for each file, the lines with errors."""
    # The pyright of PyPI runs on the machine's own node; otherwise it would download one.
    environment = {**os.environ, "PYRIGHT_PYTHON_GLOBAL_NODE": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [sys.executable, "-m", checker, *CHECKERS[checker], *(str(folder / name) for name in GOOD + ERRORS)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1, f"{checker} ended with {done.returncode}: {done.stderr or done.stdout}"
    findings: Findings = {name: set() for name in GOOD + ERRORS}
    for file, line in READERS[checker](done.stdout):
        path = ROOT / file
        if path.parent == folder:  # mypy reports what is wrong in imported modules as well
            findings[path.name].add(line)
    return findings


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Findings]:
    """What each checker reports. Both run once, at the same time."""
    # pyright gets copies: it passes over what its configuration excludes, and that has to exclude the mistakes.
    # mypy gets the files themselves: its cache remembers a module under the path where it first was.
    copies = tmp_path_factory.mktemp("typing").resolve()
    for name in GOOD + ERRORS:
        shutil.copy(HERE / name, copies)
    with ThreadPoolExecutor() as pool:
        reports = pool.map(report, CHECKERS, [HERE, copies])
        return dict(zip(CHECKERS, reports, strict=True))


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("name", GOOD)
def test_good_code_is_clean(reported: dict[str, Findings], checker: str, name: str) -> None:
    """Nothing is reported in code that uses the library as meant, and every assert_type in it holds."""
    assert reported[checker][name] == set()


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("name", ERRORS)
def test_every_mistake_is_reported(reported: dict[str, Findings], checker: str, name: str) -> None:
    """Each marked line is reported, and nothing else is."""
    found, wanted = reported[checker][name], marked(checker, name)
    assert lines(name, wanted - found) == [], "missed"
    assert lines(name, found - wanted) == [], "not marked"


def test_there_are_mistakes_to_report() -> None:
    """The marks are read: a file without any would pass whatever the checkers say."""
    for name in ERRORS:
        assert min(len(marked(checker, name)) for checker in CHECKERS) > 5


@pytest.mark.filterwarnings("ignore:.* was never awaited")  # nothing of it is sent
@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("good", ["constructors_and_instances", "attributes_and_paths", "conditions", "updates"]),
        ("good_batch", ["unsent"]),
        ("good_collections", ["unsent"]),
        ("good_future", ["module_level"]),
        ("good_keyed", ["unsent"]),
        ("good_partiql", ["unsent"]),
        ("good_patterns", ["reports", "policies"]),
        ("good_reading", ["unsent"]),
        ("good_single_table", ["declarations", "unsent"]),
        ("good_updates", ["unsent"]),
        ("good_vectors", ["attributes"]),
        ("good_transactions", ["declarations"]),
        ("good_variants", ["constructors_and_instances", "paths"]),
    ],
)
def test_good_code_runs(name: str, steps: list[str]) -> None:
    """What the checkers accept, the library accepts: models are declared, conditions and updates are built."""
    module = importlib.import_module(f"tests.typing.{name}")
    for step in steps:
        getattr(module, step)()
