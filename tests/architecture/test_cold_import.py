"""Importing the package is cheap: it leaves what is slow alone until it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

SLOW = {"aiobotocore", "aiohttp", "boto3", "botocore", "cattrs", "moto", "yarl"}
"""What nothing of the package imports before it is needed."""

LATE = SLOW | {
    *("configparser", "csv", "ctypes", "difflib", "doctest", "email", "ftplib", "getpass", "gzip"),
    *("html", "http", "importlib.metadata", "logging.config", "logging.handlers", "mimetypes"),
    *("multiprocessing", "optparse", "pdb", "pickle", "pprint", "profile", "queue", "secrets", "shutil", "sqlite3"),
    *("statistics", "tarfile", "tempfile", "tomllib", "unittest", "urllib.request", "webbrowser", "xml", "zipfile"),
    *("click", "cryptography", "hypothesis", "idna", "jinja2", "jmespath", "multidict", "numpy", "pydantic"),
    *("pytest", "requests", "rich", "s3transfer", "trio", "urllib3", "uvloop", "werkzeug", "wrapt", "yaml"),
    *(
        "dynamorm_async.debugging",
        "dynamorm_async.leases",
        "dynamorm_async.testing",
        "dynamorm_async.transport.sdk_session",
    ),
}
"""What `import dynamorm_async` leaves alone: libraries and parts of the standard library that take a millisecond and more
to import, and the package's own that few programs use. A module that is not there at all is none that was imported."""

MOST_OWN = 130
"""How many modules of the package may be loaded by importing it. Each takes a quarter of a millisecond: raise it with reason."""


def loaded_by(module: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after an import, their packages included."""
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
    return loaded


def test_the_plugin_loads_no_slow_library() -> None:
    """A run of pytest with the plugin has loaded no SDK, HTTP client or moto by that."""
    assert loaded_by("dynamorm_async.testing.plugin") & SLOW == set()


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return loaded_by("dynamorm_async")


def test_import_loads_nothing_that_can_wait(loaded: set[str]) -> None:
    """A fresh interpreter that imports the package has loaded no SDK, no HTTP client, and nothing else that is slow."""
    assert {name for name in loaded if name in LATE or name.partition(".")[0] in LATE} == set()


def test_import_loads_few_modules_of_its_own(loaded: set[str]) -> None:
    """A program pays for each module of the package; that there are more is seen here."""
    own = sorted(name for name in loaded if name.split(".")[0] == "dynamorm_async")
    assert len(own) <= MOST_OWN, f"{len(own)} modules of the package are imported with it, {MOST_OWN} may be: {own}"
    assert len(own) > MOST_OWN * 0.8, f"only {len(own)} modules of the package are imported: lower MOST_OWN to that"
