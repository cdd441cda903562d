"""The measurement of a crowd of calls measures; its figures are for the scoreboard, and no matter of a test."""

from __future__ import annotations

import pytest

from dynamorm_async.transport.lanes import LaneName
from tests.unit.database.crowd import canned_process, crowd


@pytest.mark.anyio
@pytest.mark.parametrize(("lane", "calls"), [("direct", 1_000), ("sdk", 200)])
async def test_a_crowd_is_served(lane: LaneName, calls: int) -> None:
    """However many call at once: every one gets its own answer, and those that wait cost a few kilobytes each."""
    with canned_process() as endpoint:
        found = await crowd(endpoint, lane, calls=calls)
    assert (found.calls, found.failed) == (calls, 0)
    assert 0 < found.stall_cpu <= found.total
    assert found.started_cpu > 0
    assert 0 < found.bytes_a_call < 50_000
