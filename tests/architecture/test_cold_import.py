"""Importing the package is cheap: it leaves the slow libraries alone until they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SLOW = {"aiobotocore", "aiohttp", "boto3", "botocore", "cattrs", "moto", "yarl"}


@pytest.mark.parametrize("module", ["dynamorm_async", "dynamorm_async.testing.plugin"])
def test_import_loads_no_slow_library(module: str) -> None:
    """A fresh interpreter that imports the package, or its pytest plugin, has loaded no SDK, HTTP client or moto."""
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout))
    assert module in loaded
    assert loaded & SLOW == set()
