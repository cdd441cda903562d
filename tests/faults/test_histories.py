"""Concurrent clients under faults are never told what the store does not hold; raw aiobotocore's are."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import CATALOGUE
from tests.faults.fault import SINGLE_WRITES, Call, Fault
from tests.faults.histories import KINDS, run_histories
from tests.faults.raw_histories import run_raw_histories

pytestmark = pytest.mark.anyio


async def test_histories_under_faults_can_be_true(dynoxide_endpoint: str) -> None:
    """Six of each kind, through both lanes, with a fault at about every third attempt: every history is consistent."""
    figures = await run_histories(42, seed=2026, engine=dynoxide_endpoint)
    assert figures.violations == []
    assert figures.undecided == 0
    assert set(figures.histories) == set(KINDS)
    assert set(figures.histories.values()) == {6}
    assert figures.outcomes["unknown"] > 0, "no answer was lost for good: the faults were too few"
    assert 0.2 < figures.faults / figures.requests < 0.4


async def test_the_same_histories_find_raw_aiobotocore_out(dynoxide_endpoint: str) -> None:
    """Counters are counted twice and creations refused that were one's own: the checkers see what they are there for."""

    def lost_at_first(call: Call) -> Fault | None:
        return CATALOGUE["reset_after"] if call.attempt == 1 and call.operation in SINGLE_WRITES else None

    figures = await run_raw_histories(4, seed=2026, engine=dynoxide_endpoint, script=lost_at_first)
    assert figures.violated == 4
    assert any("applied 2 times" in violation for violation in figures.violations)
    assert any("no order of its operations" in violation for violation in figures.violations)
