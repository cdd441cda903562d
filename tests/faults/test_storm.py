"""Retries neither make a storm of an outage nor leave calls without retries when it is over."""

from __future__ import annotations

import pytest

from tests.faults.storm import AFTER, amplification, outage, raw_amplification, raw_outage

pytestmark = pytest.mark.anyio


async def test_throttling_is_not_amplified() -> None:
    """With 30 % of attempts throttled, calls make at most half as many requests again, and all but the unluckiest succeed."""
    storm = await amplification(1000, seed=9)
    assert 1.3 < storm.amplification <= 1.5
    assert storm.given_up == 0
    assert storm.failed < 20


async def test_an_outage_is_no_storm_and_leaves_nothing_behind() -> None:
    """While nothing works, the budget bounds retries; once all is well again, every call succeeds at once."""
    found = await outage(60, seed=9)
    assert found.during.failed == found.during.calls
    assert found.during.amplification < 1.1
    assert (found.well.calls, found.well.requests, found.well.failed) == (AFTER, AFTER, 0)


async def test_the_budget_of_retries_bounds_what_follows_an_outage() -> None:
    """Where every third attempt goes on failing after an outage, calls give up early rather than add to the load."""
    found = await outage(60, seed=9)
    assert 0 < found.shaky.given_up < AFTER / 3
    assert found.shaky.amplification < 1.5


async def test_the_control_is_measured_in_the_same_way() -> None:
    """Raw aiobotocore's standard mode, with its own pauses, in small."""
    storm = await raw_amplification(20, seed=9)
    assert storm.requests > storm.calls == 20
    found = await raw_outage(3, seed=9, after=5)
    assert (found.during.calls, found.during.failed, found.during.requests) == (3, 3, 9)
    assert found.well.failed == 0
