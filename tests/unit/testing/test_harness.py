"""The run itself: leaked tasks and idle combinations fail it, the environment is scrubbed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
CONFIG = "[pytest]\nfilterwarnings = error\n"

LEAKING = """
    import asyncio, pytest
    @pytest.mark.anyio
    async def test_leaves_a_task():
        {action}
"""
CONTRACT = """
    import itertools, pytest
    PAIRS = [pair for pair in itertools.product(("dynoxide", "dynamodb-local", "moto"), ("direct", "sdk"))]
    @pytest.mark.parametrize("pair", PAIRS[{first}:])
    def test_pair(pair, record_property):
        record_property("contract", " x ".join(pair))
"""


def run(folder: Path, test: str, *arguments: str, kind: str = "unit") -> subprocess.CompletedProcess[str]:
    """Run pytest on one test file under a copy of this project's conftest."""
    tests = folder / "tests"
    (tests / "contract").mkdir(parents=True)
    (tests / "unit").mkdir()
    (tests / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tests / kind / "test_it.py").write_text(textwrap.dedent(test))
    (folder / "pytest.ini").write_text(CONFIG)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_leaked_task_fails_its_test_by_name(tmp_path: Path) -> None:
    """A task that outlives its test is an error that names the task."""
    action = "globals().update(kept=asyncio.create_task(asyncio.Event().wait(), name='poller'))"
    done = run(tmp_path, LEAKING.format(action=action), "tests")
    assert done.returncode == 1
    assert re.search(r"left 1 task\(s\) running: poller", done.stdout)


def test_a_finished_task_is_no_leak(tmp_path: Path) -> None:
    """A task that ended, or was awaited, does not fail its test."""
    done = run(tmp_path, LEAKING.format(action="await asyncio.create_task(asyncio.sleep(0))"), "tests")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_summary_counts_each_combination(tmp_path: Path) -> None:
    """One line for each engine and lane says how many contract tests passed."""
    done = run(tmp_path, CONTRACT.format(first=0), "tests/contract", kind="contract")
    assert done.returncode == 0
    lines = re.findall(r"^contract (\S+) x (\S+): 1 passed$", done.stdout, re.MULTILINE)
    assert lines == [(engine, lane) for engine in ("dynoxide", "dynamodb-local", "moto") for lane in ("direct", "sdk")]


@pytest.mark.parametrize("arguments", [[], ["tests"], ["tests/contract"]])
def test_an_idle_combination_fails_the_whole_run(tmp_path: Path, arguments: list[str]) -> None:
    """Where the whole contract folder was selected, a combination that ran nothing fails the run and is named."""
    done = run(tmp_path, CONTRACT.format(first=1), *arguments, kind="contract")
    assert done.returncode == 1
    assert "contract dynoxide x direct: nothing passed, so the run fails" in done.stdout


@pytest.mark.parametrize("arguments", [["tests/contract/test_it.py"], ["tests", "-k", "pair"]])
def test_a_part_of_the_contract_may_leave_combinations_out(tmp_path: Path, arguments: list[str]) -> None:
    """A developer who selects some tests is not told that others did not run."""
    assert run(tmp_path, CONTRACT.format(first=1), *arguments, kind="contract").returncode == 0


def test_the_environment_is_scrubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither AWS settings nor proxies of the machine reach a test."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "https_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "planted")
    done = run(tmp_path, "import os\ndef test_it():\n    assert 'planted' not in os.environ.values()\n", "tests")
    assert done.returncode == 0
    assert {name for name in os.environ if name.startswith("AWS_")} >= {"AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED"}
    assert not Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).exists()


@pytest.mark.anyio
async def test_async_tests_run_on_asyncio(anyio_backend: str) -> None:
    """The marker alone is enough, and the loop is asyncio's."""
    assert anyio_backend == "asyncio"
    assert asyncio.current_task() is not None
