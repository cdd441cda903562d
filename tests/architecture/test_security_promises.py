"""SECURITY.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::([a-z0-9_]+)`")


def missing(text: str) -> list[str]:
    """The tests that a text names and the suite does not have."""
    found = [(path, name) for path, name in NAMED.findall(text)]
    return [
        f"{path}::{name}"
        for path, name in found
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text()
    ]


def test_every_promise_is_held() -> None:
    """Each line of the table of promises names a test, and each test that is named exists."""
    text = (ROOT / "SECURITY.md").read_text()
    table = text.partition("| promise | held by |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) > 15
    assert [line for line in table if not NAMED.search(line)] == []
    assert missing(text) == []


def test_a_missing_test_is_seen() -> None:
    """A test that was renamed or removed is named."""
    assert missing("`tests/architecture/test_security_promises.py::test_gone`") != []
    assert missing("`tests/architecture/test_gone.py::test_gone`") != []
