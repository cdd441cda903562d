"""The benchmark's scripts import each other by bare names, so they run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BENCH = ROOT / "bench"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the benchmark's folder to import from, and the library of this checkout."""
    paths = os.pathsep.join([str(ROOT), str(BENCH)])
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONWARNINGS": "error::RuntimeWarning"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def ask(code: str) -> list[str]:
    """The lines that a piece of code prints, which has to succeed."""
    done = bench("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
