"""The hot paths take as many calls, and leave as many objects, as is written down: no more, and no less."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.speed.baselines import VERSION, differences, stored
from tests.speed.counting import calls_of

ROOT = Path(__file__).parent.parent.parent


def test_the_counts_are_as_written_down() -> None:
    """In an interpreter of its own, where no other test has been: get, put, update, query, decoding, encoding, rendering."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.speed"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    if VERSION not in stored():
        pytest.skip(done.stdout.splitlines()[-1])  # it says how they are made; CI's versions have them
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_versions_that_are_promised_have_baselines(version: str) -> None:
    """Those of pyproject.toml, each with the same counts."""
    assert stored()[version].keys() == stored()["3.11"].keys()


def test_a_difference_says_what_and_how_much() -> None:
    """More or fewer calls, a count that is new, one that is gone; what is within the tolerance is none."""
    baseline = {"get: Python calls": 70, "put: Python calls": 100, "decode: C calls": 5000, "gone": 3}
    assert differences(baseline, baseline) == []
    counts = {"get: Python calls": 71, "put: Python calls": 90, "decode: C calls": 5051, "new": 1}
    assert differences(baseline, counts) == [
        "decode: C calls: 5051 instead of 5000, +51 (+1.0%)",
        "gone: is not counted any more",
        "new: 1, and has no baseline",
        "put: Python calls: 90 instead of 100, -10 (-10.0%)",
    ]


def test_calls_are_counted_by_function() -> None:
    """Of Python and of C, those of the operation only, by name."""

    def inner() -> str:
        return "a".upper()

    async def operation() -> str:
        return inner() + inner()

    calls = asyncio.run(calls_of(operation))
    assert {name.rpartition(".")[2]: count for name, count in calls.items()} == {"operation": 1, "inner": 2, "upper": 2}
