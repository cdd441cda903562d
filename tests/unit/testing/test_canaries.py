"""The search for planted secrets sees them wherever a suite may show them."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.canaries import SECRET_KEY, SESSION_TOKEN, shows

ROOT = Path(__file__).parent.parent.parent.parent
CONFTEST = """
from tests.canaries import CanarySearch

def pytest_configure(config):
    config.pluginmanager.register(CanarySearch(), "canaries")
"""
LEAKS = {
    "print": "print(SECRET_KEY)",
    "stderr": "import sys; sys.stderr.write(SESSION_TOKEN)",
    "our logger": "import logging; logging.getLogger('dynamorm_async.transport').debug('token %s', SESSION_TOKEN)",
    "any logger": "import logging; logging.getLogger('botocore').error('token %s', SESSION_TOKEN)",
    "warning": "import warnings; warnings.warn('key ' + SECRET_KEY)",
    "failure": "raise ValueError('key ' + SECRET_KEY)",
    "base64": "import base64; print(base64.b64encode(('x' + SECRET_KEY).encode()).decode())",
}


def run(folder: Path, lines: Iterable[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a suite of one test for each line."""
    (folder / "conftest.py").write_text(CONFTEST)
    tests = "".join(f"def test_{number}():\n    {line}\n" for number, line in enumerate(lines))
    (folder / "test_suite.py").write_text(f"from tests.canaries import SECRET_KEY, SESSION_TOKEN\n\n{tests}")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_shown_secret_fails_the_run(tmp_path: Path) -> None:
    """Also where each test passes: output, logs and warnings are searched, of each test by itself."""
    lines = [line for how, line in LEAKS.items() if how != "failure"]
    done = run(tmp_path, lines)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"{len(lines)} passed" in done.stdout
    for number in range(len(lines)):
        assert f"of test_suite.py::test_{number}, so the run fails" in done.stdout


def test_a_secret_that_a_worker_shows_fails_the_run(tmp_path: Path) -> None:
    """With pytest-xdist the report of a worker is searched as well, that of a failed test too."""
    done = run(tmp_path, ["pass", LEAKS["print"], LEAKS["failure"]], "-p", "xdist", "--numprocesses", "1")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 2 passed" in done.stdout
    assert "of test_suite.py::test_0, so" not in done.stdout
    for number in (1, 2):
        assert f"of test_suite.py::test_{number}, so the run fails" in done.stdout


def test_a_quiet_run_passes(tmp_path: Path) -> None:
    """The run says how much it searched, and passes."""
    done = run(tmp_path, ["print('nothing')"])
    assert done.returncode == pytest.ExitCode.OK
    assert re.search(r"planted secrets: 0 found in [1-9][0-9]* characters of output", done.stdout)


def test_forms() -> None:
    """A secret is seen as it is, encoded at any alignment, and not where there is none."""
    for before in range(5):
        assert shows(base64.b64encode(b"x" * before + SECRET_KEY.encode() + b"yz").decode())
    assert shows(f"{{'token': '{SESSION_TOKEN}'}}")
    assert shows(SESSION_TOKEN.encode().hex())
    assert not shows("AKIDEXAMPLE and everything else")
